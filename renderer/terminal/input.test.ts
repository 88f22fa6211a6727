/** Bytes of typed data. */
import { describe, expect, it } from "vitest";
import { binaryBytes, pieces, textBytes } from "./input.js";

describe("input bytes", () => {
  it("text is UTF-8, binary is one byte a character", () => {
    expect([...textBytes("é漢")]).toEqual([0xc3, 0xa9, 0xe6, 0xbc, 0xa2]);
    expect([...binaryBytes("\u001b[M \u00ff\u0080")]).toEqual([0x1b, 0x5b, 0x4d, 0x20, 0xff, 0x80]);
  });

  it("is cut into frames in order, nothing lost", () => {
    const bytes = Uint8Array.from({ length: 10 }, (_, index) => index);
    expect(pieces(bytes, 4).map((part) => [...part])).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ]);
    expect(pieces(new Uint8Array(), 4)).toEqual([]);
  });
});
