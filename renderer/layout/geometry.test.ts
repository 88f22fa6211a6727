/** Where panes and bars stand: whole pixels, no overlap, nothing left over, and who is whose neighbour. */
import { describe, expect, it } from "vitest";
import type { LayoutNode, PaneLeaf } from "../../link/layout.js";
import { arrange, neighbour } from "./geometry.js";

const pane = (holder: string): PaneLeaf => ({ kind: "pane", holder, machine: "m", session: "0123456789abcdef01234567", role: "operator" });
const split = (direction: "row" | "column", shares: number[], ...children: LayoutNode[]): LayoutNode => ({
  kind: "split",
  direction,
  shares,
  children,
});

/** Left half `a`; right half `b` over `c`. */
const three = split("row", [0.5, 0.5], pane("a"), split("column", [0.4, 0.6], pane("b"), pane("c")));

describe("arrange", () => {
  it("fills the area exactly, with the gap between neighbours", () => {
    const { panes, bars } = arrange(three, { width: 1001, height: 700 }, 4);
    expect(panes).toEqual([
      { holder: "a", box: { x: 0, y: 0, width: 499, height: 700 } },
      { holder: "b", box: { x: 503, y: 0, width: 498, height: 278 } },
      { holder: "c", box: { x: 503, y: 282, width: 498, height: 418 } },
    ]);
    expect(bars.map((bar) => [bar.path, bar.index, bar.direction, bar.box, bar.percent])).toEqual([
      [[], 0, "row", { x: 499, y: 0, width: 4, height: 700 }, 50],
      [[1], 0, "column", { x: 503, y: 278, width: 498, height: 4 }, 40],
    ]);
  });

  it("gives whole pixels for shares that are not", () => {
    const thirds = split("row", [1 / 3, 1 / 3, 1 / 3], pane("a"), pane("b"), pane("c"));
    const { panes } = arrange(thirds, { width: 1000, height: 10 }, 4);
    expect(panes.every(({ box }) => Number.isInteger(box.x) && Number.isInteger(box.width))).toBe(true);
    expect(panes.reduce((sum, { box }) => sum + box.width, 0)).toBe(1000 - 8);
  });

  it("never gives a negative size", () => {
    const { panes } = arrange(three, { width: 2, height: 1 }, 4);
    expect(panes.every(({ box }) => box.width >= 0 && box.height >= 0)).toBe(true);
  });
});

describe("neighbour", () => {
  const arrangement = arrange(three, { width: 1000, height: 1000 }, 4);

  it("finds the pane across the longest common edge", () => {
    expect(neighbour(arrangement, "a", "right")).toBe("c");
    expect(neighbour(arrangement, "b", "left")).toBe("a");
    expect(neighbour(arrangement, "b", "down")).toBe("c");
    expect(neighbour(arrangement, "c", "up")).toBe("b");
  });

  it("is null at the border and for a pane that is not there", () => {
    expect(neighbour(arrangement, "a", "left")).toBeNull();
    expect(neighbour(arrangement, "a", "down")).toBeNull();
    expect(neighbour(arrangement, "gone", "left")).toBeNull();
  });

  it("prefers the nearest over a longer edge further away", () => {
    const row = arrange(
      split("row", [0.2, 0.3, 0.5], pane("a"), split("column", [0.5, 0.5], pane("b"), pane("c")), pane("d")),
      { width: 1000, height: 1000 },
      4,
    );
    expect(neighbour(row, "a", "right")).toBe("b");
    expect(neighbour(row, "d", "left")).toBe("b");
  });
});
