/**
 * Sessions outlive every client: the app is killed with everything that belongs to it but the agent, and comes back with the same sessions
 * in the same places, read from the page itself.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator } from "playwright";
import { expect, test } from "../support/desk-test.js";
import type { HomeProcess, MuxdeckHome } from "../support/muxdeck-home.js";
import { until } from "../support/wait.js";
import { openFirst, panes, ready, sessionOf, sessions, shows, type } from "./app-page.js";

/** Before the start: every pane that can be seen carries its screen as text. */
function withReadableTerminals(home: MuxdeckHome): void {
  writeFileSync(join(home.folder, "settings.json"), JSON.stringify({ version: 1, "accessibility.screenReader": "on" }));
}

async function textOf(pane: Locator): Promise<string> {
  const lines = await pane.getByRole("listitem").allInnerTexts();
  return lines.map((line) => line.replace(/\u00a0/g, " ").trimEnd()).join("\n");
}

/** Everything of a home but its agents and what they started. */
function allButAgents(home: MuxdeckHome): HomeProcess[] {
  const all = home.processes();
  const agents = new Set(home.agents().map((entry) => entry.pid));
  const parents = new Map(all.map((entry) => [entry.pid, entry.parent]));
  const belongsToAgent = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined; at = parents.get(at)) if (agents.has(at)) return true;
    return false;
  };
  return all.filter((entry) => !belongsToAgent(entry.pid));
}

function killAllButAgents(home: MuxdeckHome): void {
  for (const { pid } of allButAgents(home)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It went with its parent.
    }
  }
}

function layoutHolds(home: MuxdeckHome, ids: string[]): boolean {
  try {
    const text = readFileSync(join(home.folder, "layouts.json"), "utf8");
    return ids.every((id) => text.includes(id));
  } catch {
    return false;
  }
}

const idsOf = (found: Locator) => found.evaluateAll((all) => all.map((pane) => pane.getAttribute("data-session-id") ?? ""));

test("a killed app comes back with its sessions, in their places, with what they printed meanwhile", async ({ home, openDeck }) => {
  withReadableTerminals(home);
  const first = await openDeck();
  const pane = await openFirst(first.page);
  const session = await sessionOf(pane);
  await type(first.page, "echo pid $$; read -r line; echo heard $line");
  const { lines } = await shows(home, pane, /^pid \d+$/m);
  const pid = Number(/^pid (\d+)$/m.exec(lines.join("\n"))?.[1]);
  // A second pane beside it, so that there is a place to come back to.
  await first.page.keyboard.press("Control+Shift+D");
  await expect(panes(first.page)).toHaveCount(2);
  await expect(panes(first.page).nth(1)).toHaveAttribute("data-state", "live");
  const places = await idsOf(panes(first.page));
  const box = await pane.boundingBox();
  await until("the layout on disk", () => layoutHolds(home, places));
  const agents = home.agents().map((entry) => entry.pid);
  expect(agents).toHaveLength(1);

  killAllButAgents(home);
  await until("the app to be gone", () => allButAgents(home).length === 0);
  expect(home.processes().map((entry) => entry.pid)).toContain(pid);
  expect(home.agents().map((entry) => entry.pid)).toEqual(agents);
  await until("nobody to be attached", async () => (await sessions(home)).every((entry) => entry.attached.length === 0));
  expect((await sessions(home)).map((entry) => [entry.sessionId, entry.state]).sort()).toEqual(places.map((id) => [id, "running"]).sort());
  expect((await home.run(["send", session, "while nobody watched", "--enter"])).code).toBe(0);
  await until("the program's answer", async () => (await home.run(["screen", session])).stdout.includes("heard while nobody watched"));
  await first.quit();

  const again = await openDeck();
  await ready(again.page);
  const back = again.page.locator(`[data-session-id="${session}"]`);
  await expect(panes(again.page)).toHaveCount(2);
  expect(await idsOf(panes(again.page))).toEqual(places);
  await expect(back).toHaveAttribute("data-state", "live");
  await expect.poll(() => textOf(back)).toContain("heard while nobody watched");
  expect(await back.boundingBox()).toEqual(box);
  await back.getByRole("textbox", { name: "Terminal input" }).focus();
  await type(again.page, "clear; echo still $$");
  await expect.poll(() => textOf(back)).toContain(`still ${pid}`);
  expect(home.agents().map((entry) => entry.pid)).toEqual(agents);
});

test("an app that is closed comes back the same, and says nothing about it", async ({ home, openDeck }) => {
  withReadableTerminals(home);
  const first = await openDeck();
  const pane = await openFirst(first.page);
  const session = await sessionOf(pane);
  await type(first.page, "echo sum $((40 + 2))");
  await shows(home, pane, /^sum 42$/m);
  // At once: what is not written yet is written at the end.
  await first.quit();
  const again = await openDeck();
  await ready(again.page);
  await expect.poll(() => textOf(again.page.locator(`[data-session-id="${session}"]`))).toContain("sum 42");
  await expect(again.page.getByRole("list", { name: "Notifications" }).getByRole("listitem")).toHaveCount(0);
});
