/**
 * All sessions of an agent: names, finding one, the list, what watchers are told and how often, and how long ended ones stay. Owns no
 * pty, screen or stream: those are each session's.
 */
import { randomBytes } from "node:crypto";
import { type Failure, fail, ok, type Result } from "../protocol/errors.js";
import type { Request } from "../protocol/messages.js";
import type { SessionEntry, Size } from "../protocol/values.js";
import type { Clock } from "../transport/transport.js";
import { defaultName, loginShell, sessionEnvironment, startFolder } from "./environment.js";
import type { PtyEvents } from "./pty.js";
import { Session, type SessionGuard, type SessionPty } from "./session.js";
import type { Screen, ScreenOptions } from "./session-screen.js";

/** How long, and how many, ended sessions stay unless dismissed; design §5. */
export const endedMemoryMs = 24 * 60 * 60 * 1000;
export const mostEnded = 64;
/** Watchers hear of a change within this; several changes at once are one event. */
const entryMs = 50;
/** Output alone is told at most this often a session. */
const activityMs = 500;
/** Unread output of all screens together beyond which programs are paused; design §5. */
const agentBacklogBytes = 128 * 1024 * 1024;

export interface SessionsOptions {
  clock: Clock;
  machine: string;
  /** Lines of scrollback of a session that starts now. */
  scrollback(): number;
  historyBytes?: number;
  /** The agent's environment. */
  env: Readonly<Record<string, string | undefined>>;
  guard(size: Size): SessionGuard;
  openScreen(options: ScreenOptions): Screen;
  spawn(options: { command: string[]; cwd: string; env: Record<string, string>; size: Size }, events: PtyEvents): Result<SessionPty>;
  log(event: string, fields: Record<string, string | number | boolean | null>): void;
}

export type SessionChange = "added" | "changed" | "removed";
export type SessionWatcher = (change: SessionChange, entry: SessionEntry) => void;

interface Kept {
  session: Session;
  toldAt: number;
  timer: { due: number; cancel: () => void } | null;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #clock: Clock;
  readonly #all = new Map<string, Kept>();
  readonly #watchers = new Set<SessionWatcher>();
  #endedTimer: (() => void) | null = null;
  #mismatchesBefore = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /** Oldest first. `only`: the ones a client may see; null: all. */
  list(only: ReadonlySet<string> | null): SessionEntry[] {
    return this.#visible(only).map((session) => session.entry());
  }

