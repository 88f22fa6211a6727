/**
 * What can be done with a pane, as its menu. Owns the order and which entries make sense now; an entry that could do nothing is not there.
 */
import type { PaneLeaf } from "../../link/layout.js";
import { askAboutSession, copySelection, keyOf, requestControl } from "../deck/actions.js";
import type { Deck } from "../deck/deck.js";
import { closePane, moveToNewTab, openSecond, toggleZoom } from "../deck/layout-moves.js";
import { dismissSession, splitPane } from "../deck/sessions.js";
import { findSession, type PaneFacts } from "../deck/state.js";
import { tabOf } from "../layout/tabs.js";
import { leaves } from "../layout/tree.js";
import type { MenuItem } from "../ui/menu.js";
import { saveText } from "./save-text.js";

export function paneMenu(deck: Deck, leaf: PaneLeaf, facts: PaneFacts): MenuItem[] {
  const { holder } = leaf;
  const tab = tabOf(deck.state.layout, holder);
  const alone = leaves(tab?.root ?? null).length < 2;
  const zoomed = tab?.zoomed === holder;
  const entry = findSession(deck.state.machines, leaf.machine, leaf.session);
  const tell = (t: "pane-take-size" | "pane-release-size") => () => deck.panes.tell(holder, (pane) => ({ t, pane }));
  const open = facts.state.state !== "ended" && facts.state.state !== "failed";
  const live = facts.state.state === "live";
  const operates = facts.role === "operator";
  const others = facts.driver.name !== null && !facts.driver.mine;

  const items: (MenuItem | null)[] = [
    { kind: "item", label: "Split right", key: keyOf("split-right"), run: () => void splitPane(deck, "row", holder) },
    { kind: "item", label: "Split down", key: keyOf("split-down"), run: () => void splitPane(deck, "column", holder) },
    alone ? null : { kind: "check", label: "Zoom pane", on: zoomed, run: () => toggleZoom(deck, holder) },
    alone ? null : { kind: "item", label: "Move to new tab", run: () => moveToNewTab(deck, holder) },
    { kind: "item", label: "Open in a second pane", run: () => openSecond(deck, holder) },
    { kind: "line" },
    { kind: "item", label: "Copy", key: keyOf("copy"), off: !facts.selected, run: () => copySelection(deck, holder) },
    { kind: "item", label: "Save text…", run: () => saveText(deck, leaf) },
    { kind: "line" },
    live && others && !facts.asking ? { kind: "item", label: "Request control", run: () => requestControl(deck, holder) } : null,
    live && operates && !facts.driver.mine ? { kind: "item", label: "Take size", run: tell("pane-take-size") } : null,
    live && facts.driver.mine ? { kind: "item", label: "Release size", run: tell("pane-release-size") } : null,
    isForeign(facts) ? { kind: "radio", label: "Fit", on: facts.fit === "fit", run: () => deck.panes.set(holder, { fit: "fit" }) } : null,
    isForeign(facts) ? { kind: "radio", label: "Pan", on: facts.fit === "pan", run: () => deck.panes.set(holder, { fit: "pan" }) } : null,
    live && facts.driver.mine
      ? {
          kind: "check",
          label: "Exclusive",
          on: facts.driver.exclusive,
          run: () => deck.panes.tell(holder, (pane) => ({ t: "pane-exclusive", pane, on: !facts.driver.exclusive })),
        }
      : null,
    { kind: "line" },
    entry === null ? null : { kind: "item", label: "Rename session…", run: () => askAboutSession(deck, "rename-session", holder) },
    open && entry?.state === "running" ? { kind: "item", label: "Send signal…", run: () => askAboutSession(deck, "signal", holder) } : null,
    entry?.state === "ended"
      ? { kind: "item", label: "Dismiss session", run: () => void dismissSession(deck, leaf.machine, leaf.session) }
      : null,
    open && entry?.state === "running"
      ? { kind: "item", label: "End session…", danger: true, run: () => askAboutSession(deck, "end-session", holder) }
      : null,
    { kind: "item", label: "Close pane", key: keyOf("close-pane"), run: () => closePane(deck, holder) },
  ];
  return withoutEmptyParts(items.filter((item) => item !== null));
}

/** Another pane decides the size, and it is not what fits here. */
export function isForeign(facts: PaneFacts): boolean {
  const { size, room, driver } = facts;
  if (driver.mine || size === null || room === null || !facts.shown) return false;
  return size.cols !== room.cols || size.rows !== room.rows;
}

/** No line at an end, no two in a row. */
function withoutEmptyParts(items: MenuItem[]): MenuItem[] {
  return items.filter((item, index) => {
    if (item.kind !== "line") return true;
    const next = items[index + 1];
    return index > 0 && next !== undefined && next.kind !== "line" && items.slice(0, index).some((before) => before.kind !== "line");
  });
}
