/**
 * More than one window, and windows that come back: two panes on one session, who may type and whose size it is, reload, and a restart of
 * everything but the agent.
 */
import { expect, test } from "../support/desk-test.js";
import { until } from "../support/wait.js";
import {
  activePane,
  hasKeys,
  openFirst,
  paneOf,
  panes,
  pressMenu,
  ready,
  screenOf,
  secondWindow,
  sessionOf,
  sessions,
  shows,
  type,
} from "./app-page.js";

test("two windows on one session: both type, an observer sends nothing", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  const session = await sessionOf(pane);
  await type(page, "cat");
  const other = await secondWindow(deck, home);
  await other.getByRole("button", { name: "Attach to bash" }).click();
  const second = paneOf(other, "bash");
  await expect(second).toHaveAttribute("data-state", "live");
  await expect(second).toHaveAttribute("data-driver", "false");
  await hasKeys(second);
  await type(other, "from the second");
  await shows(home, pane, /from the second\nfrom the second/);
  await expect.poll(async () => (await sessions(home)).find((entry) => entry.sessionId === session)?.attached.length).toBe(2);

  await other.keyboard.press("Control+Shift+O");
  await expect(second).toHaveAttribute("data-role", "observer");
  await expect(second.getByRole("switch", { name: "Operator" })).toHaveAttribute("aria-checked", "false");
  await expect(second).toHaveAttribute("data-ring", "nowhere");
  await expect(second.getByRole("textbox", { name: "Terminal input" })).toHaveAttribute("aria-readonly", "true");
  await until("the agent to know of the observer", async () =>
    (await sessions(home)).find((entry) => entry.sessionId === session)?.attached.some((client) => client.role === "observer"),
  );
  const before = (await screenOf(home, session)).seq;
  await type(other, "never");
  await other.keyboard.press("Control+C");
  await other.keyboard.press("ArrowUp");
  await second.click({ position: { x: 120, y: 120 } });
  await expect(second.getByRole("status").filter({ hasText: "You are watching." })).toBeVisible();
  // What the first window types after it comes back through the pty: nothing of the second one may stand before it.
  await type(page, "after");
  const screen = await shows(home, pane, /after\nafter/);
  expect(screen.lines.join("\n")).not.toContain("never");
  expect(screen.seq - before).toBe("after\r\nafter\r\n".length);

  await second.getByRole("button", { name: "Switch to Operate" }).click();
  await expect(second).toHaveAttribute("data-role", "operator");
  await hasKeys(second);
  await type(other, "again");
  await shows(home, pane, /again\nagain/);
});

test("the size is one pane's; the other fits, takes it, and the program follows", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  const other = await secondWindow(deck, home);
  await other.setViewportSize({ width: 900, height: 560 });
  await other.getByRole("button", { name: "Attach to bash" }).click();
  const second = paneOf(other, "bash");
  await expect(second).toHaveAttribute("data-state", "live");
  const cols = await pane.getAttribute("data-cols");
  await expect(second).toHaveAttribute("data-cols", cols ?? "");
  await expect(second.getByRole("radio", { name: "Fit" })).toHaveAttribute("aria-checked", "true");
  await pressMenu(other, second, "Take size");
  await expect(second).toHaveAttribute("data-driver", "true");
  await expect(pane).toHaveAttribute("data-driver", "false");
  await expect(second).not.toHaveAttribute("data-cols", cols ?? "");
  const taken = await second.getAttribute("data-cols");
  await expect(pane).toHaveAttribute("data-cols", taken ?? "");
  expect(String((await screenOf(home, await sessionOf(pane))).cols)).toBe(taken);
  // Both emulators went through the same sizes at the same bytes: the agent says that they show the same.
  await expect(second).not.toHaveAttribute("data-verified", "");
  await expect(pane).not.toHaveAttribute("data-verified", "");
});

