/** What stands in the page when there is no window to draw: one sentence what happened, one button. */
import { Logo } from "./title-strip.js";

export function ClosedPage({ title, text }: { title: string; text: string }) {
  return (
    <main className="closed-page">
      <Logo large />
      <h1>{title}</h1>
      <p>{text}</p>
      <button type="button" className="button button-primary" onClick={() => location.reload()}>
        Try again
      </button>
    </main>
  );
}
