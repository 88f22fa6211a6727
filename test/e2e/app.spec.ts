/**
 * The app as a person uses it, by roles and names: first start to a prompt, splits, tabs, programs that take the whole screen, closing and
 * coming back. Runs in the browser host and in Electron.
 */
import { expect, test } from "../support/desk-test.js";
import {
  activePane,
  hasKeys,
  leader,
  openFirst,
  paneOf,
  panes,
  pressMenu,
  ready,
  screenOf,
  sessionOf,
  sessions,
  shows,
  type,
} from "./app-page.js";

test("first start: Enter gives a prompt, and what is typed runs", async ({ deck, home }) => {
  const { page } = deck;
  await ready(page);
  await expect(page.getByRole("heading", { name: "Open your first terminal" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Open a terminal" })).toBeFocused();
  await page.keyboard.press("Enter");
  const pane = activePane(page);
  await expect(pane).toHaveAttribute("data-state", "live");
  await hasKeys(pane);
  await expect(pane).toHaveAttribute("data-role", "operator");
  await expect(pane).toHaveAttribute("data-driver", "true");
  await type(page, "echo $((6*7)) größe 漢字");
  await shows(home, pane, /^42 größe 漢字$/m);
  await expect(page.getByRole("status", { name: "Links" })).toHaveText("This machine is live");
  await expect(pane).not.toHaveAttribute("data-verified", "");
});

test("the agent's size is the pane's, and a program is told of a new one once", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  const cols = Number(await pane.getAttribute("data-cols"));
  const screen = await screenOf(home, await sessionOf(pane));
  expect(screen.cols).toBe(cols);
  await type(page, "trap 'echo told $((++n)) $COLUMNS' WINCH; echo set");
  await shows(home, pane, /^set$/m);
  await page.keyboard.press("Control+Shift+B");
  await expect(pane).not.toHaveAttribute("data-cols", String(cols));
  const wider = Number(await pane.getAttribute("data-cols"));
  expect(wider).toBeGreaterThan(cols);
  await page.keyboard.press("Enter");
  const after = await shows(home, pane, new RegExp(`told 1 ${wider}`));
  expect(after.lines.join("\n")).not.toContain("told 2");
});

test("splits: two directions, focus by key, bars by key, closing detaches and Undo brings back", async ({ deck, home }) => {
  const { page } = deck;
  const first = await openFirst(page);
  await type(page, "cd /usr/share");
  await page.keyboard.press("Control+Shift+D");
  await expect(panes(page)).toHaveCount(2);
  await expect(paneOf(page, "bash 2")).toHaveAttribute("data-state", "live");
  await hasKeys(paneOf(page, "bash 2"));
  await page.keyboard.press("Control+Shift+S");
  await expect(panes(page)).toHaveCount(3);
  await hasKeys(paneOf(page, "bash 3"));
  await type(page, "echo third");
  await shows(home, paneOf(page, "bash 3"), /^third$/m);
  await page.keyboard.press("Control+Shift+H");
  await hasKeys(paneOf(page, "bash"));
  await page.keyboard.press("Control+Shift+L");
  await page.keyboard.press("Control+Shift+K");
  await hasKeys(paneOf(page, "bash 2"));

  const bars = page.getByRole("separator", { name: "Resize panes" });
  await expect(bars).toHaveCount(2);
  const before = Number(await first.getAttribute("data-cols"));
  await bars.first().focus();
  await expect(bars.first()).toHaveAttribute("aria-orientation", "vertical");
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(async () => Number(await first.getAttribute("data-cols"))).toBeGreaterThan(before);
  await page.keyboard.press("Enter");
  await hasKeys(paneOf(page, "bash 2"));

  await page.keyboard.press("Control+Shift+W");
  await expect(panes(page)).toHaveCount(2);
  expect((await sessions(home)).map((entry) => entry.state)).toEqual(["running", "running", "running"]);
  await page.getByRole("list", { name: "Notifications" }).getByRole("button", { name: "Undo" }).click();
  await expect(panes(page)).toHaveCount(3);
  await expect(paneOf(page, "bash 2")).toHaveAttribute("data-state", "live");
  await hasKeys(paneOf(page, "bash 2"));
  await type(page, "echo back again");
  await shows(home, paneOf(page, "bash 2"), /^back again$/m);
});

test("dragging a bar moves the room between two panes", async ({ deck }) => {
  const { page } = deck;
  const first = await openFirst(page);
  await page.keyboard.press("Control+Shift+D");
  await hasKeys(paneOf(page, "bash 2"));
  const before = Number(await first.getAttribute("data-cols"));
  const box = await page.getByRole("separator", { name: "Resize panes" }).boundingBox();
  if (box === null) throw new Error("the bar is not drawn");
  await page.mouse.move(box.x + 2, box.y + 200);
  await page.mouse.down();
  await page.mouse.move(box.x - 158, box.y + 200, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => Number(await first.getAttribute("data-cols"))).toBeLessThan(before);
});

test("a zoomed pane fills the tab and comes back", async ({ deck }) => {
  const { page } = deck;
  await openFirst(page);
  await page.keyboard.press("Control+Shift+D");
  const second = paneOf(page, "bash 2");
  await hasKeys(second);
  const half = Number(await second.getAttribute("data-cols"));
  await page.keyboard.press("Control+Shift+Enter");
  await expect(panes(page)).toHaveCount(1);
  await expect(second.getByRole("button", { name: "Zoom pane" })).toHaveAttribute("aria-pressed", "true");
  await expect.poll(async () => Number(await second.getAttribute("data-cols"))).toBeGreaterThan(half);
  await page.keyboard.press("Control+Shift+Enter");
  await expect(panes(page)).toHaveCount(2);
  await expect.poll(async () => Number(await second.getAttribute("data-cols"))).toBe(half);
});

test("tabs: new, switched by key, renamed, closed and brought back", async ({ deck, home }) => {
  const { page } = deck;
  await openFirst(page);
  await page.keyboard.press("Control+Shift+T");
  const tabs = page.getByRole("tablist", { name: "Tabs" }).getByRole("tab");
  await expect(tabs).toHaveCount(2);
  await hasKeys(paneOf(page, "bash 2"));
  await expect(page.getByRole("tab", { name: "bash 2" })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Control+Shift+PageUp");
  await hasKeys(paneOf(page, "bash"));
  await leader(page, ",");
  const dialog = page.getByRole("dialog", { name: "Rename bash" });
  await dialog.getByRole("textbox", { name: "Name" }).fill("work");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("tab", { name: "work" })).toBeVisible();
  await hasKeys(paneOf(page, "bash"));
  await page.getByRole("tab", { name: "work" }).focus();
  await page.keyboard.press("Delete");
  await expect(tabs).toHaveCount(1);
  await hasKeys(paneOf(page, "bash 2"));
  expect((await sessions(home)).every((entry) => entry.state === "running")).toBe(true);
  await page.keyboard.press("Control+Shift+Z");
  await expect(page.getByRole("tab", { name: "work" })).toHaveAttribute("aria-selected", "true");
  await hasKeys(paneOf(page, "bash"));
  await page.keyboard.press("Control+Shift+PageDown");
  await hasKeys(paneOf(page, "bash 2"));
});

test("programs that take the whole screen: vim writes a file, less goes to the end, htop leaves by F10", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, `cd ${home.folder}; vim -u NONE -N note.txt; echo vim is over`);
  await shows(home, pane, /note\.txt/);
  await page.keyboard.type("ihello from vim");
  await page.keyboard.press("Escape");
  // Until vim has taken it: an Escape with a colon right behind it would be Alt and a colon.
  await shows(home, pane, /^(?![\s\S]*-- INSERT --)hello from vim/);
  await type(page, ":wq");
  await shows(home, pane, /^vim is over$/m);
  await type(page, "cat note.txt; seq 5000 > many.txt; less many.txt; echo less is over");
  await shows(home, pane, /^many\.txt/m);
  await page.keyboard.press("Shift+G");
  await shows(home, pane, /^5000\s*$/m);
  await page.keyboard.press("q");
  await shows(home, pane, /^hello from vim\nless is over$/m);
  await type(page, "htop; echo htop is over");
  await shows(home, pane, /F10\s*Quit/);
  await page.keyboard.press("F10");
  await shows(home, pane, /^htop is over$/m);
});

