/** How far the agent may send. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../test/support/manual-clock.js";
import { Credit, firstWindow } from "./credit.js";

const kib = 1024;

function receive(credit: Credit, from: number, to: number): void {
  credit.carried(to - from);
  credit.delivered(from, to);
}

describe("credit", () => {
  it("begins with the first window and is granted once", () => {
    const credit = new Credit(new ManualClock());
    expect(credit.due()).toBe(firstWindow);
    expect(credit.due()).toBeNull();
  });

  it("moves with what was parsed, not with what arrived", () => {
    const credit = new Credit(new ManualClock());
    credit.due();
    receive(credit, 1000, 1000 + 100 * kib);
    expect(credit.due()).toBeNull();
    credit.parsed(1000 + 8 * kib);
    expect(credit.due()).toBeNull();
    credit.parsed(1000 + 100 * kib);
    expect(credit.due()).toBeGreaterThanOrEqual(firstWindow + 100 * kib);
  });

  it("counts snapshots as parsed when they arrive, and output around them by itself", () => {
    const clock = new ManualClock();
    const credit = new Credit(clock);
    credit.due();
    receive(credit, 0, 50 * kib);
    credit.carried(500 * kib);
    expect(credit.due()).toBe(firstWindow + 500 * kib);
    receive(credit, 900 * kib, 950 * kib);
    clock.advance(1000);
    // Everything up to the middle of the second piece: the hole between is not output.
    credit.parsed(925 * kib);
    const granted = credit.due() ?? 0;
    expect(granted - 575 * kib).toBeLessThanOrEqual(firstWindow);
  });

  it("never takes anything back", () => {
    const clock = new ManualClock();
    const credit = new Credit(clock);
    let last = credit.due() ?? 0;
    let seq = 0;
    for (let round = 0; round < 50; round++) {
      receive(credit, seq, seq + 40 * kib);
      seq += 40 * kib;
      clock.advance(round % 2 === 0 ? 1 : 5000);
      credit.parsed(seq);
      const now = credit.due();
      if (now === null) continue;
      expect(now).toBeGreaterThan(last);
      last = now;
    }
  });

  it("opens to 1 MiB for a viewer that parses at once and closes to 64 KiB for a slow one", () => {
    const clock = new ManualClock();
    const fast = new Credit(clock);
    const slow = new Credit(clock);
    for (let seq = 0; seq < 4000 * kib; seq += 64 * kib) {
      receive(fast, seq, seq + 64 * kib);
      fast.parsed(seq + 64 * kib);
      receive(slow, seq, seq + 64 * kib);
      clock.advance(1000);
      slow.parsed(seq + 64 * kib);
    }
    expect(fast.window).toBe(1024 * kib);
    expect(slow.window).toBe(64 * kib);
  });

  it("does not take an echo's frame time for a slow viewer", () => {
    const clock = new ManualClock();
    const credit = new Credit(clock);
    for (let seq = 0; seq < 500; seq++) {
      receive(credit, seq, seq + 1);
      clock.advance(16);
      credit.parsed(seq + 1);
    }
    expect(credit.window).toBe(firstWindow);
  });
});
