/**
 * The sidebar: filter, and the tree of machines with their sessions. Owns its keys (arrows as in any tree, Enter attaches) and menus. Which
 * rows there are is tree-rows.ts.
 */
import { ChevronDown, Ellipsis, Eye, Plus, Search, ShipWheel, SquareTerminal } from "lucide-react";
import { type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode, useId, useRef, useState } from "react";
import { useDeck } from "../deck/deck.js";
import { startSession } from "../deck/sessions.js";
import { useDeckState } from "../deck/state.js";
import { machineColour } from "../ui/colour-of.js";
import { StateGlyph } from "../ui/glyph.js";
import { type Anchor, anchorAt, anchorAtPoint, Menu, useFloat } from "../ui/menu.js";
import { plain, plainCommand } from "../ui/words.js";
import { activateSession, machineMenu, sessionMenu } from "./session-menu.js";
import { type MachineRow, type SessionRow, treeGroups } from "./tree-rows.js";

const small = { size: 14, strokeWidth: 1.75 };
const tiny = { size: 12, strokeWidth: 1.75 };
const narrowest = 200;
const widest = 420;

export function Sidebar({ over }: { over: boolean }) {
  const machines = useDeckState((state) => state.machines);
  const [filter, setFilter] = useState("");
  const groups = treeGroups(machines, filter);
  const tree = useRef<HTMLDivElement>(null);
  return (
    <nav className={`side${over ? " side-over" : ""}`} aria-label="Machines">
      <div className="side-filter">
        <Search {...tiny} />
        <input
          className="field"
          type="search"
          aria-label="Filter machines and sessions"
          placeholder="Filter machines and sessions"
          spellCheck={false}
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setFilter("");
            if (event.key !== "ArrowDown") return;
            event.preventDefault();
            tree.current?.querySelector<HTMLElement>('[role="treeitem"][tabindex="0"]')?.focus();
          }}
        />
      </div>
      <Tree groups={groups} element={tree} />
      {!over && <SideEdge />}
    </nav>
  );
}

function Tree({ groups, element }: { groups: ReturnType<typeof treeGroups>; element: React.RefObject<HTMLDivElement | null> }) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);
  const ids = groups.flatMap((group) => [
    `g ${group.name}`,
    ...(closed.has(`g ${group.name}`)
      ? []
      : group.machines.flatMap((row) => [`m ${row.machine.machine}`, ...row.sessions.map((session) => `s ${session.entry.sessionId}`)])),
  ]);
  const stop = current !== null && ids.includes(current) ? current : (ids[0] ?? null);
  const toggle = (id: string, open: boolean) =>
    setClosed((before) => {
      const next = new Set(before);
      if (open) next.delete(id);
      else next.add(id);
      return next;
    });

  const onKeyDown = (event: KeyboardEvent) => {
    const item = event.target instanceof HTMLElement && event.target.getAttribute("role") === "treeitem" ? event.target : null;
    if (item === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const all = [...(element.current?.querySelectorAll<HTMLElement>('[role="treeitem"]') ?? [])];
    const at = all.indexOf(item);
    const expanded = item.getAttribute("aria-expanded");
    const id = item.getAttribute("data-id") ?? "";
    const go = (to: HTMLElement | undefined) => to?.focus();
    switch (event.key) {
      case "ArrowDown":
        go(all[at + 1]);
        break;
      case "ArrowUp":
        go(all[at - 1]);
        break;
      case "Home":
        go(all[0]);
        break;
      case "End":
        go(all[all.length - 1]);
        break;
      case "ArrowRight":
        if (expanded === "false") toggle(id, true);
        else if (expanded === "true") go(all[at + 1]);
        break;
      case "ArrowLeft":
        if (expanded === "true") toggle(id, false);
        else go(item.parentElement?.closest<HTMLElement>('[role="treeitem"]') ?? undefined);
        break;
      case "Enter":
      case " ":
        item.querySelector<HTMLElement>(":scope > .row")?.click();
        break;
      case "ContextMenu":
      case "F10": {
        if (event.key === "F10" && !event.shiftKey) return;
        item.querySelector<HTMLElement>(':scope > .row button[aria-haspopup="menu"]')?.click();
        break;
      }
      default: {
        if (event.key.length !== 1) return;
        const from = [...all.slice(at + 1), ...all.slice(0, at + 1)];
        go(from.find((other) => other.getAttribute("aria-label")?.toLowerCase().startsWith(event.key.toLowerCase())));
      }
    }
    event.preventDefault();
  };

  if (groups.length === 0) {
    return <div className="side-empty">Nothing here has that name.</div>;
  }
  return (
    <div ref={element} className="tree" role="tree" aria-label="Machines and sessions" tabIndex={-1} onKeyDown={onKeyDown}>
      {groups.map((group) => {
        const id = `g ${group.name}`;
        const open = !closed.has(id);
        return (
          <Item key={id} id={id} name={group.name} level={1} expanded={open} stop={stop} onFocus={setCurrent}>
            {/* biome-ignore lint/a11y/noStaticElementInteractions: the tree item around it takes the keys */}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the tree item around it takes the keys */}
            <div className="row row-group" onClick={() => toggle(id, !open)}>
              <ChevronDown {...tiny} />
              <span className="grow ellipsis">{group.name}</span>
            </div>
            {open && (
              // biome-ignore lint/a11y/useSemanticElements: the rows of one tree item, not fields of a form
              <div role="group">
                {group.machines.map((row) => (
                  <MachineItem
                    key={row.machine.machine}
                    row={row}
                    isThis={group.name === "This machine"}
                    stop={stop}
                    onFocus={setCurrent}
                  />
                ))}
              </div>
            )}
          </Item>
        );
      })}
    </div>
  );
}

