/**
 * What a person does with tabs and panes: close, bring back, zoom, go next door, move. Owns the rule that closing detaches and never asks.
 * Sessions are started and ended elsewhere (sessions.ts).
 */
import type { PaneLeaf, WindowLayout } from "../../link/layout.js";
import { arrange, neighbour, type Side } from "../layout/geometry.js";
import { activeTab, addTab, allLeaves, changeTab, closeTab, emptyTab, moveTab, tabBeside, tabOf, withRoot } from "../layout/tabs.js";
import { beside, type Direction, evenShares, leaves, removeLeaf, splitAt, swapLeaves } from "../layout/tree.js";
import type { Deck } from "./deck.js";

/** Pixels between panes; the same as `--gap-pane`. */
export const paneGap = 4;

/** Closed panes that can be brought back. */
const mostClosed = 20;

export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function activateTab(deck: Deck, id: string): void {
  deck.changeLayout((layout) => ({ ...layout, activeTab: id }), "active");
}

export function stepTab(deck: Deck, step: 1 | -1): void {
  const id = tabBeside(deck.state.layout, step);
  if (id !== null) activateTab(deck, id);
}

/** The n-th tab, from 1. */
export function nthTab(deck: Deck, n: number): void {
  const id = deck.state.layout.tabs[n - 1]?.id;
  if (id !== undefined) activateTab(deck, id);
}

export function shiftTab(deck: Deck, id: string, step: 1 | -1): void {
  deck.changeLayout((layout) => moveTab(layout, id, step));
}

/** Detaches all panes of a tab and removes it. */
export function closeTabWithPanes(deck: Deck, id: string): void {
  const before = deck.state.layout;
  const tab = before.tabs.find((entry) => entry.id === id);
  if (tab === undefined) return;
  const closed = leaves(tab.root);
  deck.changeLayout((layout) => closeTab(layout, id, randomId), "active");
  const [only] = closed;
  if (only !== undefined) remember(deck, only, id, before);
  sayDetached(deck, closed, () => restore(deck, before, deck.state.layout));
}

export function closeOtherTabs(deck: Deck, id: string): void {
  const before = deck.state.layout;
  const closed = before.tabs.filter((tab) => tab.id !== id).flatMap((tab) => leaves(tab.root));
  deck.changeLayout((layout) => ({ ...layout, tabs: layout.tabs.filter((tab) => tab.id === id), activeTab: id }), "active");
  sayDetached(deck, closed, () => restore(deck, before, deck.state.layout));
}

/** Closes a pane: its session keeps running, and Undo puts it back where it was. */
export function closePane(deck: Deck, holder: string): void {
  const before = deck.state.layout;
  const tab = tabOf(before, holder);
  const leaf = deck.leaf(holder);
  if (tab === null || leaf === null || tab.root === null) return;
  const root = removeLeaf(tab.root, holder);
  // The last pane of a tab takes the tab with it, unless it is the only one.
  deck.changeLayout(
    (layout) =>
      root === null && layout.tabs.length > 1
        ? closeTab(layout, tab.id, randomId)
        : changeTab(layout, tab.id, (entry) => withRoot(entry, root)),
    "active",
  );
  remember(deck, leaf, tab.id, before);
  sayDetached(deck, [leaf], () => reopen(deck, holder));
}

/** Takes a pane away without a word: its session is gone too. */
export function dropPane(deck: Deck, holder: string): void {
  const tab = tabOf(deck.state.layout, holder);
  if (tab === null || tab.root === null) return;
  const root = removeLeaf(tab.root, holder);
  deck.changeLayout((layout) => changeTab(layout, tab.id, (entry) => withRoot(entry, root)), "active");
}

/** Brings back the pane that was closed last, or a named one. */
export function reopen(deck: Deck, holder?: string): void {
  const index = holder === undefined ? deck.closedPanes.length - 1 : deck.closedPanes.findIndex((entry) => entry.leaf.holder === holder);
  const [closed] = index < 0 ? [] : deck.closedPanes.splice(index, 1);
  if (closed !== undefined) restore(deck, closed.before, closed.after, closed.leaf);
}

/** Back to the layout before, if nothing happened since; else the pane gets a tab of its own. */
function restore(deck: Deck, before: WindowLayout, after: WindowLayout, leaf?: PaneLeaf): void {
  const now = deck.state.layout;
  if (sameTabs(now, after)) {
    deck.changeLayout((layout) => ({ ...layout, tabs: before.tabs, activeTab: before.activeTab }), "active");
  } else if (leaf !== undefined && deck.leaf(leaf.holder) === null) {
    openInTab(deck, leaf);
  }
}

function sameTabs(one: WindowLayout, other: WindowLayout): boolean {
  const shape = (layout: WindowLayout) => layout.tabs.map((tab) => [tab.id, leaves(tab.root).map((leaf) => leaf.holder)]);
  return JSON.stringify(shape(one)) === JSON.stringify(shape(other));
}

function remember(deck: Deck, leaf: PaneLeaf, tab: string, before: WindowLayout): void {
  deck.closedPanes.push({ leaf, tab, before, after: deck.state.layout });
  if (deck.closedPanes.length > mostClosed) deck.closedPanes.shift();
}

