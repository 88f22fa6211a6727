/**
 * Keys and the clipboard: what belongs to programs reaches them byte for byte, what is ours does not, and a paste cannot type by itself.
 */
import type { Page } from "playwright";
import { expect, test } from "../support/desk-test.js";
import { hasKeys, leader, openFirst, panes, shows, type } from "./app-page.js";

/** A program that shows each byte it gets: `^A`, `^[[A`, `M-C`; Ctrl+D does not end it. */
const showBytes = "stty raw -echo; printf 'ready\\r\\n'; cat -v";

/** Puts text into the clipboard as the user's own copy would, from within the page. */
async function copyInPage(page: Page, text: string): Promise<void> {
  await page.evaluate((copied) => {
    document.addEventListener(
      "copy",
      (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
        event.clipboardData?.setData("text/plain", copied);
      },
      { capture: true, once: true },
    );
    const field = document.body.appendChild(document.createElement("textarea"));
    const before = document.activeElement;
    field.value = "x";
    field.select();
    document.execCommand("copy");
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }, text);
}

test("programs get every key that has a byte, ours never reach them", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, showBytes);
  await shows(home, pane, /^ready$/m);
  // Not I, J and M: a tab and two line ends, which cat does not spell out.
  const letters = [..."ABCDEFGHKLNOPQRSTUVWXYZ"];
  for (const letter of letters) await page.keyboard.press(`Control+${letter.toLowerCase()}`);
  await page.keyboard.type("|");
  for (const key of ["Escape", "Tab", "Shift+Tab", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"])
    await page.keyboard.press(key);
  await page.keyboard.type("|");
  for (const key of ["ArrowUp", "Control+ArrowLeft", "Control+Shift+ArrowRight", "Alt+ArrowDown", "F1", "F10", "F11", "Shift+F5"])
    await page.keyboard.press(key);
  await page.keyboard.type("|");
  for (const key of ["Alt+d", "Alt+.", "Control+Space", "Control+\\", "Control+]", "Control+Shift+F", "Control+Shift+G"])
    await page.keyboard.press(key);
  await page.keyboard.type("|end");
  const screen = await shows(home, pane, /\|end/);
  const text = screen.lines.join("");
  const [control, editing, moving, other] = text.slice(text.indexOf("^A")).split("|");
  expect(control).toBe(letters.map((letter) => `^${letter}`).join(""));
  expect(editing?.replace(/ +/g, "")).toBe("^[^[[Z^?^[[3~^[[2~^[[H^[[F^[[5~^[[6~");
  expect(moving).toBe("^[[A^[[1;5D^[[1;6C^[[1;3B^[OP^[[21~^[[23~^[[15;2~");
  expect(other).toBe("^[d^[.^@^\\^]");

  await page.keyboard.press("Control+Shift+D");
  await expect(panes(page)).toHaveCount(2);
  await expect.poll(async () => (await shows(home, pane, /\|end/)).lines.join("").split("|end")[1]?.trim()).toBe("");
});

test("the leader's column runs actions, and an apostrophe sends the next key untouched", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, showBytes);
  await shows(home, pane, /^ready$/m);
  await page.keyboard.press("Control+Shift+Space");
  await expect(page.getByRole("status", { name: "Keys after the leader" })).toContainText("Split right");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("status", { name: "Keys after the leader" })).toBeHidden();
  await leader(page, "'");
  await page.keyboard.press("Control+c");
  await page.keyboard.type("|");
  await shows(home, pane, /^\^C\|$/m);
  await leader(page, "%");
  await expect(panes(page)).toHaveCount(2);
  await leader(page, "?");
  await expect(page.getByRole("dialog", { name: "Keys" })).toBeVisible();
});

test("what is selected is copied, and pasted as it was", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, "clear; echo; echo selectable");
  await shows(home, pane, /^selectable$/m);
  const box = await pane.boundingBox();
  if (box === null) throw new Error("the pane is not drawn");
  await page.mouse.dblclick(box.x + 12 + 30, box.y + 32 + 8 + 18 + 9);
  await page.keyboard.press("Control+Shift+C");
  await page.keyboard.type("echo [");
  await page.keyboard.press("Control+Shift+V");
  await type(page, "]");
  await shows(home, pane, /^\[selectable\]$/m);
});

test("a paste is bracketed for a program that asks, and cannot end its bracket", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, `printf '\\033[?2004h'; ${showBytes}`);
  await shows(home, pane, /^ready$/m);
  await copyInPage(page, "a\u001b[201~\nrm -rf /\u0003");
  await page.keyboard.press("Control+Shift+V");
  const screen = await shows(home, pane, /\^\[\[201~/);
  expect(screen.lines.join("\n")).toContain("^[[200~a[201~^Mrm -rf /^[[201~");
});

test("several lines for a program without brackets are shown first", async ({ deck, home }) => {
  const { page } = deck;
  const pane = await openFirst(page);
  await type(page, showBytes);
  await shows(home, pane, /^ready$/m);
  await type(page, "");
  await copyInPage(page, "one\ntwo\u202e\nthree");
  await page.keyboard.press("Control+Shift+V");
  const question = page.getByRole("alertdialog", { name: "Paste 3 lines into bash?" });
  await expect(question.getByRole("button", { name: "Cancel" })).toBeFocused();
  await expect(question).toContainText("U+202E");
  await page.keyboard.press("Escape");
  await hasKeys(pane);
  await page.keyboard.press("Control+Shift+V");
  await question.getByRole("button", { name: "As one line" }).click();
  await shows(home, pane, /one two three/);
  await hasKeys(pane);
  await page.keyboard.press("Control+Shift+V");
  await question.getByRole("button", { name: "Paste", exact: true }).click();
  const screen = await shows(home, pane, /one\^Mtwo\^Mthree/);
  expect(screen.lines.join("").match(/one/g)).toHaveLength(2);
});
