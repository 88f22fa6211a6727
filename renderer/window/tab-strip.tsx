/**
 * The tabs of the window. Owns how a tab is named and what it says of its panes, its keys (arrows choose, Delete closes) and its menu.
 * What tabs do is in deck/layout-moves.ts.
 */
import { ChevronDown, X } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import type { PaneLeaf, Tab } from "../../link/layout.js";
import { askTabName } from "../deck/actions.js";
import { type Deck, useDeck } from "../deck/deck.js";
import { activateTab, closeOtherTabs, closeTabWithPanes, shiftTab } from "../deck/layout-moves.js";
import { type DeckState, findMachine, findSession, useDeckState } from "../deck/state.js";
import { leaves } from "../layout/tree.js";
import { type GlyphState, StateGlyph, worstState } from "../ui/glyph.js";
import { type Anchor, anchorAt, anchorAtPoint, Menu, type MenuItem, useFloat } from "../ui/menu.js";
import { counted, plain } from "../ui/words.js";

export function TabStrip() {
  const deck = useDeck();
  const tabs = useDeckState((state) => state.layout.tabs);
  const activeId = useDeckState((state) => state.layout.activeTab);
  const strip = useRef<HTMLDivElement>(null);
  const [overflow, setOverflow] = useState(false);
  const list = useFloat();

  // biome-ignore lint/correctness/useExhaustiveDependencies: the number of tabs changes how wide they are
  useEffect(() => {
    const element = strip.current;
    if (element === null) return;
    const measure = () => setOverflow(element.scrollWidth > element.clientWidth + 1);
    const sizes = new ResizeObserver(measure);
    sizes.observe(element);
    measure();
    return () => sizes.disconnect();
  }, [tabs.length]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the chosen tab comes into view when another one is chosen
  useEffect(() => {
    strip.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [activeId, tabs.length]);

  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...(strip.current?.querySelectorAll<HTMLElement>('[role="tab"]') ?? [])];
    const at = all.findIndex((tab) => tab.matches(":focus"));
    const id = tabs[at]?.id;
    if (id === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) all[(to + all.length) % all.length]?.focus();
    else if (event.key === "Enter" || event.key === " ") activateTab(deck, id);
    else if (event.key === "Delete") closeTabWithPanes(deck, id);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <div ref={strip} className="tabs" role="tablist" aria-label="Tabs" tabIndex={-1} onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <TabView key={tab.id} tab={tab} active={tab.id === activeId} />
        ))}
      </div>
      {overflow && (
        <button
          type="button"
          className="icon-button tab-list-button"
          aria-label="All tabs"
          aria-haspopup="menu"
          aria-expanded={list.anchor !== null}
          title="All tabs"
          onClick={(event) => list.open(anchorAt(event.currentTarget))}
        >
          <ChevronDown size={16} strokeWidth={1.75} />
        </button>
      )}
      {list.anchor !== null && (
        <Menu
          anchor={list.anchor}
          onClose={list.close}
          label="All tabs"
          items={tabs.map(
            (tab): MenuItem => ({
              kind: "radio",
              label: tabName(deck, tab),
              on: tab.id === activeId,
              run: () => activateTab(deck, tab.id),
            }),
          )}
        />
      )}
    </>
  );
}

/** A tab's own name, else that of its active pane's session. */
export function tabName(deck: Deck, tab: Tab): string {
  if (tab.name !== null) return plain(tab.name);
  const all = leaves(tab.root);
  const leaf = all.find((entry) => entry.holder === tab.active) ?? all[0];
  return leaf === undefined ? "New tab" : deck.sessionName(leaf);
}

