/**
 * 200 MB of output into an open window: neither agent nor main process nor page grow with it, Ctrl+C ends an endless program, and the page
 * can be used afterwards.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "../support/desk-test.js";
import { until } from "../support/wait.js";
import { openFirst, sessionOf, shows, type } from "./app-page.js";

const allowed = 64 * 1024 * 1024;

/** Memory that only this process has, in bytes. */
function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return [...text.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1024, 0);
}

test("a flood grows nobody, ends with Ctrl+C, and leaves a page that works", async ({ deck, home }) => {
  test.setTimeout(150_000);
  const pane = await openFirst(deck.page);
  const session = await sessionOf(pane);
  // Warm: buffers of their full size, programs compiled.
  await type(deck.page, "yes 'the quick brown fox jumps over the lazy dog' | head -c 20000000; echo; echo warm $((1 + 1))");
  await shows(home, pane, /^warm 2$/m);
  const watched: Record<string, number> = {
    agent: home.agents()[0]?.pid ?? 0,
    main: deck.app?.process().pid ?? 0,
    page: (await deck.app?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId())) ?? 0,
  };
  const before = Object.fromEntries(Object.entries(watched).map(([name, pid]) => [name, privateBytes(pid)]));
  const growth: Record<string, number> = { agent: 0, main: 0, page: 0 };
  const measure = () => {
    for (const [name, pid] of Object.entries(watched)) growth[name] = Math.max(growth[name] ?? 0, privateBytes(pid) - (before[name] ?? 0));
  };

  await type(deck.page, "yes 'the quick brown fox jumps over the lazy dog' | head -c 200000000; echo; echo flood $((2 + 2))");
  await until(
    "the end of the flood",
    async () => {
      measure();
      return (await home.run(["screen", session])).stdout.includes("flood 4");
    },
    90_000,
  );
  await shows(home, pane, /^flood 4$/m);
  measure();
  const megabytes = Object.fromEntries(Object.entries(growth).map(([name, bytes]) => [name, Math.round(bytes / 1048576)]));
  test.info().annotations.push({ type: "growth in MiB", description: JSON.stringify(megabytes) });
  for (const [name, bytes] of Object.entries(growth)) expect(bytes, `${name} grew: ${JSON.stringify(megabytes)} MiB`).toBeLessThan(allowed);

  await type(deck.page, "yes endless");
  const begun = Number(await pane.getAttribute("data-seq"));
  await expect.poll(async () => Number(await pane.getAttribute("data-seq"))).toBeGreaterThan(begun + 1_000_000);
  await deck.page.keyboard.press("Control+C");
  await type(deck.page, "clear; echo back $((3 + 3))");
  await shows(home, pane, /^back 6$/m);
  await expect(pane).toHaveAttribute("data-state", "live");

  // The page's own things answer.
  await deck.page.keyboard.press("Control+Shift+P");
  await expect(deck.page.getByRole("dialog", { name: "Command palette" })).toBeVisible();
});
