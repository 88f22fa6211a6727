/**
 * What a session remembers of those who typed into it: by holder, how many bytes arrived, and the lane they wait in. It outlives streams
 * and links, so that a client that comes back learns exactly what arrived. Owns forgetting: an hour, 64 a session. Knows no roles.
 */
import type { Clock } from "../transport/transport.js";
import type { InputQueue, Lane } from "./input-queue.js";

/** How long the position of a holder without a stream is remembered; protocol §5. */
export const holderMemoryMs = 60 * 60 * 1000;
export const mostHolders = 64;

export interface Holder {
  /** Principal and holder: nobody takes over another principal's. */
  readonly key: string;
  readonly lane: Lane;
  /** Bytes of input that arrived, written or not: the position of the next. */
  received: number;
  /** Bytes the pty took, or that were dropped and reported. */
  settled: number;
  /** What was dropped, oldest first: told again at each attach, since a report may have been lost with its link. */
  readonly dropped: { from: number; to: number }[];
  /** Its emulator has the scrollback. */
  hasScrollback: boolean;
  /** Streams that use it now. */
  streams: number;
}

interface Remembered extends Holder {
  left: number;
}

export class Holders {
  readonly #clock: Clock;
  readonly #queue: InputQueue;
  /** In the order they were last left; those with a stream may stand anywhere. */
  readonly #all = new Map<string, Remembered>();

  constructor(clock: Clock, queue: InputQueue) {
    this.#clock = clock;
    this.#queue = queue;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A stream of this holder begins. `known`: it was here before, so that its position means something. */
  enter(principal: string, holder: string): { holder: Holder; known: boolean } {
    this.#forget();
    const key = `${principal}\n${holder}`;
    const before = this.#all.get(key);
    if (before !== undefined) {
      before.streams += 1;
      return { holder: before, known: true };
    }
    const made: Remembered = {
      key,
      lane: this.#queue.lane(),
      received: 0,
      settled: 0,
      dropped: [],
      hasScrollback: false,
      streams: 1,
      left: this.#clock.now(),
    };
    this.#all.set(key, made);
    return { holder: made, known: false };
  }

  /** A stream of this holder ended. */
  leave(holder: Holder): void {
    const own = this.#all.get(holder.key);
    if (own === undefined) return;
    own.streams -= 1;
    own.left = this.#clock.now();
    this.#all.delete(own.key);
    this.#all.set(own.key, own);
    this.#forget();
  }

  #forget(): void {
    const old = this.#clock.now() - holderMemoryMs;
    for (const one of this.#all.values()) {
      if (one.streams > 0) continue;
      if (this.#all.size <= mostHolders && one.left > old) break;
      // Nobody could be told any more what became of it.
      this.#queue.cancel(one.lane);
      this.#all.delete(one.key);
    }
  }
}
