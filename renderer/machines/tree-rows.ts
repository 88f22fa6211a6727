/**
 * The rows of the tree of machines and sessions, filtered. Owns the order (this machine on top, running sessions before ended ones, then
 * by age) and the words at the right of a row. Pure; draws nothing.
 */
import type { MachineState } from "../../link/messages.js";
import type { SessionEntry } from "../../protocol/values.js";
import type { GlyphState } from "../ui/glyph.js";
import { countdown, counted, plain } from "../ui/words.js";

export interface MachineRow {
  machine: MachineState;
  name: string;
  glyph: GlyphState;
  /** At the right: number of sessions, or what is wrong. */
  fact: string;
  description: string;
  sessions: SessionRow[];
}

export interface SessionRow {
  entry: SessionEntry;
  name: string;
  /** Ended sessions have a glyph of their own in place of the icon. */
  ended: boolean;
  fact: string;
  description: string;
}

export interface TreeGroup {
  name: string;
  machines: MachineRow[];
}

/** Every word of the filter must be in the name of the session or of its machine, in its command or its title. */
export function treeGroups(machines: readonly MachineState[], filter: string): TreeGroup[] {
  const words = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  const rows = machines.map((machine) => machineRow(machine, words)).filter((row) => row !== null);
  const [first, ...others] = machines;
  const groups = [
    { name: "This machine", machines: rows.filter((row) => row.machine.machine === first?.machine) },
    { name: "Other machines", machines: rows.filter((row) => others.some((other) => other.machine === row.machine.machine)) },
  ];
  return groups.filter((group) => group.machines.length > 0);
}

function machineRow(machine: MachineState, words: readonly string[]): MachineRow | null {
  const name = plain(machine.name);
  const all = machine.sessions.map(sessionRow);
  const text = (row: SessionRow) => `${name} ${row.name} ${row.entry.command.join(" ")} ${row.entry.title}`.toLowerCase();
  const sessions = all.filter((row) => words.every((word) => text(row).includes(word))).sort(byStateThenAge);
  if (sessions.length === 0 && !words.every((word) => name.toLowerCase().includes(word))) return null;
  const running = all.filter((row) => !row.ended).length;
  return {
    machine,
    name,
    glyph: machine.state,
    fact: machineFact(machine, running),
    description: machineDescription(machine, running),
    sessions,
  };
}

function machineFact(machine: MachineState, running: number): string {
  switch (machine.state) {
    case "live":
      return String(running);
    case "stale":
      return "no answer";
    case "reconnecting":
      return machine.attempt > 0 ? `try ${machine.attempt}` : "connecting";
    case "lost":
      return "offline";
  }
}

function machineDescription(machine: MachineState, running: number): string {
  const next = machine.nextTryMs === null ? "" : `, next try in ${countdown(machine.nextTryMs)}`;
  const state = machine.state === "reconnecting" ? `reconnecting, attempt ${machine.attempt}${next}` : machine.state;
  return `${state}, ${counted(running, "session", "sessions")}${machine.root ? ", runs as root" : ""}`;
}

function sessionRow(entry: SessionEntry): SessionRow {
  const ended = entry.state === "ended";
  const people = entry.attached.length;
  const exit = entry.exit === null ? "ended" : "code" in entry.exit ? `exit ${entry.exit.code}` : entry.exit.signal;
  const watched = people === 0 ? "" : `, ${counted(people, "person", "people")}`;
  return {
    entry,
    name: plain(entry.name),
    ended,
    fact: ended ? exit : people > 1 ? String(people) : "",
    description: ended ? exit : `running${watched}`,
  };
}

function byStateThenAge(one: SessionRow, other: SessionRow): number {
  if (one.ended !== other.ended) return one.ended ? 1 : -1;
  return one.entry.created < other.entry.created ? -1 : one.entry.created > other.entry.created ? 1 : 0;
}
