/**
 * The windows of the app in Electron: they come back where they stood, a dead page is loaded again with its panes, and none flashes in the
 * wrong colour.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ElectronApplication } from "playwright";
import { type Deck, expect, test } from "../support/desk-test.js";
import type { MuxdeckHome } from "../support/muxdeck-home.js";
import { inTime, until } from "../support/wait.js";
import { openFirst, panes, ready, secondWindow, sessionOf, shows, type } from "./app-page.js";

function appOf(deck: Deck): ElectronApplication {
  if (deck.app === null) throw new Error("not in Electron");
  return deck.app;
}

const boundsOf = (deck: Deck) =>
  appOf(deck).evaluate(({ BrowserWindow }) =>
    BrowserWindow.getAllWindows()
      .map((window) => window.getBounds())
      .sort((a, b) => a.x - b.x),
  );

function layoutText(home: MuxdeckHome): string {
  try {
    return readFileSync(join(home.folder, "layouts.json"), "utf8");
  } catch {
    return "";
  }
}

/**
 * Asks the page itself, past Playwright, which holds a crashed page for dead. A question to a page that dies is never answered, hence the
 * bound.
 */
function askPage<T>(deck: Deck, expression: string): Promise<T> {
  const run = appOf(deck).evaluate(
    ({ BrowserWindow }, text) => BrowserWindow.getAllWindows()[0]?.webContents.executeJavaScript(text),
    expression,
  );
  return inTime("an answer of the page", run as Promise<T>, 2000);
}

test("windows come back where they stood, each with its own panes", async ({ home, openDeck }) => {
  const first = await openDeck();
  const session = await sessionOf(await openFirst(first.page));
  const other = await secondWindow(first, home);
  await ready(other);
  await appOf(first).evaluate(({ BrowserWindow }) => {
    const places = [
      { x: 20, y: 30, width: 900, height: 600 },
      { x: 500, y: 200, width: 720, height: 500 },
    ];
    for (const [index, window] of BrowserWindow.getAllWindows().entries()) window.setBounds(places[index] ?? {});
  });
  await until("the windows' places on disk", () => layoutText(home).includes('"width": 720') && layoutText(home).includes('"width": 900'));
  const before = await boundsOf(first);
  await first.quit();

  const again = await openDeck();
  await until("both windows", () => appOf(again).windows().length === 2);
  expect(await boundsOf(again)).toEqual(before);
  const pages = appOf(again).windows();
  for (const page of pages) await ready(page);
  const shown = await Promise.all(pages.map((page) => page.locator(`[data-session-id="${session}"]`).count()));
  expect(shown.sort()).toEqual([0, 1]);
});

test("one window of two that is closed stays closed", async ({ home, openDeck }) => {
  const first = await openDeck();
  await openFirst(first.page);
  const other = await secondWindow(first, home);
  await openFirst(other);
  await until("both layouts on disk", () => (layoutText(home).match(/"kind": "pane"/g) ?? []).length === 2);
  await other.close();
  await until("one layout on disk", () => (layoutText(home).match(/"kind": "pane"/g) ?? []).length === 1);
  await first.quit();
  const again = await openDeck();
  await ready(again.page);
  await expect(panes(again.page)).toHaveCount(1);
  expect(appOf(again).windows()).toHaveLength(1);
});

test("a window whose page died is loaded again and has its panes", async ({ deck, home }) => {
  const pane = await openFirst(deck.page);
  const session = await sessionOf(pane);
  await type(deck.page, "echo before the crash");
  await shows(home, pane, /^before the crash$/m);
  await until("the layout on disk", () => layoutText(home).includes(session));
  await appOf(deck).evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer());
  const state = () =>
    askPage<string | null>(deck, `document.querySelector('[data-session-id="${session}"]')?.getAttribute("data-state") ?? null`).catch(
      () => null,
    );
  await until("the pane to be live again", async () => (await state()) === "live");
  expect((await home.run(["send", session, "echo after it", "--enter"])).code).toBe(0);
  const parsed = () => askPage<number>(deck, `Number(document.querySelector('[data-session-id="${session}"]').getAttribute("data-seq"))`);
  const screen = await until("the program's answer", async () => {
    const { stdout } = await home.run(["screen", session, "--json"]);
    const read = JSON.parse(stdout);
    return read.lines.includes("after it") ? read : null;
  });
  await until("the page to have parsed it", async () => (await parsed()) >= screen.seq);
});

for (const [theme, ground] of [
  ["dark", "#0C0E12"],
  ["light", "#E9ECF1"],
] as const) {
  test(`a window is ${theme} before its page has drawn`, async ({ home, openDeck }) => {
    writeFileSync(join(home.folder, "settings.json"), JSON.stringify({ version: 1, "appearance.theme": theme }));
    const deck = await openDeck();
    const colours = await appOf(deck).evaluate(({ BrowserWindow, nativeTheme }) => ({
      ground: BrowserWindow.getAllWindows()[0]?.getBackgroundColor(),
      theme: nativeTheme.themeSource,
    }));
    expect(colours).toEqual({ ground, theme });
    await expect(deck.page.locator("html")).toHaveAttribute("data-theme", theme);
  });
}
