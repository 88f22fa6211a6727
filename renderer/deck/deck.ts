/**
 * The window's one controller: joins link, state, panes and layout. Owns what follows from a change of the layout (streams, saving,
 * focus), toasts and questions. What a person can do is in layout-moves.ts and sessions.ts, by name in actions.ts; nothing here draws.
 */
import { createContext, useContext } from "react";
import type { PaneLeaf, WindowLayout } from "../../link/layout.js";
import type { DeskMessage } from "../../link/messages.js";
import type { Settings } from "../../link/settings.js";
import type { Failure } from "../../protocol/errors.js";
import type { SessionEntry } from "../../protocol/values.js";
import { activeTab, allLeaves, visibleLeaves } from "../layout/tabs.js";
import { findLeaf, replaceLeaf } from "../layout/tree.js";
import { byteCount, plain } from "../ui/words.js";
import type { DeskLink } from "./desk-link.js";
import { Panes } from "./panes.js";
import { type DeckState, type DeckStore, findMachine, findSession, type PaneFacts, type Question, type Toast } from "./state.js";

/** A layout is sent at once, and then at most this often: a drag changes it with each pixel. */
const saveMs = 300;
const toastMs = 6000;
/** Less than this is not worth a word. */
const leastSkipped = 100_000;

/** Something a pane asks that only features can answer; set by the app. */
export interface DeckAnswers {
  pasted(holder: string, text: string): void;
  again(holder: string): void;
}

export class Deck {
  readonly panes: Panes;
  link: DeskLink | null = null;
  answers: DeckAnswers = { pasted: () => {}, again: () => {} };
  /** Tries a link that is over once more. */
  retryLink: () => void = () => {};
  /** Size of the area where panes are, in pixels; for sizes of panes to come. */
  workArea = { width: 900, height: 600 };
  /** Panes closed last, newest at the end, with what is needed to put them back. */
  readonly closedPanes: { leaf: PaneLeaf; tab: string; before: WindowLayout; after: WindowLayout }[] = [];
  /** Every session this window saw: what one that is gone was called and how it was started. */
  readonly #known = new Map<string, SessionEntry>();
  /** When the list first said that a session had ended. */
  readonly #endedAt = new Map<string, number>();
  readonly #activeBefore: string[] = [];
  readonly #skips = new Map<string, { toast: number; bytes: number }>();
  #wantsFocus: string | null = null;
  #saveTimer: ReturnType<typeof setTimeout> | null = null;
  #unsaved = false;
  #nextToast = 1;

  constructor(readonly store: DeckStore) {
    this.panes = new Panes(store, {
      pasted: (holder, text) => this.answers.pasted(holder, text),
      again: (holder) => this.answers.again(holder),
      focused: (holder, on) => this.#focused(holder, on),
      link: (url) => this.ask({ kind: "open-link", url }),
      skipped: (holder, bytes) => this.#skipped(holder, bytes),
      healed: (holder, awayMs) => this.#healed(holder, awayMs),
      controlAsked: (holder, ask, name) => this.#controlAsked(holder, ask, name),
      controlAnswered: (holder, answer) => this.#controlAnswered(holder, answer),
    });
    this.#remember(store.getState().machines);
    this.#sync();
  }

  get state(): DeckState {
    return this.store.getState();
  }

  // ---- link ---------------------------------------------------------------------------------------------------------------------

  setLink(link: DeskLink): void {
    this.link = link;
    this.store.setState({ link: { state: "live" } });
    this.panes.setLink(link);
  }

  /** The link is gone and is tried again; or, with a sentence, it stays gone until somebody asks. */
  linkLost(attempt: number, over: string | null): void {
    this.link = null;
    this.panes.linkLost(over === null ? null : { code: "offline", message: over, scope: "connection", retry: "later" });
    this.store.setState({ link: over === null ? { state: "retrying", attempt } : { state: "over", text: over } });
  }

  message(message: Exclude<DeskMessage, { t: "reply" }>): void {
    switch (message.t) {
      case "machines":
        this.#remember(message.machines);
        this.store.setState({ machines: message.machines, machinesAt: performance.now() });
        break;
      case "settings":
        this.applySettings(message.settings);
        break;
      case "notice":
        this.toast({ tone: "warn", title: plain(message.text) });
        break;
      default:
        this.panes.message(message);
    }
  }

  applySettings(settings: Settings): void {
    const before = this.state.settings;
    this.store.setState({ settings });
    const changed = (name: keyof Settings) => before[name] !== settings[name];
    const scrollbackChanged = changed("terminal.scrollback");
    if (scrollbackChanged || changed("terminal.fontSize") || changed("accessibility.screenReader")) this.panes.setLook();
    if (scrollbackChanged) this.panes.scrollbackChanged();
  }

  /** Changes a setting for every window; the desk sends it back to all. */
  saveSettings(change: Partial<Settings>): void {
    const settings = { ...this.state.settings, ...change };
    this.applySettings(settings);
    void this.link?.request({ t: "settings-save", settings }).then((result) => {
      if (!result.ok) this.failed("The settings were not saved", result.error);
    });
  }

