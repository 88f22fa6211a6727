/**
 * The sign of a state: a shape each, so that no state is told by colour alone. Owns the shapes; the word that goes with it is the caller's
 * (`name` makes it an image of its own for assistive technology, without it the glyph is decoration).
 */

export type GlyphState = "starting" | "live" | "stale" | "reconnecting" | "lost" | "ended" | "failed";

export function StateGlyph({ state, name, turning = false }: { state: GlyphState; name?: string; turning?: boolean }) {
  const look = `glyph is-${state}${turning && state === "reconnecting" ? " glyph-turning" : ""}`;
  if (name === undefined) {
    return (
      <svg className={look} viewBox="0 0 12 12" aria-hidden="true">
        <Shape state={state} />
      </svg>
    );
  }
  return (
    <svg className={look} viewBox="0 0 12 12" role="img" aria-label={name}>
      <Shape state={state} />
    </svg>
  );
}

function Shape({ state }: { state: GlyphState }) {
  switch (state) {
    case "live":
      return <circle cx="6" cy="6" r="4" fill="currentColor" />;
    case "stale":
      return (
        <>
          <circle cx="6" cy="6" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <path d="M6 2.25a3.75 3.75 0 0 1 0 7.5z" fill="currentColor" />
        </>
      );
    case "reconnecting":
      return <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="1.75" strokeDasharray="3.1 2.2" />;
    case "lost":
    case "failed":
      return <path d="M3 3l6 6M9 3l-6 6" fill="none" stroke="currentColor" strokeWidth="1.9" strokeLinecap="round" />;
    case "ended":
      return <rect x="2.75" y="2.75" width="6.5" height="6.5" rx="1.25" fill="none" stroke="currentColor" strokeWidth="1.5" />;
    case "starting":
      return <circle cx="6" cy="6" r="3.75" fill="none" stroke="currentColor" strokeWidth="1.5" />;
  }
}

/** Which of several states is shown for all of them: the one that needs a person most. */
const urgency: GlyphState[] = ["lost", "failed", "reconnecting", "stale", "starting", "live", "ended"];

export function worstState(states: readonly GlyphState[]): GlyphState | null {
  return urgency.find((state) => states.includes(state)) ?? null;
}
