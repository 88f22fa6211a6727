/**
 * Whose size a session has when it is not this pane's, and how it is shown here: scaled to fit, or at the own font with a part in view.
 * Owns the minimap. Fades after a while, because it lies over the screen.
 */
import { ShipWheel } from "lucide-react";
import { type PointerEvent, useEffect, useState } from "react";
import type { PaneLeaf } from "../../link/layout.js";
import { useDeck } from "../deck/deck.js";
import type { PaneFacts } from "../deck/state.js";
import { plain } from "../ui/words.js";

const fadeMs = 3000;

export function SizeChip({ leaf, facts }: { leaf: PaneLeaf; facts: PaneFacts }) {
  const deck = useDeck();
  const [quiet, setQuiet] = useState(false);
  const { size, fit, driver } = facts;
  const key = `${size?.cols}x${size?.rows} ${fit} ${driver.name}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what the chip says decides when it comes back
  useEffect(() => {
    setQuiet(false);
    const timer = setTimeout(() => setQuiet(true), fadeMs);
    return () => clearTimeout(timer);
  }, [key]);
  if (size === null) return null;
  const choose = (how: "fit" | "pan") => {
    deck.panes.set(leaf.holder, { fit: how });
    deck.focusTerminal(leaf.holder);
  };
  const owner = driver.name === null ? "Size" : `${plain(driver.name)}’s size`;
  return (
    <div className={`size-chip${quiet ? " size-chip-quiet" : ""}`}>
      <ShipWheel size={14} strokeWidth={1.75} className="is-driver" />
      <span className="ellipsis">{owner}</span>
      <span className="is-2 num">
        {size.cols}×{size.rows}
      </span>
      <div className="segments" role="radiogroup" aria-label="Foreign size">
        {(["fit", "pan"] as const).map((how) => (
          <button
            key={how}
            type="button"
            {...{ role: "radio", "aria-checked": fit === how }}
            tabIndex={fit === how ? 0 : -1}
            onClick={() => choose(how)}
            onKeyDown={(event) => {
              if (event.key.startsWith("Arrow")) choose(how === "fit" ? "pan" : "fit");
            }}
          >
            {how === "fit" ? "Fit" : "Pan"}
          </button>
        ))}
      </div>
      {fit === "pan" && <Minimap leaf={leaf} />}
    </div>
  );
}

function Minimap({ leaf }: { leaf: PaneLeaf }) {
  const deck = useDeck();
  const terminal = deck.panes.terminal(leaf.holder);
  const [, redraw] = useState(0);
  useEffect(() => {
    // The view moves with the cursor and the wheel; four times a second is enough for a map of 40 pixels.
    const timer = setInterval(() => redraw((count) => count + 1), 250);
    return () => clearInterval(timer);
  }, []);
  if (terminal === null) return null;
  const { x, y, width, height } = terminal.view;
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (event.type === "pointermove" && !event.currentTarget.hasPointerCapture(event.pointerId)) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    event.preventDefault();
    const box = event.currentTarget.getBoundingClientRect();
    const grid = { width: terminal.terminalSize.cols * terminal.cell.width, height: terminal.terminalSize.rows * terminal.cell.height };
    const at = { x: (event.clientX - box.left) / box.width - width / 2, y: (event.clientY - box.top) / box.height - height / 2 };
    terminal.pan(at.x * grid.width, at.y * grid.height);
    redraw((count) => count + 1);
  };
  const percent = (share: number) => `${Math.round(share * 100)}%`;
  return (
    <div className="minimap" aria-hidden="true" onPointerDown={move} onPointerMove={move}>
      <i style={{ left: percent(x), top: percent(y), width: percent(width), height: percent(height) }} />
    </div>
  );
}
