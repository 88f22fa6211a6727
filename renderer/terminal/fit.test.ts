/** The size that fits, the font that fits, and how far a grid moves. */
import { describe, expect, it } from "vitest";
import { clampOffset, follow, fontThatFits, shiftForCovers, sizeThatFits } from "./fit.js";

const cell = { width: 7.8, height: 18 };

describe("sizeThatFits", () => {
  it("counts whole cells", () => {
    expect(sizeThatFits({ width: 624, height: 432 }, cell)).toEqual({ cols: 80, rows: 24 });
    expect(sizeThatFits({ width: 623.9, height: 431 }, cell)).toEqual({ cols: 79, rows: 23 });
  });

  it("stays within the protocol's bounds and is null without a measure", () => {
    expect(sizeThatFits({ width: 3, height: 3 }, cell)).toEqual({ cols: 2, rows: 1 });
    expect(sizeThatFits({ width: 1e6, height: 1e6 }, cell)).toEqual({ cols: 1000, rows: 1000 });
    expect(sizeThatFits({ width: 100, height: 100 }, { width: 0, height: 18 })).toBeNull();
    expect(sizeThatFits({ width: 0, height: 100 }, cell)).toBeNull();
  });
});

describe("fontThatFits", () => {
  it("keeps the own font when it fits and never grows", () => {
    expect(fontThatFits({ cols: 40, rows: 10 }, { width: 624, height: 432 }, 13, cell)).toBe(13);
  });

  it("shrinks until both directions fit", () => {
    const font = fontThatFits({ cols: 140, rows: 38 }, { width: 624, height: 432 }, 13, cell);
    expect(font).toBe(7);
    const mild = fontThatFits({ cols: 90, rows: 24 }, { width: 624, height: 432 }, 13, cell);
    expect(mild).toBe(11.5);
    expect(90 * cell.width * (mild / 13)).toBeLessThanOrEqual(624);
  });

  it("never goes below 7, nor above an own font that is smaller", () => {
    expect(fontThatFits({ cols: 1000, rows: 500 }, { width: 624, height: 432 }, 13, cell)).toBe(7);
    expect(fontThatFits({ cols: 1000, rows: 500 }, { width: 624, height: 432 }, 6, cell)).toBe(6);
  });
});

describe("shiftForCovers", () => {
  it("moves all below a sign at the top while there is room", () => {
    expect(shiftForCovers({ top: 36, bottom: 0 }, { top: 90, bottom: 108 }, 400)).toBe(36);
  });

  it("stays when the cursor is far down and not covered", () => {
    expect(shiftForCovers({ top: 36, bottom: 0 }, { top: 380, bottom: 398 }, 400)).toBe(0);
  });

  it("moves up when the cursor would be under a sign at the bottom", () => {
    expect(shiftForCovers({ top: 0, bottom: 48 }, { top: 380, bottom: 398 }, 400)).toBe(-46);
    expect(shiftForCovers({ top: 36, bottom: 80 }, { top: 380, bottom: 398 }, 400)).toBe(-78);
  });

  it("does nothing without a sign", () => {
    expect(shiftForCovers({ top: 0, bottom: 0 }, { top: 380, bottom: 398 }, 400)).toBe(0);
  });
});

describe("panning", () => {
  it("follows with the least movement and stays on the grid", () => {
    expect(follow(0, 100, 300, 120, 130)).toBe(30);
    expect(follow(200, 100, 300, 50, 60)).toBe(50);
    expect(follow(40, 100, 300, 60, 70)).toBe(40);
    expect(follow(900, 100, 300, 290, 300)).toBe(200);
    expect([clampOffset(-5, 100, 300), clampOffset(50, 400, 300)]).toEqual([0, 0]);
  });
});
