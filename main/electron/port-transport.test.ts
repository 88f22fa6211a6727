/** Frames over a page's port: tight copies, nothing but bytes, closed once. */
import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import type { TransportClosed } from "../../transport/transport.js";
import { portTransport } from "./port-transport.js";

class FakePort extends EventEmitter {
  readonly sent: Uint8Array[] = [];
  started = false;
  closed = false;
  postMessage(message: Uint8Array): void {
    this.sent.push(message);
  }
  start(): void {
    this.started = true;
  }
  close(): void {
    this.closed = true;
    this.emit("close");
  }
}

function opened() {
  const port = new FakePort();
  const transport = portTransport(port);
  const frames: Uint8Array[] = [];
  const ends: TransportClosed[] = [];
  transport.listen({ frame: (frame) => frames.push(frame), drain: () => {}, closed: (reason) => ends.push(reason) });
  return { port, transport, frames, ends };
}

describe("portTransport", () => {
  it("starts the port when somebody listens, so that nothing is lost before", () => {
    const port = new FakePort();
    const transport = portTransport(port);
    expect(port.started).toBe(false);
    transport.listen({ frame: () => {}, drain: () => {}, closed: () => {} });
    expect(port.started).toBe(true);
  });

  it("never posts a view on a larger buffer", () => {
    const { port, transport } = opened();
    const large = new Uint8Array(4096).fill(7);
    transport.send(large.subarray(10, 20));
    const sent = port.sent[0];
    expect(sent).toEqual(new Uint8Array(10).fill(7));
    expect(sent?.buffer.byteLength).toBe(10);
  });

  it("takes typed arrays and array buffers", () => {
    const { port, frames } = opened();
    port.emit("message", { data: new Uint8Array([1, 2]) });
    port.emit("message", { data: new Uint8Array([3, 4]).buffer });
    expect(frames).toEqual([new Uint8Array([1, 2]), new Uint8Array([3, 4])]);
  });

  it.each([["text"], [null], [undefined], [{ length: 2 }], [[1, 2]], [new Uint8Array(1024 * 1024 + 1)]])("closes on %s", (data) => {
    const { port, frames, ends } = opened();
    port.emit("message", { data });
    port.emit("message", { data: new Uint8Array([1, 2]) });
    expect(frames).toEqual([]);
    expect(port.closed).toBe(true);
    expect(ends).toHaveLength(1);
  });

  it("is closed once, and sends nothing afterwards", () => {
    const { port, transport, ends } = opened();
    port.emit("close");
    transport.close();
    transport.terminate();
    transport.send(new Uint8Array([1]));
    expect(ends).toHaveLength(1);
    expect(port.sent).toEqual([]);
  });

  it("tells a late listener that it is closed", () => {
    const port = new FakePort();
    const transport = portTransport(port);
    port.emit("close");
    const ends: TransportClosed[] = [];
    transport.listen({ frame: () => {}, drain: () => {}, closed: (reason) => ends.push(reason) });
    expect(ends).toHaveLength(1);
  });
});
