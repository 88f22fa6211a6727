/** Tabs: what is active after each change, and that a window never lacks a tab. */
import { describe, expect, it } from "vitest";
import type { PaneLeaf, WindowLayout } from "../../link/layout.js";
import { activeTab, addTab, closeTab, emptyTab, moveTab, soundWindow, tabBeside, tabOf, visibleLeaves, withRoot } from "./tabs.js";
import { splitAt } from "./tree.js";

const pane = (holder: string): PaneLeaf => ({ kind: "pane", holder, machine: "m", session: "0123456789abcdef01234567", role: "operator" });
let ids = 0;
const newId = () => {
  ids += 1;
  return `new${ids}`;
};

function windowOf(...tabs: string[]): WindowLayout {
  return { windowId: "w", tabs: tabs.map(emptyTab), activeTab: tabs[0] ?? null, sidebar: { shown: true, width: 256 }, bounds: null };
}
const order = (window: WindowLayout) => window.tabs.map((tab) => tab.id).join(" ");

describe("tabs", () => {
  it("opens next to the active one and goes there", () => {
    const window = addTab(windowOf("a", "b"), emptyTab("n"));
    expect([order(window), window.activeTab]).toEqual(["a n b", "n"]);
  });

  it("goes to the right neighbour when the active one closes, then to the left", () => {
    const one = closeTab(windowOf("a", "b", "c"), "a", newId);
    expect([order(one), one.activeTab]).toEqual(["b c", "b"]);
    const two = closeTab({ ...one, activeTab: "c" }, "c", newId);
    expect([order(two), two.activeTab]).toEqual(["b", "b"]);
  });

  it("stays where it is when another one closes", () => {
    expect(closeTab(windowOf("a", "b"), "b", newId).activeTab).toBe("a");
  });

  it("leaves an empty tab when the last one closes", () => {
    const window = closeTab(windowOf("a"), "a", newId);
    expect(window.tabs).toHaveLength(1);
    expect(activeTab(window)?.root).toBeNull();
    expect(window.activeTab).not.toBe("a");
  });

  it("moves by one place and stays at the ends", () => {
    expect(order(moveTab(windowOf("a", "b", "c"), "a", 1))).toBe("b a c");
    expect(order(moveTab(windowOf("a", "b", "c"), "a", -1))).toBe("a b c");
    expect(order(moveTab(windowOf("a", "b", "c"), "c", 1))).toBe("a b c");
  });

  it("goes around with next and previous", () => {
    expect(tabBeside(windowOf("a", "b", "c"), -1)).toBe("c");
    expect(tabBeside({ ...windowOf("a", "b", "c"), activeTab: "c" }, 1)).toBe("a");
  });

  it("moves the focus to the pane in the closed one's place", () => {
    const root = splitAt(splitAt(pane("a"), "a", "row", pane("b"), "after"), "b", "row", pane("c"), "after");
    const tab = { ...emptyTab("t"), root, active: "b" };
    const rest = splitAt(pane("a"), "a", "row", pane("c"), "after");
    expect(withRoot(tab, rest).active).toBe("c");
    expect(withRoot(tab, root, "a").active).toBe("a");
    expect(withRoot(tab, null).active).toBeNull();
  });

  it("shows only the zoomed pane", () => {
    const root = splitAt(pane("a"), "a", "row", pane("b"), "after");
    const window: WindowLayout = { ...windowOf("t"), tabs: [{ ...emptyTab("t"), root, active: "a", zoomed: "b" }] };
    expect(visibleLeaves(window).map((leaf) => leaf.holder)).toEqual(["b"]);
    expect(tabOf(window, "a")?.id).toBe("t");
    expect(tabOf(window, "z")).toBeNull();
  });
});

describe("soundWindow", () => {
  it("gives a window from disk a tab, an active one, and panes that exist", () => {
    const mended = soundWindow({ ...windowOf(), activeTab: "gone" }, newId);
    expect(mended.tabs).toHaveLength(1);
    expect(mended.activeTab).toBe(mended.tabs[0]?.id);
    const tab = { ...emptyTab("t"), root: pane("a"), active: "gone", zoomed: "gone" };
    expect(soundWindow({ ...windowOf(), tabs: [tab] }, newId).tabs[0]).toMatchObject({ active: "a", zoomed: null });
  });

  it("keeps a holder once", () => {
    const tabs = [
      { ...emptyTab("t"), root: pane("a") },
      { ...emptyTab("u"), root: splitAt(pane("a"), "a", "row", pane("b"), "after") },
    ];
    const mended = soundWindow({ ...windowOf(), tabs }, newId);
    expect(mended.tabs.map((tab) => tab.root)).toEqual([pane("a"), pane("b")]);
  });
});
