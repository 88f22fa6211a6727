/**
 * What a stream is asked for, what states it has and what it tells its viewer. Owns only these shapes; stream.ts gives them their meaning.
 */
import type { Failure } from "../protocol/errors.js";
import type { Attach, Attached } from "../protocol/messages.js";
import type { ExitStatus, Size, StreamRole, View } from "../protocol/values.js";
import type { Undelivered } from "./input-queue.js";
import type { ScreenInParts, ScreenReason } from "./screen-in-parts.js";

/** Each state with only its own facts. `next` is the sequence of the first byte not yet delivered. */
export type StreamState =
  | { state: "detached" }
  | { state: "attaching"; stream: number; next: number | null }
  | { state: "replaying"; stream: number; next: number | null; role: StreamRole; size: Size; screen: ScreenInParts }
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
  /** The agent no longer had the output before it. */
  gap: boolean;
  reason: ScreenReason;
}

/**
 * All callbacks run in the order of the stream: a screen, data and size changes one after another. Bytes belong to the receiver. None of
 * them may throw.
 */
export interface StreamEvents {
  state?(state: StreamState): void;
  /** Role, size and position are confirmed: at the first attach and at each later one. Its screen, if any, is yet to come. */
  attached?(attached: Attached): void;
  screen?(screen: ScreenEvent): void;
  /** Output from `seq` on, without gap or repeat since the last data or screen. */
  data?(seq: number, bytes: Uint8Array): void;
  /** The emulator resizes after the byte before `at`. */
  resized?(at: number, size: Size): void;
  /** Output from `from` to `to` will never come, and no screen stands for it (streams that continue without one). */
  gap?(from: number, to: number): void;
  role?(role: StreamRole): void;
  /** A message of this stream (role, size, control, input) was not followed; the stream goes on. */
  refused?(error: Failure): void;
  driver?(driver: { mine: boolean; name: string | null; exclusive: boolean }): void;
  behind?(behind: { ms: number; bytes: number }): void;
  verified?(at: number): void;
  controlAsked?(asked: { ask: number; name: string }): void;
  controlAnswered?(answer: "hand-over" | "both" | "not-now"): void;
  /** Input that the pty will not get: each byte exactly once, and nothing of it is ever sent by itself. */
  undelivered?(input: Undelivered): void;
}
