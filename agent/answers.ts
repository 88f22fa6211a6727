/**
 * The answers to a program's questions about its terminal, in the order it asked, at most once each. Owns the bounds: how many questions
 * wait, and how many bytes of answers a second. What an answer is, the screen says; where it goes, the session.
 */
import type { Clock } from "../transport/transport.js";

/** Bytes of answers a program gets in a second, and questions that wait: one that floods itself with questions is on its own. */
const bytesPerSecond = 4096;
const mostWaiting = 512;
const nothing = new Uint8Array(0);

export class Answers {
  readonly #clock: Clock;
  readonly #write: (bytes: Uint8Array) => void;
  readonly #failed: () => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #budget = bytesPerSecond;
  #budgetAt: number;

  constructor(options: { clock: Clock; write(bytes: Uint8Array): void; failed(): void }) {
    this.#clock = options.clock;
    this.#write = options.write;
    this.#failed = options.failed;
    this.#budgetAt = options.clock.now();
  }

  /** A question: `ask` is called at once, for the screen as it is here, or not at all when too many wait. */
  question(ask: () => Promise<Uint8Array>): void {
    if (this.#waiting >= mostWaiting) return;
    this.#waiting += 1;
    const answer = ask().catch(() => {
      this.#failed();
      return nothing;
    });
    this.#last = this.#last.then(async () => {
      this.#give(await answer);
      this.#waiting -= 1;
    });
  }

  #give(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const now = this.#clock.now();
    const earned = ((now - this.#budgetAt) * bytesPerSecond) / 1000;
    this.#budgetAt = now;
    this.#budget = Math.min(bytesPerSecond, this.#budget + earned);
    if (bytes.length > this.#budget) return;
    this.#budget -= bytes.length;
    this.#write(bytes);
  }
}
