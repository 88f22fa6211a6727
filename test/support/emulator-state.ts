/**
 * Everything of an emulator that later output can make a difference of, as plain values: two emulators with equal states show the same
 * screen now and after whatever comes. Owns the reading of private fields for tests; decides nothing.
 */
import {
  type Attributes,
  bgFlag,
  cellContent,
  charsetDesignator,
  type Emulator,
  plainColour,
  type ScreenBuffer,
} from "../../agent/emulator.js";

export interface EmulatorState {
  size: string;
  buffer: string;
  cursor: { x: number; y: number };
  ink: string;
  joins: boolean;
  charsets: string;
  modes: string;
  titles: string;
  colours: string;
  normal: BufferState;
  alternate: BufferState;
}

interface BufferState {
  scrolled: number;
  lines: string[];
  margins: string;
  tabs: string;
  saved: string;
}

/** `screenOnly`: what a snapshot without scrollback promises. */
export function stateOf(emulator: Emulator, options: { screenOnly?: boolean } = {}): EmulatorState {
  const { core, terminal } = emulator;
  const { normal, alt, active } = core._bufferService.buffers;
  const { charset, glevel, _charsets } = core._charsetService;
  const { _curAttrData, _windowTitle, _iconName, _parser } = core._inputHandler;
  const { decPrivateModes, modes, isCursorHidden } = core.coreService;
  const { activeProtocol, activeEncoding } = core.coreMouseService;
  const { convertEol, cursorBlink } = core.optionsService.rawOptions;
  return {
    size: `${terminal.cols}x${terminal.rows}`,
    buffer: active === alt ? "alternate" : "normal",
    cursor: { x: active.x, y: active.y },
    ink: inkText(emulator, _curAttrData, true),
    joins: _parser.precedingJoinState !== 0,
    charsets: `${[0, 1, 2, 3].map((g) => charsetDesignator(_charsets[g])).join("")} ${glevel} ${charsetDesignator(charset)}`,
    modes: JSON.stringify({
      ...decPrivateModes,
      synchronizedOutput: false,
      ...modes,
      isCursorHidden,
      activeProtocol,
      activeEncoding,
      convertEol,
      cursorBlink,
    }),
    titles: JSON.stringify([_windowTitle, _iconName]),
    colours: JSON.stringify([...emulator.colours].sort(([a], [b]) => a - b)),
    normal: bufferState(emulator, normal, options.screenOnly === true),
    alternate: bufferState(emulator, alt, false),
  };
}

function bufferState(emulator: Emulator, buffer: ScreenBuffer, screenOnly: boolean): BufferState {
  const { cols, rows } = emulator.terminal;
  const first = screenOnly ? buffer.ybase : 0;
  const lines: string[] = [];
  for (let index = first; index < buffer.lines.length; index += 1) {
    const line = buffer.lines.get(index);
    if (line === undefined) continue;
    let text = line.isWrapped ? "+" : " ";
    let last = "";
    for (let x = 0; x < cols; x += 1) {
      const content = line._data[x * 3] ?? 0;
      const width = content >>> cellContent.widthShift;
      const chars =
        (content & cellContent.combined) !== 0
          ? (line._combined[x] ?? "?")
          : (content & cellContent.codepoint) !== 0
            ? String.fromCodePoint(content & cellContent.codepoint)
            : "·";
      const extended = line._extendedAttrs[x] ?? { _ext: 0, urlId: 0 };
      const ink = inkText(emulator, { fg: (line._data[x * 3 + 1] ?? 0) | 0, bg: (line._data[x * 3 + 2] ?? 0) | 0, extended }, false);
      if (ink !== last) text += `{${ink}}`;
      last = ink;
      text += width === 1 ? chars : `${chars}<${width}>`;
    }
    lines.push(text);
  }
  const active = emulator.core._bufferService.buffers.active === buffer || buffer === emulator.core._bufferService.buffers.normal;
  const tabs: number[] = [];
  for (let x = 0; x < cols; x += 1) if (buffer.tabs[x] === true) tabs.push(x);
  const { savedX, savedY, savedCurAttrData, savedCharset } = buffer;
  const savedLine = Math.max(savedY - (screenOnly ? buffer.ybase : 0), 0);
  return {
    scrolled: buffer.ybase - first,
    lines,
    margins: active ? `${buffer.scrollTop}-${buffer.scrollBottom}` : "",
    tabs: active ? tabs.join(",") : "",
    saved: `${Math.min(savedX, cols)},${Math.min(savedLine, buffer.ybase - first + rows - 1)} ${plainAttributes(savedCurAttrData)} ${charsetDesignator(savedCharset)}`,
  };
}

function plainAttributes({ fg, bg }: Attributes): string {
  const flags = (bg & 0xfc000000 & ~bgFlag.extended) | 0;
  return `${hex(plainColour(fg) | (fg & 0xfc000000))}/${hex(plainColour(bg) | flags)}${(bg & bgFlag.extended) !== 0 ? "e" : ""}`;
}

/** Attributes as a program would describe them; `exact`: with what only a later sequence would bring to light. */
function inkText(emulator: Emulator, from: Attributes, exact: boolean): string {
  const { fg, bg, extended } = from;
  const has = (bg & bgFlag.extended) !== 0;
  const style = (extended._ext >>> 26) & 7;
  const parts: string[] = [];
  const fgFlags = fg & 0xfc000000 & ~0x10000000;
  const bgFlags = bg & 0xfc000000 & ~bgFlag.extended;
  if (plainColour(fg) !== 0) parts.push(`f${hex(plainColour(fg))}`);
  if (plainColour(bg) !== 0) parts.push(`b${hex(plainColour(bg))}`);
  if (fgFlags !== 0) parts.push(`F${hex(fgFlags)}`);
  if (bgFlags !== 0) parts.push(`B${hex(bgFlags)}`);
  const underlined = (fg & 0x10000000) !== 0 || (has && style !== 0);
  const link = has && extended.urlId !== 0 ? emulator.core._oscLinkService.getLinkData(extended.urlId) : undefined;
  // xterm has forgotten the address of this link; it still shows its dashes.
  const forgotten = has && extended.urlId !== 0 && link === undefined;
  if (!exact && (forgotten || link !== undefined)) parts.push("u5");
  else if (exact && link !== undefined) parts.push((fg & 0x10000000) !== 0 ? `u${style || 1}` : "");
  else if (forgotten) parts.push("u5");
  else if (underlined) parts.push(`u${has ? style || 1 : 1}`);
  if (underlined || forgotten || link !== undefined || exact) parts.push(`c${hex(plainColour(extended._ext & 0x3ffffff))}`);
  if (link !== undefined) parts.push(`l${link.id ?? ""}=${link.uri}`);
  const hiddenLink = emulator.core._oscLinkService.getLinkData(extended.urlId) === undefined ? "" : "l";
  if (exact && !has && (style !== 0 || hiddenLink !== "")) parts.push(`hidden${style}${hiddenLink}`);
  return parts.join(",");
}

function hex(value: number): string {
  return (value >>> 0).toString(16);
}
