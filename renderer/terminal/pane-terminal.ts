/**
 * One pane's emulator and its element: xterm, muted, fed in order, sized by the session and shown in the room the pane has. Lives outside
 * React, keeps its screen while it is not shown, and may be put into another place of the page. Owns what the user does at it (keys,
 * paste, selection); sends nothing itself, everything goes out through its events.
 */
import { type ITheme, Terminal } from "@xterm/xterm";
import { repair } from "../../protocol/emulator-repair.js";
import { isFocusReport, mute } from "../../protocol/mute.js";
import { screenHash } from "../../protocol/screen-hash.js";
import type { Size } from "../../protocol/values.js";
import { Feed } from "./feed.js";
import { type Cell, type Covers, clampOffset, follow, fontThatFits, shiftForCovers, sizeThatFits } from "./fit.js";
import { terminalFont } from "./fonts.js";
import { binaryBytes, textBytes } from "./input.js";

export interface PaneTerminalOptions {
  fontSize: number;
  scrollback: number;
  theme: ITheme;
  screenReader: boolean;
}

export interface PaneTerminalEvents {
  /** Typed or clicked by an operator. */
  input(bytes: Uint8Array): void;
  /** Text from the clipboard, as it came. */
  pasted(text: string): void;
  parsed(stream: number, seq: number): void;
  /** The emulator's size, which is the session's. */
  resized(size: Size): void;
  /** What fits now; once it stands still. */
  room(size: Size, cell: Cell): void;
  /** A screen after an attach or a resize, at rest. */
  hash(stream: number, seq: number, value: string): void;
  focused(on: boolean): void;
  /** Somebody who may only watch pressed a key that a program would have got. */
  watching(): void;
  /** Enter at a session that has ended. */
  again(): void;
  selected(on: boolean): void;
  link(url: string): void;
}

/** What becomes of keys: to the program, to nobody with a word about it, or only Enter counts. */
export type Keys = "sent" | "watching" | "ended" | "none";

/** Pixels between the pane's edge and the grid: the first column stands under the header's first glyph. */
const pad = { x: 12, y: 8 };
/** Below this a pane shows only its header. */
const leastShown = { width: 160, rows: 4 };
/** The size of a pane that could never be shown. */
const unshown: Size = { cols: 80, rows: 24 };
/** A drag changes the room with each pixel; a program should redraw once. */
const roomMs = 80;
/** Longer than any frame of a page that is drawn. */
const noFrameMs = 100;
/** Output rests this long before a screen is compared: a hash costs a few milliseconds. */
const hashMs = 400;

export class PaneTerminal {
  readonly element = document.createElement("div");
  readonly feed: Feed;
  readonly #grid = document.createElement("div");
  readonly #terminal: Terminal;
  readonly #events: PaneTerminalEvents;
  #ownFont: number;
  #ownCell: Cell = { width: 0, height: 0 };
  #pixelRatio = 0;
  #room: Size | null = null;
  #roomTimer: ReturnType<typeof setTimeout> | null = null;
  #hashTimer: ReturnType<typeof setTimeout> | null = null;
  #hashDue = false;
  #placing = 0;
  #covers: Covers = { top: 0, bottom: 0 };
  /** The size is another's, and how it is shown; null: the session has this pane's size, or soon will. */
  #foreign: "fit" | "pan" | null = null;
  #offset = { x: 0, y: 0 };
  #followCursor = true;
  #keys: Keys = "none";
  #sequenceHost: Element | null = null;
  #sequenceFrame = 0;
  #sequenceTimer: ReturnType<typeof setTimeout> | null = null;
  readonly #resizes = new ResizeObserver(() => this.#measureSoon());

