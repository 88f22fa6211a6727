/**
 * The panes of a window behind the picture: one emulator a pane, its stream through the link, and what the desk says about it. Owns pane
 * numbers and which panes have a stream (those that can be seen, and those that could not be brought back). Knows no layout rule; it is
 * told which panes there are.
 */
import type { PaneLeaf } from "../../link/layout.js";
import type { DeskMessage, PaneMessage } from "../../link/messages.js";
import type { Failure } from "../../protocol/errors.js";
import type { StreamRole, View } from "../../protocol/values.js";
import { readColours } from "../terminal/colours.js";
import { type Keys, PaneTerminal } from "../terminal/pane-terminal.js";
import type { DeskLink } from "./desk-link.js";
import { type DeckStore, firstFacts, type PaneFacts } from "./state.js";

/** What a pane's emulator asks of the deck; everything else stays between it and the desk. */
export interface PaneAsks {
  pasted(holder: string, text: string): void;
  focused(holder: string, on: boolean): void;
  again(holder: string): void;
  link(url: string): void;
  /** Somebody drew back to a whole screen and text was left out, or comes back after a gap. */
  skipped(holder: string, bytes: number): void;
  controlAsked(holder: string, ask: number, name: string): void;
  controlAnswered(holder: string, answer: "hand-over" | "both" | "not-now"): void;
  healed(holder: string, awayMs: number): void;
}

interface OpenPane {
  leaf: PaneLeaf;
  terminal: PaneTerminal;
  /** Null: no stream now. */
  number: number | null;
  visible: boolean;
  focused: boolean;
  view: View | null;
  /** Takes the stream away a while after the pane was hidden. */
  hiding: ReturnType<typeof setTimeout> | null;
}

/** A tab that is looked at again soon should not have to attach again. */
const hiddenMs = 5000;
/** How long the word about keys that are not sent stands. */
const hintMs = 4000;

type PaneDeskMessage = Extract<DeskMessage, { pane: number }>;

export class Panes {
  readonly #panes = new Map<string, OpenPane>();
  readonly #byNumber = new Map<number, OpenPane>();
  #nextNumber = 1;
  #link: DeskLink | null = null;
  /** Read when the theme is set; every emulator has the same. */
  #colours = readColours();

  constructor(
    private readonly store: DeckStore,
    private readonly asks: PaneAsks,
  ) {}

  /** The link is there (again): every pane that should have a stream opens one. */
  setLink(link: DeskLink): void {
    this.#link = link;
    this.#byNumber.clear();
    for (const pane of this.#panes.values()) {
      pane.number = null;
      this.#openIfReady(pane);
    }
  }

