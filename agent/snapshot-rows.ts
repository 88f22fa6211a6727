/**
 * Rows of an xterm buffer as bytes that make the same rows in a blank one: every cell with its attributes, links and wrap flags, also the
 * cells that no ordinary output leaves (empty ones with colours, halves of wide characters). Owns the walk over cells. Assumes what RIS
 * leaves: cursor home, no margins, wraparound on, ASCII. Refuses modes and the final cursor (snapshot.ts).
 */
import { type Attributes, type BufferLine, bgFlag, cellContent, type ExtendedAttributes, type ScreenBuffer } from "./emulator.js";
import type { Ink, Pen } from "./snapshot-pen.js";

export interface RowTarget {
  pen: Pen;
  cols: number;
  rows: number;
  /** The other screen can be borrowed to set a cursor that no sequence sets; while the alternate one is written it cannot. */
  alternate: boolean;
  /** Width of a character as xterm has it. */
  wcwidth(codepoint: number): number;
}

type CellKind = "character" | "zero" | "tail" | "blank" | "odd" | "orphan";

const noExtended: ExtendedAttributes = { _ext: 0, urlId: 0 };
/** What `_data` holds for a cell in which nothing was ever printed. */
const emptyContent = 1 << cellContent.widthShift;
/** Below this every character takes a cell of its own. */
const firstCombining = 0x300;
/** A character of two columns that shows nothing. */
const wideBlank = "\u3000";

/** One cell, read again and again without garbage. */
class Cell implements Attributes {
  fg = 0;
  bg = 0;
  extended = noExtended;
  width = 1;
  #content = 0;
  #line: BufferLine | undefined;
  #column = 0;

  read(line: BufferLine, column: number): void {
    const data = line._data;
    const content = data[column * 3] ?? 0;
    this.#content = content;
    this.#line = line;
    this.#column = column;
    this.width = content >>> cellContent.widthShift;
    this.fg = (data[column * 3 + 1] ?? 0) | 0;
    this.bg = (data[column * 3 + 2] ?? 0) | 0;
    this.extended = (this.bg & bgFlag.extended) === 0 ? noExtended : (line._extendedAttrs[column] ?? noExtended);
  }

