/** “Keys”: every action with its keys, searchable. Says what a browser tab keeps for itself. Changes nothing. */
import { useState } from "react";
import { type Action, actions, isMac, leaderChord } from "../../deck/actions.js";
import { useDeck } from "../../deck/deck.js";
import { useDeckState } from "../../deck/state.js";
import { Dialog } from "../../ui/dialog.js";
import { Keycaps } from "../../ui/keycaps.js";

/** The nine tabs in one row. */
const listed: readonly Action[] = actions
  .filter((action) => !/^tab-[2-9]$/.test(action.id))
  .map((action) => (action.id === "tab-1" ? { ...action, name: "Tab 1–9", mac: ["Meta+1–9"], leader: ["1–9"] } : action));

export function KeysDialog() {
  const deck = useDeck();
  const host = useDeckState((state) => state.host);
  const [filter, setFilter] = useState("");
  const words = filter.toLowerCase().split(/\s+/);
  const rows = listed.filter((action) => words.every((word) => `${action.name} ${keysOf(action).join(" ")}`.toLowerCase().includes(word)));
  return (
    <Dialog
      title="Keys"
      wide
      onCancel={() => deck.answered()}
      foot={
        <>
          <span className="dialog-note grow">
            {host === "browser"
              ? "A browser tab keeps Ctrl+T, N, W and Tab for itself; the leader's keys always work."
              : "Every other key goes to the program."}
          </span>
          <button type="button" className="button" onClick={() => deck.answered()}>
            Close
          </button>
        </>
      }
    >
      <input
        className="field"
        data-safe=""
        type="search"
        aria-label="Search keys"
        placeholder="Search keys"
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      <table className="keys-table">
        <thead>
          <tr>
            <th scope="col">Action</th>
            <th scope="col">Keys</th>
            <th scope="col">
              <Keycaps chord={leaderChord} />, then
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((action) => (
            <tr key={action.id}>
              <td>{action.name}</td>
              <td>
                {keysOf(action).map((chord) => (
                  <Keycaps key={chord} chord={chord} />
                ))}
              </td>
              <td>
                {action.leader.map((key) => (
                  <Keycaps key={key} chord={/^[a-z]$/.test(key) ? key.toUpperCase() : key} />
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p className="dialog-text">No action matches “{filter}”.</p>}
    </Dialog>
  );
}

function keysOf(action: Action): string[] {
  return isMac() ? action.mac : action.keys;
}
