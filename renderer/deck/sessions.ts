/**
 * What a person does with sessions: start, attach, end, rename, signal, start again. Each asks the desk and says what happened; a session
 * is shown only when it is there. Where its pane goes is layout-moves.ts.
 */
import type { PaneLeaf } from "../../link/layout.js";
import type { SessionEntry, SignalName, Size, StreamRole } from "../../protocol/values.js";
import { arrange } from "../layout/geometry.js";
import { activeTab, changeTab, tabOf } from "../layout/tabs.js";
import { type Direction, replaceLeaf, splitAt } from "../layout/tree.js";
import { sizeThatFits } from "../terminal/fit.js";
import type { Deck } from "./deck.js";
import { activatePane, dropPane, openBeside, openInTab, paneGap, paneShowing, randomId } from "./layout-moves.js";
import { findMachine } from "./state.js";

/** Where a pane goes: into the active tab if it is empty, else a tab of its own; or beside a pane. */
export type Place = { kind: "tab" } | { kind: "beside"; holder: string; direction: Direction };

/** Header, padding and the tab area around a grid, in pixels; for the size of a session whose pane is not there yet. */
const around = { width: 24, height: 32 + 16 };
/** A cell of the terminal's font at 13 px, until one was measured. */
const usualCell = { width: 7.8, height: 18 };

/** This machine, which is always the first. */
export function thisMachine(deck: Deck): string | null {
  return deck.state.machines[0]?.machine ?? null;
}

/** Starts the login shell (or the configured program) and shows it. Resolves to the pane, or null with a toast that says why not. */
export async function startSession(
  deck: Deck,
  how: { machine?: string; cwd?: string | null; command?: string[] | null; name?: string | null; place?: Place } = {},
): Promise<string | null> {
  const machine = how.machine ?? deck.active?.leaf.machine ?? thisMachine(deck);
  if (machine === null || deck.link === null) return null;
  const place = how.place ?? { kind: "tab" };
  const holder = randomId();
  const started = await deck.link.request({
    t: "session-new",
    machine,
    name: how.name ?? null,
    command: how.command ?? null,
    cwd: how.cwd ?? null,
    size: expectedSize(deck, place, holder),
  });
  if (!started.ok) {
    deck.failed("No session was started", started.error);
    return null;
  }
  addEntry(deck, machine, started.value);
  const leaf: PaneLeaf = { kind: "pane", holder, machine, session: started.value.sessionId, role: "operator" };
  if (place.kind === "beside" && deck.leaf(place.holder) !== null) openBeside(deck, place.holder, place.direction, leaf);
  else openInTab(deck, leaf);
  return holder;
}

/** A new session beside a pane, on the same machine, in the same folder. Without a pane: in the empty tab. */
export function splitPane(deck: Deck, direction: Direction, holder?: string): Promise<string | null> {
  const leaf = holder === undefined ? deck.active?.leaf : deck.leaf(holder);
  if (leaf === undefined || leaf === null) return startSession(deck);
  const cwd = deck.knownSession(leaf.session)?.cwd ?? null;
  return startSession(deck, { machine: leaf.machine, cwd, place: { kind: "beside", holder: leaf.holder, direction } });
}

/** Shows a session: goes to the pane that shows it already, else opens one. */
export function attach(deck: Deck, machine: string, session: string, place: Place = { kind: "tab" }): void {
  const shown = paneShowing(deck, machine, session);
  if (shown !== null) {
    activatePane(deck, shown.holder);
    return;
  }
  const leaf: PaneLeaf = { kind: "pane", holder: randomId(), machine, session, role: "operator" };
  if (place.kind === "beside") openBeside(deck, place.holder, place.direction, leaf);
  else openInTab(deck, leaf);
}

/** The same program in the same folder under the same name, in the place of one that is gone. */
export async function startAgain(deck: Deck, holder: string): Promise<void> {
  const leaf = deck.leaf(holder);
  if (leaf === null || deck.link === null) return;
  const entry = deck.knownSession(leaf.session);
  const name = deck.sessionName(leaf);
  const started = await deck.link.request({
    t: "session-new",
    machine: leaf.machine,
    name: isFree(deck, leaf.machine, name) ? name : null,
    command: entry === null || entry.command.length === 0 ? null : entry.command,
    cwd: entry?.cwd ?? null,
    size: deck.state.panes[holder]?.room ?? entry?.size ?? { cols: 80, rows: 24 },
  });
  if (!started.ok) {
    deck.failed("No session was started", started.error);
    return;
  }
  addEntry(deck, leaf.machine, started.value);
  const tab = tabOf(deck.state.layout, holder);
  if (tab === null) return;
  deck.changeLayout(
    (layout) =>
      changeTab(layout, tab.id, (entry) => ({
        ...entry,
        root:
          entry.root === null
            ? null
            : replaceLeaf(entry.root, holder, (old) => ({
                kind: "pane",
                holder,
                machine: old.machine,
                session: started.value.sessionId,
                role: "operator",
              })),
      })),
    holder,
  );
}

