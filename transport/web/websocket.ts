/**
 * Frames over a page's WebSocket: one binary message a frame. Owns nothing but the translation; who may connect is the host's, when to
 * try again is the caller's. A WebSocket tells how much it holds but not when that falls, so `drain` comes from looking again while
 * something is held.
 */
import { maxFrameLength } from "../../protocol/frame.js";
import { highWater, type Transport, type TransportClosed, type TransportEvents } from "../transport.js";

/** The part of a WebSocket that is used; the `ws` package has the same, so tests need no page. */
export interface FrameSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }) => void,
  ): void;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
}

/** How often the queue is looked at while it is over the mark, in milliseconds. */
const lookMs = 8;

/** Takes an open socket. `after` calls back once after some milliseconds. */
export function webSocketTransport(socket: FrameSocket, after: (ms: number, then: () => void) => void): Transport {
  let events: TransportEvents | null = null;
  let closed: TransportClosed | null = null;
  let waiting: Uint8Array[] = [];
  let looking = false;

  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    if (closed !== null) return;
    const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : null;
    if (frame === null || frame.length > maxFrameLength) {
      socket.close(1003, "no frame");
      finish({ clean: false, text: "the host sent something that is no frame" });
    } else if (events === null) {
      waiting.push(frame);
    } else {
      events.frame(frame);
    }
  });
  socket.addEventListener("close", ({ code, reason, wasClean }) => {
    finish({ clean: wasClean && code === 1000, text: reason === "" ? `the connection closed (${code})` : reason });
  });

  function finish(reason: TransportClosed): void {
    if (closed !== null) return;
    closed = reason;
    events?.closed(reason);
  }

  function look(): void {
    if (looking || closed !== null) return;
    looking = true;
    after(lookMs, () => {
      looking = false;
      if (closed !== null) return;
      if (socket.bufferedAmount < highWater) events?.drain();
      else look();
    });
  }

  return {
    get queued() {
      return closed === null ? socket.bufferedAmount : 0;
    },
    listen(listener) {
      events = listener;
      const early = waiting;
      waiting = [];
      for (const frame of early) listener.frame(frame);
      if (closed !== null) listener.closed(closed);
    },
    send(frame) {
      if (closed !== null) return;
      socket.send(new Uint8Array(frame));
      if (socket.bufferedAmount >= highWater) look();
    },
    close() {
      if (closed !== null) return;
      socket.close(1000, "closed");
      finish({ clean: true, text: "closed" });
    },
    terminate() {
      if (closed !== null) return;
      socket.close();
      finish({ clean: false, text: "dropped" });
    },
  };
}
