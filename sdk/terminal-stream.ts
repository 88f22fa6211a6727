/**
 * One program's view of one session: `client.terminal.stream()`. Owns the translation of the client's stream into promises, handlers and
 * typed errors (docs: contracts, "SDK"). The protocol is client/stream.ts's; order and waiting handlers are event-queue.ts's.
 */
import { randomBytes } from "node:crypto";
import type { Connection } from "../client/connection.js";
import type { SendOutcome } from "../client/input-queue.js";
import type { ScreenEvent, Stream, StreamState } from "../client/stream.js";
import { type Failure, failure } from "../protocol/errors.js";
import type { Attached } from "../protocol/messages.js";
import { type ExitStatus, type SignalName, type Size, type StreamRole, signalNames, sizeSchema } from "../protocol/values.js";
import { errorOf, errorWith, MuxdeckError, NotDeliveredError } from "./errors.js";
import { EventQueue, type Handler } from "./event-queue.js";
import { encodeKey, keyNames } from "./keys.js";
import { lineIterator } from "./line-iterator.js";
import { RecentOutput } from "./recent-output.js";
import { type AttachChoices, checkedAttach, checkedChoices, type StreamChoices } from "./stream-choices.js";

/** What `attach` confirmed. */
export interface AttachResult {
  sessionId: string;
  role: StreamRole;
  size: Size;
  /** Sequence at which output begins. */
  seq: number;
}

/** `screen`: the data is a whole snapshot that begins with RIS, and live data continues at `seq`. `live`: `seq` is that of its first byte. */
export interface OutputPosition {
  seq: number;
  kind: "screen" | "live";
}

/** Why nothing more comes. */
export type DoneReason =
  | { reason: "exit"; status: ExitStatus }
  | { reason: "agent-restarted" }
  | { reason: "closed" }
  | { reason: "failed" | "lost"; error: MuxdeckError };

interface StreamEventMap {
  output: { data: Uint8Array; at: OutputPosition };
  gap: { bytes: number; from: number; to: number };
  size: Size;
  role: { role: StreamRole };
  exit: { status: ExitStatus };
  disconnect: { reason: string };
  reconnect: { gapBytes: number };
  error: MuxdeckError;
}

const keepBytes = 1024 * 1024;
const keepEvents = 10_000;
const attachMs = 10_000;
const answerMs = 10_000;
const controlMs = 60_000;
const disposal: typeof Symbol.asyncDispose = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");

type Phase = "new" | "attaching" | "attached" | "closed";

export class TerminalStream {
  /** Resolves, never rejects, when nothing more comes: the session ended, the stream failed or was closed. All events came before. */
  readonly done: Promise<DoneReason>;
  readonly #connection: Connection;
  readonly #choices: Required<StreamChoices>;
  readonly #queue: EventQueue<StreamEventMap>;
  readonly #recent = new RecentOutput();
  readonly #closedBy: (stream: TerminalStream) => void;
  #stream: Stream | null = null;
  #phase: Phase = "new";
  #finish: (reason: DoneReason) => void = () => {};
  #finished: DoneReason | null = null;
  #size: Size | null = null;
  /** Sequence up to which output went to the handlers, for what is printed twice around a screen. */
  #outputTo = 0;
  #disconnected = false;
  #offState: (() => void) | null = null;
  readonly #attachAnswers = new Set<(error: Failure | null) => void>();
  readonly #refusals = new Set<(error: Failure) => void>();
  readonly #roleWaiters = new Set<(role: StreamRole) => void>();
  readonly #sizeWaiters = new Set<(size: Size) => void>();
  readonly #controlWaiters = new Set<(answer: "hand-over" | "both" | "not-now") => void>();
  readonly #endWaiters = new Set<(error: Failure) => void>();

