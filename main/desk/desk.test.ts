/** The desk over memory transports with a machine that a test plays: what pages ask, hear and share. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WindowLayout } from "../../link/layout.js";
import { defaultSettings } from "../../link/settings.js";
import { failure, ok } from "../../protocol/errors.js";
import { encodeBytes, encodeControl } from "../../protocol/frame.js";
import { fakeAgent, fakeEntry } from "../../test/support/fake-agent-link.js";
import { FakeDesk, fakeSession, paneOpen } from "../../test/support/fake-desk.js";

let fake: FakeDesk;
beforeEach(() => {
  fake = new FakeDesk();
});
afterEach(async () => {
  await fake.close();
  expect(fake.clock.pending).toBe(0);
});

function layoutOf(windowId: string, holder = "holder-1"): WindowLayout {
  return {
    windowId,
    tabs: [
      {
        id: "tab-1",
        name: null,
        root: { kind: "pane", holder, machine: "machine-1", session: fakeSession, role: "operator" },
        active: holder,
        zoomed: null,
      },
    ],
    activeTab: "tab-1",
    sidebar: { shown: true, width: 256 },
    bounds: null,
  };
}

describe("hello", () => {
  it("tells what the first frame needs", async () => {
    const reply = await fake.openPage().page.hello();
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
    const { page } = fake.openPage();
    expect(await page.ask({ t: "window-new" })).toMatchObject({ ok: false, error: { code: "invalid" } });
    await page.hello();
    expect(await page.ask({ t: "hello", windowId: null })).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(fake.openedWindows).toBe(0);
  });

  it("says once what was wrong with the files", async () => {
    writeFileSync(join(fake.folder, "settings.json"), "{");
    writeFileSync(join(fake.folder, "layouts.json"), JSON.stringify({ version: 99 }));
    await fake.restart();
    const first = await fake.openPage().page.hello();
    expect(first.notices).toHaveLength(2);
    expect(first.settings).toEqual(defaultSettings);
    expect((await fake.openPage().page.hello()).notices).toEqual([]);
  });
});

describe("messages", () => {
  const bad: [string, unknown][] = [
    ["an unknown type", { t: "session-eval", id: 5, code: "1" }],
    ["a missing field", { t: "session-kill", id: 5, machine: "machine-1" }],
    ["a wrong type", { t: "open-link", id: 5, url: 7 }],
    ["a name that looks like an option", { t: "session-rename", id: 5, machine: "machine-1", session: fakeSession, name: "-rf" }],
    ["a session id that is none", { t: "session-kill", id: 5, machine: "machine-1", session: "../../x" }],
    ["a layout of another shape", { t: "layout-save", id: 5, layout: { windowId: "x", tabs: {} } }],
    ["an address that is too long", { t: "open-link", id: 5, url: `https://x/${"a".repeat(3000)}` }],
  ];

  it.each(bad)("answers %s with invalid", async (_what, content) => {
    const { page } = fake.openPage();
    await page.hello();
    const answer = page.answerTo(5);
    page.raw(encodeControl(JSON.stringify(content)));
    expect(await answer).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(fake.link.requests).toEqual([]);
    expect(fake.openedLinks).toEqual([]);
  });

  it("drops what cannot be answered, and goes on", async () => {
    const { page } = fake.openPage();
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
    const { page } = fake.openPage();
    await page.hello();
    expect(await page.ask({ t: "open-link", url: "https://example.org" })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "open-link", url: "file:///etc/passwd" })).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(fake.openedLinks).toEqual(["https://example.org/"]);
  });
});

describe("sessions", () => {
  it("starts one with the environment of the desk and the configured command", async () => {
    const { page } = fake.openPage();
    await page.hello();
    fake.link.answer = () => ok(fakeEntry(fakeSession));
    const size = { cols: 90, rows: 30 };
    const request = { t: "session-new", machine: "machine-1", name: null, command: null, cwd: "/srv", size } as const;
    expect(await page.ask(request)).toMatchObject({ ok: true, value: { sessionId: fakeSession } });
    await page.ask({ t: "settings-save", settings: { ...defaultSettings, "terminal.command": ["zsh", "-l"] } });
    await page.ask(request);
    await page.ask({ ...request, command: ["htop"] });
    expect(fake.link.requests.map((one) => one.fields)).toEqual([
      { name: null, command: null, cwd: "/srv", env: { PATH: "/bin" }, size },
      { name: null, command: ["zsh", "-l"], cwd: "/srv", env: { PATH: "/bin" }, size },
      { name: null, command: ["htop"], cwd: "/srv", env: { PATH: "/bin" }, size },
    ]);
  });

  it("passes the others on, and the agent's failure back", async () => {
    const { page } = fake.openPage();
    await page.hello();
    fake.link.answer = (type) =>
      type === "kill" ? { ok: false, error: failure("not-permitted", "You may not.") } : ok(fakeEntry(fakeSession));
    const of = { machine: "machine-1", session: fakeSession } as const;
    expect(await page.ask({ t: "session-rename", ...of, name: "build" })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "session-signal", ...of, signal: "INT" })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "session-dismiss", ...of })).toEqual({ ok: true, value: {} });
    expect(await page.ask({ t: "session-kill", ...of })).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    expect(fake.link.requests.map((one) => one.type)).toEqual(["rename", "signal", "dismiss", "kill"]);
    expect(await page.ask({ t: "session-kill", machine: "other", session: fakeSession })).toMatchObject({
      ok: false,
      error: { code: "not-found" },
    });
  });
});

describe("machines", () => {
  it("tells changes at most ten times a second, and the last one always", async () => {
    const { page } = fake.openPage();
    await page.hello();
    fake.link.goLive({ ...fakeAgent, root: true });
    fake.link.tellSessions([fakeEntry(fakeSession)]);
    fake.clock.advance(0);
    await page.until(() => page.of("machines").length === 1);
    expect(page.of("machines")[0]?.machines[0]).toMatchObject({
      name: "thinkpad",
      state: "live",
      root: true,
      sessions: [{ sessionId: fakeSession }],
    });
    for (let n = 1; n <= 500; n++) {
      fake.link.tellChange("changed", fakeEntry(fakeSession, { bells: n }));
      fake.clock.advance(2);
    }
    fake.clock.advance(100);
    const told = await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions[0]?.bells === 500 && page.of("machines"));
    expect(told.length).toBeLessThanOrEqual(1 + 11);
  });

  it("forgets sessions that are removed, and takes the whole list after a reconnect", async () => {
    const { page } = fake.openPage();
    await page.hello();
    fake.link.tellSessions([fakeEntry(fakeSession), fakeEntry("a".repeat(24))]);
    fake.link.tellChange("removed", fakeEntry(fakeSession));
    fake.clock.advance(100);
    await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions.length === 1);
    fake.link.tellSessions([]);
    fake.clock.advance(100);
    await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions.length === 0);
  });

  it("shows why a link waits and when it tries again, and tries when asked", async () => {
    const { page } = fake.openPage();
    await page.hello();
    fake.link.become({ state: "waiting", attempt: 4, nextTryAt: fake.clock.now() + 6000, error: failure("unreachable", "nobody") });
    fake.clock.advance(0);
    await page.until(() => page.of("machines").length > 0);
    expect(page.of("machines").at(-1)?.machines[0]).toMatchObject({
      state: "reconnecting",
      attempt: 4,
      nextTryMs: 6000,
      error: { code: "unreachable" },
    });
    page.say({ t: "reconnect", machine: "machine-1" });
    await page.until(() => fake.link.reconnects === 1);
  });

  it("cuts a list that fits into no frame instead of losing it", async () => {
    const { page } = fake.openPage();
    await page.hello();
    const ended = Array.from({ length: 3000 }, (_, n) => fakeEntry(`e${n.toString(16).padStart(23, "0")}`, { state: "ended" }));
    const running = Array.from({ length: 1000 }, (_, n) => fakeEntry(`a${n.toString(16).padStart(23, "0")}`, { idleMs: n }));
    fake.link.tellSessions([...ended, ...running]);
    fake.clock.advance(0);
    const told = await page.until(() => page.of("machines").at(-1)?.machines[0]?.sessions);
    expect(told.length).toBeGreaterThanOrEqual(1000);
    expect(told.filter((entry) => entry.state === "running")).toHaveLength(1000);
    // A page that comes later gets the same.
    const { page: later } = fake.openPage();
    expect((await later.hello()).machines[0]?.sessions).toEqual([]);
    expect((await later.until(() => later.of("machines")[0]))?.machines[0]?.sessions.length).toBe(told.length);
  });
});

describe("windows", () => {
  it("shows one session in two windows, each with a stream of its own", async () => {
    const { page: one, stream } = await fake.livePane();
    const { page: two } = fake.openPage();
    await two.hello();
    two.say(paneOpen({ holder: "holder-2" }));
    const other = await two.until(() => fake.link.streams[1]);
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
    const { page: one, stream } = await fake.livePane();
    const { page: two } = fake.openPage();
    await two.hello();
    two.say(paneOpen());
    await one.until(() => one.of("pane-state").at(-1)?.state.state === "failed");
    expect(stream.calls.at(-1)).toEqual(["detach"]);
    expect(fake.link.streams).toHaveLength(2);
  });

  it("gives a page its window back by the id it kept", async () => {
    const { page, pair } = fake.openPage();
    const { windowId } = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(windowId) });
    pair.cut();
    const reply = await fake.openPage().page.hello(windowId);
    expect(reply).toMatchObject({ windowId, layout: layoutOf(windowId) });
  });

  it("gives the last window to the first page after a restart", async () => {
    const { windowId } = await fake.openPage().page.hello();
    const { page } = fake.openPage();
    const second = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(second.windowId) });
    expect(second.windowId).not.toBe(windowId);
    await fake.restart();
    const reply = await fake.openPage().page.hello();
    expect(reply).toMatchObject({ windowId: second.windowId, layout: layoutOf(second.windowId) });
    // A window that the user asked for is a new one.
    const fresh = await fake.openPage({ fresh: true }).page.hello();
    expect(fresh.layout).toBeNull();
  });

  it("waits for a reloading page's old link, and gives a copied tab another window", async () => {
    const { page, pair } = fake.openPage();
    const { windowId } = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(windowId) });
    const reloaded = fake.openPage().page.hello(windowId);
    // The old link is heard to be gone only now.
    await Promise.resolve();
    pair.cut();
    expect(await reloaded).toMatchObject({ windowId, layout: layoutOf(windowId) });

    const { page: copy } = fake.openPage();
    const copied = copy.hello(windowId);
    await copy.until(() => fake.clock.pending > 0);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    fake.clock.advance(1000);
    expect(await copied).toMatchObject({ layout: null });
    expect((await copied).windowId).not.toBe(windowId);
  });

  it("lets a host's own window take over from its page before", async () => {
    const { page: before } = fake.openPage({ windowId: "window-a" });
    expect((await before.hello("something else")).windowId).toBe("window-a");
    const { page: after } = fake.openPage({ windowId: "window-a" });
    expect((await after.hello()).windowId).toBe("window-a");
    await before.until(() => before.closed);
  });

  it("does not bring back a window that the user closed", async () => {
    const { page } = fake.openPage({ windowId: "window-a" });
    await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf("window-a") });
    fake.desk.putBounds("window-b", { x: 1, y: 2, width: 300, height: 200 });
    fake.desk.forgetWindow("window-a");
    await page.until(() => page.closed);
    await fake.restart();
    expect(fake.desk.keptWindows().map((layout) => [layout.windowId, layout.bounds?.width])).toEqual([["window-b", 300]]);
  });

  it("keeps where the system's window stands, whatever the page says", async () => {
    const { page } = fake.openPage({ windowId: "window-a" });
    await page.hello();
    const bounds = { x: 10, y: 20, width: 800, height: 600 };
    fake.desk.putBounds("window-a", bounds);
    await page.ask({ t: "layout-save", layout: { ...layoutOf("another id"), bounds: { x: 0, y: 0, width: 1, height: 1 } } });
    await fake.restart();
    expect(fake.desk.keptWindows()).toEqual([{ ...layoutOf("window-a"), bounds }]);
  });

  it("writes layouts within a second, and at the end", async () => {
    const file = join(fake.folder, "layouts.json");
    const { page } = fake.openPage();
    const { windowId } = await page.hello();
    await page.ask({ t: "layout-save", layout: layoutOf(windowId, "holder-a") });
    fake.clock.advance(1000);
    expect(readFileSync(file, "utf8")).toContain("holder-a");
    await page.ask({ t: "layout-save", layout: layoutOf(windowId, "holder-b") });
    await fake.desk.close();
    expect(readFileSync(file, "utf8")).toContain("holder-b");
  });

  it("says goodbye to every page and machine at the end, and takes nobody afterwards", async () => {
    const { page, stream } = await fake.livePane();
    await fake.desk.close();
    await page.until(() => page.closed);
    expect(page.closed?.clean).toBe(true);
    expect(stream.calls.at(-1)).toEqual(["detach"]);
    expect(fake.link.closed).toBe(true);
    const { page: late } = fake.openPage();
    await late.until(() => late.closed);
  });
});

describe("settings", () => {
  it("are kept, and told to every window", async () => {
    const { page: one } = fake.openPage();
    const { page: two } = fake.openPage();
    await one.hello();
    await two.hello();
    const settings = { ...defaultSettings, "terminal.fontSize": 15 };
    const heard: number[] = [];
    fake.desk.onSettings((next) => heard.push(next["terminal.fontSize"]));
    expect(await one.ask({ t: "settings-save", settings })).toEqual({ ok: true, value: {} });
    await two.until(() => two.of("settings").at(-1)?.settings["terminal.fontSize"] === 15);
    expect(heard).toEqual([15]);
    await fake.restart();
    expect((await fake.openPage().page.hello()).settings).toEqual(settings);
  });
});
