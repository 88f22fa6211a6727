/**
 * What programs and other users can put in front of the user without getting further: names, titles, commands and output that hold markup
 * or addresses. In both hosts.
 */
import { expect, test } from "../support/desk-test.js";
import { openFirst, ready, shows, type } from "./app-page.js";

const marks = [
  "<img src=x onerror=window.__run=1>",
  "<script>window.__run=1</script>",
  "<svg/onload=window.__run=1>",
  "<iframe srcdoc='<script>parent.__run=1</script>'>",
  "javascript:window.__run=1",
  '"><img src=x onerror=window.__run=1>',
  "'-window.__run-'",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is one of the marks
  "${window.__run=1}",
  "{{constructor.constructor('window.__run=1')()}}",
  "<a href=javascript:window.__run=1>x</a>",
  "<body onload=window.__run=1>",
  "<details open ontoggle=window.__run=1>",
  "<math><mtext></mtext><mglyph><style><img src=x onerror=window.__run=1>",
  "&lt;img src=x onerror=window.__run=1&gt;",
  "<style>@import 'http://127.0.0.1:9/x'</style>",
];

test("markup in names, commands, folders, titles and output stays text", async ({ deck, home }) => {
  const { page } = deck;
  const dialogs: string[] = [];
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  page.on("request", (request) => asked.push(request.url()));
  await ready(page);
  for (const [index, mark] of marks.entries()) {
    const name = mark.slice(0, 60);
    const made = await home.run([
      "new",
      "--name",
      `${index} ${name}`,
      "--",
      "bash",
      "-c",
      `printf '\\033]0;%s\\007%s\\n' "$1" "$1"; sleep 600`,
      "x",
      mark,
    ]);
    expect(made.code, made.stderr).toBe(0);
  }
  const tree = page.getByRole("tree", { name: "Machines and sessions" });
  await expect(tree.getByRole("treeitem", { name: `0 ${marks[0]}`, exact: true })).toBeVisible();
  await expect(tree.getByText(`${marks.length - 1} ${marks.at(-1)?.slice(0, 60)}`, { exact: true })).toBeAttached();
  // Shown in a pane too: header, tab, title, output.
  await tree.getByRole("treeitem", { name: `0 ${marks[0]}`, exact: true }).click();
  const pane = page.getByRole("group", { name: /^Pane: / }).first();
  await expect(pane).toHaveAttribute("data-state", "live");
  await shows(home, pane, /onerror/);
  const found = await page.evaluate(() => ({
    ran: Reflect.has(window, "__run"),
    foreign: [...document.querySelectorAll("img, iframe, script:not([src]), object, embed, [onerror], [onload], a[href^=javascript]")].map(
      (element) => element.outerHTML,
    ),
  }));
  expect(found).toEqual({ ran: false, foreign: [] });
  expect(dialogs).toEqual([]);
  expect(asked.filter((url) => url.includes("127.0.0.1:9"))).toEqual([]);
});

test("a program cannot read the clipboard, resize the window or move the page", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  const address = page.url();
  const size = await page.evaluate(() => [innerWidth, innerHeight]);
  // Clipboard read and write, window manipulation, title report, file transfer, notification.
  await type(
    page,
    "clear; printf '\\033]52;c;?\\007\\033]52;c;aGFja2Vk\\007\\033[8;10;10t\\033[3;0;0t\\033[21t\\033]1337;File=name=eA==:AAAA\\007\\033]9;x\\007'; echo armed; cat",
  );
  await shows(home, pane, /^armed$/m);
  await type(page, "nothing was typed for me");
  const screen = await shows(home, pane, /nothing was typed for me\nnothing was typed for me/);
  expect(screen.lines.join("\n")).not.toMatch(/\]52;|hacked|\]l/);
  expect(page.url()).toBe(address);
  expect(await page.evaluate(() => [innerWidth, innerHeight])).toEqual(size);
});
