/**
 * The sending half of a stream: one client's view of one session, from its first screen to its last byte. Owns the cursor in the history,
 * the credit, the falling back to snapshots and the order of everything said on the stream. Refuses input, roles and sizes (the session's),
 * and knows no socket: it is pulled by whoever has room, and says when there may be something to pull.
 *
 *     beginning -> replaying -> live -> closed          beginning: waits for its first snapshot
 *          \________________/^    \-> replaying         replaying again: a reset
 */
import { type Failure, failure, unreachable } from "../protocol/errors.js";
import type { AgentMessage, AgentMessageOf, Attach } from "../protocol/messages.js";
import type { ExitStatus, Size, StreamRole } from "../protocol/values.js";
import type { Clock } from "../transport/transport.js";
import type { Reader, ReaderOptions } from "./history.js";
import { Behind, Pace } from "./stream-lag.js";

/** A screen as bytes: they begin with RIS, and fed to a fresh emulator of that size they give the state at `at`. */
export interface StreamSnapshot {
  at: number;
  size: Size;
  bytes: Uint8Array;
}

/** What a stream reads of its session's output. */
export interface StreamHistory {
  readonly base: number;
  readonly end: number;
  sizeAt(seq: number): Size;
  sizeAfter(seq: number): Size;
  reader(from: number, options?: ReaderOptions): Reader;
}

/** What a stream needs of its session. */
export interface StreamSource {
  readonly sessionId: string;
  readonly history: StreamHistory;
  /** Bytes of history behind the end that a reader may be without being lost. */
  readonly ringBytes: number;
  /** Lines of scrollback that the session's own emulator keeps. */
  readonly scrollback: number;
  /** Bytes of output that the session's emulator has not read: its next snapshot stands no earlier than that before the end. */
  readonly backlog: number;
  /** How the program ended; null while it runs. Nothing is appended after it. */
  readonly exit: ExitStatus | null;
  /** When the last output came, on the clock. */
  readonly lastOutput: number;
  snapshot(options: { scrollback: number }): Promise<StreamSnapshot>;
  /** The emulator's hash at a sequence; null when that is past. */
  hash(at: number): Promise<string | null>;
  /** A client's screen was another one than the session's. */
  mismatched(): void;
  /** Pauses the program until released by the same object. */
  hold(by: object): void;
  release(by: object): void;
}

export interface StreamPort {
  /** At once, before any bytes that were not pulled yet. */
  control(message: AgentMessage): void;
  bytes(kind: "data" | "snapshot", position: number, bytes: Uint8Array): void;
  /** Something may be ready: call `pull` when there is room. Called from anywhere, also from within `pull`. */
  ready(): void;
  /** Nothing more comes on this stream: its session ended (null), or it failed. */
  finished(error: Failure | null): void;
}

export interface SendingStreamOptions {
  stream: number;
  source: StreamSource;
  port: StreamPort;
  clock: Clock;
  begin: Pick<Attach, "resumeFrom" | "from" | "scrollback" | "onLag">;
  /** Asked at the moment `attached` is said. */
  holder(): { role: StreamRole; inputReceived: number | null };
  /** On a resume: the holder's emulator had its scrollback already. */
  hasScrollback: boolean;
}

/** Milliseconds between two snapshots of one stream: a viewer that cannot follow sees four screens a second. */
export const snapshotIntervalMs = 250;
/** Without output for this long a session counts as quiet: then the scrollback, which is large, disturbs nobody. */
export const quietMs = 300;
/** A program that never rests (a clock, a spinner) gets its scrollback after this long, if it prints less than `murmurBytes` a check. */
const restlessMs = 3000;
const murmurBytes = 16 * 1024;
/** Largest snapshot a client collects; protocol §3. */
export const maxSnapshotBytes = 16 * 1024 * 1024;
/** Unread output that a stream may keep alive behind a snapshot, until it is back in the ring. More would let one stalled client grow the agent. */
const pinBytes = 8 * 1024 * 1024;
/** The same while the snapshot is being made: the emulator's own backlog stands before it. */
const waitingPinBytes = 40 * 1024 * 1024;

