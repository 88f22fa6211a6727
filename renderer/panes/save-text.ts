/** A pane's text as a file of the user's choice: the browser's own download, which asks where (or does as its user set it). */
import type { PaneLeaf } from "../../link/layout.js";
import type { Deck } from "../deck/deck.js";

export function saveText(deck: Deck, leaf: PaneLeaf): void {
  const text = deck.panes.terminal(leaf.holder)?.text();
  if (text === undefined) return;
  const name = deck.sessionName(leaf).replace(/[^\p{L}\p{N}._-]+/gu, "-");
  const stamp = new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-");
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = `${name}-${stamp}.txt`;
  anchor.click();
  // The download has its own hold on the bytes once it began; a minute is more than enough to begin.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
