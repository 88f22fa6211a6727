/**
 * The page in the browser host: its tokens, its policy, and its own link to the host, which may break while sessions run on.
 */
import { expect, test } from "../support/desk-test.js";
import { inTime, until } from "../support/wait.js";
import { hasKeys, leader, openFirst, paneOf, pressMenu, ready, shows, type } from "./app-page.js";

test("nothing is against the policy, nothing is logged as an error, and the token leaves the address", async ({ deck, home }) => {
  const { page } = deck;
  await ready(page);
  expect(new URL(page.url()).hash).toBe("");
  const said: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  });
  await page.reload();
  const pane = await openFirst(page);
  await type(page, "printf '\\033[31mred\\033[0m \\033[1;3;4mall\\033[0m \\033]2;title\\007\\n'");
  await shows(home, pane, /^red all/m);
  await page.keyboard.press("Control+Shift+D");
  await hasKeys(paneOf(page, "bash 2"));
  for (const key of ["$", "?", ",", "a"]) {
    await leader(page, key);
    await expect(page.getByRole("dialog")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
  }
  await pressMenu(page, paneOf(page, "bash 2"), "Close pane");
  await hasKeys(pane);
  expect(said).toEqual([]);
});

test("the theme is chosen, reaches the terminal, and stays after a reload", async ({ deck }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  const choose = async (name: string) => {
    await page.getByRole("button", { name: "Settings" }).click();
    await page.getByRole("menuitemradio", { name }).click();
  };
  const background = () => pane.locator(".xterm-scrollable-element").evaluate((element) => getComputedStyle(element).backgroundColor);
  await choose("Dark theme");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect.poll(background).toBe("rgb(18, 21, 27)");
  await choose("Light theme");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await expect.poll(background).toBe("rgb(252, 252, 253)");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.reload();
  await ready(page);
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
  await choose("Theme of the system");
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
});

test("an address that was used already opens nothing", async ({ deck, home }) => {
  const browser = deck.page.context().browser();
  if (browser === null) throw new Error("a page without a browser");
  await ready(deck.page);
  const { stdout } = await home.run(["serve", "--url"]);
  const first = await browser.newPage();
  await first.goto(stdout.trim());
  await ready(first);
  const second = await browser.newPage();
  await second.goto(stdout.trim());
  await expect(second.getByRole("heading", { name: "Muxdeck did not open" })).toBeVisible();
  await expect(second.getByRole("main")).toContainText("was used already");
});

test("a host that dies is said once, and the panes come back with the next one", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, "echo before; cat");
  await shows(home, pane, /^before$/m);
  const { port } = new URL(page.url());
  const host = home.processes().find((entry) => entry.command.some((word) => word.endsWith("web.cjs")));
  if (host === undefined) throw new Error("no host runs");
  process.kill(host.pid, "SIGKILL");
  await expect(page.getByRole("alert").filter({ hasText: "This window lost Muxdeck" })).toBeVisible();
  await page.keyboard.type("goes nowhere");
  await until("the host to be gone", () => home.processes().every((entry) => entry.pid !== host.pid));
  const next = home.start(["serve", "--no-open", "--port", port]);
  const printed = new Promise<void>((resolve) => next.stdout?.once("data", () => resolve()));
  await inTime("the next host", printed);
  const { stdout } = await home.run(["serve", "--url"]);
  // Whether the old tab is known to the new host or not: a new address opens the same window.
  await page.goto(stdout.trim());
  await expect.poll(() => new URL(page.url()).hash).toBe("");
  await ready(page);
  await expect(pane).toHaveAttribute("data-state", "live");
  await hasKeys(pane);
  await type(page, "after");
  const screen = await shows(home, pane, /after\nafter/);
  expect(screen.lines.join("\n")).not.toContain("nowhere");
});
