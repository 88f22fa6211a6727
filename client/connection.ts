/**
 * One link to one agent that carries many streams, kept up over breaks: hello, requests, the watch subscription and reconnecting. The
 * medium (`dial`) and the clock are injected; heartbeat.ts tells when the link is dead. Knows neither sockets nor terminals.
 */
import { type Failure, fail, failure, ok, type Result } from "../protocol/errors.js";
import { decodeFrame, encodeBytes, encodeControl } from "../protocol/frame.js";
import {
  type AgentHello,
  type AgentMessage,
  agentMessageSchema,
  type ClientHello,
  type ClientMessage,
  type Reply,
  type ReplyValue,
  type Request,
  type RequestType,
  replySchemas,
} from "../protocol/messages.js";
import { emulator, productVersion, protocolVersions, type SessionEntry, unicodeVersion } from "../protocol/values.js";
import type { Clock, Transport } from "../transport/transport.js";
import { Heartbeat } from "./heartbeat.js";
import { Reconnect } from "./reconnect.js";
import { Stream, type StreamEvents, type StreamOptions } from "./stream.js";
import type { StreamLink, StreamReceiver } from "./stream-link.js";

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

const helloMs = 10_000;
const requestMs = 10_000;
/** Ending a session waits for its program: HUP, TERM, KILL. */
const slowRequestMs: Partial<Record<RequestType, number>> = { kill: 30_000, stop: 30_000 };
const goodbyeMs = 1000;