test("ending asks, keeps the text, and Enter starts again", async ({ deck, home }) => {
  const { page } = deck;
  await openFirst(page);
  const pane = activePane(page);
  await type(page, "echo keep me");
  await shows(home, pane, /^keep me$/m);
  await pressMenu(page, pane, "End session…");
  const question = page.getByRole("alertdialog", { name: "End session bash?" });
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(question).toBeHidden();
  await hasKeys(pane);
  await pressMenu(page, pane, "End session…");
  await question.getByRole("button", { name: "End session", exact: true }).click();
  await expect(pane).toHaveAttribute("data-state", "ended");
  await expect(pane).toHaveAttribute("data-exit", /^(signal:SIGHUP|code:\d+)$/);
  await expect(pane.getByRole("status").filter({ hasText: "Session ended" })).toBeVisible();
  await expect(pane.getByRole("switch", { name: "Operator" })).toHaveAttribute("aria-disabled", "true");
  const gone = await sessionOf(pane);
  await page.keyboard.press("Enter");
  await expect(pane).toHaveAttribute("data-state", "live");
  expect(await sessionOf(pane)).not.toBe(gone);
  await hasKeys(pane);
  await type(page, "exit 3");
  await expect(pane).toHaveAttribute("data-exit", "code:3");
  await expect(pane.getByRole("note")).toHaveText("exit 3");
});

