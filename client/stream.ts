/**
 * The receiving half of one stream: a view of one session, over every link its connection ever gets. Owns the state table (docs:
 * protocol, "Receiving half") and the position in the output; input and credit are its two helpers. Knows no terminal and no pane.
 */
import { type Failure, failure, unreachable } from "../protocol/errors.js";
import type { AgentMessageOf, Attached, StreamMessage } from "../protocol/messages.js";
import type { ExitStatus, Size, StreamRole, View } from "../protocol/values.js";
import { Credit } from "./credit.js";
import { InputQueue, type SendOutcome } from "./input-queue.js";
import { pauseMs } from "./reconnect.js";
import { largestSnapshot, ScreenInParts } from "./screen-in-parts.js";
import type { ScreenEvent, StreamEvents, StreamOptions, StreamState } from "./stream-events.js";
import type { StreamLink, StreamReceipt, StreamReceiver } from "./stream-link.js";

export type { ScreenEvent, StreamEvents, StreamOptions, StreamState };

/** Without an answer to an attach for this long, another one is sent: the link answers, but not about this. */
const attachAnswerMs = 10_000;
/** Attaches in a row without any progress, after which the next one waits. */
const hastyAttaches = 3;
const detachAnswerMs = 2000;

export class Stream implements StreamReceiver {
  readonly #link: StreamLink;
  readonly #events: StreamEvents;
  readonly #options: StreamOptions;
  readonly #input: InputQueue;
  #state: StreamState = { state: "detached" };
  #sessionId: string | null = null;
  #run: string | null = null;
  /** Sequence after the last byte delivered, also over attaches whose screen never arrived. */
  #delivered: number | null = null;
  /** What the viewer's emulator has, as of what was delivered. */
  #size: Size | null = null;
  #credit: Credit | null = null;
  #cancelTimer: (() => void) | null = null;
  #repairs = 0;
  #attemptsWithoutProgress = 0;
  #detaching: Promise<void> | null = null;
  #detached: (() => void) | null = null;
  #inputEmpty: (() => void) | null = null;

