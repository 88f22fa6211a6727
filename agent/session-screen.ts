/**
 * A session's screen as the main thread sees it: reads the history in order, hands it to the thread that parses when that is worth it, and
 * asks it things at exact sequences. Owns the position, what was asked, and the checkpoint from which everything is done again when the
 * thread is lost. Parses nothing.
 */
import type { Colours, ScreenText, Size } from "../protocol/values.js";
import type { Reader } from "./history.js";
import type { ScreenTask, TaskDone, TaskResult } from "./screen-messages.js";
import type { TaskTaker, ThreadTask } from "./screen-thread.js";

/** A screen at a sequence: the bytes begin with RIS and make it in any fresh xterm of that size. */
export interface Snapshot {
  at: number;
  size: Size;
  bytes: Uint8Array;
  /** Something that led to this screen is missing. */
  gap: boolean;
}

export interface Screen {
  /** Output or a size was added to the history; it is read when output rests. */
  poke(): void;
  /** Bytes that are not in the screen yet. No snapshot stands further behind the end than this. */
  readonly backlog: number;
  /** `backlog` fell below half of `maxBacklog`. */
  onBacklog(handler: () => void): void;
  /** The screen at the end as of now; 0: without scrollback. */
  snapshot(options: { scrollback: number }): Promise<Snapshot>;
  /** The reply to a query that stood at this sequence; empty: none. */
  answer(query: Uint8Array, seq: number, view: AnswerView): Promise<Uint8Array>;
  /** The screen at the end as of now. */
  text(options: { ansi: boolean }): Promise<ScreenText>;
  /** The screen's hash at a sequence; null: it is past. */
  hash(at: number): Promise<string | null>;
  /** The title changed; cleaned, at most 256 characters. */
  onTitle(handler: (title: string) => void): void;
  close(): void;
}

export interface AnswerView {
  colours: Colours | null;
  cellWidth: number;
  cellHeight: number;
  size: Size;
}

export interface ScreenOptions {
  /** A pinned reader; `reached`: markers at `from` up to this size have been seen. */
  reader: (from: number, reached?: Size) => Reader;
  /** The end of the history. */
  end: () => number;
  size: Size;
  scrollback: number;
}

/** Unread bytes at which a session pauses its pty. Design §5. */
export const maxBacklog = 32 * 1024 * 1024;

/** No emulator gets more at once. Design §5. */
const maxSliceBytes = 64 * 1024;
const maxSliceCells = 100_000;
/** After a slice killed its thread: small, so that little is lost if it does so again. */
const carefulSliceBytes = 4 * 1024;

/** One slice is parsed while the next is on its way. */
const maxGiven = 2;

/** Output that pauses this long is worth parsing: short enough for a title to follow, long enough not to parse in the middle of a burst. */
const restMs = 40;
/** And so is output that never pauses. */
const maxUnreadMs = 1000;
/** A burst up to this is parsed after it, when the cores have time. */
const eagerBytes = 8 * 1024 * 1024;

/** A checkpoint is taken each so many bytes; a large one less often, since making it takes as long as parsing some megabytes. */
const checkpointBytes = { least: 4 * 1024 * 1024, most: 16 * 1024 * 1024, perSnapshotByte: 16, idle: 1024 * 1024 } as const;

interface Request {
  at: number;
  task: ScreenTask;
  settle(result: TaskResult, at: number): void;
  /** A thread was lost over it. */
  killed: boolean;
}

interface Checkpoint {
  at: number;
  size: Size;
  /** Null: an empty screen. */
  bytes: Uint8Array<ArrayBuffer> | null;
  /** Keeps the history from there on. */
  pin: Reader;
  gap: boolean;
}

interface Range {
  from: number;
  to: number;
}

export class SessionScreen implements Screen {
  readonly #options: ScreenOptions;
  readonly #number: number;
  readonly #whenClosed: () => void;
  #thread: TaskTaker | null = null;
  #reader: Reader;
  #size: Size;
  /** Where the emulator stands, as far as is known. */
  #at: number;
  #given = 0;
  /** A thread that was lost answers no more: its tasks carry an older number. */
  #life = 0;
  #catchingUp = false;
  #lastPoke = 0;
  #unreadSince = 0;
  #timer: NodeJS.Timeout | null = null;
  #requests: Request[] = [];
  /** Given to the thread and not answered. */
  #asked: Request[] = [];
  #checkpoint: Checkpoint;
  #checkpointAsked = false;
  #gap = false;
  /** Bytes that killed a thread, and those that did so again. */
  #suspect: Range | null = null;
  #poison: Range | null = null;
  #fillKilledAt = -1;
  #title = "";
  #onTitle: ((title: string) => void) | null = null;
  #onBacklog: (() => void) | null = null;
  #closed = false;

