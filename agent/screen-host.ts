/**
 * The screens of one thread and what is done with them, one task after the other. Owns which screens there are. Owns no order and no time:
 * both are the main thread's. Nothing that a task does may end the thread: a fault is a result.
 */
import type { ScreenTask, TaskDone, TaskResult } from "./screen-messages.js";
import { ScreenModel } from "./screen-model.js";

export class ScreenHost {
  readonly #screens = new Map<number, ScreenModel>();

  do(screen: number, task: ScreenTask): TaskDone {
    let result: TaskResult;
    try {
      result = this.#run(screen, task);
    } catch (error) {
      result = { kind: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
    const model = this.#screens.get(screen);
    return { at: model?.at ?? 0, title: model?.title ?? "", result };
  }

  forget(screen: number): void {
    this.#screens.get(screen)?.dispose();
    this.#screens.delete(screen);
  }

  #run(screen: number, task: ScreenTask): TaskResult {
    if (task.task === "begin") {
      this.forget(screen);
      this.#screens.set(screen, new ScreenModel(task.size, task.scrollback, task.at));
      return { kind: "none" };
    }
    const model = this.#screens.get(screen);
    if (model === undefined) return { kind: "failed", reason: `there is no screen ${screen}` };
    switch (task.task) {
      case "fill":
        model.fill(task.bytes);
        return { kind: "none" };
      case "bytes":
        model.feed(task.bytes);
        return { kind: "none" };
      case "size":
        model.resize(task.size);
        return { kind: "none" };
      case "skip":
        model.skip(task.bytes, task.size);
        return { kind: "none" };
      case "snapshot":
        return { kind: "snapshot", snapshot: model.snapshot(task.scrollback) };
      case "answer":
        return { kind: "answer", reply: model.answer(task.query, task.view) };
      case "text":
        return { kind: "text", text: model.text(task.ansi) };
      case "hash":
        return { kind: "hash", hash: model.hash() };
    }
  }
}
