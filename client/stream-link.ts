/**
 * What a stream and its connection need of each other: ids, sending, and what is told about the link. Owns only these shapes, so that the
 * state machine can be driven without a connection.
 */
import type { AgentMessageOf, StreamMessage } from "../protocol/messages.js";
import type { Clock } from "../transport/transport.js";

/** What the connection tells a stream that follows it. */
export interface StreamReceiver {
  /** A link is up and its hello was checked. */
  linkUp(): void;
  /** The link is gone, and all ids with it. */
  linkDown(error: AgentMessageOf<"error">["error"]): void;
  /** The link went stale, or answers again. */
  linkAnswers(): void;
  /** One message on an id this stream holds. */
  receive(message: StreamReceipt): void;
  /** Output on an id this stream holds; `bytes` are valid during the call. */
  receiveData(seq: number, bytes: Uint8Array): void;
  /** A piece of a snapshot on an id this stream holds; `bytes` are valid during the call. */
  receiveSnapshot(offset: number, bytes: Uint8Array): void;
}

/** What a stream gets from its connection. */
export interface StreamLink {
  readonly clock: Clock;
  /** 0 <= value < 1. */
  readonly random: () => number;
  /** The agent's run while the link is up and its hello was checked; else null. */
  readonly run: string | null;
  /** The link is up and something was heard lately. */
  readonly answers: boolean;
  /** A fresh id, whose frames go to this stream from now on. */
  claim(stream: StreamReceiver): number;
  /** Frames for this id are dropped from now on. */
  release(stream: number): void;
  /** Whether the connection tells this stream about its link. */
  follow(stream: StreamReceiver & { detach(): Promise<void> }, on: boolean): void;
  send(message: StreamMessage): void;
  sendInput(stream: number, position: number, bytes: Uint8Array): void;
}

/** Messages of the agent that belong to a stream. */
export type StreamReceipt = AgentMessageOf<
  | "attached"
  | "detached"
  | "snapshot-end"
  | "reset"
  | "resized"
  | "role"
  | "driver"
  | "ack"
  | "input-cancelled"
  | "behind"
  | "verified"
  | "control-asked"
  | "control-answered"
  | "exit"
  | "error"
  | "refused"
>;
