/** The desk over memory transports with a machine that a test plays: what pages ask, hear and share. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WindowLayout } from "../../link/layout.js";
import type { PaneMessage } from "../../link/messages.js";
import { defaultSettings } from "../../link/settings.js";
import { failure, ok } from "../../protocol/errors.js";
import { encodeBytes, encodeControl } from "../../protocol/frame.js";
import { FakeLink, type FakeStream, fakeAgent, fakeEntry } from "../../test/support/fake-agent-link.js";
import { FakePage } from "../../test/support/fake-page.js";
import { ManualClock } from "../../test/support/manual-clock.js";
import { type MemoryPair, memoryPair } from "../../transport/memory.js";
import { type AttachOptions, Desk, type DeskHost } from "./desk.js";

const session = "0123456789abcdef01234567";
const view = { cols: 80, rows: 24, cellWidth: 8, cellHeight: 18, colours: null, focused: true };

let folder: string;
let clock: ManualClock;
let link: FakeLink;
let host: DeskHost & { opened: string[]; windows: number };
let desk: Desk;

function startDesk(): Desk {
  clock = new ManualClock();
  link = new FakeLink();
  return new Desk({
    host,
    clock,
    machines: [{ id: "machine-1", name: "this-machine", link }],
    files: { settings: join(folder, "settings.json"), layouts: join(folder, "layouts.json") },
    user: { shell: "bash", user: "mara", home: "/home/mara" },
    sessionEnv: { PATH: "/bin" },
  });
}

function openPage(options: Partial<AttachOptions> = {}): { page: FakePage; pair: MemoryPair } {
  const pair = memoryPair();
  pair.automatic();
  desk.attach(pair.right, { windowId: null, fresh: false, ...options });
  return { page: new FakePage(pair.left), pair };
}

function paneOpen(more: Partial<PaneMessage<"pane-open">> = {}): PaneMessage<"pane-open"> {
  return { t: "pane-open", pane: 1, machine: "machine-1", session, role: "operator", holder: "holder-1", view, scrollback: 1000, ...more };
}

/** A page with pane 1 on a live stream 7. */
async function livePane(): Promise<{ page: FakePage; pair: MemoryPair; stream: FakeStream }> {
  const { page, pair } = openPage();
  await page.hello();
  link.goLive();
  page.say(paneOpen());
  const stream = await page.until(() => link.streams[0]);
  stream.goLive(7);
  await page.until(() => page.of("pane-state").at(-1)?.state.state === "live");
  return { page, pair, stream };
}

function layoutOf(windowId: string, holder = "holder-1"): WindowLayout {
  return {
    windowId,
    tabs: [
      {
        id: "tab-1",
        name: null,
        root: { kind: "pane", holder, machine: "machine-1", session, role: "operator" },
        active: holder,
        zoomed: null,
      },
    ],
    activeTab: "tab-1",
    sidebar: { shown: true, width: 256 },
    bounds: null,
  };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-desk-"));
  host = {
    kind: "browser",
    opened: [],
    windows: 0,
    openWindow: async () => {
      host.windows++;
      return ok({});
    },
    openLink: async (address) => {
      host.opened.push(address);
      return ok({});
    },
  };
  desk = startDesk();
});

afterEach(async () => {
  await desk.close();
  expect(clock.pending).toBe(0);
  rmSync(folder, { recursive: true });
});

describe("hello", () => {
  it("tells what the first frame needs", async () => {
    const reply = await openPage().page.hello();
    expect(reply).toEqual({
      windowId: expect.stringMatching(/^[0-9a-f]{24}$/),
      host: "browser",
      product: "0.1.0",
      shell: "bash",
      user: "mara",
      home: "/home/mara",
      layout: null,
      settings: defaultSettings,
      machines: [
        expect.objectContaining({
          machine: "machine-1",
          name: "this-machine",
          state: "reconnecting",
          attempt: 0,
          root: false,
          sessions: [],
        }),
      ],
      notices: [],
    });
  });

  it("comes first and once", async () => {
    const { page } = openPage();
    expect(await page.ask({ t: "window-new" })).toMatchObject({ ok: false, error: { code: "invalid" } });
    await page.hello();
    expect(await page.ask({ t: "hello", windowId: null })).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(host.windows).toBe(0);
  });

  it("says once what was wrong with the files", async () => {
    await desk.close();
    writeFileSync(join(folder, "settings.json"), "{");
    writeFileSync(join(folder, "layouts.json"), JSON.stringify({ version: 99 }));
    desk = startDesk();
    const first = await openPage().page.hello();
    expect(first.notices).toHaveLength(2);
    expect(first.settings).toEqual(defaultSettings);
    expect((await openPage().page.hello()).notices).toEqual([]);
  });
});

