/**
 * Answers to terminal queries: the whole list of what a program can learn, from the emulator's state and the driver's view. Owns the words
 * of every reply. Refuses anything that is not in `allowed`: no reply holds a byte that the program chose (numbers it asked about excepted),
 * none is longer than 64 bytes. Writes nothing to the emulator: a query must not change what a combining mark joins.
 */
import { type Colours, emulator as emulatorName, type Size } from "../protocol/values.js";
import { type Attributes, bgFlag, colourMode, type Emulator, fgFlag, plainColour } from "./emulator.js";

/** What the one who drives sees; null and 0: not known. */
export interface ReplyView {
  colours: Colours | null;
  cellWidth: number;
  cellHeight: number;
  size: Size;
}

/** The dark theme: what a program is told while nobody is attached. */
export const defaultColours: Colours = {
  foreground: "#e8ecf2",
  background: "#12151b",
  cursor: "#e8ecf2",
  palette: [
    "#2a303b",
    "#ff7b72",
    "#5fd38d",
    "#e3b85a",
    "#7aa2ff",
    "#d291f5",
    "#4fc9d6",
    "#c9d1dc",
    "#8793a5",
    "#ff9e97",
    "#8be8ae",
    "#f5d480",
    "#a5c0ff",
    "#e5b5ff",
    "#86e3ec",
    "#f7f9fc",
  ],
};

/** Pixels of a cell where nobody says: only their ratio matters to programs, as there are no images. */
const defaultCell = { width: 9, height: 18 };

const maxReplyBytes = 64;

/** One query may ask for many colours, each answered by itself. */
const maxColours = 256;

const esc = "\x1b";
const st = "\x1b\\";

