/**
 * Starts the page: finds the desk, says hello, draws the window, and keeps trying when the link breaks. Owns the first frame (nothing is
 * drawn before fonts, settings and layout are there) and the way back after a lost link.
 */
import "@xterm/xterm/css/xterm.css";
import "@fontsource-variable/inter";
import "./ui/ground.css";
import "./ui/window.css";
import "./ui/floats.css";
import "./panes/panes.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import type { WindowLayout } from "../link/layout.js";
import type { HelloReply } from "../link/messages.js";
import type { Transport } from "../transport/transport.js";
import { App, narrowWindow } from "./app.js";
import { Deck, DeckProvider } from "./deck/deck.js";
import { DeskLink } from "./deck/desk-link.js";
import { randomId } from "./deck/layout-moves.js";
import { openMedium } from "./deck/medium.js";
import { createDeckStore, type DeckState, provideDeckStore } from "./deck/state.js";
import { installKeys } from "./keys/dispatch.js";
import { emptyTab, soundWindow } from "./layout/tabs.js";
import { loadFonts } from "./terminal/fonts.js";
import { plain } from "./ui/words.js";
import { ClosedPage } from "./window/closed-page.js";

const windowIdKey = "muxdeck-window";
const tabNoteKey = "muxdeck-tab-note";
/** Backoff of a window's own link, in milliseconds; the desk is on this computer, so it is short. */
const retry = { first: 250, most: 5000 };

const page = document.getElementById("page");
if (page === null) throw new Error("index.html has no place for the page");
const root = createRoot(page);
void start();

async function start(): Promise<void> {
  applySystemTheme();
  const fonts = loadFonts();
  const opened = await openMedium();
  if (!opened.ok) {
    root.render(<ClosedPage title="Muxdeck did not open" text={opened.text} />);
    return;
  }
  let deck: Deck | null = null;
  const link = new DeskLink(opened.transport, {
    message: (message) => deck?.message(message),
    bytes: (kind, pane, position, bytes) => deck?.panes.bytes(kind, pane, position, bytes),
    closed: ({ clean }) => {
      if (deck !== null) lost(deck, clean);
      else root.render(<ClosedPage title="Muxdeck did not open" text="It closed the link before it answered. Sessions keep running." />);
    },
  });
  const [hello] = await Promise.all([link.request({ t: "hello", windowId: sessionStorage.getItem(windowIdKey) }), fonts]);
  if (!hello.ok) {
    root.render(<ClosedPage title="Muxdeck did not open" text={plain(hello.error.message)} />);
    return;
  }
  sessionStorage.setItem(windowIdKey, hello.value.windowId);
  document.documentElement.dataset.host = hello.value.host;
  const store = createDeckStore(firstState(hello.value));
  document.documentElement.dataset.theme = store.getState().theme;
  provideDeckStore(store);
  deck = new Deck(store);
  deck.setLink(link);
  const opening = deck;
  deck.retryLink = () => {
    // In Electron a link comes with the page.
    if (window.muxdeck === undefined) void linkAgain(opening);
    else location.reload();
  };
  for (const text of hello.value.notices) deck.toast({ tone: "warn", title: plain(text), critical: true, buttons: [] });
  installKeys(deck);
  keepLayout(deck);
  askBeforeLeaving(deck);
  root.render(
    <StrictMode>
      <DeckProvider value={deck}>
        <App />
      </DeckProvider>
    </StrictMode>,
  );
  deck.focusActive();
  sayWhatTheTabKeeps(deck);
}

/** The link broke. A desk that said goodbye is not asked again by itself: it was closed, or another tab shows this window now. */
function lost(deck: Deck, clean: boolean): void {
  if (clean) deck.linkLost(0, "Muxdeck was closed, or this window is shown in another tab. Sessions keep running.");
  else if (window.muxdeck !== undefined) deck.linkLost(0, "The app's other half is gone. Sessions keep running. Start Muxdeck again.");
  else void linkAgain(deck);
}

