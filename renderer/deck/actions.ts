/**
 * Every action by name, with the keys that run it: one table for keys, leader column, menus and the list of keys. Owns names (they are a
 * contract with tests and assistive technology) and keys. What an action does is elsewhere; here it is only called.
 */
import { activeTab } from "../layout/tabs.js";
import { leaves } from "../layout/tree.js";
import { copyText } from "../ui/clipboard.js";
import type { Deck } from "./deck.js";
import {
  closePane,
  closeTabWithPanes,
  evenSizes,
  focusLast,
  focusSide,
  moveToNewTab,
  nthTab,
  reopen,
  shiftTab,
  stepTab,
  swapPane,
  toggleZoom,
} from "./layout-moves.js";
import { splitPane, startSession, toggleRole } from "./sessions.js";
import { findSession } from "./state.js";

export interface Action {
  id: string;
  /** As in menus, the list of keys and, later, the palette. */
  name: string;
  /** Linux and Windows. */
  keys: string[];
  mac: string[];
  /** After the leader key. */
  leader: string[];
  /** May run again while the key is held. */
  repeats?: true;
  /** The browser does it by itself; the key is listed, not taken. */
  native?: true;
  run(deck: Deck): void;
}

export const leaderChord = "Ctrl+Shift+Space";

const fontStep = 1;

