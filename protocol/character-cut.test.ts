import { Terminal } from "@xterm/headless";
import { expect, test } from "vitest";
import { wholeCharacters } from "./character-cut.js";

const encoder = new TextEncoder();

function show(writes: Uint8Array[]): Promise<string> {
  const terminal = new Terminal({ cols: 40, rows: 2, allowProposedApi: true, logLevel: "off" });
  return new Promise((resolve) => {
    for (const bytes of writes) terminal.write(bytes);
    terminal.write("", () => resolve(terminal.buffer.active.getLine(0)?.translateToString(true) ?? ""));
  });
}

test("every cut of every length of character is found", () => {
  for (const text of ["a", "é", "“", "漢", "😀", "\u{10000}"]) {
    const bytes = encoder.encode(`x${text}`);
    for (let cut = 1; cut <= bytes.length; cut += 1) {
      expect(wholeCharacters(bytes.subarray(0, cut)), `${text} cut at ${cut}`).toBe(cut === bytes.length ? bytes.length : 1);
    }
  }
});

test("bytes that begin no character are whole", () => {
  for (const bytes of [[], [0x80], [0x41, 0x80, 0x80], [0xff], [0xf8], [0x80, 0x80, 0x80, 0x80], [0xe2, 0x80, 0x41]]) {
    expect(wholeCharacters(Uint8Array.from(bytes))).toBe(bytes.length);
  }
});

test("a character cut by the rule reaches xterm whole, and is broken by it when cut elsewhere", async () => {
  const bytes = encoder.encode("“quoted”");
  expect(await show([bytes.subarray(0, 2), bytes.subarray(2)])).not.toBe("“quoted”");
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const whole = wholeCharacters(bytes.subarray(0, cut));
    expect(await show([bytes.subarray(0, whole), bytes.subarray(whole)])).toBe("“quoted”");
  }
});
