/**
 * One desk a state folder, whichever host has it: a second start of the app shows the first, `serve` beside the app refuses, the app beside
 * `serve` opens its page.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { startBrowserHost } from "../support/chromium.js";
import { expect, test } from "../support/desk-test.js";
import { findElectron } from "../support/electron.js";
import { exchangeToken } from "../support/link-client.js";
import { type MuxdeckHome, top } from "../support/muxdeck-home.js";
import { inTime, until } from "../support/wait.js";
import { sessions } from "./app-page.js";

/** The app as a user starts it once more, beside the one that Playwright drives; `more` is on its command line. */
function startApp(home: MuxdeckHome, display: string, more: string[] = [], env: Record<string, string> = {}): Promise<number> {
  const args = [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), top, ...more];
  const child: ChildProcess = spawn(findElectron() ?? "", args, {
    cwd: home.folder,
    env: { ...home.env, DISPLAY: display, ...env },
    stdio: "ignore",
  });
  return inTime("the end of a second start", once(child, "exit")).then(([code]) => code);
}

/** A folder with an `xdg-open` that writes down what it was given. */
function fakeOpener(home: MuxdeckHome): { path: string; opened: () => string[] } {
  const folder = join(home.folder, "bin");
  const log = join(home.folder, "opened");
  mkdirSync(folder);
  writeFileSync(join(folder, "xdg-open"), `#!/bin/sh\nprintf '%s\\n' "$@" >> '${log}'\n`);
  chmodSync(join(folder, "xdg-open"), 0o755);
  const path = `${folder}${delimiter}${home.env.PATH ?? ""}`;
  return { path, opened: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []) };
}

test("a second start shows the first app and ends", async ({ deck, home, display }) => {
  await deck.app?.evaluate(({ BrowserWindow }) => {
    for (const window of BrowserWindow.getAllWindows()) window.hide();
  });
  expect(await startApp(home, display?.name ?? "")).toBe(0);
  const shown = () => deck.app?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.isVisible()));
  await expect.poll(shown).toEqual([true]);
});

test("a second start takes no command, path or address from its command line", async ({ deck, home, display }) => {
  const opener = fakeOpener(home);
  const hostile = [
    "muxdeck://run?command=touch%20pwned",
    "muxdeck://attach/0123456789abcdef01234567",
    "muxdeck:open",
    "file:///etc/passwd",
    "https://example.org/",
    "app://muxdeck/other.html",
    "javascript:alert(1)",
    "data:text/html,x",
    "--new",
    "--command=touch pwned",
    "--open=https://example.org/",
    "--machine=evil",
    "$(touch pwned)",
    "; touch pwned",
    "| touch pwned",
    "../../../etc/passwd",
    "-e",
    "touch pwned",
  ];
  expect(await startApp(home, display?.name ?? "", ["--", ...hostile], { PATH: opener.path })).toBe(0);
  const addresses = await deck.app?.evaluate(({ webContents }) => webContents.getAllWebContents().map((contents) => contents.getURL()));
  expect(addresses).toEqual(["app://muxdeck/index.html"]);
  expect(opener.opened()).toEqual([]);
  expect(await sessions(home)).toEqual([]);
  expect(existsSync(join(home.folder, "pwned"))).toBe(false);
});

test("serve beside the app says so and refuses", async ({ deck, home }) => {
  expect(deck.app).not.toBeNull();
  const refused = await home.run(["serve", "--no-open"]);
  expect(refused).toEqual({
    code: 1,
    stdout: "",
    stderr: "Muxdeck runs here as an app already, and sessions have one desk at a time. Use its window, or close it and try again.\n",
  });
  expect(await home.run(["serve", "--url"])).toMatchObject({ code: 1, stdout: "" });
  // The app was not disturbed.
  expect(deck.app?.windows()).toHaveLength(1);
});

test("the app beside serve opens its page", async ({ home, display }) => {
  const host = await startBrowserHost(home);
  const opener = fakeOpener(home);
  expect(await startApp(home, display?.name ?? "", [], { PATH: opener.path })).toBe(0);
  const [address = ""] = await until("an address to be opened", () => (opener.opened().length > 0 ? opener.opened() : null));
  expect(new URL(address).origin).toBe(new URL(host.url).origin);
  expect(await exchangeToken(address)).not.toBeNull();
  expect(host.output().trim().split("\n")).toHaveLength(1);
  await host.close();
});

test("an app that is asked to end by a signal ends in peace", async ({ deck, home }) => {
  const app = deck.app?.process();
  const ended = app === undefined ? Promise.reject(new Error("not in Electron")) : once(app, "exit");
  expect(existsSync(join(home.folder, "desk.lock"))).toBe(true);
  app?.kill("SIGTERM");
  await inTime("the end of the app", ended);
  expect(existsSync(join(home.folder, "desk.lock"))).toBe(false);
  expect(existsSync(join(home.folder, "desk.sock"))).toBe(false);
});

test("a killed app leaves nothing that keeps the next one out", async ({ deck, home, openDeck }) => {
  deck.app?.process().kill("SIGKILL");
  await until("the app to be gone", () => home.processes().every((entry) => home.agents().some((agent) => agent.pid === entry.pid)));
  await deck.quit();
  const again = await openDeck();
  await expect(again.page.locator("html")).toHaveAttribute("data-ready", "true");
});
