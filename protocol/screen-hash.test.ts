import { Terminal } from "@xterm/headless";
import { Terminal as BrowserTerminal } from "@xterm/xterm";
import { expect, test } from "vitest";
import { coreOf } from "../agent/emulator.js";
import { terminalStates } from "../test/support/terminal-states.js";
import { screenHash } from "./screen-hash.js";

const options = { cols: 20, rows: 6, allowProposedApi: true, logLevel: "off" } as const;

function hashOf(bytes: string, size: { cols: number; rows: number } = options): string {
  const terminal = new Terminal({ ...options, ...size });
  coreOf(terminal).writeSync(bytes);
  return screenHash(terminal);
}

test("16 hex digits that stay the same from release to release", () => {
  expect(hashOf("")).toBe("1cfe0f0e815fc85a");
  expect(hashOf("hello \x1b[1;31mworld\x1b[m 漢é")).toBe("118b34d97fdddcc3");
});

test("the same in the browser's xterm", async () => {
  for (const [name, bytes] of Object.entries(terminalStates)) {
    const browser = new BrowserTerminal(options);
    await new Promise<void>((resolve) => browser.write(bytes, resolve));
    expect(screenHash(browser), name).toBe(hashOf(bytes));
    browser.dispose();
  }
});

test("everything that can be seen makes another hash", () => {
  const base = "a\r\nb";
  const changes = [
    "",
    " x",
    "\b",
    "\x1b[A",
    "\x1b[?1h",
    "\x1b=",
    "\x1b[?2004h",
    "\x1b[4h",
    "\x1b[?1000h",
    "\x1b[?1003h",
    "\x1b[?6h",
    "\x1b[?45h",
    "\x1b[?1004h",
    "\x1b[?7l",
    "\x1b[?47h",
    ...[1, 2, 3, 4, 5, 7, 8, 9, 53, 31, 91, 41, 101].map((n) => `\x1b[${n}m.`),
    "\x1b[38;5;1m.",
    "\x1b[38;5;9m.",
    "\x1b[38;2;1;0;0m.",
    "\x1b[48;5;1m.",
    "\x1b[41m\x1b[X",
    "漢",
    "é",
    "e\u0301",
  ];
  const hashes = changes.map((change) => hashOf(base + change));
  hashes.push(hashOf(base, { cols: 21, rows: 6 }), hashOf(base, { cols: 20, rows: 7 }));
  expect(new Set(hashes).size).toBe(hashes.length);
});

test("what cannot be seen makes none", () => {
  const base = hashOf("a\x1b[2;1H");
  // A space for an empty cell, an attribute that was set and taken back, protection, a title, the scrollback.
  for (const same of ["a    \x1b[2;1H", "\x1b[31m\x1b[39ma\x1b[2;1H", '\x1b[1"qa\x1b[0"q\x1b[2;1H', "a\x1b]0;title\x07\x1b[2;1H"]) {
    expect(hashOf(same)).toBe(base);
  }
  expect(hashOf("scrolled\r\n\n\n\n\n\n\x1b[Ha\x1b[2;1H")).toBe(base);
});

test("looking at the scrollback does not change it", () => {
  const terminal = new Terminal(options);
  coreOf(terminal).writeSync("1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7\r\n8\r\n9");
  const before = screenHash(terminal);
  terminal.scrollLines(-2);
  expect(screenHash(terminal)).toBe(before);
});
