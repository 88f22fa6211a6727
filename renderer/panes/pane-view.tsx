/**
 * One pane as it is drawn: header, the emulator's element, and what lies over it. Owns the hooks by which tests and assistive technology
 * find everything (`data-*`, names, roles). The emulator itself lives in deck/panes and only visits here.
 */
import { CornerUpRight, Eye, Info, Play, RotateCw, TriangleAlert } from "lucide-react";
import { type CSSProperties, useLayoutEffect, useRef } from "react";
import type { PaneLeaf } from "../../link/layout.js";
import { requestControl } from "../deck/actions.js";
import { useDeck } from "../deck/deck.js";
import { closePane } from "../deck/layout-moves.js";
import { setRole, startAgain } from "../deck/sessions.js";
import { findSession, firstFacts, type PaneFacts, useDeckState } from "../deck/state.js";
import type { Box } from "../layout/geometry.js";
import { activeTab, allLeaves } from "../layout/tabs.js";
import { copyText } from "../ui/clipboard.js";
import { StateGlyph } from "../ui/glyph.js";
import { useNow, usePast } from "../ui/tick.js";
import { byteCount } from "../ui/words.js";
import { type Band, type BandButton, bandOf, buttonWords, refusedMs } from "./bands.js";
import { DraftStrip } from "./draft-strip.js";
import { PaneHeader } from "./pane-header.js";
import { isForeign } from "./pane-menu.js";
import { saveText } from "./save-text.js";
import { SizeChip } from "./size-chip.js";

/** Smaller than this only the header is shown. */
const leastWidth = 160;
const leastHeight = 32 + 16 + 4 * 18;

export function PaneView({ leaf, box }: { leaf: PaneLeaf; box: Box }) {
  const deck = useDeck();
  const { holder } = leaf;
  const facts = useDeckState((state) => state.panes[holder]) ?? firstFacts(holder, leaf.role);
  const entry = useDeckState((state) => findSession(state.machines, leaf.machine, leaf.session));
  const machineName = useDeckState(() => deck.machineName(leaf.machine));
  const active = useDeckState((state) => activeTab(state.layout)?.active === holder);
  const focused = useDeckState((state) => state.terminalFocused === holder);
  const number = useDeckState((state) => paneNumber(allLeaves(state.layout), leaf));
  const session = deck.sessionName(leaf);
  const host = useRef<HTMLElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const bottom = useRef<HTMLDivElement>(null);
  const foreign = isForeign(facts);
  const tooSmall = box.width < leastWidth || box.height < leastHeight;

  useLayoutEffect(() => {
    const terminal = deck.panes.terminal(holder);
    if (terminal === null || body.current === null || host.current === null) return;
    terminal.mount(body.current, host.current);
    deck.mounted(holder);
    return () => terminal.unmount();
  }, [deck, holder]);

  useLayoutEffect(() => {
    deck.panes.terminal(holder)?.setForeign(foreign ? facts.fit : null);
  }, [deck, holder, foreign, facts.fit]);

  // Signs have the height of their words; the grid below has to know it.
  useLayoutEffect(() => {
    const [above, below] = [top.current, bottom.current];
    if (above === null || below === null) return;
    const tell = () => deck.panes.terminal(holder)?.setCovers({ top: above.offsetHeight, bottom: below.offsetHeight });
    const sizes = new ResizeObserver(tell);
    sizes.observe(above);
    sizes.observe(below);
    tell();
    return () => sizes.disconnect();
  }, [deck, holder]);

  const linked = useDeckState((state) => state.link.state === "live");
  const band = useBand(leaf, facts, session, machineName, linked);
  const { state } = facts.state;
  const faded = state === "reconnecting" || state === "lost" || (state === "failed" && facts.shown);
  const hooks = hooksOf(facts);
  const draftVisible = facts.draft !== null && state !== "ended";
  return (
    // biome-ignore lint/a11y/useSemanticElements: a pane is a group of controls, not a fieldset of a form
    <section
      ref={host}
      className={`pane${faded ? " pane-faded" : ""}${(state === "starting" || state === "failed") && !facts.shown ? " pane-empty" : ""}`}
      style={{ left: box.x, top: box.y, width: box.width, height: box.height }}
      role="group"
      aria-label={`Pane: ${session} on ${machineName}${number > 1 ? `, pane ${number}` : ""}`}
      aria-current={active ? "true" : undefined}
      data-session-id={leaf.session}
      data-machine={machineName}
      data-ring={active && focused ? (linked ? ringOf(facts) : "nowhere") : undefined}
      {...hooks}
    >
      <PaneHeader leaf={leaf} facts={facts} entry={entry} session={session} machine={machineName} />
      <div className="pane-body" ref={body}>
        <div className="pane-signs pane-signs-top" ref={top}>
          {band?.progressMs !== undefined && <Progress ms={band.progressMs} since={facts.heardAt} />}
          {band?.place === "top" && <BandView band={band} facts={facts} leaf={leaf} />}
        </div>
        <div className="pane-signs pane-signs-bottom" ref={bottom}>
          {draftVisible && facts.draft !== null && <DraftStrip leaf={leaf} draft={facts.draft} live={state === "live"} session={session} />}
          {band?.place === "bottom" && <BandView band={band} facts={facts} leaf={leaf} />}
        </div>
        {foreign && state !== "ended" && !draftVisible && <SizeChip leaf={leaf} facts={facts} />}
        {tooSmall && <div className="pane-too-small">Too small to show. Zoom the pane.</div>}
      </div>
    </section>
  );
}

