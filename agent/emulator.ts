/**
 * One headless xterm and the way into its private fields. Snapshots and replies need state that its public API does not give; the version
 * is pinned, and a field that is missing fails here, at once. Owns creation, the colours a program changed, and those types. Refuses to
 * decide what is written when.
 */
import { Terminal } from "@xterm/headless";
import { repair } from "../protocol/emulator-repair.js";
import type { Size } from "../protocol/values.js";

export interface ExtendedAttributes {
  /** Underline style (bits 26-28) and colour (bits 0-25); `ext` would hide the style under a link. */
  readonly _ext: number;
  readonly urlId: number;
}

export interface Attributes {
  readonly fg: number;
  readonly bg: number;
  readonly extended: ExtendedAttributes;
}

export interface BufferLine {
  readonly isWrapped: boolean;
  readonly length: number;
  /** Three numbers a cell: content, foreground with flags, background with flags. */
  readonly _data: Uint32Array;
  readonly _combined: { readonly [column: number]: string };
  readonly _extendedAttrs: { readonly [column: number]: ExtendedAttributes | undefined };
}

export type Charset = { readonly [char: string]: string };

export interface ScreenBuffer {
  readonly lines: { readonly length: number; get(index: number): BufferLine | undefined };
  readonly x: number;
  readonly y: number;
  readonly ybase: number;
  readonly scrollTop: number;
  readonly scrollBottom: number;
  readonly savedX: number;
  readonly savedY: number;
  readonly savedCurAttrData: Attributes;
  readonly savedCharset: Charset | undefined;
  readonly tabs: { readonly [column: number]: boolean | undefined };
}

interface ColourEvent {
  /** 0 report, 1 set, 2 restore. */
  readonly type: 0 | 1 | 2;
  /** 0-255 palette, 256 foreground, 257 background, 258 cursor; absent: the whole palette. */
  readonly index?: number;
  readonly color?: readonly [number, number, number];
}

export interface Core {
  writeSync(data: Uint8Array | string): void;
  readonly _bufferService: {
    readonly buffers: { readonly normal: ScreenBuffer; readonly alt: ScreenBuffer; readonly active: ScreenBuffer };
  };
  readonly _charsetService: {
    readonly charset: Charset | undefined;
    readonly glevel: number;
    readonly _charsets: readonly (Charset | undefined)[];
  };
  readonly _oscLinkService: { getLinkData(id: number): { readonly id?: string; readonly uri: string } | undefined };
  readonly coreService: {
    readonly isCursorHidden: boolean;
    readonly modes: { readonly insertMode: boolean };
    readonly decPrivateModes: {
      readonly applicationCursorKeys: boolean;
      readonly applicationKeypad: boolean;
      readonly bracketedPasteMode: boolean;
      readonly cursorBlink: boolean | undefined;
      readonly cursorStyle: "block" | "underline" | "bar" | undefined;
      readonly origin: boolean;
      readonly reverseWraparound: boolean;
      readonly sendFocus: boolean;
      readonly synchronizedOutput: boolean;
      readonly wraparound: boolean;
    };
  };
  readonly coreMouseService: {
    readonly activeProtocol: "NONE" | "X10" | "VT200" | "DRAG" | "ANY";
    readonly activeEncoding: "DEFAULT" | "SGR" | "SGR_PIXELS";
  };
  readonly optionsService: {
    readonly rawOptions: { readonly convertEol: boolean; readonly cursorBlink: boolean };
    onSpecificOptionChange(name: string, listener: () => void): void;
  };
  readonly unicodeService: { wcwidth(codepoint: number): number };
  readonly _inputHandler: {
    readonly _windowTitle: string;
    readonly _iconName: string;
    readonly _curAttrData: Attributes;
    readonly _parser: {
      readonly currentState: number;
      readonly precedingJoinState: number;
      /** Next state (low 4 bits) by state << 8 | code, where every code above 0x9f counts as 0xa0. */
      readonly _transitions: { readonly table: Uint8Array };
    };
    onColor(listener: (event: readonly ColourEvent[]) => void): void;
  };
}

/** Designators of xterm's character sets, `B` (none) left out. Some name the same set. */
const charsetFlags = "0A4C5RQKYE6ZH7=";
const designators = new Map<Charset, string>();

