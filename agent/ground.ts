/**
 * Finds the last place in output where an emulator stands between two sequences and two characters: only there is its state whole, so
 * only up to there is it fed. Owns the search. Walks xterm's own transition table and decodes characters as xterm does; knows no screen.
 */
import { wholeCharacters } from "../protocol/character-cut.js";

const escapeByte = 0x1b;
/** Begins every character that is a C1 control. */
const c1Lead = 0xc2;
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
    if (!bytes.includes(escapeByte) && !bytes.includes(c1Lead)) return textEnd(bytes) ?? this.#walk(bytes, 0, bytes.length, groundState);
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

/** The end of the last whole character of text that cannot leave the ground state; null: something broken stands there. */
function textEnd(bytes: Uint8Array): number | null {
  const end = wholeCharacters(bytes);
  return end === 0 || (bytes[end - 1] ?? 0) < 0x80 || wholeCharacters(bytes.subarray(0, end)) === end ? end : null;
}

function characterLength(first: number): number {
  if (first < 0xc0 || first >= 0xf8) return 1;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/** The code the parser gets for a whole sequence of bytes; -1: none, as for overlong forms, halves of surrogate pairs and byte order marks. */
function codeOf(bytes: Uint8Array, at: number, length: number): number {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1] ?? 0;
  switch (length) {
    case 2:
      if (first < 0xc2) return -1;
      return first === 0xc2 && second < firstPrintable ? second : firstPrintable;
    case 3:
      if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second >= 0xa0)) return -1;
      return first === 0xef && second === 0xbb && bytes[at + 2] === 0xbf ? -1 : firstPrintable;
    case 4:
      return (first === 0xf0 && second < 0x90) || first > 0xf4 || (first === 0xf4 && second >= 0x90) ? -1 : firstPrintable;
    default:
      return -1;
  }
}