describe("messages", () => {
  const bad: [string, unknown][] = [
    ["an unknown type", { t: "session-eval", id: 5, code: "1" }],
    ["a missing field", { t: "session-kill", id: 5, machine: "machine-1" }],
    ["a wrong type", { t: "open-link", id: 5, url: 7 }],
    ["a name that looks like an option", { t: "session-rename", id: 5, machine: "machine-1", session, name: "-rf" }],
    ["a session id that is none", { t: "session-kill", id: 5, machine: "machine-1", session: "../../x" }],
    ["a layout of another shape", { t: "layout-save", id: 5, layout: { windowId: "x", tabs: {} } }],
    ["an address that is too long", { t: "open-link", id: 5, url: `https://x/${"a".repeat(3000)}` }],
  ];

  it.each(bad)("answers %s with invalid", async (_what, content) => {
    const { page } = openPage();
    await page.hello();
    const answer = page.answerTo(5);
    page.raw(encodeControl(JSON.stringify(content)));
    expect(await answer).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(link.requests).toEqual([]);
    expect(host.opened).toEqual([]);
  });

  it("drops what cannot be answered, and goes on", async () => {
    const { page } = openPage();
    await page.hello();
    for (const text of [
      "",
      "null",
      "[]",
      "7",
      '"hello"',
      "{",
      '{"t":"pane-open"}',
      '{"t":"window-new","id":"__proto__"}',
      '{"__proto__":{"t":"x"},"id":0}',
    ]) {
      page.raw(encodeControl(text));
    }
    page.raw(new Uint8Array([]));
    page.raw(new Uint8Array([1]));
    page.raw(new Uint8Array([9, 0, 1, 2]));
    page.raw(new Uint8Array([1, 0x80, 123, 125]));
    page.raw(new Uint8Array([1, 0, 0xff, 0xfe]));
    page.raw(encodeBytes("data", 1, 0, new Uint8Array(3)));
    page.raw(encodeBytes("input", 99, 0, new Uint8Array(3)));
    expect(await page.ask({ t: "window-new" })).toEqual({ ok: true, value: {} });
    expect(page.heard).toEqual([]);
  });

  it("opens only addresses that pass the gate", async () => {
    const { page } = openPage();
    await page.hello();
    expect(await page.ask({ t: "open-link", url: "https://example.org" })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "open-link", url: "file:///etc/passwd" })).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(host.opened).toEqual(["https://example.org/"]);
  });
});

describe("sessions", () => {
  it("starts one with the environment of the desk and the configured command", async () => {
    const { page } = openPage();
    await page.hello();
    link.answer = () => ok(fakeEntry(session));
    const size = { cols: 90, rows: 30 };
    const request = { t: "session-new", machine: "machine-1", name: null, command: null, cwd: "/srv", size } as const;
    expect(await page.ask(request)).toMatchObject({ ok: true, value: { sessionId: session } });
    await page.ask({ t: "settings-save", settings: { ...defaultSettings, "terminal.command": ["zsh", "-l"] } });
    await page.ask(request);
    await page.ask({ ...request, command: ["htop"] });
    expect(link.requests.map((one) => one.fields)).toEqual([
      { name: null, command: null, cwd: "/srv", env: { PATH: "/bin" }, size },
      { name: null, command: ["zsh", "-l"], cwd: "/srv", env: { PATH: "/bin" }, size },
      { name: null, command: ["htop"], cwd: "/srv", env: { PATH: "/bin" }, size },
    ]);
  });

  it("passes the others on, and the agent's failure back", async () => {
    const { page } = openPage();
    await page.hello();
    link.answer = (type) => (type === "kill" ? { ok: false, error: failure("not-permitted", "You may not.") } : ok(fakeEntry(session)));
    const of = { machine: "machine-1", session } as const;
    expect(await page.ask({ t: "session-rename", ...of, name: "build" })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "session-signal", ...of, signal: "INT" })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "session-dismiss", ...of })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "session-kill", ...of })).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    expect(link.requests.map((one) => one.type)).toEqual(["rename", "signal", "dismiss", "kill"]);
    expect(await page.ask({ t: "session-kill", machine: "other", session })).toMatchObject({ ok: false, error: { code: "not-found" } });
  });
});