interface ItemProps {
  id: string;
  name: string;
  level: number;
  expanded?: boolean;
  selected?: boolean;
  description?: string;
  stop: string | null;
  onFocus: (id: string) => void;
  children: ReactNode;
}

function Item({ id, name, level, expanded, selected, description, stop, onFocus, children }: ItemProps) {
  const descriptionId = useId();
  return (
    <div
      role="treeitem"
      aria-label={name}
      aria-level={level}
      aria-expanded={expanded}
      aria-selected={selected ?? false}
      aria-describedby={description === undefined ? undefined : descriptionId}
      data-id={id}
      tabIndex={stop === id ? 0 : -1}
      onFocus={(event) => {
        if (event.target === event.currentTarget) onFocus(id);
      }}
    >
      {children}
      {description !== undefined && (
        <span id={descriptionId} className="unseen">
          {description}
        </span>
      )}
    </div>
  );
}

interface RowProps {
  stop: string | null;
  onFocus: (id: string) => void;
}

function MachineItem({ row, isThis, stop, onFocus }: RowProps & { row: MachineRow; isThis: boolean }) {
  const deck = useDeck();
  const menu = useFloat();
  const { machine, name } = row;
  const colour: CSSProperties & Record<"--machine-colour", string> = { "--machine-colour": machineColour(machine.machine, isThis) };
  const items = () => machineMenu(deck, machine);
  return (
    <Item id={`m ${machine.machine}`} name={name} level={2} expanded={true} description={row.description} stop={stop} onFocus={onFocus}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the tree item around it takes the keys */}
      <div
        className="row"
        onContextMenu={(event) => {
          event.preventDefault();
          menu.open(anchorAtPoint(event));
        }}
        onDoubleClick={() => void startSession(deck, { machine: machine.machine })}
      >
        <StateGlyph state={row.glyph} turning />
        <span className="grow ellipsis is-strong" title={name}>
          {name}
        </span>
        {machine.root && <span className="chip chip-lost">root</span>}
        <span className="row-buttons">
          <RowButton
            label={`New session on ${name}`}
            icon={<Plus {...small} />}
            onPress={() => void startSession(deck, { machine: machine.machine })}
          />
          <MoreButton label={`More for ${name}`} open={menu.anchor !== null} onOpen={menu.open} />
        </span>
        <span className="row-meta row-fact">{row.fact}</span>
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: the rows of one tree item, not fields of a form */}
      <div role="group" style={colour}>
        {row.sessions.map((session) => (
          <SessionItem
            key={session.entry.sessionId}
            row={session}
            machine={machine.machine}
            machineName={name}
            stop={stop}
            onFocus={onFocus}
          />
        ))}
      </div>
      {menu.anchor !== null && <Menu anchor={menu.anchor} onClose={menu.close} label={`More for ${name}`} items={items()} />}
    </Item>
  );
}

