/**
 * An emulator's whole state as bytes: they begin with RIS, and fed to a fresh xterm of the same size they give the same screen, scrollback,
 * modes and cursor, so that everything printed later does the same in both. Owns the order in which state is restored. Must be called at
 * ground state, between two sequences. Leaves out on purpose: synchronized output (a client that misses its end would freeze), what
 * resizes hid beyond the columns of the alternate screen, and what xterm itself forgets.
 */

import {
  type Attributes,
  bgFlag,
  type Core,
  charsetDesignator,
  type Emulator,
  type ExtendedAttributes,
  fgFlag,
  type ScreenBuffer,
} from "./emulator.js";
import { type Ink, Pen } from "./snapshot-pen.js";
import { borrowedCursor, RowWriter } from "./snapshot-rows.js";

const decoder = new TextDecoder();

/** What scrolls a column further than the last: a character without width that joins nothing. Hostile output could make thousands. */
const maxOverhang = 64;

/** The largest snapshot: what a client collects. Protocol §3. */
const maxSnapshotBytes = 16 * 1024 * 1024;

/**
 * `scrollback`: lines above the screen to include; 0: the screen alone. Where it does not fit into `limit` bytes the oldest lines are left
 * out; a screen that does not fit by itself (a million cells, each in colours of its own) loses its attributes.
 */
export function serialize(emulator: Emulator, scrollback: number, limit = maxSnapshotBytes): Uint8Array<ArrayBuffer> {
  for (let lines = scrollback; ; ) {
    const serializer = new Serializer(emulator, limit, false);
    const bytes = serializer.run(lines);
    if (bytes !== null) return bytes;
    if (lines === 0) break;
    // About as many as fitted, had they been the newest.
    lines = Math.max(0, Math.min(lines - 1, Math.floor(serializer.linesWritten * 0.9) - emulator.terminal.rows));
  }
  return new Serializer(emulator, Infinity, true).run(0) ?? new Uint8Array(0);
}

/** The screen as styled lines for a pipe or a person, each ending with default attributes. */
export function styledScreen(emulator: Emulator): string {
  const { terminal, core } = emulator;
  const buffer = core._bufferService.buffers.active;
  const lines: string[] = [];
  for (let y = 0; y < terminal.rows; y += 1) {
    const pen = new Pen(() => undefined, Infinity, false);
    const line = buffer.lines.get(buffer.ybase + y);
    if (line !== undefined) rowWriter(emulator, pen, false).styled(line);
    lines.push(decoder.decode(pen.bytes()));
  }
  return lines.join("\n");
}

function rowWriter({ terminal, core }: Emulator, pen: Pen, alternate: boolean): RowWriter {
  const wcwidth = (codepoint: number) => core.unicodeService.wcwidth(codepoint);
  return new RowWriter({ pen, cols: terminal.cols, rows: terminal.rows, alternate, wcwidth });
}

class Serializer {
  readonly #core: Core;
  readonly #cols: number;
  readonly #rows: number;
  readonly #pen: Pen;

  linesWritten = 0;

  constructor(
    private readonly emulator: Emulator,
    limit: number,
    plain: boolean,
  ) {
    this.#core = emulator.core;
    this.#cols = emulator.terminal.cols;
    this.#rows = emulator.terminal.rows;
    this.#pen = new Pen((id) => emulator.core._oscLinkService.getLinkData(id), limit, plain);
  }

  /** Null: it became too large. */
  run(scrollback: number): Uint8Array<ArrayBuffer> | null {
    const { normal, alt, active } = this.#core._bufferService.buffers;
    const pen = this.#pen;
    pen.put("\x1bc");
    this.#survivors();
    this.#normalScreen(normal, scrollback);
    if (active === alt) {
      pen.clear();
      // A resize looks at the row of the screen that is not shown, too.
      pen.put(`\x1b[${normal.y + 1}H\x1b[?47h`);
      pen.canVisit = false;
      this.#alternateScreen(alt);
    } else if (!isSavedDefault(alt, 0)) {
      pen.clear();
      pen.put("\x1b[?47h");
      this.#save(alt, Math.min(Math.max(0, alt.savedY), this.#rows - 1));
      pen.clear();
      pen.put("\x1b[?47l");
    }
    this.#modes();
    this.#cursor(active, active === alt);
    return pen.full ? null : pen.bytes();
  }

