/**
 * What the guard takes for granted about xterm 6.0.0, against the real one: its states, its UTF-8, its parameters, its widths.
 */
import { describe, expect, test } from "vitest";
import type { Size } from "../protocol/values.js";
import { coreOf, Emulator } from "./emulator.js";
import { isMark } from "./guard-marks.js";
import { Parameters } from "./guard-parameters.js";
import { CharacterReader, noCodePoint, readCharacter, transitions } from "./guard-states.js";

const size: Size = { cols: 80, rows: 24 };

describe("reading as xterm does", () => {
  test("has xterm's table of states", () => {
    const emulator = new Emulator(size, 0);
    const real = emulator.core._inputHandler._parser._transitions.table;
    const wrong: string[] = [];
    for (let state = 0; state < 14; state += 1) {
      for (let code = 0; code <= 0xa0; code += 1) {
        const index = (state << 8) | code;
        if (transitions[index] !== real[index]) wrong.push(`state ${state} code ${code}: ${transitions[index]}, xterm ${real[index]}`);
      }
    }
    expect(wrong).toEqual([]);
    emulator.dispose();
  });

  test("decodes UTF-8 as xterm does", () => {
    const decoder: unknown = Reflect.get(new Emulator(size, 0).core._inputHandler, "_utf8Decoder");
    if (typeof decoder !== "object" || decoder === null) throw new Error("this xterm has no decoder");
    const decode: unknown = Reflect.get(decoder, "decode");
    if (typeof decode !== "function") throw new Error("this xterm has no decoder");
    const interesting = [
      0x00, 0x1b, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9b, 0x9f, 0xa0, 0xbb, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe2, 0xed, 0xef, 0xf0, 0xf4,
      0xf7, 0xf8, 0xff,
    ];
    const target = new Uint32Array(8);
    for (const a of interesting) {
      for (const b of interesting) {
        for (const c of interesting) {
          for (const d of interesting) {
            // ASCII at the end: xterm keeps an unfinished character for the next call.
            const input = Uint8Array.of(a, b, c, d, 0x2e, 0x2e, 0x2e, 0x2e);
            const count: unknown = Reflect.apply(decode, decoder, [input, target]);
            const expected = [...target.subarray(0, Number(count))];
            const reader = new CharacterReader();
            const byByte = [...input].map((byte) => reader.next(byte)).filter((code) => code !== noCodePoint);
            const byCharacter: number[] = [];
            for (let at = 0; at < input.length; ) {
              const found = (input[at] ?? 0) < 0x80 ? ((input[at] ?? 0) << 3) | 1 : readCharacter(input, at);
              if (found >> 3 !== noCodePoint) byCharacter.push(found >> 3);
              at += found & 7;
            }
            if (String(byByte) !== String(expected) || String(byCharacter) !== String(expected)) {
              expect({ input, byByte, byCharacter }).toEqual({ input, byByte: expected, byCharacter: expected });
            }
          }
        }
      }
    }
  });

  test("keeps parameters as xterm does", () => {
    const emulator = new Emulator(size, 0);
    let seen: (number | number[])[] = [];
    emulator.terminal.parser.registerCsiHandler({ final: "y" }, (parameters) => {
      seen = parameters;
      return true;
    });
    const lists = [
      "",
      "0",
      "7",
      ";",
      "1;;2",
      "007",
      "99999999999",
      "1:2:3",
      ":",
      "4:",
      "4::5",
      ";:1;2",
      "1:99999999999",
      `${"1;".repeat(40)}5`,
      `1${":2".repeat(40)};9:8`,
      `${"1:2;".repeat(40)}7:7`,
    ];
    for (const list of lists) {
      const parameters = new Parameters();
      parameters.reset();
      for (const byte of Buffer.from(list, "latin1")) parameters.take(byte);
      emulator.write(`\x1b[${list}y`);
      const expected = seen;
      emulator.write(`\x1b[${parameters}y`);
      expect(seen).toEqual(expected);
      expect(parameters.toString().length).toBeLessThanOrEqual(list.length);
      expect(parameters.first).toBe(expected[0]);
    }
    emulator.dispose();
  });

  test("knows every character that xterm piles onto another", () => {
    const { unicodeService } = coreOf(new Emulator(size, 0).terminal);
    const missed: number[] = [];
    for (let code = 0xa0; code <= 0x10ffff; code += 1) {
      if (code === 0xfeff || (code >= 0xd800 && code <= 0xdfff)) continue;
      if (unicodeService.wcwidth(code) === 0 && !isMark(code)) missed.push(code);
    }
    expect(missed).toEqual([]);
    for (const letter of "aéжش漢ก한😀") expect(isMark(letter.codePointAt(0) ?? 0)).toBe(false);
  });
});
