/** The column of the leader key, for who waits: after half a second it lists what the next key does. The keys themselves are keys/dispatch. */
import { actions, leaderChord } from "../../deck/actions.js";
import { useDeckState } from "../../deck/state.js";
import { Keycaps } from "../../ui/keycaps.js";
import { usePast } from "../../ui/tick.js";

const panelMs = 500;

/** What is worth a line here; the rest is in the list of keys. */
const listed = [
  "new-session",
  "split-right",
  "split-down",
  "close-pane",
  "zoom-pane",
  "last-pane",
  "toggle-role",
  "take-size",
  "attach",
  "reopen-pane",
  "next-tab",
  "previous-tab",
  "rename-tab",
  "close-tab",
  "resize-panes",
  "even-sizes",
  "rename-session",
  "end-session",
  "sidebar",
  "keys",
];

/** Where the full name does not fit into half a column. */
const shortNames: Record<string, string> = {
  "toggle-role": "Switch role",
  attach: "Attach…",
  "reopen-pane": "Reopen pane",
  "rename-session": "Rename…",
};

export function LeaderPanel() {
  const leader = useDeckState((state) => state.leader);
  return leader === null || leader.literal ? null : <Column since={leader.since} />;
}

function Column({ since }: { since: number }) {
  if (!usePast(since + panelMs)) return null;
  return (
    <div className="leader" role="status" aria-label="Keys after the leader">
      <div className="leader-head">
        <Keycaps chord={leaderChord} />
        <span className="grow">now press</span>
        <span className="is-3">Esc leaves</span>
      </div>
      <ul className="leader-list">
        <li>
          <span className="leader-key">
            <Keycaps chord="hjkl" />
          </span>
          <span className="ellipsis">Move focus</span>
        </li>
        {listed.map((id) => {
          const action = actions.find((entry) => entry.id === id);
          const key = action?.leader[0];
          if (action === undefined || key === undefined) return null;
          return (
            <li key={id}>
              <span className="leader-key">
                <Keycaps chord={/^[a-z]$/.test(key) ? key.toUpperCase() : key} />
              </span>
              <span className="ellipsis">{shortNames[id] ?? action.name}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