export const actions: readonly Action[] = [
  action("new-session", "New session", ["Ctrl+Shift+T"], ["Meta+T"], ["t", "c"], (deck) => void startSession(deck)),
  action("attach", "Attach to a session…", ["Ctrl+Shift+A"], ["Meta+Shift+A"], ["a"], (deck) => deck.ask({ kind: "attach" })),
  action("reopen-pane", "Reopen closed pane", ["Ctrl+Shift+Z"], ["Meta+Shift+T"], ["u"], (deck) => reopen(deck)),
  action("new-window", "New window", ["Ctrl+Shift+N"], ["Meta+N"], ["Shift+N"], (deck) => newWindow(deck)),
  repeating("next-tab", "Next tab", ["Ctrl+Tab", "Ctrl+Shift+PageDown"], ["Ctrl+Tab", "Meta+Shift+]"], ["n"], (deck) => stepTab(deck, 1)),
  repeating("previous-tab", "Previous tab", ["Ctrl+Shift+Tab", "Ctrl+Shift+PageUp"], ["Ctrl+Shift+Tab", "Meta+Shift+["], ["p"], (deck) =>
    stepTab(deck, -1),
  ),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => action(`tab-${n}`, `Tab ${n}`, [], [`Meta+${n}`], [String(n)], (deck) => nthTab(deck, n))),
  action("move-tab-left", "Move tab left", [], [], ["<"], (deck) => onTab(deck, (id) => shiftTab(deck, id, -1))),
  action("move-tab-right", "Move tab right", [], [], [">"], (deck) => onTab(deck, (id) => shiftTab(deck, id, 1))),
  action("rename-tab", "Rename tab…", [], [], [","], (deck) => onTab(deck, (id) => askTabName(deck, id))),
  action("close-tab", "Close tab", [], ["Meta+Alt+W"], ["Shift+X"], (deck) => onTab(deck, (id) => closeTabWithPanes(deck, id))),
  action("split-right", "Split right", ["Ctrl+Shift+D"], ["Meta+D"], ["%", "|"], (deck) => void splitPane(deck, "row")),
  action("split-down", "Split down", ["Ctrl+Shift+S"], ["Meta+Shift+D"], ['"', "-"], (deck) => void splitPane(deck, "column")),
  repeating("focus-left", "Focus left", ["Ctrl+Shift+H"], ["Meta+Alt+ArrowLeft"], ["h", "ArrowLeft"], (deck) => focusSide(deck, "left")),
  repeating("focus-down", "Focus down", ["Ctrl+Shift+J"], ["Meta+Alt+ArrowDown"], ["j", "ArrowDown"], (deck) => focusSide(deck, "down")),
  repeating("focus-up", "Focus up", ["Ctrl+Shift+K"], ["Meta+Alt+ArrowUp"], ["k", "ArrowUp"], (deck) => focusSide(deck, "up")),
  repeating("focus-right", "Focus right", ["Ctrl+Shift+L"], ["Meta+Alt+ArrowRight"], ["l", "ArrowRight"], (deck) =>
    focusSide(deck, "right"),
  ),
  action("last-pane", "Last pane", [], [], [";"], focusLast),
  action("zoom-pane", "Zoom pane", ["Ctrl+Shift+Enter"], ["Meta+Shift+Enter"], ["z"], (deck) =>
    onPane(deck, (holder) => toggleZoom(deck, holder)),
  ),
  action("resize-panes", "Resize panes", ["Ctrl+Shift+R"], [], ["r"], () => focusBar()),
  action("even-sizes", "Even sizes", [], [], ["="], evenSizes),
  action("swap-previous", "Move pane back", [], [], ["{"], (deck) => swapPane(deck, -1)),
  action("swap-next", "Move pane on", [], [], ["}"], (deck) => swapPane(deck, 1)),
  action("move-to-new-tab", "Move to new tab", [], [], ["!"], (deck) => onPane(deck, (holder) => moveToNewTab(deck, holder))),
  action("close-pane", "Close pane", ["Ctrl+Shift+W"], ["Meta+W"], ["x", "d"], closeActive),
  action("end-session", "End session…", [], [], ["&"], (deck) => askAboutSession(deck, "end-session")),
  action("rename-session", "Rename session…", [], [], ["$"], (deck) => askAboutSession(deck, "rename-session")),
  action("send-signal", "Send signal…", [], [], [], (deck) => askAboutSession(deck, "signal")),
  action("copy", "Copy", ["Ctrl+Shift+C", "Ctrl+Insert"], ["Meta+C"], ["y"], copySelection),
  { ...action("paste", "Paste", ["Ctrl+Shift+V", "Shift+Insert"], ["Meta+V"], [], () => {}), native: true },
  repeating("larger-font", "Larger", ["Ctrl+=", "Ctrl++"], ["Meta+="], [], (deck) => changeFont(deck, fontStep)),
  repeating("smaller-font", "Smaller", ["Ctrl+-"], ["Meta+-"], [], (deck) => changeFont(deck, -fontStep)),
  action("reset-font", "Reset font", ["Ctrl+0"], ["Meta+0"], [], (deck) => changeFont(deck, 0)),
  action("toggle-role", "Observe or operate", ["Ctrl+Shift+O"], ["Meta+Shift+O"], ["o"], (deck) =>
    onPane(deck, (holder) => toggleRole(deck, holder)),
  ),
  action("request-control", "Request control", [], [], ["g"], (deck) => onPane(deck, (holder) => requestControl(deck, holder))),
  action("take-size", "Take size", [], [], ["s"], (deck) =>
    onPane(deck, (holder) => deck.panes.tell(holder, (pane) => ({ t: "pane-take-size", pane }))),
  ),
  action("fit-or-pan", "Fit or pan", [], [], ["v"], (deck) =>
    onPane(deck, (holder) => deck.panes.set(holder, { fit: deck.state.panes[holder]?.fit === "fit" ? "pan" : "fit" })),
  ),
  action("reconnect", "Reconnect now", [], [], ["Shift+R"], reconnectAll),
  action("go-to-draft", "Go to draft", [], [], ["Enter"], () => document.querySelector<HTMLElement>("[data-draft-field]")?.focus()),
  action("sidebar", "Sidebar", ["Ctrl+Shift+B"], ["Meta+B"], ["\\"], toggleSidebar),
  action("keys", "All keys", [], ["Meta+/"], ["?"], (deck) => deck.ask({ kind: "keys" })),
  action("next-region", "Next region", [], [], ["Tab"], () => stepRegion(1)),
  action("previous-region", "Previous region", [], [], ["Shift+Tab"], () => stepRegion(-1)),
  action("screen-reader", "Screen reader mode", [], [], ["Shift+S"], toggleScreenReader),
];

export function findAction(id: string): Action {
  const found = actions.find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`there is no action ${id}`);
  return found;
}

export function isMac(): boolean {
  return navigator.platform.startsWith("Mac");
}

/** The first key of an action on this system, for menus: `Ctrl+Shift+D`; null when it has none of its own. */
export function keyOf(id: string): string | null {
  const found = findAction(id);
  return (isMac() ? found.mac : found.keys)[0] ?? null;
}

/** A chord as it is written on keycaps. */
export function keycaps(chord: string): string[] {
  const names: Record<string, string> = {
    Meta: "⌘",
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    PageUp: "PgUp",
    PageDown: "PgDn",
  };
  const parts = chord === "Ctrl++" ? ["Ctrl", "+"] : chord.split(/\+(?=.)/);
  return parts.map((part) => names[part] ?? part);
}

function action(id: string, name: string, keys: string[], mac: string[], leader: string[], run: (deck: Deck) => void): Action {
  return { id, name, keys, mac, leader, run };
}

