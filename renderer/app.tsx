/**
 * The window: frame, work area, and the features that answer its questions. The only place that knows all features; owns what the whole
 * page follows (theme, width, title, `data-ready`).
 */
import { useEffect, useLayoutEffect, useRef } from "react";
import { useDeck } from "./deck/deck.js";
import { paneGap } from "./deck/layout-moves.js";
import { startAgain } from "./deck/sessions.js";
import { type DeckState, useDeckState } from "./deck/state.js";
import { AttachDialog } from "./features/attach/attach-dialog.js";
import { EndSessionDialog } from "./features/end-session/end-session-dialog.js";
import { KeysDialog } from "./features/keys/keys-dialog.js";
import { LeaderPanel } from "./features/leader/leader-panel.js";
import { LinkDialog } from "./features/open-link/link-dialog.js";
import { PasteDialog } from "./features/paste-guard/paste-dialog.js";
import { RenameSessionDialog, RenameTabDialog } from "./features/rename/rename-dialogs.js";
import { SignalDialog } from "./features/send-signal/signal-dialog.js";
import { StartPage } from "./features/start/start-page.js";
import { activeTab, changeTab, visibleLeaves } from "./layout/tabs.js";
import { WorkArea } from "./layout/work-area.js";
import { Sidebar } from "./machines/sidebar.js";
import { PaneView } from "./panes/pane-view.js";
import { textBytes } from "./terminal/input.js";
import { bracket, filterPaste, needsLook } from "./terminal/paste.js";
import { StateGlyph } from "./ui/glyph.js";
import { Toasts } from "./ui/toasts.js";
import { StatusBar } from "./window/status-bar.js";
import { tabName } from "./window/tab-strip.js";
import { TitleStrip } from "./window/title-strip.js";

/** Below 860 px the sidebar lies over the work area. */
export const narrowWindow = "(max-width: 859px)";

export function App() {
  const sidebar = useDeckState((state) => state.layout.sidebar);
  const narrow = useDeckState((state) => state.narrow);
  const over = useDeckState((state) => state.sidebarOver);
  useAnswers();
  useSidebarAway();
  useTheme();
  useNarrow();
  useTitle();
  useReady();
  const beside = sidebar.shown && !narrow;
  const shown = narrow ? over : sidebar.shown;
  return (
    <div className="window" data-sidebar={beside ? "shown" : undefined} style={{ "--side": beside ? `${sidebar.width}px` : "0px" }}>
      <TitleStrip sidebarShown={shown} />
      {shown && <Sidebar over={narrow} />}
      <Workspace />
      <StatusBar />
      <Toasts />
      <LeaderPanel />
      <QuestionView />
    </div>
  );
}

function Workspace() {
  const deck = useDeck();
  const tab = useDeckState((state) => activeTab(state.layout));
  const name = useDeckState((state) => {
    const active = activeTab(state.layout);
    return active === null ? "" : tabName(deck, active);
  });
  const area = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const main = area.current;
    if (main === null) return;
    const measure = () => {
      deck.workArea = { width: main.clientWidth, height: main.clientHeight };
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(main);
    measure();
    return () => sizes.disconnect();
  }, [deck]);
  return (
    <main ref={area} className="work" aria-label="Workspace">
      {tab === null || tab.root === null ? (
        <StartPage tab={tab?.id ?? ""} name={name} />
      ) : (
        <WorkArea
          key={tab.id}
          tab={tab}
          name={name}
          gap={paneGap}
          onChange={(root) => deck.changeLayout((layout) => changeTab(layout, tab.id, (entry) => ({ ...entry, root })))}
          onDone={() => deck.focusActive()}
          pane={(leaf, box) => <PaneView key={leaf.holder} leaf={leaf} box={box} />}
        />
      )}
      <LinkBand />
    </main>
  );
}

/** The window's own link is gone: said once for all panes. */
function LinkBand() {
  const deck = useDeck();
  const link = useDeckState((state) => state.link);
  if (link.state === "live") return null;
  const trying = link.state === "retrying";
  return (
    <div className="window-band" role="alert">
      <div className={`band band-two band-${trying ? "reconnecting" : "lost"}`}>
        <StateGlyph state={trying ? "reconnecting" : "lost"} turning />
        <span className="grow band-text">
          <span className="band-first num">
            {trying ? `This window lost Muxdeck. Trying again, attempt ${link.attempt}` : "This window has no link to Muxdeck any more"}
          </span>
          <span className="band-second">{trying ? "Sessions keep running. What you type now goes nowhere." : link.text}</span>
        </span>
        {!trying && (
          <span className="band-buttons">
            <button type="button" className="button button-small" onClick={() => deck.retryLink()}>
              Try again
            </button>
          </span>
        )}
      </div>
    </div>
  );
}

