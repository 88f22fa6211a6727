/**
 * The page's end of the link: requests with their replies, messages about panes, bytes both ways. Owns request numbers and the shape of
 * what is sent. Trusts the desk: what comes is typed, not checked (schemas run in the desk). Knows no pane and no state.
 */
import type { DeskMessage, LinkReplies, LinkRequest, LinkRequestType, PaneMessage } from "../../link/messages.js";
import type { Result } from "../../protocol/errors.js";
import { decodeFrame, encodeBytes, encodeControl, maxFrameBytes } from "../../protocol/frame.js";
import type { Transport, TransportClosed } from "../../transport/transport.js";

export interface DeskLinkEvents {
  message(message: Exclude<DeskMessage, { t: "reply" }>): void;
  /** Bytes of a pane; the buffer is the receiver's. */
  bytes(kind: "data" | "snapshot", pane: number, position: number, bytes: Uint8Array): void;
  closed(reason: TransportClosed): void;
}

/** A request without its number. */
export type Asked<T extends LinkRequestType> = Omit<LinkRequest<T>, "id">;

export class DeskLink {
  #nextId = 1;
  #closed = false;
  /** What waits for a reply, by request number; takes the reply's JSON, because only the asker knows the type of its value. */
  readonly #waiting = new Map<number, { reply(json: string): void; gone(): void }>();

  constructor(
    private readonly transport: Transport,
    private readonly events: DeskLinkEvents,
  ) {
    transport.listen({
      frame: (frame) => this.#frame(frame),
      drain: () => {},
      closed: (reason) => this.#gone(reason),
    });
  }

  /** Resolves always: a link that closes answers what waits with `offline`. */
  request<T extends LinkRequestType>(message: Asked<T> & { t: T }): Promise<Result<LinkReplies[T]>> {
    if (this.#closed) return Promise.resolve({ ok: false, error: linkClosed });
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      this.#waiting.set(id, {
        reply: (json) => {
          const reply: { result: Result<LinkReplies[T]> } = JSON.parse(json);
          resolve(reply.result);
        },
        gone: () => resolve({ ok: false, error: linkClosed }),
      });
      this.transport.send(encodeControl(JSON.stringify({ ...message, id })));
    });
  }

  tell(message: PaneMessage): void {
    if (!this.#closed) this.transport.send(encodeControl(JSON.stringify(message)));
  }

  /** Typed bytes of any length, in order. */
  input(pane: number, bytes: Uint8Array): void {
    if (this.#closed) return;
    for (let at = 0; at < bytes.length; at += maxFrameBytes) {
      this.transport.send(encodeBytes("input", pane, 0, bytes.subarray(at, at + maxFrameBytes)));
    }
  }

  close(): void {
    this.transport.close();
  }

  #frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    switch (frame.kind) {
      case "control":
        this.#control(frame.json);
        break;
      case "data":
      case "snapshot":
        this.events.bytes(frame.kind, frame.stream, frame.position, frame.bytes);
        break;
      case "input":
      case "unknown":
        break;
      case "refused":
        console.error(`The desk sent ${frame.reason}`);
        break;
    }
  }

  #control(json: string): void {
    const message: DeskMessage = JSON.parse(json);
    if (message.t !== "reply") {
      this.events.message(message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    waiting?.reply(json);
  }

  #gone(reason: TransportClosed): void {
    this.#closed = true;
    for (const waiting of this.#waiting.values()) waiting.gone();
    this.#waiting.clear();
    this.events.closed(reason);
  }
}

const linkClosed = {
  code: "offline" as const,
  message: "This window has no link to Muxdeck now. Nothing was done. Try again when it is back.",
  scope: "connection" as const,
  retry: "later" as const,
};
