/** Short news at the bottom right. Owns how long they stay: 6 s, as long as the pointer rests on them, or until acted on. */
import { CircleCheck, Info, TriangleAlert, X } from "lucide-react";
import { useEffect, useState } from "react";
import { useDeck } from "../deck/deck.js";
import { type Toast, useDeckState } from "../deck/state.js";

const mostShown = 3;

export function Toasts() {
  const toasts = useDeckState((state) => state.toasts);
  const [held, setHeld] = useState(false);
  if (toasts.length === 0) return null;
  const shown = toasts.slice(-mostShown);
  return (
    <div className="toasts" onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
      {toasts.length > shown.length && <div className="toast-more">{toasts.length - shown.length} more</div>}
      <ul aria-label="Notifications" style={{ display: "contents" }}>
        {shown.map((toast) => (
          <OneToast key={toast.id} toast={toast} held={held} />
        ))}
      </ul>
    </div>
  );
}

function OneToast({ toast, held }: { toast: Toast; held: boolean }) {
  const deck = useDeck();
  const stays = deck.toastMs(toast);
  useEffect(() => {
    if (stays === null || held) return;
    const timer = setTimeout(() => deck.dismissToast(toast.id), stays);
    return () => clearTimeout(timer);
  }, [deck, toast.id, stays, held]);
  return (
    <li className={`toast toast-${toast.tone}`}>
      <span style={{ paddingTop: 1 }}>
        <ToneIcon tone={toast.tone} />
      </span>
      <div className="grow">
        <div role={toast.critical ? "alert" : "status"}>
          <div className="toast-title">{toast.title}</div>
          {toast.text !== null && <div className="toast-text">{toast.text}</div>}
        </div>
        {toast.buttons.length > 0 && (
          <div className="toast-buttons">
            {toast.buttons.map((button) => (
              <button key={button.label} type="button" className="button button-small" onClick={button.run}>
                {button.label}
              </button>
            ))}
          </div>
        )}
      </div>
      <button type="button" className="icon-button icon-button-small" aria-label="Dismiss" onClick={() => deck.dismissToast(toast.id)}>
        <X size={14} strokeWidth={1.75} />
      </button>
    </li>
  );
}

function ToneIcon({ tone }: { tone: Toast["tone"] }) {
  const look = { size: 16, strokeWidth: 1.75 };
  switch (tone) {
    case "good":
      return <CircleCheck {...look} className="is-live" />;
    case "warn":
      return <TriangleAlert {...look} className="is-stale" />;
    case "bad":
      return <TriangleAlert {...look} className="is-lost" />;
    case "plain":
      return <Info {...look} className="is-2" />;
  }
}
