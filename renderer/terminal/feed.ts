/**
 * Brings a stream's screens, bytes and sizes into an emulator, in their exact order. Owns the rule that an emulator takes a new size only
 * after the byte before it was parsed (xterm resizes at once and parses later: the same bytes would give another screen), and the position
 * up to which everything was parsed. Knows nothing of links and DOM; tests run it on the headless emulator.
 */
import { wholeCharacters } from "../../protocol/character-cut.js";
import type { Size } from "../../protocol/values.js";

/** What is needed of xterm. */
export interface FedTerminal {
  readonly cols: number;
  readonly rows: number;
  resize(cols: number, rows: number): void;
  write(data: Uint8Array, then?: () => void): void;
}

export interface FeedEvents {
  /** Everything up to `seq` of the stream is parsed. Called once for many writes that were parsed together. */
  parsed(stream: number, seq: number): void;
  /** A whole screen of this size stands: attached, or caught up. */
  screen(size: Size, stream: number, seq: number): void;
  /** The size changed within the stream. */
  resized(size: Size, stream: number, seq: number): void;
  /** Nothing waits to be parsed. */
  rest(): void;
}

type Step =
  | { kind: "bytes"; stream: number; seq: number; bytes: Uint8Array }
  | { kind: "size"; stream: number; seq: number; size: Size }
  | { kind: "screen"; stream: number; seq: number; size: Size; parts: Uint8Array[] };

/** Bytes in one write of a snapshot: an emulator parses a write as a whole, and more would block the page for too long. */
const sliceBytes = 64 * 1024;

/** RIS, then "draw nothing until told": old content gives way to the whole new screen in one frame, never to half of it. */
const hold = new TextEncoder().encode("\u001bc\u001b[?2026h");
const release = new TextEncoder().encode("\u001b[?2026l");

export class Feed {
  #stream = 0;
  #collected: Uint8Array[] = [];
  /** The first bytes of a character that a frame cut in two. */
  #begun: Uint8Array = new Uint8Array(0);
  #steps: Step[] = [];
  /** Writes handed to the emulator and not parsed yet. */
  #writing = 0;
  /** A size or a screen is being applied: nothing may be written meanwhile. */
  #applying = false;
  #parsed = { stream: 0, seq: 0 };
  #reportDue = false;
  #closed = false;

  constructor(
    private readonly terminal: FedTerminal,
    private readonly events: FeedEvents,
  ) {}

  /** The sequence up to which everything was parsed. */
  get seq(): number {
    return this.#parsed.seq;
  }

  get stream(): number {
    return this.#stream;
  }

  get resting(): boolean {
    return this.#writing === 0 && !this.#applying && this.#steps.length === 0;
  }

  /** Another stream carries the pane from now on. Half a snapshot of the old one is forgotten; what was collected whole stays. */
  begin(stream: number): void {
    this.#stream = stream;
    this.#collected = [];
  }

  snapshot(bytes: Uint8Array): void {
    this.#collected.push(bytes);
  }

  screen(seq: number, size: Size): void {
    // Whatever still waits is older than this screen, which replaces it as a whole.
    this.#steps = [{ kind: "screen", stream: this.#stream, seq, size, parts: this.#collected }];
    this.#collected = [];
    this.#begun = new Uint8Array(0);
    this.#pump();
  }

  /** Output from `seq` on. A character is written as a whole (protocol/character-cut.ts); one that is cut waits for its other bytes. */
  data(seq: number, bytes: Uint8Array): void {
    const joined = this.#begun.length === 0 ? bytes : concatenated(this.#begun, bytes);
    const whole = wholeCharacters(joined);
    this.#begun = joined.slice(whole);
    if (whole === 0) return;
    const end = seq + bytes.length - this.#begun.length;
    this.#steps.push({ kind: "bytes", stream: this.#stream, seq: end, bytes: joined.subarray(0, whole) });
    this.#pump();
  }

  resized(seq: number, size: Size): void {
    this.#steps.push({ kind: "size", stream: this.#stream, seq, size });
    this.#pump();
  }

  close(): void {
    this.#closed = true;
    this.#steps = [];
    this.#collected = [];
  }

  #pump(): void {
    while (!this.#applying && !this.#closed) {
      const [step] = this.#steps;
      if (step === undefined) return;
      // Bytes may follow bytes at once; sizes and screens wait until everything before them is parsed.
      if (step.kind !== "bytes" && this.#writing > 0) return;
      this.#steps.shift();
      switch (step.kind) {
        case "bytes":
          this.#write(step.bytes, () => this.#advance(step.stream, step.seq));
          break;
        case "size":
          this.#resize(step.size);
          this.events.resized(step.size, step.stream, step.seq);
          this.#restIfDone();
          break;
        case "screen":
          this.#applyScreen(step);
          break;
      }
    }
  }

  #applyScreen(step: Step & { kind: "screen" }): void {
    this.#resize(step.size);
    const slices = cut(step.parts);
    this.#applying = true;
    this.#write(hold, () => {});
    for (const slice of slices) this.#write(slice, () => {});
    this.#write(release, () => {
      this.#applying = false;
      this.#advance(step.stream, step.seq);
      this.events.screen(step.size, step.stream, step.seq);
    });
  }

  #resize(size: Size): void {
    if (this.terminal.cols !== size.cols || this.terminal.rows !== size.rows) this.terminal.resize(size.cols, size.rows);
  }

  #write(bytes: Uint8Array, then: () => void): void {
    this.#writing += 1;
    this.terminal.write(bytes, () => {
      this.#writing -= 1;
      if (this.#closed) return;
      then();
      this.#pump();
      this.#restIfDone();
    });
  }

  #advance(stream: number, seq: number): void {
    this.#parsed = { stream, seq };
    if (this.#reportDue) return;
    this.#reportDue = true;
    // xterm parses many writes in one go and calls back in between: one report for all of them.
    queueMicrotask(() => {
      this.#reportDue = false;
      if (!this.#closed) this.events.parsed(this.#parsed.stream, this.#parsed.seq);
    });
  }

  #restIfDone(): void {
    if (this.resting) this.events.rest();
  }
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** A snapshot without its leading RIS (written by `hold`), in slices of at most 64 KiB that hold whole characters. */
function cut(parts: Uint8Array[]): Uint8Array[] {
  const slices: Uint8Array[] = [];
  let begun: Uint8Array = new Uint8Array(0);
  parts.forEach((part, index) => {
    const from = index === 0 && part[0] === 0x1b && part[1] === 0x63 ? 2 : 0;
    for (let at = from; at < part.length; at += sliceBytes) {
      const joined = concatenated(begun, part.subarray(at, Math.min(part.length, at + sliceBytes)));
      const whole = wholeCharacters(joined);
      slices.push(joined.subarray(0, whole));
      begun = joined.subarray(whole);
    }
  });
  if (begun.length > 0) slices.push(begun);
  return slices;
}