function repeating(id: string, name: string, keys: string[], mac: string[], leader: string[], run: (deck: Deck) => void): Action {
  return { id, name, keys, mac, leader, run, repeats: true };
}

function onPane(deck: Deck, then: (holder: string) => void): void {
  const holder = deck.active?.leaf.holder;
  if (holder !== undefined) then(holder);
}

function onTab(deck: Deck, then: (id: string) => void): void {
  const tab = activeTab(deck.state.layout);
  if (tab !== null) then(tab.id);
}

/** The pane; in an empty tab the tab itself. */
function closeActive(deck: Deck): void {
  const tab = activeTab(deck.state.layout);
  if (tab === null) return;
  if (tab.active !== null) closePane(deck, tab.active);
  else if (deck.state.layout.tabs.length > 1) closeTabWithPanes(deck, tab.id);
}

export function askTabName(deck: Deck, id: string): void {
  const tab = deck.state.layout.tabs.find((entry) => entry.id === id);
  if (tab === undefined) return;
  const [first] = leaves(tab.root);
  deck.ask({ kind: "rename-tab", tab: id, name: tab.name ?? (first === undefined ? "" : deck.sessionName(first)) });
}

export function askAboutSession(deck: Deck, kind: "end-session" | "rename-session" | "signal", holder?: string): void {
  const leaf = holder === undefined ? deck.active?.leaf : deck.leaf(holder);
  if (leaf === undefined || leaf === null) return;
  const entry = findSession(deck.state.machines, leaf.machine, leaf.session);
  if (entry === null || (entry.state === "ended" && kind !== "rename-session")) return;
  if (kind === "end-session") deck.ask({ kind, machine: leaf.machine, entry, holder: leaf.holder });
  else deck.ask({ kind, machine: leaf.machine, entry });
}

export function requestControl(deck: Deck, holder: string): void {
  const facts = deck.state.panes[holder];
  if (facts === undefined || facts.driver.mine) return;
  deck.panes.tell(holder, (pane) => ({ t: "pane-ask-control", pane }));
  deck.panes.set(holder, { asking: true, hintUntil: 0 });
}

export function copySelection(deck: Deck, holder = deck.active?.leaf.holder): void {
  const text = holder === undefined ? "" : (deck.panes.terminal(holder)?.selection() ?? "");
  if (text !== "") copyText(text);
}

export function changeFont(deck: Deck, step: number): void {
  const now = deck.state.settings["terminal.fontSize"];
  const next = step === 0 ? 13 : Math.max(6, Math.min(40, now + step));
  if (next !== now) deck.saveSettings({ "terminal.fontSize": next });
}

function reconnectAll(deck: Deck): void {
  for (const machine of deck.state.machines) if (machine.state !== "live") deck.link?.tell({ t: "reconnect", machine: machine.machine });
}

export function toggleSidebar(deck: Deck): void {
  if (deck.state.narrow) {
    deck.store.setState((state) => ({ sidebarOver: !state.sidebarOver }));
    return;
  }
  deck.changeLayout((layout) => ({ ...layout, sidebar: { ...layout.sidebar, shown: !layout.sidebar.shown } }));
}

function toggleScreenReader(deck: Deck): void {
  const on = deck.state.settings["accessibility.screenReader"] === "on";
  deck.saveSettings({ "accessibility.screenReader": on ? "off" : "on" });
  deck.toast({ title: on ? "Screen reader mode is off" : "Screen reader mode is on" });
}

function newWindow(deck: Deck): void {
  void deck.link?.request({ t: "window-new" }).then((result) => {
    if (!result.ok) deck.failed("No window was opened", result.error);
  });
}

function focusBar(): void {
  document.querySelector<HTMLElement>('[role="separator"][aria-label="Resize panes"]')?.focus();
}

/** Tabs, sidebar, header of the active pane, its terminal, status bar: the way out of a terminal without a mouse. */
function stepRegion(step: 1 | -1): void {
  const stops = [
    '[role="tab"][aria-selected="true"]',
    '[role="searchbox"], [role="treeitem"][tabindex="0"]',
    '[role="group"][aria-current="true"] .pane-header button',
    '[role="group"][aria-current="true"] textarea',
  ]
    .map((selector) => document.querySelector<HTMLElement>(selector))
    .filter((element) => element !== null);
  const now = document.activeElement;
  const at = stops.findIndex((element) => element === now || regionOf(element)?.contains(now));
  stops[(at + step + stops.length) % stops.length]?.focus();
}

function regionOf(element: HTMLElement): Element | null {
  return element.closest('[role="tablist"], nav, .pane-header, .screen');
}
