/**
 * The answers to a program's questions about its terminal, in the order it asked, at most once each. Owns that order and how many questions
 * may wait. What an answer is, and how many bytes of them a second, the screen says; where they go, the session.
 */

/** Questions that wait for an answer: a program that floods itself with more is on its own. */
const mostWaiting = 512;
const nothing = new Uint8Array(0);

export class Answers {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #failed: () => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: { write(bytes: Uint8Array): void; failed(): void }) {
    this.#write = options.write;
    this.#failed = options.failed;
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
      const bytes = await answer;
      if (bytes.length > 0) this.#write(bytes);
      this.#waiting -= 1;
    });
  }
}
