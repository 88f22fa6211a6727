/**
 * The last output of a stream as text, for `waitFor`: what came since the last match, or since the first input after it. Owns that mark,
 * the bound, and the programs that wait. Text is made only when somebody waits.
 */
import type { Size } from "../protocol/values.js";
import { plainText } from "./lines.js";
import { screenText } from "./screen-text.js";

/** Bytes that are looked at; a pattern that spans more is not found. */
const keepBytes = 256 * 1024;

interface Waiter {
  pattern: RegExp;
  found: (match: RegExpMatchArray) => void;
}

export class RecentOutput {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  /** Text of the screen that the chunks follow. */
  #screen = "";
  /** Characters of the text that a match has used up. */
  #used = 0;
  #sentSinceMatch = false;
  readonly #waiters = new Set<Waiter>();

  output(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    while (this.#bytes > keepBytes && this.#chunks.length > 1) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
      this.#screen = "";
      this.#used = 0;
    }
    this.#look();
  }

  /** Everything before it is gone from view. */
  screen(bytes: Uint8Array, size: Size): void {
    this.#clear();
    this.#screen = screenText(bytes, size);
    this.#look();
  }

  /** Input goes out: what was there before it is no answer to it. Only the first one after a match counts, so that several may be sent ahead. */
  sent(): void {
    if (this.#sentSinceMatch) return;
    this.#sentSinceMatch = true;
    this.#clear();
  }

  /** Calls back at the first match, at once if it is there already; returns how to stop waiting. */
  wait(pattern: RegExp, found: (match: RegExpMatchArray) => void): () => void {
    const waiter = { pattern, found };
    this.#waiters.add(waiter);
    this.#look();
    return () => this.#waiters.delete(waiter);
  }

  #clear(): void {
    this.#chunks = [];
    this.#bytes = 0;
    this.#screen = "";
    this.#used = 0;
  }

  #look(): void {
    if (this.#waiters.size === 0) return;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    const text = this.#screen + plainText(joined);
    for (const waiter of [...this.#waiters]) {
      const match = text.slice(this.#used).match(waiter.pattern);
      if (!match) continue;
      this.#used += (match.index ?? 0) + match[0].length;
      this.#sentSinceMatch = false;
      this.#waiters.delete(waiter);
      waiter.found(match);
    }
  }
}
