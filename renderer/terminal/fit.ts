/**
 * Where a grid stands in its pane: the size that fits, the font that makes somebody else's size fit, how far a grid moves when a sign
 * covers it or when it is larger than the pane. Pure arithmetic; measures nothing and moves nothing.
 */
import type { Size } from "../../protocol/values.js";

/** Size of one cell in CSS pixels, at one font size. */
export interface Cell {
  width: number;
  height: number;
}

export interface Extent {
  width: number;
  height: number;
}

/** Below this nothing can be read. */
export const smallestFont = 7;

/** What the protocol allows (protocol/values.ts). */
const least = { cols: 2, rows: 1 };
const most = 1000;

/** The size that fits into an extent; null while nothing can be measured. */
export function sizeThatFits(extent: Extent, cell: Cell): Size | null {
  if (cell.width <= 0 || cell.height <= 0 || extent.width <= 0 || extent.height <= 0) return null;
  // A hundredth of a pixel of slack: cell widths are fractions, and 80 of them are not always exactly 80 cells.
  const cols = Math.floor((extent.width + 0.01) / cell.width);
  const rows = Math.floor((extent.height + 0.01) / cell.height);
  return { cols: Math.max(least.cols, Math.min(most, cols)), rows: Math.max(least.rows, Math.min(most, rows)) };
}

/** The largest font, in steps of half a pixel, at most `own`, at which a size fits; never below 7. `cell` is that of the own font. */
export function fontThatFits(size: Size, extent: Extent, own: number, cell: Cell): number {
  for (let font = own; font > smallestFont; font -= 0.5) {
    const scale = font / own;
    if (size.cols * cell.width * scale <= extent.width && size.rows * Math.ceil(cell.height * scale) <= extent.height) return font;
  }
  return Math.min(own, smallestFont);
}

/** Pixels of a grid that signs lie over, at its top and bottom edge. */
export interface Covers {
  top: number;
  bottom: number;
}

/**
 * How far down (or up, negative) a grid moves so that the cursor's row is not under a sign. Rows and columns stay as they are. At the top
 * everything moves below the sign when the cursor then still has room; else only as far as needed.
 */
export function shiftForCovers(covers: Covers, cursor: { top: number; bottom: number }, height: number): number {
  if (cursor.bottom + covers.top + covers.bottom <= height) return covers.top;
  const belowTop = Math.max(0, covers.top - cursor.top);
  const aboveBottom = Math.min(0, height - covers.bottom - cursor.bottom);
  return aboveBottom < 0 ? aboveBottom : belowTop;
}

/** Moves a window of `room` over a grid of `length` so that `from`-`to` is in it; moves as little as possible. */
export function follow(offset: number, room: number, length: number, from: number, to: number): number {
  let next = offset;
  if (to > next + room) next = to - room;
  if (from < next) next = from;
  return clampOffset(next, room, length);
}

export function clampOffset(offset: number, room: number, length: number): number {
  return Math.max(0, Math.min(Math.max(0, length - room), offset));
}
