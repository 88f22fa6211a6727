/** History: what readers get is what was appended, markers at their byte, costs never understated, memory bounded. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Size } from "../protocol/values.js";
import { History, type Reader, type Slice } from "./history.js";

const size = (cols: number, rows = 24): Size => ({ cols, rows });
const text = (value: string) => new TextEncoder().encode(value);
const all = Number.MAX_SAFE_INTEGER;

function drain(reader: Reader, maxBytes = all, maxCost = all): Slice[] {
  const slices: Slice[] = [];
  for (let slice = reader.next(maxBytes, maxCost); slice !== null; slice = reader.next(maxBytes, maxCost)) slices.push(slice);
  return slices;
}

function bytesOf(slices: Slice[]): string {
  return slices.map((slice) => (slice.kind === "bytes" ? new TextDecoder("latin1").decode(slice.bytes) : `<${slice.size.cols}>`)).join("");
}

describe("History", () => {
  it("gives what was appended, with markers between the bytes they stand between", () => {
    const history = new History(size(80));
    history.append(text("one"), 3);
    history.mark(size(100));
    history.mark(size(90));
    history.append(text("two"), 3);
    expect(bytesOf(drain(history.reader(0)))).toBe("one<100><90>two");
    expect(bytesOf(drain(history.reader(3)))).toBe("<100><90>two");
    expect(bytesOf(drain(history.reader(3, { pin: false, passMarkersAt: true })))).toBe("two");
    expect(bytesOf(drain(history.reader(3, { pin: false, reached: size(100) })))).toBe("<90>two");
    expect(bytesOf(drain(history.reader(3, { pin: false, reached: size(80) })))).toBe("<100><90>two");
    expect([history.sizeAt(0), history.sizeAt(3), history.sizeAt(4), history.sizeAfter(3)].map((at) => at.cols)).toEqual([80, 80, 90, 90]);
    expect(history.size).toEqual(size(90));
  });

  it("gives a waiting reader what comes later, markers at the same sequence too", () => {
    const history = new History(size(80));
    const reader = history.reader(0);
    expect(reader.next(all, all)).toBeNull();
    history.append(text("a"), 1);
    expect(bytesOf(drain(reader))).toBe("a");
    history.mark(size(100));
    expect(bytesOf(drain(reader))).toBe("<100>");
    history.mark(size(110));
    history.append(text("b"), 1);
    expect(bytesOf(drain(reader))).toBe("<110>b");
  });

  it("loses a reader that the ring passed, keeps a pinned one whole, and frees its pieces once it is closed", () => {
    const history = new History(size(80), { bytes: 64, pieceBytes: 16 });
    const slow = history.reader(0);
    const pinned = history.reader(0, { pin: true });
    for (let n = 0; n < 20; n += 1) history.append(text("0123456789abcdef"), 16);
    expect(history.end - history.base).toBeGreaterThanOrEqual(64);
    expect(history.end - history.base).toBeLessThanOrEqual(80);
    expect([slow.lost, slow.next(all, all)]).toEqual([true, null]);
    expect(history.heldBytes).toBe(320);
    expect(drain(pinned).reduce((sum, slice) => sum + (slice.kind === "bytes" ? slice.bytes.length : 0), 0)).toBe(320);
    pinned.close();
    expect(history.heldBytes).toBeLessThanOrEqual(80);
    expect(history.reader(0, { pin: true }).lost).toBe(true);
  });

  it("frees what a pinned reader has read while it stays pinned", () => {
    const history = new History(size(80), { bytes: 32, pieceBytes: 16 });
    const pinned = history.reader(0, { pin: true });
    for (let n = 0; n < 100; n += 1) {
      history.append(text("0123456789abcdef"), 16);
      drain(pinned);
    }
    expect(history.heldBytes).toBeLessThanOrEqual(64);
  });

  it("lets go of a reader that is unpinned, where it stands", () => {
    const history = new History(size(80), { bytes: 32, pieceBytes: 16 });
    const near = history.reader(0, { pin: true });
    const far = history.reader(0, { pin: true });
    for (let n = 0; n < 10; n += 1) history.append(text("0123456789abcdef"), 16);
    near.next(120, all);
    for (const reader of [near, far]) reader.unpin();
    expect([near.seq, near.lost, far.lost]).toEqual([16, true, true]);
    expect(history.heldBytes).toBeLessThanOrEqual(48);
    const again = history.reader(history.base, { pin: true });
    again.unpin();
    expect(bytesOf(drain(again))).toHaveLength(history.end - history.base);
  });

  it("starts small for a session that rests", () => {
    const history = new History(size(80));
    history.append(text("$ "), 2);
    expect(history.heldBytes).toBeLessThanOrEqual(4096);
  });

  it("cuts slices by cost, and gives one dear append rather than nothing", () => {
    const history = new History(size(80));
    for (let n = 0; n < 10; n += 1) history.append(text("xxxx"), 40_000);
    history.append(text("y"), 250_000);
    const slices = drain(history.reader(0), all, 100_000);
    expect(slices.map((slice) => (slice.kind === "bytes" ? [slice.bytes.length, slice.cost] : []))).toEqual([
      [8, 80_000],
      [8, 80_000],
      [8, 80_000],
      [8, 80_000],
      [8, 80_000],
      [1, 250_000],
    ]);
  });

  it("does not understate the cost of bytes that joined a mark after a reader had passed it", () => {
    const history = new History(size(80));
    const reader = history.reader(0);
    history.append(text("a"), 500);
    expect(reader.next(all, all)).toMatchObject({ cost: 500 });
    history.append(text("b"), 700);
    const slice = reader.next(all, all);
    expect(slice?.kind === "bytes" && slice.cost).toBeGreaterThanOrEqual(700);
  });

  it("keeps what it gave unchanged while the first piece grows", () => {
    const history = new History(size(80));
    history.append(text("first"), 5);
    const slice = history.reader(0).next(all, all);
    history.append(new Uint8Array(100_000).fill(0x7a), 100_000);
    expect(slice?.kind === "bytes" && new TextDecoder().decode(slice.bytes)).toBe("first");
  });

  it("agrees with a plain array for any appends, markers, pieces and reading steps", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("bytes" as const),
        length: fc.integer({ min: 1, max: 50 }),
        cost: fc.integer({ min: 0, max: 30_000 }),
      }),
      fc.record({ kind: fc.constant("size" as const), cols: fc.integer({ min: 2, max: 200 }) }),
      fc.record({ kind: fc.constant("read" as const), max: fc.integer({ min: 1, max: 60 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 1, max: 40 }), fc.nat(1000), (steps, pieceBytes, seed) => {
        const history = new History(size(80), { bytes: 4 * pieceBytes, pieceBytes });
        const model: { at: number; cols: number }[] = [];
        const appends: { from: number; to: number; cost: number }[] = [];
        let written = "";
        const live = history.reader(0, { pin: true });
        const seen: Slice[] = [];
        for (const next of steps) {
          if (next.kind === "bytes") {
            const chunk = Array.from({ length: next.length }, (_, n) => String.fromCharCode(33 + ((written.length + n + seed) % 90))).join(
              "",
            );
            appends.push({ from: written.length, to: written.length + chunk.length, cost: next.cost });
            written += chunk;
            history.append(text(chunk), next.cost);
          } else if (next.kind === "size") {
            model.push({ at: written.length, cols: next.cols });
            history.mark(size(next.cols));
          } else {
            const slice = live.next(next.max, 100_000);
            if (slice !== null) seen.push(slice);
          }
        }
        seen.push(...drain(live, 7, 100_000));
        let expected = "";
        for (let at = 0; at <= written.length; at += 1) {
          for (const marker of model) if (marker.at === at) expected += `<${marker.cols}>`;
          expected += written[at] ?? "";
        }
        expect(bytesOf(seen)).toBe(expected);
        for (const slice of seen) {
          if (slice.kind !== "bytes") continue;
          const to = slice.seq + slice.bytes.length;
          const inside = appends.filter((append) => append.from >= slice.seq && append.to <= to);
          expect(slice.cost).toBeGreaterThanOrEqual(inside.reduce((sum, append) => sum + append.cost, 0));
        }
        expect(history.heldBytes).toBeLessThanOrEqual(6 * Math.max(pieceBytes, 1) + written.length);
        const from = history.base;
        expect(bytesOf(drain(history.reader(from))).replace(/<\d+>/g, "")).toBe(written.slice(from));
      }),
      { numRuns: 300 },
    );
  });
});
