/**
 * A pane's header: where am I, may I type, is this live. Owns what stands in it and in which order; what goes first when it gets narrow is
 * in panes.css.
 */
import { CircleStop, Clock, Ellipsis, Eye, Keyboard, LockKeyhole, Maximize2, Minimize2, ShipWheel, X } from "lucide-react";
import { type CSSProperties, useEffect, useId, useState } from "react";
import type { PaneLeaf } from "../../link/layout.js";
import type { SessionEntry } from "../../protocol/values.js";
import { type Deck, useDeck } from "../deck/deck.js";
import { closePane, toggleZoom } from "../deck/layout-moves.js";
import { toggleRole } from "../deck/sessions.js";
import { type PaneFacts, useDeckState } from "../deck/state.js";
import { tabOf } from "../layout/tabs.js";
import { leaves } from "../layout/tree.js";
import { machineColour, personColour } from "../ui/colour-of.js";
import { StateGlyph } from "../ui/glyph.js";
import { anchorAt, Menu, type MenuItem, Popover, useFloat } from "../ui/menu.js";
import { useNow } from "../ui/tick.js";
import { duration, initials, plain } from "../ui/words.js";
import { paneMenu } from "./pane-menu.js";

const small = { size: 14, strokeWidth: 1.75 };
const tiny = { size: 12, strokeWidth: 1.75 };

export interface PaneHeaderProps {
  leaf: PaneLeaf;
  facts: PaneFacts;
  entry: SessionEntry | null;
  session: string;
  machine: string;
}

export function PaneHeader({ leaf, facts, entry, session, machine }: PaneHeaderProps) {
  const deck = useDeck();
  const { holder } = leaf;
  const tab = useDeckState((state) => tabOf(state.layout, holder));
  const isThis = useDeckState((state) => state.machines[0]?.machine === leaf.machine);
  const menu = useFloat();
  const alone = leaves(tab?.root ?? null).length < 2;
  const zoomed = tab?.zoomed === holder;
  const { state } = facts.state;
  const title = plain(entry?.title ?? "");
  const colour: CSSProperties & Record<"--machine-colour", string> = { "--machine-colour": machineColour(leaf.machine, isThis) };
  return (
    <header className="pane-header">
      <StateGlyph state={state} name={state} turning />
      <span className="pane-name ellipsis" title={title === "" ? session : `${session}: ${title}`}>
        {session}
      </span>
      <span className="pane-machine" style={colour} title={machine}>
        <span className="ellipsis">{machine}</span>
      </span>
      <Flags facts={facts} />
      <span className="grow" />
      {state !== "ended" && entry !== null && <People entry={entry} />}
      {state !== "ended" && <SizeButton leaf={leaf} facts={facts} />}
      <RoleSwitch holder={holder} facts={facts} />
      <span className="pane-actions">
        {!alone && (
          <button
            type="button"
            className="icon-button icon-button-small pane-action-optional"
            aria-label="Zoom pane"
            aria-pressed={zoomed}
            title={zoomed ? "Show all panes" : "Zoom pane"}
            onClick={() => toggleZoom(deck, holder)}
          >
            {zoomed ? <Minimize2 {...small} /> : <Maximize2 {...small} />}
          </button>
        )}
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label="Pane menu"
          aria-haspopup="menu"
          aria-expanded={menu.anchor !== null}
          title="Pane menu"
          onClick={(event) => menu.open(anchorAt(event.currentTarget))}
        >
          <Ellipsis {...small} />
        </button>
        <button
          type="button"
          className="icon-button icon-button-small pane-action-optional"
          aria-label="Close pane"
          title="Close pane: the session keeps running"
          onClick={() => closePane(deck, holder)}
        >
          <X {...small} />
        </button>
      </span>
      {menu.anchor !== null && (
        <Menu anchor={menu.anchor} onClose={menu.close} label="Pane menu" items={thenBack(deck, holder, paneMenu(deck, leaf, facts))} />
      )}
    </header>
  );
}

/** After a choice the keys go to the terminal again, not to the button that opened the menu. */
function thenBack(deck: Deck, holder: string, items: MenuItem[]): MenuItem[] {
  return items.map((item) =>
    item.kind === "line"
      ? item
      : {
          ...item,
          run: () => {
            item.run();
            deck.focusTerminal(holder);
          },
        },
  );
}

function Flags({ facts }: { facts: PaneFacts }) {
  const { state } = facts;
  const now = useNow(state.state === "stale");
  if (state.state === "stale") {
    return <Flag tone="stale" text={`no answer ${duration(state.silentMs + now - facts.heardAt)}`} />;
  }
  if (state.state === "ended") {
    if (state.reason === "agent-restarted") return <Flag tone="ended" text="agent restarted" />;
    if (state.exit === null) return null;
    if ("code" in state.exit) return <Flag tone={state.exit.code === 0 ? "ended" : "lost"} text={`exit ${state.exit.code}`} />;
    return <Flag tone="lost" text={state.exit.signal} />;
  }
  if (facts.behind.ms > 1000) return <Flag tone="stale" text={`${duration(facts.behind.ms)} behind`} />;
  return null;
}

