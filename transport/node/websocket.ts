/**
 * Frames over a WebSocket, one binary message a frame: dialling, and taking over an upgraded request. Owns the limits (no compression,
 * 1 MiB a message) and the level of `drain`. Who may upgrade, and with which certificate, is decided by the caller before.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { fail, ok, type Result } from "../../protocol/errors.js";
import { maxFrameLength } from "../../protocol/frame.js";
import { highWater, type Transport, type TransportClosed, type TransportEvents } from "../transport.js";

/** How long a goodbye waits for a peer that does not answer it. */
const goodbyeMs = 2000;
const limits = { perMessageDeflate: false, maxPayload: maxFrameLength, maxFragments: 64, maxBufferedChunks: 4096 };

export interface WebSocketDialOptions {
  /** Milliseconds until the upgrade must be done; default 10 000. */
  timeoutMs?: number;
  headers?: Record<string, string>;
  /** Offered subprotocols, in order. */
  protocols?: string[];
  /** Certificates to trust instead of the system's. */
  tls?: Pick<SecureContextOptions, "ca"> & { checkServerIdentity?: (host: string, certificate: { raw: Buffer }) => Error | undefined };
}

/** Connects to a ws: or wss: address. `unauthenticated` for 401, `not-permitted` for 403, else `unreachable`. */
export function dialWebSocket(url: string, options: WebSocketDialOptions = {}): Promise<Result<Transport>> {
  return new Promise((done) => {
    const socket = open(url, options);
    if (typeof socket === "string") {
      done(fail("invalid", `This is not an address of a hub: ${socket}. It begins with wss:// or ws://.`, { scope: "connection" }));
      return;
    }
    const failed = (error: Error) => {
      done(fail("unreachable", `${originOf(url)} cannot be reached: ${error.message}.`, { scope: "connection", retry: "later" }));
    };
    socket.once("error", failed);
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      done(refusal(originOf(url), response.statusCode ?? 0));
    });
    socket.once("open", () => {
      socket.off("error", failed);
      done(ok(new WebSocketTransport(socket)));
    });
  });
}

/** A string says what is wrong with the address. */
function open(url: string, options: WebSocketDialOptions): WebSocket | string {
  try {
    return new WebSocket(url, options.protocols ?? [], {
      ...limits,
      handshakeTimeout: options.timeoutMs ?? 10_000,
      headers: options.headers ?? {},
      ...options.tls,
    });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Takes requests that the caller has checked (Host, Origin, token) and turns them into transports. */
export class WebSocketDoor {
  readonly #server: WebSocketServer;

  /** `subprotocol` picks the one to answer with among those offered; false: none. */
  constructor(subprotocol?: (offered: Set<string>, request: IncomingMessage) => string | false) {
    this.#server = new WebSocketServer({ noServer: true, ...limits, ...(subprotocol ? { handleProtocols: subprotocol } : {}) });
  }

  /** To be called from the HTTP server's `upgrade` event. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, then: (transport: Transport) => void): void {
    this.#server.handleUpgrade(request, socket, head, (upgraded) => then(new WebSocketTransport(upgraded)));
  }
}

class WebSocketTransport implements Transport {
  readonly #socket: WebSocket;
  #events: TransportEvents | null = null;
  #closed: TransportClosed | null = null;
  #closing = false;
  #full = false;
  #problem: string | null = null;
  #goodbyeTimer: NodeJS.Timeout | null = null;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "nodebuffer";
    // Until somebody listens, frames wait in the socket.
    socket.pause();
    socket.on("error", (error: Error) => {
      this.#problem = error.message;
    });
    socket.on("close", (code: number, reason: Buffer) => {
      const clean = this.#problem === null && (this.#closing || code === 1000 || code === 1001);
      this.#finish({ clean, text: this.#problem ?? (reason.toString() || (clean ? "closed" : "the other end went away without a word")) });
    });
  }

  get queued(): number {
    return this.#socket.bufferedAmount;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    if (this.#closed) {
      events.closed(this.#closed);
      return;
    }
    this.#socket.on("message", (data: RawData, isBinary: boolean) => this.#message(data, isBinary));
    this.#socket.resume();
  }

  send(frame: Uint8Array): void {
    if (this.#closed || this.#closing) return;
    this.#socket.send(frame, { binary: true, compress: false }, this.#sent);
    if (this.queued >= highWater) this.#full = true;
  }

  close(): void {
    if (this.#closed || this.#closing) return;
    this.#closing = true;
    this.#socket.resume();
    this.#socket.close(1000);
    this.#goodbyeTimer = setTimeout(() => this.terminate(), goodbyeMs);
    this.#goodbyeTimer.unref();
  }

  terminate(): void {
    this.#socket.terminate();
    this.#finish({ clean: false, text: "terminated" });
  }

  readonly #sent = (error?: Error | null): void => {
    if (error || this.#closed || !this.#full || this.queued >= highWater / 2) return;
    this.#full = false;
    this.#events?.drain();
  };

  #message(data: RawData, isBinary: boolean): void {
    if (this.#closed || this.#closing) return;
    if (isBinary && data instanceof Uint8Array) {
      this.#events?.frame(data);
      return;
    }
    this.#problem = "it sent text where frames are expected";
    this.#socket.close(1003);
  }

  #finish(reason: TransportClosed): void {
    if (this.#closed) return;
    this.#closed = reason;
    if (this.#goodbyeTimer) clearTimeout(this.#goodbyeTimer);
    this.#events?.closed(reason);
  }
}

function refusal(where: string, status: number): Result<never> {
  const more = { scope: "connection" } as const;
  if (status === 401) return fail("unauthenticated", `${where} does not know this key. Check the key, or ask for a new one.`, more);
  if (status === 403) return fail("not-permitted", `${where} does not allow this client. Ask whoever runs it.`, more);
  return fail("unreachable", `${where} answered with status ${status} instead of a connection.`, { ...more, retry: "later" });
}

/** Without path, query and user: those may carry secrets. */
function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    return "The address";
  }
}
