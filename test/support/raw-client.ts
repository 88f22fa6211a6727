/**
 * A client made by hand, on any transport: it says exactly what a test tells it, also what no real client would say. By itself it only
 * answers pings and, unless told otherwise, allows every byte of the streams it attaches. Owns what it heard, and waiting for it.
 */

import type { Failure } from "../../protocol/errors.js";
import { decodeFrame, encodeBytes, encodeControl } from "../../protocol/frame.js";
import {
  type AgentMessage,
  type AgentMessageOf,
  type Attach,
  agentMessageSchema,
  type ClientMessage,
  type ReplyValue,
  type Request,
  type RequestType,
} from "../../protocol/messages.js";
import type { Transport, TransportClosed } from "../../transport/transport.js";

export type Heard = AgentMessage | { t: "bytes"; kind: "data" | "snapshot"; stream: number; position: number; bytes: Uint8Array };

const waitMs = 15_000;
let holders = 0;

function nextHolder(): string {
  holders += 1;
  return `raw-holder-${holders}`;
}

export class RawClient {
  readonly heard: Heard[] = [];
  closed: TransportClosed | null = null;
  answersPings = true;
  readonly #transport: Transport;
  #waiters: { matches: () => boolean; done: () => void }[] = [];
  #requests = 0;
  readonly #allowing = new Set<number>();
  readonly #carried = new Map<number, number>();

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.listen({
      frame: (frame) => this.#frame(frame),
      drain: () => {},
      closed: (reason) => {
        this.closed = reason;
        this.#look();
      },
    });
  }

  say(message: ClientMessage): void {
    this.#transport.send(encodeControl(JSON.stringify(message)));
  }

  /** Anything at all. */
  sayRaw(frame: Uint8Array): void {
    this.#transport.send(frame);
  }

  sayJson(value: unknown): void {
    this.#transport.send(encodeControl(JSON.stringify(value)));
  }

  input(stream: number, position: number, text: string | Uint8Array): void {
    this.#transport.send(encodeBytes("input", stream, position, typeof text === "string" ? new TextEncoder().encode(text) : text));
  }

  hello(more: object = {}): void {
    this.sayJson({
      t: "hello",
      protocol: { min: 1, max: 1 },
      product: "0.0.0",
      emulator: { name: "none", version: "0" },
      unicode: "6",
      client: { kind: "sdk", name: "raw" },
      stateId: null,
      ...more,
    });
  }

  async greet(more: object = {}): Promise<AgentMessageOf<"hello">> {
    this.hello(more);
    return await this.message("hello");
  }

  /** Attaches; unless `credit` is false every byte is allowed as it comes. */
  attach(session: string, stream: number, more: Partial<Attach> = {}, options: { credit: boolean } = { credit: true }): void {
    this.say({
      t: "attach",
      stream,
      session,
      role: "operator",
      holder: nextHolder(),
      view: null,
      resumeFrom: null,
      from: "screen",
      scrollback: "none",
      onLag: "skip",
      ...more,
    });
    if (!options.credit) return;
    this.#allowing.add(stream);
    this.#allow(stream);
  }

  async request<T extends RequestType>(type: T, fields: Omit<Request<T>, "t" | "id">): Promise<ReplyValue<T>> {
    const result = await this.tryRequest(type, fields);
    if ("error" in result) throw new Error(`${type} failed: ${result.error.code}: ${result.error.message}`);
    return result.value;
  }

  async tryRequest<T extends RequestType>(
    type: T,
    fields: Omit<Request<T>, "t" | "id">,
  ): Promise<{ value: ReplyValue<T> } | { error: Failure }> {
    this.#requests += 1;
    const id = this.#requests;
    this.sayJson({ t: type, id, ...fields });
    const reply = await this.until(
      (): AgentMessageOf<"reply"> | undefined => this.all("reply").find((one) => one.id === id),
      `the reply to ${type}`,
    );
    if (!reply.result.ok) return { error: reply.result.error };
    return { value: replyValue<T>(reply.result.value) };
  }

  /** Messages of one type so far, of one stream where given. */
  all<T extends AgentMessage["t"]>(type: T, stream?: number): AgentMessageOf<T>[] {
    return this.heard.filter(
      (one): one is AgentMessageOf<T> => one.t === type && (stream === undefined || ("stream" in one && one.stream === stream)),
    );
  }

  /** The first message of one type, now or later. */
  message<T extends AgentMessage["t"]>(type: T, stream?: number): Promise<AgentMessageOf<T>> {
    return this.until(() => this.all(type, stream)[0], `a message ${type}`);
  }

  /** Output of a stream after its last screen, as bytes. */
  output(stream: number): Buffer {
    return Buffer.concat(
      this.heard.flatMap((one) => (one.t === "bytes" && one.kind === "data" && one.stream === stream ? [one.bytes] : [])),
    );
  }

  text(stream: number): string {
    return this.output(stream).toString("utf8");
  }

  /** Waits for a condition on what was heard. */
  async until<V>(look: () => V | undefined | null | false, what: string): Promise<V> {
    let found = look();
    while (found === undefined || found === null || found === false) {
      await new Promise<void>((done, fail) => {
        const timer = setTimeout(() => fail(new Error(`${what} did not come; heard: ${this.#tail()}`)), waitMs);
        this.#waiters.push({
          matches: () => {
            found = look();
            return found !== undefined && found !== null && found !== false;
          },
          done: () => {
            clearTimeout(timer);
            done();
          },
        });
        this.#look();
      });
    }
    return found;
  }

  async untilClosed(): Promise<TransportClosed> {
    return await this.until(() => this.closed, "the end of the connection");
  }

  /** Leaves politely. */
  close(): void {
    this.#transport.close();
  }

  /** Breaks the link. */
  drop(): void {
    this.#transport.terminate();
  }

  #frame(frame: Uint8Array): void {
    const decoded = decodeFrame(frame);
    if (decoded.kind === "control") {
      const message = agentMessageSchema.parse(JSON.parse(decoded.json));
      if (message.t === "ping" && this.answersPings) this.say({ t: "pong", n: message.n });
      this.heard.push(message);
    } else if (decoded.kind === "data" || decoded.kind === "snapshot") {
      const { kind, stream, position, bytes } = decoded;
      this.heard.push({ t: "bytes", kind, stream, position, bytes: bytes.slice() });
      this.#carried.set(stream, (this.#carried.get(stream) ?? 0) + bytes.length);
      if (this.#allowing.has(stream)) this.#allow(stream);
    } else {
      throw new Error(`the agent sent a frame of kind ${decoded.kind}`);
    }
    this.#look();
  }

  #allow(stream: number): void {
    this.say({ t: "credit", stream, upTo: (this.#carried.get(stream) ?? 0) + 1024 * 1024 });
  }

  #look(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (waiter.matches()) waiter.done();
      else this.#waiters.push(waiter);
    }
  }

  #tail(): string {
    const shown = this.heard.slice(-12).map((one) => (one.t === "bytes" ? `${one.kind}[${one.bytes.length}]` : JSON.stringify(one)));
    return `${shown.join(" ")}${this.closed ? ` closed: ${this.closed.text}` : ""}`;
  }
}

/** The value was checked against the schema of all messages, which leaves the values of replies open. */
function replyValue<T extends RequestType>(value: unknown): ReplyValue<T>;
function replyValue(value: unknown): unknown {
  return value;
}