  /** `closed` is called when it is. */
  constructor(number: number, options: ScreenOptions, closed: () => void) {
    this.#number = number;
    this.#options = options;
    this.#whenClosed = closed;
    this.#size = options.size;
    this.#reader = this.#readerAt(0);
    this.#at = this.#reader.seq;
    this.#checkpoint = { at: this.#at, size: this.#size, bytes: null, pin: options.reader(this.#at), gap: this.#gap };
  }

  /** The thread to parse in. After a loss: another, where everything since the checkpoint is done again. */
  moveTo(thread: TaskTaker): void {
    this.#thread = thread;
    this.#life += 1;
    this.#given = 0;
    const { at, size, bytes, gap } = this.#checkpoint;
    this.#reader.close();
    this.#reader = this.#options.reader(at, size);
    this.#at = at;
    this.#size = size;
    this.#gap = gap;
    this.#give({ task: "begin", at, size, scrollback: this.#options.scrollback }, null);
    for (let from = 0; bytes !== null && from < bytes.length; from += maxSliceBytes) {
      this.#give({ task: "fill", bytes: bytes.slice(from, from + maxSliceBytes) }, null);
    }
    this.#requests = [...this.#asked, ...this.#requests];
    this.#asked = [];
    this.#checkpointAsked = this.#requests.some((request) => request.settle === this.#keepCheckpoint);
    this.#pump();
  }

  /** The thread was lost; `guilty` when it was over this screen's task. */
  lost(guilty: ScreenTask | null): void {
    this.#thread = null;
    // What is done over is done at once: a hang must not come back at a moment when somebody waits.
    this.#catchingUp = true;
    if (guilty === null) return;
    switch (guilty.task) {
      case "bytes":
      case "skip":
        this.#suspectBytes();
        return;
      case "begin":
      case "fill":
      case "size":
        this.#suspectFill();
        return;
      default:
        this.#suspectRequest();
    }
  }

  get number(): number {
    return this.#number;
  }

  get backlog(): number {
    return this.#options.end() - this.#at;
  }

