/**
 * How a window's list of tabs is changed. Pure functions over link/layout's window; each returns a new window. Owns which tab and which
 * pane come next when one goes. Refuses to leave a window without a tab: the last one closed leaves an empty one.
 */
import type { LayoutNode, PaneLeaf, Tab, WindowLayout } from "../../link/layout.js";
import { findLeaf, leaves, removeLeaf, tidy } from "./tree.js";

export function emptyTab(id: string): Tab {
  return { id, name: null, root: null, active: null, zoomed: null };
}

export function activeTab(window: WindowLayout): Tab | null {
  return window.tabs.find((tab) => tab.id === window.activeTab) ?? window.tabs[0] ?? null;
}

/** A window as it may be drawn: at least one tab, an active one that exists, tidy trees, active and zoomed panes that are in their tree. */
export function soundWindow(window: WindowLayout, newId: () => string): WindowLayout {
  const seen = new Set<string>();
  const tabs = (window.tabs.length > 0 ? window.tabs : [emptyTab(newId())]).map((tab) => {
    let root = tab.root === null ? null : tidy(tab.root);
    for (const leaf of leaves(root)) {
      // A holder names one pane; a second one with the same name would close the first one's stream.
      if (seen.has(leaf.holder) && root !== null) root = removeLeaf(root, leaf.holder);
      seen.add(leaf.holder);
    }
    return soundTab({ ...tab, root });
  });
  return { ...window, tabs, activeTab: tabs.some((tab) => tab.id === window.activeTab) ? window.activeTab : (tabs[0]?.id ?? null) };
}

/** Opens a tab after the active one and goes there. */
export function addTab(window: WindowLayout, tab: Tab): WindowLayout {
  const at = window.tabs.findIndex((entry) => entry.id === window.activeTab);
  const tabs = at < 0 ? [...window.tabs, tab] : [...window.tabs.slice(0, at + 1), tab, ...window.tabs.slice(at + 1)];
  return { ...window, tabs, activeTab: tab.id };
}

/** Closes a tab; the one to its right becomes active, else the one to its left, else a fresh empty one. */
export function closeTab(window: WindowLayout, id: string, newId: () => string): WindowLayout {
  const at = window.tabs.findIndex((tab) => tab.id === id);
  if (at < 0) return window;
  const tabs = window.tabs.filter((tab) => tab.id !== id);
  if (tabs.length === 0) {
    const tab = emptyTab(newId());
    return { ...window, tabs: [tab], activeTab: tab.id };
  }
  const next = window.activeTab === id ? (tabs[Math.min(at, tabs.length - 1)]?.id ?? null) : window.activeTab;
  return { ...window, tabs, activeTab: next };
}

/** Moves a tab by `step` places; at an end it stays. */
export function moveTab(window: WindowLayout, id: string, step: 1 | -1): WindowLayout {
  const at = window.tabs.findIndex((tab) => tab.id === id);
  const tab = window.tabs[at];
  const to = at + step;
  if (tab === undefined || to < 0 || to >= window.tabs.length) return window;
  const tabs = window.tabs.filter((entry) => entry.id !== id);
  tabs.splice(to, 0, tab);
  return { ...window, tabs };
}

/** The tab `step` places on, around the end. */
export function tabBeside(window: WindowLayout, step: 1 | -1): string | null {
  const at = window.tabs.findIndex((tab) => tab.id === window.activeTab);
  return window.tabs[(at + step + window.tabs.length) % window.tabs.length]?.id ?? null;
}

export function changeTab(window: WindowLayout, id: string, change: (tab: Tab) => Tab): WindowLayout {
  return { ...window, tabs: window.tabs.map((tab) => (tab.id === id ? soundTab(change(tab)) : tab)) };
}

/** A new tree; the focus goes to `active` when it is in there, else stays, else goes to the pane that is now where the old one was. */
export function withRoot(tab: Tab, root: LayoutNode | null, active?: string): Tab {
  const was = leaves(tab.root).findIndex((leaf) => leaf.holder === tab.active);
  const now = leaves(root);
  const next =
    [active, tab.active].find((holder) => now.some((leaf) => leaf.holder === holder)) ??
    now[Math.min(Math.max(0, was), now.length - 1)]?.holder;
  return { ...tab, root, active: next ?? null };
}

/** The tab that holds a pane. */
export function tabOf(window: WindowLayout, holder: string): Tab | null {
  return window.tabs.find((tab) => findLeaf(tab.root, holder) !== null) ?? null;
}

/** Every pane of the window, in order of tabs. */
export function allLeaves(window: WindowLayout): PaneLeaf[] {
  return window.tabs.flatMap((tab) => leaves(tab.root));
}

/** The panes that can be seen now: the zoomed one, or all of the active tab. */
export function visibleLeaves(window: WindowLayout): PaneLeaf[] {
  const tab = activeTab(window);
  if (tab === null) return [];
  const zoomed = tab.zoomed === null ? null : findLeaf(tab.root, tab.zoomed);
  return zoomed === null ? leaves(tab.root) : [zoomed];
}

function soundTab(tab: Tab): Tab {
  const all = leaves(tab.root);
  const has = (holder: string | null) => holder !== null && all.some((leaf) => leaf.holder === holder);
  return {
    ...tab,
    active: has(tab.active) ? tab.active : (all[0]?.holder ?? null),
    zoomed: all.length > 1 && has(tab.zoomed) ? tab.zoomed : null,
  };
}