type ResetReason = AgentMessageOf<"reset">["reason"];
/** Most urgent first. */
const reasons = ["lag", "mismatch", "resize", "scrollback"] as const satisfies readonly ResetReason[];

/** `reader` stands at `snapshot.at`, pinned, so that what follows the snapshot is there when it has been sent. */
interface Prepared {
  reason: ResetReason;
  snapshot: StreamSnapshot;
  reader: Reader;
}

type State =
  | { state: "beginning" }
  | { state: "replaying"; snapshot: StreamSnapshot; offset: number; reader: Reader }
  | { state: "live"; reader: Reader }
  | { state: "closed" };

export class SendingStream {
  readonly #options: SendingStreamOptions;
  readonly #source: StreamSource;
  readonly #port: StreamPort;
  readonly #clock: Clock;
  readonly #id: number;
  #state: State = { state: "beginning" };
  /** A hash is being compared; `next` came meanwhile. */
  #checking: { next: { at: number; value: string } | null } | null = null;
  /** Bytes carried so far, snapshots included, and up to where they may go. */
  #carried = 0;
  #credit = 0;

  readonly #wanted = new Set<ResetReason>();
  #prepared: Prepared | null = null;
  /** Keeps the output since a snapshot was asked for. */
  #waitingPin: Reader | null = null;
  #asking = false;
  #lastSnapshot = Number.NEGATIVE_INFINITY;
  #snapshotTimer: (() => void) | null = null;
  #scrollbackSince = 0;
  #endAtCheck = 0;
  #scrollbackDone: boolean;

  readonly #behind: Behind;
  readonly #pace: Pace;

