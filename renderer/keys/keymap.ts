/**
 * Which key runs what, from the table of actions. Owns the lookup only; two actions with one key are a mistake that the tests find.
 */
import type { Action } from "../deck/actions.js";

export interface Keymap {
  chords: ReadonlyMap<string, Action>;
  leader: ReadonlyMap<string, Action>;
}

export function keymapOf(actions: readonly Action[], mac: boolean): Keymap {
  const chords = new Map<string, Action>();
  const leader = new Map<string, Action>();
  for (const action of actions) {
    if (action.native !== true) for (const chord of mac ? action.mac : action.keys) chords.set(chord, action);
    for (const key of action.leader) leader.set(key, action);
  }
  return { chords, leader };
}
