/**
 * The app's page as a person finds it: panes by their names, what they show by asking the agent (`muxdeck screen`), and another window.
 * Owns only the finding; specs say what should be there.
 */
import type { Locator, Page } from "playwright";
import { type Deck, expect } from "../support/desk-test.js";
import type { MuxdeckHome } from "../support/muxdeck-home.js";
import { until } from "../support/wait.js";

/** The page has its layout, and every pane that can be seen is past its start. */
export async function ready(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-ready", "true");
}

export function panes(page: Page): Locator {
  return page.getByRole("group", { name: /^Pane: / });
}

/** The pane of a session by its name. */
export function paneOf(page: Page, session: string): Locator {
  return page.getByRole("group", { name: new RegExp(`^Pane: ${session} on `) });
}

export function activePane(page: Page): Locator {
  return page.locator('[role="group"][aria-current="true"]');
}

/** From the start page to a live pane that has the keys. */
export async function openFirst(page: Page): Promise<Locator> {
  await ready(page);
  await page.getByRole("button", { name: "Open a terminal" }).press("Enter");
  const pane = activePane(page);
  await expect(pane).toHaveAttribute("data-state", "live");
  await hasKeys(pane);
  // The shell has printed its prompt: what is typed before is echoed twice, by the terminal and by the shell.
  await expect.poll(async () => Number(await pane.getAttribute("data-seq"))).toBeGreaterThan(0);
  // By its session: the active pane will be another one.
  return page.locator(`[data-session-id="${await sessionOf(pane)}"]`);
}

/** The pane is live, and keys go to its program: its ring says so, and its input has the focus. */
export async function hasKeys(pane: Locator): Promise<void> {
  await expect(pane).toHaveAttribute("data-state", "live");
  await expect(pane).not.toHaveAttribute("data-cols", "");
  await expect(pane).toHaveAttribute("data-ring", "program");
  await expect(pane.getByRole("textbox", { name: "Terminal input" })).toBeFocused();
}

export async function sessionOf(pane: Locator): Promise<string> {
  const id = await pane.getAttribute("data-session-id");
  if (id === null) throw new Error("a pane without a session");
  return id;
}

interface Screen {
  lines: string[];
  seq: number;
  cols: number;
  rows: number;
}

export async function screenOf(home: MuxdeckHome, session: string): Promise<Screen> {
  const { code, stdout, stderr } = await home.run(["screen", session, "--json"]);
  if (code !== 0) throw new Error(`no screen of ${session}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Waits until the agent's screen of a pane's session matches, and the pane has parsed as much. */
export async function shows(home: MuxdeckHome, pane: Locator, pattern: RegExp): Promise<Screen> {
  const session = await sessionOf(pane);
  const screen = await until(`${pattern} on the screen`, async () => {
    const now = await screenOf(home, session);
    return pattern.test(now.lines.join("\n")) ? now : null;
  });
  await expect.poll(async () => Number(await pane.getAttribute("data-seq"))).toBeGreaterThanOrEqual(screen.seq);
  return screen;
}

/** Types into the pane that has the keys. */
export async function type(page: Page, text: string): Promise<void> {
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
}

/** The leader key, then one of its column. */
export async function leader(page: Page, key: string): Promise<void> {
  await page.keyboard.press("Control+Shift+Space");
  await page.keyboard.press(key);
}

export async function pressMenu(page: Page, pane: Locator, item: string): Promise<void> {
  await pane.getByRole("button", { name: "Pane menu" }).click();
  await page.getByRole("menu", { name: "Pane menu" }).getByRole("menuitem", { name: item, exact: true }).click();
}

interface Listed {
  sessionId: string;
  name: string;
  state: "running" | "ended";
  attached: { name: string; role: string }[];
}

export async function sessions(home: MuxdeckHome): Promise<Listed[]> {
  return JSON.parse((await home.run(["ls", "--json"])).stdout);
}

/** One more window of the same desk. */
export async function secondWindow(deck: Deck, home: MuxdeckHome): Promise<Page> {
  if (deck.app !== null) {
    const [page] = await Promise.all([deck.app.waitForEvent("window"), leader(deck.page, "Shift+N")]);
    await ready(page);
    return page;
  }
  const { stdout } = await home.run(["serve", "--url"]);
  const browser = deck.page.context().browser();
  if (browser === null) throw new Error("a page without a browser");
  const page = await browser.newPage({ viewport: { width: 1000, height: 640 } });
  await page.goto(stdout.trim());
  await ready(page);
  return page;
}
