/** A chord as keycaps. */
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
