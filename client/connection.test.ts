/** Hello, requests, watch, heartbeat and reconnecting over a pair in memory, with an agent made of a few lines. */
import { describe, expect, it } from "vitest";
import { fail, failure, ok, type Result } from "../protocol/errors.js";
import { decodeFrame, encodeBytes, encodeControl } from "../protocol/frame.js";
import { type AgentHello, type AgentMessage, type ClientMessage, clientMessageSchema } from "../protocol/messages.js";
import type { SessionEntry } from "../protocol/values.js";
import { ManualClock } from "../test/support/manual-clock.js";
import { type MemoryPair, memoryPair } from "../transport/memory.js";
import type { Transport } from "../transport/transport.js";
import { Connection, type ConnectionOptions, type ConnectionState } from "./connection.js";

const hello: AgentHello = {
  protocol: { min: 1, max: 1 },
  t: "hello",
  product: "0.1.0",
  emulator: { name: "xterm.js", version: "6.0.0" },
  unicode: "6",
  stateId: "state-1",
  run: "run-1",
  machine: "web-1",
  pid: 7,
  root: false,
  principal: { id: "owner", name: "me" },
  maxRole: "admin",
};

const entry: SessionEntry = {
  sessionId: "0123456789abcdef01234567",
  name: "build",
  machine: "web-1",
  state: "running",
  pid: 42,
  size: { cols: 80, rows: 24 },
  attached: [],
  driver: null,
  exclusive: false,
  created: "2026-01-01T00:00:00.000Z",
  command: ["sh"],
  cwd: "/",
  title: "",
  exit: null,
  guardedBytes: 0,
  output: 0,
  bells: 0,
  idleMs: 0,
};

function make(options: Partial<ConnectionOptions> = {}) {
  const clock = new ManualClock();
  const pairs: MemoryPair[] = [];
  const heard: ClientMessage[] = [];
  const states: ConnectionState[] = [];
  let dials = 0;
  let refusal: Result<Transport> | null = null;
  let greeting: AgentHello | null = hello;
  const connection = new Connection({
    clock,
    client: { kind: "sdk", name: "test" },
    stateId: "state-1",
    random: () => 0.5,
    dial: () => {
      dials++;
      if (refusal) return Promise.resolve(refusal);
      const pair = memoryPair();
      pair.right.listen({
        frame: (bytes) => {
          const frame = decodeFrame(bytes);
          if (frame.kind !== "control") return;
          const message = clientMessageSchema.parse(JSON.parse(frame.json));
          heard.push(message);
          if (message.t === "hello" && greeting) say(greeting);
        },
        drain: () => {},
        closed: () => {},
      });
      pairs.push(pair);
      return Promise.resolve(ok(pair.left));
    },
    ...options,
  });
  connection.onState((state) => states.push(state));
  const pair = () => {
    const last = pairs.at(-1);
    if (!last) throw new Error("nothing was dialled");
    return last;
  };
  const say = (message: AgentMessage) => pair().right.send(encodeControl(JSON.stringify(message)));
  /** Lets promises and frames come to rest. */
  const rest = async () => {
    for (let turn = 0; turn < 10; turn++) {
      await Promise.resolve();
      pairs.at(-1)?.run();
    }
  };
  const live = async () => {
    connection.open();
    await rest();
    expect(connection.state.state).toBe("live");
  };
  return {
    clock,
    connection,
    pair,
    heard,
    states,
    say,
    rest,
    live,
    dials: () => dials,
    refuse: (error: Result<Transport> | null) => {
      refusal = error;
    },
    greet: (next: AgentHello | null) => {
      greeting = next;
    },
    last: <T extends ClientMessage["t"]>(t: T) => heard.filter((one): one is Extract<ClientMessage, { t: T }> => one.t === t).at(-1),
  };
}