  // ---- layout -------------------------------------------------------------------------------------------------------------------

  /** Changes the window's layout and does what follows. `focus`: the pane that gets the keys, by default the active one if it changed. */
  changeLayout(change: (layout: WindowLayout) => WindowLayout, focus?: string | "active"): void {
    const before = this.state.layout;
    const layout = change(before);
    if (layout === before && focus === undefined) return;
    this.#noteLeft(before, layout);
    this.store.setState({ layout, firstRun: this.state.firstRun && allLeaves(layout).length === 0 });
    this.#sync();
    this.#saveSoon();
    const active = activeTab(layout)?.active ?? null;
    const wanted = focus === "active" ? active : (focus ?? (active !== (activeTab(before)?.active ?? null) ? active : null));
    if (wanted !== null) this.focusTerminal(wanted);
  }

  /** Gives the keys to a pane's program, now or as soon as the pane is drawn. */
  focusTerminal(holder: string): void {
    const terminal = this.panes.terminal(holder);
    this.#wantsFocus = holder;
    if (terminal?.element.isConnected === true && this.state.question === null) this.mounted(holder);
  }

  /** A pane was put into the page. */
  mounted(holder: string): void {
    if (this.#wantsFocus !== holder) return;
    this.#wantsFocus = null;
    this.panes.terminal(holder)?.focus();
  }

  /** Gives the keys back to the active pane, after a menu, a field or a dialog. */
  focusActive(): void {
    const holder = activeTab(this.state.layout)?.active;
    if (holder !== null && holder !== undefined) this.focusTerminal(holder);
  }

  /** The active pane, and what is known of it. */
  get active(): { leaf: PaneLeaf; facts: PaneFacts } | null {
    const tab = activeTab(this.state.layout);
    const leaf = tab?.active === null || tab === null ? null : findLeaf(tab.root, tab.active);
    const facts = leaf === null ? undefined : this.state.panes[leaf.holder];
    return leaf === null || facts === undefined ? null : { leaf, facts };
  }

  leaf(holder: string): PaneLeaf | null {
    return allLeaves(this.state.layout).find((leaf) => leaf.holder === holder) ?? null;
  }

  /** The pane that had the keys before the active one. */
  lastActive(): string | null {
    const active = activeTab(this.state.layout)?.active;
    return [...this.#activeBefore].reverse().find((holder) => holder !== active && this.leaf(holder) !== null) ?? null;
  }

  /** What a session is called: as the list says, as it said last, as the layout remembers. */
  sessionName(leaf: PaneLeaf): string {
    return plain(
      findSession(this.state.machines, leaf.machine, leaf.session)?.name ?? this.#known.get(leaf.session)?.name ?? leaf.name ?? "session",
    );
  }

  machineName(machine: string): string {
    return plain(findMachine(this.state.machines, machine)?.name ?? "unknown machine");
  }

  /** The list's entry, or the last one it had. */
  knownSession(session: string): SessionEntry | null {
    return this.#known.get(session) ?? null;
  }

  endedAt(session: string): number | null {
    return this.#endedAt.get(session) ?? null;
  }

  /** Sends the layout if it changed since it was sent last. */
  saveNow(): void {
    if (!this.#unsaved) return;
    this.#unsaved = false;
    const { layout } = this.state;
    const named = {
      ...layout,
      tabs: layout.tabs.map((tab) => {
        let { root } = tab;
        for (const { holder } of allLeaves({ ...layout, tabs: [tab] })) {
          if (root !== null) root = replaceLeaf(root, holder, (leaf) => ({ ...leaf, name: this.sessionName(leaf).slice(0, 64) }));
        }
        return { ...tab, root };
      }),
    };
    void this.link?.request({ t: "layout-save", layout: named });
  }

  // ---- questions and toasts -----------------------------------------------------------------------------------------------------

  ask(question: Question): void {
    this.store.setState({ question, leader: null });
  }

  /** The question is answered, one way or the other. The keys go back to the active pane when it is gone from the page. */
  answered(): void {
    this.store.setState({ question: null });
  }

  toast(toast: Partial<Omit<Toast, "id">> & Pick<Toast, "title">): number {
    const id = this.#nextToast;
    this.#nextToast += 1;
    const whole: Toast = { tone: "plain", text: null, buttons: [], critical: false, ...toast, id };
    this.store.setState((state) => ({ toasts: [...state.toasts, whole].slice(-20) }));
    return id;
  }

  dismissToast(id: number): void {
    this.store.setState((state) => ({ toasts: state.toasts.filter((toast) => toast.id !== id) }));
  }

  /** How long a toast stays by itself; null: until it is acted on. */
  toastMs(toast: Toast): number | null {
    return toast.buttons.length > 0 ? null : toastMs;
  }

  failed(title: string, error: Failure): void {
    this.toast({ tone: "bad", title, text: plain(error.message), critical: true });
  }

  // ---- what follows -------------------------------------------------------------------------------------------------------------

  #sync(): void {
    const { layout } = this.state;
    this.panes.sync(allLeaves(layout), new Set(visibleLeaves(layout).map((leaf) => leaf.holder)));
  }

  #saveSoon(): void {
    this.#unsaved = true;
    if (this.#saveTimer !== null) return;
    this.saveNow();
    this.#saveTimer = setTimeout(() => {
      this.#saveTimer = null;
      if (this.#unsaved) this.#saveSoon();
    }, saveMs);
  }

  #remember(machines: DeckState["machines"]): void {
    for (const machine of machines) {
      for (const entry of machine.sessions) {
        const before = this.#known.get(entry.sessionId);
        if (entry.state === "ended" && before?.state === "running") this.#endedAt.set(entry.sessionId, Date.now());
        this.#known.set(entry.sessionId, entry);
      }
    }
  }

