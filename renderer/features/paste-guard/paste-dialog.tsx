/** “Paste N lines?”: shows what would be typed, line by line, with what was taken out marked. Cancel has the focus: Enter does not paste. */
import { Copy } from "lucide-react";
import { useDeck } from "../../deck/deck.js";
import type { Question } from "../../deck/state.js";
import { asOneLine } from "../../terminal/paste.js";
import { Dialog } from "../../ui/dialog.js";
import { counted } from "../../ui/words.js";

/** Lines that are shown; the number of all stands in the title. */
const mostShown = 200;

export function PasteDialog({ question }: { question: Extract<Question, { kind: "paste" }> }) {
  const deck = useDeck();
  const { paste, session, bracketed, send } = question;
  const lines = paste.text.replace(/\r$/, "").split("\r");
  const finish = (text: string | null) => {
    deck.answered();
    if (text !== null) send(text);
  };
  const hidden = [...new Set(paste.hidden)];
  return (
    <Dialog
      role="alertdialog"
      title={`Paste ${counted(paste.lines, "line", "lines")} into ${session}?`}
      icon={<Copy size={16} strokeWidth={1.75} className="is-2" />}
      onCancel={() => finish(null)}
      foot={
        <>
          <span className="dialog-note">
            {paste.hidden.length > 0 ? `${counted(paste.hidden.length, "hidden character", "hidden characters")} removed` : ""}
          </span>
          <span className="grow" />
          <button type="button" className="button button-bare" data-safe="" onClick={() => finish(null)}>
            Cancel
          </button>
          {paste.lines > 1 && (
            <button type="button" className="button" onClick={() => finish(asOneLine(paste.text))}>
              As one line
            </button>
          )}
          <button type="button" className="button button-primary" onClick={() => finish(paste.text)}>
            Paste
          </button>
        </>
      }
    >
      <p className="dialog-text">
        {bracketed
          ? "The text held characters that cannot be seen. They were taken out."
          : "The program did not ask for bracketed paste, so each line runs as it arrives."}
      </p>
      <pre className="dialog-code">
        {lines.slice(0, mostShown).map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no identity but their number
          <div key={index}>
            <span className="is-3">{String(index + 1).padStart(String(Math.min(lines.length, mostShown)).length)}</span> {line}
          </div>
        ))}
        {lines.length > mostShown && <div className="is-3">and {lines.length - mostShown} more</div>}
      </pre>
      {hidden.length > 0 && (
        <p className="dialog-note">
          Removed:{" "}
          {hidden.map((name) => (
            <span key={name} className="dialog-code-removed mono">
              {name}
            </span>
          ))}
        </p>
      )}
    </Dialog>
  );
}
