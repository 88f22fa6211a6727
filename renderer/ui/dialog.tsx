/**
 * The window's one kind of dialog: modal, with a head, a body that scrolls, and a foot. Owns focus (it starts on what is marked
 * `data-safe`, comes back where it was) and that Esc is the safe choice. Says nothing itself.
 */
import { type ReactNode, useEffect, useId, useRef } from "react";

export interface DialogProps {
  title: string;
  icon?: ReactNode;
  /** `alertdialog`: a question that must be answered; its text is read with its name. */
  role?: "dialog" | "alertdialog";
  wide?: boolean;
  danger?: boolean;
  children: ReactNode;
  foot: ReactNode;
  /** Esc, or a press outside of a dialog that is no question. */
  onCancel: () => void;
  /** Enter in a field. */
  onSubmit?: () => void;
}

export function Dialog({ title, icon, role = "dialog", wide, danger, children, foot, onCancel, onSubmit }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const dialog = element.current;
    if (dialog === null) return;
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector<HTMLElement>("[data-safe]") ?? dialog.querySelector<HTMLElement>("input, button"))?.focus();
    return () => dialog.close();
  }, []);

  return (
    <dialog
      ref={element}
      className="dialog-scrim"
      role={role}
      aria-labelledby={`${id}-title`}
      aria-describedby={role === "alertdialog" ? `${id}-body` : undefined}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
      onMouseDown={(event) => {
        if (role === "dialog" && event.target === element.current) onCancel();
      }}
    >
      <form
        className={`dialog${wide === true ? " dialog-wide" : ""}${danger === true ? " dialog-danger" : ""}`}
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        <header className="dialog-head">
          {icon}
          <h2 id={`${id}-title`}>{title}</h2>
        </header>
        <div className="dialog-body" id={`${id}-body`}>
          {children}
        </div>
        <footer className="dialog-foot">{foot}</footer>
      </form>
    </dialog>
  );
}