/** Tries until the desk is back; then panes open anew, with their screens. */
async function linkAgain(deck: Deck): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    deck.linkLost(attempt, null);
    await new Promise((resolve) => setTimeout(resolve, Math.min(retry.most, retry.first * 2 ** (attempt - 1))));
    const opened = await openMedium();
    if (!opened.ok && opened.over) {
      deck.linkLost(attempt, opened.text);
      return;
    }
    if (opened.ok && (await greetAgain(deck, opened.transport))) return;
  }
}

async function greetAgain(deck: Deck, transport: Transport): Promise<boolean> {
  let greeted = false;
  const link = new DeskLink(transport, {
    message: (message) => deck.message(message),
    bytes: (kind, pane, position, bytes) => deck.panes.bytes(kind, pane, position, bytes),
    closed: ({ clean }) => {
      if (greeted) lost(deck, clean);
    },
  });
  const hello = await link.request({ t: "hello", windowId: deck.state.layout.windowId });
  if (!hello.ok) return false;
  greeted = true;
  deck.message({ t: "settings", settings: hello.value.settings });
  deck.message({ t: "machines", machines: hello.value.machines });
  deck.setLink(link);
  deck.changeLayout((layout) => ({ ...layout, windowId: hello.value.windowId }));
  return true;
}

function firstState(hello: HelloReply): DeckState {
  const fresh: WindowLayout = {
    windowId: hello.windowId,
    tabs: [emptyTab(randomId())],
    activeTab: null,
    sidebar: { shown: true, width: 256 },
    bounds: null,
  };
  const theme = hello.settings["appearance.theme"];
  return {
    link: { state: "live" },
    host: hello.host,
    product: hello.product,
    shell: hello.shell,
    user: hello.user,
    home: hello.home,
    settings: hello.settings,
    machines: hello.machines,
    machinesAt: performance.now(),
    layout: soundWindow({ ...(hello.layout ?? fresh), windowId: hello.windowId }, randomId),
    // A second window of a desk at work has no layout either; sessions that somebody is attached to say so.
    firstRun: hello.layout === null && hello.machines.every((machine) => machine.sessions.every((entry) => entry.attached.length === 0)),
    panes: {},
    terminalFocused: null,
    leader: null,
    question: null,
    toasts: [],
    left: {},
    theme: theme === "system" ? systemTheme() : theme,
    narrow: matchMedia(narrowWindow).matches,
    sidebarOver: false,
  };
}

function systemTheme(): "dark" | "light" {
  return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
}

/** Until the settings are known: what the system wants is the better guess. */
function applySystemTheme(): void {
  document.documentElement.dataset.theme = systemTheme();
}

/** A window that closes writes its layout first. */
function keepLayout(deck: Deck): void {
  window.addEventListener("pagehide", () => deck.saveNow());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") deck.saveNow();
  });
}

/** Said once in a browser: the tab's own keys cannot be typed, an app window's can. */
function sayWhatTheTabKeeps(deck: Deck): void {
  if (!isPlainTab() || localStorage.getItem(tabNoteKey) !== null) return;
  localStorage.setItem(tabNoteKey, "said");
  deck.toast({ title: "This tab keeps Ctrl+W, T, N and Tab for itself", text: "Open Muxdeck as an app window to type them." });
}

function isPlainTab(): boolean {
  return window.muxdeck === undefined && matchMedia("(display-mode: browser)").matches;
}

/** In a plain tab Ctrl+W is the browser's; a shell's “delete word” must not close the window without a question. */
function askBeforeLeaving(deck: Deck): void {
  if (!isPlainTab()) return;
  window.addEventListener("beforeunload", (event) => {
    const active = deck.active;
    if (active?.facts.role === "operator" && active.facts.state.state === "live" && deck.state.terminalFocused === active.leaf.holder)
      event.preventDefault();
  });
}
