/**
 * Menus and popovers: one at a time, beside what opened them, gone with Esc, a choice, or a press elsewhere. Owns arrow keys, first
 * letters, and where the focus goes afterwards. Knows no item.
 */
import { Check, Circle } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

export type MenuItem =
  | { kind: "item"; label: string; run: () => void; key?: string | null; danger?: boolean; off?: boolean }
  | { kind: "check" | "radio"; label: string; on: boolean; run: () => void }
  | { kind: "line" };

export interface Anchor {
  x: number;
  y: number;
  /** Bottom of the opener: a menu that does not fit below goes above `y`. */
  below: number;
  /** Right edge of the opener, to which a menu at a right-hand button is aligned; null: opens to the right of `x`. */
  right: number | null;
}

/** Where a menu opens for a button. */
export function anchorAt(element: Element, align: "left" | "right" = "right"): Anchor {
  const box = element.getBoundingClientRect();
  return { x: box.left, y: box.top, below: box.bottom + 4, right: align === "right" ? box.right : null };
}

/** Where a menu opens for a press with the other mouse button. */
export function anchorAtPoint(event: { clientX: number; clientY: number }): Anchor {
  return { x: event.clientX, y: event.clientY, below: event.clientY, right: null };
}

export interface FloatProps {
  anchor: Anchor;
  onClose: () => void;
}

/** Open state of one menu or popover: what opens it, and the float itself. */
export function useFloat(): { anchor: Anchor | null; open: (anchor: Anchor) => void; close: () => void } {
  const [anchor, setAnchor] = useState<Anchor | null>(null);
  return { anchor, open: setAnchor, close: useCallback(() => setAnchor(null), []) };
}

export function Menu({ anchor, onClose, label, items }: FloatProps & { label: string; items: readonly MenuItem[] }) {
  const element = useRef<HTMLDivElement>(null);
  const back = useRef<Element | null>(document.activeElement);
  useFloatPlace(element, anchor);
  useCloseElsewhere(element, onClose);

  useEffect(() => {
    focusable(element.current)[0]?.focus();
    const opener = back.current;
    return () => {
      // Only if the focus would be lost: a choice may have put it somewhere.
      if ((document.activeElement === null || document.activeElement === document.body) && opener instanceof HTMLElement) opener.focus();
    };
  }, []);

  // One entry with a mark moves the words of all: they stand in one column.
  const marked = items.some((item) => item.kind === "check" || item.kind === "radio");

  const step = (event: KeyboardEvent, to: number) => {
    event.preventDefault();
    const all = focusable(element.current);
    all[(to + all.length) % all.length]?.focus();
  };

  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    const all = focusable(element.current);
    const at = all.findIndex((item) => item.matches(":focus"));
    if (event.key === "ArrowDown") step(event, at + 1);
    else if (event.key === "ArrowUp") step(event, at - 1);
    else if (event.key === "Home") step(event, 0);
    else if (event.key === "End") step(event, all.length - 1);
    else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      onClose();
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      const from = [...all.slice(at + 1), ...all.slice(0, at + 1)];
      const next = from.find((item) => item.textContent?.toLowerCase().startsWith(event.key.toLowerCase()));
      if (next !== undefined && event.key !== " ") step(event, all.indexOf(next));
    }
  };

  return createPortal(
    <div
      ref={element}
      className="menu"
      role="menu"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onContextMenu={(event) => event.preventDefault()}
    >
      {items.map((item, index) => {
        // Items have no identity beyond their place: a menu is made anew each time it opens.
        const key = `${index}`;
        if (item.kind === "line") return <hr key={key} className="menu-line" />;
        const off = item.kind === "item" && item.off === true;
        const choose = () => {
          if (off) return;
          onClose();
          item.run();
        };
        return (
          <button
            key={key}
            type="button"
            className={`menu-item${item.kind === "item" && item.danger === true ? " menu-item-danger" : ""}`}
            {...(item.kind === "item"
              ? { role: "menuitem" }
              : { role: `menuitem${item.kind === "check" ? "checkbox" : "radio"}`, "aria-checked": item.on })}
            aria-disabled={off || undefined}
            tabIndex={-1}
            onClick={choose}
            onPointerMove={(event) => event.currentTarget.focus()}
          >
            {marked && <Mark item={item} />}
            <span>{item.label}</span>
            {item.kind === "item" && item.key !== undefined && item.key !== null && (
              <span className="menu-key" aria-hidden="true">
                {item.key}
              </span>
            )}
          </button>
        );
      })}
    </div>,
    document.body,
  );
}

function Mark({ item }: { item: Exclude<MenuItem, { kind: "line" }> }) {
  return (
    <span className="menu-mark">
      {item.kind !== "item" &&
        item.on &&
        (item.kind === "check" ? <Check size={14} strokeWidth={1.75} /> : <Circle size={8} fill="currentColor" strokeWidth={0} />)}
    </span>
  );
}

/** Something to read beside its opener. */
export function Popover({ anchor, onClose, label, children }: FloatProps & { label: string; children: ReactNode }) {
  const element = useRef<HTMLDivElement>(null);
  const back = useRef<Element | null>(document.activeElement);
  useFloatPlace(element, anchor);
  useCloseElsewhere(element, onClose);
  useEffect(() => {
    element.current?.focus();
    const opener = back.current;
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return createPortal(
    <div
      ref={element}
      className="popover"
      role="dialog"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Escape" || event.key === "Tab") {
          event.preventDefault();
          onClose();
        }
      }}
    >
      {children}
    </div>,
    document.body,
  );
}

function focusable(menu: HTMLElement | null): HTMLElement[] {
  return menu === null ? [] : [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]")];
}

/** Below its opener, above it if it does not fit, never outside of the window. */
function useFloatPlace(element: React.RefObject<HTMLElement | null>, anchor: Anchor): void {
  useLayoutEffect(() => {
    const float = element.current;
    if (float === null) return;
    const { offsetWidth: width, offsetHeight: height } = float;
    const wanted = anchor.right === null ? anchor.x : anchor.right - width;
    const left = Math.max(8, Math.min(wanted, window.innerWidth - width - 8));
    const fits = anchor.below + height <= window.innerHeight - 8;
    const top = fits ? anchor.below : Math.max(8, anchor.y - height - 4);
    float.style.left = `${left}px`;
    float.style.top = `${top}px`;
  }, [element, anchor]);
}

function useCloseElsewhere(element: React.RefObject<HTMLElement | null>, onClose: () => void): void {
  useEffect(() => {
    const onPointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && element.current?.contains(event.target) !== true) onClose();
    };
    window.addEventListener("pointerdown", onPointerDown, { capture: true });
    window.addEventListener("blur", onClose);
    return () => {
      window.removeEventListener("pointerdown", onPointerDown, { capture: true });
      window.removeEventListener("blur", onClose);
    };
  }, [element, onClose]);
}