  get empty(): boolean {
    return (this.#content & cellContent.any) === 0;
  }

  get chars(): string {
    if ((this.#content & cellContent.combined) !== 0) return this.#line?._combined[this.#column] ?? " ";
    const codepoint = this.#content & cellContent.codepoint;
    return codepoint === 0 ? "" : String.fromCodePoint(codepoint);
  }

  get codepoint(): number {
    return (this.#content & cellContent.combined) !== 0 ? (this.chars.codePointAt(0) ?? 0) : this.#content & cellContent.codepoint;
  }
}

export class RowWriter {
  readonly #pen: Pen;
  readonly #cell = new Cell();
  readonly #other = new Cell();
  /** Column of the receiving cursor; `cols` while it waits to wrap. */
  #x = 0;
  /** Colour that the blank cells of the current row have already. */
  #fill = 0;
  /** The attributes the pen was last set to, as they stand in cells. */
  #inkFg = 0;
  #inkBg = 0;
  #inkExtended: ExtendedAttributes = noExtended;
  #inkValid = false;
  /** Lines begun. */
  written = 0;

  constructor(private readonly target: RowTarget) {
    this.#pen = target.pen;
  }

  /**
   * Writes lines `first` to `last` (indexes into the buffer) from the home position on. `after` is called when a line is done and may
   * write at will as long as it leaves the cursor in that row; it says so by returning true.
   */
  write(buffer: ScreenBuffer, first: number, last: number, after?: (index: number) => boolean): void {
    const { rows } = this.target;
    let end = last;
    // Rows that are blank in a fresh terminal need nothing, unless they are needed to scroll the others up.
    if (last - first < rows) while (end > first && this.#untouched(buffer.lines.get(end))) end -= 1;
    if (buffer.lines.get(first)?.isWrapped === true) this.#beginWrapped();
    for (let index = first; index <= end; index += 1) {
      const line = buffer.lines.get(index);
      if (line === undefined || this.#pen.full) continue;
      this.written += 1;
      const next = index < end ? buffer.lines.get(index + 1) : undefined;
      // Whether the first character of the next row can do the wrapping.
      const natural = next?.isWrapped === true && this.#kind(this.#other, next, 0) === "character";
      const wide = natural && next !== undefined && this.#breaksBeforeWide(line, next);
      this.#row(line, wide);
      const moved = after?.(index) ?? false;
      if (moved) {
        this.#inkValid = false;
        this.#x = -1;
      }
      if (next === undefined) break;
      const scrolls = index - first + 1 >= rows;
      if (next.isWrapped) this.#wrap(line, natural ? next : null, scrolls, wide);
      else this.#newLine(scrolls);
    }
  }

  /** One row as styled text for people and pipes: no cursor movement, default attributes at its end. */
  styled(line: BufferLine): void {
    const { cols } = this.target;
    const cell = this.#cell;
    let end = cols;
    while (end > 0) {
      cell.read(line, end - 1);
      if (!cell.empty || cell.width !== 1 || (cell.bg & bgFlag.extended) !== 0 || this.#pen.ink(cell).bg !== 0) break;
      end -= 1;
    }
    for (let x = 0; x < end; x += 1) {
      cell.read(line, x);
      if (cell.width === 0) continue;
      this.#pen.set({ ...this.#pen.ink(cell), link: 0 });
      this.#pen.put(cell.chars || " ");
    }
    this.#pen.clear();
  }

  /** What to print, and where, to leave the cursor waiting behind the last column as it is; null: nothing stands there. */
  lastColumn(line: BufferLine): { column: number; ink: Ink; text: string } | null {
    const { cols } = this.target;
    const cell = this.#cell;
    let column = cols - 1;
    let kind = this.#kind(cell, line, column);
    if (kind === "tail") {
      column -= 1;
      kind = this.#kind(cell, line, column);
    }
    if (kind !== "character" && kind !== "zero") return null;
    return { column, ink: this.#pen.ink(cell), text: textOf(cell, kind) };
  }

  /** Whether a character of this width stands before column `x`. */
  endsAt(line: BufferLine, x: number, width: number): boolean {
    return x >= width && this.#kind(this.#cell, line, x - width) === "character" && this.#cell.width === width;
  }

  /** The character at a column as it is: combining marks that follow join it. */
  printAgain(line: BufferLine, column: number): void {
    this.#cell.read(line, column);
    this.#pen.set(this.#pen.ink(this.#cell));
    this.#pen.put(this.#cell.chars);
  }

  /** A wide character that found no room, with the cursor in the last column: nothing is seen of it, but marks would still join something. */
  printUnfit(line: BufferLine): void {
    this.#cell.read(line, this.target.cols - 2);
    if (this.#cell.width === 2) this.#pen.put(`\b${this.#cell.chars}`);
    this.#pen.put(wideBlank);
  }

  inkAt(line: BufferLine, column: number): Ink {
    this.#cell.read(line, column);
    return this.#pen.ink(this.#cell);
  }

  #kind(cell: Cell, line: BufferLine, column: number): CellKind {
    cell.read(line, column);
    if (!cell.empty) {
      if (cell.width === 0) return "zero";
      const codepoint = cell.codepoint;
      return cell.width === 1 && codepoint >= firstCombining && this.target.wcwidth(codepoint) === 0 ? "zero" : "character";
    }
    if (cell.width === 0) return column > 0 && (line._data[column * 3 - 3] ?? 0) >>> cellContent.widthShift === 2 ? "tail" : "orphan";
    // The usual empty cell: nothing but a background.
    return cell.fg === 0 && (cell.bg & 0xfc000000) === 0 ? "blank" : this.#inkKind(cell);
  }

  /** An empty cell with flags that say nothing is still a plain one. */
  #inkKind(cell: Cell): CellKind {
    const ink = this.#pen.ink(cell);
    return ink.fg === 0 && ink.link === 0 && ink.bg === (ink.bg & 0x3ffffff) ? "blank" : "odd";
  }

  #untouched(line: BufferLine | undefined): boolean {
    if (line === undefined) return true;
    if (line.isWrapped) return false;
    const data = line._data;
    for (let n = 0; n < this.target.cols * 3; n += 3) {
      if ((data[n] ?? 0) !== 1 << cellContent.widthShift || (data[n + 1] ?? 0) !== 0 || (data[n + 2] ?? 0) !== 0) return false;
    }
    return true;
  }

  #row(line: BufferLine, leaveLast: boolean): void {
    const { cols } = this.target;
    const cell = this.#cell;
    const pen = this.#pen;
    const end = leaveLast ? cols - 1 : cols;
    this.#oddCells(line, end);
    const data = line._data;
    let x = 0;
    while (x < end) {
      const content = data[x * 3] ?? 0;
      const width = content >>> cellContent.widthShift;
      const codepoint = content & cellContent.codepoint;
      if (
        width !== 0 &&
        codepoint !== 0 &&
        (content & cellContent.combined) === 0 &&
        (codepoint < firstCombining || width === 2) &&
        x + width < cols
      ) {
        // Nearly every cell: one character, nothing to look out for.
        if (this.#x !== x) this.#moveTo(x);
        this.#setInkAt(line, x);
        pen.code(codepoint);
        x += width;
        this.#x = x;
        continue;
      }
      if (this.#fill === 0 && content === emptyContent && (data[x * 3 + 1] ?? 0) === 0 && (data[x * 3 + 2] ?? 0) === 0) {
        x += 1;
        continue;
      }
      const kind = this.#kind(cell, line, x);
      if (kind === "character" && cell.width === 2 && x === cols - 1) {
        // Half of a character that a resize cut: it cannot be written, and shows nothing.
        this.#moveTo(x);
        this.#setInk(cell);
        pen.put(" ");
        this.#x = cols;
        x += 1;
      } else if (kind === "character" || kind === "zero") {
        this.#moveTo(x);
        this.#setInk(cell);
        if (cell.width === 2 && x === cols - 2 && x > 0) {
          this.#lastWide(line);
          break;
        }
        pen.put(textOf(cell, kind));
        x += kind === "zero" ? 1 : cell.width;
        this.#x = x;
      } else if (kind === "blank") {
        x = this.#blanks(line, x, end);
      } else {
        x += 1;
      }
    }
  }

  /**
   * The wide character at the end of the row. With wraparound off, what finds no room behind it lands in its second half, which only
   * happens to a character of the same run.
   */
  #lastWide(line: BufferLine): void {
    const { cols } = this.target;
    const chars = this.#cell.chars;
    const kind = this.#kind(this.#cell, line, cols - 1);
    this.#x = cols;
    if (kind === "tail") {
      this.#pen.put(chars);
    } else if (kind === "character") {
      this.#pen.put(`\x1b[?7l${chars}${this.#cell.chars}\x1b[?7h`);
    } else {
      this.#pen.put(chars);
      this.#setInk(this.#cell);
      this.#pen.put(`\x1b[?7l${wideBlank}\x1b[?7h`);
      this.#x = cols - 1;
    }
  }

  /** A run of empty cells of one background; returns the column after it. */
  #blanks(line: BufferLine, from: number, end: number): number {
    const background = this.#pen.ink(this.#cell).bg;
    let x = from + 1;
    while (x < end && this.#kind(this.#cell, line, x) === "blank" && this.#pen.ink(this.#cell).bg === background) x += 1;
    if (background !== this.#fill) {
      this.#moveTo(from);
      this.#setFill(background);
      this.#pen.put(x - from === 1 ? "\x1b[X" : `\x1b[${x - from}X`);
    }
    return x;
  }

  /**
   * Cells that no character and no erasing leaves: an empty cell with attributes is the half of a wide character that was overwritten, an
   * orphan its second half after a blank was inserted before it. They are made so again, on the still empty row.
   */
  #oddCells(line: BufferLine, end: number): void {
    const cell = this.#cell;
    let odd: number[] | null = null;
    for (let x = 0; x < end; x += 1) {
      if (isOrdinary(line, x)) continue;
      const kind = this.#kind(cell, line, x);
      if (kind !== "odd" && kind !== "orphan") continue;
      if (kind === "orphan") this.#orphan(cell, x);
      else odd = [...(odd ?? []), x];
    }
    if (odd === null) return;
    // Each is made with the cell before it, which is made next; the first has none before it.
    if (odd[0] === 0) this.#oddFromRight(line, 0);
    for (const x of odd.reverse()) if (x > 1 || (x === 1 && odd[odd.length - 1] !== 0)) this.#oddFromLeft(line, x);
  }

  #orphan(cell: Cell, x: number): void {
    if (x < 2) return;
    this.#gotoColumn(x - 2);
    this.#setInk(cell);
    this.#pen.put(wideBlank);
    this.#gotoColumn(x - 1);
    this.#setFill(this.#fill);
    this.#pen.put("\x1b[@");
  }

  /** Wide character at the cell, overwritten in its second half; then that half is blanked. */
  #oddFromRight(line: BufferLine, x: number): void {
    this.#gotoColumn(x);
    this.#pen.put(wideBlank);
    this.#gotoColumn(x + 1);
    this.#cell.read(line, x);
    this.#setInk(this.#cell);
    this.#pen.put(" ");
    this.#gotoColumn(x + 1);
    this.#setFill(this.#fill);
    this.#pen.put("\x1b[X");
  }

  /** Wide character that ends in the cell, overwritten in its first half. */
  #oddFromLeft(line: BufferLine, x: number): void {
    if (x === 0) return;
    this.#gotoColumn(x - 1);
    this.#pen.put(wideBlank);
    this.#gotoColumn(x - 1);
    this.#cell.read(line, x);
    this.#setInk(this.#cell);
    this.#pen.put(" ");
    this.#gotoColumn(x - 1);
    this.#setFill(this.#fill);
    this.#pen.put("\x1b[X");
  }

  /** Whether the line ends one column early because the next begins with a wide character of the same attributes. */
  #breaksBeforeWide(line: BufferLine, next: BufferLine): boolean {
    const { cols } = this.target;
    const last = this.#cell;
    const first = this.#other;
    last.read(line, cols - 1);
    first.read(next, 0);
    if (!last.empty || last.width !== 1 || first.empty || first.width !== 2) return false;
    const a = this.#pen.ink(last);
    const b = this.#pen.ink(first);
    return a.fg === b.fg && a.bg === b.bg && a.underline === b.underline && a.underlineColour === b.underlineColour && a.link === b.link;
  }

