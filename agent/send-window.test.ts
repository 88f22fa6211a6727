/** The window of one connection: bounded by what the path takes, measured by pings, never stuck. */
import { describe, expect, it } from "vitest";
import { SendWindow, smallestWindow } from "./send-window.js";

const frame = 4096;

/** Sends all the window allows over a path with a rate (bytes a ms) and a delay one way. */
class Path {
  readonly window = new SendWindow();
  #now = 0;
  #free = 0;
  #arriving: { at: number; n: number }[] = [];

  /** Returns how much was sent, and the largest amount under way. */
  drive({ rate, delay, ms }: { rate: number; delay: number; ms: number }): { largest: number; sent: number } {
    let largest = 0;
    let sent = 0;
    for (const until = this.#now + ms; this.#now < until; this.#now += 0.25) {
      for (let next = this.#arriving[0]; next !== undefined && next.at <= this.#now; next = this.#arriving[0]) {
        this.#arriving.shift();
        this.window.pong(next.n, this.#now);
      }
      while (this.window.room > 0) {
        sent += frame;
        this.#free = Math.max(this.#free, this.#now) + frame / rate;
        if (this.window.sent(frame)) this.#arriving.push({ at: this.#free + 2 * delay, n: this.window.probe(this.#now) });
      }
      if (this.window.stuck) this.#arriving.push({ at: this.#free + 2 * delay, n: this.window.probe(this.#now) });
      largest = Math.max(largest, this.window.limit - this.window.room);
    }
    return { largest, sent };
  }
}

describe("SendWindow", () => {
  it("lets 64 KiB out before anything is known, then nothing", () => {
    const window = new SendWindow();
    window.sent(smallestWindow - 1);
    expect(window.room).toBe(1);
    window.sent(100);
    expect(window.room).toBe(0);
  });

  it.each([
    { name: "loopback", rate: 50_000, delay: 0 },
    { name: "a fast link", rate: 10_000, delay: 20 },
    { name: "a slow link", rate: 100, delay: 40 },
    { name: "a far link", rate: 2000, delay: 150 },
  ])("fills $name and queues about 100 ms on it", ({ rate, delay }) => {
    const path = new Path();
    path.drive({ rate, delay, ms: 5000 });
    const { largest, sent } = path.drive({ rate, delay, ms: 3000 });
    expect(sent).toBeGreaterThan(0.9 * rate * 3000);
    expect(largest).toBeLessThanOrEqual(Math.max(smallestWindow, 1.3 * rate * (2 * delay + 105)) + 4096);
  });

  it("goes on when the oldest round trip is forgotten and the path is let run empty", () => {
    const path = new Path();
    // Large enough that what stands between two pings alone fills the window while it drains.
    path.drive({ rate: 50_000, delay: 1, ms: 5000 });
    for (let second = 0; second < 20; second += 1) {
      expect(path.drive({ rate: 50_000, delay: 1, ms: 1000 }).sent).toBeGreaterThan(0.5 * 50_000 * 1000);
    }
  });

  it("shrinks when the path becomes slow", () => {
    const path = new Path();
    path.drive({ rate: 10_000, delay: 5, ms: 2000 });
    expect(path.window.limit).toBeGreaterThan(500_000);
    path.drive({ rate: 100, delay: 5, ms: 30_000 });
    expect(path.window.limit).toBe(smallestWindow);
  });

  it("does not take its own queue for the path", () => {
    const path = new Path();
    path.drive({ rate: 1000, delay: 10, ms: 60_000 });
    const { largest, sent } = path.drive({ rate: 1000, delay: 10, ms: 20_000 });
    expect(largest).toBeLessThanOrEqual(1.4 * 1000 * (2 * 10 + 100));
    expect(sent).toBeGreaterThan(0.95 * 1000 * 20_000);
  });

  it("fills a path that became longer", () => {
    const path = new Path();
    path.drive({ rate: 2000, delay: 2, ms: 5000 });
    path.drive({ rate: 2000, delay: 150, ms: 30_000 });
    const { sent } = path.drive({ rate: 2000, delay: 150, ms: 9000 });
    expect(sent).toBeGreaterThan(0.85 * 2000 * 9000);
  });

  it("ignores pongs it never asked for, and old ones", () => {
    const window = new SendWindow();
    window.sent(1000);
    const first = window.probe(0);
    window.sent(1000);
    const second = window.probe(1);
    expect(window.pong(77, 2)).toBe(false);
    expect(window.pong(second, 2)).toBe(true);
    expect(window.pong(first, 3)).toBe(false);
    expect(window.room).toBe(window.limit);
  });
});