describe("machines", () => {
  it("tells changes at most ten times a second, and the last one always", async () => {
    const { page } = openPage();
    await page.hello();
    link.goLive({ ...fakeAgent, root: true });
    link.tellSessions([fakeEntry(session)]);
    clock.advance(0);
    await page.until(() => page.of("machines").length === 1);
    expect(page.of("machines")[0]?.machines[0]).toMatchObject({
      name: "thinkpad",
      state: "live",
      root: true,
      sessions: [{ sessionId: session }],
    });
    for (let n = 1; n <= 500; n++) {
      link.tellChange("changed", fakeEntry(session, { bells: n }));
      clock.advance(2);
    }
    clock.advance(100);
    const told = await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions[0]?.bells === 500 && page.of("machines"));
    expect(told.length).toBeLessThanOrEqual(1 + 11);
  });

  it("forgets sessions that are removed, and takes the whole list after a reconnect", async () => {
    const { page } = openPage();
    await page.hello();
    link.tellSessions([fakeEntry(session), fakeEntry("a".repeat(24))]);
    link.tellChange("removed", fakeEntry(session));
    clock.advance(100);
    await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions.length === 1);
    link.tellSessions([]);
    clock.advance(100);
    await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions.length === 0);
  });

  it("shows why a link waits and when it tries again, and tries when asked", async () => {
    const { page } = openPage();
    await page.hello();
    link.become({ state: "waiting", attempt: 4, nextTryAt: clock.now() + 6000, error: failure("unreachable", "nobody") });
    clock.advance(0);
    await page.until(() => page.of("machines").length > 0);
    expect(page.of("machines").at(-1)?.machines[0]).toMatchObject({
      state: "reconnecting",
      attempt: 4,
      nextTryMs: 6000,
      error: { code: "unreachable" },
    });
    page.say({ t: "reconnect", machine: "machine-1" });
    await page.until(() => link.reconnects === 1);
  });

  it("cuts a list that fits into no frame instead of losing it", async () => {
    const { page } = openPage();
    await page.hello();
    const ended = Array.from({ length: 3000 }, (_, n) => fakeEntry(`e${n.toString(16).padStart(23, "0")}`, { state: "ended" }));
    const running = Array.from({ length: 1000 }, (_, n) => fakeEntry(`a${n.toString(16).padStart(23, "0")}`, { idleMs: n }));
    link.tellSessions([...ended, ...running]);
    clock.advance(0);
    const told = await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions);
    expect(told.length).toBeGreaterThanOrEqual(1000);
    expect(told.filter((entry) => entry.state === "running")).toHaveLength(1000);
    // A page that comes later gets the same.
    const { page: later } = openPage();
    expect((await later.hello()).machines[0]?.sessions).toEqual([]);
    expect((await later.until(() => later.of("machines")[0]))?.machines[0]?.sessions.length).toBe(told.length);
  });
});