function Flag({ tone, text }: { tone: "stale" | "lost" | "ended"; text: string }) {
  return (
    <span className={`chip chip-${tone}`} role="note" aria-label={text} title={text}>
      <span className="chip-icon">{tone === "stale" ? <Clock {...tiny} /> : <CircleStop {...tiny} />}</span>
      <span className="chip-word">{text}</span>
    </span>
  );
}

function People({ entry }: { entry: SessionEntry }) {
  const popover = useFloat();
  const id = useId();
  const people = entry.attached.map((client, index) => ({ ...client, name: plain(client.name), key: `${client.name} ${index}` }));
  if (people.length === 0) return null;
  const what = (client: (typeof people)[number]) =>
    entry.driver === client.name ? "drives" : client.role === "observer" ? "observes" : "operates";
  const shown = people.slice(0, 3);
  return (
    <>
      <button
        type="button"
        className="pane-people"
        aria-label="People"
        aria-describedby={id}
        aria-haspopup="dialog"
        aria-expanded={popover.anchor !== null}
        onClick={(event) => popover.open(anchorAt(event.currentTarget))}
      >
        {shown.map((client) => (
          <Person key={client.key} name={client.name} />
        ))}
        {people.length > shown.length ? <span>+{people.length - shown.length}</span> : null}
        {people.length > 1 && people.length <= shown.length && <span className="pane-people-more">+{people.length - 1}</span>}
      </button>
      <span id={id} className="unseen">
        {people.map((client) => `${client.name} ${what(client)}`).join(", ")}
      </span>
      {popover.anchor !== null && (
        <Popover anchor={popover.anchor} onClose={popover.close} label="People">
          <ul>
            {people.map((client) => (
              <li key={client.key}>
                <Person name={client.name} />
                <span className="grow ellipsis">{client.name}</span>
                <span className="is-3">{what(client)}</span>
              </li>
            ))}
          </ul>
        </Popover>
      )}
    </>
  );
}

function Person({ name }: { name: string }) {
  return (
    <span className="person" style={{ background: personColour(name) }} aria-hidden="true">
      {initials(name)}
    </span>
  );
}

function SizeButton({ leaf, facts }: { leaf: PaneLeaf; facts: PaneFacts }) {
  const deck = useDeck();
  const menu = useFloat();
  const id = useId();
  const { driver, size } = facts;
  if (size === null || (!driver.mine && driver.name === null)) return null;
  const grid = `${size.cols}×${size.rows}`;
  const owner = plain(driver.name ?? "");
  const ofSize = ["Request control", "Take size", "Release size", "Fit", "Pan", "Exclusive"];
  const items = thenBack(
    deck,
    leaf.holder,
    paneMenu(deck, leaf, facts).filter((item) => item.kind !== "line" && ofSize.includes(item.label)),
  );
  return (
    <>
      <button
        type="button"
        className="pane-size"
        aria-label="Size"
        aria-describedby={id}
        aria-haspopup="menu"
        aria-expanded={menu.anchor !== null}
        title={driver.mine ? `You set the size, ${grid}` : `${owner} sets the size, ${grid}`}
        onClick={(event) => menu.open(anchorAt(event.currentTarget))}
      >
        <ShipWheel {...small} className="is-driver" {...(driver.exclusive ? { strokeWidth: 2.5 } : {})} />
        {driver.mine ? <span className="pane-size-own">{grid}</span> : <span className="pane-size-owner">{owner}</span>}
      </button>
      <span id={id} className="unseen">
        {driver.mine ? `You set ${grid}` : `${owner} sets ${grid}`}
      </span>
      {menu.anchor !== null && items.length > 0 && <Menu anchor={menu.anchor} onClose={menu.close} label="Size" items={items} />}
    </>
  );
}

function RoleSwitch({ holder, facts }: { holder: string; facts: PaneFacts }) {
  const deck = useDeck();
  const id = useId();
  const [pulse, setPulse] = useState(0);
  const { hintUntil } = facts;
  useEffect(() => {
    if (hintUntil > performance.now()) setPulse((count) => count + 1);
  }, [hintUntil]);
  const over = facts.state.state === "ended" || facts.state.state === "failed";
  const locked = facts.driver.exclusive && !facts.driver.mine;
  const why = over
    ? "The session has ended."
    : facts.refused !== null
      ? plain(facts.refused.error.message)
      : locked
        ? `${plain(facts.driver.name ?? "The driver")} has exclusive control.`
        : "";
  return (
    <>
      <button
        key={pulse}
        type="button"
        className={`role-switch${pulse > 0 && hintUntil > performance.now() ? " role-switch-pulse" : ""}`}
        role="switch"
        aria-label="Operator"
        aria-checked={facts.role === "operator"}
        aria-disabled={over || undefined}
        aria-describedby={why === "" ? undefined : id}
        title={facts.role === "operator" ? "You may type. Switch to watch only." : "You watch. Switch to type."}
        onClick={() => toggleRole(deck, holder)}
      >
        <span>
          <Eye {...tiny} />
          <span className="role-switch-word">Observe</span>
        </span>
        <span>
          {locked ? <LockKeyhole {...tiny} /> : <Keyboard {...tiny} />}
          <span className="role-switch-word">Operate</span>
        </span>
      </button>
      {why !== "" && (
        <span id={id} className="unseen">
          {why}
        </span>
      )}
    </>
  );
}
