/** The receiving half of a stream: attaching, output, breaks and input, without a connection. */
import { beforeEach, describe, expect, it } from "vitest";
import { failure } from "../protocol/errors.js";
import {
  back,
  bytes,
  confirm,
  drop,
  id,
  lastAttach,
  link,
  live,
  log,
  make,
  sessionId,
  size,
  snapshot,
  stream,
} from "../test/support/stream-bench.js";
import type { SendOutcome } from "./input-queue.js";

beforeEach(() => make());

describe("attaching", () => {
  it("asks with everything that a stream is", () => {
    stream.attach();
    expect(stream.state).toEqual({ state: "attaching", stream: 1, next: null });
    expect(lastAttach()).toEqual({
      t: "attach",
      stream: 1,
      session: "build",
      role: "operator",
      holder: "holder-1",
      view: null,
      resumeFrom: null,
      from: "screen",
      scrollback: 100,
      onLag: "skip",
    });
    expect(link.take("credit")).toEqual([{ t: "credit", stream: 1, upTo: 256 * 1024 }]);
  });

  it("collects a snapshot and shows it as a whole at its end", () => {
    stream.attach();
    confirm({ start: "snapshot", seq: 100, snapshotBytes: 8 });
    expect(stream.state).toMatchObject({ state: "replaying", next: null });
    stream.receiveSnapshot(0, bytes("\x1bcab"));
    stream.receiveSnapshot(4, bytes("cdef"));
    expect(log).toEqual(["attached snapshot 100"]);
    stream.receive({ t: "snapshot-end", stream: id(), at: 100, ...size });
    expect(log.at(-1)).toBe("screen \x1bcab|cdef at 100 attach");
    expect(stream.state).toMatchObject({ state: "live", next: 100, size });
  });

  it("keeps its own bytes: a medium may reuse its", () => {
    stream.attach();
    confirm({ start: "snapshot", seq: 100, snapshotBytes: 2 });
    const piece = bytes("\x1bc");
    stream.receiveSnapshot(0, piece);
    piece.fill(0x21);
    stream.receive({ t: "snapshot-end", stream: id(), at: 100, ...size });
    expect(log.at(-1)).toBe("screen \x1bc at 100 attach");
  });

  it("waits without a link, and attaches when there is one", () => {
    link.run = null;
    stream.attach();
    expect(stream.state).toEqual({ state: "suspended", next: null, error: null });
    expect(link.followed).toBe(true);
    back();
    expect(stream.state).toMatchObject({ state: "attaching" });
  });

  it("asks once more when the answer does not come", () => {
    stream.attach();
    link.take("attach");
    link.clock.advance(10_000);
    expect(lastAttach().stream).toBe(2);
    expect([...link.held]).toEqual([2]);
  });

  it("continues from a sequence of its own, and says what is gone", () => {
    make({ from: 40, scrollback: "none" });
    stream.attach();
    confirm({ start: "live", seq: 50, skipped: 10 });
    expect(log).toEqual(["attached live 50", "gap 40-50"]);
    stream.receiveData(50, bytes("x"));
    expect(log.at(-1)).toBe("data 50 x");
  });

  it("uses the session's id once it is known", () => {
    live();
    link.take("attach");
    drop();
    back();
    expect(lastAttach()).toMatchObject({ session: sessionId, resumeFrom: 100, holder: "holder-1" });
  });

  it("fails on what cannot be retried and backs off on what can", () => {
    stream.attach();
    link.take("attach");
    stream.receive({ t: "error", stream: 1, error: failure("busy", "Later.", { retry: "later" }) });
    expect(stream.state).toMatchObject({ state: "suspended", error: { code: "busy" } });
    link.clock.advance(249);
    expect(link.take("attach")).toEqual([]);
    link.clock.advance(500);
    expect(lastAttach().stream).toBe(2);
    stream.receive({ t: "error", stream: 2, error: failure("not-found", "No such session.") });
    expect(stream.state).toMatchObject({ state: "failed", error: { code: "not-found" } });
    expect(link.followed).toBe(false);
    stream.attach();
    expect(stream.state).toMatchObject({ state: "attaching" });
  });

  it("does not take a snapshot that no screen can be", () => {
    stream.attach();
    confirm({ start: "snapshot", snapshotBytes: 16 * 1024 * 1024 + 1 });
    expect(stream.state).toMatchObject({ state: "failed", error: { code: "limit" } });
  });
});

