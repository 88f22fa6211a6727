/**
 * `muxdeck wait`: returns when a text appears, when a session ends, or when it has been quiet for a while. Owns what counts as appearing:
 * decoded lines of output from now on, and lines of the screen as it is then.
 */
import { fail, ok, type Result } from "../../protocol/errors.js";
import type { SessionEntry } from "../../protocol/values.js";
import { LineSplitter } from "../../sdk/lines.js";
import { readCount, readSeconds } from "../arguments.js";
import { type Command, done, withSession } from "../command.js";
import { statusText } from "../failures.js";
import { openStream } from "../open-stream.js";
import { output, writeJson } from "../output.js";
import { printable } from "../printable.js";
import type { Reach } from "../reach.js";

/** While output comes, the screen is looked at this often: programs draw text that never is a line of output. */
const lookMs = 100;

type Goal = { kind: "for"; pattern: RegExp } | { kind: "exit" } | { kind: "idle"; ms: number };
/** What is told when it came. */
type Outcome = { line: string } | { exit: SessionEntry["exit"] } | { idleMs: number };

export const command: Command = {
  usage: "wait S (--for REGEX | --exit | --idle MS) [--timeout S]",
  summary: "Waits for a text, for the end, or for quiet.",
  details: "REGEX is a JavaScript one; it is tried on each line of output from now on and on each line of the current screen.",
  options: { for: "text", exit: "flag", idle: "text", timeout: "text" },
  words: [1, 1],
  run: async (call) => {
    const goal = readGoal(call.arguments.text("for"), call.arguments.has("exit"), call.arguments.text("idle"));
    if (!goal.ok) return goal;
    const timeout = call.arguments.text("timeout") === null ? ok(null) : readSeconds("timeout", call.arguments.text("timeout") ?? "");
    if (!timeout.ok) return timeout;
    return withSession(call, async (at, entry) => {
      const outcome = await Promise.race([reachGoal(at, entry, goal.value), late(timeout.value, entry)]);
      if (!outcome.ok) return outcome;
      if (call.json) await writeJson({ sessionId: entry.sessionId, ...outcome.value });
      else if ("line" in outcome.value) await output().write(`${printable(outcome.value.line)}\n`);
      else if ("exit" in outcome.value && outcome.value.exit !== null) await output().write(`${statusText(outcome.value.exit)}\n`);
      return done;
    });
  },
};

function readGoal(pattern: string | null, exit: boolean, idle: string | null): Result<Goal> {
  if ([pattern !== null, exit, idle !== null].filter(Boolean).length !== 1) {
    return fail("invalid", `Give one of --for, --exit and --idle. Usage: muxdeck ${command.usage}`);
  }
  if (pattern !== null) {
    try {
      return ok({ kind: "for", pattern: new RegExp(pattern) });
    } catch {
      return fail("invalid", `${printable(pattern)} is no regular expression. Check brackets and backslashes.`);
    }
  }
  if (idle === null) return ok({ kind: "exit" });
  const ms = readCount("idle", idle);
  if (!ms.ok) return ms;
  return ms.value < 2 ** 31 ? ok({ kind: "idle", ms: ms.value }) : fail("invalid", "--idle takes at most 24 days of milliseconds.");
}

function late(ms: number | null, entry: SessionEntry): Promise<Result<Outcome>> {
  return new Promise((resolve) => {
    if (ms === null) return;
    const what = `It did not come within ${ms / 1000} s. ${entry.name} goes on. Wait longer, or look at its screen.`;
    setTimeout(() => resolve(fail("timeout", what)), ms);
  });
}

function reachGoal(at: Reach, entry: SessionEntry, goal: Goal): Promise<Result<Outcome>> {
  switch (goal.kind) {
    case "exit":
      return waitForExit(at, entry);
    case "idle":
      return waitForQuiet(at, entry, goal.ms);
    case "for":
      return waitForText(at, entry, goal.pattern);
  }
}

function waitForExit(at: Reach, entry: SessionEntry): Promise<Result<Outcome>> {
  return new Promise((resolve) => {
    const look = (found: SessionEntry | undefined): void => {
      if (found === undefined) resolve(fail("not-found", `${entry.name} was dismissed. How it ended is not known any more.`));
      else if (found.state === "ended") resolve(ok({ exit: found.exit }));
    };
    at.onGone((error) => resolve({ ok: false, error }));
    at.connection.watch({
      sessions: (entries) => look(entries.find((one) => one.sessionId === entry.sessionId)),
      changed: (change, changed) => {
        if (changed.sessionId === entry.sessionId) look(change === "removed" && changed.state === "running" ? undefined : changed);
      },
    });
  });
}

async function waitForQuiet(at: Reach, entry: SessionEntry, ms: number): Promise<Result<Outcome>> {
  if (entry.state === "ended" || entry.idleMs >= ms) return ok({ idleMs: Math.round(entry.idleMs) });
  return new Promise((resolve) => {
    const quiet = (): void => resolve(ok({ idleMs: ms }));
    let timer = setTimeout(quiet, ms - entry.idleMs);
    const opened = openStream(
      at,
      { session: entry.sessionId, role: "observer", view: null, from: "now", scrollback: "none", onLag: "skip" },
      {
        data: (seq, bytes) => {
          opened.stream.parsed(opened.id(), seq + bytes.length);
          clearTimeout(timer);
          timer = setTimeout(quiet, ms);
        },
      },
    );
    void opened.over.then((over) => {
      clearTimeout(timer);
      resolve(over.ok ? ok({ idleMs: 0 }) : over);
    });
  });
}

async function waitForText(at: Reach, entry: SessionEntry, pattern: RegExp): Promise<Result<Outcome>> {
  let found: (result: Result<Outcome>) => void = () => {};
  const result = new Promise<Result<Outcome>>((resolve) => {
    found = resolve;
  });
  const lines = new LineSplitter();
  const tryLines = (all: readonly string[]): boolean => {
    const line = all.find((one) => pattern.test(one));
    if (line === undefined) return false;
    found(ok({ line }));
    return true;
  };
  let looking = false;
  let again = false;
  const look = async (): Promise<void> => {
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    do {
      again = false;
      const screen = await at.request("screen", { session: entry.sessionId, ansi: false });
      if (screen.ok && tryLines(screen.value.lines)) return;
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    } while (again);
    looking = false;
  };
  const opened = openStream(
    at,
    { session: entry.sessionId, role: "observer", view: null, from: "now", scrollback: "none", onLag: "skip" },
    {
      data: (seq, bytes) => {
        opened.stream.parsed(opened.id(), seq + bytes.length);
        if (!tryLines(lines.push(bytes))) void look();
      },
      // What was skipped may have held the text; its end is on the screen.
      gap: () => void look(),
      screen: () => void look(),
    },
  );
  const attached = await opened.attached;
  if (!attached.ok && attached.error.code !== "ended") return attached;
  await look();
  void opened.over.then(async (over) => {
    if (!over.ok) found(over);
    else if (!tryLines(lines.end())) {
      const screen = await at.request("screen", { session: entry.sessionId, ansi: false });
      if (!screen.ok || !tryLines(screen.value.lines))
        found(fail("ended", `${entry.name} ended before the text came (${statusText(over.value)}).`));
    }
  });
  return result;
}