  /** What RIS leaves as it was: it is said whether set or not, since the receiver may have shown another screen before. */
  #survivors(): void {
    const { rawOptions } = this.#core.optionsService;
    const { _windowTitle, _iconName } = this.#core._inputHandler;
    this.#pen.put(rawOptions.convertEol ? "\x1b[20h" : "\x1b[20l");
    this.#pen.put("\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\");
    const palette: string[] = [];
    for (const [index, [r, g, b]] of this.emulator.colours) {
      const colour = `rgb:${hex(r)}/${hex(g)}/${hex(b)}`;
      if (index < 256) palette.push(`${index};${colour}`);
      else this.#pen.put(`\x1b]${index - 246};${colour}\x1b\\`);
    }
    if (palette.length > 0) this.#pen.put(`\x1b]4;${palette.join(";")}\x1b\\`);
    if (_windowTitle === _iconName) this.#pen.put(`\x1b]0;${_windowTitle}\x1b\\`);
    else this.#pen.put(`\x1b]1;${_iconName}\x1b\\\x1b]2;${_windowTitle}\x1b\\`);
  }

  #normalScreen(buffer: ScreenBuffer, scrollback: number): void {
    const first = Math.max(0, buffer.ybase - scrollback);
    const last = Math.min(buffer.lines.length, buffer.ybase + this.#rows) - 1;
    const savedAt = Math.max(first, buffer.savedY);
    // A cursor saved in a row that scrolled off is saved again when that row is written: rows that come back find it there.
    const inScrollback = !isSavedDefault(buffer, first) && savedAt < buffer.ybase;
    const writer = rowWriter(this.emulator, this.#pen, false);
    writer.write(
      buffer,
      first,
      last,
      inScrollback
        ? (index) => {
            if (index !== savedAt) return false;
            this.#save(buffer, null);
            return true;
          }
        : undefined,
    );
    this.linesWritten = writer.written;
    this.#tabs(buffer);
    this.#margins(buffer);
    if (!inScrollback && !isSavedDefault(buffer, first)) this.#save(buffer, Math.min(savedAt - buffer.ybase, this.#rows - 1));
  }

  #alternateScreen(buffer: ScreenBuffer): void {
    // Before the cells: to be saved behind the last column the cursor has to print there.
    if (!isSavedDefault(buffer, 0)) this.#save(buffer, Math.min(Math.max(0, buffer.savedY), this.#rows - 1));
    this.#pen.clear();
    this.#pen.put("\x1b[H");
    rowWriter(this.emulator, this.#pen, true).write(buffer, 0, Math.min(buffer.lines.length, this.#rows) - 1);
    this.#tabs(buffer);
    this.#margins(buffer);
  }

  /** DECSC with the buffer's saved position, attributes and character set. `row` null: the row the cursor stands in. */
  #save(buffer: ScreenBuffer, row: number | null): void {
    const pen = this.#pen;
    const alternate = buffer === this.#core._bufferService.buffers.alt;
    const waiting = buffer.savedX >= this.#cols;
    if (!waiting) pen.put(row === null ? `\x1b[${buffer.savedX + 1}G` : `\x1b[${row + 1};${buffer.savedX + 1}H`);
    else if (alternate) pen.put(`\x1b[${(row ?? 0) + 1};${this.#cols}H `);
    else pen.put(borrowedCursor(this.#cols - 1, " ", row ?? undefined));
    this.#setSavedInk(buffer.savedCurAttrData);
    const charset = charsetDesignator(buffer.savedCharset);
    pen.put(charset === "B" ? "\x1b7" : `\x1b(${charset}\x1b7\x1b(B`);
    if (waiting && alternate) {
      pen.clear();
      pen.put("\x1b[X");
    }
  }

  /** Saved attributes remember that there was a link or an underline, but not which. */
  #setSavedInk(saved: Attributes): void {
    const ink = this.#pen.ink({ fg: saved.fg, bg: saved.bg, extended: { _ext: 0, urlId: 0 } });
    this.#pen.set({ ...ink, underlineColour: -1 });
    if ((saved.bg & bgFlag.extended) !== 0 && (saved.fg & fgFlag.underline) === 0) this.#pen.openAnyLink();
  }

  #tabs(buffer: ScreenBuffer): void {
    let usual = true;
    const columns: number[] = [];
    for (let x = 0; x < this.#cols; x += 1) {
      const set = buffer.tabs[x] === true;
      if (set) columns.push(x);
      if (set !== (x % 8 === 0)) usual = false;
    }
    if (usual) return;
    this.#pen.put("\x1b[3g");
    for (const x of columns) this.#pen.put(`\x1b[${x + 1}G\x1bH`);
  }

  #margins(buffer: ScreenBuffer): void {
    if (buffer.scrollTop === 0 && buffer.scrollBottom === this.#rows - 1) return;
    this.#pen.put(`\x1b[${buffer.scrollTop + 1};${buffer.scrollBottom + 1}r`);
  }

  #modes(): void {
    const { decPrivateModes: modes, modes: ansi } = this.#core.coreService;
    const { activeProtocol, activeEncoding } = this.#core.coreMouseService;
    const pen = this.#pen;
    if (modes.applicationCursorKeys) pen.put("\x1b[?1h");
    if (modes.applicationKeypad) pen.put("\x1b=");
    if (modes.bracketedPasteMode) pen.put("\x1b[?2004h");
    if (modes.sendFocus) pen.put("\x1b[?1004h");
    if (modes.reverseWraparound) pen.put("\x1b[?45h");
    if (!modes.wraparound) pen.put("\x1b[?7l");
    if (ansi.insertMode) pen.put("\x1b[4h");
    if (modes.origin) pen.put("\x1b[?6h");
    if (activeProtocol !== "NONE") pen.put(`\x1b[?${{ X10: 9, VT200: 1000, DRAG: 1002, ANY: 1003 }[activeProtocol]}h`);
    if (activeEncoding !== "DEFAULT") pen.put(activeEncoding === "SGR" ? "\x1b[?1006h" : "\x1b[?1016h");
    if (modes.cursorStyle !== undefined) {
      const shape = { block: 2, underline: 4, bar: 6 }[modes.cursorStyle];
      pen.put(`\x1b[${modes.cursorBlink === true ? shape - 1 : shape} q`);
    }
    if (this.emulator.blinkTouched) pen.put(this.#core.optionsService.rawOptions.cursorBlink ? "\x1b[?12h" : "\x1b[?12l");
    pen.put(this.#core.coreService.isCursorHidden ? "\x1b[?25l" : "\x1b[?25h");
  }

  /**
   * The last part: position, character sets, attributes, and last of all the character that a combining mark would still join, since every
   * sequence ends that.
   */
  #cursor(buffer: ScreenBuffer, alternate: boolean): void {
    const { _curAttrData: current, _parser } = this.#core._inputHandler;
    const pen = this.#pen;
    const writer = rowWriter(this.emulator, pen, alternate);
    const line = buffer.lines.get(buffer.ybase + buffer.y);
    const final = pen.ink(current, true);
    let charsets = this.#designations();
    const { foreign, hidden } = this.#cameBack(buffer, current);
    if (foreign !== null || hidden) {
      pen.clear();
      if (hidden) pen.set(this.#hiddenInk(current));
      if (foreign !== null) pen.put(charsets);
      pen.put(foreign === null || foreign === buffer ? "\x1b8" : "\x1b[?47h\x1b8\x1b[?47l");
      pen.restored((foreign ?? buffer).savedCurAttrData);
      // Coming back changed the active set: it is chosen again, or was what this is about.
      charsets = foreign === null ? this.#designations("\x0f") : "";
    }
    const joinWidth = (_parser.precedingJoinState >>> 1) & 3;
    if (joinWidth > 0 && line !== undefined && writer.endsAt(line, buffer.x, joinWidth)) {
      const column = buffer.x - joinWidth;
      this.#place(buffer, alternate, column);
      // Printed in insert mode it would push the rest of the row: what it pushes away is taken out first.
      if (this.#core.coreService.modes.insertMode && buffer.x < this.#cols) pen.put(`\x1b[${joinWidth}P`);
      pen.put(charsets);
      pen.set(final, hidden);
      writer.printAgain(line, column);
    } else if (buffer.x < this.#cols) {
      this.#place(buffer, alternate, buffer.x);
      pen.put(charsets);
      if (joinWidth === 2 && buffer.x === this.#cols - 1 && !this.#core.coreService.decPrivateModes.wraparound && line !== undefined) {
        pen.set(final, hidden);
        writer.printUnfit(line);
      }
    } else {
      this.#placeWaiting(buffer, alternate, writer);
      pen.put(charsets);
      // What was printed is not to be joined.
      pen.put("\0");
    }
    pen.set(final, hidden);
  }

  /**
   * DECRC leaves states that nothing else makes, and is written again for them: an active character set that is not designated, and an
   * underline or a link that is not seen until a later sequence looks at it. (Not where something else was saved in the meantime.)
   */
  #cameBack(buffer: ScreenBuffer, current: Attributes): { foreign: ScreenBuffer | null; hidden: boolean } {
    const { charset, glevel, _charsets } = this.#core._charsetService;
    const { alt } = this.#core._bufferService.buffers;
    const unseen = (from: Attributes) => (from.fg & fgFlag.underline) === 0 && (from.bg & bgFlag.extended) === 0;
    let foreign: ScreenBuffer | null = null;
    if (charset !== _charsets[glevel]) foreign = [buffer, alt].find((saver) => saver.savedCharset === charset) ?? null;
    const keeps = unseen(current) && unseen((foreign ?? buffer).savedCurAttrData);
    return { foreign, hidden: keeps && (current.extended.urlId !== 0 || underlineStyle(current.extended) !== 0) };
  }

  #hiddenInk({ extended }: Attributes): Ink {
    const known = this.#core._oscLinkService.getLinkData(extended.urlId) !== undefined;
    const seen = { _ext: extended._ext, urlId: known ? extended.urlId : 0 };
    return this.#pen.ink({ fg: underlineStyle(extended) === 0 ? 0 : fgFlag.underline, bg: bgFlag.extended, extended: seen });
  }

  #place(buffer: ScreenBuffer, alternate: boolean, column: number): void {
    const { y, scrollTop, scrollBottom } = buffer;
    if (!this.#core.coreService.decPrivateModes.origin) this.#pen.put(`\x1b[${y + 1};${column + 1}H`);
    else if ((y >= scrollTop && y <= scrollBottom) || alternate) this.#pen.put(`\x1b[${y - scrollTop + 1};${column + 1}H`);
    else this.#pen.put(`\x1b[?47h\x1b[${y + 1};${column + 1}H\x1b[?47l`);
  }

  /** The cursor behind the last column, where the next character wraps. */
  #placeWaiting(buffer: ScreenBuffer, alternate: boolean, writer: RowWriter): void {
    const line = buffer.lines.get(buffer.ybase + buffer.y);
    const last = line === undefined ? null : writer.lastColumn(line);
    if (last !== null) {
      this.#place(buffer, alternate, last.column);
      this.#pen.set(last.ink);
      this.#pen.put(last.text);
    } else if (alternate) {
      this.#place(buffer, alternate, this.#cols - 1);
      if (line !== undefined) this.#pen.set(writer.inkAt(line, this.#cols - 1));
      this.#pen.put(" ");
    } else {
      this.#pen.put(borrowedCursor(this.#cols - 1, " ", buffer.y));
    }
    const overhang = Math.min(buffer.x - this.#cols, maxOverhang);
    if (overhang > 0) this.#pen.put("\0\u0300".repeat(overhang));
  }

  /** `ascii`: how to choose the first set when that is the active one, for a terminal where it may not be. */
  #designations(ascii = ""): string {
    const { glevel, _charsets } = this.#core._charsetService;
    let text = "";
    for (const [level, intermediate] of ["(", ")", "*", "+"].entries()) {
      const designator = charsetDesignator(_charsets[level]);
      if (designator !== "B") text += `\x1b${intermediate}${designator}`;
    }
    return text + ([ascii, "\x0e", "\x1bn", "\x1bo"][glevel] ?? "");
  }
}

function underlineStyle({ _ext }: ExtendedAttributes): number {
  return (_ext >>> 26) & 7;
}

/** Whether DECRC would do what it does in a fresh terminal whose first line is the buffer's line `first`. */
function isSavedDefault(buffer: ScreenBuffer, first: number): boolean {
  const { savedX, savedY, savedCurAttrData, savedCharset } = buffer;
  return savedX === 0 && savedY <= first && savedCurAttrData.fg === 0 && savedCurAttrData.bg === 0 && savedCharset === undefined;
}

function hex(value: number): string {
  return value.toString(16).padStart(2, "0");
}
