/**
 * What an empty tab shows: one button that gives a prompt, and the sessions that run already. On the very first start it greets. Asks
 * nothing and has no picture.
 */
import { CornerDownLeft, Keyboard, ListTree } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { useDeck } from "../../deck/deck.js";
import { allShown } from "../../deck/layout-moves.js";
import { attach, startSession } from "../../deck/sessions.js";
import { useDeckState } from "../../deck/state.js";
import { machineColour } from "../../ui/colour-of.js";
import { StateGlyph } from "../../ui/glyph.js";
import { useNow } from "../../ui/tick.js";
import { counted, duration, plain, plainCommand } from "../../ui/words.js";
import { Logo } from "../../window/title-strip.js";
import "./start.css";

/** Running sessions that are listed; the others are in the sidebar and in the dialog. */
const mostListed = 5;

export function StartPage({ tab, name }: { tab: string; name: string }) {
  const deck = useDeck();
  const state = useDeckState((whole) => whole);
  const button = useRef<HTMLButtonElement>(null);
  const { machines, firstRun, user, shell, home } = state;
  const here = machines[0];

  useEffect(() => {
    // An answered question gives the focus back by itself.
    if (tab !== "" && deck.state.question === null) button.current?.focus();
  }, [deck, tab]);

  const machine = plain(here?.name ?? "this machine");
  return (
    <div className="tab-panel start-panel" role="tabpanel" aria-label={name}>
      <section className="start" aria-label="Start">
        <div className="start-head">
          <Logo large />
          <h1>{firstRun ? "Open your first terminal" : "Open a terminal"}</h1>
        </div>
        <p className="start-sub">{firstRun ? "Press Enter. Everything else can wait." : `Press Enter for a terminal on ${machine}.`}</p>
        <div className="start-card start-prompt">
          <div className="grow">
            <div className="start-line mono" aria-hidden="true">
              <span className="start-user">
                {plain(user)}@{machine}
              </span>
              :<span className="start-path">~</span>$ <span className="start-cursor" />
            </div>
            <p className="start-note">{plain(shell)} in your home folder. It keeps running when you close the window.</p>
          </div>
          <button
            ref={button}
            type="button"
            className="button button-primary start-button"
            onClick={() =>
              void startSession(deck, { ...(here === undefined ? {} : { machine: here.machine }), cwd: home === "" ? null : home })
            }
          >
            Open a terminal
            <CornerDownLeft size={16} strokeWidth={1.75} />
          </button>
        </div>
        <Running />
        <div className="start-more">
          {machines.some((entry) => entry.sessions.length > 0) && (
            <More
              icon={<ListTree size={16} strokeWidth={1.75} />}
              label="Attach to a session"
              note="Choose from all sessions"
              onPress={() => deck.ask({ kind: "attach" })}
            />
          )}
          <More
            icon={<Keyboard size={16} strokeWidth={1.75} />}
            label="See the keys"
            note="No key of your programs is taken"
            onPress={() => deck.ask({ kind: "keys" })}
          />
        </div>
      </section>
    </div>
  );
}

/** Sessions that run and are not in this window. */
function Running() {
  const deck = useDeck();
  const machines = useDeckState((state) => state.machines);
  const since = useDeckState((state) => state.machinesAt);
  const layout = useDeckState((state) => state.layout);
  const now = useNow(true);
  const shown = allShown(layout);
  const running = machines.flatMap((machine, index) =>
    machine.sessions
      .filter((entry) => entry.state === "running" && !shown.has(entry.sessionId))
      .map((entry) => ({ machine, entry, colour: machineColour(machine.machine, index === 0) })),
  );
  if (running.length === 0) return null;
  const severalMachines = machines.length > 1;
  return (
    <>
      <div className="start-list-head">
        <span className="grow">{severalMachines ? "Already running" : "Already running on this machine"}</span>
        <span className="is-3">found {counted(running.length, "session", "sessions")}</span>
      </div>
      <ul className="start-card start-list">
        {running.slice(0, mostListed).map(({ machine, entry, colour }) => {
          const name = plain(entry.name);
          const idle = entry.idleMs + now - since;
          const age = Date.now() - Date.parse(entry.created);
          return (
            <li key={entry.sessionId}>
              <StateGlyph state={machine.state} />
              <span className="is-strong ellipsis start-name" title={name}>
                {name}
              </span>
              {severalMachines && (
                <span className="start-machine" style={{ borderColor: colour }}>
                  {plain(machine.name)}
                </span>
              )}
              <span className="mono is-3 ellipsis grow" title={plainCommand(entry.command)}>
                {plainCommand(entry.command)}
              </span>
              <span className="is-3 num start-age">{idle > 60_000 ? `idle ${duration(idle)}` : `running ${duration(age)}`}</span>
              <button
                type="button"
                className="button button-small"
                aria-label={`Attach to ${name}`}
                onClick={() => attach(deck, machine.machine, entry.sessionId)}
              >
                Attach
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function More({ icon, label, note, onPress }: { icon: ReactNode; label: string; note: string; onPress: () => void }) {
  return (
    <button type="button" className="start-more-item" aria-label={label} onClick={onPress}>
      <span className="start-more-icon">{icon}</span>
      <span>
        <span className="is-strong start-more-name">{label}</span>
        <span className="start-more-note">{note}</span>
      </span>
    </button>
  );
}