function QuestionView() {
  const deck = useDeck();
  const question = useDeckState((state) => state.question);
  const asked = question !== null;
  useEffect(() => {
    if (!asked) return;
    // An open dialog holds the focus: nothing below it could take it before it is gone.
    return () => deck.focusActive();
  }, [deck, asked]);
  switch (question?.kind) {
    case undefined:
      return null;
    case "attach":
      return <AttachDialog />;
    case "keys":
      return <KeysDialog />;
    case "rename-session":
      return <RenameSessionDialog question={question} />;
    case "rename-tab":
      return <RenameTabDialog question={question} />;
    case "signal":
      return <SignalDialog question={question} />;
    case "end-session":
      return <EndSessionDialog question={question} />;
    case "paste":
      return <PasteDialog question={question} />;
    case "open-link":
      return <LinkDialog question={question} />;
  }
}

/** What panes ask: a paste may need a look, Enter at an ended session starts it again. */
function useAnswers(): void {
  const deck = useDeck();
  useEffect(() => {
    deck.answers = {
      pasted: (holder, text) => {
        const terminal = deck.panes.terminal(holder);
        const leaf = deck.leaf(holder);
        if (terminal === null || leaf === null) return;
        const paste = filterPaste(text);
        const send = (safe: string) => deck.panes.input(holder, textBytes(bracket(safe, terminal.bracketedPaste)));
        if (paste.text === "" && paste.hidden.length === 0) return;
        if (needsLook(paste, terminal.bracketedPaste)) {
          deck.ask({ kind: "paste", paste, session: deck.sessionName(leaf), bracketed: terminal.bracketedPaste, send });
        } else {
          send(paste.text);
        }
      },
      again: (holder) => void startAgain(deck, holder),
    };
  }, [deck]);
}

/** A sidebar that lies over the work area goes away with Esc or a press beside it. */
function useSidebarAway(): void {
  const deck = useDeck();
  const over = useDeckState((state) => state.sidebarOver);
  useEffect(() => {
    if (!over) return;
    const away = () => deck.store.setState({ sidebarOver: false });
    const onPointerDown = (event: PointerEvent) => {
      const kept = 'nav, [role="menu"], [aria-label="Hide sidebar"]';
      if (event.target instanceof Element && event.target.closest(kept) === null) away();
    };
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || deck.state.question !== null || document.activeElement?.closest("nav") === null) return;
      away();
      deck.focusActive();
    };
    window.addEventListener("pointerdown", onPointerDown);
    window.addEventListener("keydown", onKeyDown);
    return () => {
      window.removeEventListener("pointerdown", onPointerDown);
      window.removeEventListener("keydown", onKeyDown);
    };
  }, [deck, over]);
}

/** The chosen theme, or the system's. */
function useTheme(): void {
  const deck = useDeck();
  const wanted = useDeckState((state) => state.settings["appearance.theme"]);
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: light)");
    const apply = () => {
      const theme = wanted === "system" ? (system.matches ? "light" : "dark") : wanted;
      if (document.documentElement.dataset.theme === theme) return;
      document.documentElement.dataset.theme = theme;
      deck.store.setState({ theme });
      deck.panes.setLook();
    };
    apply();
    system.addEventListener("change", apply);
    return () => system.removeEventListener("change", apply);
  }, [deck, wanted]);
}

function useNarrow(): void {
  const deck = useDeck();
  useEffect(() => {
    const query = matchMedia(narrowWindow);
    const apply = () => deck.store.setState({ narrow: query.matches, sidebarOver: false });
    apply();
    query.addEventListener("change", apply);
    return () => query.removeEventListener("change", apply);
  }, [deck]);
}

function useTitle(): void {
  const deck = useDeck();
  const title = useDeckState(() => {
    const leaf = deck.active?.leaf;
    return leaf === undefined ? "Muxdeck" : `${deck.sessionName(leaf)} on ${deck.machineName(leaf.machine)} — Muxdeck`;
  });
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** The layout is restored and every visible pane is past its start: said once, on the root. */
function useReady(): void {
  const ready = useDeckState(isReady);
  useEffect(() => {
    if (ready) document.documentElement.dataset.ready = "true";
  }, [ready]);
}

function isReady(state: DeckState): boolean {
  return visibleLeaves(state.layout).every((leaf) => {
    const facts = state.panes[leaf.holder];
    return facts !== undefined && facts.state.state !== "starting";
  });
}
