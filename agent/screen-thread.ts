/**
 * One worker thread and what it has been asked to do: first in, first out. Owns the watchdog: a task that takes too long ends the thread,
 * as does a crash, and the task in front is to blame. Knows nothing of what the tasks mean.
 */
import { Worker } from "node:worker_threads";
import type { FromScreens, ScreenTask, TaskDone, ToScreens } from "./screen-messages.js";

export interface ThreadTask {
  screen: number;
  task: ScreenTask;
  done(done: TaskDone): void;
}

/** Where a screen's tasks go. */
export interface TaskTaker {
  /** Bytes to parse are handed over: whoever gives them no longer has them. */
  give(task: ThreadTask): void;
  forget(screen: number): void;
}

/** How often the watchdog looks: the time a task may take counts in looks, so that a machine that slept is not taken for a hung thread. */
const looksPerLimit = 10;

export class ScreenThread implements TaskTaker {
  readonly #worker: Worker;
  readonly #queue: ThreadTask[] = [];
  readonly #limitMs: number;
  readonly #lost: (guilty: ThreadTask | null, wasReady: boolean) => void;
  #looks = 0;
  #watch: NodeJS.Timeout | null = null;
  #ready = false;
  #over = false;

  /** `lost`: the thread is gone, with the task that was running. Called once, never after `end`. */
  constructor(path: string, limitMs: number, lost: (guilty: ThreadTask | null, wasReady: boolean) => void) {
    this.#limitMs = limitMs;
    this.#lost = lost;
    this.#worker = new Worker(path);
    // It alone keeps no program running.
    this.#worker.unref();
    this.#worker.on("message", (message: FromScreens) => {
      if (message.t === "ready") this.#becameReady();
      else this.#done(message);
    });
    this.#worker.on("error", () => this.#lose());
    this.#worker.on("exit", () => this.#lose());
  }

  /** Tasks given and not done. */
  get waiting(): number {
    return this.#queue.length;
  }

  give(task: ThreadTask): void {
    if (this.#over) return;
    this.#queue.push(task);
    const message: ToScreens = { screen: task.screen, task: task.task };
    this.#worker.postMessage(message, transferred(task.task));
    this.#keepWatch();
  }

  forget(screen: number): void {
    if (this.#over) return;
    const message: ToScreens = { screen, task: "close" };
    this.#worker.postMessage(message);
  }

  async end(): Promise<void> {
    this.#over = true;
    this.#stopWatch();
    await this.#worker.terminate();
  }

  #becameReady(): void {
    this.#ready = true;
    this.#looks = 0;
    this.#keepWatch();
  }

  #done(done: TaskDone): void {
    if (this.#over) return;
    this.#looks = 0;
    const task = this.#queue.shift();
    if (this.#queue.length === 0) this.#stopWatch();
    task?.done(done);
  }

  #keepWatch(): void {
    // Loading the program is not a task's fault.
    if (this.#watch !== null || !this.#ready || this.#queue.length === 0) return;
    this.#looks = 0;
    this.#watch = setInterval(() => {
      this.#looks += 1;
      if (this.#looks > looksPerLimit) this.#lose();
    }, this.#limitMs / looksPerLimit);
    this.#watch.unref();
  }

  #stopWatch(): void {
    if (this.#watch !== null) clearInterval(this.#watch);
    this.#watch = null;
  }

  #lose(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWatch();
    void this.#worker.terminate();
    this.#lost(this.#queue[0] ?? null, this.#ready);
  }
}

function transferred(task: ScreenTask): ArrayBuffer[] {
  if (task.task === "bytes" || task.task === "skip") return [task.bytes.buffer];
  // The bytes of a checkpoint stay with it.
  return [];
}