  #newLine(scrolls: boolean): void {
    if (scrolls) this.#setFill(0);
    this.#pen.put(this.#x === 0 ? "\n" : "\r\n");
    this.#x = 0;
    this.#fill = 0;
  }

  #hasOddCells(line: BufferLine): boolean {
    for (let x = 0; x < this.target.cols; x += 1) {
      if (isOrdinary(line, x)) continue;
      const kind = this.#kind(this.#other, line, x);
      if (kind === "odd" || kind === "orphan") return true;
    }
    return false;
  }

  /**
   * Goes to the next row so that it counts as a continuation of this one; `next` where its first character does that by itself.
   * `beforeWide`: the last cell of this row was left to it.
   */
  #wrap(line: BufferLine, next: BufferLine | null, scrolls: boolean, beforeWide: boolean): void {
    const { cols } = this.target;
    const pen = this.#pen;
    if (beforeWide) this.#moveTo(cols - 1);
    else if (this.#x !== cols && this.#fillLastColumn(line)) next = null;
    if (next !== null) {
      // What the next character scrolls in has its background.
      const odd = this.#hasOddCells(next);
      this.#other.read(next, 0);
      this.#setInk(this.#other);
      this.#fill = scrolls ? pen.fill : 0;
      this.#x = 0;
      // A row that needs preparation is entered now, and this character written again in its turn.
      if (odd) pen.put(`${this.#other.chars}\r`);
      return;
    }
    this.#setFill(0);
    pen.put(" \r\x1b[X");
    this.#x = 0;
    this.#fill = 0;
  }

  /** Makes the cursor wait to wrap behind the last cell of its row, whatever that is. True: it stands in the next row already. */
  #fillLastColumn(line: BufferLine): boolean {
    const { cols, rows, alternate } = this.target;
    const pen = this.#pen;
    const cell = this.#cell;
    let kind = this.#kind(cell, line, cols - 1);
    if ((kind === "blank" || kind === "odd") && rows > 1) {
      const background = pen.ink(cell).bg;
      this.#gotoColumn(cols - 1);
      this.#setFill(0);
      // Wrap once for the flag, go back to make the last column what it was.
      pen.put(`  \x1b[A\x1b[${cols}G`);
      if (kind === "blank") {
        this.#setFill(background);
        pen.put("\x1b[X");
      } else {
        this.#oddFromLeft(line, cols - 1);
        this.#again(line, cols - 2);
      }
      this.#setFill(0);
      pen.put("\x1b[B\r");
      return true;
    }
    if (kind === "tail") kind = this.#kind(cell, line, cols - 2);
    if (kind === "character" || kind === "zero") {
      this.#gotoColumn(cols - Math.max(1, cell.width));
      this.#setInk(cell);
      pen.put(textOf(cell, kind));
    } else if (alternate) {
      // The other screen cannot be borrowed here: a space that looks the same.
      this.#gotoColumn(cols - 1);
      this.#setInk(cell);
      pen.put(" ");
    } else {
      pen.put(borrowedCursor(cols - 1, " "));
    }
    return false;
  }

  /** Writes one cell again, after what was done beside it. */
  #again(line: BufferLine, column: number): void {
    const cell = this.#cell;
    let kind = this.#kind(cell, line, column);
    if (kind === "tail") {
      column -= 1;
      kind = this.#kind(cell, line, column);
    }
    if (column < 0 || kind === "orphan") return;
    if (kind === "odd") {
      this.#oddFromLeft(line, column);
      this.#again(line, column - 1);
      return;
    }
    this.#gotoColumn(column);
    if (kind === "blank") {
      this.#setFill(this.#pen.ink(cell).bg);
      this.#pen.put("\x1b[X");
    } else {
      this.#setInk(cell);
      this.#pen.put(textOf(cell, kind));
    }
  }

  #beginWrapped(): void {
    const { cols, rows, alternate } = this.target;
    // A row is wrapped into and becomes the first one.
    this.#pen.put(`\x1b[${cols}G  `);
    if (rows > 1) this.#pen.put("\x1b[H\x1b[M\x1b[X");
    else this.#pen.put(`${alternate ? "" : "\x1b[3J"}\r\x1b[X`);
    this.#x = 0;
  }

  #setInkAt(line: BufferLine, x: number): void {
    const fg = (line._data[x * 3 + 1] ?? 0) | 0;
    const bg = (line._data[x * 3 + 2] ?? 0) | 0;
    if (this.#inkValid && fg === this.#inkFg && bg === this.#inkBg && (bg & bgFlag.extended) === 0) return;
    this.#cell.read(line, x);
    this.#setInk(this.#cell);
  }

  #setInk(cell: Cell): void {
    if (
      this.#inkValid &&
      cell.fg === this.#inkFg &&
      cell.bg === this.#inkBg &&
      (cell.extended === this.#inkExtended ||
        (cell.extended._ext === this.#inkExtended._ext && cell.extended.urlId === this.#inkExtended.urlId))
    ) {
      return;
    }
    this.#pen.set(this.#pen.ink(cell));
    this.#inkFg = cell.fg;
    this.#inkBg = cell.bg;
    this.#inkExtended = cell.extended;
    this.#inkValid = true;
  }

  #setFill(colour: number): void {
    if (this.#pen.fill === colour) return;
    this.#pen.setFill(colour);
    this.#inkValid = false;
  }

  #moveTo(column: number): void {
    const distance = column - this.#x;
    if (distance !== 0)
      this.#pen.put(distance === 1 ? "\x1b[C" : distance > 1 && this.#x >= 0 ? `\x1b[${distance}C` : `\x1b[${column + 1}G`);
    this.#x = column;
  }

  #gotoColumn(column: number): void {
    this.#pen.put(`\x1b[${column + 1}G`);
    this.#x = column;
  }
}

/** A mark without a character of its own takes a cell only where nothing was printed just before: NUL does nothing else. */
function textOf(cell: Cell, kind: CellKind): string {
  return kind === "zero" ? `\0${cell.chars}` : cell.chars;
}

/** Sets the cursor where no sequence can, behind an empty last cell: both screens share one cursor, and the other one may be scribbled on. */
export function borrowedCursor(column: number, character: string, row?: number): string {
  return `\x1b[?47h\x1b[${row === undefined ? `${column + 1}G` : `${row + 1};${column + 1}H`}${character}\x1b[?47l`;
}

/** A quick look: a character of width one or two, or an empty cell without flags. */
function isOrdinary(line: BufferLine, x: number): boolean {
  const content = line._data[x * 3] ?? 0;
  if (content >>> cellContent.widthShift === 0) return false;
  if ((content & cellContent.any) !== 0) return true;
  return (line._data[x * 3 + 1] ?? 0) === 0 && ((line._data[x * 3 + 2] ?? 0) & 0xfc000000) === 0;
}
