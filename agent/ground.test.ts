import { expect, test } from "vitest";
import { below, pick, randomFrom, terminalWord } from "../test/support/terminal-grammar.js";
import { Emulator } from "./emulator.js";
import { GroundFinder } from "./ground.js";

const encoder = new TextEncoder();
const table = new Emulator({ cols: 2, rows: 1 }, 0).core._inputHandler._parser._transitions.table;
const finder = new GroundFinder(table);

/** Whether an emulator that got exactly these bytes stands between two sequences and two characters. */
function isGround(bytes: Uint8Array): boolean {
  const emulator = new Emulator({ cols: 2, rows: 1 }, 0);
  emulator.write(bytes);
  const handler: unknown = Reflect.get(emulator.core, "_inputHandler");
  const decoder: unknown = typeof handler === "object" && handler !== null ? Reflect.get(handler, "_utf8Decoder") : null;
  const interim: unknown = typeof decoder === "object" && decoder !== null ? Reflect.get(decoder, "interim") : null;
  const whole = interim instanceof Uint8Array && interim[0] === 0;
  const ground = emulator.core._inputHandler._parser.currentState === 0;
  emulator.dispose();
  return whole && ground;
}

/** The last ground position, found by trying all. */
function lastByTrying(bytes: Uint8Array): number {
  for (let end = bytes.length; end > 0; end -= 1) if (isGround(bytes.subarray(0, end))) return end;
  return 0;
}

test.each([
  ["", 0],
  ["text", 4],
  ["text\x1b", 4],
  ["text\x1b[3", 4],
  ["text\x1b[31m", 9],
  ["\x1b]0;title", 0],
  ["\x1b]0;title\x07", 10],
  ["\x1b]0;title\x1b", 0],
  ["\x1b]0;title\x1b\\", 11],
  ["a\x1bP$qm", 1],
  ["a\x1b[3\x1b[4", 1],
  ["a\x1b[3\x18b", 6],
  ["a\x1b_apc", 1],
  ["é", 2],
  ["a\u009b31", 1],
  ["a\u009b31m", 6],
  ["a\x1b[3é", 6],
])("%j ends at %i", (text, at) => {
  expect(finder.last(encoder.encode(text))).toBe(at);
});

test("a character that is not whole waits", () => {
  const bytes = encoder.encode("a漢");
  expect(finder.last(bytes.subarray(0, 3))).toBe(1);
  expect(finder.last(bytes.subarray(0, 2))).toBe(1);
});

test("nor does text end behind the beginning of a broken one", () => {
  for (const [bytes, at] of [
    [[0x61, 0xe2, 0xe5], 1],
    [[0x61, 0xe2, 0x80, 0xe2, 0x80], 1],
    [[0x61, 0xe2, 0x62], 3],
    [[0x61, 0x80, 0x80], 3],
    [[0x61, 0xff], 2],
    [[0xe2], 0],
  ] as const) {
    expect(finder.last(Uint8Array.from(bytes)), bytes.join(" ")).toBe(at);
  }
});

test("it agrees with the parser at every cut of random output, broken characters included", () => {
  const broken = [
    [0xe2, 0x80],
    [0xe2],
    [0xf0, 0x9f],
    [0xc2],
    [0x80],
    [0xff],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xef, 0xbb, 0xbf],
    [0xc2, 0x9b],
    [0xc2, 0x90],
  ];
  for (let seed = 1; seed <= 20; seed += 1) {
    const random = randomFrom(seed);
    const parts: number[] = [];
    for (let n = 1 + below(random, 6); n > 0; n -= 1) {
      parts.push(...encoder.encode(terminalWord(random, 10, 5)));
      if (below(random, 3) === 0) parts.push(...pick(random, broken, []));
      if (below(random, 6) === 0)
        parts.push(...encoder.encode(pick(random, ["\x1b[3", "\x1b]8;;", "\x1bP1$r", "\x1b_x", "\x18", "\x9c"], "")));
    }
    const bytes = Uint8Array.from(parts);
    for (let end = 0; end <= bytes.length; end += 1) {
      const found = finder.last(bytes.subarray(0, end));
      const best = lastByTrying(bytes.subarray(0, end));
      // Never too far; behind only where a broken character stands in front of an escape, which xterm drops.
      expect(found, `seed ${seed}, ${end} bytes`).toBeLessThanOrEqual(best);
      if (found < best) expect(finder.last(bytes.subarray(0, best)), `seed ${seed}, ${end} bytes`).toBe(best);
      expect(found === 0 || isGround(bytes.subarray(0, found)), `seed ${seed}, ${end} bytes`).toBe(true);
    }
  }
});
