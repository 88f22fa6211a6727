/**
 * A page that speaks the link and nothing else: keeps what the desk says, message by message and byte by byte, for tests of the desk and of
 * both hosts.
 */
import type { DeskMessage, DeskMessageOf, HelloReply, PageMessage } from "../../link/messages.js";
import type { Failure } from "../../protocol/errors.js";
import { decodeFrame, encodeBytes, encodeControl } from "../../protocol/frame.js";
import type { Transport, TransportClosed } from "../../transport/transport.js";
import { until } from "./wait.js";

/** Turns of the event loop within which a desk over a memory transport has answered. */
const quickTurns = 50;

export type Heard = DeskMessage | { t: "bytes"; kind: "data" | "snapshot" | "input"; pane: number; position: number; text: string };

/** What a request looks like without its id, which the page counts. */
type WithoutId<T> = T extends { id: number } ? Omit<T, "id"> : never;
export type Asked = WithoutId<PageMessage>;
export type Answer = { ok: true; value: unknown } | { ok: false; error: Failure };

export class FakePage {
  /** Everything but replies, in order. */
  readonly heard: Heard[] = [];
  closed: TransportClosed | null = null;
  readonly #transport: Transport;
  readonly #replies = new Map<number, (answer: Answer) => void>();
  #lastId = 0;

  constructor(transport: Transport) {
    this.#transport = transport;
    transport.listen({
      frame: (bytes) => this.#frame(bytes),
      drain: () => {},
      closed: (reason) => {
        this.closed = reason;
      },
    });
  }

  say(message: PageMessage): void {
    this.raw(encodeControl(JSON.stringify(message)));
  }
  /** Bytes as they are, frame or not. */
  raw(frame: Uint8Array): void {
    this.#transport.send(frame);
  }
  type(pane: number, text: string): void {
    this.raw(encodeBytes("input", pane, 0, new TextEncoder().encode(text)));
  }
  ask(request: Asked): Promise<Answer> {
    const id = ++this.#lastId;
    return new Promise((done) => {
      this.#replies.set(id, done);
      this.say({ ...request, id } as PageMessage);
    });
  }
  /** The answer to a request id that `raw` carried. */
  answerTo(id: number): Promise<Answer> {
    return new Promise((done) => this.#replies.set(id, done));
  }
  async hello(windowId: string | null = null): Promise<HelloReply> {
    const answer = await this.ask({ t: "hello", windowId });
    if (!answer.ok) throw new Error(`the hello was refused: ${answer.error.message}`);
    return answer.value as HelloReply;
  }
  close(): void {
    this.#transport.close();
  }

  /** Messages of one kind so far. */
  of<T extends DeskMessage["t"]>(t: T): DeskMessageOf<T>[] {
    return this.heard.filter((message): message is DeskMessageOf<T> => message.t === t);
  }
  /** Bytes of a pane so far, in order. */
  text(pane: number, kind: "data" | "snapshot" = "data"): string {
    return this.heard.map((item) => (item.t === "bytes" && item.pane === pane && item.kind === kind ? item.text : "")).join("");
  }
  /** Looks until `probe` gives something other than null, undefined or false: at once, after some turns, then as wait.ts does. */
  async until<T>(probe: () => T | null | undefined | false, what = "what a page waits for"): Promise<T> {
    for (let turn = 0; turn < quickTurns; turn++) {
      const value = probe();
      if (value !== null && value !== undefined && value !== false) return value;
      await new Promise((done) => setImmediate(done));
    }
    return until(what, probe) as Promise<T>;
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame.kind === "control") {
      const message = JSON.parse(frame.json) as DeskMessage;
      if (message.t === "reply") this.#replies.get(message.id)?.(message.result as Answer);
      else this.heard.push(message);
    } else if (frame.kind !== "unknown" && frame.kind !== "refused") {
      const text = Buffer.from(frame.bytes).toString("latin1");
      this.heard.push({ t: "bytes", kind: frame.kind, pane: frame.stream, position: frame.position, text });
    } else {
      throw new Error(`the desk sent a frame that is ${frame.kind}`);
    }
  }
}
