/**
 * What was typed while the link was down: text that waits and is never sent by itself. Owns the edited text until it is sent or thrown
 * away; what is typed into the terminal meanwhile is added at its end.
 */
import { useEffect, useId, useRef, useState } from "react";
import type { PaneLeaf } from "../../link/layout.js";
import { useDeck } from "../deck/deck.js";
import type { PaneFacts } from "../deck/state.js";
import { useNow } from "../ui/tick.js";
import { duration } from "../ui/words.js";

type Draft = NonNullable<PaneFacts["draft"]>;

export function DraftStrip({ leaf, draft, live, session }: { leaf: PaneLeaf; draft: Draft; live: boolean; session: string }) {
  const deck = useDeck();
  const id = useId();
  const now = useNow(true);
  const [text, setText] = useState(draft.text);
  const heard = useRef(draft.text);
  const field = useRef<HTMLTextAreaElement>(null);

  useEffect(() => {
    const before = heard.current;
    heard.current = draft.text;
    // The desk's text grew: the same end goes to what was edited here. Otherwise it is another draft.
    if (draft.text !== before) setText((edited) => (draft.text.startsWith(before) ? edited + draft.text.slice(before.length) : draft.text));
  }, [draft.text]);

  useEffect(() => {
    const area = field.current;
    if (area === null) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  });

  const act = (what: "send" | "discard") => {
    deck.panes.tell(leaf.holder, (pane) => ({ t: "pane-draft", pane, do: what, text: what === "send" ? text : null }));
    deck.focusTerminal(leaf.holder);
  };

  const delivered = draft.delivered === null || draft.delivered === 0 ? "" : ` ${draft.delivered} bytes before it did arrive.`;
  return (
    <section className="draft" aria-label="Unsent draft">
      <div className="draft-head">
        <span className="chip chip-stale chip-outline">Not sent</span>
        <span className="grow" id={id}>
          {live
            ? `The link is back. Send this to ${session}?${delivered}`
            : `Typed while the link was lost, ${duration(now - draft.since)} ago. Nothing is sent by itself.${delivered}`}
        </span>
      </div>
      <div className="draft-row">
        <textarea
          ref={field}
          className="field draft-field"
          data-draft-field=""
          aria-label="Unsent draft"
          aria-describedby={id}
          rows={1}
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") deck.focusTerminal(leaf.holder);
          }}
        />
        <button
          type="button"
          className="button button-small"
          aria-label="Send draft"
          disabled={!live || text === ""}
          onClick={() => act("send")}
        >
          Send
        </button>
        <button type="button" className="button button-small button-bare" aria-label="Discard draft" onClick={() => act("discard")}>
          Discard
        </button>
      </div>
    </section>
  );
}
