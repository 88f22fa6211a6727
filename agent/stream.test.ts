/** The sending half alone, against a session without a program: order, credit, falling back, pacing, exit. */
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import type { Attach } from "../protocol/messages.js";
import type { StreamRole } from "../protocol/values.js";
import { FakeSession } from "../test/support/fake-session.js";
import { ManualClock } from "../test/support/manual-clock.js";
import { StreamReceiver } from "../test/support/stream-receiver.js";
import { SendingStream, snapshotIntervalMs } from "./stream.js";
import { paceStallMs } from "./stream-lag.js";

const bytes = (length: number, fill = 0x61) => new Uint8Array(length).fill(fill);
const defaults = { resumeFrom: null, from: "screen", scrollback: 1000, onLag: "skip" } satisfies Pick<
  Attach,
  "resumeFrom" | "from" | "scrollback" | "onLag"
>;

describe("SendingStream", () => {
  let clock: ManualClock;
  let session: FakeSession;
  let receiver: StreamReceiver;

  beforeEach(() => {
    clock = new ManualClock();
    session = new FakeSession({ clock });
    receiver = new StreamReceiver();
  });

  function open(begin: Partial<typeof defaults> | Partial<Attach> = {}, role: StreamRole = "operator"): SendingStream {
    const stream = new SendingStream({
      stream: 7,
      source: session,
      port: receiver,
      clock,
      begin: { ...defaults, ...begin },
      holder: () => ({ role, inputReceived: null }),
      hasScrollback: false,
    });
    stream.start();
    return stream;
  }

  function pullAll(stream: SendingStream, maxBytes = 65536): void {
    while (stream.pull(maxBytes, 100_000) > 0);
  }

  it("begins with a screen, goes on with what came meanwhile, and owes the scrollback until it is quiet", async () => {
    session.print(bytes(100));
    const stream = open();
    stream.credit(1_000_000);
    session.print(bytes(50, 0x62));
    stream.output();
    pullAll(stream);
    expect(receiver.types).toEqual([]);
    await session.answer(100);
    pullAll(stream);
    expect(receiver.types).toEqual(["attached", "snapshot-end"]);
    expect(receiver.said[0]).toMatchObject({ start: "snapshot", seq: 100, skipped: 0, role: "operator", size: { cols: 80, rows: 24 } });
    expect([receiver.next, receiver.emulator.digest]).toEqual([150, session.digest]);
    expect(session.snapshots).toEqual([0]);
    clock.advance(1000);
    await session.answer();
    pullAll(stream);
    expect(session.snapshots).toEqual([0, 1000]);
    expect(receiver.types).toEqual(["attached", "snapshot-end", "reset:scrollback", "snapshot-end"]);
    expect(receiver.said[2]).toMatchObject({ skipped: 0, at: 150 });
    expect(receiver.emulator.digest).toBe(session.digest);
    expect(stream.hasScrollback).toBe(true);
    stream.close();
    expect(clock.pending).toBe(0);
  });

  it("sends no scrollback to a stream without an emulator", async () => {
    session.print(bytes(100));
    const stream = open({ scrollback: "none" });
    stream.credit(1_000_000);
    await session.answer();
    pullAll(stream);
    clock.advance(10_000);
    expect(session.asked).toBe(0);
    expect(receiver.types).toEqual(["attached", "snapshot-end"]);
  });

  it("waits with the scrollback while a program prints, but not for ever for a spinner", async () => {
    const stream = open();
    stream.credit(1_000_000);
    await session.answer();
    pullAll(stream);
    for (let n = 0; n < 25; n += 1) {
      session.print(bytes(10));
      stream.output();
      pullAll(stream);
      clock.advance(100);
    }
    expect(session.asked).toBe(0);
    for (let n = 0; n < 15; n += 1) {
      session.print(bytes(10));
      stream.output();
      pullAll(stream);
      clock.advance(100);
    }
    expect(session.asked).toBe(1);
    await session.answer();
    session.print(bytes(5));
    stream.output();
    pullAll(stream);
    expect(receiver.types.filter((type) => type === "reset:scrollback")).toHaveLength(1);
    expect([receiver.skipped, receiver.emulator.digest]).toEqual([0, session.digest]);
  });

  it("carries nothing beyond the credit, snapshots counted", async () => {
    session.print(bytes(300));
    const stream = open({ scrollback: "none" });
    await session.answer();
    session.print(bytes(500, 0x63));
    stream.output();
    pullAll(stream);
    expect(receiver.carried).toBe(0);
    for (const upTo of [3, 2, 40, 40, 200]) {
      stream.credit(upTo);
      pullAll(stream, 16);
      expect(receiver.carried).toBe(upTo === 2 ? 3 : upTo);
    }
    expect(receiver.carried).toBe(200);
    stream.credit(10_000);
    pullAll(stream);
    expect(receiver.emulator.digest).toBe(session.digest);
  });

  it("resumes where the client is, with the size after the markers there", () => {
    session.print(bytes(100));
    session.resize({ cols: 100, rows: 30 });
    session.print(bytes(20, 0x62));
    const stream = open({ resumeFrom: 100 });
    stream.credit(1000);
    pullAll(stream);
    expect(receiver.said[0]).toMatchObject({ start: "resume", seq: 100, skipped: 0, size: { cols: 100, rows: 30 } });
    expect(receiver.said[1]).toMatchObject({ t: "resized", at: 100, cols: 100 });
    expect(receiver.said).toHaveLength(2);
    expect(receiver.next).toBe(120);
  });

  it.each([
    { name: "with an emulator: a screen", scrollback: 1000, start: "snapshot", seq: 20_000 },
    { name: "without one: what the ring still has", scrollback: "none", start: "live", seq: 15_872 },
  ] as const)("says how much is gone when the ring passed a resume, $name", async ({ scrollback, start, seq }) => {
    session.print(bytes(20_000));
    const stream = open({ resumeFrom: 5000, from: "oldest", scrollback });
    stream.credit(1_000_000);
    await session.answer();
    pullAll(stream);
    expect(receiver.said[0]).toMatchObject({ start, seq, skipped: seq - 5000 });
    expect(receiver.next).toBe(20_000);
  });

  it("gives a screen to a client that is ahead of the session", async () => {
    session.print(bytes(10));
    const stream = open({ resumeFrom: 500 });
    await session.answer();
    expect(receiver.said[0]).toMatchObject({ start: "snapshot", seq: 10, skipped: 0 });
    stream.close();
  });

  it.each([
    ["now", 20_000, 0],
    ["oldest", 15_872, 0],
    [19_000, 19_000, 0],
    [100, 15_872, 15_772],
    [99_999, 20_000, 0],
  ] as const)("from %s begins at %i", (from, seq, skipped) => {
    session.print(bytes(20_000));
    open({ from, scrollback: "none" });
    expect(receiver.said[0]).toMatchObject({ start: "live", seq, skipped });
  });

  it("skips a viewer that fell off the ring to a screen, at most four a second, and tells how much", async () => {
    const stream = open({ scrollback: "none" });
    await session.answer();
    stream.credit(200);
    pullAll(stream);
    const asked: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      session.print(bytes(6000));
      stream.output();
      stream.credit(200 + (n + 1) * 40);
      pullAll(stream);
      if (session.asked > 0) asked.push(clock.now());
      await session.answer();
      pullAll(stream);
      clock.advance(50);
    }
    for (let n = 1; n < asked.length; n += 1) expect((asked[n] ?? 0) - (asked[n - 1] ?? 0)).toBeGreaterThanOrEqual(snapshotIntervalMs);
    expect(asked.length).toBeGreaterThanOrEqual(3);
    stream.credit(1_000_000);
    clock.advance(1000);
    await session.answer();
    pullAll(stream);
    expect([receiver.next, receiver.emulator.digest]).toEqual([session.history.end, session.digest]);
    expect(receiver.types.filter((type) => type.startsWith("reset")).every((type) => type === "reset:lag")).toBe(true);
    expect(receiver.skipped).toBeGreaterThan(50_000);
    expect(receiver.types.at(-1)).toBe("behind");
    expect(receiver.said.at(-1)).toMatchObject({ ms: 0, bytes: 0 });
  });

  it.each([
    ["in the middle of a screen", 3],
    ["after it", 14],
  ])("makes no screens for a viewer that stops taking %s, and holds little for it", async (_, credit) => {
    const stream = open({ scrollback: "none" });
    stream.credit(credit);
    await session.answer();
    pullAll(stream);
    expect(stream.state).toBe(credit === 3 ? "replaying" : "live");
    for (let n = 0; n < 2400; n += 1) {
      session.print(bytes(4096));
      session.parse();
      stream.output();
      pullAll(stream);
      clock.advance(10);
    }
    expect(session.snapshots).toEqual([0]);
    expect(session.asked).toBe(0);
    expect(session.history.heldBytes).toBeLessThan(9 * 1024 * 1024);
  });

  it("goes on without a gap after a snapshot, even when the ring has passed it while it was made and sent", async () => {
    const stream = open({ scrollback: "none" });
    session.print(bytes(1000, 0x62));
    await session.answer(500, () => {
      session.print(bytes(30_000));
      session.parse();
      session.print(bytes(300));
    });
    stream.credit(5);
    pullAll(stream);
    session.print(bytes(30_000, 0x63));
    session.parse();
    stream.output();
    stream.credit(1_000_000);
    pullAll(stream);
    expect(receiver.types).toEqual(["attached", "snapshot-end"]);
    expect([receiver.next, receiver.emulator.digest]).toEqual([61_300, session.digest]);
    for (let n = 0; n < 40; n += 1) {
      session.print(bytes(256));
      session.parse();
    }
    expect(session.history.heldBytes).toBeLessThan(6000);
  });

  it("goes back with a screen that is older than what was sent meanwhile", async () => {
    const stream = open();
    stream.credit(1_000_000);
    session.print(bytes(100));
    await session.answer();
    pullAll(stream);
    clock.advance(500);
    expect(session.asked).toBe(1);
    session.print(bytes(70, 0x62));
    stream.output();
    pullAll(stream);
    expect(receiver.next).toBe(170);
    await session.answer(30);
    pullAll(stream);
    expect(receiver.said.find((message) => message.t === "reset")).toMatchObject({ reason: "scrollback", at: 130, skipped: 0 });
    expect([receiver.next, receiver.emulator.digest]).toEqual([170, session.digest]);
  });

  it("sends what stands before a screen before it", async () => {
    const stream = open();
    stream.credit(1_000_000);
    await session.answer();
    pullAll(stream);
    clock.advance(500);
    session.print(bytes(70, 0x62));
    await session.answer();
    pullAll(stream);
    expect(receiver.types).toEqual(["attached", "snapshot-end", "reset:scrollback", "snapshot-end"]);
    expect(receiver.said[2]).toMatchObject({ at: 70, skipped: 0 });
    expect(receiver.carried).toBeGreaterThan(1000 + 70);
  });

  it("pauses the program for a viewer that paces, and skips one that stands still", async () => {
    const stream = open({ from: "now", scrollback: "none", onLag: "pace" });
    session.print(bytes(3000));
    stream.output();
    expect(session.holders.size).toBe(1);
    stream.credit(2500);
    pullAll(stream);
    expect(session.holders.size).toBe(0);
    session.print(bytes(2000));
    stream.output();
    expect(session.holders.size).toBe(1);
    clock.advance(paceStallMs - 1);
    stream.credit(2510);
    pullAll(stream);
    clock.advance(paceStallMs - 1);
    expect(session.holders.size).toBe(1);
    clock.advance(paceStallMs + 2);
    expect(session.holders.size).toBe(0);
    session.print(bytes(9000));
    stream.output();
    expect(session.holders.size).toBe(0);
    stream.credit(100_000);
    pullAll(stream);
    await session.answer();
    pullAll(stream);
    expect(receiver.types).toContain("reset:lag");
    expect(receiver.next).toBe(session.history.end);
    session.print(bytes(3000));
    stream.setRole("observer");
    stream.output();
    expect(session.holders.size).toBe(0);
    stream.setRole("operator");
    stream.output();
    expect(session.holders.size).toBe(1);
    stream.close();
    expect([session.holders.size, clock.pending]).toEqual([0, 0]);
  });

  it("lets no observer pace", () => {
    const stream = open({ from: "now", scrollback: "none", onLag: "pace" }, "observer");
    session.print(bytes(3000));
    stream.output();
    expect(session.holders.size).toBe(0);
  });

  it("says behind while it is, at most four times a second, then once that it is not", () => {
    const stream = open({ from: "now", scrollback: "none" });
    session.print(bytes(100));
    stream.output();
    clock.advance(2000);
    const behind = receiver.said.filter((message) => message.t === "behind");
    expect(behind.length).toBeGreaterThan(4);
    expect(behind.length).toBeLessThanOrEqual(8);
    expect(behind[3]).toMatchObject({ ms: 1000, bytes: 100 });
    stream.credit(100);
    pullAll(stream);
    clock.advance(2000);
    expect(receiver.said.filter((message) => message.t === "behind" && message.bytes === 0)).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it("gives a smaller emulator a fresh screen after each resize, a full one none", async () => {
    const stream = open({ scrollback: 0 });
    stream.credit(100_000);
    session.print(bytes(10));
    await session.answer();
    pullAll(stream);
    clock.advance(1000);
    session.resize({ cols: 60, rows: 20 });
    session.print(bytes(10, 0x62));
    stream.output();
    pullAll(stream);
    clock.advance(1000);
    await session.answer();
    pullAll(stream);
    expect(receiver.types).toEqual(["attached", "snapshot-end", "resized", "reset:resize", "snapshot-end"]);
    expect(receiver.emulator.digest).toBe(session.digest);
    stream.close();
    receiver = new StreamReceiver();
    const full = open({ from: "oldest" });
    full.credit(100_000);
    session.resize({ cols: 70, rows: 20 });
    full.output();
    pullAll(full);
    clock.advance(5000);
    expect(session.asked).toBe(0);
    expect(receiver.types).toEqual(["attached", "resized", "resized"]);
  });

  it("answers a hash with verified, or with its own screen", async () => {
    const stream = open({ from: "oldest" });
    stream.credit(100_000);
    session.print(bytes(10));
    stream.output();
    pullAll(stream);
    stream.hash(10, session.digest);
    await Promise.resolve();
    expect(receiver.said.at(-1)).toEqual({ t: "verified", stream: 7, at: 10 });
    stream.hash(10, "another");
    await Promise.resolve();
    clock.advance(0);
    await session.answer();
    pullAll(stream);
    expect(session.mismatches).toBe(1);
    expect(receiver.types.slice(-2)).toEqual(["reset:mismatch", "snapshot-end"]);
    stream.hash(5, "too late");
    await Promise.resolve();
    expect(session.mismatches).toBe(1);
  });

  it("compares one hash at a time, and the newest of those that waited", async () => {
    const stream = open({ from: "oldest" });
    stream.credit(100_000);
    session.print(bytes(10));
    stream.output();
    pullAll(stream);
    for (let n = 0; n < 50; n += 1) stream.hash(10, "never equal");
    stream.hash(10, session.digest);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    expect(session.mismatches).toBe(1);
    expect(receiver.said.filter((message) => message.t === "verified")).toEqual([{ t: "verified", stream: 7, at: 10 }]);
  });

  it("says exit once, after the last byte and after the scrollback it owes", async () => {
    const stream = open();
    stream.credit(1_000_000);
    await session.answer();
    pullAll(stream);
    session.print(bytes(500));
    session.exit = { code: 3 };
    stream.output();
    pullAll(stream, 100);
    await session.answer();
    pullAll(stream, 100);
    expect(receiver.types).toEqual(["attached", "snapshot-end", "reset:scrollback", "snapshot-end", "exit"]);
    expect(receiver.said.at(-1)).toEqual({ t: "exit", stream: 7, seq: 500, status: { code: 3 } });
    expect([receiver.finishedWith, stream.state]).toEqual([null, "closed"]);
    stream.output();
    pullAll(stream);
    expect([receiver.types.filter((type) => type === "exit").length, clock.pending]).toEqual([1, 0]);
  });

  it("gives an ended session whole at once", async () => {
    session.print(bytes(500));
    session.exit = { signal: "TERM" };
    const stream = open();
    stream.credit(1_000_000);
    await session.answer();
    pullAll(stream);
    expect(session.snapshots).toEqual([1000]);
    expect(receiver.types).toEqual(["attached", "snapshot-end", "exit"]);
  });

  it("holds exit back until the client allows the last byte", () => {
    const stream = open({ from: "oldest", scrollback: "none" });
    session.print(bytes(10));
    session.exit = { code: 0 };
    stream.output();
    stream.credit(9);
    pullAll(stream);
    expect(receiver.types).toEqual(["attached"]);
    stream.credit(10);
    pullAll(stream);
    expect(receiver.types).toEqual(["attached", "exit"]);
  });

  it("ends with a failure when the screen cannot be made", async () => {
    session.snapshot = () => Promise.reject(new Error("no worker"));
    open();
    await Promise.resolve();
    await Promise.resolve();
    expect(receiver.said).toMatchObject([{ t: "error", error: { code: "internal", retry: "later" } }]);
    expect(receiver.finishedWith?.code).toBe("internal");
  });

  it("shows every receiver the session's screen, for any output, credit, frames, resizes and timing", async () => {
    const act = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ act: fc.constant("print" as const), length: fc.integer({ min: 1, max: 900 }), fill: fc.nat(255) }),
      },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("flood" as const), length: fc.integer({ min: 3000, max: 30_000 }) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("resize" as const), cols: fc.integer({ min: 2, max: 200 }) }) },
      { weight: 5, arbitrary: fc.record({ act: fc.constant("credit" as const), more: fc.integer({ min: 1, max: 3000 }) }) },
      { weight: 5, arbitrary: fc.record({ act: fc.constant("pull" as const), max: fc.integer({ min: 1, max: 2000 }) }) },
      { weight: 3, arbitrary: fc.record({ act: fc.constant("answer" as const), parse: fc.nat(3000) }) },
      { weight: 3, arbitrary: fc.record({ act: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 600 }) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("resume" as const) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant("hash" as const) }) },
    );
    const begin = fc.record({
      from: fc.constantFrom("screen" as const, "oldest" as const),
      scrollback: fc.constantFrom("none" as const, 0, 500, 1000),
      onLag: fc.constantFrom("skip" as const, "pace" as const),
    });
    await fc.assert(
      fc.asyncProperty(begin, fc.array(act, { maxLength: 80 }), async (how, acts) => {
        clock = new ManualClock();
        session = new FakeSession({ clock });
        receiver = new StreamReceiver();
        let stream = open(how);
        let credit = 0;
        for (const one of acts) {
          switch (one.act) {
            case "print":
              session.print(bytes(one.length, one.fill));
              stream.output();
              break;
            case "flood":
              session.print(bytes(one.length, 0x7a));
              stream.output();
              break;
            case "resize":
              session.resize({ cols: one.cols, rows: 24 });
              stream.output();
              break;
            case "credit":
              credit = Math.max(credit, receiver.carried) + one.more;
              stream.credit(credit);
              break;
            case "pull":
              stream.pull(one.max, 100_000);
              break;
            case "answer":
              await session.answer(one.parse);
              break;
            case "wait":
              clock.advance(one.ms);
              break;
            case "hash":
              stream.hash(session.history.end, "never equal");
              await Promise.resolve();
              break;
            case "resume": {
              stream.close();
              const { emulator, next, collecting, gap } = receiver;
              receiver = new StreamReceiver();
              receiver.gap = gap;
              receiver.emulator = emulator;
              receiver.next = collecting ? null : next;
              credit = 0;
              stream = open({ ...how, resumeFrom: receiver.next });
              break;
            }
          }
        }
        for (let n = 0; n < 40; n += 1) {
          stream.credit(Number.MAX_SAFE_INTEGER);
          await session.answer();
          pullAll(stream);
          clock.advance(400);
        }
        expect(receiver.next).toBe(session.history.end);
        if (receiver.gap) expect(how).toMatchObject({ from: "oldest", scrollback: "none" });
        else expect(receiver.emulator.digest).toBe(session.digest);
        session.exit = { code: 0 };
        stream.output();
        await session.answer();
        pullAll(stream);
        expect(receiver.types.at(-1)).toBe("exit");
        expect(session.holders.size).toBe(0);
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});