function sayDetached(deck: Deck, closed: readonly PaneLeaf[], undo: () => void): void {
  const running = closed.filter((leaf) => deck.knownSession(leaf.session)?.state === "running");
  const [first] = running;
  if (first === undefined) return;
  const title =
    running.length === 1
      ? `${deck.sessionName(first)} keeps running on ${deck.machineName(first.machine)}`
      : `${running.length} sessions keep running`;
  const id = deck.toast({
    title,
    buttons: [
      {
        label: "Undo",
        run: () => {
          deck.dismissToast(id);
          undo();
        },
      },
    ],
  });
}

/** Puts a pane into the active tab if that is empty, else into a tab of its own. */
export function openInTab(deck: Deck, leaf: PaneLeaf): void {
  deck.changeLayout((layout) => {
    const tab = activeTab(layout);
    if (tab !== null && tab.root === null) return changeTab(layout, tab.id, (entry) => withRoot(entry, leaf, leaf.holder));
    return addTab(layout, { ...emptyTab(randomId()), root: leaf, active: leaf.holder });
  }, leaf.holder);
}

/** Puts a pane beside another one. A zoomed tab shows all its panes again: the new one must be seen. */
export function openBeside(deck: Deck, holder: string, direction: Direction, leaf: PaneLeaf, side: "before" | "after" = "after"): void {
  const tab = tabOf(deck.state.layout, holder);
  if (tab === null) {
    openInTab(deck, leaf);
    return;
  }
  deck.changeLayout(
    (layout) =>
      changeTab(layout, tab.id, (entry) => ({
        ...withRoot(entry, splitAt(entry.root, holder, direction, leaf, side), leaf.holder),
        zoomed: null,
      })),
    leaf.holder,
  );
}

/** The same session once more, beside. */
export function openSecond(deck: Deck, holder: string): void {
  const leaf = deck.leaf(holder);
  if (leaf !== null) openBeside(deck, holder, "row", { ...leaf, holder: randomId() });
}

export function activatePane(deck: Deck, holder: string): void {
  const tab = tabOf(deck.state.layout, holder);
  if (tab === null) return;
  deck.changeLayout((layout) => {
    const shown = tab.zoomed === null || tab.zoomed === holder;
    return {
      ...changeTab(layout, tab.id, (entry) => ({ ...entry, active: holder, zoomed: shown ? entry.zoomed : null })),
      activeTab: tab.id,
    };
  }, holder);
}

/** The keys go to the pane on that side, if there is one. */
export function focusSide(deck: Deck, side: Side): void {
  const tab = activeTab(deck.state.layout);
  if (tab === null || tab.root === null || tab.active === null || tab.zoomed !== null) return;
  const next = neighbour(arrange(tab.root, deck.workArea, paneGap), tab.active, side);
  if (next !== null) activatePane(deck, next);
}

export function focusLast(deck: Deck): void {
  const last = deck.lastActive();
  if (last !== null) activatePane(deck, last);
}

export function toggleZoom(deck: Deck, holder: string): void {
  const tab = tabOf(deck.state.layout, holder);
  if (tab === null || leaves(tab.root).length < 2) return;
  deck.changeLayout(
    (layout) => changeTab(layout, tab.id, (entry) => ({ ...entry, active: holder, zoomed: entry.zoomed === holder ? null : holder })),
    holder,
  );
}

export function evenSizes(deck: Deck): void {
  changeActiveRoot(deck, (root) => evenShares(root));
}

/** The active pane changes places with the next or previous one. */
export function swapPane(deck: Deck, step: 1 | -1): void {
  const holder = activeTab(deck.state.layout)?.active;
  changeActiveRoot(deck, (root) => {
    const other = holder === null || holder === undefined ? null : beside(root, holder, step);
    return other === null || holder === null || holder === undefined ? root : swapLeaves(root, holder, other.holder);
  });
}

/** A pane out of its tab into one of its own. */
export function moveToNewTab(deck: Deck, holder: string): void {
  const tab = tabOf(deck.state.layout, holder);
  const leaf = deck.leaf(holder);
  if (tab === null || leaf === null || tab.root === null || leaves(tab.root).length < 2) return;
  const root = removeLeaf(tab.root, holder);
  deck.changeLayout((layout) => {
    const rest = changeTab({ ...layout, activeTab: tab.id }, tab.id, (entry) => withRoot({ ...entry, zoomed: null }, root));
    return addTab(rest, { ...emptyTab(randomId()), root: leaf, active: holder });
  }, holder);
}

function changeActiveRoot(
  deck: Deck,
  change: (root: NonNullable<WindowLayout["tabs"][number]["root"]>) => WindowLayout["tabs"][number]["root"],
): void {
  const tab = activeTab(deck.state.layout);
  if (tab === null || tab.root === null) return;
  const { root } = tab;
  deck.changeLayout((layout) => changeTab(layout, tab.id, (entry) => ({ ...entry, root: change(root) })));
}

/** The first pane of this window that shows a session; the active tab's before others'. */
export function paneShowing(deck: Deck, machine: string, session: string): PaneLeaf | null {
  const { layout } = deck.state;
  const shows = (leaf: PaneLeaf) => leaf.machine === machine && leaf.session === session;
  return leaves(activeTab(layout)?.root ?? null).find(shows) ?? allLeaves(layout).find(shows) ?? null;
}

/** Sessions that some pane of this window shows. */
export function allShown(layout: WindowLayout): ReadonlySet<string> {
  return new Set(allLeaves(layout).map((leaf) => leaf.session));
}
