/**
 * How a tab's tree of panes is changed: split, removed, swapped, resized. Pure functions over link/layout's nodes; each returns a new tree
 * and leaves the old one alone. Owns the rules that keep a tree tidy (no split of one, no split inside a split of the same direction,
 * shares that add up to 1). Knows no pixels (geometry.ts) and no DOM.
 */
import type { LayoutNode, PaneLeaf, SplitNode } from "../../link/layout.js";

export type Direction = SplitNode["direction"];

/** Every pane, in reading order. */
export function leaves(node: LayoutNode | null): PaneLeaf[] {
  if (node === null) return [];
  return node.kind === "pane" ? [node] : node.children.flatMap(leaves);
}

export function findLeaf(node: LayoutNode | null, holder: string): PaneLeaf | null {
  return leaves(node).find((leaf) => leaf.holder === holder) ?? null;
}

/**
 * Puts `leaf` beside the pane `holder`, taking half of its room. A split that already runs in that direction gets one more child, so that
 * three panes side by side are one row of three, not a row inside a row. A holder that is not there: the whole tree is split.
 */
export function splitAt(
  root: LayoutNode | null,
  holder: string,
  direction: Direction,
  leaf: PaneLeaf,
  side: "before" | "after",
): LayoutNode {
  if (root === null) return leaf;
  if (findLeaf(root, holder) === null) return tidy(pair(direction, root, leaf, side));
  return tidy(insert(root));

  function insert(node: LayoutNode): LayoutNode {
    if (node.kind === "pane") return node.holder === holder ? pair(direction, node, leaf, side) : node;
    return { ...node, children: node.children.map(insert) };
  }
}

/** Takes a pane out; its room goes to its neighbours in proportion. Null when it was the last one. */
export function removeLeaf(root: LayoutNode, holder: string): LayoutNode | null {
  if (root.kind === "pane") return root.holder === holder ? null : root;
  const kept: { child: LayoutNode; share: number }[] = [];
  root.children.forEach((child, index) => {
    const rest = removeLeaf(child, holder);
    if (rest !== null) kept.push({ child: rest, share: root.shares[index] ?? 0 });
  });
  if (kept.length === 0) return null;
  return tidy({ ...root, children: kept.map((entry) => entry.child), shares: kept.map((entry) => entry.share) });
}

/** Changes one pane in place, for example to another session. */
export function replaceLeaf(root: LayoutNode, holder: string, change: (leaf: PaneLeaf) => PaneLeaf): LayoutNode {
  if (root.kind === "pane") return root.holder === holder ? change(root) : root;
  return { ...root, children: root.children.map((child) => replaceLeaf(child, holder, change)) };
}

/** Two panes change places; the tree keeps its form. */
export function swapLeaves(root: LayoutNode, one: string, other: string): LayoutNode {
  const first = findLeaf(root, one);
  const second = findLeaf(root, other);
  if (first === null || second === null || one === other) return root;
  const place = (node: LayoutNode): LayoutNode => {
    if (node.kind === "split") return { ...node, children: node.children.map(place) };
    if (node.holder === one) return second;
    return node.holder === other ? first : node;
  };
  return place(root);
}

/** The pane before or after another one in reading order, around the end. */
export function beside(root: LayoutNode, holder: string, step: 1 | -1): PaneLeaf | null {
  const all = leaves(root);
  const at = all.findIndex((leaf) => leaf.holder === holder);
  if (at < 0 || all.length < 2) return null;
  return all[(at + step + all.length) % all.length] ?? null;
}

/** All children of each split get the same room. */
export function evenShares(node: LayoutNode): LayoutNode {
  if (node.kind === "pane") return node;
  return { ...node, shares: node.children.map(() => 1 / node.children.length), children: node.children.map(evenShares) };
}

/**
 * Moves the boundary after child `index` of the split at `path` (child numbers from the root) by `delta` of that split's length. The two
 * neighbours keep at least `least` (shares of the same length) each; what they had less before, they keep.
 */
export function moveBoundary(
  root: LayoutNode,
  path: readonly number[],
  index: number,
  delta: number,
  least: { before: number; after: number },
): LayoutNode {
  if (root.kind === "pane") return root;
  const [head, ...rest] = path;
  if (head !== undefined) {
    const children = root.children.map((child, at) => (at === head ? moveBoundary(child, rest, index, delta, least) : child));
    return { ...root, children };
  }
  const before = root.shares[index];
  const after = root.shares[index + 1];
  if (before === undefined || after === undefined) return root;
  const lower = Math.min(0, least.before - before);
  const upper = Math.max(0, after - least.after);
  const moved = Math.max(lower, Math.min(upper, delta));
  const shares = root.shares.map((share, at) => (at === index ? before + moved : at === index + 1 ? after - moved : share));
  return { ...root, shares };
}

/**
 * Brings any tree into the tidy form: a split of one is its child, a split within a split of the same direction is part of it, shares are
 * positive and add up to 1. Also what a tree from disk goes through.
 */
export function tidy(node: LayoutNode): LayoutNode {
  if (node.kind === "pane") return node;
  const total = node.shares.reduce((sum, share) => sum + Math.max(0, share), 0);
  const children: LayoutNode[] = [];
  const shares: number[] = [];
  node.children.map(tidy).forEach((child, index) => {
    const share = total > 0 ? Math.max(0, node.shares[index] ?? 0) / total : 1 / node.children.length;
    if (child.kind === "split" && child.direction === node.direction) {
      children.push(...child.children);
      shares.push(...child.shares.map((part) => part * share));
    } else {
      children.push(child);
      shares.push(share);
    }
  });
  const [only] = children;
  if (only !== undefined && children.length === 1) return only;
  return { kind: "split", direction: node.direction, children, shares };
}

function pair(direction: Direction, node: LayoutNode, leaf: PaneLeaf, side: "before" | "after"): SplitNode {
  return { kind: "split", direction, shares: [0.5, 0.5], children: side === "before" ? [leaf, node] : [node, leaf] };
}