  /** Made by `Connection.stream`. */
  constructor(link: StreamLink, options: StreamOptions, events: StreamEvents) {
    this.#link = link;
    this.#events = events;
    this.#options = { ...options };
    this.#input = new InputQueue({
      clock: link.clock,
      transmit: (position, bytes) => {
        if ("stream" in this.#state) link.sendInput(this.#state.stream, position, bytes);
      },
      undelivered: (input) => events.undelivered?.(input),
      empty: () => this.#inputEmpty?.(),
    });
  }

  get state(): StreamState {
    return this.#state;
  }

  get holder(): string {
    return this.#options.holder;
  }

  /** The confirmed role, or the wanted one while there is none. */
  get role(): StreamRole {
    return "role" in this.#state ? this.#state.role : this.#options.role;
  }

  /** Id of the session, once known. */
  get sessionId(): string | null {
    return this.#sessionId;
  }

  /** Times that this stream attached again because a frame was missing or out of place. */
  get repairs(): number {
    return this.#repairs;
  }

  /** Starts from `detached` or `failed`, else does nothing. Where output was delivered before, it goes on from there, unless `from` is given. */
  attach(changes: Partial<Pick<StreamOptions, "role" | "view" | "from" | "scrollback" | "onLag">> = {}): void {
    if ((this.#state.state !== "detached" && this.#state.state !== "failed") || this.#detaching) return;
    Object.assign(this.#options, changes);
    if (changes.from !== undefined) this.#delivered = null;
    this.#attemptsWithoutProgress = 0;
    this.#link.follow(this, true);
    if (this.#link.run === null) this.#set({ state: "suspended", next: this.#delivered, error: null });
    else this.linkUp();
  }

  /**
   * Waits until the pty took all input (at most `flushMs`, default 5 s), then detaches; at once without a link. The session goes on. What
   * was not taken by then is given back, although the agent still writes what it has. Idempotent.
   */
  detach(options: { flushMs?: number } = {}): Promise<void> {
    this.#detaching ??= this.#flushAndDetach(options.flushMs ?? 5000).then(() => {
      this.#detaching = null;
    });
    return this.#detaching;
  }

  /**
   * Types. `done` is called once, when the pty took all of it or will not. Unless the stream is live or replaying as operator on a link that
   * answers, nothing is sent and the bytes come back as `undelivered`. Do not write into them afterwards.
   */
  send(bytes: Uint8Array, done?: (outcome: SendOutcome) => void): void {
    const refusal = this.#whyNotSend();
    if (!refusal) {
      this.#input.push(bytes, done ?? null);
      return;
    }
    this.#events.undelivered?.({ bytes, delivered: null, why: refusal.code === "not-permitted" ? "refused" : "offline" });
    done?.({ ok: false, delivered: 0, error: refusal });
  }

  /** Drops what the pty has not taken yet; it comes back as `undelivered`. */
  cancelInput(): void {
    this.#input.cancelUnsent();
    this.#tell((stream) => ({ t: "input-cancel", stream }));
  }

  /** The viewer has parsed everything before `seq` of stream id `stream`; another id's is dropped. Credit follows. */
  parsed(stream: number, seq: number): void {
    if (!("stream" in this.#state) || this.#state.stream !== stream) return;
    this.#credit?.parsed(seq);
    this.#grant();
  }

  /** Answered by `role` or `refused`. */
  setRole(role: StreamRole): void {
    if ("role" in this.#state) this.#tell((stream) => ({ t: "set-role", stream, role }));
    else this.#options.role = role;
    if (role === "observer") this.#stopInput();
  }

  /** The pane's size, cells, colours or focus; remembered for later attaches. */
  setView(view: View): void {
    this.#options.view = view;
    this.#tell((stream) => ({ t: "view", stream, view }));
  }

  /** Become the driver; with a size, also without a pane. */
  takeSize(size: Size | null): void {
    this.#tell((stream) => ({ t: "take-size", stream, size }));
  }

  releaseSize(): void {
    this.#tell((stream) => ({ t: "release-size", stream }));
  }

  setExclusive(on: boolean): void {
    this.#tell((stream) => ({ t: "exclusive", stream, on }));
  }

  askControl(): void {
    this.#tell((stream) => ({ t: "ask-control", stream }));
  }

  answerControl(ask: number, answer: "hand-over" | "both" | "not-now"): void {
    this.#tell((stream) => ({ t: "answer-control", stream, ask, answer }));
  }

  setFocus(on: boolean): void {
    if (this.#options.view) this.#options.view = { ...this.#options.view, focused: on };
    this.#tell((stream) => ({ t: "focus", stream, on }));
  }

  /** The emulator's screen hash (protocol/screen-hash.ts) after the byte before `at`. */
  sendHash(stream: number, at: number, value: string): void {
    if ("stream" in this.#state && this.#state.stream === stream) this.#link.send({ t: "hash", stream, at, value });
  }

  // ---- told by the connection (stream-link.ts) ------------------------------------------------------------------------------------------------

  linkUp(): void {
    const { state } = this.#state;
    if (state !== "suspended" && state !== "detached" && state !== "failed") return;
    if (this.#run !== null && this.#link.run !== this.#run) {
      this.#end({ state: "ended", reason: "agent-restarted" });
      return;
    }
    this.#sendAttach();
  }

  linkDown(error: Failure): void {
    const current = this.#state;
    if (!("stream" in current)) return;
    this.#suspend(error);
    this.#detached?.();
  }

  linkAnswers(): void {
    this.#input.open = this.#mayType();
  }

  receive(message: StreamReceipt): void {
    switch (message.t) {
      case "attached":
        this.#attached(message);
        break;
      case "detached":
        this.#detached?.();
        break;
      case "reset":
        this.#reset(message);
        break;
      case "snapshot-end":
        this.#screenDone(message.at, { cols: message.cols, rows: message.rows });
        break;
      case "resized":
        this.#resized(message.at, { cols: message.cols, rows: message.rows });
        break;
      case "exit":
        this.#exit(message.seq, message.status);
        break;
      case "role":
        this.#roleChanged(message.role);
        break;
      case "ack":
        this.#input.acknowledge(message.upTo);
        break;
      case "input-cancelled":
        this.#input.cancelled(message.from, message.to);
        break;
      case "error":
        this.#failed(message.error);
        break;
      case "refused":
        this.#events.refused?.(message.error);
        break;
      case "driver":
        this.#events.driver?.({ mine: message.mine, name: message.name, exclusive: message.exclusive });
        break;
      case "behind":
        this.#events.behind?.({ ms: message.ms, bytes: message.bytes });
        break;
      case "verified":
        this.#events.verified?.(message.at);
        break;
      case "control-asked":
        this.#events.controlAsked?.({ ask: message.ask, name: message.name });
        break;
      case "control-answered":
        this.#events.controlAnswered?.(message.answer);
        break;
      default:
        unreachable(message);
    }
  }

  receiveData(seq: number, bytes: Uint8Array): void {
    const current = this.#state;
    const end = seq + bytes.length;
    this.#credit?.carried(bytes.length);
    if (current.state !== "live") {
      // A repeat of what was delivered is harmless; anything else cannot come before the screen it follows.
      if (current.state === "replaying" && (this.#delivered === null || end > this.#delivered)) this.#repair();
      return;
    }
    if (seq > current.next) {
      this.#repair();
      return;
    }
    if (end > current.next) {
      const from = current.next;
      const fresh = bytes.slice(from - seq);
      this.#credit?.delivered(from, end);
      this.#delivered = end;
      this.#attemptsWithoutProgress = 0;
      this.#state = { ...current, next: end };
      this.#events.data?.(from, fresh);
    }
    this.#grant();
  }

  receiveSnapshot(offset: number, bytes: Uint8Array): void {
    this.#credit?.carried(bytes.length);
    if (this.#state.state === "live") this.#repair();
    if (this.#state.state !== "replaying") return;
    if (!this.#state.screen.add(offset, bytes)) {
      this.#repair();
      return;
    }
    this.#attemptsWithoutProgress = 0;
    this.#grant();
  }

  // ---- attaching -------------------------------------------------------------------------------------------------------------

  #sendAttach(): void {
    this.#leave();
    const { session, ...rest } = this.#options;
    const stream = this.#link.claim(this);
    const next = this.#state.state === "suspended" ? this.#state.next : this.#delivered;
    this.#set({ state: "attaching", stream, next });
    this.#link.send({ t: "attach", stream, session: this.#sessionId ?? session, resumeFrom: next, ...rest });
    this.#credit = new Credit(this.#link.clock, this.#credit?.window);
    this.#grant();
    this.#cancelTimer = this.#link.clock.after(attachAnswerMs, () => this.#repair());
  }

  #attached(message: Attached): void {
    if (this.#state.state !== "attaching") return;
    const { stream, next: asked } = this.#state;
    this.#clearTimer();
    this.#sessionId = message.sessionId;
    this.#run = this.#link.run;
    this.#options.role = message.role;
    // Before anybody can send: what is queued gets its place first.
    this.#input.attached(message.inputReceived);
    const { role, size, seq } = message;
    const wanted = asked ?? this.#delivered ?? (typeof this.#options.from === "number" ? this.#options.from : seq);
    if (message.start === "snapshot") {
      const gap = message.skipped > 0 || seq < wanted;
      this.#replay(stream, role, size, new ScreenInParts({ at: seq, totalBytes: message.snapshotBytes, gap, reason: "attach" }));
    } else {
      const next = Math.max(wanted, seq);
      this.#delivered = next;
      this.#set({ state: "live", stream, next, role, size });
    }
    if (role === "observer") this.#stopInput();
    this.#input.open = this.#mayType();
    this.#events.attached?.(message);
    if (message.start !== "snapshot") this.#resume(wanted, message);
    this.#grant();
  }

  /** Data follows without a screen, from `seq`, at which the session has `size`. */
  #resume(wanted: number, { seq, size }: Attached): void {
    if (seq > wanted) this.#events.gap?.(wanted, seq);
    // Of several markers that stand exactly here, the viewer may have seen the first only.
    const known = this.#size;
    if (known && seq >= wanted && (known.cols !== size.cols || known.rows !== size.rows))
      this.#events.resized?.(Math.max(wanted, seq), size);
    this.#size = size;
  }

  #replay(stream: number, role: StreamRole, size: Size, screen: ScreenInParts): void {
    if (screen.totalBytes > largestSnapshot) {
      this.#failed(failure("limit", "The agent announced a screen of over 16 MiB. Attach again with less scrollback."));
      return;
    }
    this.#set({ state: "replaying", stream, next: this.#delivered, role, size, screen });
  }

  #reset({ at, cols, rows, snapshotBytes, reason }: AgentMessageOf<"reset">): void {
    if (this.#state.state !== "live" && this.#state.state !== "replaying") return;
    const { stream, role } = this.#state;
    this.#replay(stream, role, { cols, rows }, new ScreenInParts({ at, totalBytes: snapshotBytes, gap: false, reason }));
  }

  #screenDone(at: number, size: Size): void {
    if (this.#state.state !== "replaying") return;
    const { stream, role, screen } = this.#state;
    if (!screen.whole) {
      this.#repair();
      return;
    }
    const skipped = this.#delivered === null ? 0 : Math.max(0, at - this.#delivered);
    this.#delivered = at;
    this.#size = size;
    this.#set({ state: "live", stream, next: at, role, size });
    this.#events.screen?.({ at, size, chunks: screen.chunks, skipped, gap: screen.gap, reason: screen.reason });
    for (const marker of screen.markers) this.#resized(marker.at, marker.size);
  }

  #resized(at: number, size: Size): void {
    if (this.#state.state === "replaying") {
      this.#state.screen.markers.push({ at, size });
      return;
    }
    if (this.#state.state !== "live" || at < this.#state.next) return;
    if (at > this.#state.next) {
      this.#repair();
      return;
    }
    this.#size = size;
    this.#state = { ...this.#state, size };
    this.#events.resized?.(at, size);
  }

  #exit(seq: number, status: ExitStatus): void {
    if (this.#state.state !== "live" && this.#state.state !== "replaying") return;
    if (this.#state.state === "replaying" || seq > this.#state.next) this.#repair();
    else this.#end({ state: "ended", reason: "exit", status });
  }

  // ---- leaving ---------------------------------------------------------------------------------------------------------------

  /** Something is missing or out of place: attach again from what was delivered, never paper over it. */
  #repair(): void {
    if (!("stream" in this.#state)) return;
    this.#repairs++;
    this.#suspend(null);
    this.#attachLater("now");
  }

  #failed(error: Failure): void {
    if (!("stream" in this.#state)) return;
    if (error.retry === "never") {
      this.#end({ state: "failed", error });
      return;
    }
    this.#suspend(error);
    this.#attachLater(error.retry);
  }

  #attachLater(retry: "now" | "later"): void {
    this.#attemptsWithoutProgress++;
    if (this.#detaching) {
      this.#detached?.();
      return;
    }
    const attempts = this.#attemptsWithoutProgress;
    if (retry === "now" && attempts < hastyAttaches) {
      if (this.#link.run !== null) this.linkUp();
      return;
    }
    this.#cancelTimer = this.#link.clock.after(pauseMs(attempts, this.#link.random()), () => {
      this.#cancelTimer = null;
      if (this.#link.run !== null) this.linkUp();
    });
  }

  /** Keeps the position and unacknowledged input. A screen that is not complete is dropped, and the next attach asks for another. */
  #suspend(error: Failure | null): void {
    const cut = this.#state.state === "replaying" && this.#options.from === "screen";
    const next = this.#state.state === "attaching" ? this.#state.next : this.#delivered;
    this.#input.open = false;
    this.#leave();
    this.#set({ state: "suspended", next: cut ? null : next, error });
  }

  #end(state: StreamState): void {
    this.#leave();
    this.#link.follow(this, false);
    this.#set(state);
    this.#input.abandon(endError(state));
    this.#detached?.();
  }

  async #flushAndDetach(flushMs: number): Promise<void> {
    if (this.#state.state === "live" || this.#state.state === "replaying") {
      if (this.#input.pending > 0) {
        await this.#until(flushMs, (done) => {
          this.#inputEmpty = done;
          this.#detached = done;
        });
      }
      // The state may be another one after the wait.
      const current = this.state;
      if (current.state === "live" || current.state === "replaying") {
        this.#link.send({ t: "detach", stream: current.stream });
        await this.#until(detachAnswerMs, (done) => {
          this.#detached = done;
        });
      }
    } else if (this.#state.state === "attaching") {
      this.#link.send({ t: "detach", stream: this.#state.stream });
    }
    const { state } = this.state;
    if (state !== "ended" && state !== "detached") this.#end({ state: "detached" });
  }

  #until(ms: number, arm: (done: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#detached = null;
        this.#inputEmpty = null;
        resolve();
      };
      const cancel = this.#link.clock.after(ms, done);
      arm(done);
    });
  }

  #leave(): void {
    this.#clearTimer();
    if ("stream" in this.#state) this.#link.release(this.#state.stream);
  }

  #clearTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }

  // ---- input and credit ------------------------------------------------------------------------------------------------------

  #mayType(): boolean {
    const current = this.#state;
    return (current.state === "live" || current.state === "replaying") && current.role === "operator" && this.#link.answers;
  }

  #whyNotSend(): Failure | null {
    const current = this.#state;
    if ((current.state === "live" || current.state === "replaying") && !this.#detaching) {
      if (current.role !== "operator") return notPermitted();
      return this.#link.answers
        ? null
        : failure("not-delivered", "The link does not answer just now. Nothing was sent; send it again when it is back.");
    }
    if (this.role !== "operator") return notPermitted();
    if (current.state === "ended") return endError(current);
    return failure("not-delivered", "This stream is not attached just now. Nothing was sent; send it again when it is.");
  }

  #roleChanged(role: StreamRole): void {
    if (!("role" in this.#state)) return;
    this.#options.role = role;
    this.#state = { ...this.#state, role };
    if (role === "observer") this.#stopInput();
    this.#input.open = this.#mayType();
    this.#events.role?.(role);
  }

  #stopInput(): void {
    this.#input.open = false;
    this.#input.refuseUnsent(notPermitted());
  }

  #grant(): void {
    if (!("stream" in this.#state)) return;
    const upTo = this.#credit?.due() ?? null;
    if (upTo !== null) this.#link.send({ t: "credit", stream: this.#state.stream, upTo });
  }

  #tell(message: (stream: number) => StreamMessage): void {
    if (this.#state.state === "live" || this.#state.state === "replaying") this.#link.send(message(this.#state.stream));
  }

  #set(state: StreamState): void {
    this.#state = state;
    this.#events.state?.(state);
  }
}

function notPermitted(): Failure {
  return failure("not-permitted", "Observers cannot type. Ask for the operator role first.");
}

function endError(state: StreamState): Failure {
  if (state.state === "failed") return state.error;
  if (state.state === "ended") {
    return state.reason === "exit"
      ? failure("ended", "The session has ended.")
      : failure("agent-restarted", "The agent was restarted, and its sessions ended with it.");
  }
  return failure("not-delivered", "The stream was closed before the program took this input.");
}