describe("live", () => {
  it("delivers in order and trims what comes twice", () => {
    live();
    stream.receiveData(100, bytes("abc"));
    stream.receiveData(100, bytes("abc"));
    stream.receiveData(101, bytes("bcd"));
    expect(log).toEqual(["data 100 abc", "data 103 d"]);
    expect(stream.state).toMatchObject({ state: "live", next: 104 });
    expect(stream.repairs).toBe(0);
  });

  it("never papers over a hole: it attaches again from what it has", () => {
    live();
    link.take("attach");
    stream.receiveData(100, bytes("abc"));
    stream.receiveData(104, bytes("e"));
    expect(log).toEqual(["data 100 abc"]);
    expect(stream.state).toEqual({ state: "attaching", stream: 2, next: 103 });
    expect(lastAttach()).toMatchObject({ stream: 2, resumeFrom: 103 });
    expect(stream.repairs).toBe(1);
    confirm({ seq: 103 });
    stream.receiveData(103, bytes("de"));
    expect(log.slice(1)).toEqual(["attached resume 103", "data 103 de"]);
  });

  it("waits between repairs that repair nothing", () => {
    live();
    for (let round = 0; round < 2; round++) {
      stream.receiveData(900, bytes("x"));
      if (stream.state.state === "attaching") confirm({ seq: 100 });
    }
    stream.receiveData(900, bytes("x"));
    expect(stream.state).toMatchObject({ state: "suspended", next: 100 });
    link.clock.advance(60_000);
    expect(stream.state).toMatchObject({ state: "attaching" });
  });

  it("takes a fallback to a snapshot and tells how much it skipped", () => {
    live();
    stream.receiveData(100, bytes("abc"));
    stream.receive({ t: "reset", stream: id(), reason: "lag", at: 500, ...size, skipped: 397, snapshotBytes: 5 });
    expect(stream.state).toMatchObject({ state: "replaying", next: 103 });
    snapshot("\x1bcnew", 500);
    stream.receiveData(500, bytes("z"));
    expect(log).toEqual(["data 100 abc", "screen \x1bcnew at 500 lag skipped 397", "data 500 z"]);
  });

  it("resizes in its place, behind the byte before", () => {
    live();
    stream.receiveData(100, bytes("a"));
    stream.receive({ t: "resized", stream: id(), at: 101, cols: 100, rows: 30 });
    stream.receiveData(101, bytes("b"));
    expect(log).toEqual(["data 100 a", "resized 101 100x30", "data 101 b"]);
    stream.receive({ t: "resized", stream: id(), at: 100, cols: 10, rows: 3 });
    expect(log).toHaveLength(3);
    stream.receive({ t: "resized", stream: id(), at: 110, cols: 10, rows: 3 });
    expect(stream.state.state).toBe("attaching");
  });

  it("keeps a marker that comes while a screen is on its way behind that screen", () => {
    live();
    stream.receive({ t: "reset", stream: id(), reason: "lag", at: 500, ...size, skipped: 400, snapshotBytes: 5 });
    stream.receive({ t: "resized", stream: id(), at: 500, cols: 100, rows: 30 });
    snapshot("\x1bcnew", 500);
    expect(log).toEqual(["screen \x1bcnew at 500 lag skipped 400", "resized 500 100x30"]);
  });

  it("ends only after the last byte", () => {
    live();
    stream.receive({ t: "exit", stream: id(), seq: 103, status: { code: 3 } });
    expect(stream.state).toMatchObject({ state: "attaching", next: 100 });
    confirm({ seq: 100 });
    stream.receiveData(100, bytes("abc"));
    stream.receive({ t: "exit", stream: id(), seq: 103, status: { code: 3 } });
    expect(stream.state).toEqual({ state: "ended", reason: "exit", status: { code: 3 } });
    expect(link.held.size).toBe(0);
    expect(link.clock.pending).toBe(0);
  });

  it("grants what was parsed, for its own id only", () => {
    live();
    link.take("credit");
    let seq = 100;
    for (let piece = 0; piece < 4; piece++, seq += 65_536) stream.receiveData(seq, new Uint8Array(65_536));
    expect(link.take("credit")).toEqual([]);
    stream.parsed(id() + 1, seq);
    expect(link.take("credit")).toEqual([]);
    stream.parsed(id(), seq);
    const [granted] = link.take("credit");
    expect(granted?.upTo).toBeGreaterThanOrEqual(256 * 1024 + 4 * 65_536);
  });

  it.each([
    ["a hole", 7, "cdef"],
    ["more than announced", 0, "0123456789"],
  ])("asks for another screen when its pieces have %s", (_what, offset, data) => {
    stream.attach();
    confirm({ start: "snapshot", seq: 100, snapshotBytes: 8 });
    link.take("attach");
    stream.receiveSnapshot(offset, bytes(data));
    expect(lastAttach()).toMatchObject({ stream: 2, resumeFrom: null });
  });

  it("asks for another screen when its end comes too early, or data instead of it", () => {
    stream.attach();
    confirm({ start: "snapshot", seq: 100, snapshotBytes: 8 });
    stream.receive({ t: "snapshot-end", stream: id(), at: 100, ...size });
    expect(stream.state).toMatchObject({ state: "attaching", stream: 2 });
    confirm({ start: "snapshot", seq: 100, snapshotBytes: 8 });
    stream.receiveData(100, bytes("x"));
    expect(stream.state.state).not.toBe("live");
    expect(log.filter((line) => line.startsWith("screen"))).toEqual([]);
  });
});

