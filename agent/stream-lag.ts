/**
 * What a stream does about a viewer that is behind: it says so, and where the viewer paces it holds the program. Owns both clocks' worth of
 * timers and their rules. Knows neither cursor nor history; it is told how many bytes.
 */
import type { Clock } from "../transport/transport.js";

/** Between two `behind` messages, and before the first. */
export const behindMs = 250;
/** How long a viewer that paces may stand still before it is skipped like any other. */
export const paceStallMs = 5000;

export interface BehindOptions {
  clock: Clock;
  /** Output that was not sent yet. */
  bytes(): number;
  /** At most four times a second while behind, then once with zeros. */
  say(ms: number, bytes: number): void;
}

export class Behind {
  readonly #options: BehindOptions;
  #since: number | null = null;
  #shown = false;
  #timer: (() => void) | null = null;

  constructor(options: BehindOptions) {
    this.#options = options;
  }

  /** There is output to send; nothing happens while that was known. No timer a call: one runs as long as it lasts. */
  some(): void {
    if (this.#since !== null) return;
    this.#since = this.#options.clock.now();
    this.#timer ??= this.#options.clock.after(behindMs, () => this.#look());
  }

  none(): void {
    this.#since = null;
    if (!this.#shown) return;
    this.#shown = false;
    this.#options.say(0, 0);
  }

  close(): void {
    this.#timer?.();
    this.#timer = null;
    this.#since = null;
    this.#shown = false;
  }

  #look(): void {
    this.#timer = null;
    if (this.#since === null) return;
    const { clock, bytes, say } = this.#options;
    const ms = clock.now() - this.#since;
    if (ms >= behindMs) {
      this.#shown = true;
      say(ms, bytes());
    }
    this.#timer = clock.after(behindMs, () => this.#look());
  }
}

export interface PaceOptions {
  clock: Clock;
  /** What the history keeps for whoever is behind. */
  ringBytes: number;
  /** Bytes carried so far: whether the viewer moves. */
  carried(): number;
  hold(): void;
  release(): void;
}

export class Pace {
  readonly #options: PaceOptions;
  #on: boolean;
  /** It stood still and is skipped until it has caught up. */
  #lost = false;
  #held = false;
  #carriedBefore = 0;
  #timer: (() => void) | null = null;

  constructor(options: PaceOptions, on: boolean) {
    this.#options = options;
    this.#on = on;
  }

  set on(on: boolean) {
    this.#on = on;
    if (!on) this.#release();
  }

  /** Output was added: more than half a ring of it to send holds the program. */
  grown(behind: number): void {
    if (!this.#on || this.#lost || this.#held || behind <= this.#options.ringBytes / 2) return;
    this.#held = true;
    this.#carriedBefore = this.#options.carried();
    this.#options.hold();
    this.#timer = this.#options.clock.after(paceStallMs, () => this.#look());
  }

  /** Output was sent: less than a quarter of a ring lets the program go on. */
  shrunk(behind: number): void {
    if (behind === 0) this.#lost = false;
    if (behind < this.#options.ringBytes / 4) this.#release();
  }

  close(): void {
    this.#release();
  }

  #look(): void {
    this.#timer = null;
    const carried = this.#options.carried();
    if (carried === this.#carriedBefore) {
      this.#lost = true;
      this.#release();
      return;
    }
    this.#carriedBefore = carried;
    this.#timer = this.#options.clock.after(paceStallMs, () => this.#look());
  }

  #release(): void {
    this.#timer?.();
    this.#timer = null;
    if (!this.#held) return;
    this.#held = false;
    this.#options.release();
  }
}
