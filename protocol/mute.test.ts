import { Terminal } from "@xterm/headless";
import { Terminal as BrowserTerminal } from "@xterm/xterm";
import { expect, test } from "vitest";
import { isFocusReport, mute } from "./mute.js";

const queries = [
  "\x1b[c",
  "\x1b[0c",
  "\x1b[>c",
  "\x1b[=c",
  "\x1b[5n",
  "\x1b[6n",
  "\x1b[?6n",
  "\x1b[?996n",
  "\x1b[4$p",
  "\x1b[?2026$p",
  "\x1b[>q",
  "\x1b[?u",
  "\x1b[14t",
  "\x1b[16t",
  "\x1b[18t",
  "\x1b[21t",
  "\x1bP$qm\x1b\\",
  "\x1bP$qr\x1b\\",
  "\x1bP+q544e\x1b\\",
  "\x1b]4;1;?\x1b\\",
  "\x1b]4;1;#fff;2;?\x07",
  "\x1b]10;?\x07",
  "\x1b]11;?\x1b\\",
  "\x1b]12;?;?\x1b\\",
  "\x1b]52;c;?\x07",
];
const windowOptions = { getWinSizePixels: true, getCellSizePixels: true, getWinSizeChars: true, getWinTitle: true };

test("without muting the emulator answers, with it every query at every cut is silent", async () => {
  const answered = await said(new Terminal({ allowProposedApi: true, logLevel: "off", windowOptions }), queries, false);
  expect(answered.length).toBeGreaterThan(8);
  for (const query of queries) {
    for (let cut = 0; cut < query.length; cut += 1) {
      const terminal = new Terminal({ allowProposedApi: true, logLevel: "off", windowOptions });
      expect(await said(terminal, [query.slice(0, cut), query.slice(cut)], true), JSON.stringify(query)).toEqual([]);
      terminal.dispose();
    }
  }
});

test("the browser's emulator is silent as well", async () => {
  expect(await said(new BrowserTerminal({ allowProposedApi: true, logLevel: "off", windowOptions }), queries, true)).toEqual([]);
});

test("colours that are set and modes go through; muting can be taken back", async () => {
  const terminal = new Terminal({ allowProposedApi: true, logLevel: "off" });
  const muted = mute(terminal.parser);
  await new Promise<void>((resolve) => terminal.write("\x1b]4;1;#fff\x07\x1b[?1h", resolve));
  expect(terminal.modes.applicationCursorKeysMode).toBe(true);
  muted.dispose();
  expect(await said(terminal, ["\x1b[5n"], false)).toEqual(["\x1b[0n"]);
});

test("focus reports are known", () => {
  expect(["\x1b[I", "\x1b[O", "\x1b[A", "I"].map(isFocusReport)).toEqual([true, true, false, false]);
});

function said(terminal: Terminal | BrowserTerminal, writes: string[], muted: boolean): Promise<string[]> {
  const heard: string[] = [];
  terminal.onData((data) => heard.push(data));
  if (muted) mute(terminal.parser);
  for (const bytes of writes) terminal.write(bytes);
  return new Promise((resolve) => terminal.write("", () => resolve(heard)));
}