function useBand(leaf: PaneLeaf, facts: PaneFacts, session: string, machine: string, linked: boolean): Band | null {
  const deck = useDeck();
  const { state } = facts.state;
  const ticking = state === "reconnecting" || state === "starting";
  const now = useNow(ticking);
  usePast(facts.hintUntil);
  usePast((facts.refused?.at ?? -refusedMs) + refusedMs);
  const ended = deck.endedAt(leaf.session);
  const created = deck.knownSession(leaf.session)?.created;
  const ranMs = ended === null || created === undefined ? null : ended - Date.parse(created);
  // Without its own link the window says so once, for all panes.
  if (!linked && facts.state.state === "reconnecting") return null;
  return bandOf(facts, { session, machine, now: ticking ? now : performance.now(), ranMs });
}

/** Where a key would go: the colour of the ring, and whether the cursor is solid. */
function ringOf(facts: PaneFacts): "program" | "nowhere" | "draft" {
  switch (facts.state.state) {
    case "ended":
    case "failed":
      return "nowhere";
    case "stale":
    case "reconnecting":
    case "lost":
      return facts.role === "operator" ? "draft" : "nowhere";
    case "starting":
    case "live":
      return facts.role === "operator" ? "program" : "nowhere";
  }
}

function hooksOf(facts: PaneFacts): Record<`data-${string}`, string | number | boolean> {
  const { state } = facts;
  const reason =
    "error" in state ? state.error.code : state.state === "ended" && state.reason === "agent-restarted" ? "agent-restarted" : "";
  const exit =
    state.state !== "ended" || state.exit === null ? "" : "code" in state.exit ? `code:${state.exit.code}` : `signal:${state.exit.signal}`;
  return {
    "data-state": state.state,
    "data-reason": reason,
    "data-exit": exit,
    "data-role": facts.role,
    "data-driver": facts.driver.mine,
    "data-cols": facts.size?.cols ?? "",
    "data-rows": facts.size?.rows ?? "",
    "data-behind-ms": Math.round(facts.behind.ms),
    "data-verified": facts.verified ?? "",
    "data-draft": facts.draft === null ? 0 : new TextEncoder().encode(facts.draft.text).length,
  };
}