  /** The link is gone: what stands keeps standing, keys go nowhere. `over`: no more tries by themselves. */
  linkLost(over: Failure | null): void {
    this.#link = null;
    this.#byNumber.clear();
    for (const pane of this.#panes.values()) {
      pane.number = null;
      const { state } = this.#facts(pane).state;
      if (state === "ended" || state === "failed") continue;
      pane.terminal.setKeys("none");
      this.#change(pane.leaf.holder, {
        state: over === null ? { state: "reconnecting", attempt: 0, nextTryMs: null } : { state: "lost", error: over },
      });
    }
  }

  /** The panes there are, and which of them can be seen. */
  sync(leaves: readonly PaneLeaf[], visible: ReadonlySet<string>): void {
    const there = new Set(leaves.map((leaf) => leaf.holder));
    for (const [holder, pane] of this.#panes) if (!there.has(holder)) this.#remove(pane);
    for (const leaf of leaves) {
      // A pane gets its emulator when it is first looked at: a window may come back with hundreds of tabs.
      if (!this.#panes.has(leaf.holder) && !visible.has(leaf.holder)) continue;
      const pane = this.#panes.get(leaf.holder) ?? this.#add(leaf);
      // Another session in the same place: the old stream has nothing to say any more.
      const moved = pane.leaf.session !== leaf.session || pane.leaf.machine !== leaf.machine;
      pane.leaf = leaf;
      if (moved) this.reopen(leaf.holder);
      this.#setVisible(pane, visible.has(leaf.holder));
    }
  }

  terminal(holder: string): PaneTerminal | null {
    return this.#panes.get(holder)?.terminal ?? null;
  }

  /** Any measured cell, for sizes of panes that are not there yet. */
  anyCell(): { width: number; height: number } | null {
    for (const pane of this.#panes.values()) if (pane.terminal.cell.width > 0) return pane.terminal.cell;
    return null;
  }

  /** Attaches anew: to another session in this place, or after a failure. */
  reopen(holder: string): void {
    const pane = this.#panes.get(holder);
    if (pane === undefined) return;
    this.#closeStream(pane);
    const kept = this.#facts(pane);
    this.#put({ ...firstFacts(holder, pane.leaf.role), room: kept.room, size: kept.size, fit: kept.fit });
    this.#openIfReady(pane);
  }

  tell(holder: string, message: (pane: number) => PaneMessage): void {
    const number = this.#panes.get(holder)?.number;
    if (number !== null && number !== undefined) this.#link?.tell(message(number));
  }

  input(holder: string, bytes: Uint8Array): void {
    const number = this.#panes.get(holder)?.number;
    if (number !== null && number !== undefined) this.#link?.input(number, bytes);
  }

  setRole(holder: string, role: StreamRole): void {
    const pane = this.#panes.get(holder);
    if (pane === undefined) return;
    this.#change(holder, { role, refused: null, hintUntil: 0 });
    this.tell(holder, (number) => ({ t: "pane-role", pane: number, role }));
    this.#applyKeys(pane);
  }

  /** A new theme, font or length of history. */
  setLook(): void {
    this.#colours = readColours();
    for (const pane of this.#panes.values()) {
      pane.terminal.setLook(this.#look());
      this.#tellView(pane);
    }
  }

  /** Emulators and agent keep the same length of history, or later resizes differ: all streams begin anew with it. */
  scrollbackChanged(): void {
    for (const pane of this.#panes.values()) {
      this.#closeStream(pane);
      this.#openIfReady(pane);
    }
  }

  bytes(kind: "data" | "snapshot", number: number, position: number, bytes: Uint8Array): void {
    const pane = this.#byNumber.get(number);
    if (pane === undefined) return;
    if (kind === "data") pane.terminal.feed.data(position, bytes);
    else pane.terminal.feed.snapshot(bytes);
  }

  message(message: PaneDeskMessage): void {
    const pane = this.#byNumber.get(message.pane);
    if (pane === undefined) return;
    const { holder } = pane.leaf;
    const { feed } = pane.terminal;
    switch (message.t) {
      case "pane-stream":
        feed.begin(message.stream);
        break;
      case "pane-screen":
        feed.screen(message.at, message.size);
        if (message.skipped > 0) this.asks.skipped(holder, message.skipped);
        break;
      case "pane-resized":
        feed.resized(message.at, message.size);
        break;
      case "pane-state":
        this.#state(pane, message.state);
        break;
      case "pane-role":
        this.#change(holder, {
          role: message.role,
          ...(message.refused === null ? {} : { refused: { error: message.refused, at: performance.now() }, asking: false }),
        });
        this.#applyKeys(pane);
        if (message.role === "operator" && pane.focused) this.#tellFocus(pane);
        break;
      case "pane-driver":
        this.#change(holder, { driver: { mine: message.mine, name: message.name, exclusive: message.exclusive } });
        break;
      case "pane-behind":
        this.#change(holder, { behind: { ms: message.ms, bytes: message.bytes } });
        break;
      case "pane-verified":
        this.#change(holder, { verified: message.at });
        break;
      case "pane-draft":
        this.#draft(pane, message.text, message.delivered);
        break;
      case "pane-control-asked":
        this.asks.controlAsked(holder, message.ask, message.name);
        break;
      case "pane-control-answered":
        this.#change(holder, { asking: false });
        this.asks.controlAnswered(holder, message.answer);
        break;
    }
  }

  #state(pane: OpenPane, state: PaneFacts["state"]): void {
    const { holder } = pane.leaf;
    const before = this.#facts(pane);
    const same = before.state.state === state.state;
    this.#change(holder, {
      state,
      since: same ? before.since : performance.now(),
      heardAt: performance.now(),
      shown: before.shown || state.state === "live" || state.state === "ended",
      ...(state.state === "live" ? {} : { behind: { ms: 0, bytes: 0 } }),
    });
    this.#applyKeys(pane);
    if (state.state === "live" && !same && pane.focused) this.#tellFocus(pane);
    const away = before.state.state === "reconnecting" || before.state.state === "lost";
    if (state.state === "live" && away && before.shown) this.asks.healed(holder, performance.now() - before.since);
  }

  #draft(pane: OpenPane, text: string, delivered: number | null): void {
    const before = this.#facts(pane).draft;
    this.#change(pane.leaf.holder, { draft: text === "" ? null : { text, delivered, since: before?.since ?? performance.now() } });
  }

  #add(leaf: PaneLeaf): OpenPane {
    const { holder } = leaf;
    const say = (make: (number: number) => PaneMessage) => this.tell(holder, make);
    const terminal = new PaneTerminal(this.#look(), {
      input: (bytes) => this.input(holder, bytes),
      pasted: (text) => this.asks.pasted(holder, text),
      parsed: (stream, seq) => say((number) => ({ t: "pane-parsed", pane: number, stream, seq })),
      resized: (size) => this.#change(holder, { size }),
      room: (size) => {
        this.#change(holder, { room: size });
        this.#tellView(pane);
        this.#openIfReady(pane);
      },
      hash: (stream, seq, value) => say((number) => ({ t: "pane-hash", pane: number, stream, at: seq, value })),
      focused: (on) => {
        pane.focused = on;
        this.#tellFocus(pane);
        this.asks.focused(holder, on);
      },
      watching: () => this.#change(holder, { hintUntil: performance.now() + hintMs }),
      again: () => this.asks.again(holder),
      selected: (selected) => this.#change(holder, { selected }),
      link: (url) => this.asks.link(url),
    });
    const pane: OpenPane = { leaf, terminal, number: null, visible: false, focused: false, view: null, hiding: null };
    this.#panes.set(holder, pane);
    this.#put(firstFacts(holder, leaf.role));
    return pane;
  }

  #remove(pane: OpenPane): void {
    this.#closeStream(pane);
    if (pane.hiding !== null) clearTimeout(pane.hiding);
    pane.terminal.dispose();
    this.#panes.delete(pane.leaf.holder);
    this.store.setState((state) => {
      const { [pane.leaf.holder]: _gone, ...panes } = state.panes;
      return { panes };
    });
  }

  #setVisible(pane: OpenPane, visible: boolean): void {
    if (pane.hiding !== null) clearTimeout(pane.hiding);
    pane.hiding = null;
    pane.visible = visible;
    if (visible) {
      this.#openIfReady(pane);
    } else if (pane.number !== null) {
      pane.hiding = setTimeout(() => {
        pane.hiding = null;
        const facts = this.#facts(pane);
        // What has a draft, or could not be shown again, keeps its stream and its last screen.
        if (facts.state.state === "live" && facts.draft === null) this.#closeStream(pane);
      }, hiddenMs);
    }
  }

  #openIfReady(pane: OpenPane): void {
    const room = pane.terminal.room;
    if (this.#link === null || pane.number !== null || !pane.visible || room === null) return;
    const view = this.#viewOf(pane);
    pane.number = this.#nextNumber;
    this.#nextNumber += 1;
    pane.view = view;
    this.#byNumber.set(pane.number, pane);
    this.#link.tell({
      t: "pane-open",
      pane: pane.number,
      machine: pane.leaf.machine,
      session: pane.leaf.session,
      role: this.#facts(pane).role,
      holder: pane.leaf.holder,
      view,
      scrollback: this.store.getState().settings["terminal.scrollback"],
    });
    this.#applyKeys(pane);
  }

  #closeStream(pane: OpenPane): void {
    if (pane.number === null) return;
    this.#link?.tell({ t: "pane-close", pane: pane.number });
    this.#byNumber.delete(pane.number);
    pane.number = null;
  }

  #tellView(pane: OpenPane): void {
    if (pane.number === null) return;
    const view = this.#viewOf(pane);
    if (JSON.stringify(view) === JSON.stringify(pane.view)) return;
    pane.view = view;
    this.#link?.tell({ t: "pane-view", pane: pane.number, view });
  }

  #viewOf(pane: OpenPane): View {
    const room = pane.terminal.room ?? pane.terminal.terminalSize;
    const { cell } = pane.terminal;
    return { ...room, cellWidth: cell.width, cellHeight: cell.height, colours: this.#colours.colours, focused: pane.focused };
  }

  /** A program hears of focus only from those who may type. */
  #tellFocus(pane: OpenPane): void {
    const { role, state } = this.#facts(pane);
    if (role !== "operator" || state.state !== "live") return;
    this.tell(pane.leaf.holder, (number) => ({ t: "pane-focus", pane: number, on: pane.focused }));
  }

  #applyKeys(pane: OpenPane): void {
    const keys = keysOf(this.#facts(pane));
    pane.terminal.setKeys(this.#link === null && keys !== "ended" ? "none" : keys);
  }

  #look() {
    const { settings } = this.store.getState();
    return {
      fontSize: settings["terminal.fontSize"],
      scrollback: settings["terminal.scrollback"],
      theme: this.#colours.theme,
      screenReader: settings["accessibility.screenReader"] === "on",
    };
  }

  #facts(pane: OpenPane): PaneFacts {
    const { holder, role } = pane.leaf;
    return this.store.getState().panes[holder] ?? firstFacts(holder, role);
  }

  #put(facts: PaneFacts): void {
    this.store.setState((state) => ({ panes: { ...state.panes, [facts.holder]: facts } }));
  }

  #change(holder: string, change: Partial<PaneFacts>): void {
    this.store.setState((state) => {
      const facts = state.panes[holder];
      return facts === undefined ? state : { panes: { ...state.panes, [holder]: { ...facts, ...change } } };
    });
  }

  /** Changes facts that only the page has: a hint dismissed, another way to show a foreign size. */
  set(holder: string, change: Partial<Pick<PaneFacts, "hintUntil" | "fit" | "asking" | "refused">>): void {
    this.#change(holder, change);
  }
}

/** Keys of an operator go out whatever the link does: the desk keeps what cannot be sent as a draft. */
export function keysOf(facts: PaneFacts): Keys {
  switch (facts.state.state) {
    case "ended":
      return "ended";
    case "failed":
      return "none";
    case "starting":
    case "live":
    case "stale":
    case "reconnecting":
    case "lost":
      return facts.role === "operator" ? "sent" : "watching";
  }
}