describe("hello", () => {
  it("says who it is and whom it means, and is live when answered", async () => {
    const { connection, last, live, states } = make();
    await live();
    expect(last("hello")).toMatchObject({ client: { kind: "sdk", name: "test" }, stateId: "state-1", protocol: { min: 1, max: 1 } });
    expect(states.map((one) => one.state)).toEqual(["connecting", "live"]);
    expect(connection.agent).toEqual(hello);
  });

  it.each([
    ["another protocol", { ...hello, protocol: { min: 2, max: 3 } }, "version"],
    ["another agent", { ...hello, stateId: "state-2" }, "not-found"],
  ])("does not go on with %s, and does not try again", async (_what, other, code) => {
    const { connection, clock, greet, rest, dials } = make();
    greet(other);
    connection.open();
    await rest();
    expect(connection.state).toMatchObject({ state: "lost", error: { code } });
    clock.advance(3_600_000);
    expect(dials()).toBe(1);
    expect(clock.pending).toBe(0);
    greet(hello);
    connection.reconnect();
    await rest();
    expect(connection.state.state).toBe("live");
  });

  it("remembers which agent it was when it was not told", async () => {
    const { connection, live, pair, clock, greet, rest } = make({ stateId: null });
    await live();
    greet({ ...hello, stateId: "state-2" });
    clock.advance(10_000);
    pair().cut();
    clock.advance(50);
    await rest();
    expect(connection.state).toMatchObject({ state: "lost", error: { code: "not-found" } });
  });

  it("gives up a link on which nobody says hello", async () => {
    const { connection, clock, greet, rest } = make();
    greet(null);
    connection.open();
    await rest();
    clock.advance(10_000);
    await rest();
    expect(connection.state).toMatchObject({ state: "waiting", error: { code: "offline" } });
  });

  it("takes a refusal of the whole connection for what it is", async () => {
    const { connection, live, say, rest, clock, dials } = make();
    await live();
    say({ t: "error", stream: null, error: failure("unauthenticated", "The key was revoked.", { scope: "connection" }) });
    await rest();
    expect(connection.state).toMatchObject({ state: "lost", error: { code: "unauthenticated" } });
    clock.advance(3_600_000);
    expect(dials()).toBe(1);
  });
});

describe("ready", () => {
  it("gives the agent's hello", async () => {
    const { connection, rest } = make();
    const ready = connection.ready();
    await rest();
    expect(await ready).toEqual(ok(hello));
    expect(await connection.ready()).toEqual(ok(hello));
  });

  it("gives the first failure, and goes on trying", async () => {
    const { connection, rest, refuse, clock, dials } = make();
    refuse(fail("unreachable", "Nobody there.", { retry: "later" }));
    const ready = connection.ready();
    await rest();
    expect(await ready).toMatchObject({ ok: false, error: { code: "unreachable" } });
    expect(connection.state).toMatchObject({ state: "waiting", attempt: 1 });
    refuse(null);
    clock.advance(15_000);
    await rest();
    expect(connection.state.state).toBe("live");
    expect(dials()).toBe(2);
  });
});

describe("requests", () => {
  it("get their own reply, whatever the order", async () => {
    const { connection, live, rest, heard, say } = make();
    await live();
    const list = connection.request("list", {});
    const rename = connection.request("rename", { session: "build", name: "other" });
    await rest();
    const [first, second] = heard.filter((one) => one.t === "list" || one.t === "rename");
    if (first?.t !== "list" || second?.t !== "rename") throw new Error("not in order");
    say({ t: "reply", id: second.id, result: ok({ ...entry, name: "other" }) });
    say({ t: "reply", id: first.id, result: fail("busy", "Later.", { retry: "later" }) });
    say({ t: "reply", id: 999, result: ok({}) });
    await rest();
    expect(await rename).toMatchObject({ ok: true, value: { name: "other" } });
    expect(await list).toMatchObject({ ok: false, error: { code: "busy", retry: "later" } });
  });

  it("wait for a try under way, and fail at once without one", async () => {
    const { connection, rest, say, last, pair } = make();
    const early = connection.request("list", {});
    connection.open();
    await rest();
    say({ t: "reply", id: last("list")?.id ?? 0, result: ok([entry]) });
    await rest();
    expect(await early).toMatchObject({ ok: true });
    const cut = connection.request("list", {});
    pair().cut();
    expect(await cut).toMatchObject({ ok: false, error: { code: "offline" } });
    expect(await connection.request("list", {})).toMatchObject({ ok: false, error: { code: "offline" } });
  });

  it("time out, and leave nothing when they do", async () => {
    const { connection, live, clock, say, last, rest } = make();
    await live();
    const list = connection.request("list", {}, { timeoutMs: 100 });
    clock.advance(100);
    expect(await list).toMatchObject({ ok: false, error: { code: "timeout" } });
    say({ t: "reply", id: last("list")?.id ?? 1, result: ok([]) });
    await rest();
    const kill = connection.request("kill", { session: "build" });
    clock.advance(4000);
    let settled = false;
    void kill.then(() => {
      settled = true;
    });
    await rest();
    expect(settled).toBe(false);
  });

  it("refuse a reply that is not what was asked for", async () => {
    const { connection, live, rest, say, last } = make();
    await live();
    const list = connection.request("list", {});
    await rest();
    say({ t: "reply", id: last("list")?.id ?? 0, result: ok([{ nonsense: true }]) });
    await rest();
    expect(await list).toMatchObject({ ok: false, error: { code: "internal" } });
  });
});

