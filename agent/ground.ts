/**
 * Finds the last place in output where an emulator stands between two sequences and two characters: only there is its state whole, so
 * only up to there is it fed. Owns the search. Walks xterm's own transition table and decodes characters as xterm does; knows no screen.
 */

const escapeByte = 0x1b;
const groundState = 0;
const escapeState = 1;
/** Every character from here on takes the same transition. */
const firstPrintable = 0xa0;

export class GroundFinder {
  /** `table`: xterm's, next state in the low 4 bits by state << 8 | code. */
  constructor(private readonly table: Uint8Array) {}

  /**
   * Bytes of `bytes` up to the last ground position; they begin at one. ESC leads to the same state from everywhere, so the search looks
   * at what follows the last one, and at what is before it only where that has not ended.
   */
  last(bytes: Uint8Array): number {
    let end = bytes.length;
    while (end > 0) {
      const start = bytes.lastIndexOf(escapeByte, end - 1);
      const ground = start < 0 ? this.#walk(bytes, 0, end, groundState) : this.#walk(bytes, start + 1, end, escapeState);
      if (ground >= 0) return ground;
      end = start;
    }
    return 0;
  }

  /** The last ground position from `from` to `to`; -1: none. */
  #walk(bytes: Uint8Array, from: number, to: number, state: number): number {
    let ground = state === groundState ? from : -1;
    let at = from;
    while (at < to) {
      const byte = bytes[at] ?? 0;
      let code = byte;
      let length = 1;
      if (byte >= 0x80) {
        const whole = characterLength(byte);
        while (length < whole && at + length < to && isContinuation(bytes[at + length])) length += 1;
        // An unfinished character at the end: what it will be is not known yet.
        if (length < whole && at + length === to) break;
        at += length;
        // A broken one is dropped by xterm, but only when it sees what follows.
        if (length < whole) continue;
        code = codeOf(bytes, at - length, length);
      } else {
        at += 1;
      }
      // xterm drops what is no character before its parser sees it.
      if (code >= 0) state = (this.table[(state << 8) | code] ?? 0) & 15;
      if (state === groundState) ground = at;
    }
    return ground;
  }
}

function characterLength(first: number): number {
  if (first < 0xc0 || first >= 0xf8) return 1;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** The code the parser gets for a whole sequence of bytes; -1: none. */
function codeOf(bytes: Uint8Array, at: number, length: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + length);
  let codepoint = -1;
  if (length === 2) {
    codepoint = ((a & 0x1f) << 6) | (b & 0x3f);
    if (codepoint < 0x80) return -1;
  } else if (length === 3) {
    codepoint = ((a & 0x0f) << 12) | ((b & 0x3f) << 6) | (c & 0x3f);
    if (codepoint < 0x800 || (codepoint >= 0xd800 && codepoint <= 0xdfff) || codepoint === 0xfeff) return -1;
  } else if (length === 4) {
    codepoint = ((a & 0x07) << 18) | ((b & 0x3f) << 12) | ((c & 0x3f) << 6) | (d & 0x3f);
    if (codepoint < 0x10000 || codepoint > 0x10ffff) return -1;
  }
  return Math.min(codepoint, firstPrintable);
}
