/**
 * The screens of all sessions and the threads they are parsed in. Owns which screen is parsed where, and that a thread which hangs or
 * crashes is replaced. Refuses to parse anything here: the main thread serves keystrokes.
 */
import { existsSync } from "node:fs";
import { ScreenThread, type ThreadTask } from "./screen-thread.js";
import { type Screen, type ScreenOptions, SessionScreen } from "./session-screen.js";

export type { Screen } from "./session-screen.js";

/** The most one slice may take. Slices are cut so that they take milliseconds: this is a fault, not a slow machine. Design §5. */
const sliceLimitMs = 2000;

/** One is warm from the start, so that the first session does not wait for it; more than two take the cores from the programs. */
const maxThreads = 2;
/** Screens a thread gets before another one is started. */
const screensPerThread = 4;

/** A thread that cannot even start is tried again less and less often. */
const restartMs = { first: 250, most: 10_000 } as const;

interface Place {
  thread: ScreenThread | null;
  screens: Set<SessionScreen>;
  failedStarts: number;
  restart: NodeJS.Timeout | null;
}

export interface ScreensOptions {
  /** The built screen-worker. */
  workerPath: string;
  /** Milliseconds; for tests. */
  sliceLimitMs?: number;
}

export class Screens {
  readonly #options: ScreensOptions;
  readonly #places: Place[] = [];
  #numbers = 0;
  #closed = false;

  constructor(options: ScreensOptions) {
    if (!existsSync(options.workerPath)) throw new Error(`there is no screen worker at ${options.workerPath}`);
    this.#options = options;
    this.#addPlace();
  }

  /** A screen that reads from the beginning of the history. */
  open(options: ScreenOptions): Screen {
    this.#numbers += 1;
    const place = this.#choose();
    const screen: SessionScreen = new SessionScreen(this.#numbers, options, () => place.screens.delete(screen));
    place.screens.add(screen);
    if (place.thread !== null) screen.moveTo(place.thread);
    return screen;
  }

  /** Ends all threads; screens give empty answers from then on. */
  async close(): Promise<void> {
    this.#closed = true;
    const ends: Promise<void>[] = [];
    for (const place of this.#places) {
      for (const screen of [...place.screens]) screen.close();
      if (place.restart !== null) clearTimeout(place.restart);
      if (place.thread !== null) ends.push(place.thread.end());
    }
    await Promise.all(ends);
  }

  #choose(): Place {
    let best = this.#places[0] ?? this.#addPlace();
    for (const place of this.#places) if (place.screens.size < best.screens.size) best = place;
    const full = best.screens.size >= screensPerThread || (best.screens.size > 0 && (best.thread?.waiting ?? 0) > 0);
    return full && this.#places.length < maxThreads ? this.#addPlace() : best;
  }

  #addPlace(): Place {
    const place: Place = { thread: null, screens: new Set(), failedStarts: 0, restart: null };
    this.#places.push(place);
    this.#start(place);
    return place;
  }

  #start(place: Place): void {
    place.restart = null;
    const limit = this.#options.sliceLimitMs ?? sliceLimitMs;
    place.thread = new ScreenThread(this.#options.workerPath, limit, (guilty, wasReady) => this.#lost(place, guilty, wasReady));
    for (const screen of place.screens) screen.moveTo(place.thread);
  }

  #lost(place: Place, guilty: ThreadTask | null, wasReady: boolean): void {
    place.thread = null;
    for (const screen of place.screens) screen.lost(wasReady && guilty?.screen === screen.number ? guilty.task : null);
    if (this.#closed) return;
    place.failedStarts = wasReady ? 0 : place.failedStarts + 1;
    if (place.failedStarts === 0) {
      this.#start(place);
    } else {
      const wait = Math.min(restartMs.most, restartMs.first * 2 ** (place.failedStarts - 1));
      place.restart = setTimeout(() => this.#start(place), wait);
      place.restart.unref();
    }
  }
}