  poke(): void {
    if (this.#closed) return;
    const now = performance.now();
    this.#lastPoke = now;
    if (this.#unreadSince === 0) this.#unreadSince = now;
    if (!this.#catchingUp && this.#options.end() - this.#reader.seq >= eagerBytes) this.#catchingUp = true;
    if (this.#catchingUp) this.#pump();
    else if (this.#timer === null) this.#startTimer(restMs);
  }

  onBacklog(handler: () => void): void {
    this.#onBacklog = handler;
  }

  onTitle(handler: (title: string) => void): void {
    this.#onTitle = handler;
  }

  snapshot({ scrollback }: { scrollback: number }): Promise<Snapshot> {
    // The reader that follows the snapshot is made when it is there: until then this one keeps its sequence.
    const pin = this.#options.reader(this.#at);
    return new Promise((resolve) => {
      this.#ask({ task: "snapshot", scrollback }, this.#options.end(), (result, at) => {
        if (result.kind === "snapshot") {
          const { snapshot } = result;
          const gap = this.#gap || snapshot.damaged;
          resolve({ at: snapshot.at, size: snapshot.size, bytes: snapshot.bytes, gap });
          if (scrollback >= this.#options.scrollback) this.#keepCheckpoint(result, at);
        } else {
          resolve({ at, size: this.#size, bytes: new Uint8Array([0x1b, 0x63]), gap: true });
        }
        setImmediate(() => pin.close());
      });
    });
  }

  answer(query: Uint8Array, seq: number, view: AnswerView): Promise<Uint8Array> {
    return new Promise((resolve) => {
      this.#ask({ task: "answer", query: query.slice(), view }, seq, (result) => {
        resolve(result.kind === "answer" ? result.reply : new Uint8Array(0));
      });
    });
  }

  text({ ansi }: { ansi: boolean }): Promise<ScreenText> {
    return new Promise((resolve) => {
      this.#ask({ task: "text", ansi }, this.#options.end(), (result, at) => {
        resolve(result.kind === "text" ? result.text : emptyText(this.#size, at, this.#title));
      });
    });
  }

  hash(at: number): Promise<string | null> {
    if (at < this.#reader.seq || at > this.#options.end()) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#ask({ task: "hash" }, at, (result) => resolve(result.kind === "hash" ? result.hash : null));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#thread?.forget(this.#number);
    this.#thread = null;
    this.#reader.close();
    this.#checkpoint.pin.close();
    this.#whenClosed();
    for (const request of [...this.#asked, ...this.#requests]) request.settle({ kind: "none" }, this.#at);
    this.#asked = [];
    this.#requests = [];
  }

  // ---- reading and asking ----------------------------------------------------------------------------------------------------

  #ask(task: ScreenTask, at: number, settle: Request["settle"]): void {
    if (this.#closed) {
      settle({ kind: "none" }, this.#at);
      return;
    }
    let place = this.#requests.length;
    while (place > 0 && (this.#requests[place - 1]?.at ?? 0) > at) place -= 1;
    this.#requests.splice(place, 0, { at, task, settle, killed: false });
    this.#pump();
  }

  #pump(): void {
    while (this.#thread !== null && this.#given < maxGiven) {
      const request = this.#requests[0];
      const { seq } = this.#reader;
      if (request !== undefined && request.at <= seq) {
        // Sizes that were set at this very sequence come first.
        const marker = this.#reader.next(0, 0);
        if (marker?.kind === "size") {
          this.#giveSize(marker.size);
          continue;
        }
        this.#requests.shift();
        this.#asked.push(request);
        this.#give(request.task, request);
        continue;
      }
      if (request === undefined && !this.#catchingUp) return;
      if (!this.#giveNext(request === undefined ? Infinity : request.at)) return;
    }
  }

  /** Gives the next slice, at most up to a sequence; false: there is none. */
  #giveNext(upTo: number): boolean {
    const { seq } = this.#reader;
    const { most, poison } = this.#sliceAt(seq);
    const slice = this.#reader.next(Math.min(most, upTo - seq), maxSliceCells);
    if (slice === null) {
      this.#catchingUp = false;
      this.#unreadSince = 0;
      return this.#fedSinceCheckpoint() >= checkpointBytes.idle && this.#askCheckpoint();
    }
    if (slice.kind === "size") {
      this.#giveSize(slice.size);
      return true;
    }
    // A copy: what is handed over takes its whole buffer along.
    const bytes = slice.bytes.slice();
    if (poison) {
      this.#gap = true;
      this.#give({ task: "skip", bytes, size: this.#size }, null);
      // Whatever is lost from here on must not lead through those bytes again.
      this.#askCheckpoint();
    } else {
      this.#give({ task: "bytes", bytes }, null);
    }
    if (this.#fedSinceCheckpoint() >= this.#checkpointInterval()) this.#askCheckpoint();
    return true;
  }

  /** How much to read at a sequence, so that what killed a thread is met in small pieces, and what killed two alone. */
  #sliceAt(seq: number): { most: number; poison: boolean } {
    const suspect = this.#suspect;
    if (this.#poison !== null && seq < this.#poison.to) {
      const { from, to } = this.#poison;
      if (seq >= from) return { most: Math.min(maxSliceBytes, to - seq), poison: true };
      return { most: Math.min(maxSliceBytes, from - seq), poison: false };
    }
    if (suspect === null || seq >= suspect.to) return { most: maxSliceBytes, poison: false };
    return { most: seq >= suspect.from ? carefulSliceBytes : Math.min(maxSliceBytes, suspect.from - seq), poison: false };
  }

  #giveSize(size: Size): void {
    this.#size = size;
    this.#give({ task: "size", size }, null);
  }

  #give(task: ScreenTask, request: Request | null): void {
    const thread = this.#thread;
    if (thread === null) return;
    this.#given += 1;
    const life = this.#life;
    const given: ThreadTask = {
      screen: this.#number,
      task,
      done: (done) => {
        if (life === this.#life && !this.#closed) this.#done(done, request);
      },
    };
    thread.give(given);
  }

  #done({ at, title, result }: TaskDone, request: Request | null): void {
    this.#given -= 1;
    const before = this.backlog;
    this.#at = at;
    if (this.#suspect !== null && at >= this.#suspect.to) this.#suspect = null;
    if (this.#poison !== null && at >= this.#poison.to) this.#poison = null;
    if (request !== null) {
      this.#asked = this.#asked.filter((asked) => asked !== request);
      request.settle(result, at);
    }
    if (before >= maxBacklog / 2 && this.backlog < maxBacklog / 2) this.#onBacklog?.();
    if (title !== this.#title) {
      this.#title = title;
      this.#onTitle?.(title);
    }
    this.#pump();
  }

  #startTimer(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#closed || this.#catchingUp) return;
      const now = performance.now();
      const rested = now - this.#lastPoke;
      if (rested < restMs && now - this.#unreadSince < maxUnreadMs) {
        this.#startTimer(restMs - rested);
        return;
      }
      this.#catchingUp = true;
      this.#pump();
    }, ms);
    this.#timer.unref();
  }

  #readerAt(from: number): Reader {
    const reader = this.#options.reader(from);
    if (!reader.lost) return reader;
    // What was there is gone: an empty screen from here on.
    reader.close();
    this.#gap = true;
    return this.#options.reader(this.#options.end());
  }

  // ---- checkpoints -----------------------------------------------------------------------------------------------------------

  #fedSinceCheckpoint(): number {
    return this.#reader.seq - this.#checkpoint.at;
  }

  #checkpointInterval(): number {
    const { least, most, perSnapshotByte } = checkpointBytes;
    return Math.min(most, Math.max(least, (this.#checkpoint.bytes?.length ?? 0) * perSnapshotByte));
  }

  /** True: one was asked for. */
  #askCheckpoint(): boolean {
    if (this.#checkpointAsked) return false;
    this.#checkpointAsked = true;
    const task: ScreenTask = { task: "snapshot", scrollback: this.#options.scrollback };
    this.#requests.unshift({ at: this.#reader.seq, task, settle: this.#keepCheckpoint, killed: false });
    return true;
  }

  readonly #keepCheckpoint = (result: TaskResult, _at: number): void => {
    this.#checkpointAsked = false;
    if (result.kind !== "snapshot" || this.#closed || result.snapshot.at < this.#checkpoint.at) return;
    const { at, size, bytes, damaged } = result.snapshot;
    // The new pin first: the old one keeps what it needs.
    const pin = this.#options.reader(at, size);
    this.#checkpoint.pin.close();
    this.#checkpoint = { at, size, bytes, pin, gap: this.#gap || damaged };
  };

  // ---- what killed a thread --------------------------------------------------------------------------------------------------

  /** The slice that was being parsed began where the emulator stands. */
  #suspectBytes(): void {
    const from = this.#at;
    const again = this.#suspect !== null && from >= this.#suspect.from && from < this.#suspect.to;
    if (again) this.#poison = { from, to: Math.min(from + carefulSliceBytes, this.#reader.seq) };
    else this.#suspect = { from, to: Math.min(from + maxSliceBytes, this.#reader.seq) };
  }

  /** The checkpoint itself, or a size after it: twice at one place, and it is done without what was there. */
  #suspectFill(): void {
    if (this.#fillKilledAt !== this.#at) {
      this.#fillKilledAt = this.#at;
      return;
    }
    const pin = this.#options.reader(this.#at, this.#size);
    this.#checkpoint.pin.close();
    this.#checkpoint = { at: this.#at, size: this.#size, bytes: null, pin, gap: true };
  }

  #suspectRequest(): void {
    const request = this.#asked[0];
    if (request === undefined) return;
    if (!request.killed) {
      request.killed = true;
      return;
    }
    this.#asked.shift();
    request.settle({ kind: "none" }, this.#at);
  }
}

function emptyText(size: Size, seq: number, title: string): ScreenText {
  return {
    cols: size.cols,
    rows: size.rows,
    cursor: { x: 0, y: 0, visible: true },
    seq,
    lines: Array.from({ length: size.rows }, () => ""),
    title,
    hash: "",
    modes: {
      applicationCursorKeys: false,
      applicationKeypad: false,
      bracketedPaste: false,
      alternateScreen: false,
      mouseTracking: "none",
      sendFocus: false,
    },
  };
}
