/**
 * Frames over a message port, page side: what the Electron preload hands over. A port neither says what was taken nor loses anything, so
 * `queued` is always 0 and senders are bounded by the credit above. Frames arrive in buffers of their own.
 */
import { maxFrameLength } from "../../protocol/frame.js";
import type { Transport, TransportClosed, TransportEvents } from "../transport.js";

/** The part of a MessagePort that is used; Node's has the same, so tests need no page. */
export interface FramePort {
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close", listener: () => void): void;
  postMessage(message: Uint8Array): void;
  start(): void;
  close(): void;
}

export function messagePortTransport(port: FramePort): Transport {
  let events: TransportEvents | null = null;
  let closed: TransportClosed | null = null;

  // Chrome fires `close` on a port only since 122; before that the window goes away together with the desk.
  port.addEventListener("close", () => finish({ clean: true, text: "the app went away" }));

  function finish(reason: TransportClosed): void {
    if (closed !== null) return;
    closed = reason;
    events?.closed(reason);
  }

  function take(data: unknown): void {
    if (closed !== null) return;
    if (!(data instanceof Uint8Array) || data.length > maxFrameLength) {
      port.close();
      finish({ clean: false, text: "the app sent something that is no frame" });
      return;
    }
    events?.frame(data);
  }

  function close(): void {
    if (closed !== null) return;
    port.close();
    finish({ clean: true, text: "closed" });
  }

  return {
    queued: 0,
    listen(listener) {
      events = listener;
      if (closed !== null) {
        listener.closed(closed);
        return;
      }
      port.addEventListener("message", (event) => take(event.data));
      port.start();
    },
    send(frame) {
      if (closed !== null) return;
      // A clone takes the whole buffer behind a view.
      port.postMessage(frame.byteLength === frame.buffer.byteLength ? frame : frame.slice());
    },
    close,
    terminate: close,
  };
}