test("a reload finds the same tabs and panes, with their screens", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, "echo before the reload");
  await shows(home, pane, /^before the reload$/m);
  await page.keyboard.press("Control+Shift+D");
  await hasKeys(paneOf(page, "bash 2"));
  await page.keyboard.press("Control+Shift+T");
  await hasKeys(paneOf(page, "bash 3"));
  await page.keyboard.press("Control+Shift+PageUp");
  await hasKeys(paneOf(page, "bash 2"));
  const ids = (await sessions(home)).map((entry) => entry.sessionId);
  await page.reload();
  await ready(page);
  await expect(page.getByRole("tab")).toHaveCount(2);
  await expect(panes(page)).toHaveCount(2);
  await hasKeys(paneOf(page, "bash 2"));
  await shows(home, pane, /^before the reload$/m);
  await expect(pane).not.toHaveAttribute("data-verified", "");
  expect((await sessions(home)).map((entry) => entry.sessionId)).toEqual(ids);
});

test("a restart of everything but the agent finds the panes again, still running", async ({ openDeck, home }) => {
  const first = await openDeck();
  const pane = await openFirst(first.page);
  await type(first.page, "n=0; while :; do echo tick $((++n)); sleep 0.2; done");
  await shows(home, pane, /tick \d/);
  const session = await sessionOf(pane);
  await first.page.keyboard.press("Control+Shift+S");
  await hasKeys(paneOf(first.page, "bash 2"));
  const agents = home.agents().map((entry) => entry.pid);
  await first.quit();
  expect(home.agents().map((entry) => entry.pid)).toEqual(agents);

  const second = await openDeck();
  await ready(second.page);
  await expect(panes(second.page)).toHaveCount(2);
  const back = paneOf(second.page, "bash");
  await expect(back).toHaveAttribute("data-session-id", session);
  await expect(back).toHaveAttribute("data-state", "live");
  await hasKeys(paneOf(second.page, "bash 2"));
  const before = Number(await back.getAttribute("data-seq"));
  await expect.poll(async () => Number(await back.getAttribute("data-seq"))).toBeGreaterThan(before);
  await second.page.keyboard.press("Control+Shift+K");
  await hasKeys(back);
  await second.page.keyboard.press("Control+C");
  await type(second.page, "echo stopped at $n");
  await shows(home, back, /^stopped at \d+$/m);
});

test("what is typed while the agent does not answer waits as a draft and is sent only when told to", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, "cat");
  const [agent] = home.agents();
  if (agent === undefined) throw new Error("no agent runs");
  process.kill(agent.pid, "SIGSTOP");
  try {
    await expect(pane).toHaveAttribute("data-state", /stale|reconnecting/, { timeout: 20_000 });
    await expect(pane).toHaveAttribute("data-ring", "draft");
    await page.keyboard.type("typed in vainX");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Control+C");
    const draft = pane.getByRole("region", { name: "Unsent draft" });
    await expect(draft.getByRole("textbox", { name: "Unsent draft" })).toHaveValue("typed in vain");
    await expect(draft.getByRole("button", { name: "Send draft" })).toBeDisabled();
  } finally {
    process.kill(agent.pid, "SIGCONT");
  }
  await expect(pane).toHaveAttribute("data-state", "live", { timeout: 20_000 });
  const draft = pane.getByRole("region", { name: "Unsent draft" });
  await expect(draft.getByRole("button", { name: "Send draft" })).toBeEnabled();
  expect((await screenOf(home, await sessionOf(pane))).lines.join("\n")).not.toContain("vain");
  await draft.getByRole("textbox", { name: "Unsent draft" }).fill("sent on purpose\n");
  await draft.getByRole("button", { name: "Send draft" }).click();
  await expect(draft).toBeHidden();
  await shows(home, pane, /sent on purpose\nsent on purpose/);
});

test("one session in two panes of a window: the second is named so, both show the same", async ({ deck, home }) => {
  const { page } = deck;
  const pane = (await openFirst(page)).first();
  const session = await sessionOf(pane);
  await type(page, "echo mine");
  await shows(home, pane, /^mine$/m);
  await pressMenu(page, pane, "Open in a second pane");
  await expect(panes(page)).toHaveCount(2);
  await expect(page.getByRole("group", { name: /^Pane: bash on .+, pane 2$/ })).toHaveAttribute("data-session-id", session);
  await hasKeys(activePane(page));
  await type(page, "echo both see it");
  await shows(home, pane, /^both see it$/m);
});