describe("a lost link", () => {
  it("keeps the place and goes on from there", () => {
    live();
    stream.receiveData(100, bytes("abc"));
    drop();
    expect(stream.state).toMatchObject({ state: "suspended", next: 103, error: { code: "offline" } });
    back();
    expect(lastAttach()).toMatchObject({ stream: 2, resumeFrom: 103 });
    confirm({ seq: 103 });
    stream.receiveData(103, bytes("d"));
    expect(log).toEqual(["data 100 abc", "attached resume 103", "data 103 d"]);
  });

  it("takes the size over that the session has where it goes on", () => {
    live();
    stream.receive({ t: "resized", stream: id(), at: 100, cols: 100, rows: 30 });
    drop();
    back();
    confirm({ seq: 100, size: { cols: 90, rows: 20 } });
    expect(log).toEqual(["resized 100 100x30", "attached resume 100", "resized 100 90x20"]);
  });

  it("keeps the last screen when the next one was cut, and asks for one", () => {
    live();
    stream.receive({ t: "reset", stream: id(), reason: "lag", at: 500, ...size, skipped: 400, snapshotBytes: 50 });
    stream.receiveSnapshot(0, bytes("\x1bcha"));
    drop();
    expect(stream.state).toMatchObject({ state: "suspended", next: null });
    back();
    expect(lastAttach()).toMatchObject({ resumeFrom: null });
    confirm({ start: "snapshot", seq: 600, snapshotBytes: 5 });
    snapshot("\x1bcnow", 600);
    expect(log.at(-1)).toBe("screen \x1bcnow at 600 attach skipped 500");
  });

  it("tells what the agent no longer had", () => {
    live();
    drop();
    back();
    confirm({ start: "snapshot", seq: 900, snapshotBytes: 5, skipped: 800 });
    snapshot("\x1bcnow", 900);
    expect(log.at(-1)).toBe("screen \x1bcnow at 900 attach skipped 800 gap");
  });

  it("trims what an older resume sends twice", () => {
    live();
    stream.receiveData(100, bytes("abc"));
    drop();
    back();
    confirm({ seq: 101 });
    stream.receiveData(101, bytes("bcd"));
    expect(log.at(-1)).toBe("data 103 d");
  });

  it("ends with another run of the agent", () => {
    live();
    const outcomes: SendOutcome[] = [];
    stream.send(bytes("ls\n"), (outcome) => outcomes.push(outcome));
    drop();
    back("run-2");
    expect(stream.state).toEqual({ state: "ended", reason: "agent-restarted" });
    expect(log).toEqual(["undelivered ls\n 0 lost"]);
    expect(outcomes).toMatchObject([{ ok: false, delivered: 0, error: { code: "agent-restarted" } }]);
  });

  it("does not end a stream that was never attached to the older run", () => {
    stream.attach();
    drop();
    back("run-2");
    expect(stream.state.state).toBe("attaching");
  });
});