  constructor(options: PaneTerminalOptions, events: PaneTerminalEvents) {
    this.#events = events;
    this.#ownFont = options.fontSize;
    this.element.className = "screen";
    this.#grid.className = "screen-grid";
    this.element.append(this.#grid);
    this.#terminal = new Terminal({
      allowProposedApi: false,
      altClickMovesCursor: false,
      cursorBlink: false,
      cursorInactiveStyle: "outline",
      drawBoldTextInBrightColors: false,
      fontFamily: terminalFont,
      fontSize: options.fontSize,
      fontWeight: 400,
      fontWeightBold: 700,
      ignoreBracketedPasteMode: true,
      // A hair over 1.05: fonts are measured as 17 or as 17.16 pixels high at 13, and the cell should have 18 either way.
      lineHeight: 1.06,
      linkHandler: { activate: (event, url) => this.#followLink(event, url) },
      logLevel: "off",
      minimumContrastRatio: 4.5,
      screenReaderMode: options.screenReader,
      scrollback: options.scrollback,
      theme: options.theme,
      windowOptions: {},
    });
    repair(this.#terminal);
    mute(this.#terminal.parser);
    this.#terminal.options.disableStdin = true;
    this.feed = new Feed(this.#terminal, {
      parsed: (stream, seq) => {
        this.#showSequence();
        events.parsed(stream, seq);
      },
      screen: (size) => this.#resized(size),
      resized: (size) => this.#resized(size),
      rest: () => this.#hashSoon(false),
    });
    this.#terminal.onData((data) => {
      if (!isFocusReport(data)) this.#send(textBytes(data));
    });
    this.#terminal.onBinary((data) => this.#send(binaryBytes(data)));
    this.#terminal.onSelectionChange(() => events.selected(this.#terminal.hasSelection()));
    this.#terminal.onCursorMove(() => this.#placeSoon());
    this.#terminal.attachCustomKeyEventHandler((event) => this.#key(event));
    this.element.addEventListener("focusin", () => events.focused(true));
    this.element.addEventListener("focusout", () => events.focused(false));
    // Before xterm's own listener, which would let ESC through.
    this.element.addEventListener("paste", (event) => this.#paste(event), { capture: true });
    this.element.addEventListener("wheel", (event) => this.#wheel(event), { capture: true, passive: false });
    this.element.addEventListener("mousedown", (event) => {
      if (event.target === this.element || event.target === this.#grid) {
        event.preventDefault();
        this.focus();
      }
    });
  }

  get terminalSize(): Size {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  get room(): Size | null {
    return this.#room;
  }

  get cell(): Cell {
    return this.#ownCell;
  }

  get bracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode;
  }

  /** How far the visible part is from the grid's origin, and what it shows of it, as shares of the grid: for the minimap. */
  get view(): { x: number; y: number; width: number; height: number } {
    const grid = this.#gridExtent(this.#ownCell);
    const extent = this.#extent();
    if (grid.width <= 0 || grid.height <= 0) return { x: 0, y: 0, width: 1, height: 1 };
    return {
      x: this.#offset.x / grid.width,
      y: this.#offset.y / grid.height,
      width: Math.min(1, extent.width / grid.width),
      height: Math.min(1, extent.height / grid.height),
    };
  }

  /** Puts the element into the page. The first time xterm opens; `host` gets `data-seq`. */
  mount(parent: Element, host: Element): void {
    parent.append(this.element);
    this.#sequenceHost = host;
    if (this.#terminal.element === undefined) {
      this.#terminal.open(this.#grid);
      this.#terminal.textarea?.setAttribute("aria-multiline", "true");
    }
    this.#resizes.observe(this.element);
    this.#measure();
    this.#showSequence();
  }

  unmount(): void {
    this.#resizes.unobserve(this.element);
    this.element.remove();
    this.#sequenceHost = null;
  }

  dispose(): void {
    this.feed.close();
    this.#resizes.disconnect();
    if (this.#roomTimer !== null) clearTimeout(this.#roomTimer);
    if (this.#hashTimer !== null) clearTimeout(this.#hashTimer);
    if (this.#sequenceTimer !== null) clearTimeout(this.#sequenceTimer);
    cancelAnimationFrame(this.#placing);
    cancelAnimationFrame(this.#sequenceFrame);
    this.#terminal.dispose();
    this.element.remove();
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** What keys do from now on. */
  setKeys(keys: Keys): void {
    this.#keys = keys;
    this.#terminal.options.disableStdin = keys !== "sent";
    this.#terminal.textarea?.setAttribute("aria-readonly", String(keys !== "sent"));
  }

  setLook(options: PaneTerminalOptions): void {
    this.#terminal.options.theme = options.theme;
    this.#terminal.options.scrollback = options.scrollback;
    this.#terminal.options.screenReaderMode = options.screenReader;
    if (options.fontSize === this.#ownFont) return;
    this.#ownFont = options.fontSize;
    this.#terminal.options.fontSize = options.fontSize;
    this.#ownCell = { width: 0, height: 0 };
    this.#measure();
  }

  setCovers(covers: Covers): void {
    if (covers.top === this.#covers.top && covers.bottom === this.#covers.bottom) return;
    this.#covers = covers;
    this.#place();
  }

  setForeign(foreign: "fit" | "pan" | null): void {
    if (this.#foreign === foreign) return;
    this.#foreign = foreign;
    this.#followCursor = true;
    this.#place();
  }

  /** Moves a panned grid, in pixels. Typing brings it back to the cursor. */
  pan(x: number, y: number): void {
    const grid = this.#gridExtent(this.#ownCell);
    const extent = this.#extent();
    this.#followCursor = false;
    this.#offset = { x: clampOffset(x, extent.width, grid.width), y: clampOffset(y, extent.height, grid.height) };
    this.#place();
  }

  get panOffset(): { x: number; y: number } {
    return this.#offset;
  }

  selection(): string {
    return this.#terminal.getSelection();
  }

  /** Everything that is kept, as text; rows that were wrapped are one line. */
  text(): string {
    const buffer = this.#terminal.buffer.normal;
    const lines: string[] = [];
    for (let y = 0; y < buffer.length; y += 1) {
      const line = buffer.getLine(y);
      if (line === undefined) continue;
      const next = buffer.getLine(y + 1);
      const text = line.translateToString(next?.isWrapped !== true);
      if (line.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return `${lines.join("\n").replace(/\n+$/, "")}\n`;
  }

  #resized(size: Size): void {
    this.#events.resized(size);
    this.#hashSoon(true);
    this.#place();
  }

  #send(bytes: Uint8Array): void {
    this.#followCursor = true;
    this.#events.input(bytes);
  }

  #key(event: KeyboardEvent): boolean {
    if (event.type !== "keydown") return true;
    const alternate = this.#terminal.buffer.active.type === "alternate";
    const onlyShift = event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey;
    if (onlyShift && (event.key === "PageUp" || event.key === "PageDown") && alternate) {
      // xterm scrolls in any case; on the alternate screen there is nothing to scroll, and programs use these keys.
      if (this.#keys === "sent") this.#send(textBytes(event.key === "PageUp" ? "\u001b[5;2~" : "\u001b[6;2~"));
      event.preventDefault();
      return false;
    }
    if (onlyShift && (event.key === "Home" || event.key === "End") && !alternate) {
      if (event.key === "Home") this.#terminal.scrollToTop();
      else this.#terminal.scrollToBottom();
      event.preventDefault();
      return false;
    }
    if (this.#keys === "ended" && event.key === "Enter") {
      event.preventDefault();
      this.#events.again();
      return false;
    }
    if (this.#keys === "watching" && reachesProgram(event)) this.#events.watching();
    return true;
  }

  #paste(event: ClipboardEvent): void {
    event.preventDefault();
    event.stopPropagation();
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (text === "") return;
    if (this.#keys === "sent") this.#events.pasted(text);
    else if (this.#keys === "watching") this.#events.watching();
  }

  #wheel(event: WheelEvent): void {
    if (this.#foreign !== "pan" || !event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const across = event.deltaX !== 0 ? event.deltaX : event.deltaY;
    this.pan(this.#offset.x + across, this.#offset.y + (event.deltaX !== 0 ? event.deltaY : 0));
  }

  #followLink(event: MouseEvent, url: string): void {
    if (event.ctrlKey || event.metaKey) this.#events.link(url);
  }

  // ---- room and place ---------------------------------------------------------------------------------------------------------

  #extent(): { width: number; height: number } {
    return { width: Math.max(0, this.element.clientWidth - 2 * pad.x), height: Math.max(0, this.element.clientHeight - 2 * pad.y) };
  }

  #gridExtent(cell: Cell): { width: number; height: number } {
    return { width: this.#terminal.cols * cell.width, height: this.#terminal.rows * cell.height };
  }

  /** One cell at the font that xterm draws with now: its screen is exactly rows and columns of them. */
  #drawnCell(): Cell {
    const screen = this.#grid.querySelector<HTMLElement>(".xterm-screen");
    const width = Number.parseFloat(screen?.style.width ?? "");
    const height = Number.parseFloat(screen?.style.height ?? "");
    if (!(width > 0) || !(height > 0)) return { width: 0, height: 0 };
    return { width: width / this.#terminal.cols, height: height / this.#terminal.rows };
  }

  /** Too small to show: a program is not squeezed into it, it keeps the size it had. */
  #tooSmall(): boolean {
    return this.element.clientWidth < leastShown.width || this.element.clientHeight < leastShown.rows * this.#ownCell.height + 2 * pad.y;
  }

  #measureSoon(): void {
    this.#place();
    if (this.#roomTimer !== null) clearTimeout(this.#roomTimer);
    this.#roomTimer = setTimeout(() => {
      this.#roomTimer = null;
      this.#measure();
    }, roomMs);
  }

  #measure(): void {
    if (this.#terminal.element === undefined || !this.element.isConnected) return;
    // Another screen, or the browser's zoom: cells fall on other pixels.
    if (this.#pixelRatio !== window.devicePixelRatio) this.#ownCell = { width: 0, height: 0 };
    if (this.#ownCell.width === 0 && this.#terminal.options.fontSize === this.#ownFont) {
      this.#ownCell = this.#drawnCell();
      this.#pixelRatio = window.devicePixelRatio;
    }
    const room = this.#tooSmall() ? (this.#room ?? unshown) : sizeThatFits(this.#extent(), this.#ownCell);
    if (room !== null) {
      this.#room = room;
      this.#events.room(room, this.#ownCell);
    }
    this.#place();
  }

  #placeSoon(): void {
    if (this.#placing !== 0 || (this.#covers.top === 0 && this.#covers.bottom === 0 && this.#foreign !== "pan")) return;
    this.#placing = requestAnimationFrame(() => {
      this.#placing = 0;
      this.#place();
    });
  }

  #place(): void {
    if (this.#terminal.element === undefined || this.#ownCell.width === 0) return;
    const extent = this.#extent();
    const size = this.terminalSize;
    const font = this.#foreign === "fit" ? fontThatFits(size, extent, this.#ownFont, this.#ownCell) : this.#ownFont;
    if (this.#terminal.options.fontSize !== font) this.#terminal.options.fontSize = font;
    const cell = font === this.#ownFont ? this.#ownCell : this.#drawnCell();
    const grid = this.#gridExtent(cell);
    let x = 0;
    let y = 0;
    if (this.#foreign === "fit") {
      x = Math.max(0, Math.floor((extent.width - grid.width) / 2));
      y = Math.max(0, Math.floor((extent.height - grid.height) / 2));
    } else if (this.#foreign === "pan") {
      this.#followPan(extent, grid, cell);
      x = -this.#offset.x;
      y = -this.#offset.y;
    }
    if (this.#covers.top > 0 || this.#covers.bottom > 0) {
      const top = y + pad.y + this.#terminal.buffer.active.cursorY * cell.height;
      y += shiftForCovers(this.#covers, { top: top - pad.y, bottom: top + cell.height + pad.y }, this.element.clientHeight);
    }
    this.#grid.style.transform = x === 0 && y === 0 ? "" : `translate(${x}px, ${y}px)`;
  }

  #followPan(extent: { width: number; height: number }, grid: { width: number; height: number }, cell: Cell): void {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    this.#offset = this.#followCursor
      ? {
          x: follow(this.#offset.x, extent.width, grid.width, cursorX * cell.width, (cursorX + 1) * cell.width),
          y: follow(this.#offset.y, extent.height, grid.height, cursorY * cell.height, (cursorY + 1) * cell.height),
        }
      : { x: clampOffset(this.#offset.x, extent.width, grid.width), y: clampOffset(this.#offset.y, extent.height, grid.height) };
  }

  // ---- positions --------------------------------------------------------------------------------------------------------------

  /** At most once a frame, and always when at rest: a page that nobody sees has no frames, so a timer stands behind them. */
  #showSequence(): void {
    if (this.#sequenceTimer !== null) return;
    const show = () => {
      cancelAnimationFrame(this.#sequenceFrame);
      if (this.#sequenceTimer !== null) clearTimeout(this.#sequenceTimer);
      this.#sequenceTimer = null;
      this.#sequenceHost?.setAttribute("data-seq", String(this.feed.seq));
    };
    this.#sequenceFrame = requestAnimationFrame(show);
    this.#sequenceTimer = setTimeout(show, noFrameMs);
  }

  #hashSoon(due: boolean): void {
    if (due) this.#hashDue = true;
    if (!this.#hashDue) return;
    if (this.#hashTimer !== null) clearTimeout(this.#hashTimer);
    this.#hashTimer = setTimeout(() => {
      this.#hashTimer = null;
      if (!this.feed.resting) return;
      this.#hashDue = false;
      this.#events.hash(this.feed.stream, this.feed.seq, screenHash(this.#terminal));
    }, hashMs);
  }
}

/** A key that would have become a byte; not a modifier, not a chord of ours, not one that scrolls or copies. */
function reachesProgram(event: KeyboardEvent): boolean {
  if (event.isComposing || event.metaKey || (event.ctrlKey && event.shiftKey)) return false;
  if (["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process", "NumLock", "ScrollLock"].includes(event.key))
    return false;
  if (event.shiftKey && ["PageUp", "PageDown", "Home", "End", "Insert"].includes(event.key)) return false;
  return !(event.ctrlKey && event.key === "Insert");
}
