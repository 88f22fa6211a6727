/**
 * Every control message between a client and an agent, both ways, with its bounds. One union a direction, told apart by `t`. Requests
 * carry an `id` and get exactly one `reply`; stream messages carry a stream id and are answered on the stream. Who may send what is in
 * roles.ts; terminal bytes never ride in here (frame.ts).
 */
import { z } from "zod";
import { failureSchema, type Result } from "./errors.js";
import {
  exitSchema,
  nameSchema,
  roleSchema,
  screenSchema,
  sequenceSchema,
  sessionEntrySchema,
  sessionIdSchema,
  signalSchema,
  sizeSchema,
  streamIdSchema,
  streamRoleSchema,
  viewSchema,
} from "./values.js";

const id = z.int().min(1).max(0xffffffff);
const versions = z.object({ min: z.int().min(1), max: z.int().min(1) });
/** An id, a unique id prefix, or a name: resolved by the agent. */
const sessionRef = z.string().min(1).max(256);
const holder = z.string().min(8).max(64);
const stream = streamIdSchema;

const helloShared = {
  t: z.literal("hello"),
  protocol: versions,
  product: z.string().max(64),
  emulator: z.object({ name: z.string().max(64), version: z.string().max(64) }),
  unicode: z.string().max(16),
};

/** First frame of a client. `stateId` names the agent it means; another one answers `not-found`. */
export const clientHelloSchema = z.object({
  ...helloShared,
  client: z.object({ kind: z.enum(["app", "cli", "sdk"]), name: z.string().min(1).max(256) }),
  stateId: z.string().max(64).nullable(),
});
export type ClientHello = z.infer<typeof clientHelloSchema>;

/** First frame of an agent. `run` is new each time the agent starts: another run means that all sessions are others. */
export const agentHelloSchema = z.object({
  ...helloShared,
  stateId: z.string().max(64),
  run: z.string().max(64),
  machine: z.string().max(256),
  pid: z.int(),
  root: z.boolean(),
  principal: z.object({ id: z.string().max(256), name: z.string().max(256) }),
  maxRole: roleSchema,
});
export type AgentHello = z.infer<typeof agentHelloSchema>;

const ping = z.object({ t: z.literal("ping"), n: z.int().min(0) });
const pong = z.object({ t: z.literal("pong"), n: z.int().min(0) });

// ---- requests: each gets one reply -------------------------------------------------------------------------------------------

export const requestSchemas = {
  list: z.object({ t: z.literal("list"), id }),
  /** Subscribes this connection to session events; the reply is the list at that moment. */
  watch: z.object({ t: z.literal("watch"), id }),
  new: z.object({
    t: z.literal("new"),
    id,
    name: nameSchema.nullable(),
    /** Program and arguments; null: the login shell. */
    command: z.array(z.string().max(131072)).min(1).max(1024).nullable(),
    cwd: z.string().min(1).max(4096).nullable(),
    /** The client's allow-listed environment plus `--env`; the agent's own where the client is on another machine. */
    env: z.record(z.string().min(1).max(256), z.string().max(131072)),
    size: sizeSchema,
  }),
  rename: z.object({ t: z.literal("rename"), id, session: sessionRef, name: nameSchema }),
  signal: z.object({ t: z.literal("signal"), id, session: sessionRef, signal: signalSchema }),
  /** Ends a session: HUP, TERM, KILL to its process group. The reply comes when the program is gone. */
  kill: z.object({ t: z.literal("kill"), id, session: sessionRef }),
  /** Forgets an ended session. */
  dismiss: z.object({ t: z.literal("dismiss"), id, session: sessionRef }),
  screen: z.object({ t: z.literal("screen"), id, session: sessionRef, ansi: z.boolean() }),
  status: z.object({ t: z.literal("status"), id }),
  /** Admin: closes every other client's stream to a session. */
  "detach-others": z.object({ t: z.literal("detach-others"), id, session: sessionRef }),
  /** Admin: ends all sessions and the agent. */
  stop: z.object({ t: z.literal("stop"), id }),
} as const;
export type RequestType = keyof typeof requestSchemas;
export type Request<T extends RequestType = RequestType> = { [K in T]: z.infer<(typeof requestSchemas)[K]> }[T];

/** What `status` tells: no secret, no environment. */
export const agentStatusSchema = z.object({
  pid: z.int(),
  run: z.string(),
  stateId: z.string(),
  product: z.string(),
  protocol: versions,
  machine: z.string(),
  root: z.boolean(),
  uptimeMs: z.number(),
  sessions: z.object({ running: z.int(), ended: z.int() }),
  clients: z.int(),
  streams: z.int(),
  descriptors: z.int(),
  residentBytes: z.number(),
  /** Screens whose hash differed from a client's and were sent again. */
  hashMismatches: z.int(),
});
export type AgentStatus = z.infer<typeof agentStatusSchema>;

