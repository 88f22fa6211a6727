/** A program's link, before it leaves the window: where it goes is shown in full, with the host as the network will see it. */
import { ExternalLink } from "lucide-react";
import { useDeck } from "../../deck/deck.js";
import type { Question } from "../../deck/state.js";
import { Dialog } from "../../ui/dialog.js";
import { plain } from "../../ui/words.js";

export function LinkDialog({ question }: { question: Extract<Question, { kind: "open-link" }> }) {
  const deck = useDeck();
  const address = webAddress(question.url);
  const open = () => {
    deck.answered();
    if (address === null) return;
    void deck.link?.request({ t: "open-link", url: address.href }).then((result) => {
      if (!result.ok) deck.failed("The link was not opened", result.error);
    });
  };
  return (
    <Dialog
      role="alertdialog"
      title={address === null ? "This link cannot be opened" : `Open ${address.host}?`}
      icon={<ExternalLink size={16} strokeWidth={1.75} className="is-2" />}
      onCancel={() => deck.answered()}
      foot={
        <>
          <span className="grow" />
          <button type="button" className="button button-bare" data-safe="" onClick={() => deck.answered()}>
            {address === null ? "Close" : "Cancel"}
          </button>
          {address !== null && (
            <button type="button" className="button button-primary" onClick={open}>
              Open link
            </button>
          )}
        </>
      }
    >
      <p className="dialog-text">
        {address === null
          ? "Only http and https addresses without a password are opened."
          : "A program in the terminal named this address."}
      </p>
      <pre className="dialog-code">{plain(address?.href ?? question.url)}</pre>
    </Dialog>
  );
}

/** An address that may be opened; the desk checks it once more. The URL parser writes foreign letters of a host as punycode. */
function webAddress(text: string): URL | null {
  try {
    const url = new URL(text);
    const fine =
      (url.protocol === "https:" || url.protocol === "http:") && url.username === "" && url.password === "" && url.href.length <= 2048;
    return fine ? url : null;
  } catch {
    return null;
  }
}