function TabView({ tab, active }: { tab: Tab; active: boolean }) {
  const deck = useDeck();
  const id = useId();
  const menu = useFloat();
  const glyph = useDeckState((state) => tabState(state, tab));
  const stirred = useDeckState((state) => !active && hasStirred(state, tab));
  const name = useDeckState(() => tabName(deck, tab));
  const count = leaves(tab.root).length;
  const described = [count === 0 ? "empty" : counted(count, "pane", "panes"), glyph ?? "", stirred ? "new output" : ""]
    .filter((part) => part !== "")
    .join(", ");
  return (
    <>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the tab list takes the keys of all tabs */}
      <div
        className="tab"
        role="tab"
        id={`tab-${tab.id}`}
        aria-selected={active}
        aria-label={name}
        aria-describedby={id}
        tabIndex={active ? 0 : -1}
        title={name}
        onClick={() => activateTab(deck, tab.id)}
        onAuxClick={(event) => {
          if (event.button === 1) closeTabWithPanes(deck, tab.id);
        }}
        onContextMenu={(event) => {
          event.preventDefault();
          menu.open(event.clientX === 0 && event.clientY === 0 ? belowOf(event.currentTarget) : anchorAtPoint(event));
        }}
      >
        <StateGlyph state={glyph ?? "starting"} turning />
        <span className="grow ellipsis">{name}</span>
        {count > 1 && <span className="tab-count">{count}</span>}
        {stirred && <span className="tab-dot" />}
        <span
          className="tab-close"
          aria-hidden="true"
          onPointerDown={(event) => event.stopPropagation()}
          onClick={(event) => {
            event.stopPropagation();
            closeTabWithPanes(deck, tab.id);
          }}
        >
          <X size={12} strokeWidth={1.75} />
        </span>
      </div>
      <span id={id} className="unseen" aria-hidden="true">
        {described}
      </span>
      {menu.anchor !== null && <Menu anchor={menu.anchor} onClose={menu.close} label="Tab menu" items={tabMenu(deck, tab)} />}
    </>
  );
}

function belowOf(element: Element): Anchor {
  return anchorAt(element, "left");
}

function tabMenu(deck: Deck, tab: Tab): MenuItem[] {
  const { tabs } = deck.state.layout;
  const at = tabs.findIndex((entry) => entry.id === tab.id);
  return [
    { kind: "item", label: "Rename tab…", run: () => askTabName(deck, tab.id) },
    { kind: "item", label: "Move tab left", off: at <= 0, run: () => shiftTab(deck, tab.id, -1) },
    { kind: "item", label: "Move tab right", off: at >= tabs.length - 1, run: () => shiftTab(deck, tab.id, 1) },
    { kind: "line" },
    { kind: "item", label: "Close other tabs", off: tabs.length < 2, run: () => closeOtherTabs(deck, tab.id) },
    { kind: "item", label: "Close tab", run: () => closeTabWithPanes(deck, tab.id) },
  ];
}

/** The state that needs a person most. A pane without a stream is what its machine and its session are. */
export function tabState(state: DeckState, tab: Tab): GlyphState | null {
  return worstState(leaves(tab.root).map((leaf) => leafState(state, leaf)));
}

function leafState(state: DeckState, leaf: PaneLeaf): GlyphState {
  const facts = state.panes[leaf.holder];
  const visible = tabIsActive(state, leaf);
  if (facts !== undefined && (visible || facts.state.state !== "live")) {
    // A pane that was never shown has not started: it waits for somebody to look.
    if (facts.state.state !== "starting" || visible) return facts.state.state;
  }
  const machine = findMachine(state.machines, leaf.machine);
  if (machine === null || machine.state === "lost") return "lost";
  const entry = findSession(state.machines, leaf.machine, leaf.session);
  if (entry === null) return machine.state === "live" ? "failed" : machine.state;
  return entry.state === "ended" ? "ended" : machine.state;
}

function tabIsActive(state: DeckState, leaf: PaneLeaf): boolean {
  const tab = state.layout.tabs.find((entry) => entry.id === state.layout.activeTab);
  return tab !== undefined && leaves(tab.root).some((entry) => entry.holder === leaf.holder);
}

/** Output or a bell since the tab was left. */
function hasStirred(state: DeckState, tab: Tab): boolean {
  return leaves(tab.root).some((leaf) => {
    const left = state.left[leaf.session];
    const entry = findSession(state.machines, leaf.machine, leaf.session);
    return left !== undefined && entry !== null && (entry.output > left.output || entry.bells > left.bells);
  });
}