const nothing = z.object({});

/** The value of each successful reply. */
export const replySchemas = {
  list: z.array(sessionEntrySchema),
  watch: z.array(sessionEntrySchema),
  new: sessionEntrySchema,
  rename: sessionEntrySchema,
  signal: nothing,
  kill: sessionEntrySchema,
  dismiss: nothing,
  screen: screenSchema,
  status: agentStatusSchema,
  "detach-others": z.object({ detached: z.int() }),
  stop: nothing,
} as const satisfies Record<RequestType, z.ZodType>;
export type ReplyValue<T extends RequestType> = z.infer<(typeof replySchemas)[T]>;
export type Reply<T extends RequestType> = Result<ReplyValue<T>>;

// ---- streams, client to agent ------------------------------------------------------------------------------------------------

export const attachSchema = z.object({
  t: z.literal("attach"),
  stream,
  session: sessionRef,
  role: streamRoleSchema,
  /** Random, one a pane, stable over reconnects: the same holder takes over its own older stream, lease and unwritten input. */
  holder,
  /** Null: this stream has no pane (send, tail): it never drives the size by itself. */
  view: viewSchema.nullable(),
  /** Continue at this sequence; null: begin as `from` says. */
  resumeFrom: sequenceSchema.nullable(),
  from: z.union([z.enum(["screen", "now", "oldest"]), sequenceSchema]),
  /** Lines of scrollback the receiving emulator keeps; `none`: no emulator, so no snapshot for its sake. */
  scrollback: z.union([z.literal("none"), z.int().min(0).max(10_000)]),
  onLag: z.enum(["skip", "pace"]),
});
export type Attach = z.infer<typeof attachSchema>;

export const streamMessageSchemas = {
  attach: attachSchema,
  /** Answered by `detached`, after which nothing more comes on this stream. Unwritten input is still written. */
  detach: z.object({ t: z.literal("detach"), stream }),
  /** The agent may carry bytes of this stream (snapshots included) up to this offset; absolute and monotone. */
  credit: z.object({ t: z.literal("credit"), stream, upTo: sequenceSchema }),
  "set-role": z.object({ t: z.literal("set-role"), stream, role: streamRoleSchema }),
  /** The pane's size, cell or colours changed. Resizes the pty only while this stream drives. */
  view: z.object({ t: z.literal("view"), stream, view: viewSchema }),
  /** Become the driver; with a size, also without a pane. */
  "take-size": z.object({ t: z.literal("take-size"), stream, size: sizeSchema.nullable() }),
  "release-size": z.object({ t: z.literal("release-size"), stream }),
  exclusive: z.object({ t: z.literal("exclusive"), stream, on: z.boolean() }),
  "ask-control": z.object({ t: z.literal("ask-control"), stream }),
  "answer-control": z.object({
    t: z.literal("answer-control"),
    stream,
    ask: z.int().min(1),
    answer: z.enum(["hand-over", "both", "not-now"]),
  }),
  focus: z.object({ t: z.literal("focus"), stream, on: z.boolean() }),
  /** The pane's screen hash at a sequence; the agent answers `verified`, or `reset` when its own differs. */
  hash: z.object({ t: z.literal("hash"), stream, at: sequenceSchema, value: z.string().max(64) }),
  /** Drops this stream's unwritten input; answered by `input-cancelled`. */
  "input-cancel": z.object({ t: z.literal("input-cancel"), stream }),
} as const;
export type StreamMessageType = keyof typeof streamMessageSchemas;
export type StreamMessage<T extends StreamMessageType = StreamMessageType> = {
  [K in T]: z.infer<(typeof streamMessageSchemas)[K]>;
}[T];

export const clientMessageSchema = z.discriminatedUnion("t", [
  clientHelloSchema,
  ping,
  pong,
  requestSchemas.list,
  requestSchemas.watch,
  requestSchemas.new,
  requestSchemas.rename,
  requestSchemas.signal,
  requestSchemas.kill,
  requestSchemas.dismiss,
  requestSchemas.screen,
  requestSchemas.status,
  requestSchemas["detach-others"],
  requestSchemas.stop,
  attachSchema,
  streamMessageSchemas.detach,
  streamMessageSchemas.credit,
  streamMessageSchemas["set-role"],
  streamMessageSchemas.view,
  streamMessageSchemas["take-size"],
  streamMessageSchemas["release-size"],
  streamMessageSchemas.exclusive,
  streamMessageSchemas["ask-control"],
  streamMessageSchemas["answer-control"],
  streamMessageSchemas.focus,
  streamMessageSchemas.hash,
  streamMessageSchemas["input-cancel"],
]);
export type ClientMessage = z.infer<typeof clientMessageSchema>;