test("a pane attaches from the tree, from the dialog, and goes to where it is shown already", async ({ deck, home }) => {
  const { page } = deck;
  const started = await home.run(["new", "--name", "deploy", "--json", "--", "bash", "-c", "echo deploying; exec cat"]);
  const deploy: { sessionId: string } = JSON.parse(started.stdout);
  await ready(page);
  await expect(page.getByRole("button", { name: "Attach to deploy" })).toBeVisible();
  await page.getByRole("treeitem", { name: "deploy" }).click();
  const pane = paneOf(page, "deploy");
  await expect(pane).toHaveAttribute("data-session-id", deploy.sessionId);
  await expect(pane).toHaveAttribute("data-state", "live");
  await shows(home, pane, /^deploying$/m);
  await page.keyboard.press("Control+Shift+T");
  await hasKeys(paneOf(page, "bash"));
  await page.keyboard.press("Control+Shift+A");
  const dialog = page.getByRole("dialog", { name: "Attach to a session" });
  await expect(dialog.getByRole("combobox", { name: "Session" })).toBeFocused();
  await page.keyboard.type("depl");
  await expect(dialog.getByRole("option")).toHaveCount(1);
  await page.keyboard.press("Enter");
  await hasKeys(pane);
  await expect(page.getByRole("tab")).toHaveCount(2);
  await type(page, "through the dialog");
  await shows(home, pane, /through the dialog\nthrough the dialog/);
});

test("a rename is seen in tree, tab, pane and title", async ({ deck }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await leader(page, "$");
  const dialog = page.getByRole("dialog", { name: "Rename bash" });
  await dialog.getByRole("textbox", { name: "Name" }).fill("ledger");
  await dialog.getByRole("button", { name: "Rename session" }).click();
  await expect(paneOf(page, "ledger")).toHaveAttribute("data-state", "live");
  await expect(page.getByRole("tab", { name: "ledger" })).toBeVisible();
  await expect(page.getByRole("treeitem", { name: "ledger" })).toBeVisible();
  await expect(page).toHaveTitle(/^ledger on .+ — Muxdeck$/);
  await hasKeys(pane);
});

test("a signal reaches the program in the foreground", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, "bash -c 'trap \"echo got it; exit\" USR1; echo waiting; while :; do sleep 0.1; done'");
  await shows(home, pane, /^waiting$/m);
  await pressMenu(page, pane, "Send signal…");
  const dialog = page.getByRole("dialog", { name: "Send a signal to bash" });
  await dialog.getByRole("radio", { name: "SIGUSR1" }).check();
  await dialog.getByRole("button", { name: "Send signal" }).click();
  await shows(home, pane, /^got it$/m);
});

test("the text of a pane is in the page for assistive technology when asked for", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, "printf 'one\\ntwo\\n'");
  await shows(home, pane, /^two$/m);
  await leader(page, "Shift+S");
  await expect(pane.getByRole("listitem").filter({ hasText: /^two/ })).toHaveCount(1);
});