  /** Made by `client.terminal.stream`. */
  constructor(connection: Connection, choices: StreamChoices, closed: (stream: TerminalStream) => void) {
    this.#connection = connection;
    this.#choices = checkedChoices(choices);
    this.#closedBy = closed;
    this.done = new Promise((done) => {
      this.#finish = done;
    });
    this.#queue = new EventQueue<StreamEventMap>({
      keepBytes,
      keepEvents,
      threw: (error) => this.#handlerThrew(error),
      gaveUp: (_kind, event) => {
        if (!("at" in event) || event.at.kind === "screen") return;
        const { seq } = event.at;
        this.#queue.push("gap", { bytes: event.data.length, from: seq, to: seq + event.data.length });
      },
    });
  }

  /** The session's id; null before `attach` was confirmed. */
  get sessionId(): string | null {
    return this.#stream?.sessionId ?? null;
  }

  get role(): StreamRole {
    return this.#stream?.role ?? this.#choices.mode;
  }

  /** The session's size as of the data delivered last; null before `attach` was confirmed. */
  get size(): Size | null {
    return this.#size;
  }

  // ---- handlers: each returns how to remove it; the next event waits for a promise a handler returns --------------------------

  /** Output, in order. What comes before the first handler is kept (1 MiB), then reported by `onGap`. */
  onOutput(handler: (data: Uint8Array, at: OutputPosition) => unknown): () => void {
    return this.#queue.on("output", ({ data, at }) => handler(data, at));
  }

  /** The link broke; once a break. Not on `close`. */
  onDisconnect(handler: Handler<{ reason: string }>): () => void {
    return this.#queue.on("disconnect", handler);
  }

  /** The link is back and output goes on; once a break. `gapBytes` of output will not come. */
  onReconnect(handler: Handler<{ gapBytes: number }>): () => void {
    return this.#queue.on("reconnect", handler);
  }

  /** Output from `from` to `to` will not come: this program was too slow, or was away for too long. */
  onGap(handler: Handler<{ bytes: number; from: number; to: number }>): () => void {
    return this.#queue.on("gap", handler);
  }

  /** A failure that no call of this stream reports, also one thrown by another handler. Without a handler it is thrown where nobody catches it. */
  onError(handler: Handler<MuxdeckError>): () => void {
    return this.#queue.on("error", handler);
  }

  /** The session ended; once, after the last output. */
  onExit(handler: Handler<{ status: ExitStatus }>): () => void {
    return this.#queue.on("exit", handler);
  }

  /** The session's size, at the start and at each change, in its place between the output. */
  onSize(handler: Handler<Size>): () => void {
    return this.#queue.on("size", handler);
  }

  /** What this stream may do was changed, by itself or by somebody else. */
  onRole(handler: Handler<{ role: StreamRole }>): () => void {
    return this.#queue.on("role", handler);
  }

  // ---- calls -----------------------------------------------------------------------------------------------------------------

  /**
   * Attaches to a session by id, unique id prefix or name. Resolves when role, size and position are confirmed. Rejects with
   * NotFoundError, AmbiguousError, OfflineError, TimeoutError.
   */
  async attach(session: string, choices: AttachChoices = {}): Promise<AttachResult> {
    if (this.#phase !== "new") throw errorWith("invalid", "A stream attaches once. Make another one with client.terminal.stream().");
    const { from = "screen", scrollback = "none" } = checkedAttach(session, choices);
    this.#phase = "attaching";
    const { mode, lossless } = this.#choices;
    const holder = randomBytes(16).toString("hex");
    const onLag = lossless ? "pace" : "skip";
    let confirmed: Attached | null = null;
    const options = { session, role: mode, holder, view: null, from, scrollback, onLag } as const;
    const stream = this.#connection.stream(options, {
      state: (state) => this.#stateChanged(state),
      attached: (attached) => {
        confirmed = attached;
        this.#attached(attached);
      },
      screen: (screen) => this.#screen(screen),
      data: (seq, data) => this.#data(seq, data),
      resized: (_at, size) => this.#resized(size),
      gap: (from, to) => this.#gap(from, to),
      role: (role) => this.#roleChanged(role),
      refused: (error) => this.#refused(error),
      controlAnswered: (answer) => {
        for (const waiter of [...this.#controlWaiters]) waiter(answer);
      },
    });
    this.#stream = stream;
    this.#offState = this.#connection.onState((state) => {
      if (state.state === "lost") this.#end({ reason: "lost", error: errorOf(state.error) });
    });
    const answer = this.#answer<null>("The session did not confirm the attach", choices.timeoutMs ?? attachMs, (settle) => {
      const handler = (error: Failure | null) => settle(error ?? null, null);
      this.#attachAnswers.add(handler);
      return () => this.#attachAnswers.delete(handler);
    });
    stream.attach();
    try {
      await answer;
    } catch (error) {
      void stream.detach();
      throw error;
    }
    if (confirmed === null) throw errorWith("internal", "The session confirmed the attach without saying how.");
    const { sessionId, role, size, seq }: Attached = confirmed;
    this.#phase = "attached";
    return { sessionId, role, size, seq };
  }

  /**
   * Types a string (as UTF-8) or bytes, of any length. Resolves when the pty took all of it. Rejects with PermissionError (observers),
   * NotDeliveredError with the count that was taken, EndedError.
   */
  async sendInput(data: string | Uint8Array): Promise<void> {
    this.#needOperator("type");
    const stream = this.#attachedStream();
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data.slice();
    this.#recent.sent();
    const outcome = await new Promise<SendOutcome>((done) => stream.send(bytes, done));
    if (outcome.ok) return;
    if (outcome.error.code === "not-delivered") throw new NotDeliveredError(outcome.error, outcome.delivered);
    throw errorOf(outcome.error);
  }

  /** Types a key by name (Up, F5, C-c, M-x …), encoded for the modes the program is in. */
  async sendKey(name: string): Promise<void> {
    this.#needOperator("type");
    const session = this.#attachedStream().sessionId ?? "";
    const screen = await this.#connection.request("screen", { session, ansi: false });
    if (!screen.ok) throw errorOf(screen.error);
    const bytes = encodeKey(name, screen.value.modes);
    if (bytes === null) throw errorWith("invalid", `There is no key "${name}". Known are ${keyNames}.`);
    await this.sendInput(bytes);
  }

  /**
   * Waits until the output holds the pattern: text without escape sequences, since the last match or the first input after it. Rejects
   * with TimeoutError after `timeoutMs` (default 30 000) and with EndedError when the session ends first.
   */
  waitFor(pattern: RegExp | string, options: { timeoutMs?: number } = {}): Promise<RegExpMatchArray> {
    const source =
      typeof pattern === "string" ? new RegExp(escaped(pattern)) : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    return this.#answer(`The output did not show ${pattern}`, options.timeoutMs ?? 30_000, (settle) => {
      return this.#recent.wait(source, (match) => settle(null, match));
    });
  }

  /** Lines of live output: decoded across chunks, without escape sequences. Ends when the stream does; `done` says why. */
  lines(): AsyncIterableIterator<string> {
    return lineIterator({
      output: (handler) => this.#queue.on("output", ({ data, at }) => (at.kind === "live" ? handler(data) : undefined)),
      gap: (handler) => this.#queue.on("gap", handler),
      done: this.done,
    });
  }

  /** Takes the size (becomes the driver) and sets it. Resolves when the session has it. */
  async resize(size: Size): Promise<void> {
    this.#needOperator("resize");
    const checked = sizeSchema.safeParse(size);
    if (!checked.success) throw errorWith("invalid", "A size is 2 to 1000 columns and 1 to 1000 rows.");
    const stream = this.#attachedStream();
    const wanted = checked.data;
    await this.#answer<null>("The session did not take the size", answerMs, (settle) => {
      const refused = (error: Failure) => settle(error, null);
      const resized = (now: Size) => {
        if (now.cols === wanted.cols && now.rows === wanted.rows) settle(null, null);
      };
      this.#refusals.add(refused);
      this.#sizeWaiters.add(resized);
      stream.takeSize(wanted);
      // No marker comes when the session has this size already; the list, asked afterwards, tells.
      void this.#connection.request("list", {}).then((reply) => {
        const entry = reply.ok ? reply.value.find((one) => one.sessionId === stream.sessionId) : undefined;
        if (entry) resized(entry.size);
      });
      return () => {
        this.#refusals.delete(refused);
        this.#sizeWaiters.delete(resized);
      };
    });
  }

  /** Sends a signal (`INT`, also `SIGINT`) to the foreground group. */
  async signal(name: string): Promise<void> {
    this.#needOperator("send a signal");
    const short = name.replace(/^SIG/, "");
    const signal: SignalName | undefined = signalNames.find((one) => one === short);
    if (!signal) throw errorWith("invalid", `There is no signal "${name}". Known are ${signalNames.join(" ")}.`);
    const session = this.#attachedStream().sessionId ?? "";
    const reply = await this.#connection.request("signal", { session, signal });
    if (!reply.ok) throw errorOf(reply.error);
  }

  /** Asks whoever drives for control; resolves with the answer. Rejects with TimeoutError after 60 s. */
  requestControl(): Promise<"hand-over" | "both" | "not-now"> {
    const stream = this.#attachedStream();
    return this.#answer("Nobody answered the request for control", controlMs, (settle) => {
      const answered = (answer: "hand-over" | "both" | "not-now") => settle(null, answer);
      const refused = (error: Failure) => settle(error, "not-now");
      this.#controlWaiters.add(answered);
      this.#refusals.add(refused);
      stream.askControl();
      return () => {
        this.#controlWaiters.delete(answered);
        this.#refusals.delete(refused);
      };
    });
  }

  /** Changes what this stream may do; rejects with PermissionError above what the principal may. */
  async setRole(role: StreamRole): Promise<void> {
    if (role !== "observer" && role !== "operator")
      throw errorWith("invalid", `There is no role "${role}". Known are observer and operator.`);
    const stream = this.#attachedStream();
    await this.#answer<null>("The session did not change the role", answerMs, (settle) => {
      const refused = (error: Failure) => settle(error, null);
      const changed = (now: StreamRole) => {
        if (now === role) settle(null, null);
        else settle(failure("not-permitted", `The role stays ${now}. Ask whoever gave you access.`), null);
      };
      this.#refusals.add(refused);
      this.#roleWaiters.add(changed);
      stream.setRole(role);
      return () => {
        this.#refusals.delete(refused);
        this.#roleWaiters.delete(changed);
      };
    });
  }

  /** Ends the session for everybody. To leave it running, use `close`. */
  async terminate(): Promise<void> {
    this.#needOperator("end the session");
    const session = this.#attachedStream().sessionId ?? "";
    const reply = await this.#connection.request("kill", { session });
    if (!reply.ok) throw errorOf(reply.error);
  }

  /** Detaches: the session goes on. Waits until the pty took what was sent (at most 5 s). Never rejects; may be called at any time, also twice. */
  async close(): Promise<void> {
    const stream = this.#stream;
    if (this.#phase !== "closed") {
      this.#phase = "closed";
      await stream?.detach();
      this.#end({ reason: "closed" });
      this.#queue.close();
    } else {
      await stream?.detach();
    }
  }

  async [disposal](): Promise<void> {
    await this.close();
  }

  // ---- from the client's stream ----------------------------------------------------------------------------------------------

  #attached(attached: Attached): void {
    for (const answer of [...this.#attachAnswers]) answer(null);
    if (attached.start !== "snapshot") this.#resized(attached.size);
    if (attached.start !== "snapshot" && this.#outputTo === 0) this.#outputTo = attached.seq;
    if (!this.#disconnected) return;
    this.#disconnected = false;
    // After a screen that was cut, the agent does not know how far we were.
    const covered = attached.start === "snapshot" ? attached.seq - this.#outputTo : 0;
    this.#queue.push("reconnect", { gapBytes: Math.max(attached.skipped, covered) });
  }

  #screen({ at, size, chunks, skipped }: ScreenEvent): void {
    if (skipped > 0) this.#gap(at - skipped, at);
    this.#resized(size);
    const data = Buffer.concat(chunks);
    this.#recent.screen(data, size);
    this.#outputTo = Math.max(this.#outputTo, at);
    this.#queue.push("output", { data, at: { seq: at, kind: "screen" } }, { bytes: data.length });
  }

  #data(seq: number, data: Uint8Array): void {
    const state = this.#stream?.state;
    const stream = state && "stream" in state ? state.stream : 0;
    this.#recent.output(data);
    this.#outputTo = Math.max(this.#outputTo, seq + data.length);
    const settled = () => this.#stream?.parsed(stream, seq + data.length);
    this.#queue.push("output", { data, at: { seq, kind: "live" } }, { bytes: data.length, settled });
  }

  #gap(from: number, to: number): void {
    this.#queue.push("gap", { bytes: to - from, from, to });
  }

  #resized(size: Size): void {
    for (const waiter of [...this.#sizeWaiters]) waiter(size);
    if (this.#size && this.#size.cols === size.cols && this.#size.rows === size.rows) return;
    this.#size = size;
    this.#queue.push("size", { ...size });
  }

  #roleChanged(role: StreamRole): void {
    for (const waiter of [...this.#roleWaiters]) waiter(role);
    this.#queue.push("role", { role });
  }

  #refused(error: Failure): void {
    if (this.#refusals.size === 0) this.#queue.push("error", errorOf(error));
    for (const refused of [...this.#refusals]) refused(error);
  }

  #stateChanged(state: StreamState): void {
    if (state.state === "suspended" && state.error && this.#phase === "attached" && !this.#disconnected) {
      this.#disconnected = true;
      this.#queue.push("disconnect", { reason: state.error.message });
    } else if (state.state === "ended" && state.reason === "exit") {
      this.#queue.push("exit", { status: state.status });
      this.#end({ reason: "exit", status: state.status });
    } else if (state.state === "ended") {
      this.#end({ reason: "agent-restarted" });
    } else if (state.state === "failed") {
      for (const answer of [...this.#attachAnswers]) answer(state.error);
      this.#end({ reason: "failed", error: errorOf(state.error) });
    }
  }

  // ---- inside ----------------------------------------------------------------------------------------------------------------

  #end(reason: DoneReason): void {
    if (this.#finished) return;
    this.#finished = reason;
    this.#offState?.();
    const wasAttached = this.#phase === "attached";
    if (wasAttached && (reason.reason === "failed" || reason.reason === "lost")) this.#queue.push("error", reason.error);
    if (wasAttached && reason.reason === "agent-restarted") this.#queue.push("error", errorOf(endFailure(reason)));
    for (const waiter of [...this.#endWaiters]) waiter(endFailure(reason));
    this.#closedBy(this);
    if (reason.reason === "closed") this.#finish(reason);
    else void this.#queue.drained().then(() => this.#finish(reason));
  }

  /** A promise that settles once: by what `arm` sets up, by the end of the stream, or by time. */
  #answer<T>(what: string, ms: number, arm: (settle: (error: Failure | null, value: T) => void) => () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let off = () => {};
      let settled = false;
      const stop = () => {
        settled = true;
        clearTimeout(timer);
        this.#endWaiters.delete(ended);
        off();
      };
      const ended = (error: Failure) => {
        if (settled) return;
        stop();
        reject(errorOf(error));
      };
      const timer = setTimeout(() => ended(failure("timeout", `${what} within ${ms / 1000} s.`, { retry: "later" })), ms);
      if (this.#finished) {
        ended(endFailure(this.#finished));
        return;
      }
      this.#endWaiters.add(ended);
      off = arm((error, value) => {
        if (settled) return;
        stop();
        if (error) reject(errorOf(error));
        else resolve(value);
      });
      // It may have settled while it was being set up.
      if (settled) off();
    });
  }

  #attachedStream(): Stream {
    if (this.#phase === "attached" && this.#stream && !this.#finished) return this.#stream;
    if (this.#finished) throw errorOf(endFailure(this.#finished));
    throw errorWith("invalid", "This stream is not attached. Call attach() first.");
  }

  #needOperator(to: string): void {
    if (this.role === "operator") return;
    throw errorWith("not-permitted", `An observer cannot ${to}. Open the stream with mode "operator", or ask for the role with setRole().`);
  }

  #handlerThrew(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const wrapped = error instanceof MuxdeckError ? error : errorWith("internal", `A handler threw: ${text}`);
    if (!(error instanceof MuxdeckError)) wrapped.cause = error;
    if (this.#queue.has("error")) {
      this.#queue.push("error", wrapped);
      return;
    }
    queueMicrotask(() => {
      throw error;
    });
  }
}

function endFailure(done: DoneReason): Failure {
  switch (done.reason) {
    case "exit":
      return failure("ended", "The session has ended.");
    case "agent-restarted":
      return failure("agent-restarted", "The agent was restarted, and its sessions ended with it.");
    case "closed":
      return failure("offline", "This stream was closed.");
    case "failed":
    case "lost":
      return failure(done.error.code, done.error.message);
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