function hasCore(terminal: object): terminal is { _core: Core } {
  const core: unknown = Reflect.get(terminal, "_core");
  if (typeof core !== "object" || core === null) return false;
  const handler: unknown = Reflect.get(core, "_inputHandler");
  if (typeof handler !== "object" || handler === null) return false;
  const parser: unknown = Reflect.get(handler, "_parser");
  const services = [
    "_bufferService",
    "_charsetService",
    "_oscLinkService",
    "coreService",
    "coreMouseService",
    "optionsService",
    "unicodeService",
  ];
  return (
    typeof Reflect.get(core, "writeSync") === "function" &&
    services.every((name) => typeof Reflect.get(core, name) === "object") &&
    typeof parser === "object" &&
    parser !== null &&
    typeof Reflect.get(parser, "_transitions") === "object"
  );
}

/** The private half of a headless (or, in tests, any) xterm 6.0.0. */
export function coreOf(terminal: object): Core {
  if (!hasCore(terminal)) throw new Error("this xterm has other private fields than 6.0.0");
  return terminal._core;
}

export class Emulator {
  readonly terminal: Terminal;
  readonly core: Core;
  /** What a program changed with OSC 4, 10, 11 and 12, by index as in xterm; headless xterm itself forgets it. */
  readonly colours = new Map<number, readonly [number, number, number]>();
  /** A program turned the cursor's blinking on or off (DECSET 12), which xterm keeps as an option: only then it is told to others. */
  blinkTouched = false;

  constructor(size: Size, scrollback: number) {
    this.terminal = new Terminal({ ...size, scrollback, allowProposedApi: true, logLevel: "off" });
    this.core = coreOf(this.terminal);
    repair(this.terminal);
    this.core.optionsService.onSpecificOptionChange("cursorBlink", () => {
      this.blinkTouched = true;
    });
    this.core._inputHandler.onColor((events) => {
      for (const { type, index, color } of events) {
        if (type === 1 && index !== undefined && color !== undefined) this.colours.set(index, color);
        else if (type === 2 && index !== undefined) this.colours.delete(index);
        else if (type === 2) for (let n = 0; n < 256; n += 1) this.colours.delete(n);
      }
    });
  }

  /** Parses at once: no query handler of ours is asynchronous, so nothing is left over when it returns. */
  write(data: Uint8Array | string): void {
    this.core.writeSync(data);
  }

  resize(size: Size): void {
    if (size.cols !== this.terminal.cols || size.rows !== this.terminal.rows) this.terminal.resize(size.cols, size.rows);
  }

  get size(): Size {
    return { cols: this.terminal.cols, rows: this.terminal.rows };
  }

  dispose(): void {
    this.terminal.dispose();
  }
}

/** The final byte that designates a character set; `B` for none. */
export function charsetDesignator(charset: Charset | undefined): string {
  if (charset === undefined) return "B";
  if (designators.size === 0) {
    const scratch = new Emulator({ cols: 2, rows: 1 }, 0);
    for (const flag of charsetFlags) {
      scratch.write(`\x1b(${flag}`);
      const known = scratch.core._charsetService._charsets[0];
      if (known !== undefined && !designators.has(known)) designators.set(known, flag);
    }
    scratch.dispose();
  }
  return designators.get(charset) ?? "B";
}

export const cellContent = { codepoint: 0x1fffff, combined: 0x200000, any: 0x3fffff, widthShift: 22 } as const;
/** Bits of `fg`. */
export const fgFlag = {
  inverse: 0x4000000,
  bold: 0x8000000,
  underline: 0x10000000,
  blink: 0x20000000,
  invisible: 0x40000000,
  strike: 0x80000000,
} as const;
/** Bits of `bg`. */
export const bgFlag = { italic: 0x4000000, dim: 0x8000000, extended: 0x10000000, protected: 0x20000000, overline: 0x40000000 } as const;
export const colourMode = { mask: 0x3000000, p16: 0x1000000, p256: 0x2000000, rgb: 0x3000000 } as const;

/** A colour as programs see it: xterm leaves remains of an older colour in bits that its mode does not use. */
export function plainColour(value: number): number {
  const mode = value & colourMode.mask;
  if (mode === 0) return 0;
  return mode === colourMode.rgb ? mode | (value & 0xffffff) : mode | (value & 0xff);
}
