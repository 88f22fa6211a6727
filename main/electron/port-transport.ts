/**
 * Frames over a message port to a page. Owns copying out of pooled buffers (a clone takes the whole buffer behind a view) and refusing
 * what is not bytes. A port tells nothing about what the page has taken, so `queued` is 0: what is under way is bounded by the credit
 * that the page gives, and by nothing here.
 */
import { maxFrameLength } from "../../protocol/frame.js";
import type { Transport, TransportClosed, TransportEvents } from "../../transport/transport.js";

/** The part of Electron's MessagePortMain that is used; structural, so that tests need no Electron. */
export interface PagePort {
  on(event: "message", listener: (message: { data: unknown }) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  postMessage(message: Uint8Array): void;
  start(): void;
  close(): void;
}

export function portTransport(port: PagePort): Transport {
  return new PortTransport(port);
}

class PortTransport implements Transport {
  readonly queued = 0;
  readonly #port: PagePort;
  #events: TransportEvents | null = null;
  #closed: TransportClosed | null = null;

  constructor(port: PagePort) {
    this.#port = port;
    port.on("close", () => this.#finish({ clean: true, text: "the page went away" }));
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed !== null) {
      events.closed(this.#closed);
      return;
    }
    this.#port.on("message", ({ data }) => this.#message(data));
    this.#port.start();
  }

  send(frame: Uint8Array): void {
    if (this.#closed !== null) return;
    this.#port.postMessage(frame.byteLength === frame.buffer.byteLength ? frame : frame.slice());
  }

  close(): void {
    this.terminate();
  }

  terminate(): void {
    if (this.#closed !== null) return;
    this.#port.close();
    this.#finish({ clean: true, text: "closed" });
  }

  #message(data: unknown): void {
    if (this.#closed !== null) return;
    const bytes = data instanceof Uint8Array ? data : data instanceof ArrayBuffer ? new Uint8Array(data) : null;
    // A page that posts anything else is not the page we built.
    if (bytes === null || bytes.length > maxFrameLength) {
      this.#port.close();
      this.#finish({ clean: false, text: "the page sent something that is no frame" });
      return;
    }
    this.#events?.frame(bytes);
  }

  #finish(reason: TransportClosed): void {
    if (this.#closed !== null) return;
    this.#closed = reason;
    this.#events?.closed(reason);
  }
}