describe("panes", () => {
  it("carries a stream's screen, data and sizes in their order", async () => {
    const { page, stream } = await livePane();
    page.heard.length = 0;
    const size = { cols: 100, rows: 30 };
    const bytes = (text: string) => new TextEncoder().encode(text);
    stream.events.screen?.({ at: 50, size, chunks: [bytes("\x1bcone"), bytes("two")], skipped: 9, gap: true, reason: "lag" });
    stream.events.data?.(50, bytes("abc"));
    stream.events.resized?.(53, { cols: 101, rows: 30 });
    stream.events.data?.(53, bytes("d"));
    await page.until(() => page.heard.length === 6);
    expect(page.heard).toEqual([
      { t: "bytes", kind: "snapshot", pane: 1, position: 0, text: "\x1bcone" },
      { t: "bytes", kind: "snapshot", pane: 1, position: 5, text: "two" },
      { t: "pane-screen", pane: 1, at: 50, size, skipped: 9, gap: true },
      { t: "bytes", kind: "data", pane: 1, position: 50, text: "abc" },
      { t: "pane-resized", pane: 1, at: 53, size: { cols: 101, rows: 30 } },
      { t: "bytes", kind: "data", pane: 1, position: 53, text: "d" },
    ]);
  });

  it("cuts bytes into frames of the largest size", async () => {
    const { page, stream } = await livePane();
    stream.events.data?.(10, new Uint8Array(150_000).fill(97));
    await page.until(() => page.text(1).length === 150_000);
    const positions = page.heard.flatMap((item) => (item.t === "bytes" ? [item.position] : []));
    expect(positions).toEqual([10, 10 + 65536, 10 + 131072]);
  });

  it("gives credit back only for what the page parsed", async () => {
    const { page, stream } = await livePane();
    stream.events.data?.(0, new Uint8Array(1000));
    await page.until(() => page.text(1).length === 1000);
    expect(stream.calls).toEqual([["attach"]]);
    page.say({ t: "pane-parsed", pane: 1, stream: 7, seq: 600 });
    await page.until(() => stream.calls.length === 2);
    expect(stream.calls[1]).toEqual(["parsed", 7, 600]);
  });

  it("passes on what a page says about its pane", async () => {
    const { page, stream } = await livePane();
    stream.calls.length = 0;
    page.say({ t: "pane-role", pane: 1, role: "observer" });
    page.say({ t: "pane-view", pane: 1, view });
    page.say({ t: "pane-focus", pane: 1, on: true });
    page.say({ t: "pane-take-size", pane: 1 });
    page.say({ t: "pane-release-size", pane: 1 });
    page.say({ t: "pane-exclusive", pane: 1, on: true });
    page.say({ t: "pane-ask-control", pane: 1 });
    page.say({ t: "pane-answer-control", pane: 1, ask: 3, answer: "both" });
    page.say({ t: "pane-input-cancel", pane: 1 });
    page.say({ t: "pane-hash", pane: 1, stream: 7, at: 5, value: "abc" });
    await page.until(() => stream.calls.length === 10);
    expect(stream.calls).toEqual([
      ["setRole", "observer"],
      ["setView", view],
      ["setFocus", true],
      ["takeSize", null],
      ["releaseSize"],
      ["setExclusive", true],
      ["askControl"],
      ["answerControl", 3, "both"],
      ["cancelInput"],
      ["sendHash", 7, 5, "abc"],
    ]);
  });

  it("tells what the stream says about roles, drivers and control", async () => {
    const { page, stream } = await livePane();
    page.heard.length = 0;
    const refused = failure("not-permitted", "Your key may watch, not type.");
    stream.events.role?.("observer");
    stream.role = "observer";
    stream.events.refused?.(refused);
    stream.events.driver?.({ mine: false, name: "Mara", exclusive: true });
    stream.events.behind?.({ ms: 1500, bytes: 10 });
    stream.events.verified?.(77);
    stream.events.controlAsked?.({ ask: 2, name: "Priya" });
    stream.events.controlAnswered?.("not-now");
    await page.until(() => page.heard.length === 7);
    expect(page.heard).toEqual([
      { t: "pane-role", pane: 1, role: "observer", refused: null },
      { t: "pane-role", pane: 1, role: "observer", refused },
      { t: "pane-driver", pane: 1, mine: false, name: "Mara", exclusive: true },
      { t: "pane-behind", pane: 1, ms: 1500, bytes: 10 },
      { t: "pane-verified", pane: 1, at: 77 },
      { t: "pane-control-asked", pane: 1, ask: 2, name: "Priya" },
      { t: "pane-control-answered", pane: 1, answer: "not-now" },
    ]);
  });

  it("shows each state with its facts, from the first attach over a broken link to the end", async () => {
    const { page } = openPage();
    await page.hello();
    link.goLive();
    page.say(paneOpen());
    const stream = await page.until(() => link.streams[0]);
    const size = { cols: 80, rows: 24 };
    const live = { state: "live", stream: 7, next: 0, role: "operator", size } as const;
    stream.become({ state: "attaching", stream: 7, next: null });
    stream.become(live);
    clock.advance(9000);
    link.become({ state: "stale", agent: fakeAgent, since: clock.now() - 7000 });
    stream.become({ state: "suspended", next: 0, error: null });
    link.become({ state: "waiting", attempt: 2, nextTryAt: clock.now() + 1500, error: failure("unreachable", "x") });
    link.become({ state: "connecting", attempt: 2 });
    link.goLive();
    stream.become({ state: "attaching", stream: 8, next: 0 });
    stream.become({ ...live, stream: 8 });
    link.become({ state: "lost", error: failure("unauthenticated", "The key was refused.") });
    stream.become({ state: "suspended", next: 0, error: null });
    stream.become({ state: "ended", reason: "exit", status: { code: 1 } });
    await page.until(() => page.of("pane-state").at(-1)?.state.state === "ended");
    expect(page.of("pane-state").map((message) => message.state)).toEqual([
      { state: "starting" },
      { state: "live" },
      { state: "stale", silentMs: 7000 },
      { state: "reconnecting", attempt: 0, nextTryMs: null },
      { state: "reconnecting", attempt: 2, nextTryMs: 1500 },
      { state: "reconnecting", attempt: 2, nextTryMs: null },
      { state: "reconnecting", attempt: 0, nextTryMs: null },
      { state: "live" },
      { state: "lost", error: failure("unauthenticated", "The key was refused.") },
      { state: "ended", exit: { code: 1 }, reason: "exit" },
    ]);
    expect(page.of("pane-stream").map((message) => message.stream)).toEqual([7, 8]);
  });

  it("refuses a second pane of the same number and an unknown machine", async () => {
    const { page } = await livePane();
    page.say(paneOpen({ holder: "holder-2" }));
    page.say(paneOpen({ pane: 2, machine: "other", holder: "holder-3" }));
    await page.until(() => page.of("pane-state").filter((message) => message.state.state === "failed").length === 2);
    expect(link.streams).toHaveLength(1);
  });

  it("detaches when the page closes a pane, and when the page goes", async () => {
    const { page, pair, stream } = await livePane();
    page.say(paneOpen({ pane: 2, holder: "holder-2" }));
    const second = await page.until(() => link.streams[1]);
    page.say({ t: "pane-close", pane: 1 });
    await page.until(() => stream.calls.some(([name]) => name === "detach"));
    pair.cut();
    expect(second.calls.at(-1)).toEqual(["detach"]);
    const heard = page.heard.length;
    second.events.data?.(0, new Uint8Array(5));
    expect(page.heard.length).toBe(heard);
  });
});

