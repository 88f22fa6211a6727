/**
 * Where everything of a tab's tree stands, in whole pixels: panes, the bars between them, and which pane lies next to which. Pure
 * arithmetic over a tree and a rectangle; changes nothing (tree.ts does).
 */
import type { LayoutNode } from "../../link/layout.js";
import type { Direction } from "./tree.js";

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The bar between two children of one split. */
export interface Bar {
  /** Child numbers from the root to the split. */
  path: number[];
  /** The bar follows this child. */
  index: number;
  /** Of the split: the bar of a row stands upright. */
  direction: Direction;
  box: Box;
  /** Length of the split without its gaps, in pixels: what a share of 1 is. */
  length: number;
  /** Where the bar stands between the two neighbours' outer edges, 0-100. */
  percent: number;
}

export interface Arrangement {
  panes: { holder: string; box: Box }[];
  bars: Bar[];
}

/** Lays a tree out in a rectangle with `gap` pixels between neighbours. Edges fall on whole pixels, so no hairline is blurred. */
export function arrange(root: LayoutNode, area: { width: number; height: number }, gap: number): Arrangement {
  const arrangement: Arrangement = { panes: [], bars: [] };
  place(root, { x: 0, y: 0, width: Math.max(0, area.width), height: Math.max(0, area.height) }, []);
  return arrangement;

  function place(node: LayoutNode, box: Box, path: number[]): void {
    if (node.kind === "pane") {
      arrangement.panes.push({ holder: node.holder, box });
      return;
    }
    const row = node.direction === "row";
    const length = Math.max(0, (row ? box.width : box.height) - gap * (node.children.length - 1));
    const start = row ? box.x : box.y;
    let shareBefore = 0;
    node.children.forEach((child, index) => {
      const share = node.shares[index] ?? 0;
      const from = start + Math.round(shareBefore * length) + gap * index;
      const to =
        index === node.children.length - 1
          ? start + length + gap * index
          : start + Math.round((shareBefore + share) * length) + gap * index;
      place(child, row ? { ...box, x: from, width: to - from } : { ...box, y: from, height: to - from }, [...path, index]);
      shareBefore += share;
      if (index === node.children.length - 1) return;
      const both = share + (node.shares[index + 1] ?? 0);
      arrangement.bars.push({
        path,
        index,
        direction: node.direction,
        box: row ? { ...box, x: to, width: gap } : { ...box, y: to, height: gap },
        length,
        percent: both > 0 ? Math.round((share / both) * 100) : 50,
      });
    });
  }
}

export type Side = "left" | "right" | "up" | "down";

/** The pane that lies on a side of another one: the nearest, and of those the one with the longest common edge. Null at the border. */
export function neighbour(arrangement: Arrangement, holder: string, side: Side): string | null {
  const from = arrangement.panes.find((pane) => pane.holder === holder)?.box;
  if (from === undefined) return null;
  let best: { holder: string; distance: number; overlap: number } | null = null;
  for (const { holder: other, box } of arrangement.panes) {
    if (other === holder) continue;
    const distance = away(from, box, side);
    const overlap =
      side === "left" || side === "right"
        ? Math.min(from.y + from.height, box.y + box.height) - Math.max(from.y, box.y)
        : Math.min(from.x + from.width, box.x + box.width) - Math.max(from.x, box.x);
    if (distance < 0 || overlap <= 0) continue;
    if (best === null || distance < best.distance || (distance === best.distance && overlap > best.overlap)) {
      best = { holder: other, distance, overlap };
    }
  }
  return best?.holder ?? null;
}

function away(from: Box, box: Box, side: Side): number {
  switch (side) {
    case "left":
      return from.x - (box.x + box.width);
    case "right":
      return box.x - (from.x + from.width);
    case "up":
      return from.y - (box.y + box.height);
    case "down":
      return box.y - (from.y + from.height);
  }
}
