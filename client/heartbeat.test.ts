/** Silence on a clock of its own. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../test/support/manual-clock.js";
import { Heartbeat } from "./heartbeat.js";

function make() {
  const clock = new ManualClock();
  const said: string[] = [];
  const heartbeat = new Heartbeat({
    clock,
    ping: (n) => said.push(`${clock.now()} ping ${n}`),
    stale: (since) => said.push(`${clock.now()} ${since === null ? "answers" : `stale since ${since}`}`),
    dead: () => said.push(`${clock.now()} dead`),
  });
  return { clock, said, heartbeat };
}

describe("heartbeat", () => {
  it("asks each 5 s while the other end answers", () => {
    const { clock, said, heartbeat } = make();
    heartbeat.start();
    for (let second = 0; second < 20; second++) {
      clock.advance(1000);
      heartbeat.heard();
    }
    expect(said).toEqual(["0 ping 1", "5000 ping 2", "10000 ping 3", "15000 ping 4", "20000 ping 5"]);
  });

  it("is stale at 7 s and dead at 20 s of silence", () => {
    const { clock, said, heartbeat } = make();
    heartbeat.start();
    clock.advance(60_000);
    expect(said.filter((line) => !line.includes("ping"))).toEqual(["7000 stale since 0", "20000 dead"]);
    expect(clock.pending).toBe(0);
  });

  it("answers again with the first frame", () => {
    const { clock, said, heartbeat } = make();
    heartbeat.start();
    clock.advance(8000);
    heartbeat.heard();
    clock.advance(6000);
    expect(said.filter((line) => !line.includes("ping"))).toEqual(["7000 stale since 0", "8000 answers"]);
    clock.advance(1000);
    expect(said.at(-1)).toBe("15000 stale since 8000");
  });

  it("measures the round trip of the last ping only", () => {
    const { clock, heartbeat } = make();
    heartbeat.start();
    expect(heartbeat.roundTripMs).toBeNull();
    clock.advance(30);
    heartbeat.pong(1);
    expect(heartbeat.roundTripMs).toBe(30);
    clock.advance(4970);
    heartbeat.heard();
    heartbeat.pong(1);
    expect(heartbeat.roundTripMs).toBe(30);
  });

  it("asks once more before it calls a link dead that it did not watch", () => {
    const { clock, said, heartbeat } = make();
    heartbeat.start();
    // An hour asleep: the timer comes late, and what arrived meanwhile is read after it.
    clock.sleep(3_600_000);
    expect(said.some((line) => line.includes("dead") || line.includes("stale"))).toBe(false);
    heartbeat.heard();
    clock.advance(1500);
    expect(said.some((line) => line.includes("dead"))).toBe(false);
  });

  it("gives little time after a sleep when nothing answers", () => {
    const { clock, said, heartbeat } = make();
    heartbeat.start();
    clock.sleep(3_600_000);
    clock.advance(1500);
    expect(said.at(-1)).toContain("dead");
    expect(said.filter((line) => line.includes("ping"))).toHaveLength(2);
  });

  it("asks at once when told to, and leaves no timer when stopped", () => {
    const { clock, said, heartbeat } = make();
    heartbeat.start();
    clock.advance(100);
    heartbeat.wake();
    expect(said).toEqual(["0 ping 1", "100 ping 2"]);
    heartbeat.heard();
    heartbeat.stop();
    expect(clock.pending).toBe(0);
    heartbeat.wake();
    expect(said).toHaveLength(2);
  });
});
