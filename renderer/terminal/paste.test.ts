/** The paste filter: nothing can end the bracket, nothing hidden gets through, ordinary text is kept exactly. */
import { describe, expect, it } from "vitest";
import { asOneLine, bracket, filterPaste, needsLook } from "./paste.js";

describe("filterPaste", () => {
  it.each([
    ["hello", "hello"],
    ["a\tb", "a\tb"],
    ["one\ntwo", "one\rtwo"],
    ["one\r\ntwo\r\n", "one\rtwo\r"],
    ["one\rtwo", "one\rtwo"],
    ["\u2028x\u0085y", "\rx\ry"],
    ["größe 漢字 €", "größe 漢字 €"],
    ["x\u001b[201~\rrm -rf /", "x[201~\rrm -rf /"],
    ["\u009b201~", "201~"],
    ["a\u0003b\u0004c\u0000d\u007fe", "abcde"],
    ["👩‍👩‍👧 👋🏽‍♀️", "👩‍👩‍👧 👋🏽‍♀️"],
    ["pay\u200bpal", "paypal"],
    ["\u202etxt.exe", "txt.exe"],
  ])("%j becomes %j", (raw, text) => {
    expect(filterPaste(raw).text).toBe(text);
  });

  it("says what it took out", () => {
    expect(filterPaste("a\u001b\u0007b")).toMatchObject({ controls: 2, hidden: [] });
    expect(filterPaste("a\u202eb\u200bc")).toMatchObject({ controls: 0, hidden: ["U+202E", "U+200B"] });
    expect(filterPaste("👩‍👧")).toMatchObject({ controls: 0, hidden: [] });
    expect(filterPaste("a\u200db").hidden).toEqual(["U+200D"]);
  });

  it("counts lines as they would run", () => {
    expect(["", "a", "a\n", "a\nb", "a\nb\n", "a\n\nb"].map((raw) => filterPaste(raw).lines)).toEqual([1, 1, 1, 2, 2, 3]);
  });

  it("lets no control character through, whatever comes in", () => {
    let seed = 42;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 0x80000000;
      return seed % below;
    };
    const parts = ["\u001b", "[201~", "\u009b", "\u0003", "\r\n", "\n", "\u202e", "a", "\u001b[200~", "\uf8ff", "\u0001", "‍", "👩", "é"];
    for (let run = 0; run < 20_000; run += 1) {
      const raw = Array.from({ length: random(8) }, () => parts[random(parts.length)] ?? "").join("");
      const { text } = filterPaste(raw);
      expect(text).not.toMatch(/[\u0000-\u0008\u000a-\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/);
      const sent = bracket(text, true);
      expect(sent.indexOf("\u001b[201~")).toBe(sent.length - 6);
      expect(filterPaste(text).text).toBe(text);
    }
  });

  it("keeps a private character that stands in the text itself", () => {
    expect(filterPaste("\uf8ff \uf8ff\u0001x 👩‍👧").text).toBe("\uf8ff \uf8ffx 👩‍👧");
  });
});

describe("needsLook", () => {
  it("asks for several lines only where each would run as it arrives", () => {
    const lines = filterPaste("a\nb");
    expect([needsLook(lines, false), needsLook(lines, true), needsLook(filterPaste("a\n"), false)]).toEqual([true, false, false]);
  });

  it("asks for hidden characters always", () => {
    expect(needsLook(filterPaste("a\u202eb"), true)).toBe(true);
  });
});

describe("asOneLine", () => {
  it("joins with single spaces and drops the last line end", () => {
    expect(asOneLine("cd /srv \r\r  git pull\r")).toBe("cd /srv git pull");
  });
});

describe("bracket", () => {
  it("wraps only when the program asked for it", () => {
    expect(bracket("x", false)).toBe("x");
    expect(bracket("x", true)).toBe("\u001b[200~x\u001b[201~");
  });
});
