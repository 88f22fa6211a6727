/**
 * The part of the client's connection and stream that the desk uses, as interfaces, so that tests stand in for an agent without a socket.
 * Adds nothing to them.
 */
import type { Connection } from "../../client/connection.js";
import type { Stream, StreamEvents, StreamOptions } from "../../client/stream.js";

/** One pane's stream. */
export type PaneStream = Pick<
  Stream,
  | "state"
  | "role"
  | "attach"
  | "detach"
  | "send"
  | "cancelInput"
  | "parsed"
  | "setRole"
  | "setView"
  | "takeSize"
  | "releaseSize"
  | "setExclusive"
  | "askControl"
  | "answerControl"
  | "setFocus"
  | "sendHash"
>;

/** One machine's connection. */
export interface AgentLink
  extends Pick<Connection, "state" | "agent" | "roundTripMs" | "onState" | "open" | "reconnect" | "request" | "watch" | "close"> {
  stream(options: StreamOptions, events: StreamEvents): PaneStream;
}
