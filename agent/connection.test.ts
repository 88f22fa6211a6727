/** One client against an agent in memory: hello, roles of every message, heartbeat, order, bounds, and faults that stay its own. */
import { beforeEach, describe, expect, it } from "vitest";
import { encodeBytes, encodeControl } from "../protocol/frame.js";
import type { ClientMessage } from "../protocol/messages.js";
import { needs, suffices } from "../protocol/roles.js";
import type { View } from "../protocol/values.js";
import { AgentInMemory } from "../test/support/agent-in-memory.js";
import type { RawClient } from "../test/support/raw-client.js";
import { highWater } from "../transport/transport.js";
import { deadMs, helloMs, pingMs } from "./connection.js";

const size = { cols: 80, rows: 24 };
const pane: View = { cols: 100, rows: 30, cellWidth: 9, cellHeight: 18, colours: null, focused: true };

describe("AgentConnection", () => {
  let box: AgentInMemory;
  let owner: RawClient;
  let id: string;

  beforeEach(async () => {
    box = new AgentInMemory();
    owner = box.client();
    await owner.greet();
    id = (await owner.request("new", { name: "work", command: ["cat"], cwd: "/", env: {}, size })).sessionId;
  });

  describe("hello", () => {
    it("says who the agent is and what the client may do", async () => {
      const hello = await box.client({ principal: "guest", ceiling: "observer" }).greet();
      expect(hello).toMatchObject({
        protocol: { min: 1, max: 1 },
        stateId: "0123456789abcdef01234567",
        run: "this-run",
        machine: "testbox",
        root: false,
        principal: { id: "guest", name: "guest" },
        maxRole: "observer",
      });
    });

    it.each([
      ["a newer client", { protocol: { min: 2, max: 3 } }, "version"],
      ["an unknown hello of a newer client", { protocol: { min: 9, max: 9 }, client: 7, emulator: null }, "version"],
      ["another agent's client", { stateId: "ffffffffffffffffffffffff" }, "not-found"],
      ["a hello without its fields", { client: undefined }, "invalid"],
    ] as const)("refuses %s with one error", async (_, more, code) => {
      const client = box.client();
      client.hello(more);
      await client.untilClosed();
      expect(client.heard).toMatchObject([{ t: "error", stream: null, error: { code, scope: "connection", retry: "never" } }]);
    });

    it.each([
      ["another message", (client: RawClient) => client.sayJson({ t: "list", id: 1 })],
      ["input", (client: RawClient) => client.input(1, 0, "x")],
      ["an unknown kind", (client: RawClient) => client.sayRaw(new Uint8Array([99, 0, 1]))],
      ["no JSON", (client: RawClient) => client.sayRaw(encodeControl("{"))],
      ["no frame", (client: RawClient) => client.sayRaw(new Uint8Array([1]))],
    ])("comes first: %s ends the connection", async (_, act) => {
      const client = box.client();
      act(client);
      await client.untilClosed();
      expect(client.heard).toMatchObject([{ t: "error", stream: null, error: { code: "invalid" } }]);
      expect(await owner.request("list", {})).toHaveLength(1);
    });

    it("must come within 5 s", async () => {
      const client = box.client();
      box.clock.advance(helloMs - 1);
      await box.settle();
      expect(client.closed).toBeNull();
      box.clock.advance(1);
      await client.untilClosed();
      expect(client.all("error")).toMatchObject([{ error: { code: "timeout" } }]);
    });

    it("may be followed at once by what depends on it", async () => {
      const client = box.client();
      client.hello();
      client.attach("work", 1, { from: "now" });
      client.input(1, 0, "x");
      await client.until(() => client.text(1) === "x", "the echo");
      expect(client.all("attached", 1)).toHaveLength(1);
    });
  });

  it.each([
    ["a frame of 1 byte", new Uint8Array([1])],
    ["an unknown critical flag", new Uint8Array([1, 0x80, 0x7b, 0x7d])],
    ["control that is not UTF-8", new Uint8Array([1, 0, 0xff])],
    ["a short byte frame", new Uint8Array([4, 0, 0, 0])],
    ["an agent's frame", encodeBytes("data", 1, 0, new Uint8Array(3))],
    ["an unknown message", encodeControl('{"t":"__proto__","constructor":1}')],
    ["no object", encodeControl("null")],
    ["a second hello", encodeControl(JSON.stringify({ t: "hello" }))],
  ])("ends the connection on %s, and no other", async (_, frame) => {
    const client = box.client();
    await client.greet();
    client.sayRaw(frame);
    await client.untilClosed();
    expect(client.all("error")).toMatchObject([{ stream: null, error: { code: "invalid", scope: "connection" } }]);
    expect(await owner.request("list", {})).toHaveLength(1);
  });

  it("answers a bad request and a bad stream message where they came from, and goes on", async () => {
    owner.sayJson({ t: "signal", id: 77, session: "work", signal: "NONSENSE" });
    expect((await owner.until(() => owner.all("reply").find((one) => one.id === 77), "a reply")).result).toMatchObject({
      ok: false,
      error: { code: "invalid" },
    });
    owner.attach("work", 3, { from: "now" });
    await owner.message("attached", 3);
    owner.sayJson({ t: "take-size", stream: 3, size: { cols: 1, rows: 1 } });
    expect(await owner.message("error", 3)).toMatchObject({ error: { code: "invalid", scope: "stream" } });
    owner.sayRaw(new Uint8Array([200, 0, 1, 2, 3]));
    expect(await owner.request("list", {})).toMatchObject([{ attached: [] }]);
  });

  it("ignores messages for streams it does not hold, answers their detach, refuses an id twice", async () => {
    owner.attach("work", 1, { from: "now" });
    owner.attach("work", 1, { from: "now" });
    expect(await owner.message("error", 1)).toMatchObject({ error: { code: "invalid" } });
    owner.input(9, 0, "nobody's");
    owner.say({ t: "credit", stream: 9, upTo: 5 });
    owner.say({ t: "detach", stream: 9 });
    await owner.message("detached", 9);
    owner.attach("no such session", 4);
    expect(await owner.message("error", 4)).toMatchObject({ error: { code: "not-found" } });
    expect(box.pty().untouched).toBe(true);
  });

  describe("roles", () => {
    const stream = 5;
    const streamMessages: Record<string, object> = {
      credit: { upTo: 1_000_000 },
      "set-role": { role: "operator" },
      view: { view: { ...pane, cols: 77 } },
      "take-size": { size: { cols: 77, rows: 33 } },
      "release-size": {},
      exclusive: { on: true },
      "ask-control": {},
      "answer-control": { ask: 1, answer: "hand-over" },
      focus: { on: true },
      hash: { at: 0, value: "something" },
      "input-cancel": {},
      detach: {},
    };
    const requests: Record<string, object> = {
      list: {},
      watch: {},
      new: { name: null, command: ["cat"], cwd: "/", env: {}, size },
      rename: { session: "work", name: "renamed" },
      signal: { session: "work", signal: "INT" },
      kill: { session: "work" },
      dismiss: { session: "work" },
      screen: { session: "work", ansi: false },
      status: {},
      "detach-others": { session: "work" },
      stop: {},
    };

    it("knows every message there is", () => {
      const known = ["hello", "ping", "pong", "attach", "input", ...Object.keys(streamMessages), ...Object.keys(requests)];
      expect(known.sort()).toEqual(Object.keys(needs).sort());
    });

    it.each(Object.keys(streamMessages))("an observer's %s does not reach the program, whatever its ceiling", async (type) => {
      box.screen().modes = { ...box.screen().modes, sendFocus: true };
      for (const ceiling of ["observer", "admin"] as const) {
        // An observer with a ceiling of operator may become one; that is the one message that may change its role.
        if (ceiling === "admin" && (type === "set-role" || type === "ask-control")) continue;
        const client = box.client({ principal: `guest ${ceiling}`, ceiling });
        await client.greet();
        client.attach("work", stream, { role: ceiling === "observer" ? "operator" : "observer", view: pane, onLag: "pace" });
        expect(await client.message("attached", stream)).toMatchObject({ role: "observer" });
        client.sayJson({ t: type, stream, ...streamMessages[type] });
        client.input(stream, 0, "rm -rf /\r");
        await box.pass(300);
        expect(box.pty().untouched).toBe(true);
        const need = needs[type as keyof typeof needs];
        if (!suffices("observer", need)) {
          expect(client.all("refused", stream)[0]).toMatchObject({ error: { code: "not-permitted" } });
        }
        expect(client.closed).toBeNull();
        client.drop();
      }
      box.pty().print("still running");
      expect([box.pty().paused, (await owner.request("list", {}))[0]?.size]).toEqual([false, size]);
    });

    it.each(["observer", "operator", "admin"] as const)("a %s's requests do what its role allows", async (ceiling) => {
      for (const [type, fields] of Object.entries(requests)) {
        box = new AgentInMemory();
        owner = box.client();
        await owner.greet();
        await owner.request("new", { name: "work", command: ["cat"], cwd: "/", env: {}, size });
        const client = box.client({ principal: "guest", ceiling });
        await client.greet();
        client.sayJson({ t: type, id: 1, ...fields });
        const { result } = await client.message("reply");
        const need = needs[type as keyof typeof needs];
        const may = suffices(ceiling, need);
        if (!may) {
          expect([type, result]).toMatchObject([type, { ok: false, error: { code: "not-permitted" } }]);
          expect([box.pty().untouched, box.ptys.length, box.stopped]).toEqual([true, 1, 0]);
        } else if (type !== "dismiss") {
          expect([type, result.ok]).toEqual([type, true]);
        }
      }
    });

    it("a role of agent may do nothing here", async () => {
      const client = box.client({ principal: "machine", ceiling: "agent" });
      await client.greet();
      expect(await client.tryRequest("list", {})).toMatchObject({ error: { code: "not-permitted" } });
      client.attach("work", 1);
      expect(await client.message("error", 1)).toMatchObject({ error: { code: "not-permitted" } });
    });

    it("sees only the sessions it was given", async () => {
      await owner.request("new", { name: "secret", command: ["cat"], cwd: "/", env: {}, size });
      const client = box.client({ principal: "guest", ceiling: "operator", only: new Set([id]) });
      await client.greet();
      expect(await client.request("watch", {})).toMatchObject([{ sessionId: id }]);
      box.pty(1).print("x");
      box.pty(0).print("x");
      await box.pass(1000);
      expect(new Set(client.all("session").map(({ entry }) => entry.sessionId))).toEqual(new Set([id]));
      client.attach("secret", 1);
      expect(await client.message("error", 1)).toMatchObject({ error: { code: "not-found" } });
      const another = { name: null, command: null, cwd: null, env: {}, size };
      expect(await client.tryRequest("new", another)).toMatchObject({ error: { code: "not-permitted" } });
    });

    it("a lowered ceiling acts on open streams at once", async () => {
      const link = box.client({ principal: "guest", ceiling: "operator" });
      await link.greet();
      link.attach("work", 1, { from: "now", view: pane });
      await link.message("attached", 1);
      link.input(1, 0, "a");
      await box.settle();
      // The connection that the agent made last.
      const sizes = box.pty().sizes.length;
      box.lower("observer");
      link.input(1, 1, "b");
      link.say({ t: "view", stream: 1, view: { ...pane, cols: 50 } });
      await box.pass(300);
      expect([box.pty().text, box.pty().sizes.length]).toEqual(["a", sizes]);
      expect(link.all("role", 1).at(-1)).toMatchObject({ role: "observer" });
      link.say({ t: "set-role", stream: 1, role: "operator" });
      await box.settle();
      expect(link.all("refused", 1).at(-1)).toMatchObject({ error: { code: "not-permitted" } });
    });
  });

  describe("heartbeat", () => {
    it("asks every 5 s, answers at once, and cuts a silent client off after 20 s", async () => {
      owner.answersPings = false;
      owner.say({ t: "ping", n: 123 });
      expect(await owner.message("pong")).toEqual({ t: "pong", n: 123 });
      const before = owner.all("ping").length;
      await box.pass(deadMs - pingMs, 1000);
      expect(owner.all("ping").length).toBe(before + 3);
      expect(owner.closed).toBeNull();
      await box.pass(pingMs, 1000);
      expect(owner.closed).toMatchObject({ clean: false });
    });

    it("keeps a client that says anything", async () => {
      owner.answersPings = false;
      for (let n = 0; n < 5; n += 1) {
        await box.pass(10_000, 1000);
        owner.say({ t: "pong", n: 99_999 });
      }
      await box.settle();
      expect(owner.closed).toBeNull();
    });

    it("leaves no timer of a client behind", async () => {
      const before = box.clock.pending;
      const client = box.client();
      await client.greet();
      client.attach("work", 1, { from: "now", scrollback: 500 });
      await client.message("attached", 1);
      client.drop();
      await box.pass(2000, 500);
      expect(box.clock.pending).toBe(before);
    });
  });

  describe("going out", () => {
    /** Frames in the order they left, by stream, until this many bytes came. */
    const order = (client: RawClient) => client.heard.flatMap((one) => (one.t === "bytes" ? [one.stream] : []));

    it("takes streams in turn, in frames of at most 16 KiB while several are active", async () => {
      for (const stream of [1, 2, 3]) {
        owner.attach("work", stream, { from: "oldest" }, { credit: false });
        await owner.message("attached", stream);
      }
      box.pty().print("x".repeat(400_000));
      await box.pass(10);
      for (const stream of [1, 2, 3]) owner.say({ t: "credit", stream, upTo: 1_000_000 });
      await owner.until(() => [1, 2, 3].every((stream) => owner.output(stream).length === 400_000), "all output");
      const frames = owner.heard.flatMap((one) => (one.t === "bytes" ? [one.bytes.length] : []));
      expect(Math.max(...frames.slice(5, -5))).toBeLessThanOrEqual(16 * 1024);
      const turns = order(owner).slice(6, 30);
      for (let n = 3; n < turns.length; n += 1) expect(new Set(turns.slice(n - 2, n + 1)).size).toBe(3);
    });

    it("uses frames of 64 KiB for one alone", async () => {
      owner.attach("work", 1, { from: "oldest" }, { credit: false });
      await owner.message("attached", 1);
      box.pty().print("x".repeat(262_144));
      await box.pass(10);
      owner.say({ t: "credit", stream: 1, upTo: 1_000_000 });
      await owner.until(() => owner.output(1).length === 262_144, "all output");
      const frames = owner.heard.flatMap((one) => (one.t === "bytes" ? [one.bytes.length] : []));
      expect(Math.max(...frames)).toBe(65536);
    });

    it("puts no frame over 100 000 cells together", async () => {
      owner.attach("work", 1, { from: "oldest" });
      await owner.message("attached", 1);
      const { sessions } = box.agent;
      const found = sessions.resolve(id, null);
      if (!found.ok) throw new Error("no session");
      for (let n = 0; n < 20; n += 1) found.value.history.append(new Uint8Array(100), 30_000);
      box.pty().print("x");
      await box.pass(10);
      const frames = owner.heard.flatMap((one) => (one.t === "bytes" ? [one.bytes.length] : []));
      expect(Math.max(...frames)).toBeLessThanOrEqual(300);
      expect(owner.output(1).length).toBe(2001);
    });

    it("sends the stream somebody types in before the others, and control before both", async () => {
      await owner.request("new", { name: "quiet", command: ["cat"], cwd: "/", env: {}, size });
      for (let stream = 1; stream <= 8; stream += 1) owner.attach("work", stream, { from: "now" });
      owner.attach("quiet", 20, { from: "now" });
      await owner.message("attached", 20);
      const link = box.links[0];
      link?.stall("left", true);
      box.pty(0).print("x".repeat(1024 * 1024));
      await box.pass(20);
      owner.input(20, 0, "k");
      await box.settle();
      expect(box.pty(1).text).toBe("k");
      const before = owner.heard.length;
      link?.stall("left", false);
      await owner.until(() => owner.text(20) === "k", "the echo");
      const heard = owner.heard.slice(before);
      const flooded = heard.slice(
        0,
        heard.findIndex((one) => one.t === "bytes" && one.stream === 20),
      );
      const ahead = flooded.reduce((sum, one) => sum + (one.t === "bytes" ? one.bytes.length : 0), 0);
      // Only what was in the medium already, where a turn of all streams would be 128 KiB more.
      expect(ahead).toBeLessThanOrEqual(65536 + 16384);
      expect(flooded.some((one) => one.t === "ack")).toBe(true);
    });

    it("has no more under way than the window, for a client that reads but never acknowledges", async () => {
      owner.answersPings = false;
      owner.attach("work", 1, { from: "now" });
      await owner.message("attached", 1);
      box.pty().print("x".repeat(2 * 1024 * 1024));
      await box.pass(1000);
      expect(owner.output(1).length).toBeLessThanOrEqual(64 * 1024 + 16 * 1024);
      expect(owner.output(1).length).toBeGreaterThan(32 * 1024);
    });

    it("stops at a full transport and goes on when it drains; a client that never reads is cut off", async () => {
      owner.attach("work", 1, { from: "now" });
      await owner.message("attached", 1);
      // A fast link: its window is larger than the transport.
      for (let n = 0; n < 40; n += 1) {
        box.pty().print("x".repeat(65536));
        await box.pass(5);
      }
      await owner.until(() => owner.output(1).length === 40 * 65536, "the first half");
      box.links[0]?.stall("left", true);
      owner.say({ t: "credit", stream: 1, upTo: 1 << 30 });
      for (let n = 0; n < 40; n += 1) {
        box.pty().print("x".repeat(65536));
        await box.pass(5);
      }
      const queued = box.links[0]?.right.queued ?? 0;
      expect(queued).toBeGreaterThanOrEqual(highWater);
      expect(queued).toBeLessThanOrEqual(highWater + 65536 + 1024);
      box.links[0]?.stall("left", false);
      await owner.until(() => owner.output(1).length === 80 * 65536, "the second half");
      box.links[0]?.stall("left", true);
      const status: ClientMessage = { t: "screen", id: 900, session: "work", ansi: false };
      for (let n = 0; n < 30 && owner.closed === null; n += 1) {
        owner.say(status);
        await box.settle();
      }
      expect(owner.closed).toMatchObject({ clean: false });
    });

    it("gathers events for a client that does not read", async () => {
      await owner.request("watch", {});
      owner.attach("work", 1, { from: "now" });
      await owner.message("attached", 1);
      box.links[0]?.stall("left", true);
      const other = box.client();
      await other.greet();
      box.pty().print("x".repeat(1024 * 1024));
      await box.pass(1000);
      const full = box.links[0]?.right.queued ?? 0;
      for (let n = 0; n < 50; n += 1) {
        await other.request("rename", { session: id, name: `name ${n}` });
        await box.pass(100, 100);
      }
      expect((box.links[0]?.right.queued ?? 0) - full).toBeLessThan(64 * 1024);
      box.links[0]?.stall("left", false);
      await owner.until(() => owner.all("session").at(-1)?.entry.name === "name 49", "the last event");
    });
  });

  it("bounds slow requests and streams of one client", async () => {
    box.screen().held = true;
    for (let n = 0; n < 70; n += 1) owner.sayJson({ t: "screen", id: 1000 + n, session: "work", ansi: false });
    await box.settle();
    expect(owner.all("reply").filter(({ result }) => !result.ok && result.error.code === "busy")).toHaveLength(6);
    box.screen().letGo();
    for (let n = 0; n < 1030; n += 1) owner.attach("work", 2000 + n, { from: "now" });
    await box.settle();
    await box.settle();
    expect(owner.all("error").filter(({ error }) => error.code === "limit")).toHaveLength(6);
  });

  it("stops: programs end first, clients are told, then it is over", async () => {
    box.pty().onKill = () => {};
    expect(await owner.request("stop", {})).toEqual({});
    await box.settle();
    expect([box.pty().kills, box.stopped, owner.closed]).toEqual([1, 0, null]);
    box.pty().exit({ signal: "SIGHUP" });
    await owner.untilClosed();
    expect(owner.all("error")).toMatchObject([{ error: { code: "offline", retry: "never", scope: "connection" } }]);
    expect([box.stopped, box.clock.pending]).toEqual([1, 0]);
    expect(box.client().closed).not.toBeNull();
  });

  it("stops without a program that cannot be ended", async () => {
    box.pty().onKill = () => {};
    await owner.request("stop", {});
    await box.pass(9000, 1000);
    expect(box.stopped).toBe(0);
    await box.pass(1500, 500);
    expect([box.stopped, owner.closed]).toMatchObject([1, { clean: true }]);
  });

  it("logs no byte of terminals, environments or names", async () => {
    const secret = "canary-token-8f3a";
    const client = box.client();
    await client.greet({ client: { kind: "cli", name: secret } });
    await client.tryRequest("new", { name: secret, command: ["cat", secret], cwd: "/", env: { TOKEN: secret }, size });
    client.attach(secret, 1, { from: "now" });
    await client.message("attached", 1);
    client.input(1, 0, secret);
    box.pty(1).print(secret);
    client.sayJson({ t: "new", id: 99, env: { TOKEN: secret }, session: secret });
    client.sayJson({ t: secret });
    await client.untilClosed();
    expect(JSON.stringify(box.logged)).not.toContain(secret);
  });
});
