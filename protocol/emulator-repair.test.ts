import { Terminal } from "@xterm/headless";
import { Terminal as BrowserTerminal } from "@xterm/xterm";
import { describe, expect, test } from "vitest";
import { coreOf } from "../agent/emulator.js";
import { repair } from "./emulator-repair.js";

const options = { cols: 10, rows: 4, allowProposedApi: true, logLevel: "off" } as const;

function rows(terminal: Terminal): string[] {
  return [0, 1, 2, 3].map((y) => terminal.buffer.active.getLine(y)?.translateToString(true) ?? "");
}

describe.each(["\x1b[1J", "\x1b[?1J"])("%j", (erase) => {
  test("throws in the bottom right corner without the repair", () => {
    const terminal = new Terminal(options);
    expect(() => coreOf(terminal).writeSync(`\x1b[4;10H${erase}`)).toThrow("isWrapped");
  });

  test("erases everything there with it, and leaves the cursor", () => {
    const terminal = new Terminal(options);
    repair(terminal);
    coreOf(terminal).writeSync(`one\r\ntwo\r\nthree\r\nfour\x1b[4;10H\x1b[41m${erase}`);
    expect(rows(terminal)).toEqual(["", "", "", ""]);
    expect([terminal.buffer.active.cursorX, terminal.buffer.active.cursorY]).toEqual([9, 3]);
    expect(terminal.buffer.active.getLine(0)?.getCell(0)?.getBgColor()).toBe(1);
  });

  test("elsewhere it is xterm's own", () => {
    const [repaired, plain] = [new Terminal(options), new Terminal(options)];
    repair(repaired);
    for (let y = 1; y <= 4; y += 1) {
      for (let x = 1; x <= 10; x += 1) {
        if (x === 10 && y === 4) continue;
        const bytes = `\x1bcabcdefghijklmnopqrstuvwxyz0123456789\x1b[${y};${x}H${erase}`;
        coreOf(repaired).writeSync(bytes);
        coreOf(plain).writeSync(bytes);
        expect(rows(repaired)).toEqual(rows(plain));
      }
    }
  });
});

test("selective erasing spares protected cells", () => {
  const terminal = new Terminal(options);
  repair(terminal);
  coreOf(terminal).writeSync('\x1b[4;1Hab\x1b[1"qcd\x1b[0"q\x1b[4;10H\x1b[?1J');
  expect(rows(terminal)[3]).toBe("  cd");
});

test("on a screen of one row", () => {
  const terminal = new Terminal({ ...options, rows: 1 });
  repair(terminal);
  coreOf(terminal).writeSync("abcdefghij\x1b[1J");
  expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("");
});

test("the browser's xterm has the same fault and takes the same repair", async () => {
  const terminal = new BrowserTerminal(options);
  repair(terminal);
  await new Promise<void>((resolve) => terminal.write("text\x1b[4;10H\x1b[1J.", resolve));
  expect(terminal.buffer.active.getLine(0)?.translateToString(true)).toBe("");
  expect(terminal.buffer.active.getLine(3)?.translateToString(true)).toBe("         .");
});