  #focused(holder: string, on: boolean): void {
    if (on) this.store.setState({ terminalFocused: holder });
    else this.store.setState((state) => (state.terminalFocused === holder ? { terminalFocused: null } : state));
    if (!on) return;
    const index = this.#activeBefore.indexOf(holder);
    if (index >= 0) this.#activeBefore.splice(index, 1);
    this.#activeBefore.push(holder);
    if (activeTab(this.state.layout)?.active === holder) return;
    this.changeLayout((layout) => ({
      ...layout,
      tabs: layout.tabs.map((tab) => (findLeaf(tab.root, holder) === null ? tab : { ...tab, active: holder })),
    }));
  }

  /** Remembers where sessions of a tab stood when it was left, so that what happens behind can be marked. */
  #noteLeft(before: WindowLayout, after: WindowLayout): void {
    if (before.activeTab === after.activeTab) return;
    const left = { ...this.state.left };
    for (const leaf of visibleLeaves(before)) {
      const entry = this.#known.get(leaf.session);
      const parsed = this.panes.terminal(leaf.holder)?.feed.seq ?? 0;
      if (entry !== undefined) left[leaf.session] = { output: Math.max(entry.output, parsed), bells: entry.bells };
    }
    for (const leaf of visibleLeaves(after)) delete left[leaf.session];
    this.store.setState({ left });
  }

  #skipped(holder: string, bytes: number): void {
    const leaf = this.leaf(holder);
    if (leaf === null) return;
    // A flood is skipped in many parts: one toast counts them together.
    const before = this.#skips.get(holder);
    const shown = before !== undefined && this.state.toasts.some((toast) => toast.id === before.toast);
    const all = bytes + (shown ? before.bytes : 0);
    if (shown) this.dismissToast(before.toast);
    if (all < leastSkipped) return;
    const toast = this.toast({
      tone: "warn",
      title: `${byteCount(all)} of output skipped in ${this.sessionName(leaf)}`,
      text: "The screen is exact. The last 4 MB of text are kept.",
    });
    this.#skips.set(holder, { toast, bytes: all });
  }

  #healed(holder: string, awayMs: number): void {
    const leaf = this.leaf(holder);
    if (leaf === null || awayMs < 20_000) return;
    const draft = this.state.panes[holder]?.draft !== null;
    const text = draft ? `Nothing was lost. One draft waits in ${this.sessionName(leaf)}.` : "Nothing was lost.";
    this.toast({ tone: "good", title: `${this.machineName(leaf.machine)} is back`, text });
  }

  #controlAsked(holder: string, ask: number, name: string): void {
    const leaf = this.leaf(holder);
    if (leaf === null) return;
    const answer = (how: "hand-over" | "both" | "not-now") => () => {
      this.panes.tell(holder, (pane) => ({ t: "pane-answer-control", pane, ask, answer: how }));
      this.dismissToast(id);
    };
    const id = this.toast({
      title: `${plain(name)} asks for control of ${this.sessionName(leaf)}`,
      text: "You drive. If you do nothing, you keep it.",
      buttons: [
        { label: "Hand over", run: answer("hand-over") },
        { label: "Let both type", run: answer("both") },
        { label: "Not now", run: answer("not-now") },
      ],
    });
  }

  #controlAnswered(holder: string, answer: "hand-over" | "both" | "not-now"): void {
    const leaf = this.leaf(holder);
    if (leaf === null) return;
    const name = this.sessionName(leaf);
    const title = {
      "hand-over": `You have control of ${name} now`,
      both: `You may type in ${name} too`,
      "not-now": `${name} stays with its driver`,
    }[answer];
    this.toast({ tone: answer === "not-now" ? "plain" : "good", title });
  }
}

const DeckContext = createContext<Deck | null>(null);
export const DeckProvider = DeckContext.Provider;

/** The window's controller, for components. */
export function useDeck(): Deck {
  const deck = useContext(DeckContext);
  if (deck === null) throw new Error("a component was drawn outside of a window");
  return deck;
}
