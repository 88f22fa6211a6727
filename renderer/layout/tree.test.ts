/** The layout tree: every change keeps all other panes, keeps the tree tidy, and says what it does to room. */
import { describe, expect, it } from "vitest";
import type { LayoutNode, PaneLeaf } from "../../link/layout.js";
import { beside, evenShares, findLeaf, leaves, moveBoundary, removeLeaf, replaceLeaf, splitAt, swapLeaves, tidy } from "./tree.js";

const pane = (holder: string): PaneLeaf => ({
  kind: "pane",
  holder,
  machine: "m",
  session: "0123456789abcdef01234567",
  role: "operator",
});
const split = (direction: "row" | "column", shares: number[], ...children: LayoutNode[]): LayoutNode => ({
  kind: "split",
  direction,
  shares,
  children,
});
const names = (node: LayoutNode | null) => leaves(node).map((leaf) => leaf.holder);

/** Holders and directions only: `a`, `row(a b)`. */
function shape(node: LayoutNode | null): string {
  if (node === null) return "-";
  return node.kind === "pane" ? node.holder : `${node.direction}(${node.children.map(shape).join(" ")})`;
}

describe("splitAt", () => {
  it("makes the first pane of an empty tab the tree", () => {
    expect(shape(splitAt(null, "?", "row", pane("a"), "after"))).toBe("a");
  });

  it("puts the new pane on the asked side and halves the room", () => {
    const tree = splitAt(pane("a"), "a", "row", pane("b"), "after");
    expect(tree).toEqual(split("row", [0.5, 0.5], pane("a"), pane("b")));
    expect(shape(splitAt(pane("a"), "a", "column", pane("b"), "before"))).toBe("column(b a)");
  });

  it("adds to a split of the same direction instead of nesting", () => {
    const two = split("row", [0.6, 0.4], pane("a"), pane("b"));
    expect(splitAt(two, "b", "row", pane("c"), "after")).toEqual(split("row", [0.6, 0.2, 0.2], pane("a"), pane("b"), pane("c")));
  });

  it("nests in the other direction", () => {
    const two = split("row", [0.5, 0.5], pane("a"), pane("b"));
    expect(shape(splitAt(two, "b", "column", pane("c"), "after"))).toBe("row(a column(b c))");
  });

  it("splits the whole tree when the pane is not there", () => {
    expect(shape(splitAt(split("column", [0.5, 0.5], pane("a"), pane("b")), "gone", "row", pane("c"), "after"))).toBe("row(column(a b) c)");
  });
});

describe("removeLeaf", () => {
  it("leaves nothing of a single pane", () => {
    expect(removeLeaf(pane("a"), "a")).toBeNull();
  });

  it("gives the room to the neighbours in proportion", () => {
    const tree = split("row", [0.5, 0.25, 0.25], pane("a"), pane("b"), pane("c"));
    const rest = removeLeaf(tree, "a");
    expect(rest).toEqual(split("row", [0.5, 0.5], pane("b"), pane("c")));
  });

  it("collapses a split of one and merges what then runs in the same direction", () => {
    const tree = split(
      "row",
      [0.5, 0.5],
      pane("a"),
      split("column", [0.5, 0.5], pane("b"), split("row", [0.5, 0.5], pane("c"), pane("d"))),
    );
    expect(removeLeaf(tree, "b")).toEqual(split("row", [0.5, 0.25, 0.25], pane("a"), pane("c"), pane("d")));
  });

  it("does nothing for a pane that is not there", () => {
    const tree = split("row", [0.5, 0.5], pane("a"), pane("b"));
    expect(removeLeaf(tree, "z")).toEqual(tree);
  });
});

describe("other changes", () => {
  const tree = split("row", [0.5, 0.5], pane("a"), split("column", [0.3, 0.7], pane("b"), pane("c")));

  it("swaps two panes and keeps the form", () => {
    const swapped = swapLeaves(tree, "a", "c");
    expect(shape(swapped)).toBe("row(c column(b a))");
    expect(swapLeaves(tree, "a", "a")).toBe(tree);
    expect(swapLeaves(tree, "a", "gone")).toBe(tree);
  });

  it("replaces one pane in place", () => {
    const changed = replaceLeaf(tree, "b", (leaf) => ({ ...leaf, role: "observer" }));
    expect(findLeaf(changed, "b")?.role).toBe("observer");
    expect(findLeaf(changed, "a")?.role).toBe("operator");
  });

  it("goes around in reading order", () => {
    expect(beside(tree, "c", 1)?.holder).toBe("a");
    expect(beside(tree, "a", -1)?.holder).toBe("c");
    expect(beside(pane("a"), "a", 1)).toBeNull();
  });

  it("evens the shares of every split", () => {
    expect(evenShares(tree)).toEqual(split("row", [0.5, 0.5], pane("a"), split("column", [0.5, 0.5], pane("b"), pane("c"))));
  });
});

