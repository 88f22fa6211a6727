/**
 * The receiving half of one stream: a view of one session, over every link its connection ever gets. Owns the position in the output,
 * credit, and input that is not acknowledged yet (docs: protocol, "Receiving half", "Input"). Knows no terminal and no pane.
 */
import type { Failure } from "../protocol/errors.js";
import type { AgentMessageOf, Attach, Attached } from "../protocol/messages.js";
import type { ExitStatus, Size, StreamRole, View } from "../protocol/values.js";

/** Each state with only its own facts. `next` is the sequence of the first byte not yet delivered. */
export type StreamState =
  | { state: "detached" }
  | { state: "attaching"; stream: number; next: number | null }
  | { state: "replaying"; stream: number; next: number | null; role: StreamRole; size: Size }
  | { state: "live"; stream: number; next: number; role: StreamRole; size: Size }
  | { state: "suspended"; next: number | null; error: Failure | null }
  | { state: "ended"; reason: "exit"; status: ExitStatus }
  | { state: "ended"; reason: "agent-restarted" }
  | { state: "failed"; error: Failure };

export interface StreamOptions {
  /** Id, unique id prefix or name; after the first attach the id is used. */
  session: string;
  role: StreamRole;
  /** Random, one a pane, stable over reconnects and reloads. */
  holder: string;
  /** Null: no pane; this stream never decides the size by itself. */
  view: View | null;
  from: Attach["from"];
  scrollback: Attach["scrollback"];
  onLag: Attach["onLag"];
}

/** One whole screen. Reset the emulator, resize it to `size`, write the chunks, and show it after the last one. */
export interface ScreenEvent {
  /** Data continues here. */
  at: number;
  size: Size;
  /** Each at most 64 KiB; together they begin with RIS. */
  chunks: Uint8Array[];
  /** Bytes of output that are not shown because of it. */
  skipped: number;
  /** Output before it was lost for good: the agent had no history that far back. */
  gap: boolean;
  reason: "attach" | AgentMessageOf<"reset">["reason"];
}

/** What became of one `send`. `delivered` counts its bytes that the pty took (of those nobody knows about, none). */
export type SendOutcome = { ok: true } | { ok: false; delivered: number; error: Failure };

/**
 * All callbacks run in the order of the stream: a screen, data and size changes one after another. Bytes belong to the receiver. None of
 * them may throw.
 */
export interface StreamEvents {
  state?(state: StreamState): void;
  /** Role, size and position are confirmed: after the first attach and after each later one. */
  attached?(attached: Attached): void;
  screen?(screen: ScreenEvent): void;
  /** Output from `seq` on, without gap or repeat since the last data or screen. */
  data?(seq: number, bytes: Uint8Array): void;
  /** The emulator resizes after the byte before `at`. */
  resized?(at: number, size: Size): void;
  /** Bytes that will never come and that no screen stands for (streams without an emulator): output from `from` to `to`. */
  gap?(from: number, to: number): void;
  role?(role: StreamRole): void;
  /** A request of this stream (role, size, control) was refused; the stream goes on. */
  refused?(error: Failure): void;
  driver?(driver: { mine: boolean; name: string | null; exclusive: boolean }): void;
  behind?(behind: { ms: number; bytes: number }): void;
  verified?(at: number): void;
  controlAsked?(asked: { ask: number; name: string }): void;
  controlAnswered?(answer: "hand-over" | "both" | "not-now"): void;
  /**
   * Input that was not sent or not taken, in order, exactly once: typed while the link was down, too old to be sent again, or cancelled.
   * `delivered`: bytes of the same `send` that arrived; null when nothing of it had been sent. Nothing of it is ever sent by itself.
   */
  undelivered?(draft: { bytes: Uint8Array; delivered: number | null; why: "offline" | "lost" | "cancelled" | "refused" }): void;
}

export declare class Stream {
  get state(): StreamState;
  readonly holder: string;
  /** The current or wanted role. */
  get role(): StreamRole;
  /** Id of the session, once known. */
  get sessionId(): string | null;
  /** Times that this stream had to attach again because a frame was missing. */
  get repairs(): number;

  /** Starts, or starts anew after `detach`; `from` and `next` as before unless given. */
  attach(changes?: Partial<Pick<StreamOptions, "role" | "view" | "from" | "scrollback" | "onLag">>): void;
  /** Flushes unacknowledged input (at most `flushMs`, default 5 s), then detaches; at once without a link. Idempotent. The session goes on. */
  detach(options?: { flushMs?: number }): Promise<void>;
  /**
   * Types. `done` is called once, when the pty took all of it or will not. While the stream is not live or replaying on a link that answers,
   * nothing is sent: it comes back as `undelivered`. Over 16 MiB unacknowledged: refused with `busy`.
   */
  send(bytes: Uint8Array, done?: (outcome: SendOutcome) => void): void;
  /** Drops what the pty has not taken yet; it comes back as `undelivered`. */
  cancelInput(): void;
  /** The viewer has parsed everything before `seq` of stream id `stream`; another id's is dropped. Credit follows. */
  parsed(stream: number, seq: number): void;

  /** Answered by `role`, or by `refused`. Remembered for later attaches. */
  setRole(role: StreamRole): void;
  /** The pane's size, cells, colours or focus; remembered for later attaches. */
  setView(view: View): void;
  takeSize(size: Size | null): void;
  releaseSize(): void;
  setExclusive(on: boolean): void;
  askControl(): void;
  answerControl(ask: number, answer: "hand-over" | "both" | "not-now"): void;
  setFocus(on: boolean): void;
  /** The emulator's screen hash (protocol/screen-hash.ts) after the byte before `at`. */
  sendHash(stream: number, at: number, value: string): void;
}