describe("input", () => {
  it("goes to the stream while it is live, and becomes a draft while it is not", async () => {
    const { page, stream } = await livePane();
    page.type(1, "ls\r");
    await page.until(() => stream.sent.length === 1);
    stream.become({ state: "suspended", next: 0, error: null });
    page.type(1, "rm -rf x");
    page.type(1, "\x03");
    page.type(1, "\r");
    await page.until(() => page.of("pane-draft").at(-1)?.text === "rm -rf x\n");
    stream.goLive(8);
    // Back again, and nothing of it is sent by itself.
    page.type(1, "pwd\r");
    await page.until(() => stream.sent.length === 2);
    expect(stream.sent.map((bytes) => Buffer.from(bytes).toString())).toEqual(["ls\r", "pwd\r"]);
    page.say({ t: "pane-draft", pane: 1, do: "send", text: "rm -rf y\n" });
    await page.until(() => stream.sent.length === 3);
    expect(Buffer.from(stream.sent[2] ?? []).toString()).toBe("rm -rf y\r");
    await page.until(() => page.of("pane-draft").at(-1)?.text === "");
  });

  it("keeps what a frame held when the frame's buffer is used again", async () => {
    const { page, stream } = await livePane();
    page.type(1, "kept");
    await page.until(() => stream.sent.length === 1);
    page.type(1, "more");
    await page.until(() => stream.sent.length === 2);
    expect(Buffer.from(stream.sent[0] ?? []).toString()).toBe("kept");
  });

  it("does not send a draft while the link is down, and throws it away when told", async () => {
    const { page, stream } = await livePane();
    stream.become({ state: "suspended", next: 0, error: null });
    page.type(1, "abc");
    page.say({ t: "pane-draft", pane: 1, do: "send", text: null });
    await page.until(() => page.of("pane-draft").length === 2);
    expect(page.of("pane-draft").at(-1)?.text).toBe("abc");
    expect(stream.sent).toEqual([]);
    page.say({ t: "pane-draft", pane: 1, do: "discard", text: null });
    await page.until(() => page.of("pane-draft").at(-1)?.text === "");
  });

  it("reports how much of a broken send arrived, and gives the draft to the page that comes back", async () => {
    const { page, pair, stream } = await livePane();
    stream.events.undelivered?.({ bytes: new TextEncoder().encode("second half"), delivered: 11, why: "lost" });
    await page.until(() => page.of("pane-draft").length === 1);
    expect(page.of("pane-draft")[0]).toEqual({ t: "pane-draft", pane: 1, text: "second half", delivered: 11 });
    pair.cut();
    const { page: again } = openPage();
    await again.hello();
    again.say(paneOpen({ pane: 5 }));
    expect(await again.until(() => again.of("pane-draft")[0])).toEqual({ t: "pane-draft", pane: 5, text: "second half", delivered: 11 });
  });

  it("keeps nothing that was cancelled, or typed where nobody may type", async () => {
    const { page, stream } = await livePane();
    const bytes = new TextEncoder().encode("x");
    stream.events.undelivered?.({ bytes, delivered: 3, why: "cancelled" });
    stream.events.undelivered?.({ bytes, delivered: null, why: "refused" });
    stream.events.verified?.(1);
    await page.until(() => page.of("pane-verified").length === 1);
    expect(page.of("pane-draft")).toEqual([]);
  });
});

