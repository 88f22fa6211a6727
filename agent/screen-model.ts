/**
 * One session's screen, in the thread that parses: an emulator that is always between two sequences, and the bytes after that which have
 * not ended yet. Owns what stands at which sequence. Knows no threads and no history: it is told everything in order.
 */
import { wholeCharacters } from "../protocol/character-cut.js";
import { screenHash } from "../protocol/screen-hash.js";
import type { ScreenText, Size } from "../protocol/values.js";
import { Emulator } from "./emulator.js";
import { GroundFinder } from "./ground.js";
import { type ReplyView, replies } from "./responder.js";
import { serialize, styledScreen } from "./snapshot.js";

/** Bytes in one write: the largest piece an emulator gets at once. Design §5. */
const maxWriteBytes = 64 * 1024;

/**
 * A sequence that is longer is parsed although it has not ended. The guard cuts strings off far below, so this is only a bound on memory.
 */
const maxTailBytes = 1024 * 1024;

/** UTF-16 units of a title that others are shown: what the session list takes. */
const maxTitle = 256;

export interface ModelSnapshot {
  at: number;
  size: Size;
  bytes: Uint8Array<ArrayBuffer>;
  /** Something on the way to this state is missing. */
  damaged: boolean;
}

const encoder = new TextEncoder();

export class ScreenModel {
  readonly #scrollback: number;
  #emulator: Emulator;
  #finder: GroundFinder;
  #at: number;
  #tail: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #damaged = false;
  /** In the middle of a sequence that was too long to wait for. */
  #astray = false;

  /** An empty screen that stands at `at`. */
  constructor(size: Size, scrollback: number, at = 0) {
    this.#scrollback = scrollback;
    this.#at = at;
    this.#emulator = new Emulator(size, scrollback);
    this.#finder = new GroundFinder(this.#emulator.core._inputHandler._parser._transitions.table);
  }

  /** The sequence that the emulator stands at: what came after it is a part of a sequence or of a character. */
  get at(): number {
    return this.#at;
  }

  /** The title, cleaned for lists and tabs. */
  get title(): string {
    return cleanTitle(this.#emulator.core._inputHandler._windowTitle);
  }

  /** A part of a snapshot taken where it stands: fills the screen and moves nothing on. */
  fill(bytes: Uint8Array): void {
    this.#write(bytes);
  }

  /** Output, continuing where the last ended. */
  feed(bytes: Uint8Array): void {
    const data = this.#joined(bytes);
    // A sequence that was let go before its end is followed to its end.
    let ground = this.#astray ? wholeCharacters(data) : this.#finder.last(data);
    if (data.length - ground > maxTailBytes) {
      ground = wholeCharacters(data);
      this.#astray = true;
    }
    this.#write(data.subarray(0, ground));
    this.#at += ground;
    this.#tail = data.slice(ground);
    if (this.#astray && this.#emulator.core._inputHandler._parser.currentState === 0) this.#astray = false;
  }

  /** Output that no emulator survives: an empty screen after it. */
  skip(bytes: Uint8Array, size: Size): void {
    const data = this.#joined(bytes);
    const ground = this.#finder.last(data);
    this.#renew(size);
    this.#at += ground;
    this.#tail = data.slice(ground);
    this.#damaged = true;
  }

  /** A part of a sequence changes no cell, so it makes no difference that a tail is parsed only after the size changed. */
  resize(size: Size): void {
    try {
      this.#emulator.resize(size);
    } catch {
      this.#renew(size);
      this.#damaged = true;
    }
  }

  snapshot(scrollback: number): ModelSnapshot {
    const bytes = serialize(this.#emulator, Math.min(scrollback, this.#scrollback));
    return { at: this.#at, size: this.#emulator.size, bytes, damaged: this.#damaged || this.#astray };
  }

  answer(query: Uint8Array, view: ReplyView): Uint8Array<ArrayBuffer> {
    return encoder.encode(replies(Buffer.from(query).toString("latin1"), this.#emulator, view).join(""));
  }

  hash(): string {
    return screenHash(this.#emulator.terminal);
  }

  text(ansi: boolean): ScreenText {
    const { terminal, core } = this.#emulator;
    const { decPrivateModes } = core.coreService;
    const buffer = terminal.buffer.active;
    const lines: string[] = [];
    for (let y = 0; y < terminal.rows; y += 1) {
      lines.push((buffer.getLine(buffer.baseY + y)?.translateToString(true) ?? "").trimEnd());
    }
    return {
      cols: terminal.cols,
      rows: terminal.rows,
      cursor: { x: Math.min(buffer.cursorX, terminal.cols - 1), y: buffer.cursorY, visible: !core.coreService.isCursorHidden },
      seq: this.#at,
      lines,
      title: this.title,
      hash: this.hash(),
      modes: {
        applicationCursorKeys: decPrivateModes.applicationCursorKeys,
        applicationKeypad: decPrivateModes.applicationKeypad,
        bracketedPaste: decPrivateModes.bracketedPasteMode,
        alternateScreen: buffer.type === "alternate",
        mouseTracking: terminal.modes.mouseTrackingMode,
        sendFocus: decPrivateModes.sendFocus,
      },
      ...(ansi ? { ansi: styledScreen(this.#emulator) } : {}),
    };
  }

  dispose(): void {
    this.#emulator.dispose();
  }

  #joined(bytes: Uint8Array): Uint8Array {
    if (this.#tail.length === 0) return bytes;
    const data = new Uint8Array(this.#tail.length + bytes.length);
    data.set(this.#tail);
    data.set(bytes, this.#tail.length);
    return data;
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let from = 0; from < bytes.length; ) {
        const piece = bytes.subarray(from, from + maxWriteBytes);
        const length = from + piece.length < bytes.length ? wholeCharacters(piece) : piece.length;
        this.#emulator.write(piece.subarray(0, length));
        from += length;
      }
    } catch {
      // A fault of the emulator: after it, it parses nothing any more.
      this.#renew(this.#emulator.size);
      this.#damaged = true;
    }
  }

  #renew(size: Size): void {
    this.#emulator.dispose();
    this.#emulator = new Emulator(size, this.#scrollback);
    this.#finder = new GroundFinder(this.#emulator.core._inputHandler._parser._transitions.table);
    this.#tail = new Uint8Array(0);
    this.#astray = false;
  }
}

/** Without control and direction characters, and short: a title is data of an untrusted program, and ends up in lists, tabs and logs. */
function cleanTitle(title: string): string {
  const clean = title.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "");
  return clean.slice(0, maxTitle).replace(/[\ud800-\udbff]$/, "");
}