/** Every reply there is. */
const allowed = [
  /^\x1b\[\?1;2c$/,
  /^\x1b\[>0;276;0c$/,
  /^\x1b\[0n$/,
  /^\x1b\[\??\d{1,4};\d{1,4}R$/,
  /^\x1b\[\?997;[12]n$/,
  /^\x1b\[\??\d{1,10};[0-4]\$y$/,
  /^\x1b\[[468];\d{1,7};\d{1,7}t$/,
  /^\x1bP1\$r[0-9;:]{1,56}m\x1b\\$/,
  /^\x1bP1\$r\d{1,4};\d{1,4}r\x1b\\$/,
  /^\x1bP1\$r[1-6] q\x1b\\$/,
  /^\x1bP1\$r[01]"q\x1b\\$/,
  /^\x1bP1\$r61;1"p\x1b\\$/,
  /^\x1bP0\$r\x1b\\$/,
  /^\x1bP>\|xterm\.js\(\d+\.\d+\.\d+\)\x1b\\$/,
  /^\x1b\](?:4;\d{1,3}|1[012]);rgb:[0-9a-f]{4}\/[0-9a-f]{4}\/[0-9a-f]{4}\x1b\\$/,
];

export function isAllowedReply(reply: string): boolean {
  return reply.length <= maxReplyBytes && allowed.some((form) => form.test(reply));
}

/** Replies to one query in clean 7-bit form, in order; empty: not one we answer. */
export function replies(query: string, emulator: Emulator, view: ReplyView): string[] {
  return answers(query, emulator, view).filter(isAllowedReply);
}

function answers(query: string, emulator: Emulator, view: ReplyView): string[] {
  const csi = /^\x1b\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])$/.exec(query);
  if (csi !== null) {
    const [, prefix = "", params = "", intermediates = "", final = ""] = csi;
    return csiAnswer(`${prefix}${intermediates}${final}`, params, emulator, view);
  }
  const dcs = /^\x1bP\$q([ -~]*)\x1b\\$/.exec(query);
  if (dcs !== null) return [`${esc}P${setting(dcs[1] ?? "", emulator)}${st}`];
  const osc = /^\x1b\](\d{1,3});([ -~]*)(?:\x07|\x1b\\)$/.exec(query);
  return osc === null ? [] : colourAnswers(Number(osc[1]), (osc[2] ?? "").split(";"), emulator, view.colours ?? defaultColours);
}

function csiAnswer(kind: string, params: string, emulator: Emulator, view: ReplyView): string[] {
  const first = Number.parseInt(params, 10) || 0;
  switch (kind) {
    case "c":
      return first === 0 ? [`${esc}[?1;2c`] : [];
    case ">c":
      return first === 0 ? [`${esc}[>0;276;0c`] : [];
    case ">q":
      // The name of the emulator, not ours: programs choose their workarounds by it.
      return first === 0 ? [`${esc}P>|${emulatorName.name}(${emulatorName.version})${st}`] : [];
    case "n":
      if (first === 5) return [`${esc}[0n`];
      return first === 6 ? [`${esc}[${position(emulator)}R`] : [];
    case "?n":
      if (first === 996) return [`${esc}[?997;${isDark(backgroundOf(emulator, view)) ? 1 : 2}n`];
      return first === 6 ? [`${esc}[?${position(emulator)}R`] : [];
    case "$p":
      return [`${esc}[${first};${ansiMode(first, emulator)}$y`];
    case "?$p":
      return [`${esc}[?${first};${privateMode(first, emulator)}$y`];
    case "t":
      return windowAnswer(first, view);
    default:
      return [];
  }
}

/** The cursor as programs count: in the last column while it waits to wrap, from the top margin in origin mode. */
function position({ core, terminal }: Emulator): string {
  const { x, y, scrollTop } = core._bufferService.buffers.active;
  const top = core.coreService.decPrivateModes.origin ? scrollTop : 0;
  return `${Math.max(0, y - top) + 1};${Math.min(x, terminal.cols - 1) + 1}`;
}

function windowAnswer(what: number, { cellWidth, cellHeight, size }: ReplyView): string[] {
  const width = cellWidth > 0 ? cellWidth : defaultCell.width;
  const height = cellHeight > 0 ? cellHeight : defaultCell.height;
  switch (what) {
    case 14:
      return [`${esc}[4;${Math.round(height * size.rows)};${Math.round(width * size.cols)}t`];
    case 16:
      return [`${esc}[6;${Math.round(height)};${Math.round(width)}t`];
    case 18:
      return [`${esc}[8;${size.rows};${size.cols}t`];
    default:
      return [];
  }
}

/** 0 not known, 1 set, 2 reset, 3 and 4 for ever so. */
function ansiMode(mode: number, { core }: Emulator): number {
  switch (mode) {
    case 2:
      return 4;
    case 4:
      return flag(core.coreService.modes.insertMode);
    case 12:
      return 3;
    case 20:
      return flag(core.optionsService.rawOptions.convertEol);
    default:
      return 0;
  }
}

function privateMode(mode: number, { core }: Emulator): number {
  const modes = core.coreService.decPrivateModes;
  const { activeProtocol, activeEncoding } = core.coreMouseService;
  const { active, alt } = core._bufferService.buffers;
  switch (mode) {
    case 1:
      return flag(modes.applicationCursorKeys);
    case 6:
      return flag(modes.origin);
    case 7:
      return flag(modes.wraparound);
    case 8:
      return 3;
    case 9:
      return flag(activeProtocol === "X10");
    case 12:
      return flag(core.optionsService.rawOptions.cursorBlink);
    case 25:
      return flag(!core.coreService.isCursorHidden);
    case 45:
      return flag(modes.reverseWraparound);
    case 47:
    case 1047:
    case 1049:
      return flag(active === alt);
    case 66:
      return flag(modes.applicationKeypad);
    case 67:
    case 1005:
    case 1015:
      return 4;
    case 1000:
      return flag(activeProtocol === "VT200");
    case 1002:
      return flag(activeProtocol === "DRAG");
    case 1003:
      return flag(activeProtocol === "ANY");
    case 1004:
      return flag(modes.sendFocus);
    case 1006:
      return flag(activeEncoding === "SGR");
    case 1016:
      return flag(activeEncoding === "SGR_PIXELS");
    case 1048:
      return 1;
    case 2004:
      return flag(modes.bracketedPasteMode);
    case 2026:
      return flag(modes.synchronizedOutput);
    default:
      return 0;
  }
}

function flag(on: boolean): number {
  return on ? 1 : 2;
}

/** DECRQSS: what a setting is now. */
function setting(name: string, { core }: Emulator): string {
  const { scrollTop, scrollBottom } = core._bufferService.buffers.active;
  const { cursorStyle, cursorBlink } = core.coreService.decPrivateModes;
  const current = core._inputHandler._curAttrData;
  switch (name) {
    case "m":
      return `1$r${sgr(current)}m`;
    case "r":
      return `1$r${scrollTop + 1};${scrollBottom + 1}r`;
    case " q": {
      const shape = { block: 2, underline: 4, bar: 6 }[cursorStyle ?? "block"];
      return `1$r${shape - ((cursorBlink ?? core.optionsService.rawOptions.cursorBlink) ? 1 : 0)} q`;
    }
    case '"q':
      return `1$r${(current.bg & bgFlag.protected) !== 0 ? 1 : 0}"q`;
    case '"p':
      return '1$r61;1"p';
    default:
      return "0$r";
  }
}

/** The attributes as SGR; what does not fit into a reply is left out from the end. */
function sgr({ fg, bg, extended }: Attributes): string {
  const style = (extended._ext >>> 26) & 7;
  const parts = ["0"];
  if ((fg & fgFlag.bold) !== 0) parts.push("1");
  if ((bg & bgFlag.dim) !== 0) parts.push("2");
  if ((bg & bgFlag.italic) !== 0) parts.push("3");
  if ((fg & fgFlag.underline) !== 0) parts.push(style > 1 ? `4:${style}` : "4");
  if ((fg & fgFlag.blink) !== 0) parts.push("5");
  if ((fg & fgFlag.inverse) !== 0) parts.push("7");
  if ((fg & fgFlag.invisible) !== 0) parts.push("8");
  if ((fg & fgFlag.strike) !== 0) parts.push("9");
  if ((bg & bgFlag.overline) !== 0) parts.push("53");
  for (const [value, usual, bright, extendedCode] of [
    [fg, 30, 90, 38],
    [bg, 40, 100, 48],
    [extended._ext & 0x3ffffff, 0, 0, 58],
  ] as const) {
    const colour = plainColour(value);
    const mode = colour & colourMode.mask;
    if (mode === colourMode.p16) parts.push(String((colour & 8) !== 0 ? bright + (colour & 7) : usual + (colour & 7)));
    else if (mode === colourMode.p256) parts.push(`${extendedCode}:5:${colour & 0xff}`);
    else if (mode === colourMode.rgb) parts.push(`${extendedCode}:2::${(colour >>> 16) & 0xff}:${(colour >>> 8) & 0xff}:${colour & 0xff}`);
  }
  while (parts.join(";").length > 56) parts.pop();
  return parts.join(";");
}

type Rgb = readonly [number, number, number];

function colourAnswers(command: number, fields: string[], emulator: Emulator, colours: Colours): string[] {
  const found: string[] = [];
  if (command === 4) {
    for (let n = 0; n + 1 < fields.length && found.length < maxColours; n += 2) {
      const index = fields[n] ?? "";
      if (fields[n + 1] === "?" && /^\d{1,3}$/.test(index) && Number(index) < 256) {
        found.push(colourReply(`4;${Number(index)}`, emulator.colours.get(Number(index)) ?? paletteColour(Number(index), colours)));
      }
    }
  } else if (command >= 10 && command <= 12) {
    const theme = [colours.foreground, colours.background, colours.cursor];
    for (const [n, field] of fields.entries()) {
      const which = command + n;
      const themed = theme[which - 10];
      // xterm numbers these three behind the palette.
      if (field === "?" && themed !== undefined)
        found.push(colourReply(String(which), emulator.colours.get(which + 246) ?? parseHex(themed)));
    }
  }
  return found;
}

function colourReply(what: string, [r, g, b]: Rgb): string {
  return `${esc}]${what};rgb:${twice(r)}/${twice(g)}/${twice(b)}${st}`;
}

function twice(value: number): string {
  const digits = value.toString(16).padStart(2, "0");
  return digits + digits;
}

function parseHex(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [(value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

/** 16 colours of the theme, then the usual cube and greys. */
function paletteColour(index: number, colours: Colours): Rgb {
  const themed = colours.palette[index];
  if (themed !== undefined) return parseHex(themed);
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return [grey, grey, grey];
  }
  const level = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = index - 16;
  return [level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)];
}

function backgroundOf(emulator: Emulator, view: ReplyView): Rgb {
  return emulator.colours.get(257) ?? parseHex((view.colours ?? defaultColours).background);
}

function isDark([r, g, b]: Rgb): boolean {
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}
