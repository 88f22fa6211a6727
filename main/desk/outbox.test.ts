/** What a page that reads slowly, or not at all, does to the desk: order, turns, and a bound. */
import { describe, expect, it } from "vitest";
import { decodeFrame } from "../../protocol/frame.js";
import { highWater, type Transport } from "../../transport/transport.js";
import { maxHeld, Outbox } from "./outbox.js";

/** Takes everything, and counts it as queued until `take`. */
class SlowTransport implements Transport {
  queued = 0;
  terminated = false;
  readonly sent: string[] = [];
  listen(): void {}
  send(frame: Uint8Array): void {
    this.queued += frame.length;
    const decoded = decodeFrame(frame);
    if (decoded.kind === "control") this.sent.push(JSON.parse(decoded.json).t);
    else if ("stream" in decoded) this.sent.push(`${decoded.stream}:${decoded.position}`);
  }
  close(): void {}
  terminate(): void {
    this.terminated = true;
  }
}

const chunk = new Uint8Array(64 * 1024);

describe("Outbox", () => {
  it("sends at once while the medium takes it, and holds nothing", () => {
    const transport = new SlowTransport();
    const outbox = new Outbox(transport);
    outbox.bytes("data", 1, 0, chunk);
    outbox.message({ t: "notice", text: "x" });
    expect(transport.sent).toEqual(["1:0", "notice"]);
    expect(outbox.held).toBe(0);
  });

  it("keeps each pane's order, lets panes take turns, and news go first", () => {
    const transport = new SlowTransport();
    const outbox = new Outbox(transport);
    transport.queued = highWater;
    for (let n = 0; n < 3; n++) outbox.bytes("data", 1, n, chunk);
    outbox.message({ t: "pane-verified", pane: 1, at: 5 });
    outbox.bytes("data", 2, 0, chunk);
    outbox.message({ t: "notice", text: "x" });
    expect(transport.sent).toEqual([]);
    while (outbox.held > 0) {
      transport.queued = highWater - 1;
      outbox.drain();
    }
    expect(transport.sent).toEqual(["notice", "1:0", "2:0", "1:1", "1:2", "pane-verified"]);
  });

  it("does not let a pane's later frame pass an earlier one when the medium is free for a moment", () => {
    const transport = new SlowTransport();
    const outbox = new Outbox(transport);
    transport.queued = highWater;
    outbox.bytes("data", 1, 0, chunk);
    transport.queued = 0;
    outbox.bytes("data", 1, 1, chunk);
    outbox.drain();
    expect(transport.sent).toEqual(["1:0", "1:1"]);
  });

  it("forgets what a closed pane had to say", () => {
    const transport = new SlowTransport();
    const outbox = new Outbox(transport);
    transport.queued = highWater;
    outbox.bytes("data", 1, 0, chunk);
    outbox.bytes("data", 2, 0, chunk);
    outbox.drop(1);
    transport.queued = 0;
    outbox.drain();
    expect(transport.sent).toEqual(["2:0"]);
    expect(outbox.held).toBe(0);
  });

  it("drops the link of a page that reads nothing at all", () => {
    const transport = new SlowTransport();
    const outbox = new Outbox(transport);
    transport.queued = highWater;
    for (let sent = 0; sent < maxHeld; sent += chunk.length) outbox.bytes("data", 1, sent, chunk);
    expect(transport.terminated).toBe(true);
  });

  it("refuses a message that fits into no frame", () => {
    const transport = new SlowTransport();
    const outbox = new Outbox(transport);
    expect(outbox.message({ t: "notice", text: "x".repeat(1024 * 1024) })).toBe(false);
    expect(transport.sent).toEqual([]);
  });
});
