/**
 * `muxdeck serve` as it is started by users, with a real agent: its one line, its end, who may have it, and that sessions outlive it. The
 * page is played over the real link.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WindowLayout } from "../../link/layout.js";
import type { HelloReply } from "../../link/messages.js";
import type { SessionEntry } from "../../protocol/values.js";
import { type BrowserHost, startBrowserHost } from "../support/chromium.js";
import type { FakePage } from "../support/fake-page.js";
import { exchangeToken, openAddress, openLink } from "../support/link-client.js";
import { createHome, type MuxdeckHome } from "../support/muxdeck-home.js";
import { inTime, until } from "../support/wait.js";

const size = { cols: 80, rows: 24 };
const view = { ...size, cellWidth: 8, cellHeight: 18, colours: null, focused: true };

let home: MuxdeckHome;
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.close());

/** Process that holds the desk: the host itself, not the command that started it. */
function hostPid(): number {
  return JSON.parse(readFileSync(join(home.folder, "desk.lock"), "utf8")).pid;
}

async function liveMachine(page: FakePage, hello: HelloReply): Promise<string> {
  const machine = hello.machines[0]?.machine ?? "";
  const live = () =>
    [...page.of("machines").map((message) => message.machines), hello.machines].some((list) => list.some((one) => one.state === "live"));
  await page.until(live, "the agent");
  return machine;
}

async function newSession(page: FakePage, machine: string, command: string[] | null): Promise<SessionEntry> {
  const answer = await page.ask({ t: "session-new", machine, name: null, command, cwd: null, size });
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.value as SessionEntry;
}

function openPane(page: FakePage, machine: string, session: string, holder: string): void {
  page.say({ t: "pane-open", pane: 1, machine, session, role: "operator", holder, view, scrollback: 1000 });
}

/** Everything a pane was given, screens and output alike. */
const shown = (page: FakePage) => page.heard.map((item) => (item.t === "bytes" && item.pane === 1 ? item.text : "")).join("");

function layoutOf(windowId: string, machine: string, session: string): WindowLayout {
  return {
    windowId,
    tabs: [
      {
        id: "tab-1",
        name: null,
        root: { kind: "pane", holder: "holder-1", machine, session, role: "operator" },
        active: "holder-1",
        zoomed: null,
      },
    ],
    activeTab: "tab-1",
    sidebar: { shown: true, width: 256 },
    bounds: null,
  };
}

