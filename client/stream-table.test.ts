/** The state table of the receiving half: every event in every state, and the ways out. */
import { beforeEach, describe, expect, it } from "vitest";
import { failure } from "../protocol/errors.js";
import { back, bytes, confirm, drop, id, lastAttach, link, live, log, make, size, states, stream } from "../test/support/stream-bench.js";
import type { SendOutcome } from "./input-queue.js";

beforeEach(() => make());

describe("detaching", () => {
  it.each(states)("from %s leaves nothing behind", async (name, reach) => {
    reach();
    const detached = stream.detach();
    stream.receive({ t: "detached", stream: id() });
    await detached;
    expect(stream.state.state).toBe(name === "ended" ? "ended" : "detached");
    expect(link.held.size).toBe(0);
    expect(link.clock.pending).toBe(0);
    await stream.detach();
  });

  it("waits for the pty to take what was sent", async () => {
    live();
    stream.send(bytes("make\n"));
    const detached = stream.detach();
    expect(link.take("detach")).toEqual([]);
    stream.receive({ t: "ack", stream: id(), upTo: 5 });
    await Promise.resolve();
    expect(link.take("detach")).toHaveLength(1);
    stream.receive({ t: "detached", stream: id() });
    await detached;
    expect(log).toEqual([]);
  });

  it("waits for a program that does not read only so long", async () => {
    live();
    const outcomes: SendOutcome[] = [];
    stream.send(bytes("make\n"), (outcome) => outcomes.push(outcome));
    const detached = stream.detach({ flushMs: 300 });
    link.clock.advance(300);
    await Promise.resolve();
    expect(link.take("detach")).toHaveLength(1);
    link.clock.advance(2000);
    await detached;
    expect(outcomes).toMatchObject([{ ok: false, delivered: 0, error: { code: "not-delivered" } }]);
    expect(link.clock.pending).toBe(0);
  });

  it("goes on where it stood when it is attached again", async () => {
    live();
    const detached = stream.detach();
    stream.receive({ t: "detached", stream: id() });
    await detached;
    link.take("attach");
    stream.attach({ role: "observer" });
    expect(lastAttach()).toMatchObject({ resumeFrom: 100, role: "observer" });
    confirm({ seq: 100, role: "observer" });
    expect(stream.state).toMatchObject({ state: "live", next: 100 });
  });

  it("does not attach again by itself when the link comes and goes", async () => {
    live();
    stream.send(bytes("x"));
    const detached = stream.detach();
    drop();
    await detached;
    expect(stream.state).toEqual({ state: "detached" });
    expect(link.followed).toBe(false);
  });
});

describe("every event in every state", () => {
  const events: [string, () => void][] = [
    ["attached", () => confirm({ start: "live", seq: 100 })],
    ["detached", () => stream.receive({ t: "detached", stream: id() })],
    ["data", () => stream.receiveData(100, bytes("x"))],
    ["data with a hole", () => stream.receiveData(5000, bytes("x"))],
    ["snapshot", () => stream.receiveSnapshot(0, bytes("\x1bc"))],
    ["snapshot-end", () => stream.receive({ t: "snapshot-end", stream: id(), at: 100, ...size })],
    ["reset", () => stream.receive({ t: "reset", stream: id(), reason: "lag", at: 200, ...size, skipped: 0, snapshotBytes: 3 })],
    ["resized", () => stream.receive({ t: "resized", stream: id(), at: 100, cols: 90, rows: 30 })],
    ["role", () => stream.receive({ t: "role", stream: id(), role: "observer" })],
    ["ack", () => stream.receive({ t: "ack", stream: id(), upTo: 3 })],
    ["input-cancelled", () => stream.receive({ t: "input-cancelled", stream: id(), from: 0, to: 3 })],
    ["exit", () => stream.receive({ t: "exit", stream: id(), seq: 100, status: { code: 0 } })],
    ["error later", () => stream.receive({ t: "error", stream: id(), error: failure("busy", "Later.", { retry: "later" }) })],
    ["error never", () => stream.receive({ t: "error", stream: id(), error: failure("not-found", "Gone.") })],
    ["link down", () => drop()],
    ["link up", () => back()],
    ["other run", () => back("run-2")],
    ["attach", () => stream.attach()],
    ["send", () => stream.send(bytes("x"))],
    ["parsed", () => stream.parsed(id(), 100)],
  ];
  const next: Record<string, Partial<Record<string, string>>> = {
    detached: { attach: "attaching", "link up": "attaching", "other run": "attaching" },
    attaching: {
      attached: "live",
      "error later": "suspended",
      "error never": "failed",
      "link down": "suspended",
    },
    replaying: {
      data: "attaching",
      "data with a hole": "attaching",
      "snapshot-end": "attaching",
      exit: "attaching",
      "error later": "suspended",
      "error never": "failed",
      "link down": "suspended",
    },
    live: {
      "data with a hole": "attaching",
      snapshot: "attaching",
      reset: "replaying",
      exit: "ended",
      "error later": "suspended",
      "error never": "failed",
      "link down": "suspended",
    },
    suspended: { "link up": "attaching", "other run": "ended" },
    ended: {},
    failed: { attach: "attaching", "link up": "attaching", "other run": "attaching" },
  };

  for (const [name, reach] of states) {
    it.each(events)(`${name}: %s`, (event, happen) => {
      reach();
      expect(stream.state.state).toBe(name);
      happen();
      expect(stream.state.state).toBe(next[name]?.[event] ?? name);
      // Whoever is not attached holds no id.
      expect(link.held.size).toBe("stream" in stream.state ? 1 : 0);
    });
  }
});
