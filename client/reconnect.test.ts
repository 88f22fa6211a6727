/** The schedule of tries, on a clock of its own. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../test/support/manual-clock.js";
import { heldMs, pauseMs, Reconnect } from "./reconnect.js";

function make(random = () => 0.5) {
  const clock = new ManualClock();
  const tries: number[] = [];
  const reconnect = new Reconnect({ clock, random, attempt: () => tries.push(clock.now()) });
  return { clock, tries, reconnect };
}

describe("reconnect", () => {
  it("tries within 50 ms after a link that held", () => {
    for (const random of [0, 0.5, 0.999]) {
      const { clock, tries, reconnect } = make(() => random);
      reconnect.up();
      clock.advance(heldMs);
      reconnect.failed();
      clock.advance(50);
      expect(tries).toEqual([heldMs + random * 50]);
    }
  });

  it("waits after a link that did not hold, so that a peer which hangs up at once is not stormed", () => {
    const { clock, tries, reconnect } = make(() => 0);
    reconnect.up();
    clock.advance(heldMs - 1);
    reconnect.failed();
    clock.advance(249);
    expect(tries).toEqual([]);
    clock.advance(1);
    expect(tries).toHaveLength(1);
  });

  it("waits longer after each failure, from 0.25 to 15 s, with jitter", () => {
    const whole = Array.from({ length: 12 }, (_, attempt) => pauseMs(attempt + 1, 0.999_999));
    expect(whole.slice(0, 7).map(Math.round)).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    for (let attempt = 1; attempt < 100; attempt++) {
      expect(pauseMs(attempt, 0)).toBeGreaterThanOrEqual(250);
      expect(pauseMs(attempt, 0)).toBeLessThan(pauseMs(attempt, 0.9));
      expect(pauseMs(attempt, 0.999)).toBeLessThanOrEqual(15_000);
    }
    const { clock, tries, reconnect } = make();
    for (let attempt = 1; attempt <= 5; attempt++) {
      reconnect.failed();
      expect(reconnect.state).toMatchObject({ state: "waiting", attempt });
      clock.advance(15_000);
    }
    expect(tries).toHaveLength(5);
  });

  it("begins anew after a link that held, not after one that did not", () => {
    const { clock, reconnect } = make();
    for (let attempt = 0; attempt < 4; attempt++) {
      reconnect.failed();
      clock.advance(15_000);
    }
    reconnect.up();
    clock.advance(5);
    reconnect.failed();
    expect(reconnect.state).toMatchObject({ state: "waiting", attempt: 5 });
    clock.advance(15_000);
    reconnect.up();
    clock.advance(heldMs);
    reconnect.failed();
    expect(reconnect.state).toMatchObject({ state: "waiting", attempt: 1 });
  });

  it("stops when refused, until asked", () => {
    const { clock, tries, reconnect } = make();
    reconnect.failed();
    reconnect.refused();
    clock.advance(3_600_000);
    reconnect.failed();
    clock.advance(3_600_000);
    expect(tries).toEqual([]);
    expect(clock.pending).toBe(0);
    reconnect.now();
    expect(tries).toHaveLength(1);
    expect(reconnect.state).toEqual({ state: "trying", attempt: 1 });
  });

  it("tries at once when asked, and only once at a time", () => {
    const { clock, tries, reconnect } = make();
    reconnect.failed();
    reconnect.now();
    reconnect.now();
    expect(tries).toEqual([0]);
    expect(clock.pending).toBe(0);
    reconnect.up();
    reconnect.now();
    expect(tries).toEqual([0]);
  });
});