/** A page with pane 1 on a new shell, at its prompt. */
async function pageWithShell(host: BrowserHost): Promise<{ page: FakePage; hello: HelloReply; machine: string; session: SessionEntry }> {
  const page = await openAddress(host.url);
  const hello = await page.hello();
  const machine = await liveMachine(page, hello);
  const session = await newSession(page, machine, ["bash", "--norc", "--noprofile"]);
  openPane(page, machine, session.sessionId, "holder-1");
  await page.until(() => page.of("pane-state").at(-1)?.state.state === "live" && /[$#] /.test(shown(page)), "a prompt");
  return { page, hello, machine, session };
}

describe("muxdeck serve", () => {
  it("prints one line, serves a session, and ends in peace while the session goes on", async () => {
    const host = await startBrowserHost(home);
    expect(host.output()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#[A-Za-z0-9_-]{43}\n$/);
    const { page, session } = await pageWithShell(host);
    page.type(1, "echo sum $((40 + 2))\r");
    await page.until(() => shown(page).includes("sum 42"), "the program's answer");
    await host.close();
    await page.until(() => page.closed, "a goodbye");
    expect(page.closed).toMatchObject({ clean: true });
    const list = JSON.parse((await home.run(["ls", "--json"])).stdout);
    expect(list).toEqual([expect.objectContaining({ sessionId: session.sessionId, state: "running", pid: session.pid, attached: [] })]);
    expect(host.output().split("\n")).toHaveLength(2);
  });

  it("exchanges its address once, and prints another with --url", async () => {
    const host = await startBrowserHost(home);
    const token = await exchangeToken(host.url);
    expect(token).not.toBeNull();
    expect(await exchangeToken(host.url)).toBeNull();
    const page = await openLink(host.url, token ?? "");
    await page.hello();
    const printed = await home.run(["serve", "--url"]);
    expect(printed).toMatchObject({ code: 0, stderr: "" });
    expect(new URL(printed.stdout).port).toBe(new URL(host.url).port);
    await (await openAddress(printed.stdout.trim())).hello();
  });

  it("is one a state folder, and says what to do instead", async () => {
    expect(await home.run(["serve", "--url"])).toMatchObject({ code: 5, stdout: "" });
    const host = await startBrowserHost(home);
    const second = await home.run(["serve", "--no-open"]);
    expect(second).toMatchObject({ code: 1, stdout: "" });
    expect(second.stderr).toBe("A browser host runs here already. Print a new address of it with muxdeck serve --url.\n");
    await (await openAddress(host.url)).hello();
  });

  it("says in one sentence that its port is taken, and leaves no lock behind", async () => {
    const other = createHome();
    const host = await startBrowserHost(other);
    const port = new URL(host.url).port;
    const refused = await home.run(["serve", "--no-open", "--port", port]);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toBe(`Port ${port} is in use by another program. Choose another with --port, or leave it out.\n`);
    await other.close();
    await (await openAddress((await startBrowserHost(home)).url)).hello();
  });

  it("comes back after a kill with the window, the session and what it printed meanwhile", async () => {
    const host = await startBrowserHost(home);
    const { page, hello, machine, session } = await pageWithShell(host);
    await page.ask({ t: "layout-save", layout: layoutOf(hello.windowId, machine, session.sessionId) });
    const file = join(home.folder, "layouts.json");
    await until("the layout on disk", () => (home.processes().length > 0 && readIfThere(file).includes("holder-1") ? true : null));
    page.type(1, "read -r line; echo said $line; echo before\r");
    await page.until(() => shown(page).includes("read -r"), "an echo");
    const agent = home.agents()[0]?.pid;
    process.kill(hostPid(), "SIGKILL");
    await page.until(() => page.closed, "the end of the link");

    // Nobody watches; the session goes on.
    expect((await home.run(["send", session.sessionId, "meanwhile", "--enter"])).code).toBe(0);
    await until("the program's line", async () => (await home.run(["screen", session.sessionId])).stdout.includes("said meanwhile"));

    const again = await startBrowserHost(home);
    const back = await openAddress(again.url);
    const restored = await back.hello();
    expect(restored.windowId).toBe(hello.windowId);
    expect(restored.layout).toEqual(layoutOf(hello.windowId, machine, session.sessionId));
    expect(await liveMachine(back, restored)).toBe(machine);
    openPane(back, machine, session.sessionId, "holder-1");
    await back.until(() => shown(back).includes("said meanwhile") && shown(back).includes("before"), "what was printed meanwhile");
    back.type(1, "echo pid $$\r");
    await back.until(() => shown(back).includes(`pid ${session.pid}`), "the same shell");
    expect(home.agents().map((entry) => entry.pid)).toEqual([agent]);
  });

  it("shows one session in two pages, and both may type", async () => {
    const host = await startBrowserHost(home);
    const { page: one, machine, session } = await pageWithShell(host);
    const two = await openAddress((await home.run(["serve", "--url"])).stdout.trim());
    await two.hello();
    openPane(two, machine, session.sessionId, "holder-2");
    await two.until(() => two.of("pane-state").at(-1)?.state.state === "live", "the second pane");
    two.type(1, "echo from two\r");
    await one.until(() => shown(one).includes("from two\r\n"), "the second page's line in the first");
    one.type(1, "echo from one\r");
    await two.until(() => shown(two).includes("from one\r\n"), "the first page's line in the second");
  });

  it("tells a page when sessions come, change and go", async () => {
    const host = await startBrowserHost(home);
    const page = await openAddress(host.url);
    await liveMachine(page, await page.hello());
    const sessions = () => page.of("machines").at(-1)?.machines[0]?.sessions ?? [];
    const made = JSON.parse((await home.run(["new", "--name", "build", "--json"])).stdout);
    await page.until(() => sessions().some((entry) => entry.name === "build"), "the new session");
    await home.run(["rename", "build", "deploy"]);
    await page.until(() => sessions().some((entry) => entry.sessionId === made.sessionId && entry.name === "deploy"), "its new name");
    await home.run(["kill", "deploy"]);
    await page.until(() => sessions().some((entry) => entry.sessionId === made.sessionId && entry.state === "ended"), "its end");
    await home.run(["dismiss", made.sessionId]);
    await page.until(() => sessions().length === 0, "that it is gone");
  });

  it.skipIf(!mayMount())("says that the disk is full, keeps the old layout, and writes again when there is room", async () => {
    const small = mkdtempSync(join(tmpdir(), "muxdeck-small-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", small]);
    try {
      const file = join(small, "layouts.json");
      writeFileSync(file, JSON.stringify({ version: 1, windows: [] }));
      symlinkSync(file, join(home.folder, "layouts.json"));
      const host = await startBrowserHost(home);
      const page = await openAddress(host.url);
      const { windowId } = await page.hello();
      const save = (session: string) => page.ask({ t: "layout-save", layout: layoutOf(windowId, "machine", session) });
      await save("a".repeat(24));
      await until("the first layout", () => readIfThere(file).includes("a".repeat(24)));
      const whole = readIfThere(file);
      fill(join(small, "filler"));
      await save("b".repeat(24));
      const notice = await page.until(() => page.of("notice")[0], "the notice");
      expect(notice.text).toMatch(
        /^The layout was not saved: the disk is full\. Sessions keep running, the layout of \d\d:\d\d is kept\. Free some space\.$/,
      );
      expect(readIfThere(file)).toBe(whole);
      rmSync(join(small, "filler"));
      await save("c".repeat(24));
      await until("the last layout", () => readIfThere(file).includes("c".repeat(24)));
      expect(page.of("notice")).toHaveLength(1);
      await host.close();
    } finally {
      execFileSync("umount", [small]);
      rmSync(small, { recursive: true });
    }
  });

  it("ends with every signal that asks it to", async () => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
      const child = home.start(["serve", "--no-open"]);
      const ended = once(child, "close");
      await inTime("its line", once(child.stdout ?? child, "data"));
      process.kill(hostPid(), signal);
      expect((await inTime(`the end after ${signal}`, ended))[0]).toBe(0);
    }
  });

  it("opens a window of its own in a Chromium, unless told not to", async () => {
    const folder = join(home.folder, "bin");
    mkdirSync(folder);
    const log = join(home.folder, "opened");
    writeFileSync(join(folder, "chromium"), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${log}'\n`, { mode: 0o755 });
    const child = home.start(["serve"], { DISPLAY: ":9", PATH: `${folder}:${home.env.PATH ?? ""}` });
    const ended = once(child, "close");
    const [line] = await inTime("its line", once(child.stdout ?? child, "data"));
    await until("the browser", () => readIfThere(log).includes("\n") || null);
    expect(readIfThere(log)).toBe(`--app=${String(line)}`);
    // A new window is asked for by a page, and gets an address of its own.
    const page = await openAddress(String(line).trim());
    const { windowId } = await page.hello();
    expect(await page.ask({ t: "window-new" })).toEqual({ ok: true, value: {} });
    const second = await until("the second window", () => readIfThere(log).trim().split("\n")[1] ?? null);
    const other = await (await openAddress(second.replace("--app=", ""))).hello();
    expect(other.windowId).not.toBe(windowId);
    process.kill(hostPid(), "SIGTERM");
    await inTime("the end", ended);
  });

  it("does not know every flag", async () => {
    expect((await home.run(["serve", "--listen", "0.0.0.0"])).code).toBe(2);
    expect((await home.run(["serve", "--port", "70000"])).code).toBe(2);
    expect((await home.run(["serve", "--allow-host", "*"])).code).toBe(2);
  });
});

/** Containers often let not even root mount; the store's own tests then have to do. */
function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), "muxdeck-mount-"));
  const may = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status === 0;
  if (may) execFileSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  return may;
}

/** Writes until the disk takes no more. */
function fill(file: string): void {
  const handle = openSync(file, "w");
  try {
    while (writeSync(handle, Buffer.alloc(4096)) > 0);
  } catch {
    // Full, which was wanted.
  } finally {
    closeSync(handle);
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
