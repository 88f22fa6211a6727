/** Events to handlers: order, waiting, keeping, faults. */
import { describe, expect, it } from "vitest";
import { EventQueue } from "./event-queue.js";

interface Events {
  output: string;
  gap: number;
  exit: { code: number };
}

function make(keep: { bytes?: number; events?: number } = {}) {
  const thrown: unknown[] = [];
  const gone: unknown[] = [];
  const queue = new EventQueue<Events>({
    keepBytes: keep.bytes ?? 100,
    keepEvents: keep.events ?? 100,
    threw: (error) => thrown.push(error),
    gaveUp: (kind, event) => gone.push([kind, event]),
  });
  return { queue, thrown, gone };
}

async function rest(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe("event queue", () => {
  it("delivers in the same turn to handlers that do not wait", () => {
    const { queue } = make();
    const seen: string[] = [];
    queue.on("output", (text) => seen.push(`1 ${text}`));
    queue.on("output", (text) => seen.push(`2 ${text}`));
    queue.push("output", "a");
    queue.push("gap", 1);
    queue.push("output", "b");
    expect(seen).toEqual(["1 a", "2 a", "1 b", "2 b"]);
  });

  it("waits for handlers that wait, and says when an event is done with", async () => {
    const { queue } = make();
    const seen: string[] = [];
    const waiting: (() => void)[] = [];
    queue.on("output", (text) => {
      seen.push(text);
      return new Promise<void>((done) => waiting.push(done));
    });
    queue.on("exit", ({ code }) => seen.push(`exit ${code}`));
    const settled: string[] = [];
    queue.push("output", "a", { settled: () => settled.push("a") });
    queue.push("output", "b", { settled: () => settled.push("b") });
    queue.push("exit", { code: 3 });
    await rest();
    expect([seen, settled]).toEqual([["a"], []]);
    let drained = false;
    void queue.drained().then(() => {
      drained = true;
    });
    waiting.shift()?.();
    await rest();
    expect([seen, settled, drained]).toEqual([["a", "b"], ["a"], false]);
    waiting.shift()?.();
    await rest();
    expect([seen, settled, drained]).toEqual([["a", "b", "exit 3"], ["a", "b"], true]);
  });

  it("keeps each kind for its first handler, and hands it over in order before anything new", async () => {
    const { queue } = make();
    for (const text of ["a", "b"]) queue.push("output", text, { bytes: 1 });
    queue.push("exit", { code: 1 });
    const seen: string[] = [];
    queue.on("output", (text) => seen.push(text));
    queue.push("output", "c");
    await rest();
    expect(seen).toEqual(["a", "b", "c"]);
    const exits: number[] = [];
    queue.on("exit", ({ code }) => exits.push(code));
    await rest();
    expect(exits).toEqual([1]);
  });

  it("does not keep for a handler that went away", async () => {
    const { queue } = make();
    const seen: string[] = [];
    const off = queue.on("output", (text) => seen.push(text));
    off();
    queue.push("output", "a");
    queue.on("output", (text) => seen.push(text));
    await rest();
    expect(seen).toEqual([]);
    expect(queue.has("output")).toBe(true);
    expect(queue.has("gap")).toBe(false);
  });

  it("keeps the latest of what is too much, and counts it as done with", () => {
    const { queue, gone } = make({ bytes: 10, events: 3 });
    const settled: string[] = [];
    for (const text of ["a", "b", "c"]) queue.push("output", text, { bytes: 4, settled: () => settled.push(text) });
    for (const n of [1, 2, 3, 4]) queue.push("gap", n);
    expect(gone).toEqual([
      ["output", "a"],
      ["gap", 1],
    ]);
    expect(settled).toEqual(["a", "b", "c"]);
  });

  it("tells of handlers that throw, and goes on", async () => {
    const { queue, thrown } = make();
    const seen: string[] = [];
    queue.on("output", () => {
      throw new Error("at once");
    });
    queue.on("output", () => Promise.reject(new Error("later")));
    queue.on("output", (text) => seen.push(text));
    queue.push("output", "a");
    queue.push("output", "b");
    await rest();
    expect(seen).toEqual(["a", "b"]);
    expect(thrown.map((error) => (error as Error).message)).toEqual(["at once", "later", "at once", "later"]);
  });

  it("may be changed by its own handlers", () => {
    const { queue } = make();
    const seen: string[] = [];
    const off = queue.on("output", (text) => {
      seen.push(text);
      off();
      if (text === "a") queue.push("output", "from within");
      queue.on("output", (next) => seen.push(`new ${next}`));
    });
    queue.push("output", "a");
    expect(seen).toEqual(["a", "new from within"]);
  });

  it("is silent once it is closed", async () => {
    const { queue } = make();
    const seen: string[] = [];
    queue.push("output", "kept");
    queue.close();
    queue.on("output", (text) => seen.push(text));
    queue.push("output", "late");
    await queue.drained();
    await rest();
    expect(seen).toEqual([]);
  });
});