describe("moveBoundary", () => {
  const tree = split("row", [0.5, 0.5], pane("a"), split("column", [0.5, 0.5], pane("b"), pane("c")));
  const sharesAt = (node: LayoutNode, path: number[]): number[] => {
    const at = path.reduce<LayoutNode | undefined>((step, index) => (step?.kind === "split" ? step.children[index] : undefined), node);
    return at?.kind === "split" ? at.shares : [];
  };

  it("moves room from one neighbour to the other", () => {
    expect(sharesAt(moveBoundary(tree, [1], 0, 0.2, { before: 0.1, after: 0.1 }), [1])).toEqual([0.7, 0.3]);
    expect(sharesAt(moveBoundary(tree, [1], 0, 0.2, { before: 0.1, after: 0.1 }), [])).toEqual([0.5, 0.5]);
  });

  it("stops at the least room of either neighbour", () => {
    expect(sharesAt(moveBoundary(tree, [], 0, 0.9, { before: 0.2, after: 0.2 }), [])).toEqual([0.8, 0.2]);
    expect(sharesAt(moveBoundary(tree, [], 0, -0.9, { before: 0.2, after: 0.2 }), [])).toEqual([0.2, 0.8]);
  });

  it("does not push a pane that already has too little", () => {
    const narrow = split("row", [0.1, 0.9], pane("a"), pane("b"));
    expect(sharesAt(moveBoundary(narrow, [], 0, -0.05, { before: 0.2, after: 0.2 }), [])).toEqual([0.1, 0.9]);
    const [first = 0] = sharesAt(moveBoundary(narrow, [], 0, 0.05, { before: 0.2, after: 0.2 }), []);
    expect(first).toBeCloseTo(0.15);
  });

  it("ignores a boundary that is not there", () => {
    expect(moveBoundary(tree, [0], 0, 0.2, { before: 0, after: 0 })).toEqual(tree);
    expect(moveBoundary(tree, [], 1, 0.2, { before: 0, after: 0 })).toEqual(tree);
  });
});

describe("tidy", () => {
  it("mends what a damaged file may hold", () => {
    expect(tidy(split("row", [0, 0], pane("a"), pane("b")))).toEqual(split("row", [0.5, 0.5], pane("a"), pane("b")));
    expect(tidy(split("row", [1], pane("a")))).toEqual(pane("a"));
    expect(tidy(split("row", [2, 2], pane("a"), split("row", [1, 3], pane("b"), pane("c"))))).toEqual(
      split("row", [0.5, 0.125, 0.375], pane("a"), pane("b"), pane("c")),
    );
  });
});

describe("any sequence of changes", () => {
  it("keeps every pane once, all shares positive, each split's sum 1 and no nesting of one direction", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1103515245 + 12345) % 0x80000000;
      return seed % below;
    };
    let tree: LayoutNode | null = null;
    const alive: string[] = [];
    for (let step = 0; step < 2000; step += 1) {
      const target = alive[random(Math.max(1, alive.length))] ?? "none";
      if (alive.length === 0 || (random(5) < 3 && alive.length < 30)) {
        const holder = `p${step}`;
        tree = splitAt(tree, target, random(2) === 0 ? "row" : "column", pane(holder), random(2) === 0 ? "before" : "after");
        alive.push(holder);
      } else if (random(2) === 0 && tree !== null) {
        tree = removeLeaf(tree, target);
        alive.splice(alive.indexOf(target), 1);
      } else if (tree !== null) {
        tree = moveBoundary(tree, [random(3)], random(3), (random(100) - 50) / 100, { before: 0.05, after: 0.05 });
      }
      expect(names(tree).sort()).toEqual([...alive].sort());
      check(tree);
    }
    function check(node: LayoutNode | null): void {
      if (node === null || node.kind === "pane") return;
      expect(node.children.length).toBeGreaterThan(1);
      expect(node.shares.length).toBe(node.children.length);
      expect(node.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
      expect(Math.min(...node.shares)).toBeGreaterThan(0);
      for (const child of node.children) {
        if (child.kind === "split") expect(child.direction).not.toBe(node.direction);
        check(child);
      }
    }
  });
});
