/** “End session?”: the one act that takes something away from everyone. Names the program and who else is there; Cancel has the focus. */
import { Power } from "lucide-react";
import { useDeck } from "../../deck/deck.js";
import { closePane } from "../../deck/layout-moves.js";
import { endSession } from "../../deck/sessions.js";
import type { Question } from "../../deck/state.js";
import { Dialog } from "../../ui/dialog.js";
import { plain, plainCommand } from "../../ui/words.js";

export function EndSessionDialog({ question }: { question: Extract<Question, { kind: "end-session" }> }) {
  const deck = useDeck();
  const { entry, machine, holder } = question;
  const others = entry.attached.length > 1 ? ` ${entry.attached.length} are attached.` : "";
  return (
    <Dialog
      role="alertdialog"
      title={`End session ${plain(entry.name)}?`}
      icon={<Power size={16} strokeWidth={1.75} className="is-lost" />}
      onCancel={() => deck.answered()}
      foot={
        <>
          {holder !== null && (
            <button
              type="button"
              className="button"
              onClick={() => {
                deck.answered();
                closePane(deck, holder);
              }}
            >
              Only close the pane
            </button>
          )}
          <span className="grow" />
          <button type="button" className="button button-bare" data-safe="" onClick={() => deck.answered()}>
            Cancel
          </button>
          <button
            type="button"
            className="button button-danger"
            onClick={() => {
              deck.answered();
              void endSession(deck, machine, entry);
            }}
          >
            End session
          </button>
        </>
      }
    >
      <p className="dialog-text">
        This stops <span className="mono">{plainCommand(entry.command)}</span> (pid {entry.pid}) for everyone.{others} Closing the pane
        would leave it running.
      </p>
      <p className="dialog-note">HUP first, TERM after 2 s, KILL after 5 s. The text stays readable afterwards.</p>
    </Dialog>
  );
}
