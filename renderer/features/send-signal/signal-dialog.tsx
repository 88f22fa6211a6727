/** “Send a signal”: to the program in the foreground of a session. Owns what each signal is said to do. */
import { useState } from "react";
import type { SignalName } from "../../../protocol/values.js";
import { useDeck } from "../../deck/deck.js";
import { sendSignal } from "../../deck/sessions.js";
import type { Question } from "../../deck/state.js";
import { Dialog } from "../../ui/dialog.js";
import { plain } from "../../ui/words.js";

/** The common ones, mildest first. */
const signals: { name: SignalName; does: string }[] = [
  { name: "INT", does: "interrupts, like Ctrl+C" },
  { name: "TERM", does: "asks to end" },
  { name: "HUP", does: "says the terminal is gone; many daemons reload" },
  { name: "QUIT", does: "ends with a core dump, like Ctrl+\\" },
  { name: "TSTP", does: "asks to stop, like Ctrl+Z" },
  { name: "STOP", does: "stops; cannot be refused" },
  { name: "CONT", does: "goes on after a stop" },
  { name: "USR1", does: "whatever the program made of it" },
  { name: "USR2", does: "whatever the program made of it" },
  { name: "WINCH", does: "says the size changed; many programs redraw" },
  { name: "KILL", does: "ends at once; cannot be refused, nothing is saved" },
];

export function SignalDialog({ question }: { question: Extract<Question, { kind: "signal" }> }) {
  const deck = useDeck();
  const { entry, machine } = question;
  const [chosen, setChosen] = useState<SignalName>("INT");
  const send = () => {
    deck.answered();
    void sendSignal(deck, machine, entry, chosen);
  };
  return (
    <Dialog
      title={`Send a signal to ${plain(entry.name)}`}
      onCancel={() => deck.answered()}
      onSubmit={send}
      foot={
        <>
          <span className="grow" />
          <button type="button" className="button button-bare" onClick={() => deck.answered()}>
            Cancel
          </button>
          <button type="submit" className={`button ${chosen === "KILL" ? "button-danger" : "button-primary"}`}>
            Send signal
          </button>
        </>
      }
    >
      <p className="dialog-text">It goes to the program in the foreground and what it started.</p>
      <div className="choices" role="radiogroup" aria-label="Signal">
        {signals.map(({ name, does }) => (
          <label key={name} className={`choice${chosen === name ? " choice-on" : ""}`}>
            <input
              type="radio"
              name="signal"
              value={name}
              aria-label={`SIG${name}`}
              {...(name === "INT" ? { "data-safe": "" } : {})}
              checked={chosen === name}
              onChange={() => setChosen(name)}
            />
            <span className="mono signal-name">SIG{name}</span>
            <span className="is-3 ellipsis">{does}</span>
          </label>
        ))}
      </div>
    </Dialog>
  );
}
