/** Lines and text out of output, however it was cut. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LineSplitter, plainText } from "./lines.js";
import { screenText } from "./screen-text.js";

const bytes = (text: string) => new TextEncoder().encode(text);

function lines(...chunks: Uint8Array[]): string[] {
  const splitter = new LineSplitter();
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()];
}

describe("lines", () => {
  it.each([
    ["LF, CR LF and a CR by itself", "a\nb\r\nc\rd\n", ["a", "b", "c", "d"]],
    ["blank lines", "a\n\n\r\nb", ["a", "", "", "b"]],
    ["a CR too many", "a\r\r\nb\n", ["a", "", "b"]],
    ["a last line without an end", "a\nb", ["a", "b"]],
    ["a last CR", "a\r", ["a"]],
    ["nothing", "", []],
    ["colours", "\x1b[1;31mred\x1b[0m and \x1b[38;5;9mmore\x1b[m\n", ["red and more"]],
    ["titles and links", "\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["textlink"]],
    ["device strings", "\x1bP1$r0m\x1b\\a\x1b_app\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d\n", ["abcd"]],
    ["charsets and single escapes", "\x1b(0\x1b)B\x1b7a\x1b8b\x1bMc\x1b=\n", ["abc"]],
    ["C1 controls", "\u009b31mred\u009d0;t\u009cx\n", ["redx"]],
    ["bells and backspaces", "a\x07b\x08c\x00\n", ["abc"]],
    ["tabs", "a\tb\n", ["a\tb"]],
    ["an escape inside an escape", "\x1b[3\x1b[31mx\x1b\x1b[0my\n", ["xy"]],
    ["a cancelled sequence", "\x1b[31\x18mx\n", ["mx"]],
    ["a line end inside a sequence", "a\x1b[3\n1mb\n", ["a", "b"]],
    ["wide characters", "漢字 😀 é\n", ["漢字 😀 é"]],
  ])("knows %s", (_what, text, expected) => {
    expect(lines(bytes(text))).toEqual(expected);
  });

  it("gives the same for every split of the bytes", () => {
    const pieces = fc.constantFrom(
      "a",
      "é",
      "漢",
      "😀",
      "\r",
      "\n",
      "\r\n",
      "\x1b[31m",
      "\x1b]0;t\x07",
      "\x1b]8;;x\x1b\\",
      "\x1b(B",
      "\x07",
      "\x1b",
      "ERROR",
      "\u009b1m",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 8 }), (parts, cuts) => {
        const all = bytes(parts.join(""));
        const places = [0, ...cuts.map((cut) => Math.min(cut, all.length)).sort((a, b) => a - b), all.length];
        const chunks = places.slice(1).map((to, index) => all.slice(places[index], to));
        expect(lines(...chunks)).toEqual(lines(all));
      }),
      { seed: 4, numRuns: 1000 },
    );
  });

  it("does not collect a line for ever", () => {
    const splitter = new LineSplitter();
    const piece = bytes("x".repeat(300_000));
    const seen = [0, 1, 2, 3, 4, 5, 6].flatMap(() => splitter.push(piece));
    expect(seen.map((line) => line.length)).toEqual([1024 * 1024, 1024 * 1024]);
  });

  it("starts anew after an end", () => {
    const splitter = new LineSplitter();
    splitter.push(bytes("half \x1b[3"));
    expect(splitter.end()).toEqual(["half "]);
    expect(splitter.push(bytes("1m whole\n"))).toEqual(["1m whole"]);
  });
});

describe("plain text", () => {
  it("takes a CR for the start of another line, once", () => {
    expect(plainText(bytes("echo\r\n\x1b[?2004l\rout\r\n\r$ "))).toBe("echo\nout\n$ ");
    expect(plainText(bytes("10%\r20%\r\r30%\r\n"))).toBe("10%\n20%\n30%\n");
    expect(plainText(bytes("a\r\n\r\nb"))).toBe("a\n\nb");
  });
});

describe("the text of a snapshot", () => {
  const size = { cols: 10, rows: 4 };
  it.each([
    ["a prompt, its last blank drawn by itself", "\x1bc$ \x1b[1;2H ", "$ "],
    ["rows, and a cursor behind the last", "\x1bcone\r\ntwo\r\n", "one\ntwo\n"],
    ["text below the cursor", "\x1bcone\r\ntwo\x1b[1;2H", "one\ntwo"],
    ["moves to all sides", "\x1bc\x1b[2Cx\x1b[Dy\x1b[B\x1b[3Dz\x1b[A\x1b[9Ge\x1b[4dq", "  y     e\nz\n\n         q"],
    ["the alternate screen over the other", "\x1bcold\x1b[?1049h\x1b[Hnew", "new"],
    ["a line that wraps", "\x1bc0123456789ab", "0123456789\nab"],
    ["more rows than it has", "\x1bc1\r\n2\r\n3\r\n4\r\n5", "2\n3\n4\n5"],
    ["colours, titles and modes", "\x1bc\x1b]0;t\x1b\\\x1b[31;1mred\x1b[0m\x1b[?25h\x1b(B", "red"],
  ])("has %s", (_what, snapshot, expected) => {
    expect(screenText(bytes(snapshot), size)).toBe(expected);
  });
});