// ---- agent to client ---------------------------------------------------------------------------------------------------------

export const attachedSchema = z.object({
  t: z.literal("attached"),
  stream,
  sessionId: sessionIdSchema,
  /** Resume: data continues at `seq`. Live: data begins at `seq`, no screen is sent. Snapshot: `snapshotBytes` come first. */
  start: z.enum(["resume", "live", "snapshot"]),
  /** First sequence of the data that follows; for a snapshot the sequence it stands for. */
  seq: sequenceSchema,
  snapshotBytes: z.int().min(0),
  /** Bytes between what the client asked to continue at and what it gets; 0 when nothing was missed. */
  skipped: sequenceSchema,
  role: streamRoleSchema,
  size: sizeSchema,
  /** Bytes of this holder's input the agent has; null when it does not remember the holder. */
  inputReceived: sequenceSchema.nullable(),
});
export type Attached = z.infer<typeof attachedSchema>;

/** Why a snapshot replaces the stream: the viewer fell behind, its history follows, its size changed, or its screen differed. */
export const resetReasonSchema = z.enum(["lag", "scrollback", "resize", "mismatch"]);

export const agentMessageSchema = z.discriminatedUnion("t", [
  agentHelloSchema,
  ping,
  pong,
  z.object({
    t: z.literal("reply"),
    id,
    result: z.discriminatedUnion("ok", [
      z.object({ ok: z.literal(true), value: z.unknown() }),
      z.object({ ok: z.literal(false), error: failureSchema }),
    ]),
  }),
  z.object({ t: z.literal("session"), change: z.enum(["added", "changed", "removed"]), entry: sessionEntrySchema }),
  /** Without a stream: the whole connection is refused. With one: that stream is gone, its id is held no longer. */
  z.object({ t: z.literal("error"), stream: stream.nullable(), error: failureSchema }),
  /** A message of this stream (role, size, control, focus, input) was not followed; the stream goes on. */
  z.object({ t: z.literal("refused"), stream, error: failureSchema }),
  attachedSchema,
  z.object({ t: z.literal("detached"), stream }),
  /** After the last snapshot byte: apply it as a whole; data continues at `at`. */
  z.object({ t: z.literal("snapshot-end"), stream, at: sequenceSchema, cols: sizeSchema.shape.cols, rows: sizeSchema.shape.rows }),
  /** A snapshot follows; `skipped` bytes of output are not sent. */
  z.object({
    t: z.literal("reset"),
    stream,
    reason: resetReasonSchema,
    at: sequenceSchema,
    cols: sizeSchema.shape.cols,
    rows: sizeSchema.shape.rows,
    skipped: sequenceSchema,
    snapshotBytes: z.int().min(0),
  }),
  /** A marker in the stream: the emulator resizes after the byte before `at`. */
  z.object({ t: z.literal("resized"), stream, at: sequenceSchema, cols: sizeSchema.shape.cols, rows: sizeSchema.shape.rows }),
  z.object({ t: z.literal("role"), stream, role: streamRoleSchema }),
  /** Who decides the size: after attach and on each change. */
  z.object({
    t: z.literal("driver"),
    stream,
    mine: z.boolean(),
    name: z.string().max(256).nullable(),
    exclusive: z.boolean(),
  }),
  /** Bytes of this holder's input that the pty has taken: absolute, monotone. */
  z.object({ t: z.literal("ack"), stream, upTo: sequenceSchema }),
  /** Input from `from` up to `to` was dropped unwritten; the next ack counts from `to`. */
  z.object({ t: z.literal("input-cancelled"), stream, from: sequenceSchema, to: sequenceSchema }),
  z.object({ t: z.literal("behind"), stream, ms: z.number().min(0), bytes: sequenceSchema }),
  z.object({ t: z.literal("verified"), stream, at: sequenceSchema }),
  z.object({ t: z.literal("control-asked"), stream, ask: z.int().min(1), name: z.string().max(256) }),
  z.object({ t: z.literal("control-answered"), stream, answer: z.enum(["hand-over", "both", "not-now"]) }),
  /** Comes once, after the last byte. */
  z.object({ t: z.literal("exit"), stream, seq: sequenceSchema, status: exitSchema }),
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
export type AgentMessageOf<T extends AgentMessage["t"]> = Extract<AgentMessage, { t: T }>;
