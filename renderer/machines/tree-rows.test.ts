/** The tree's rows: order, filter, and what is said about each. */
import { describe, expect, it } from "vitest";
import type { MachineState } from "../../link/messages.js";
import type { SessionEntry } from "../../protocol/values.js";
import { treeGroups } from "./tree-rows.js";

const session = (name: string, more: Partial<SessionEntry> = {}): SessionEntry => ({
  sessionId: name.padEnd(24, "0"),
  name,
  machine: "thinkpad",
  state: "running",
  pid: 1,
  size: { cols: 80, rows: 24 },
  attached: [],
  driver: null,
  exclusive: false,
  created: "2026-01-01T00:00:00Z",
  command: ["/bin/zsh"],
  cwd: "/",
  title: "",
  exit: null,
  guardedBytes: 0,
  output: 0,
  bells: 0,
  idleMs: 0,
  ...more,
});
const machine = (name: string, sessions: SessionEntry[], more: Partial<MachineState> = {}): MachineState => ({
  machine: `id-${name}`,
  name,
  state: "live",
  error: null,
  attempt: 0,
  nextTryMs: null,
  roundTripMs: null,
  root: false,
  sessions,
  ...more,
});
const shape = (machines: MachineState[], filter = "") =>
  treeGroups(machines, filter).map((group) => [
    group.name,
    ...group.machines.map((row) => `${row.name}: ${row.sessions.map((entry) => entry.name).join(" ")}`),
  ]);

describe("treeGroups", () => {
  const here = machine("thinkpad", [
    session("done", { state: "ended", exit: { code: 1 }, created: "2026-01-01T00:00:00Z" }),
    session("new", { created: "2026-01-03T00:00:00Z" }),
    session("old", { created: "2026-01-02T00:00:00Z", command: ["make", "-j8"] }),
  ]);
  const there = machine("db-eu-1", [session("psql")]);

  it("puts this machine on top and ended sessions last", () => {
    expect(shape([here, there])).toEqual([
      ["This machine", "thinkpad: old new done"],
      ["Other machines", "db-eu-1: psql"],
    ]);
  });

  it("filters by session, machine and command; a machine's own name keeps all of it", () => {
    expect(shape([here, there], "psql")).toEqual([["Other machines", "db-eu-1: psql"]]);
    expect(shape([here, there], "make")).toEqual([["This machine", "thinkpad: old"]]);
    expect(shape([here, there], "think new")).toEqual([["This machine", "thinkpad: new"]]);
    expect(shape([here, there], "db-eu")).toEqual([["Other machines", "db-eu-1: psql"]]);
    expect(shape([machine("empty", [])], "emp")).toEqual([["This machine", "empty: "]]);
    expect(shape([here, there], "nothing like it")).toEqual([]);
  });

  it("says what is wrong at the right, and everything in the description", () => {
    const rows = treeGroups(
      [
        here,
        machine("web", [], { state: "reconnecting", attempt: 4, nextTryMs: 6000 }),
        machine("gpu", [], { state: "lost" }),
        machine("ci", [], { state: "stale", root: true }),
      ],
      "",
    ).flatMap((group) => group.machines);
    expect(rows.map((row) => [row.fact, row.description])).toEqual([
      ["2", "live, 2 sessions"],
      ["try 4", "reconnecting, attempt 4, next try in 6 s, 0 sessions"],
      ["offline", "lost, 0 sessions"],
      ["no answer", "stale, 0 sessions, runs as root"],
    ]);
    expect(rows[0]?.sessions.map((row) => row.fact)).toEqual(["", "", "exit 1"]);
  });

  it("shows names from elsewhere as one plain line", () => {
    expect(shape([machine("evil\u001b[31m\u202e", [session("a\nb")])])).toEqual([["This machine", "evil[31m: ab"]]);
  });
});
