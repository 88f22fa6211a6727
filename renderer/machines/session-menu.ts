/** What can be done with a machine or a session from the tree. Owns the order; an entry that could do nothing is not there. */
import type { MachineState } from "../../link/messages.js";
import type { SessionEntry } from "../../protocol/values.js";
import type { Deck } from "../deck/deck.js";
import { openBeside, openInTab, paneShowing, randomId } from "../deck/layout-moves.js";
import { attach, dismissSession, startSession } from "../deck/sessions.js";
import type { MenuItem } from "../ui/menu.js";

/** Shows a session; beside the active pane when asked for. In a narrow window the sidebar gets out of the way. */
export function activateSession(deck: Deck, machine: string, session: string, beside: boolean): void {
  const active = deck.active?.leaf.holder;
  deck.store.setState({ sidebarOver: false });
  attach(deck, machine, session, beside && active !== undefined ? { kind: "beside", holder: active, direction: "row" } : { kind: "tab" });
}

export function machineMenu(deck: Deck, machine: MachineState): MenuItem[] {
  const items: MenuItem[] = [{ kind: "item", label: "New session", run: () => void startSession(deck, { machine: machine.machine }) }];
  if (machine.state !== "live") {
    items.push({ kind: "item", label: "Reconnect now", run: () => deck.link?.tell({ t: "reconnect", machine: machine.machine }) });
  }
  const ended = machine.sessions.filter((entry) => entry.state === "ended");
  if (ended.length > 0) {
    items.push({ kind: "line" });
    items.push({
      kind: "item",
      label: "Dismiss ended sessions",
      run: () => {
        for (const entry of ended) void dismissSession(deck, machine.machine, entry.sessionId);
      },
    });
  }
  return items;
}

export function sessionMenu(deck: Deck, machine: string, entry: SessionEntry): MenuItem[] {
  const { sessionId } = entry;
  const running = entry.state === "running";
  const shown = paneShowing(deck, machine, sessionId);
  const active = deck.active?.leaf.holder;
  const leaf = () => ({ kind: "pane" as const, holder: randomId(), machine, session: sessionId, role: "operator" as const });
  const items: (MenuItem | null)[] = [
    { kind: "item", label: shown === null ? "Attach" : "Go to its pane", run: () => activateSession(deck, machine, sessionId, false) },
    shown === null && active !== undefined
      ? { kind: "item", label: "Attach beside", run: () => activateSession(deck, machine, sessionId, true) }
      : null,
    shown === null
      ? null
      : {
          kind: "item",
          label: "Open in a second pane",
          run: () => (active === undefined ? openInTab(deck, leaf()) : openBeside(deck, active, "row", leaf())),
        },
    { kind: "line" },
    { kind: "item", label: "Rename session…", run: () => deck.ask({ kind: "rename-session", machine, entry }) },
    running ? { kind: "item", label: "Send signal…", run: () => deck.ask({ kind: "signal", machine, entry }) } : null,
    running
      ? {
          kind: "item",
          label: "End session…",
          danger: true,
          run: () => deck.ask({ kind: "end-session", machine, entry, holder: shown?.holder ?? null }),
        }
      : { kind: "item", label: "Dismiss session", run: () => void dismissSession(deck, machine, sessionId) },
  ];
  return items.filter((item) => item !== null);
}