describe("input", () => {
  it("goes out live and while replaying, not before and not after", () => {
    stream.send(bytes("early"));
    stream.attach();
    stream.send(bytes("still early"));
    confirm({ start: "snapshot", seq: 100, snapshotBytes: 5 });
    stream.send(bytes("a"));
    snapshot("\x1bcxyz", 100);
    stream.send(bytes("b"));
    drop();
    stream.send(bytes("late"));
    expect(link.input.map((one) => `${one.position} ${one.text}`)).toEqual(["0 a", "1 b"]);
    expect(log.filter((line) => line.startsWith("undelivered"))).toEqual([
      "undelivered early null offline",
      "undelivered still early null offline",
      "undelivered late null offline",
    ]);
  });

  it("is a draft while the link does not answer", () => {
    live();
    link.answers = false;
    stream.linkAnswers();
    stream.send(bytes("rm -rf x\n"));
    link.answers = true;
    stream.linkAnswers();
    stream.send(bytes("ls\n"));
    expect(link.input.map((one) => one.text)).toEqual(["ls\n"]);
    expect(log).toEqual(["undelivered rm -rf x\n null offline"]);
  });

  it("is sent again over a short break, exactly what is missing", () => {
    live();
    stream.send(bytes("abcdef"));
    drop();
    link.clock.advance(1000);
    back();
    confirm({ seq: 100, inputReceived: 4 });
    expect(link.input.map((one) => `${one.stream} ${one.position} ${one.text}`)).toEqual(["1 0 abcdef", "2 4 ef"]);
  });

  it("can be sent from within the first callback of a new link, behind what is sent again", () => {
    live();
    stream.send(bytes("abc"));
    drop();
    const events = stream;
    back();
    confirm({ seq: 100, inputReceived: 1 });
    events.send(bytes("d"));
    expect(link.input.slice(1).map((one) => `${one.position} ${one.text}`)).toEqual(["1 bc", "3 d"]);
  });

  it("of an observer goes nowhere", () => {
    make({ role: "observer" });
    live();
    stream.receive({ t: "role", stream: id(), role: "observer" });
    const outcomes: SendOutcome[] = [];
    stream.send(bytes("x"), (outcome) => outcomes.push(outcome));
    expect(link.input).toEqual([]);
    expect(outcomes).toMatchObject([{ ok: false, error: { code: "not-permitted" } }]);
  });

  it("stops at once when the role is taken away", () => {
    live();
    stream.send(new Uint8Array(300 * 1024));
    const sent = link.input.length;
    stream.receive({ t: "role", stream: id(), role: "observer" });
    expect(log.at(-1)).toBe("role observer");
    stream.receive({ t: "ack", stream: id(), upTo: 100 * 1024 });
    expect(link.input).toHaveLength(sent);
    expect(log.filter((line) => line.endsWith(`${256 * 1024} refused`))).toHaveLength(1);
  });

  it("that is cancelled comes back", () => {
    live();
    stream.send(bytes("paste"));
    stream.cancelInput();
    expect(link.take("input-cancel")).toHaveLength(1);
    stream.receive({ t: "input-cancelled", stream: id(), from: 2, to: 5 });
    expect(log).toEqual(["undelivered ste 2 cancelled"]);
  });

  it("keeps its role over a break as it was last", () => {
    live();
    stream.receive({ t: "role", stream: id(), role: "observer" });
    link.take("attach");
    drop();
    back();
    expect(lastAttach().role).toBe("observer");
  });
});