describe("watch", () => {
  it("tells all sessions, then changes, and again after a break", async () => {
    const { connection, live, rest, say, last, pair, clock } = make();
    await live();
    const told: string[] = [];
    const off = connection.watch({
      sessions: (entries) => told.push(`all ${entries.map((one) => one.name)}`),
      changed: (change, one) => told.push(`${change} ${one.name}`),
    });
    await rest();
    say({ t: "reply", id: last("watch")?.id ?? 0, result: ok([entry]) });
    say({ t: "session", change: "added", entry: { ...entry, name: "two" } });
    await rest();
    expect(told).toEqual(["all build", "added two"]);
    clock.advance(10_000);
    pair().cut();
    clock.advance(50);
    await rest();
    say({ t: "reply", id: last("watch")?.id ?? 0, result: ok([]) });
    await rest();
    expect(told.at(-1)).toBe("all ");
    off();
    say({ t: "session", change: "added", entry });
    await rest();
    expect(told).toHaveLength(3);
  });

  it("serves a second watcher of the same link", async () => {
    const { connection, live, rest, say, last } = make();
    await live();
    const none = { sessions: () => {}, changed: () => {} };
    connection.watch(none);
    await rest();
    let entries = 0;
    connection.watch({ ...none, sessions: (all) => (entries = all.length) });
    await rest();
    say({ t: "reply", id: last("list")?.id ?? 0, result: ok([entry]) });
    await rest();
    expect(entries).toBe(1);
  });
});

describe("a link that breaks", () => {
  it("is tried again at once when it had held, then with pauses", async () => {
    const { connection, live, pair, clock, rest, refuse, dials } = make();
    await live();
    clock.advance(4000);
    await rest();
    clock.advance(4000);
    await rest();
    clock.advance(4000);
    await rest();
    refuse(fail("unreachable", "Nobody there.", { retry: "later" }));
    pair().cut("cable");
    expect(connection.state).toMatchObject({ state: "waiting", attempt: 1, error: { message: expect.stringContaining("cable") } });
    clock.advance(50);
    await rest();
    expect(dials()).toBe(2);
    expect(connection.state).toMatchObject({ state: "waiting", attempt: 2 });
    connection.reconnect();
    await rest();
    expect(dials()).toBe(3);
  });

  it("is stale at 7 s, answers again, and is dropped after 20 s of silence", async () => {
    const { connection, live, clock, pair, rest, states } = make();
    await live();
    pair().stall("left", true);
    clock.advance(7000);
    expect(connection.state).toMatchObject({ state: "stale", since: 0 });
    pair().stall("left", false);
    await rest();
    clock.advance(10);
    await rest();
    expect(connection.state.state).toBe("stale");
    // The agent's own ping is a sign of life.
    pair().right.send(encodeControl(JSON.stringify({ t: "ping", n: 3 })));
    await rest();
    expect(connection.state.state).toBe("live");
    pair().stall("left", true);
    clock.advance(20_000);
    expect(connection.state).toMatchObject({ state: "waiting", error: { message: expect.stringContaining("20 s") } });
    expect(states.map((one) => one.state).slice(0, 6)).toEqual(["connecting", "live", "stale", "live", "stale", "waiting"]);
  });

  it("answers the agent's pings and measures its own", async () => {
    const { connection, live, say, rest, last, clock } = make();
    await live();
    say({ t: "ping", n: 77 });
    await rest();
    expect(last("pong")).toEqual({ t: "pong", n: 77 });
    clock.advance(12);
    say({ t: "pong", n: last("ping")?.n ?? 0 });
    await rest();
    expect(connection.roundTripMs).toBe(12);
  });

  it.each([
    ["a frame that must not be gone on with", Uint8Array.of(1, 0x80, 123, 125)],
    ["JSON that is none", encodeControl("{")],
    ["a known message with a wrong field", encodeControl(JSON.stringify({ t: "ack", stream: 0, upTo: 1 }))],
  ])("is dropped after %s", async (_what, frame) => {
    const { connection, live, pair, rest } = make();
    await live();
    pair().right.send(frame);
    await rest();
    expect(connection.state).toMatchObject({ state: "waiting", error: { code: "offline" } });
  });

  it.each([
    ["an unknown kind", Uint8Array.of(77, 0, 1)],
    ["an unknown message", encodeControl(JSON.stringify({ t: "weather", mood: "fine" }))],
    ["output of a stream nobody holds", encodeBytes("data", 99, 0, Uint8Array.of(1))],
    ["a message of a stream nobody holds", encodeControl(JSON.stringify({ t: "ack", stream: 99, upTo: 1 }))],
    ["a second hello", encodeControl(JSON.stringify(hello))],
  ])("is not dropped for %s", async (_what, frame) => {
    const { connection, live, pair, rest } = make();
    await live();
    pair().right.send(frame);
    await rest();
    expect(connection.state.state).toBe("live");
  });
});