describe("windows", () => {
  it("shows one session in two windows, each with a stream of its own", async () => {
    const { page: one, stream } = await livePane();
    const { page: two } = openPage();
    await two.hello();
    two.say(paneOpen({ holder: "holder-2" }));
    const other = await two.until(() => link.streams[1]);
    other.goLive(9);
    stream.events.data?.(0, new TextEncoder().encode("same"));
    other.events.data?.(0, new TextEncoder().encode("same"));
    await one.until(() => one.text(1) === "same");
    await two.until(() => two.text(1) === "same");
    two.close();
    await two.until(() => other.calls.at(-1)?.[0] === "detach");
    expect(stream.calls).toEqual([["attach"]]);
  });

  it("ends a pane whose holder opens in another window, and says so", async () => {
    const { page: one, stream } = await livePane();
    const { page: two } = openPage();
    await two.hello();
    two.say(paneOpen());
    await one.until(() => one.of("pane-state").at(-1)?.state.state === "failed");
    expect(stream.calls.at(-1)).toEqual(["detach"]);
    expect(link.streams).toHaveLength(2);
  });

  it("gives a page its window back by the id it kept", async () => {
    const { page, pair } = openPage();
    const { windowId } = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(windowId) });
    pair.cut();
    const reply = await openPage().page.hello(windowId);
    expect(reply).toMatchObject({ windowId, layout: layoutOf(windowId) });
  });

  it("gives the last window to the first page after a restart", async () => {
    const { windowId } = await openPage().page.hello();
    const { page } = openPage();
    const second = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(second.windowId) });
    expect(second.windowId).not.toBe(windowId);
    await desk.close();
    desk = startDesk();
    const reply = await openPage().page.hello();
    expect(reply).toMatchObject({ windowId: second.windowId, layout: layoutOf(second.windowId) });
    // A window that the user asked for is a new one.
    const fresh = await openPage({ fresh: true }).page.hello();
    expect(fresh.layout).toBeNull();
  });

  it("waits for a reloading page's old link, and gives a copied tab another window", async () => {
    const { page, pair } = openPage();
    const { windowId } = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(windowId) });
    const reloaded = openPage().page.hello(windowId);
    // The old link is heard to be gone only now.
    await Promise.resolve();
    pair.cut();
    expect(await reloaded).toMatchObject({ windowId, layout: layoutOf(windowId) });

    const { page: copy } = openPage();
    const copied = copy.hello(windowId);
    await copy.until(() => clock.pending > 0);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    clock.advance(1000);
    expect(await copied).toMatchObject({ layout: null });
    expect((await copied).windowId).not.toBe(windowId);
  });

  it("lets a host's own window take over from its page before", async () => {
    const { page: before } = openPage({ windowId: "window-a" });
    expect((await before.hello("something else")).windowId).toBe("window-a");
    const { page: after } = openPage({ windowId: "window-a" });
    expect((await after.hello()).windowId).toBe("window-a");
    await before.until(() => before.closed);
  });

  it("does not bring back a window that the user closed", async () => {
    const { page } = openPage({ windowId: "window-a" });
    await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf("window-a") });
    desk.putBounds("window-b", { x: 1, y: 2, width: 300, height: 200 });
    desk.forgetWindow("window-a");
    await page.until(() => page.closed);
    await desk.close();
    desk = startDesk();
    expect(desk.keptWindows().map((layout) => [layout.windowId, layout.bounds?.width])).toEqual([["window-b", 300]]);
  });

  it("keeps where the system's window stands, whatever the page says", async () => {
    const { page } = openPage({ windowId: "window-a" });
    await page.hello();
    const bounds = { x: 10, y: 20, width: 800, height: 600 };
    desk.putBounds("window-a", bounds);
    await page.ask({ t: "layout-save", layout: { ...layoutOf("another id"), bounds: { x: 0, y: 0, width: 1, height: 1 } } });
    await desk.close();
    desk = startDesk();
    expect(desk.keptWindows()).toEqual([{ ...layoutOf("window-a"), bounds }]);
  });

  it("writes layouts within a second, and at the end", async () => {
    const file = join(folder, "layouts.json");
    const { page } = openPage();
    const { windowId } = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(windowId, "holder-a") });
    clock.advance(1000);
    expect(readFileSync(file, "utf8")).toContain("holder-a");
    await page.ask({ t: "layout-save", layout: layoutOf(windowId, "holder-b") });
    await desk.close();
    expect(readFileSync(file, "utf8")).toContain("holder-b");
  });

  it("says goodbye to every page and machine at the end, and takes nobody afterwards", async () => {
    const { page, stream } = await livePane();
    await desk.close();
    await page.until(() => page.closed);
    expect(page.closed?.clean).toBe(true);
    expect(stream.calls.at(-1)).toEqual(["detach"]);
    expect(link.closed).toBe(true);
    const { page: late } = openPage();
    await late.until(() => late.closed);
  });
});

describe("settings", () => {
  it("are kept, and told to every window", async () => {
    const { page: one } = openPage();
    const { page: two } = openPage();
    await one.hello();
    await two.hello();
    const settings = { ...defaultSettings, "terminal.fontSize": 15 };
    const heard: number[] = [];
    desk.onSettings((next) => heard.push(next["terminal.fontSize"]));
    expect(await one.ask({ t: "settings-save", settings })).toEqual({ ok: true, value: {} });
    await two.until(() => two.of("settings").at(-1)?.settings["terminal.fontSize"] === 15);
    expect(heard).toEqual([15]);
    await desk.close();
    desk = startDesk();
    expect((await openPage().page.hello()).settings).toEqual(settings);
  });
});
