/** “Attach to a session”: all sessions of all machines in one list, found by typing. Enter shows the chosen one, Ctrl+Enter beside. */
import { type KeyboardEvent, useId, useState } from "react";
import { useDeck } from "../../deck/deck.js";
import { attach } from "../../deck/sessions.js";
import { useDeckState } from "../../deck/state.js";
import { treeGroups } from "../../machines/tree-rows.js";
import { Dialog } from "../../ui/dialog.js";
import { StateGlyph } from "../../ui/glyph.js";
import { Keycaps } from "../../ui/keycaps.js";
import { plainCommand } from "../../ui/words.js";

export function AttachDialog() {
  const deck = useDeck();
  const machines = useDeckState((state) => state.machines);
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState(0);
  const id = useId();
  const rows = treeGroups(machines, filter).flatMap((group) =>
    group.machines.flatMap((machine) =>
      machine.sessions.map((session) => ({ machine: machine.machine, machineName: machine.name, ...session })),
    ),
  );
  const at = Math.min(chosen, rows.length - 1);
  const choose = (index: number, beside: boolean) => {
    const row = rows[index];
    if (row === undefined) return;
    const active = deck.active?.leaf.holder;
    deck.answered();
    attach(
      deck,
      row.machine.machine,
      row.entry.sessionId,
      beside && active !== undefined ? { kind: "beside", holder: active, direction: "row" } : { kind: "tab" },
    );
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 8, PageUp: at - 8 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      setChosen(Math.max(0, Math.min(rows.length - 1, to)));
    } else if (event.key === "Enter") {
      event.preventDefault();
      choose(at, event.ctrlKey || event.metaKey);
    }
  };
  return (
    <Dialog
      title="Attach to a session"
      onCancel={() => deck.answered()}
      foot={
        <>
          <span className="dialog-note">
            <Keycaps chord="Enter" /> shows it, <Keycaps chord="Ctrl+Enter" /> beside this pane
          </span>
          <span className="grow" />
          <button type="button" className="button button-bare" onClick={() => deck.answered()}>
            Cancel
          </button>
          <button type="button" className="button button-primary" disabled={rows.length === 0} onClick={() => choose(at, false)}>
            Attach
          </button>
        </>
      }
    >
      <input
        className="field"
        data-safe=""
        type="text"
        role="combobox"
        aria-label="Session"
        aria-expanded={rows.length > 0}
        aria-controls={`${id}-list`}
        aria-activedescendant={rows.length > 0 ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        placeholder="Name of a session or machine"
        spellCheck={false}
        value={filter}
        onChange={(event) => {
          setFilter(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      {rows.length === 0 ? (
        <p className="dialog-text">{filter === "" ? "No session runs on any machine." : `No session matches “${filter}”.`}</p>
      ) : (
        <div className="choices" role="listbox" id={`${id}-list`} aria-label="Sessions" tabIndex={-1}>
          {rows.map((row, index) => (
            <Choice
              key={row.entry.sessionId}
              id={`${id}-${index}`}
              row={row}
              selected={index === at}
              onPress={() => choose(index, false)}
            />
          ))}
        </div>
      )}
    </Dialog>
  );
}

interface ChoiceProps {
  id: string;
  row: ReturnType<typeof treeGroups>[number]["machines"][number]["sessions"][number] & { machineName: string };
  selected: boolean;
  onPress: () => void;
}

function Choice({ id, row, selected, onPress }: ChoiceProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox takes the keys of its list
    <div
      className="choice"
      id={id}
      role="option"
      aria-selected={selected}
      aria-label={`${row.name} on ${row.machineName}`}
      tabIndex={-1}
      ref={(element) => {
        if (selected) element?.scrollIntoView({ block: "nearest" });
      }}
      onClick={onPress}
    >
      <StateGlyph state={row.ended ? "ended" : "live"} />
      <span className="is-strong">{row.name}</span>
      <span className="is-3">{row.machineName}</span>
      <span className="mono is-3 ellipsis grow">{plainCommand(row.entry.command)}</span>
      <span className="row-meta">{row.fact}</span>
    </div>
  );
}
