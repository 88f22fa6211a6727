/**
 * Which characters take no column of their own and pile up on the one before (combining marks, joiners, variation selectors). xterm sets no
 * bound to that pile: a stream of marks grows one cell until memory ends, and `CSI b` repeats the whole pile. Owns the list and the bound.
 */

/** More than any script or emoji needs (Unicode's stream-safe format allows 30). Marks after that many are taken out. */
export const mostMarks = 32;

/**
 * A superset of what xterm's Unicode 6 widths give 0 columns: marks, format characters, the later parts of Hangul syllables, and U+06DE,
 * which was a mark then.
 */
const mark = /^[\p{M}\p{Cf}\u1160-\u11ff\u06de]$/u;

/** 64 characters each, looked at when the first of them occurs; null where none of them is a mark. */
const pages: (Uint8Array | null | undefined)[] = new Array(0x110000 >> 6);

/** Whether a code point (not a surrogate) is drawn onto the character before it. */
export function isMark(codePoint: number): boolean {
  if (codePoint < 0x300) return false;
  const page = pages[codePoint >> 6];
  if (page === null) return false;
  return (page ?? readPage(codePoint >> 6))[codePoint & 63] === 1;
}

function readPage(index: number): Uint8Array {
  const page = new Uint8Array(64);
  for (let n = 0; n < 64; n += 1) if (mark.test(String.fromCodePoint((index << 6) | n))) page[n] = 1;
  pages[index] = page.includes(1) ? page : null;
  return page;
}

/**
 * Whether a character may take two columns. Without autowrap xterm leaves such a one out at the right edge and puts its marks onto the cell
 * before, each time anew: it has no room for any then.
 */
export function mayBeWide(codePoint: number): boolean {
  return codePoint >= 0x1100 && (codePoint < 0x1160 || codePoint >= 0x2e80 || codePoint === 0x2329 || codePoint === 0x232a);
}
