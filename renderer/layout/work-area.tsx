/**
 * Draws a tab's tree: panes at their places as flat siblings (so that a split moves none of them in the page and no screen is lost), and
 * the bars between them. Owns dragging and moving bars by key. What a pane looks like is the caller's.
 */
import { type KeyboardEvent, type PointerEvent, type ReactNode, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { LayoutNode, PaneLeaf, Tab } from "../../link/layout.js";
import { arrange, type Bar, type Box } from "./geometry.js";
import { findLeaf, leaves, moveBoundary } from "./tree.js";

/** Smallest pane that dragging makes: 20 columns and 4 rows at the usual font, with header and padding. */
const smallest = { width: 20 * 7.8 + 24, height: 4 * 18 + 16 + 32 };
/** One cell, and five with Shift, for bars moved by key. */
const keyStep = { row: 8, column: 18 };

export interface WorkAreaProps {
  tab: Tab;
  /** Of the tab, which its panel shares. */
  name: string;
  gap: number;
  onChange: (root: LayoutNode) => void;
  /** Enter or Esc on a bar: back to the terminal. */
  onDone: () => void;
  pane: (leaf: PaneLeaf, box: Box) => ReactNode;
}

export function WorkArea({ tab, name, gap, onChange, onDone, pane }: WorkAreaProps) {
  const element = useRef<HTMLDivElement>(null);
  const [area, setArea] = useState<{ width: number; height: number } | null>(null);

  useLayoutEffect(() => {
    const area = element.current;
    if (area === null) return;
    const measure = () => {
      const next = { width: area.clientWidth, height: area.clientHeight };
      setArea((before) => (before?.width === next.width && before.height === next.height ? before : next));
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(area);
    measure();
    return () => sizes.disconnect();
  }, []);

  const zoomed = tab.zoomed === null ? null : findLeaf(tab.root, tab.zoomed);
  const shown = zoomed ?? tab.root;
  const arrangement = useMemo(() => (shown === null || area === null ? null : arrange(shown, area, gap)), [shown, area, gap]);
  const boxes = new Map(arrangement?.panes.map((entry) => [entry.holder, entry.box]));
  return (
    <div ref={element} className="tab-panel" role="tabpanel" aria-label={name}>
      {leaves(shown).map((leaf) => {
        const box = boxes.get(leaf.holder);
        return box === undefined ? null : pane(leaf, box);
      })}
      {arrangement?.bars.map((bar) => (
        <BarView key={`${bar.path.join(".")}:${bar.index}`} bar={bar} root={shown} gap={gap} onChange={onChange} onDone={onDone} />
      ))}
    </div>
  );
}

interface BarViewProps {
  bar: Bar;
  root: LayoutNode | null;
  gap: number;
  onChange: (root: LayoutNode) => void;
  onDone: () => void;
}

function BarView({ bar, root, gap, onChange, onDone }: BarViewProps) {
  const [drag, setDrag] = useState<{ at: number; root: LayoutNode } | null>(null);
  const row = bar.direction === "row";

  /** From the tree at the drag's begin, so that a bar that was stopped comes back with the pointer. */
  const move = (from: LayoutNode, pixels: number) => {
    if (bar.length <= 0) return;
    const least = leastShares(from, bar, gap);
    onChange(moveBoundary(from, bar.path, bar.index, pixels / bar.length, least));
  };
  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0 || root === null) return;
    event.preventDefault();
    event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ at: row ? event.clientX : event.clientY, root });
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    if (drag !== null) move(drag.root, (row ? event.clientX : event.clientY) - drag.at);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = row ? { ArrowLeft: -1, ArrowRight: 1 } : { ArrowUp: -1, ArrowDown: 1 };
    const step = steps[event.key];
    if (event.key === "Enter" || event.key === "Escape") {
      event.preventDefault();
      onDone();
    } else if (step !== undefined && root !== null) {
      event.preventDefault();
      move(root, step * keyStep[bar.direction] * (event.shiftKey ? 5 : 1));
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr cannot be moved; this separator is a control
    <div
      className={`bar bar-${bar.direction}`}
      style={{ left: bar.box.x, top: bar.box.y, width: bar.box.width, height: bar.box.height }}
      role="separator"
      aria-label="Resize panes"
      aria-orientation={row ? "vertical" : "horizontal"}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={bar.percent}
      tabIndex={0}
      data-dragging={drag === null ? undefined : ""}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={() => setDrag(null)}
      onPointerCancel={() => setDrag(null)}
      onKeyDown={onKeyDown}
    />
  );
}

/** What the two sides of a bar need at least, as shares of its split: nested splits need room for all their panes in that direction. */
function leastShares(root: LayoutNode, bar: Bar, gap: number): { before: number; after: number } {
  const split = bar.path.reduce<LayoutNode | undefined>((node, index) => (node?.kind === "split" ? node.children[index] : undefined), root);
  const children = split?.kind === "split" ? split.children : [];
  const share = (node: LayoutNode | undefined) =>
    node === undefined ? 0 : leastLength(node, bar.direction, gap) / Math.max(1, bar.length);
  return { before: share(children[bar.index]), after: share(children[bar.index + 1]) };
}

function leastLength(node: LayoutNode, direction: Bar["direction"], gap: number): number {
  if (node.kind === "pane") return direction === "row" ? smallest.width : smallest.height;
  const lengths = node.children.map((child) => leastLength(child, direction, gap));
  return node.direction === direction
    ? lengths.reduce((sum, length) => sum + length, 0) + gap * (lengths.length - 1)
    : Math.max(...lengths);
}
