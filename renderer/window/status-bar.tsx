/** The status bar: the links at the left, the focused pane at the right. Says nothing that only stands here, has no buttons. */
import { Keyboard, RotateCw, ShieldCheck, ShipWheel } from "lucide-react";
import { useDeck } from "../deck/deck.js";
import { type DeckState, findMachine, type PaneFacts, useDeckState } from "../deck/state.js";
import { activeTab } from "../layout/tabs.js";
import { type GlyphState, StateGlyph } from "../ui/glyph.js";
import { useNow } from "../ui/tick.js";
import { countdown, duration, plain } from "../ui/words.js";

const tiny = { size: 14, strokeWidth: 1.75 };

export function StatusBar() {
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: outside of articles and sections a footer is a landmark, which has a name
    <footer className="status" aria-label="Status">
      <Links />
      <FocusedPane />
    </footer>
  );
}

/** Words for machines by the state of their link. */
const linkWords: { state: DeckState["machines"][number]["state"]; word: string; glyph: GlyphState }[] = [
  { state: "live", word: "live", glyph: "live" },
  { state: "stale", word: "stale", glyph: "stale" },
  { state: "reconnecting", word: "reconnecting", glyph: "reconnecting" },
  { state: "lost", word: "lost", glyph: "lost" },
];

function Links() {
  const machines = useDeckState((state) => state.machines);
  const link = useDeckState((state) => state.link.state);
  const [only] = machines;
  const counts = linkWords
    .map((entry) => ({ ...entry, count: machines.filter((machine) => machine.state === entry.state).length }))
    .filter((entry) => entry.count > 0);
  if (link !== "live") {
    return (
      <div className="status-part" role="status" aria-label="Links">
        <span>
          <StateGlyph state={link === "retrying" ? "reconnecting" : "lost"} turning />
          No link to Muxdeck
        </span>
      </div>
    );
  }
  return (
    <div className="status-part" role="status" aria-label="Links">
      {machines.length === 1 && only !== undefined
        ? counts.map((entry) => (
            <span key={entry.state}>
              <StateGlyph state={entry.glyph} turning />
              This machine is {entry.word}
            </span>
          ))
        : counts.map((entry) => (
            <span key={entry.state}>
              <StateGlyph state={entry.glyph} turning />
              {entry.count} {entry.word}
            </span>
          ))}
    </div>
  );
}

function FocusedPane() {
  const deck = useDeck();
  const product = useDeckState((state) => state.product);
  const holder = useDeckState((state) => activeTab(state.layout)?.active ?? null);
  const facts = useDeckState((state) => (holder === null ? undefined : state.panes[holder]));
  const leaf = holder === null ? null : deck.leaf(holder);
  const roundTrip = useDeckState((state) => (leaf === null ? null : (findMachine(state.machines, leaf.machine)?.roundTripMs ?? null)));
  // Drawn again when a name changes.
  useDeckState((state) => state.machines);
  if (leaf === null || facts === undefined) {
    return (
      <div className="status-part status-end" role="status" aria-label="Focused pane">
        <span className="is-3">Muxdeck {product}</span>
      </div>
    );
  }
  const machine = deck.machineName(leaf.machine);
  return (
    <div className="status-part status-end" role="status" aria-label="Focused pane">
      <State facts={facts} machine={machine} />
      <Drafts />
      <Verified facts={facts} />
      <Size facts={facts} />
      <span className="ellipsis">
        {machine} / {deck.sessionName(leaf)}
      </span>
      {roundTrip !== null && facts.state.state === "live" && (
        <span className="is-3 num status-wide">round trip {milliseconds(roundTrip)}</span>
      )}
    </div>
  );
}

function State({ facts, machine }: { facts: PaneFacts; machine: string }) {
  const { state } = facts.state;
  const now = useNow(state === "stale" || state === "reconnecting");
  if (facts.state.state === "stale") {
    return (
      <span className="is-stale num">
        {machine} has not answered for {duration(facts.state.silentMs + now - facts.heardAt)}.
      </span>
    );
  }
  if (facts.state.state === "reconnecting" && facts.state.nextTryMs !== null) {
    return (
      <span className="is-reconnecting num">
        <RotateCw {...tiny} />
        next try in {countdown(facts.state.nextTryMs - (now - facts.heardAt))}
      </span>
    );
  }
  return null;
}

function Drafts() {
  const count = useDeckState(
    (state) => Object.values(state.panes).filter((facts) => facts.draft !== null && facts.state.state !== "ended").length,
  );
  if (count === 0) return null;
  return (
    <span className="is-stale">
      <Keyboard {...tiny} />
      {count === 1 ? "1 unsent draft" : `${count} unsent drafts`}
    </span>
  );
}

function Verified({ facts }: { facts: PaneFacts }) {
  if (facts.verified === null || facts.state.state !== "live") return null;
  return (
    <span className="status-wide">
      <ShieldCheck {...tiny} className="is-live" />
      screen verified
    </span>
  );
}

function Size({ facts }: { facts: PaneFacts }) {
  const { driver, size } = facts;
  if (size === null || facts.state.state === "ended" || (!driver.mine && driver.name === null)) return null;
  return (
    <span className="num status-wide">
      <ShipWheel {...tiny} className="is-driver" />
      {driver.mine ? "You set" : `${plain(driver.name ?? "")} sets`} the size, {size.cols}×{size.rows}
    </span>
  );
}

function milliseconds(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}