function SessionItem({ row, machine, machineName, stop, onFocus }: RowProps & { row: SessionRow; machine: string; machineName: string }) {
  const deck = useDeck();
  const menu = useFloat();
  const { entry, name } = row;
  const shown = useDeckState(() => deck.active?.leaf.session === entry.sessionId);
  const pane = useDeckState((state) => Object.values(state.panes).find((facts) => deck.leaf(facts.holder)?.session === entry.sessionId));
  const title = plain(entry.title);
  const hover = [plainCommand(entry.command), title].filter((part) => part !== "").join("\n");
  return (
    <Item id={`s ${entry.sessionId}`} name={name} level={3} selected={shown} description={row.description} stop={stop} onFocus={onFocus}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the tree item around it takes the keys */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the tree item around it takes the keys */}
      <div
        className="row row-session"
        title={hover}
        onClick={(event) => activateSession(deck, machine, entry.sessionId, event.ctrlKey || event.metaKey)}
        onContextMenu={(event) => {
          event.preventDefault();
          menu.open(anchorAtPoint(event));
        }}
      >
        <span className="row-slot">{row.ended ? <StateGlyph state="ended" /> : <SquareTerminal {...small} />}</span>
        <span className="grow ellipsis">{name}</span>
        <span className="row-buttons">
          <MoreButton label={`More for ${name} on ${machineName}`} open={menu.anchor !== null} onOpen={menu.open} />
        </span>
        <span className="row-fact">
          {!row.ended && pane?.role === "observer" && <Eye {...tiny} className="is-observer" aria-label="observer" />}
          {!row.ended && pane?.driver.mine === true && <ShipWheel {...tiny} className="is-driver" aria-label="driver" />}
          {row.fact !== "" && <span className="row-meta">{row.fact}</span>}
        </span>
      </div>
      {menu.anchor !== null && (
        <Menu
          anchor={menu.anchor}
          onClose={menu.close}
          label={`More for ${name} on ${machineName}`}
          items={sessionMenu(deck, machine, entry)}
        />
      )}
    </Item>
  );
}

function RowButton({ label, icon, onPress }: { label: string; icon: ReactNode; onPress: () => void }) {
  return (
    <button
      type="button"
      className="icon-button icon-button-small"
      aria-label={label}
      title={label}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        onPress();
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      {icon}
    </button>
  );
}

function MoreButton({ label, open, onOpen }: { label: string; open: boolean; onOpen: (anchor: Anchor) => void }) {
  return (
    <button
      type="button"
      className="icon-button icon-button-small"
      aria-label={label}
      aria-haspopup="menu"
      aria-expanded={open}
      title={label}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        onOpen(anchorAt(event.currentTarget, "left"));
      }}
      onDoubleClick={(event) => event.stopPropagation()}
    >
      <Ellipsis {...small} />
    </button>
  );
}

/** The sidebar's right edge: drag, or arrows. */
function SideEdge() {
  const deck = useDeck();
  const width = useDeckState((state) => state.layout.sidebar.width);
  const setWidth = (wanted: number) => {
    const next = Math.max(narrowest, Math.min(widest, Math.round(wanted)));
    deck.changeLayout((layout) => ({ ...layout, sidebar: { ...layout.sidebar, width: next } }));
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) setWidth(event.clientX);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: an hr cannot be moved; this separator is a control
    <div
      className="side-edge"
      role="separator"
      aria-label="Resize sidebar"
      aria-orientation="vertical"
      aria-valuemin={narrowest}
      aria-valuemax={widest}
      aria-valuenow={width}
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={onPointerMove}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") setWidth(width - 8);
        if (event.key === "ArrowRight") setWidth(width + 8);
        if (event.key === "Enter" || event.key === "Escape") deck.focusActive();
      }}
    />
  );
}
