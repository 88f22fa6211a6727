/** A chord as keycaps, as menus and the list of keys show it. Owns the looks; what a key is called is deck/actions.ts's. */
import { keycaps } from "../deck/actions.js";

export function Keycaps({ chord }: { chord: string }) {
  return (
    <span className="keycaps">
      {keycaps(chord).map((cap) => (
        <kbd key={cap}>{cap}</kbd>
      ))}
    </span>
  );
}
