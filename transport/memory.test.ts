/** The pair that other tests stand on: order, faults and the ends of a link. */
import { describe, expect, it } from "vitest";
import { memoryPair } from "./memory.js";
import { highWater, type Transport } from "./transport.js";

function listen(transport: Transport) {
  const heard: string[] = [];
  const kept: Uint8Array[] = [];
  transport.listen({
    frame: (frame) => {
      heard.push(Buffer.from(frame).toString());
      kept.push(frame);
    },
    drain: () => heard.push("drain"),
    closed: ({ clean, text }) => heard.push(`${clean ? "clean" : "broken"}: ${text}`),
  });
  return { heard, kept };
}

const frame = (text: string) => new TextEncoder().encode(text);

describe("memory pair", () => {
  it("delivers only when told, in order, each side by itself", () => {
    const pair = memoryPair();
    const left = listen(pair.left);
    const right = listen(pair.right);
    pair.left.send(frame("a"));
    pair.left.send(frame("b"));
    pair.right.send(frame("c"));
    expect([left.heard, right.heard, pair.pending("right"), pair.pending("left")]).toEqual([[], [], 2, 1]);
    expect(pair.step("right")).toBe(true);
    expect(right.heard).toEqual(["a"]);
    expect(pair.run()).toBe(2);
    expect([left.heard, right.heard]).toEqual([["c"], ["a", "b"]]);
    expect(pair.step()).toBe(false);
  });

  it("spoils what a reader keeps and is not spoiled by what a writer reuses", () => {
    const pair = memoryPair();
    const right = listen(pair.right);
    const mine = frame("mine");
    pair.left.send(mine);
    mine.fill(0x21);
    pair.run();
    expect(right.heard).toEqual(["mine"]);
    expect(right.kept[0]).toEqual(new Uint8Array(4).fill(0xee));
  });

  it("waits until somebody listens", () => {
    const pair = memoryPair();
    pair.left.send(frame("early"));
    expect(pair.run()).toBe(0);
    const right = listen(pair.right);
    pair.run();
    expect(right.heard).toEqual(["early"]);
  });

  it("drops, doubles, stalls and cuts as asked", () => {
    const pair = memoryPair();
    const left = listen(pair.left);
    const right = listen(pair.right);
    const fates = ["drop", "twice", "pass"] as const;
    let n = 0;
    pair.onFrame(() => fates[n++] ?? "pass");
    for (const text of ["a", "b", "c"]) pair.left.send(frame(text));
    pair.run();
    expect(right.heard).toEqual(["b", "b", "c"]);
    pair.stall("right", true);
    pair.left.send(frame("d"));
    pair.right.send(frame("e"));
    pair.run();
    expect([left.heard, right.heard.length]).toEqual([["e"], 3]);
    pair.cut("cable");
    pair.stall("right", false);
    pair.run();
    expect([left.heard.at(-1), right.heard.at(-1)]).toEqual(["broken: cable", "broken: cable"]);
    pair.left.send(frame("late"));
    expect(pair.pending("right")).toBe(0);
  });

  it("says goodbye behind what is queued", () => {
    const pair = memoryPair();
    const left = listen(pair.left);
    const right = listen(pair.right);
    pair.left.send(frame("last words"));
    pair.left.close();
    pair.left.send(frame("too late"));
    pair.run();
    expect(right.heard).toEqual(["last words", "clean: the other end said goodbye"]);
    expect(left.heard).toEqual(["clean: closed"]);
  });

  it("tells whoever listens late that it is over", () => {
    const pair = memoryPair();
    pair.right.terminate();
    expect(listen(pair.left).heard).toEqual(["broken: the other end is gone"]);
  });

  it("counts what is queued and tells when a sender may go on", () => {
    const pair = memoryPair();
    const left = listen(pair.left);
    listen(pair.right);
    for (let sent = 0; sent < highWater; sent += 65_536) pair.left.send(new Uint8Array(65_536));
    expect(pair.left.queued).toBe(highWater);
    pair.step();
    pair.step();
    expect(left.heard).toEqual([]);
    pair.step();
    expect(left.heard).toEqual(["drain"]);
    pair.run();
    expect([pair.left.queued, left.heard]).toEqual([0, ["drain"]]);
  });

  it("finds two ends that talk for ever", () => {
    const pair = memoryPair();
    const echo = (transport: Transport) => transport.listen({ frame: (one) => transport.send(one), drain: () => {}, closed: () => {} });
    echo(pair.left);
    echo(pair.right);
    pair.left.send(frame("x"));
    expect(() => pair.run(100)).toThrow("do not come to rest");
  });
});
