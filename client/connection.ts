/**
 * One link to one agent that carries many streams, kept up over breaks: hello, heartbeat, requests, the watch subscription and
 * reconnecting. The medium (`dial`) and the clock are injected. Knows neither sockets nor terminals.
 */
import type { Failure, Result } from "../protocol/errors.js";
import type { AgentHello, ClientHello, ReplyValue, Request, RequestType } from "../protocol/messages.js";
import type { SessionEntry } from "../protocol/values.js";
import type { Clock, Transport } from "../transport/transport.js";
import type { Stream, StreamEvents, StreamOptions } from "./stream.js";

export interface ConnectionOptions {
  /** One try to reach the agent, starting it where that is possible. A failure with retry `never` ends the tries. */
  dial: () => Promise<Result<Transport>>;
  clock: Clock;
  client: ClientHello["client"];
  /** Id of the agent's state folder; null: whichever answers first, the same one afterwards. */
  stateId: string | null;
  /** 0 <= value < 1; spreads reconnects. Defaults to Math.random. */
  random?: () => number;
}

export type ConnectionState =
  /** Before `open`. */
  | { state: "idle" }
  /** A try is under way. `attempt` 0 is the first of all. */
  | { state: "connecting"; attempt: number }
  | { state: "live"; agent: AgentHello }
  /** Nothing was heard for 7 s. `since`: when something was, on the injected clock. */
  | { state: "stale"; agent: AgentHello; since: number }
  /** The next try comes at `nextTryAt` on the injected clock. */
  | { state: "waiting"; attempt: number; nextTryAt: number; error: Failure }
  /** No more tries until `reconnect`. */
  | { state: "lost"; error: Failure }
  | { state: "closed" };

export interface WatchEvents {
  /** All sessions: at the start and after each reconnect. */
  sessions(entries: SessionEntry[]): void;
  changed(change: "added" | "changed" | "removed", entry: SessionEntry): void;
}

/** Fields of a request without its type and id. */
export type RequestFields<T extends RequestType> = Omit<Request<T>, "t" | "id">;

export declare class Connection {
  constructor(options: ConnectionOptions);
  get state(): ConnectionState;
  /** The agent of the last hello, also while the link is down. */
  get agent(): AgentHello | null;
  /** Milliseconds of the last ping; null before the first. */
  get roundTripMs(): number | null;
  /** Called after each change; returns how to stop. */
  onState(handler: (state: ConnectionState) => void): () => void;

  /** Starts the first try. Later calls do nothing. */
  open(): void;
  /** `open`, then the first outcome: the agent's hello, or why the first try failed (later tries go on until `close`). */
  ready(): Promise<Result<AgentHello>>;
  /** Tries now: asked by the user, or because the machine woke up. */
  reconnect(): void;

  /**
   * Sends a request and gives its one reply. Waits for a try under way; fails with `offline` at once while there is no link, when the link
   * breaks, and with `timeout` after `timeoutMs` (default 10 s; `kill` and `stop` 30 s).
   */
  request<T extends RequestType>(type: T, fields: RequestFields<T>, options?: { timeoutMs?: number }): Promise<Result<ReplyValue<T>>>;
  /** Subscribes to the agent's sessions, over every link; returns how to stop. */
  watch(events: WatchEvents): () => void;
  /** A stream that is not attached yet. */
  stream(options: StreamOptions, events: StreamEvents): Stream;

  /** Detaches all streams (flushing their input), says goodbye and leaves no timer. Idempotent. */
  close(): Promise<void>;
}