  constructor(options: SendingStreamOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#port = options.port;
    this.#clock = options.clock;
    this.#id = options.stream;
    this.#scrollbackDone = options.hasScrollback;
    const { clock, source } = options;
    this.#behind = new Behind({
      clock,
      bytes: () => this.#behindBytes(),
      say: (ms, bytes) => options.port.control({ t: "behind", stream: options.stream, ms, bytes }),
    });
    const holding = { carried: () => this.#carried, hold: () => source.hold(this), release: () => source.release(this) };
    const pace = options.begin.onLag === "pace" && options.holder().role === "operator";
    this.#pace = new Pace({ clock, ringBytes: source.ringBytes, ...holding }, pace);
  }

  get state(): State["state"] {
    return this.#state.state;
  }

  /** The next sequence this stream sends; null before it began and after it closed. */
  get cursor(): number | null {
    return this.#state.state === "live" || this.#state.state === "replaying" ? this.#state.reader.seq : null;
  }

  /** The receiving emulator has its scrollback; what a later resume of the same holder needs to know. */
  get hasScrollback(): boolean {
    return this.#scrollbackDone;
  }

  /** Begins: `attached` is said at once, or after the first snapshot was made. */
  start(): void {
    const { resumeFrom, from, scrollback } = this.#options.begin;
    const { base, end } = this.#source.history;
    const usesScreen = scrollback !== "none" || from === "screen";
    if (resumeFrom !== null && resumeFrom >= base && resumeFrom <= end) {
      this.#beginLive("resume", resumeFrom, 0);
    } else if (resumeFrom !== null) {
      if (usesScreen) this.#beginSnapshot();
      else this.#beginLive("live", Math.min(Math.max(resumeFrom, base), end), Math.max(0, base - resumeFrom));
    } else if (from === "screen") {
      this.#beginSnapshot();
    } else {
      const asked = from === "now" ? end : from === "oldest" ? base : from;
      this.#beginLive("live", Math.min(Math.max(asked, base), end), Math.max(0, base - asked));
    }
  }

  /** The client allows bytes up to here. Lower or equal: an old message, dropped. */
  credit(upTo: number): void {
    if (upTo <= this.#credit || this.#state.state === "closed") return;
    this.#credit = upTo;
    this.#schedule();
    this.#port.ready();
  }

  /** The session has new output, a marker, or ended. */
  output(): void {
    if (this.#state.state === "closed") return;
    this.#boundPins();
    this.#pace.grown(this.#behindBytes());
    if (this.#source.exit !== null && this.#snapshotTimer !== null) {
      this.#snapshotTimer();
      this.#snapshotTimer = null;
      this.#schedule();
    }
    if (this.#state.state !== "beginning" && this.#behindBytes() > 0) this.#behind.some();
    this.#port.ready();
  }

  /** Whether the stream's role allows it to slow the program. */
  setRole(role: StreamRole): void {
    this.#pace.on = this.#options.begin.onLag === "pace" && role === "operator";
  }

  /** The pane's screen has this hash after the byte before `at`. */
  hash(at: number, value: string): void {
    if (this.#checking !== null) {
      // One at a time, the newest next: hashing a screen costs the agent, asking for it costs a client nothing.
      this.#checking.next = { at, value };
      return;
    }
    this.#checking = { next: null };
    void this.#source.hash(at).then((own) => {
      const next = this.#checking?.next ?? null;
      this.#checking = null;
      if (this.#state.state === "closed") return;
      if (own === value) {
        this.#port.control({ t: "verified", stream: this.#id, at });
      } else if (own !== null) {
        this.#source.mismatched();
        this.#want("mismatch");
        this.#port.ready();
      }
      if (next !== null) this.hash(next.at, next.value);
    });
  }

  /**
   * Sends what is next, at most one frame of bytes: up to `maxBytes` and `maxCost` cells, with the messages that stand before it. Returns
   * how many bytes went; 0: nothing until `ready` is called again.
   */
  pull(maxBytes: number, maxCost: number): number {
    const sent = this.#pull(Math.min(maxBytes, this.#credit - this.#carried), maxCost);
    this.#carried += sent;
    this.#afterPull();
    return sent;
  }

  /** Ends the stream without a word and frees what it holds. */
  close(): void {
    if (this.#state.state === "closed") return;
    if (this.#state.state !== "beginning") this.#state.reader.close();
    this.#state = { state: "closed" };
    this.#prepared?.reader.close();
    this.#prepared = null;
    this.#waitingPin?.close();
    this.#waitingPin = null;
    this.#snapshotTimer?.();
    this.#snapshotTimer = null;
    this.#behind.close();
    this.#pace.close();
  }

  #beginLive(start: "resume" | "live", seq: number, skipped: number): void {
    const { history } = this.#source;
    // The receiver may or may not have applied markers that stand exactly here: it gets the size after them, twice if it must.
    const size = history.sizeAfter(seq);
    const marked = start === "resume" && !sameSize(history.sizeAt(seq), size);
    this.#state = { state: "live", reader: history.reader(seq, { pin: false, passMarkersAt: true }) };
    // An emulator that sees the output from its first byte makes its own scrollback; another one gets it, with its screen, when quiet.
    if (seq === 0 || this.#options.begin.scrollback === "none") this.#scrollbackDone = true;
    this.#sayAttached(start, seq, 0, skipped, size);
    if (marked) this.#port.control({ t: "resized", stream: this.#id, at: seq, cols: size.cols, rows: size.rows });
    if (!this.#scrollbackDone) this.#want("scrollback");
    this.output();
  }

  #beginSnapshot(): void {
    const { scrollback, resumeFrom } = this.#options.begin;
    // After an exit nothing follows the first screen: it comes with everything.
    const lines = this.#source.exit === null ? 0 : this.#lines();
    this.#lastSnapshot = this.#clock.now();
    this.#ask(lines, (snapshot, reader) => {
      const skipped = resumeFrom === null ? 0 : Math.max(0, snapshot.at - resumeFrom);
      this.#state = { state: "replaying", snapshot, offset: 0, reader };
      this.#sayAttached("snapshot", snapshot.at, snapshot.bytes.length, skipped, snapshot.size);
      this.#scrollbackDone = scrollback === "none" || lines >= scrollback;
      if (!this.#scrollbackDone) this.#want("scrollback");
      this.output();
    });
    this.#pace.grown(this.#behindBytes());
  }

  #sayAttached(start: "resume" | "live" | "snapshot", seq: number, snapshotBytes: number, skipped: number, size: Size): void {
    const { role, inputReceived } = this.#options.holder();
    const { sessionId } = this.#source;
    this.#port.control({ t: "attached", stream: this.#id, sessionId, start, seq, snapshotBytes, skipped, role, size, inputReceived });
  }

  #pull(room: number, maxCost: number): number {
    for (;;) {
      const state = this.#state;
      switch (state.state) {
        case "beginning":
        case "closed":
          return 0;
        case "replaying": {
          const { snapshot, offset, reader } = state;
          const bytes = snapshot.bytes.subarray(offset, offset + Math.max(0, room));
          if (bytes.length === 0 && offset < snapshot.bytes.length) return 0;
          if (bytes.length > 0) this.#port.bytes("snapshot", offset, bytes);
          state.offset += bytes.length;
          if (state.offset === snapshot.bytes.length) this.#replayed(snapshot, reader);
          if (bytes.length > 0) return bytes.length;
          break;
        }
        case "live": {
          const sent = this.#pullLive(state.reader, room, maxCost);
          if (sent !== "again") return sent;
          break;
        }
        default:
          unreachable(state);
      }
    }
  }

  #replayed(snapshot: StreamSnapshot, pinned: Reader): void {
    const { at, size } = snapshot;
    this.#port.control({ t: "snapshot-end", stream: this.#id, at, cols: size.cols, rows: size.rows });
    // Still pinned: the ring may have passed it while the screen was sent.
    this.#state = { state: "live", reader: pinned };
  }

  #pullLive(reader: Reader, room: number, maxCost: number): number | "again" {
    if (reader.seq >= this.#source.history.base) reader.unpin();
    if (reader.lost) this.#want("lag");
    const prepared = this.#prepared;
    if (prepared !== null && (reader.lost || prepared.snapshot.at <= reader.seq)) {
      this.#reset(prepared, reader);
      return "again";
    }
    const upTo = prepared === null ? room : Math.min(room, prepared.snapshot.at - reader.seq);
    const slice = reader.next(Math.max(0, upTo), maxCost);
    if (slice === null) {
      this.#finish(reader);
      return 0;
    }
    if (slice.kind === "size") {
      const { cols, rows } = slice.size;
      this.#port.control({ t: "resized", stream: this.#id, at: slice.seq, cols, rows });
      const { scrollback } = this.#options.begin;
      // With fewer lines above it an emulator reflows to another screen than the session's.
      if (scrollback !== "none" && scrollback < this.#source.scrollback) this.#want("resize");
      return "again";
    }
    this.#port.bytes("data", slice.seq, slice.bytes);
    return slice.bytes.length;
  }

  #reset(prepared: Prepared, reader: Reader): void {
    const { snapshot } = prepared;
    const lost = reader.lost;
    const { cols, rows } = snapshot.size;
    this.#port.control({
      t: "reset",
      stream: this.#id,
      reason: lost ? "lag" : prepared.reason,
      at: snapshot.at,
      cols,
      rows,
      skipped: lost ? Math.max(0, snapshot.at - reader.seq) : 0,
      snapshotBytes: snapshot.bytes.length,
    });
    this.#prepared = null;
    this.#wanted.delete("lag");
    reader.close();
    this.#state = { state: "replaying", snapshot, offset: 0, reader: prepared.reader };
  }

  /** Says `exit` once everything before it is said. */
  #finish(reader: Reader): void {
    const { exit, history } = this.#source;
    if (exit === null || reader.lost || reader.seq < history.end) return;
    if (this.#prepared !== null || this.#wanted.size > 0 || this.#asking) return;
    this.#port.control({ t: "exit", stream: this.#id, seq: history.end, status: exit });
    this.close();
    this.#port.finished(null);
  }

  #afterPull(): void {
    if (this.#state.state === "closed" || this.#state.state === "beginning") return;
    const behind = this.#behindBytes();
    if (behind === 0) this.#behind.none();
    this.#pace.shrunk(behind);
    this.#schedule();
  }

  // ---- snapshots ---------------------------------------------------------------------------------------------------------------

  /** Lines of scrollback this stream's emulator has room for. */
  #lines(): number {
    const { scrollback } = this.#options.begin;
    return scrollback === "none" ? 0 : Math.min(scrollback, this.#source.scrollback);
  }

  #want(reason: ResetReason): void {
    if (this.#wanted.has(reason)) return;
    if (reason === "scrollback") {
      this.#scrollbackSince = this.#clock.now();
      this.#endAtCheck = this.#source.history.end;
    }
    this.#wanted.add(reason);
    this.#schedule();
  }

  /** Asks for the most urgent snapshot when its time has come, else sets one timer for it. */
  #schedule(): void {
    if (this.#wanted.size === 0 || this.#asking || this.#prepared !== null || this.#snapshotTimer !== null) return;
    if (this.#state.state !== "live") return;
    // A viewer that takes nothing needs no snapshot: it would be old by the time it is taken.
    if (this.#credit <= this.#carried) return;
    const reason = reasons.find((one) => this.#wanted.has(one));
    if (reason === undefined) return;
    const now = this.#clock.now();
    const wait = Math.max(this.#lastSnapshot + snapshotIntervalMs - now, reason === "scrollback" ? this.#untilQuiet(now) : 0);
    // Nothing is printed any more after an exit: the next snapshot is the last.
    if (wait > 0 && this.#source.exit === null) {
      this.#snapshotTimer = this.#clock.after(wait, () => {
        this.#snapshotTimer = null;
        this.#schedule();
      });
      return;
    }
    this.#lastSnapshot = now;
    const lines = reason === "lag" ? 0 : this.#lines();
    this.#ask(lines, (snapshot, reader) => {
      // A full screen serves every reason; one without scrollback serves only the lag, and owes the lines.
      if (reason === "lag") {
        this.#wanted.delete("lag");
        if (this.#lines() > 0) {
          this.#scrollbackDone = false;
          this.#want("scrollback");
        }
      } else {
        this.#wanted.clear();
        this.#scrollbackDone = true;
      }
      this.#prepared = { reason, snapshot, reader };
      this.#port.ready();
    });
  }

  /** Milliseconds until the scrollback may be sent; 0: now. */
  #untilQuiet(now: number): number {
    const { history, lastOutput } = this.#source;
    const caughtUp = this.#behindBytes() === 0;
    const printed = history.end - this.#endAtCheck;
    this.#endAtCheck = history.end;
    if (caughtUp && now - lastOutput >= quietMs) return 0;
    if (caughtUp && now - this.#scrollbackSince >= restlessMs && printed < murmurBytes) return 0;
    return caughtUp ? Math.max(1, Math.min(quietMs, lastOutput + quietMs - now)) : quietMs;
  }

  #ask(scrollback: number, then: (snapshot: StreamSnapshot, reader: Reader) => void): void {
    const { history, backlog } = this.#source;
    this.#asking = true;
    this.#waitingPin ??= history.reader(Math.max(0, history.end - backlog), { pin: true });
    this.#source.snapshot({ scrollback }).then(
      (snapshot) => {
        this.#asking = false;
        if (this.#state.state === "closed") return;
        if (snapshot.bytes.length > maxSnapshotBytes && scrollback > 0) {
          this.#ask(Math.floor(scrollback / 2), then);
          return;
        }
        const reader = history.reader(snapshot.at, { pin: true, reached: snapshot.size });
        this.#waitingPin?.close();
        this.#waitingPin = null;
        then(snapshot, reader);
      },
      () => this.#fail(failure("internal", "The session's screen could not be made. Attach again.", { retry: "later" })),
    );
  }

  #fail(error: Failure): void {
    if (this.#state.state === "closed") return;
    this.close();
    this.#port.control({ t: "error", stream: this.#id, error });
    this.#port.finished(error);
  }

  /** Lets go of pinned output when a client does not move on: it will be skipped. */
  #boundPins(): void {
    const { history } = this.#source;
    if (this.#waitingPin !== null && history.end - this.#waitingPin.seq > waitingPinBytes) {
      this.#waitingPin.close();
      this.#waitingPin = null;
    }
    for (const of of [this.#prepared, this.#state]) {
      if (of !== null && "reader" in of && history.end - of.reader.seq > pinBytes) of.reader.unpin();
    }
  }

  #behindBytes(): number {
    return this.#source.history.end - (this.cursor ?? this.#waitingPin?.seq ?? this.#source.history.end);
  }
}

function sameSize(one: Size, other: Size): boolean {
  return one.cols === other.cols && one.rows === other.rows;
}