/** Which of the panes of one session this is, from 1. */
function paneNumber(leaves: readonly PaneLeaf[], leaf: PaneLeaf): number {
  return (
    leaves
      .filter((entry) => entry.session === leaf.session && entry.machine === leaf.machine)
      .findIndex((entry) => entry.holder === leaf.holder) + 1
  );
}

function Progress({ ms, since }: { ms: number | null; since: number }) {
  const style: CSSProperties = ms === null ? {} : { animationDuration: `${ms}ms` };
  return (
    <div className={`pane-progress${ms === null ? " pane-progress-endless" : ""}`} aria-hidden="true">
      <i key={since} style={style} />
    </div>
  );
}

function BandView({ band, facts, leaf }: { band: Band; facts: PaneFacts; leaf: PaneLeaf }) {
  const press = useBandButtons(leaf, facts);
  return (
    <div
      className={`band band-${band.tone}${band.second === null || band.short === true ? "" : " band-two"}`}
      role={band.urgent ? "alert" : "status"}
    >
      <BandGlyph band={band} facts={facts} />
      <span className={`grow band-text${band.short === true ? " band-short" : ""}`}>
        <span className="band-first num">{band.first}</span>
        {band.second !== null && <span className="band-second">{band.second}</span>}
      </span>
      {band.buttons.length > 0 && (
        <span className="band-buttons">
          {band.buttons.map((button, index) => (
            <button
              key={button}
              type="button"
              className={`button button-small${index > 0 ? " button-bare" : ""}`}
              onClick={() => press(button)}
            >
              <ButtonIcon button={button} />
              {buttonWords[button]}
            </button>
          ))}
        </span>
      )}
    </div>
  );
}

function useBandButtons(leaf: PaneLeaf, facts: PaneFacts): (button: BandButton) => void {
  const deck = useDeck();
  const { holder } = leaf;
  return (button) => {
    switch (button) {
      case "reconnect":
        deck.link?.tell({ t: "reconnect", machine: leaf.machine });
        break;
      case "try-again":
        deck.link?.tell({ t: "reconnect", machine: leaf.machine });
        if (facts.state.state === "failed") deck.panes.reopen(holder);
        break;
      case "show-here":
        deck.panes.reopen(holder);
        break;
      case "operate":
        setRole(deck, holder, "operator");
        break;
      case "request-control":
        requestControl(deck, holder);
        break;
      case "cancel-request":
        deck.panes.set(holder, { asking: false });
        break;
      case "start-again":
        void startAgain(deck, holder);
        break;
      case "save-text":
        saveText(deck, leaf);
        break;
      case "copy-undelivered":
        if (facts.draft !== null) {
          copyText(facts.draft.text);
          deck.toast({ tone: "good", title: `${byteCount(new TextEncoder().encode(facts.draft.text).length)} copied` });
        }
        break;
      case "close-pane":
      case "cancel-start":
        closePane(deck, holder);
        return;
    }
    deck.focusTerminal(holder);
  };
}

function BandGlyph({ band, facts }: { band: Band; facts: PaneFacts }) {
  const look = { size: 14, strokeWidth: 1.75 };
  switch (band.tone) {
    case "reconnecting":
      return <StateGlyph state="reconnecting" turning />;
    case "ended":
      return <StateGlyph state="ended" />;
    case "observer":
      return <Eye {...look} className="is-observer" />;
    case "lost":
      return facts.state.state === "live" ? <TriangleAlert {...look} className="is-lost" /> : <StateGlyph state="lost" />;
    case "plain":
      return facts.state.state === "starting" ? <StateGlyph state="starting" /> : <Info {...look} className="is-2" />;
  }
}

function ButtonIcon({ button }: { button: BandButton }) {
  const look = { size: 12, strokeWidth: 1.75 };
  if (button === "start-again") return <Play {...look} />;
  if (button === "reconnect" || button === "try-again") return <RotateCw {...look} />;
  return button === "show-here" ? <CornerUpRight {...look} /> : null;
}
