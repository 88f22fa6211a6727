/** One session between a fake program and hand-made clients: output, input, queries, roles, pausing, the end. */
import { beforeEach, describe, expect, it } from "vitest";
import type { View } from "../protocol/values.js";
import { AgentInMemory } from "../test/support/agent-in-memory.js";
import type { RawClient } from "../test/support/raw-client.js";
import { maxBacklog } from "./session-screen.js";

const pane: View = { cols: 100, rows: 30, cellWidth: 9, cellHeight: 18, colours: null, focused: false };
const size = { cols: 80, rows: 24 };

describe("Session", () => {
  let box: AgentInMemory;
  let client: RawClient;
  let id: string;

  beforeEach(async () => {
    box = new AgentInMemory();
    client = box.client();
    await client.greet();
    id = (await client.request("new", { name: "work", command: ["cat"], cwd: "/", env: {}, size })).sessionId;
  });

  async function attached(stream: number, more: Parameters<RawClient["attach"]>[2] = {}, by = client): Promise<void> {
    by.attach(id, stream, { from: "now", ...more });
    await by.message("attached", stream);
    await box.settle();
  }

  async function another(role: "observer" | "operator" | "admin" = "admin", principal = "owner"): Promise<RawClient> {
    const made = box.client({ principal, ceiling: role });
    await made.greet({ client: { kind: "cli", name: "other" } });
    return made;
  }

  describe("output", () => {
    it("sends the first bytes after a rest at once and gathers the next for 4 ms", async () => {
      await attached(1);
      await box.pass(100);
      box.pty().print("a");
      await box.settle();
      expect(client.text(1)).toBe("a");
      box.pty().print("b");
      box.pty().print("c");
      await box.settle();
      expect(client.text(1)).toBe("a");
      await box.pass(4);
      expect(client.text(1)).toBe("abc");
      const frames = client.heard.filter((one) => one.t === "bytes");
      expect(frames.map((one) => one.t === "bytes" && one.bytes.length)).toEqual([1, 2]);
      await box.pass(1000);
      const timers = box.clock.pending;
      box.pty().print("1");
      for (let n = 0; n < 20; n += 1) box.pty().print("2");
      // One flush timer, and the watchers' nothing: nobody watches.
      expect(box.clock.pending).toBeLessThanOrEqual(timers + 2);
    });

    it("lets 64 KiB go without waiting for the timer", async () => {
      await attached(1);
      await box.pass(100);
      box.pty().print("a");
      for (let n = 0; n < 17; n += 1) box.pty().print("x".repeat(4096));
      await box.settle();
      expect(client.output(1).length).toBeGreaterThanOrEqual(65536);
    });

    it("puts a resize between the bytes it stands between", async () => {
      await attached(1);
      box.pty().print("before");
      await attached(2, { view: pane });
      box.pty().print("after");
      await box.pass(10);
      const seen = client.heard.flatMap<unknown>((one) =>
        one.t === "bytes" && one.stream === 1 ? [Buffer.from(one.bytes).toString()] : one.t === "resized" && one.stream === 1 ? [one] : [],
      );
      expect(seen).toEqual(["before", { t: "resized", stream: 1, at: 6, cols: 100, rows: 30 }, "after"]);
      expect(box.pty().sizes).toEqual([{ cols: 100, rows: 30 }]);
    });

    it("says exit once, to everyone, after all output, and lists the end", async () => {
      await attached(1);
      await attached(2, { role: "observer" });
      box.pty().print("last words");
      box.pty().exit({ code: 7 });
      await box.pass(10);
      for (const stream of [1, 2]) {
        expect(client.text(stream)).toBe("last words");
        expect(client.all("exit", stream)).toEqual([{ t: "exit", stream, seq: 10, status: { code: 7 } }]);
      }
      const [entry] = await client.request("list", {});
      expect(entry).toMatchObject({ state: "ended", exit: { code: 7 }, attached: [], driver: null, output: 10 });
      await attached(3, { from: "oldest" });
      await box.pass(10);
      expect([client.text(3), client.all("exit", 3).length]).toEqual(["last words", 1]);
    });
  });

  describe("input", () => {
    it("reaches the program and is acknowledged when the program took it", async () => {
      box.pty().reads = false;
      await attached(1);
      client.input(1, 0, "abc");
      client.input(1, 3, "def");
      await box.settle();
      expect(client.all("ack")).toEqual([]);
      box.pty().read(4);
      await box.settle();
      expect([box.pty().text, client.all("ack")]).toEqual(["abcd", [{ t: "ack", stream: 1, upTo: 3 }]]);
      box.pty().read();
      await box.settle();
      expect(client.all("ack").at(-1)).toEqual({ t: "ack", stream: 1, upTo: 6 });
    });

    it("is written once, however often a frame comes, and a hole ends the stream", async () => {
      await attached(1);
      client.input(1, 0, "abc");
      client.input(1, 0, "abc");
      client.input(1, 2, "cd");
      client.input(1, 9, "late");
      await box.settle();
      expect(box.pty().text).toBe("abcd");
      expect(client.all("ack").map(({ upTo }) => upTo)).toEqual([3, 4]);
      expect(client.all("error", 1)).toMatchObject([{ error: { code: "invalid", retry: "now", scope: "stream" } }]);
      client.input(1, 4, "after the end");
      await box.settle();
      expect(box.pty().text).toBe("abcd");
    });

    it("tells a holder that comes back what arrived and what was taken meanwhile", async () => {
      box.pty().reads = false;
      const other = await another("operator", "friend");
      await attached(1, { holder: "holder-pane" }, other);
      expect(other.all("attached", 1)[0]).toMatchObject({ inputReceived: null });
      other.input(1, 0, "abcdef");
      await box.settle();
      other.drop();
      await box.settle();
      box.pty().read();
      expect(box.pty().text).toBe("abcdef");
      const back = await another("operator", "friend");
      await attached(1, { holder: "holder-pane" }, back);
      expect(back.all("attached", 1)[0]).toMatchObject({ inputReceived: 6 });
      expect(back.all("ack", 1)).toEqual([{ t: "ack", stream: 1, upTo: 6 }]);
      const stranger = await another("operator", "stranger");
      await attached(1, { holder: "holder-pane" }, stranger);
      expect(stranger.all("attached", 1)[0]).toMatchObject({ inputReceived: null });
    });

    it("closes the same holder's older stream, whose unwritten input and acknowledgements go on", async () => {
      box.pty().reads = false;
      await attached(1, { holder: "holder-pane", view: pane });
      client.input(1, 0, "typed");
      await box.settle();
      const back = await another();
      await attached(5, { holder: "holder-pane", view: { ...pane, cols: 120 } }, back);
      expect(client.all("detached")).toEqual([{ t: "detached", stream: 1 }]);
      expect(back.all("driver", 5).at(-1)).toMatchObject({ mine: true });
      box.pty().read();
      await box.settle();
      expect(back.all("ack", 5)).toEqual([{ t: "ack", stream: 5, upTo: 5 }]);
      expect(client.all("ack")).toEqual([]);
    });

    it("cancels what the program has not taken, and says exactly what", async () => {
      box.pty().reads = false;
      await attached(1);
      client.input(1, 0, "abcdef");
      client.input(1, 6, "ghi");
      await box.settle();
      box.pty().read(2);
      client.say({ t: "input-cancel", stream: 1 });
      await box.settle();
      expect(client.all("input-cancelled")).toEqual([{ t: "input-cancelled", stream: 1, from: 2, to: 9 }]);
      client.input(1, 9, "xyz");
      await box.settle();
      box.pty().read();
      await box.settle();
      expect([box.pty().text, client.all("ack").at(-1)]).toEqual(["abxyz", { t: "ack", stream: 1, upTo: 12 }]);
    });

    it("refuses more than 1 MiB that waits, and keeps what it has", async () => {
      box.pty().reads = false;
      await attached(1, { holder: "holder-pane" });
      const frame = new Uint8Array(65536).fill(0x61);
      for (let n = 0; n < 17; n += 1) client.input(1, n * 65536, frame);
      await box.settle();
      expect(client.all("error", 1)).toMatchObject([{ error: { code: "busy", retry: "later" } }]);
      await attached(2, { holder: "holder-pane" });
      expect(client.all("attached", 2)[0]).toMatchObject({ inputReceived: 1024 * 1024 });
    });

    it("drops what an observer had typed as operator, and refuses more", async () => {
      box.pty().reads = false;
      await attached(1);
      client.input(1, 0, "abc");
      await box.settle();
      box.pty().read(1);
      client.say({ t: "set-role", stream: 1, role: "observer" });
      client.input(1, 3, "def");
      await box.settle();
      box.pty().read();
      await box.settle();
      expect(box.pty().text).toBe("a");
      expect(client.all("input-cancelled")).toEqual([
        { t: "input-cancelled", stream: 1, from: 1, to: 3 },
        { t: "input-cancelled", stream: 1, from: 3, to: 6 },
      ]);
      expect(client.all("refused")).toMatchObject([{ error: { code: "not-permitted" } }]);
      client.say({ t: "set-role", stream: 1, role: "operator" });
      client.input(1, 6, "g");
      await box.settle();
      box.pty().read();
      expect(box.pty().text).toBe("ag");
    });

    it("keeps messages of two operators whole and each one's order", async () => {
      box.pty().reads = false;
      await attached(1);
      await attached(2);
      for (let n = 0; n < 200; n += 1) {
        client.input(1, n * 8, `one ${String(n).padStart(3, "0")};`);
        client.input(2, n * 8, `two ${String(n).padStart(3, "0")};`);
      }
      for (let n = 0; n < 700; n += 1) {
        await box.settle();
        box.pty().read(5);
      }
      const lines = box.pty().text.split(";").slice(0, -1);
      expect(lines).toHaveLength(400);
      for (const who of ["one", "two"]) {
        const own = lines.filter((line) => line.startsWith(who));
        expect(own).toEqual(Array.from({ length: 200 }, (_, n) => `${who} ${String(n).padStart(3, "0")}`));
      }
    });

    it("refuses other operators while the driver has the session to itself", async () => {
      await attached(1, { view: pane });
      await attached(2);
      client.say({ t: "exclusive", stream: 1, on: true });
      client.input(2, 0, "no");
      client.input(1, 0, "yes");
      await box.settle();
      expect(box.pty().text).toBe("yes");
      expect(client.all("refused", 2)).toMatchObject([{ error: { code: "not-permitted" } }]);
      expect(client.all("input-cancelled", 2)).toEqual([{ t: "input-cancelled", stream: 2, from: 0, to: 2 }]);
      client.say({ t: "take-size", stream: 2, size: null });
      await box.settle();
      expect(client.all("refused", 2)).toHaveLength(2);
    });
  });

  describe("queries", () => {
    it.each([0, 1, 3])("are answered once with %i viewers, in order, with the driver's cells", async (viewers) => {
      box.pty().echo = false;
      for (let n = 1; n <= viewers; n += 1) await attached(n, { view: pane, role: n === 2 ? "observer" : "operator" });
      box.screen().held = true;
      box.pty().print("ab\u001b[6nc\u001b[c");
      await box.settle();
      expect(box.pty().text).toBe("");
      box.screen().letGo();
      await box.settle();
      expect(box.pty().text).toBe("\u001b[1;3R\u001b[?1;2c");
      expect(box.screen().asked).toEqual([
        { query: "\u001b[6n", seq: 2, cellWidth: viewers > 0 ? 9 : 0 },
        { query: "\u001b[c", seq: 3, cellWidth: viewers > 0 ? 9 : 0 },
      ]);
      await box.pass(10);
      if (viewers > 0) expect(client.text(1)).toBe("abc");
      await attached(9);
      await box.pass(10);
      expect(box.pty().written).toHaveLength(2);
      const [entry] = await client.request("list", {});
      expect(entry?.guardedBytes).toBe(7);
    });

    it("of a program that never reads its answers are bounded", async () => {
      box.pty().reads = false;
      box.screen().held = true;
      box.pty().print("\u001b[c".repeat(5000));
      expect(box.screen().asked).toHaveLength(512);
      box.screen().letGo();
      for (let n = 0; n < 50; n += 1) await box.settle();
      box.pty().print("\u001b[c");
      expect(box.screen().asked).toHaveLength(513);
    });
  });

  describe("focus", () => {
    it("is told once per change of whether some operator looks, if the program asked", async () => {
      box.pty().echo = false;
      await attached(1);
      await attached(2, { view: { ...pane, focused: true }, role: "observer" });
      client.say({ t: "focus", stream: 1, on: true });
      await box.settle();
      client.say({ t: "focus", stream: 1, on: false });
      await box.settle();
      expect(box.pty().text).toBe("");
      box.screen().modes = { ...box.screen().modes, sendFocus: true };
      await attached(3);
      for (const on of [true, true]) client.say({ t: "focus", stream: 1, on });
      client.say({ t: "focus", stream: 3, on: true });
      client.say({ t: "focus", stream: 2, on: false });
      await box.settle();
      expect(box.pty().text).toBe("\u001b[I");
      client.say({ t: "focus", stream: 1, on: false });
      await box.settle();
      expect(box.pty().text).toBe("\u001b[I");
      client.say({ t: "detach", stream: 3 });
      await box.settle();
      expect(box.pty().text).toBe("\u001b[I\u001b[O");
    });
  });

  describe("pausing", () => {
    it("holds the program while its screen is too far behind, and for a pacing stream until its link breaks", async () => {
      box.screen().setBacklog(maxBacklog + 1);
      box.pty().print("more");
      expect(box.pty().paused).toBe(true);
      box.screen().setBacklog(maxBacklog / 2 + 1);
      expect(box.pty().paused).toBe(true);
      box.screen().setBacklog(1000);
      expect(box.pty().paused).toBe(false);

      const other = await another();
      other.attach(id, 1, { from: "now", onLag: "pace" }, { credit: false });
      await other.message("attached", 1);
      await box.pass(10);
      box.pty().print("x".repeat(3 * 1024 * 1024));
      expect(box.pty().paused).toBe(true);
      other.drop();
      await box.settle();
      expect(box.pty().paused).toBe(false);
    });

    it("is never held by an observer, a stalled viewer or another session", async () => {
      const other = await another();
      other.attach(id, 1, { from: "now", onLag: "pace", role: "observer" }, { credit: false });
      other.attach(id, 2, { from: "screen" }, { credit: false });
      await other.message("attached", 2);
      for (let n = 0; n < 100; n += 1) box.pty().print("x".repeat(65536));
      expect(box.pty().paused).toBe(false);
    });

    it("holds the dearest sessions when all screens together are too far behind", async () => {
      for (let n = 1; n <= 5; n += 1) await client.request("new", { name: `s${n}`, command: ["cat"], cwd: "/", env: {}, size });
      for (let n = 0; n < 5; n += 1) box.screen(n).setBacklog(30 * 1024 * 1024);
      for (let n = 0; n < 6; n += 1) box.pty(n).print("x");
      expect(box.ptys.map((pty) => pty.paused)).toEqual([true, true, true, true, true, false]);
      for (let n = 0; n < 3; n += 1) box.screen(n).setBacklog(1000);
      for (let n = 3; n < 5; n += 1) box.screen(n).setBacklog(10 * 1024 * 1024);
      await box.pass(100);
      expect(box.ptys.some((pty) => pty.paused)).toBe(false);
    });
  });

  it("closes the streams of every other client for an admin, with the reason", async () => {
    const other = await another("operator", "friend");
    await attached(1, { view: pane });
    await attached(7, {}, other);
    expect(await client.request("detach-others", { session: id })).toEqual({ detached: 1 });
    expect(other.all("error", 7)).toMatchObject([{ error: { code: "not-permitted", retry: "never" } }]);
    client.input(1, 0, "still mine");
    await box.settle();
    expect(box.pty().text).toBe("still mine");
  });

  it("keeps titles harmless and short", async () => {
    box.screen().setTitle(`\u001b]evil\u202e${"t".repeat(300)}`);
    const [entry] = await client.request("list", {});
    expect(entry?.title).toBe(`]evil${"t".repeat(251)}`);
  });
});