describe("streams", () => {
  const options = {
    session: "build",
    role: "operator",
    holder: "holder-1",
    view: null,
    from: "now",
    scrollback: "none",
    onLag: "skip",
  } as const;
  const attached = {
    t: "attached",
    sessionId: entry.sessionId,
    start: "live",
    seq: 5,
    snapshotBytes: 0,
    skipped: 0,
    role: "operator",
  } as const;

  it("attach with the first link and again with each one, under a fresh id", async () => {
    const { connection, live, last, rest, say, pair, clock } = make();
    const seen: number[] = [];
    const stream = connection.stream(options, { data: (seq) => seen.push(seq) });
    stream.attach();
    expect(stream.state.state).toBe("suspended");
    await live();
    const first = last("attach")?.stream ?? 0;
    say({ ...attached, stream: first, size: entry.size, inputReceived: null });
    pair().right.send(encodeBytes("data", first, 5, Uint8Array.of(1, 2)));
    await rest();
    expect(seen).toEqual([5]);
    clock.advance(10_000);
    pair().cut();
    expect(stream.state).toMatchObject({ state: "suspended", next: 7 });
    clock.advance(50);
    await rest();
    const second = last("attach");
    expect(second?.stream).not.toBe(first);
    expect(second?.resumeFrom).toBe(7);
    say({ ...attached, stream: second?.stream ?? 0, start: "resume", seq: 7, size: entry.size, inputReceived: 0 });
    pair().right.send(encodeBytes("data", first, 7, Uint8Array.of(9)));
    pair().right.send(encodeBytes("data", second?.stream ?? 0, 7, Uint8Array.of(3)));
    await rest();
    expect(seen).toEqual([5, 7]);
  });

  it("end when the agent is another run", async () => {
    const { connection, live, last, rest, say, pair, clock, greet } = make();
    const stream = connection.stream(options, {});
    stream.attach();
    await live();
    say({ ...attached, stream: last("attach")?.stream ?? 0, size: entry.size, inputReceived: null });
    await rest();
    greet({ ...hello, run: "run-2" });
    clock.advance(10_000);
    pair().cut();
    clock.advance(50);
    await rest();
    expect(stream.state).toEqual({ state: "ended", reason: "agent-restarted" });
  });

  it("type no more while the link is stale", async () => {
    const { connection, live, last, rest, say, pair, clock } = make();
    const back: string[] = [];
    const stream = connection.stream(options, { undelivered: (input) => back.push(input.why) });
    stream.attach();
    await live();
    say({ ...attached, stream: last("attach")?.stream ?? 0, size: entry.size, inputReceived: null });
    await rest();
    pair().stall("left", true);
    clock.advance(7000);
    stream.send(Uint8Array.of(1));
    expect(back).toEqual(["offline"]);
  });
});

describe("closing", () => {
  it("detaches, says goodbye and leaves no timer", async () => {
    const { connection, live, rest, say, last, clock, pair } = make();
    const stream = connection.stream(
      { session: "build", role: "operator", holder: "holder-1", view: null, from: "now", scrollback: "none", onLag: "skip" },
      {},
    );
    stream.attach();
    await live();
    const closed = connection.close();
    await rest();
    expect(last("detach")).toBeDefined();
    say({ t: "detached", stream: last("detach")?.stream ?? 0 });
    await rest();
    await closed;
    expect(connection.state).toEqual({ state: "closed" });
    expect(pair().open).toBe(false);
    expect(clock.pending).toBe(0);
    expect(await connection.request("list", {})).toMatchObject({ ok: false });
    await connection.close();
  });

  it("does not wait for an agent that stands still", async () => {
    const { connection, live, clock, pair, rest } = make();
    await live();
    pair().stall("right", true);
    const closed = connection.close();
    await rest();
    clock.advance(1000);
    await closed;
    expect(clock.pending).toBe(0);
  });

  it("gives up a try under way and a planned one", async () => {
    let answer: (transport: Result<Transport>) => void = () => {};
    const dialling = make({
      dial: () =>
        new Promise((done) => {
          answer = done;
        }),
    });
    dialling.connection.open();
    await dialling.connection.close();
    const pair = memoryPair();
    answer(ok(pair.left));
    await dialling.rest();
    expect(pair.open).toBe(false);
    const waiting = make();
    waiting.refuse(fail("unreachable", "Nobody.", { retry: "later" }));
    waiting.connection.open();
    await waiting.rest();
    await waiting.connection.close();
    expect(waiting.clock.pending).toBe(0);
    expect(waiting.connection.state.state).toBe("closed");
  });
});
