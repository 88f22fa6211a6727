/** New names for sessions and tabs. A session's name is checked by its agent, whose sentence stands under the field. */
import { useState } from "react";
import { useDeck } from "../../deck/deck.js";
import { renameSession } from "../../deck/sessions.js";
import type { Question } from "../../deck/state.js";
import { changeTab } from "../../layout/tabs.js";
import { Dialog } from "../../ui/dialog.js";
import { plain } from "../../ui/words.js";

export function RenameSessionDialog({ question }: { question: Extract<Question, { kind: "rename-session" }> }) {
  const deck = useDeck();
  const { entry, machine } = question;
  const rename = async (name: string) => {
    const problem = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}-][^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u.test(name)
      ? await renameSession(deck, machine, entry.sessionId, name)
      : "A name does not begin with “-” and has no control characters.";
    if (problem === null) deck.answered();
    return problem;
  };
  return <NameDialog title={`Rename ${plain(entry.name)}`} label="Name" name={entry.name} act="Rename session" onName={rename} />;
}

export function RenameTabDialog({ question }: { question: Extract<Question, { kind: "rename-tab" }> }) {
  const deck = useDeck();
  const rename = (name: string) => {
    deck.changeLayout((layout) => changeTab(layout, question.tab, (tab) => ({ ...tab, name: name === "" ? null : name })));
    deck.answered();
    return Promise.resolve(null);
  };
  return (
    <NameDialog
      title={`Rename ${question.name === "" ? "tab" : plain(question.name)}`}
      label="Name"
      name={question.name}
      act="Rename tab"
      note="Without a name the tab is called after its active pane."
      mayBeEmpty
      onName={rename}
    />
  );
}

interface NameDialogProps {
  title: string;
  label: string;
  name: string;
  act: string;
  note?: string;
  mayBeEmpty?: boolean;
  /** Null: done. Else the sentence why not. */
  onName: (name: string) => Promise<string | null>;
}

function NameDialog({ title, label, name, act, note, mayBeEmpty, onName }: NameDialogProps) {
  const deck = useDeck();
  const [value, setValue] = useState(name);
  const [problem, setProblem] = useState<string | null>(null);
  const trimmed = value.trim().slice(0, 64);
  const off = (trimmed === "" && mayBeEmpty !== true) || trimmed === name;
  const submit = () => {
    if (!off) void onName(trimmed).then(setProblem);
  };
  return (
    <Dialog
      title={title}
      onCancel={() => deck.answered()}
      onSubmit={submit}
      foot={
        <>
          <span className="grow" />
          <button type="button" className="button button-bare" onClick={() => deck.answered()}>
            Cancel
          </button>
          <button type="submit" className="button button-primary" disabled={off}>
            {act}
          </button>
        </>
      }
    >
      <label>
        <span className="label">{label}</span>
        <input
          className="field"
          data-safe=""
          maxLength={64}
          spellCheck={false}
          value={value}
          aria-invalid={problem !== null}
          onFocus={(event) => event.target.select()}
          onChange={(event) => {
            setValue(event.target.value);
            setProblem(null);
          }}
        />
      </label>
      {problem !== null && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
      {note !== undefined && <p className="dialog-note">{note}</p>}
    </Dialog>
  );
}
