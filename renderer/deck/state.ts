/**
 * What a window shows, as plain data: machines, layout, facts of each pane, questions, toasts. Owns the shape and the first value. Terminal
 * bytes and screens are never in here (panes hold emulators of their own). Changed only through the deck.
 */
import { useStore } from "zustand";
import { createStore, type StoreApi } from "zustand/vanilla";
import type { WindowLayout } from "../../link/layout.js";
import type { MachineState, PaneState } from "../../link/messages.js";
import type { Settings } from "../../link/settings.js";
import type { Failure } from "../../protocol/errors.js";
import type { SessionEntry, Size, StreamRole } from "../../protocol/values.js";
import type { FilteredPaste } from "../terminal/paste.js";

/** Everything about a pane but its bytes. Times are of `performance.now()`. */
export interface PaneFacts {
  holder: string;
  state: PaneState;
  /** When this state began. */
  since: number;
  /** When the desk last said it: countdowns in it count from there. */
  heardAt: number;
  /** It was live at least once: a screen stands behind whatever comes. */
  shown: boolean;
  /** The role that counts, as far as is known: a switch shows what was asked for until it is refused. */
  role: StreamRole;
  /** Why the last wish (role, size, control) was refused, and when. */
  refused: { error: Failure; at: number } | null;
  driver: { mine: boolean; name: string | null; exclusive: boolean };
  /** Of the emulator, which is the session's. */
  size: Size | null;
  /** What would fit into the pane. */
  room: Size | null;
  behind: { ms: number; bytes: number };
  /** Sequence of the last screen that equalled the agent's. */
  verified: number | null;
  draft: { text: string; delivered: number | null; since: number } | null;
  /** An observer pressed a key: until when the hint stands. */
  hintUntil: number;
  /** Control was asked for and not answered. */
  asking: boolean;
  /** How a size that is another's is shown. */
  fit: "fit" | "pan";
  /** Something is selected, so that Copy has something to copy. */
  selected: boolean;
}

export type ToastTone = "plain" | "good" | "warn" | "bad";

export interface Toast {
  id: number;
  tone: ToastTone;
  title: string;
  text: string | null;
  /** Stays until acted on when it has one; else 6 s. */
  buttons: { label: string; run: () => void }[];
  /** `critical` interrupts a screen reader. */
  critical: boolean;
}

/** What covers the window and waits for an answer. Features show them; whoever asks says what each answer does. */
export type Question =
  | { kind: "attach" }
  | { kind: "keys" }
  | { kind: "rename-session"; machine: string; entry: SessionEntry }
  | { kind: "rename-tab"; tab: string; name: string }
  | { kind: "signal"; machine: string; entry: SessionEntry }
  | { kind: "end-session"; machine: string; entry: SessionEntry; holder: string | null }
  | { kind: "paste"; paste: FilteredPaste; session: string; bracketed: boolean; send: (text: string) => void }
  | { kind: "open-link"; url: string };

export interface DeckState {
  /** The window's own link to its desk. */
  link: { state: "live" } | { state: "retrying"; attempt: number } | { state: "over"; text: string };
  host: "electron" | "browser";
  product: string;
  shell: string;
  user: string;
  home: string;
  settings: Settings;
  machines: MachineState[];
  /** When `machines` came, of `performance.now()`: times in them count from there. */
  machinesAt: number;
  layout: WindowLayout;
  /** There was no layout to restore and nothing was opened yet: the first page greets. */
  firstRun: boolean;
  panes: Record<string, PaneFacts>;
  /** The pane whose terminal has the keys; null while a field, a menu or the sidebar has them. */
  terminalFocused: string | null;
  /** The leader key was pressed; since when, and whether the next key goes untouched to the program. */
  leader: { since: number; literal: boolean } | null;
  question: Question | null;
  toasts: Toast[];
  /** Output and bells of sessions when their tab was left, to see whether something happened since. */
  left: Record<string, { output: number; bells: number }>;
  theme: "dark" | "light";
  narrow: boolean;
  /** The sidebar as an overlay, in a narrow window. */
  sidebarOver: boolean;
}

export type DeckStore = StoreApi<DeckState>;

export function createDeckStore(first: DeckState): DeckStore {
  return createStore<DeckState>(() => first);
}

let current: DeckStore | null = null;

/** Makes the store known to components; once, before the first render. */
export function provideDeckStore(store: DeckStore): void {
  current = store;
}

/** The part of the state a component draws with. */
export function useDeckState<T>(select: (state: DeckState) => T): T {
  if (current === null) throw new Error("a component was drawn before there was a window");
  return useStore(current, select);
}

export function firstFacts(holder: string, role: StreamRole): PaneFacts {
  return {
    holder,
    state: { state: "starting" },
    since: performance.now(),
    heardAt: performance.now(),
    shown: false,
    role,
    refused: null,
    driver: { mine: false, name: null, exclusive: false },
    size: null,
    room: null,
    behind: { ms: 0, bytes: 0 },
    verified: null,
    draft: null,
    hintUntil: 0,
    asking: false,
    fit: "fit",
    selected: false,
  };
}

/** A session as the lists know it. */
export function findSession(machines: readonly MachineState[], machine: string, session: string): SessionEntry | null {
  return machines.find((entry) => entry.machine === machine)?.sessions.find((entry) => entry.sessionId === session) ?? null;
}

export function findMachine(machines: readonly MachineState[], machine: string): MachineState | null {
  return machines.find((entry) => entry.machine === machine) ?? null;
}
