/**
 * Bytes being written, growing as needed: a snapshot of a large screen is a million characters, and joining strings of them costs more than
 * walking the cells. Owns the buffer and UTF-8.
 */

const firstLength = 16 * 1024;
const encoder = new TextEncoder();

export class ByteSink {
  #bytes = new Uint8Array(firstLength);
  #length = 0;

  /** Bytes after which nothing more is taken. */
  constructor(private readonly limit: number) {}

  /** The limit is passed: what was written is of no use. */
  get full(): boolean {
    return this.#length > this.limit;
  }

  /** Any text. */
  put(text: string): void {
    if (this.full) return;
    // A character of UTF-16 takes at most three bytes.
    this.#room(text.length * 3);
    if (text.length > 64) {
      this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
      return;
    }
    for (let n = 0; n < text.length; n += 1) {
      const code = text.charCodeAt(n);
      if (code >= 0x80) {
        this.#length += encoder.encodeInto(text.slice(n), this.#bytes.subarray(this.#length)).written;
        return;
      }
      this.#bytes[this.#length] = code;
      this.#length += 1;
    }
  }

  /** One character; never half of a surrogate pair. */
  code(codepoint: number): void {
    if (this.full) return;
    this.#room(4);
    const bytes = this.#bytes;
    let at = this.#length;
    if (codepoint < 0x80) {
      bytes[at++] = codepoint;
    } else if (codepoint < 0x800) {
      bytes[at++] = 0xc0 | (codepoint >>> 6);
      bytes[at++] = 0x80 | (codepoint & 0x3f);
    } else if (codepoint < 0x10000) {
      bytes[at++] = 0xe0 | (codepoint >>> 12);
      bytes[at++] = 0x80 | ((codepoint >>> 6) & 0x3f);
      bytes[at++] = 0x80 | (codepoint & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (codepoint >>> 18);
      bytes[at++] = 0x80 | ((codepoint >>> 12) & 0x3f);
      bytes[at++] = 0x80 | ((codepoint >>> 6) & 0x3f);
      bytes[at++] = 0x80 | (codepoint & 0x3f);
    }
    this.#length = at;
  }

  /** A copy of exactly what was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