  get counts(): { running: number; ended: number; streams: number; hashMismatches: number } {
    const sessions = this.#visible(null);
    const running = sessions.filter((session) => session.running).length;
    const streams = sessions.reduce((sum, session) => sum + session.streams, 0);
    const hashMismatches = sessions.reduce((sum, session) => sum + session.mismatches, this.#mismatchesBefore);
    return { running, ended: sessions.length - running, streams, hashMismatches };
  }

  /**
   * Finds one by id, name or unique id prefix. Of equal names the live session's counts, else that of the one that ended last. Failures:
   * `not-found`; `ambiguous` with the ids to choose from.
   */
  resolve(ref: string, only: ReadonlySet<string> | null): Result<Session> {
    const visible = this.#visible(only);
    const exact = visible.find((session) => session.sessionId === ref);
    if (exact !== undefined) return ok(exact);
    const named = visible.filter((session) => session.name === ref);
    const newest = named.find((session) => session.running) ?? newestEnded(named);
    if (newest !== undefined) return ok(newest);
    const prefixed = visible.filter((session) => session.sessionId.startsWith(ref));
    const [first] = prefixed;
    if (first === undefined)
      return fail("not-found", `No session ${ref} on ${this.#options.machine}. List the sessions to see their names.`);
    if (prefixed.length === 1) return ok(first);
    const choices = prefixed.slice(0, 64).map((session) => session.sessionId);
    return fail("ambiguous", `${prefixed.length} sessions begin with ${ref}. Give more of the id.`, { choices });
  }

  /** Starts a session. Failures: `invalid` (name), and the pty's. */
  create(request: Request<"new">): Result<Session> {
    const { clock, machine, historyBytes, env: own, log } = this.#options;
    if (request.name !== null && this.#taken(request.name)) return this.#nameTaken(request.name);
    const sessionId = randomBytes(12).toString("hex");
    const env = sessionEnvironment({ requested: request.env, own, sessionId });
    const command = request.command ?? loginShell(env);
    const cwd = request.cwd ?? startFolder(env);
    const { size } = request;
    const scrollback = this.#options.scrollback();
    const session: Session = new Session({
      sessionId,
      name: request.name ?? defaultName(command, (name) => this.#taken(name)),
      machine,
      command,
      cwd,
      size,
      scrollback,
      created: new Date().toISOString(),
      clock,
      ...(historyBytes === undefined ? {} : { historyBytes }),
      guard: this.#options.guard(size),
      openScreen: (reader, end) => this.#options.openScreen({ reader, end, size, scrollback }),
      spawn: (events) => this.#options.spawn({ command, cwd, env, size }, events),
      overBudget: () => this.#overBudget(),
      changed: (what) => this.#changed(session, what),
      log,
    });
    const started = session.start();
    if (!started.ok) {
      session.close();
      return started;
    }
    this.#all.set(sessionId, { session, toldAt: clock.now(), timer: null });
    void session.ended.then(() => this.#forgetEnded());
    log("session-started", { session: sessionId, pid: session.entry().pid });
    this.#tell("added", session.entry());
    return ok(session);
  }

  /** Failures: `invalid` when a live session has the name. */
  rename(session: Session, name: string): Result<SessionEntry> {
    if (session.name !== name && this.#taken(name)) return this.#nameTaken(name);
    session.name = name;
    this.#changed(session, "entry");
    return ok(session.entry());
  }

  /** Forgets an ended session. Failures: `invalid` while it runs. */
  dismiss(session: Session): Result<Record<string, never>> {
    const kept = this.#all.get(session.sessionId);
    if (kept === undefined) return ok({});
    if (session.running) return fail("invalid", `${session.name} is still running. Kill it first.`);
    kept.timer?.cancel();
    this.#all.delete(session.sessionId);
    this.#mismatchesBefore += session.mismatches;
    const entry = session.entry();
    session.close();
    this.#tell("removed", { ...entry, attached: [] });
    return ok({});
  }

  /** Ends every program; resolves when all are gone. */
  async killAll(): Promise<void> {
    await Promise.all(this.#visible(null).map((session) => session.kill()));
  }

  /** Calls back for each change from now on; returns how to stop. */
  watch(watcher: SessionWatcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** No timer stays. For the end of the agent. */
  close(): void {
    this.#endedTimer?.();
    this.#endedTimer = null;
    for (const { session, timer } of this.#all.values()) {
      timer?.cancel();
      session.close();
    }
    this.#all.clear();
  }

  #visible(only: ReadonlySet<string> | null): Session[] {
    const sessions = [...this.#all.values()].map(({ session }) => session);
    return only === null ? sessions : sessions.filter((session) => only.has(session.sessionId));
  }

  #taken(name: string): boolean {
    return this.#visible(null).some((session) => session.running && session.name === name);
  }

  #nameTaken(name: string): { ok: false; error: Failure } {
    return fail("invalid", `A session named ${name} is running already. Choose another name.`);
  }

  #overBudget(): boolean {
    let backlog = 0;
    for (const { session } of this.#all.values()) backlog += session.backlog;
    return backlog > agentBacklogBytes;
  }

  #changed(session: Session, what: "entry" | "activity"): void {
    const kept = this.#all.get(session.sessionId);
    if (kept === undefined || this.#watchers.size === 0) return;
    const now = this.#clock.now();
    const due = Math.max(now + entryMs, what === "activity" ? kept.toldAt + activityMs : 0);
    if (kept.timer !== null && kept.timer.due <= due) return;
    kept.timer?.cancel();
    const cancel = this.#clock.after(due - now, () => {
      kept.timer = null;
      kept.toldAt = this.#clock.now();
      this.#tell("changed", session.entry());
    });
    kept.timer = { due, cancel };
  }

  #tell(change: SessionChange, entry: SessionEntry): void {
    for (const watcher of this.#watchers) watcher(change, entry);
  }

  #forgetEnded(): void {
    this.#endedTimer?.();
    this.#endedTimer = null;
    const now = this.#clock.now();
    const ended = this.#visible(null)
      .filter((session) => !session.running)
      .sort((one, other) => (one.endedAt ?? 0) - (other.endedAt ?? 0));
    const stay: Session[] = [];
    ended.forEach((session, index) => {
      const tooMany = index < ended.length - mostEnded;
      if (tooMany || now - (session.endedAt ?? now) >= endedMemoryMs) this.dismiss(session);
      else stay.push(session);
    });
    const [oldest] = stay;
    if (oldest === undefined) return;
    this.#endedTimer = this.#clock.after((oldest.endedAt ?? now) + endedMemoryMs - now, () => this.#forgetEnded());
  }
}

function newestEnded(sessions: Session[]): Session | undefined {
  return sessions.reduce<Session | undefined>(
    (newest, one) => (newest === undefined || (one.endedAt ?? 0) >= (newest.endedAt ?? 0) ? one : newest),
    undefined,
  );
}