interface Pending {
  settle(result: Result<unknown>): void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #reconnect: Reconnect;
  readonly #heartbeat: Heartbeat;
  readonly #link: StreamLink;
  readonly #handlers = new Set<(state: ConnectionState) => void>();
  readonly #watchers = new Set<WatchEvents>();
  readonly #pending = new Map<number, Pending>();
  /** Streams that want to hear about the link. */
  readonly #followers = new Set<StreamReceiver & { detach(): Promise<void> }>();
  readonly #streams = new Map<number, StreamReceiver>();
  #state: ConnectionState = { state: "idle" };
  #agent: AgentHello | null = null;
  #transport: Transport | null = null;
  #closed: (() => void) | null = null;
  #closing: Promise<void> | null = null;
  #cancelHello: (() => void) | null = null;
  /** What the agent said before it hung up. */
  #refusal: Failure | null = null;
  #lastId = 0;
  #lastStream = 0;
  #watching = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { clock } = options;
    const random = options.random ?? Math.random;
    this.#reconnect = new Reconnect({ clock, random, attempt: () => void this.#try() });
    this.#heartbeat = new Heartbeat({
      clock,
      ping: (n) => this.#send({ t: "ping", n }),
      stale: (since) => this.#answering(since),
      dead: () => this.#drop("nothing was heard for 20 s"),
    });
    this.#link = this.#streamLink(clock, random);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The agent of the last hello, also while the link is down. */
  get agent(): AgentHello | null {
    return this.#agent;
  }

  /** Milliseconds of the last ping; null before the first. */
  get roundTripMs(): number | null {
    return this.#heartbeat.roundTripMs;
  }

  /** Called after each change; returns how to stop. */
  onState(handler: (state: ConnectionState) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** Starts the first try. Later calls do nothing. */
  open(): void {
    if (this.#state.state === "idle") void this.#try();
  }

  /** `open`, then the first outcome: the agent's hello, or why the try under way failed (later tries go on until `close`). */
  ready(): Promise<Result<AgentHello>> {
    this.open();
    return new Promise((done) => {
      const look = (state: ConnectionState): boolean => {
        if (state.state === "idle" || state.state === "connecting") return false;
        off();
        if ("agent" in state) done(ok(state.agent));
        else done({ ok: false, error: "error" in state ? state.error : closedError() });
        return true;
      };
      const off = this.onState(look);
      look(this.#state);
    });
  }

  /** Tries now: asked by the user, or because the machine woke up. A live link is asked whether it still is. */
  reconnect(): void {
    if (this.#state.state === "waiting" || this.#state.state === "lost") this.#reconnect.now();
    else this.#heartbeat.wake();
  }

  /**
   * Sends a request and gives its one reply. Waits for a try under way; fails with `offline` at once while there is no link, when the link
   * breaks, and with `timeout` after `timeoutMs` (default 10 s; `kill` and `stop` 30 s).
   */
  request<T extends RequestType>(type: T, fields: RequestFields<T>, options: { timeoutMs?: number } = {}): Promise<Reply<T>> {
    return new Promise((done) => this.#ask(type, fields, options.timeoutMs ?? slowRequestMs[type] ?? requestMs, done));
  }

  /** Subscribes to the agent's sessions, over every link; returns how to stop. */
  watch(events: WatchEvents): () => void {
    this.#watchers.add(events);
    if ("agent" in this.#state) this.#subscribe([events]);
    return () => this.#watchers.delete(events);
  }

  /** A stream that is not attached yet. */
  stream(options: StreamOptions, events: StreamEvents): Stream {
    return new Stream(this.#link, options, events);
  }

  /** Detaches all streams (flushing their input), says goodbye and leaves no timer. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#followers].map((stream) => stream.detach()));
    this.#reconnect.stop();
    const transport = this.#transport;
    if (transport) {
      await new Promise<void>((done) => {
        const cancel = this.#options.clock.after(goodbyeMs, () => transport.terminate());
        this.#closed = () => {
          cancel();
          done();
        };
        transport.close();
      });
    }
    this.#settleAll(closedError());
    this.#set({ state: "closed" });
    this.#handlers.clear();
    this.#watchers.clear();
  }

  // ---- the link --------------------------------------------------------------------------------------------------------------

  async #try(): Promise<void> {
    const attempt = this.#reconnect.state.state === "trying" ? this.#reconnect.state.attempt : 0;
    this.#set({ state: "connecting", attempt });
    const dialled = await this.#options.dial();
    if (this.#closing) {
      if (dialled.ok) dialled.value.terminate();
      return;
    }
    if (!dialled.ok) {
      this.#down(dialled.error);
      return;
    }
    this.#transport = dialled.value;
    this.#refusal = null;
    this.#cancelHello = this.#options.clock.after(helloMs, () => this.#drop("it did not say hello within 10 s"));
    const { stateId, client } = this.#options;
    this.#send({
      t: "hello",
      protocol: protocolVersions,
      product: productVersion,
      emulator,
      unicode: unicodeVersion,
      client,
      stateId: stateId ?? this.#agent?.stateId ?? null,
    });
    dialled.value.listen({
      frame: (frame) => this.#frame(frame),
      drain: () => {},
      closed: ({ text }) => this.#gone(text),
    });
  }

  #frame(bytes: Uint8Array): void {
    this.#heartbeat.heard();
    const frame = decodeFrame(bytes);
    if (frame.kind === "control") this.#control(frame.json);
    else if (frame.kind === "data") this.#streams.get(frame.stream)?.receiveData(frame.position, frame.bytes);
    else if (frame.kind === "snapshot") this.#streams.get(frame.stream)?.receiveSnapshot(frame.position, frame.bytes);
    else if (frame.kind === "refused") this.#drop(`it sent ${frame.reason}`);
  }

  #control(json: string): void {
    const message = parseMessage(json);
    if (message === "unknown") return;
    if (message === "malformed") {
      this.#drop("it sent a message that cannot be understood");
      return;
    }
    switch (message.t) {
      case "hello":
        this.#hello(message);
        break;
      case "ping":
        this.#send({ t: "pong", n: message.n });
        break;
      case "pong":
        this.#heartbeat.pong(message.n);
        break;
      case "reply":
        this.#pending.get(message.id)?.settle(message.result);
        break;
      case "session":
        for (const watcher of [...this.#watchers]) watcher.changed(message.change, message.entry);
        break;
      case "error":
        if (message.stream === null) this.#refused(message.error);
        else this.#streams.get(message.stream)?.receive(message);
        break;
      default:
        this.#streams.get(message.stream)?.receive(message);
    }
  }

  #hello(hello: AgentHello): void {
    if (!this.#cancelHello) return;
    const wanted = this.#options.stateId ?? this.#agent?.stateId ?? hello.stateId;
    if (hello.protocol.min > protocolVersions.max || hello.protocol.max < protocolVersions.min) {
      const sentence = `The agent (${hello.product}) and this program (${productVersion}) do not speak a common protocol. Update the older one.`;
      this.#refused(failure("version", sentence, { scope: "connection" }));
      return;
    }
    if (hello.stateId !== wanted) {
      this.#refused(failure("not-found", "Another agent answers at this address than the one that was meant.", { scope: "connection" }));
      return;
    }
    this.#cancelHello();
    this.#cancelHello = null;
    this.#agent = hello;
    this.#reconnect.up();
    this.#heartbeat.start();
    this.#set({ state: "live", agent: hello });
    for (const stream of [...this.#followers]) stream.linkUp();
    if (this.#watchers.size > 0) this.#subscribe([...this.#watchers]);
  }

  /** The agent will not have this connection, or we will not have this agent. */
  #refused(error: Failure): void {
    this.#refusal = error;
    this.#transport?.terminate();
  }

  /** The link is of no use any more. */
  #drop(why: string): void {
    this.#refusal ??= failure("offline", `The link to the agent was dropped: ${why}.`, { scope: "connection", retry: "later" });
    this.#transport?.terminate();
  }

  #gone(text: string): void {
    this.#transport = null;
    const error = this.#refusal ?? failure("offline", `The link to the agent broke: ${text}.`, { scope: "connection", retry: "later" });
    this.#refusal = null;
    this.#down(error);
    this.#closed?.();
  }

  #down(error: Failure): void {
    this.#cancelHello?.();
    this.#cancelHello = null;
    this.#heartbeat.stop();
    this.#watching = false;
    this.#streams.clear();
    if (!this.#closing) {
      if (error.retry === "never") this.#reconnect.refused();
      else this.#reconnect.failed();
      const next = this.#reconnect.state;
      if (next.state === "waiting") this.#set({ state: "waiting", attempt: next.attempt, nextTryAt: next.at, error });
      else this.#set({ state: "lost", error });
    }
    this.#settleAll(error);
    for (const stream of [...this.#followers]) stream.linkDown(error);
  }

  #answering(since: number | null): void {
    if (!this.#agent || !("agent" in this.#state)) return;
    this.#set(since === null ? { state: "live", agent: this.#agent } : { state: "stale", agent: this.#agent, since });
    for (const stream of [...this.#followers]) stream.linkAnswers();
  }

  /** In the turn of the reply: a change that comes right behind the list must not be told before it. */
  #subscribe(watchers: WatchEvents[]): void {
    const first = !this.#watching;
    this.#watching = true;
    this.#ask(first ? "watch" : "list", {}, requestMs, (reply) => {
      if (!reply.ok) {
        if (first) this.#watching = false;
        return;
      }
      for (const watcher of watchers) if (this.#watchers.has(watcher)) watcher.sessions(reply.value);
    });
  }

  #ask<T extends RequestType>(type: T, fields: RequestFields<T>, ms: number, done: (reply: Reply<T>) => void): void {
    const id = ++this.#lastId;
    let stopWaiting = () => {};
    const settle = (result: Result<unknown>) => {
      if (!this.#pending.delete(id)) return;
      cancel();
      stopWaiting();
      done(checkedReply(type, result));
    };
    const cancel = this.#options.clock.after(ms, () => {
      settle(fail("timeout", `The agent did not answer within ${ms / 1000} s. Try again.`, { retry: "later" }));
    });
    this.#pending.set(id, { settle });
    const go = (state: ConnectionState): void => {
      if (state.state === "idle" || state.state === "connecting") return;
      stopWaiting();
      if ("agent" in state) this.#sendRaw({ t: type, id, ...fields });
      else settle({ ok: false, error: "error" in state ? state.error : closedError() });
    };
    stopWaiting = this.onState(go);
    go(this.#state);
  }

  // ---- sending ---------------------------------------------------------------------------------------------------------------

  #send(message: ClientMessage): void {
    this.#sendRaw(message);
  }

  #sendRaw(message: object): void {
    this.#transport?.send(encodeControl(JSON.stringify(message)));
  }

  #streamLink(clock: Clock, random: () => number): StreamLink {
    const connection = this;
    return {
      clock,
      random,
      get run() {
        return "agent" in connection.#state ? connection.#state.agent.run : null;
      },
      get answers() {
        return connection.#state.state === "live";
      },
      claim: (stream) => {
        this.#streams.set(++this.#lastStream, stream);
        return this.#lastStream;
      },
      release: (stream) => this.#streams.delete(stream),
      follow: (stream, on) => {
        if (on && !this.#closing) this.#followers.add(stream);
        else this.#followers.delete(stream);
      },
      send: (message) => this.#send(message),
      sendInput: (stream, position, bytes) => this.#transport?.send(encodeBytes("input", stream, position, bytes)),
    };
  }

  #settleAll(error: Failure): void {
    for (const pending of [...this.#pending.values()]) pending.settle({ ok: false, error });
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    for (const handler of [...this.#handlers]) handler(state);
  }
}

/** A newer agent may say more than we know; what we know must be as we know it. */
function parseMessage(json: string): AgentMessage | "unknown" | "malformed" {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return "malformed";
  }
  const parsed = agentMessageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const known = agentMessageSchema.options.some((option) => option.shape.t.safeParse(fieldT(value)).success);
  return known ? "malformed" : "unknown";
}

function fieldT(value: unknown): unknown {
  return typeof value === "object" && value !== null && "t" in value ? value.t : undefined;
}

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false };
}
const replies: { [T in RequestType]: Schema<ReplyValue<T>> } = replySchemas;

function checkedReply<T extends RequestType>(type: T, result: Result<unknown>): Reply<T> {
  if (!result.ok) return result;
  const schema: Schema<ReplyValue<T>> = replies[type];
  const parsed = schema.safeParse(result.value);
  if (parsed.success) return ok(parsed.data);
  return fail("internal", `The agent answered "${type}" with something this program does not understand. Update the older one.`);
}

function closedError(): Failure {
  return failure("offline", "This connection was closed.", { scope: "connection" });
}
