/**
 * Takes our keys before a terminal sees them, and no others. Owns the leader's state: the key after it is looked up in the column, Esc
 * leaves, `'` sends the next key untouched. While a question covers the window, all keys are the question's.
 */
import { actions, isMac, leaderChord } from "../deck/actions.js";
import type { Deck } from "../deck/deck.js";
import { chordOf, isModifier, leaderKeyOf } from "./chord.js";
import { keymapOf } from "./keymap.js";

export function installKeys(deck: Deck): () => void {
  const keymap = keymapOf(actions, isMac());

  const onKeydown = (event: KeyboardEvent) => {
    if (deck.state.question !== null || document.querySelector('[role="menu"]') !== null) return;
    const { leader } = deck.state;
    if (leader !== null) {
      if (isModifier(event)) return;
      deck.store.setState({ leader: null });
      if (leader.literal) return;
      take(event);
      const key = leaderKeyOf(event);
      if (key === "'") deck.store.setState({ leader: { since: leader.since, literal: true } });
      else if (key !== null) keymap.leader.get(key)?.run(deck);
      return;
    }
    const chord = chordOf(event);
    if (chord === null) {
      // Keys with nobody to take them are for the program: a click on the frame should not make typing vanish.
      if (document.activeElement === document.body && !event.altKey) deck.focusActive();
      return;
    }
    if (chord === leaderChord) {
      take(event);
      deck.store.setState({ leader: { since: performance.now(), literal: false } });
      return;
    }
    const action = keymap.chords.get(chord);
    if (action === undefined || (action.id === "copy" && deck.state.terminalFocused === null)) return;
    take(event);
    if (!event.repeat || action.repeats === true) action.run(deck);
  };

  window.addEventListener("keydown", onKeydown, { capture: true });
  return () => window.removeEventListener("keydown", onKeydown, { capture: true });
}

function take(event: KeyboardEvent): void {
  event.preventDefault();
  event.stopPropagation();
}