/** Ends a session for everyone. Its text stays readable. */
export async function endSession(deck: Deck, machine: string, entry: SessionEntry): Promise<void> {
  const ended = await deck.link?.request({ t: "session-kill", machine, session: entry.sessionId });
  if (ended !== undefined && !ended.ok) deck.failed(`${entry.name} was not ended`, ended.error);
}

/** Forgets an ended session; panes that show it go. */
export async function dismissSession(deck: Deck, machine: string, session: string): Promise<void> {
  const dismissed = await deck.link?.request({ t: "session-dismiss", machine, session });
  if (dismissed === undefined) return;
  if (!dismissed.ok) {
    deck.failed("The session was not dismissed", dismissed.error);
    return;
  }
  for (let pane = paneShowing(deck, machine, session); pane !== null; pane = paneShowing(deck, machine, session))
    dropPane(deck, pane.holder);
}

/** Null when it is done, else the sentence why not. */
export async function renameSession(deck: Deck, machine: string, session: string, name: string): Promise<string | null> {
  const renamed = await deck.link?.request({ t: "session-rename", machine, session, name });
  return renamed === undefined || renamed.ok ? null : renamed.error.message;
}

export async function sendSignal(deck: Deck, machine: string, entry: SessionEntry, signal: SignalName): Promise<void> {
  const sent = await deck.link?.request({ t: "session-signal", machine, session: entry.sessionId, signal });
  if (sent === undefined) return;
  if (!sent.ok) deck.failed(`SIG${signal} was not sent to ${entry.name}`, sent.error);
  else deck.toast({ tone: "good", title: `SIG${signal} sent to ${entry.name}` });
}

export function toggleRole(deck: Deck, holder: string): void {
  const facts = deck.state.panes[holder];
  if (facts === undefined || facts.state.state === "ended" || facts.state.state === "failed") return;
  setRole(deck, holder, facts.role === "operator" ? "observer" : "operator");
}

/** Switches at once; springs back when the agent refuses. The layout remembers it for the next start. */
export function setRole(deck: Deck, holder: string, role: StreamRole): void {
  deck.panes.setRole(holder, role);
  const tab = tabOf(deck.state.layout, holder);
  if (tab === null || tab.root === null) return;
  const { root } = tab;
  deck.changeLayout((layout) =>
    changeTab(layout, tab.id, (entry) => ({ ...entry, root: replaceLeaf(root, holder, (leaf) => ({ ...leaf, role })) })),
  );
}

/** The size that a pane will have, so that a program draws once and not twice. */
function expectedSize(deck: Deck, place: Place, holder: string): Size {
  const tab = activeTab(deck.state.layout);
  let box = { width: deck.workArea.width, height: deck.workArea.height };
  if (place.kind === "beside" && tab !== null && tab.root !== null) {
    const leaf: PaneLeaf = { kind: "pane", holder, machine: "", session: "", role: "operator" };
    const next = splitAt(tab.root, place.holder, place.direction, leaf, "after");
    box = arrange(next, deck.workArea, paneGap).panes.find((pane) => pane.holder === holder)?.box ?? box;
  }
  const scale = deck.state.settings["terminal.fontSize"] / 13;
  const cell = deck.panes.anyCell() ?? { width: usualCell.width * scale, height: usualCell.height * scale };
  return sizeThatFits({ width: box.width - around.width, height: box.height - around.height }, cell) ?? { cols: 80, rows: 24 };
}

/** The list will say it too, a moment later; until then the pane should have its name. */
function addEntry(deck: Deck, machine: string, entry: SessionEntry): void {
  const { machines } = deck.state;
  if (findMachine(machines, machine)?.sessions.some((known) => known.sessionId === entry.sessionId) === true) return;
  deck.message({
    t: "machines",
    machines: machines.map((known) => (known.machine === machine ? { ...known, sessions: [...known.sessions, entry] } : known)),
  });
}

function isFree(deck: Deck, machine: string, name: string): boolean {
  return findMachine(deck.state.machines, machine)?.sessions.every((entry) => entry.state === "ended" || entry.name !== name) ?? true;
}
