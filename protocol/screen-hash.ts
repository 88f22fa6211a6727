/**
 * One number for what a screen shows: the agent's emulator and a pane's must have the same at the same sequence, else the pane gets a
 * fresh snapshot. Owns what counts as "the same screen". Uses xterm's public API only, as both builds of it have it; refuses what only
 * one of them tells (cursor visibility) and what nobody sees (scrollback, wrap flags, how far a reader has scrolled up).
 */

export interface HashableCell {
  getChars(): string;
  getWidth(): number;
  getFgColorMode(): number;
  getFgColor(): number;
  getBgColorMode(): number;
  getBgColor(): number;
  isBold(): number;
  isDim(): number;
  isItalic(): number;
  isUnderline(): number;
  isBlink(): number;
  isInverse(): number;
  isInvisible(): number;
  isStrikethrough(): number;
  isOverline(): number;
  isAttributeDefault(): boolean;
}

export interface HashableLine {
  getCell(x: number, cell?: HashableCell): HashableCell | undefined;
}

export interface HashableTerminal {
  readonly cols: number;
  readonly rows: number;
  readonly buffer: {
    readonly active: {
      readonly type: "normal" | "alternate";
      readonly cursorX: number;
      readonly cursorY: number;
      readonly baseY: number;
      getLine(y: number): HashableLine | undefined;
      getNullCell(): HashableCell;
    };
  };
  readonly modes: {
    readonly applicationCursorKeysMode: boolean;
    readonly applicationKeypadMode: boolean;
    readonly bracketedPasteMode: boolean;
    readonly insertMode: boolean;
    readonly mouseTrackingMode: "none" | "x10" | "vt200" | "drag" | "any";
    readonly originMode: boolean;
    readonly reverseWraparoundMode: boolean;
    readonly sendFocusMode: boolean;
    readonly wraparoundMode: boolean;
  };
}

const mouseModes = ["none", "x10", "vt200", "drag", "any"];
const blank = 0x20;

/** 16 hex digits over size, visible cells with their attributes, cursor, buffer and modes. A 200 x 50 screen takes a few milliseconds. */
export function screenHash(terminal: HashableTerminal): string {
  const { cols, rows } = terminal;
  const buffer = terminal.buffer.active;
  const modes = terminal.modes;
  const mix = new Mixer();
  mix.add(cols);
  mix.add(rows);
  mix.add(buffer.type === "alternate" ? 1 : 0);
  // A cursor that waits to wrap stands in the last column as far as anybody sees, but the next character tells the difference.
  mix.add(buffer.cursorX);
  mix.add(buffer.cursorY);
  mix.add(
    (modes.applicationCursorKeysMode ? 1 : 0) |
      (modes.applicationKeypadMode ? 2 : 0) |
      (modes.bracketedPasteMode ? 4 : 0) |
      (modes.insertMode ? 8 : 0) |
      (modes.originMode ? 16 : 0) |
      (modes.reverseWraparoundMode ? 32 : 0) |
      (modes.sendFocusMode ? 64 : 0) |
      (modes.wraparoundMode ? 128 : 0) |
      (mouseModes.indexOf(modes.mouseTrackingMode) << 8),
  );
  const cell = buffer.getNullCell();
  for (let y = 0; y < rows; y += 1) {
    const line = buffer.getLine(buffer.baseY + y);
    if (line === undefined) continue;
    mix.add(0x10000 + y);
    for (let x = 0; x < cols; x += 1) addCell(mix, line.getCell(x, cell), x === cols - 1);
  }
  return mix.hex();
}

function addCell(mix: Mixer, cell: HashableCell | undefined, last: boolean): void {
  if (cell === undefined) return;
  const chars = cell.getChars();
  // Half of a wide character, cut off by a resize, shows nothing; empty and space look the same.
  if (chars === "" || (last && cell.getWidth() === 2)) mix.add(blank);
  else for (let n = 0; n < chars.length; n += 1) mix.add(chars.charCodeAt(n));
  if (cell.isAttributeDefault()) return;
  const fgMode = cell.getFgColorMode();
  const bgMode = cell.getBgColorMode();
  const flags =
    (cell.isBold() ? 1 : 0) |
    (cell.isDim() ? 2 : 0) |
    (cell.isItalic() ? 4 : 0) |
    (cell.isUnderline() ? 8 : 0) |
    (cell.isBlink() ? 16 : 0) |
    (cell.isInverse() ? 32 : 0) |
    (cell.isInvisible() ? 64 : 0) |
    (cell.isStrikethrough() ? 128 : 0) |
    (cell.isOverline() ? 256 : 0);
  // Attributes that nobody sees (protection, a colour set and taken back) make a cell not default, but not another one.
  if (flags === 0 && fgMode === 0 && bgMode === 0) return;
  mix.add(0x20000 | flags);
  mix.add(fgMode === 0 ? 0 : fgMode | cell.getFgColor());
  mix.add(bgMode === 0 ? 0 : bgMode | cell.getBgColor());
}

/** Two 32-bit lanes; good enough to tell two screens apart, and cheap without 64-bit numbers. Not for adversaries. */
class Mixer {
  #a = 0x243f6a88;
  #b = 0x85a308d3;

  add(value: number): void {
    const a = Math.imul(this.#a ^ value, 0x9e3779b1);
    this.#a = (a << 13) | (a >>> 19);
    const b = Math.imul(this.#b + value, 0x85ebca77) ^ (this.#b >>> 15);
    this.#b = (b << 7) | (b >>> 25);
  }

  hex(): string {
    return finish(this.#a) + finish(this.#b ^ Math.imul(this.#a, 0xc2b2ae3d));
  }
}

function finish(value: number): string {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return (h >>> 0).toString(16).padStart(8, "0");
}
