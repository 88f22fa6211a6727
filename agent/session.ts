/**
 * One session: a program on a pty, everything it printed, its screen, and the streams attached to it. Owns the way of output (pty, guard,
 * history, streams), of input (roles, positions, queue) and of answers to terminal queries, and what pauses the program. Knows neither
 * connections nor other sessions.
 */
import { type Failure, failure, type Result } from "../protocol/errors.js";
import type { Attach } from "../protocol/messages.js";
import { cappedRole, suffices } from "../protocol/roles.js";
import type { ExitStatus, Role, ScreenText, SessionEntry, SignalName, Size, StreamRole, View } from "../protocol/values.js";
import type { Clock } from "../transport/transport.js";
import { Answers } from "./answers.js";
import { Driver } from "./driver.js";
import type { GuardItem, OutputGuard } from "./guard.js";
import { defaultHistoryBytes, History } from "./history.js";
import { Holders } from "./holders.js";
import { InputQueue } from "./input-queue.js";
import { type Attendant, Member, type MemberPort } from "./member.js";
import type { Pty, PtyEvents } from "./pty.js";
import { maxBacklog, type Screen, type ScreenOptions } from "./session-screen.js";
import type { StreamSnapshot, StreamSource } from "./stream.js";

/** What a session needs of the parts around it; tests put others in their place. */
export type SessionPty = Pick<Pty, "pid" | "write" | "dropUnwritten" | "resize" | "pause" | "resume" | "signal" | "kill">;
export type SessionGuard = Pick<OutputGuard, "push" | "resize" | "end" | "guardedBytes">;

export interface SessionOptions {
  sessionId: string;
  name: string;
  machine: string;
  command: string[];
  cwd: string;
  size: Size;
  /** Lines the screen keeps above it. */
  scrollback: number;
  /** ISO 8601, UTC. */
  created: string;
  clock: Clock;
  historyBytes?: number;
  guard: SessionGuard;
  openScreen(reader: ScreenOptions["reader"], end: () => number): Screen;
  spawn(events: PtyEvents): Result<SessionPty>;
  /** All sessions' unread output together; true: over the agent's bound. */
  overBudget(): boolean;
  /** Something that lists show changed; `activity`: output only, which may be told less often. */
  changed(what: "entry" | "activity"): void;
  log(event: string, fields: Record<string, string | number | boolean | null>): void;
}

/** Output is gathered this long or to this size before streams are woken; the first bytes after a rest go at once. */
const gatherMs = 4;
const gatherBytes = 64 * 1024;
/** A screen this far behind is not what fills the agent, and its program runs on. */
const smallBacklogBytes = 1024 * 1024;
const backlogCheckMs = 50;
/** Reports of dropped input that a holder gets again at its next attach. */
const mostDropped = 64;
const titleLength = 256;

const focusIn = new Uint8Array([0x1b, 0x5b, 0x49]);
const focusOut = new Uint8Array([0x1b, 0x5b, 0x4f]);

export class Session implements StreamSource {
  readonly sessionId: string;
  readonly history: History;
  readonly ringBytes: number;
  readonly scrollback: number;
  name: string;
  exit: ExitStatus | null = null;
  /** On the clock; null while it runs. */
  endedAt: number | null = null;
  lastOutput: number;
  readonly driver: Driver;

  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #screen: Screen;
  readonly #input: InputQueue;
  readonly #holders: Holders;
  readonly #members = new Set<Member>();
  #pty: SessionPty | null = null;
  #pid = 0;
  #title = "";
  #bells = 0;
  #mismatches = 0;
  readonly #ended: Promise<void>;
  #setEnded: () => void = () => {};

  /** What keeps the program paused. */
  readonly #held = new Set<object>();
  readonly #screenHold = {};
  #wokenAt = Number.NEGATIVE_INFINITY;
  #gathered = 0;
  #gatherTimer = false;

  readonly #answers: Answers;
  #focusWritten = false;
  #focusBusy = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.sessionId = options.sessionId;
    this.name = options.name;
    this.scrollback = options.scrollback;
    this.ringBytes = options.historyBytes ?? defaultHistoryBytes;
    this.history = new History(options.size, { bytes: this.ringBytes });
    this.lastOutput = this.#clock.now();
    this.#ended = new Promise((done) => {
      this.#setEnded = done;
    });
    this.#input = new InputQueue({
      write: (bytes, taken) => this.#pty?.write(bytes, taken),
      dropUnwritten: () => this.#pty?.dropUnwritten() ?? 0,
    });
    this.#answers = new Answers({
      write: (bytes) => {
        if (this.running) this.#input.answer(bytes);
      },
      failed: () => options.log("query-unanswered", { session: options.sessionId }),
    });
    this.#holders = new Holders(this.#clock, this.#input);
    this.driver = new Driver({
      clock: this.#clock,
      size: options.size,
      resize: (size) => this.#resize(size),
      changed: () => options.changed("entry"),
    });
    this.#screen = options.openScreen(
      (from, reached) => this.history.reader(from, reached === undefined ? { pin: true } : { pin: true, reached }),
      () => this.history.end,
    );
    this.#screen.onTitle((title) => this.#setTitle(title));
    this.#screen.onBacklog(() => this.#checkBacklog());
  }

  /** Starts the program. After a failure the session must be closed. */
  start(): Result<null> {
    const spawned = this.#options.spawn({ data: (bytes) => this.#output(bytes), exit: (status) => this.#exited(status) });
    if (!spawned.ok) return spawned;
    this.#pty = spawned.value;
    this.#pid = spawned.value.pid;
    return { ok: true, value: null };
  }

  get running(): boolean {
    return this.exit === null;
  }

  get backlog(): number {
    return this.#screen.backlog;
  }

  get streams(): number {
    return this.#members.size;
  }

  get mismatches(): number {
    return this.#mismatches;
  }

  /** Resolved once the program has ended and everything it printed is in the history. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** One line of `ls --json`. */
  entry(): SessionEntry {
    const { sessionId, machine, command, cwd, created, guard } = this.#options;
    const attached = [...this.#members].slice(0, 1024).map(({ name, role }) => ({ name, role }));
    return {
      sessionId,
      name: this.name,
      machine,
      state: this.running ? "running" : "ended",
      pid: this.#pid,
      size: this.history.size,
      attached,
      driver: this.driver.name,
      exclusive: this.driver.exclusive,
      created,
      command,
      cwd,
      title: this.#title,
      exit: this.exit,
      guardedBytes: guard.guardedBytes,
      output: this.history.end,
      bells: this.#bells,
      idleMs: Math.max(0, Math.round(this.#clock.now() - this.lastOutput)),
    };
  }

  // ---- streams -----------------------------------------------------------------------------------------------------------------

  /**
   * Begins a stream: its role is the lower of what it asks for and its principal's. An older stream of the same holder is closed, and its
   * lease and unwritten input are the new one's.
   */
  attach(request: Attach, who: Attendant, port: MemberPort): Member {
    const role = cappedRole(request.role, who.ceiling);
    const { holder, known } = this.#holders.enter(who.principal, request.holder);
    const older = [...this.#members].find((one) => one.holder === holder);
    // What its emulator has, it told the older stream.
    if (older !== undefined) holder.hasScrollback = older.sending.hasScrollback;
    const member = new Member({
      request,
      role,
      who,
      port,
      holder,
      known,
      source: this,
      clock: this.#clock,
      driver: this.driver,
      finished: (one) => this.detach(one, "finished"),
    });
    this.#members.add(member);
    if (this.running) this.driver.join(member);
    if (older !== undefined) this.detach(older, "replaced");
    member.sending.start();
    this.#checkFocus();
    this.#options.changed("entry");
    return member;
  }

  /** Ends a stream. After `lost` its lease waits for it; its unwritten input is written in any case. */
  detach(member: Member, why: "asked" | "replaced" | "lost" | "finished" | Failure): void {
    if (!this.#members.delete(member)) return;
    this.driver.leave(member, why === "lost");
    if (why === "lost" || why === "finished") member.end(null);
    else if (why === "asked" || why === "replaced") member.end({ t: "detached", stream: member.stream });
    else member.end({ t: "error", stream: member.stream, error: why });
    this.#holders.leave(member.holder);
    this.#checkFocus();
    this.#options.changed("entry");
  }

  /** Closes the streams of every other client. Returns how many. */
  detachOthers(client: object, byName: string): number {
    const others = [...this.#members].filter((member) => member.client !== client);
    const error = failure("not-permitted", `${byName} detached everybody else from ${this.name}. Attach again to go on.`);
    for (const member of others) this.detach(member, error);
    return others.length;
  }

  /** Applies a role that the client asked for itself. */
  setRole(member: Member, role: StreamRole): void {
    if (role === "operator" && !suffices(member.ceiling, "operator")) {
      member.refuse(failure("not-permitted", "You may watch this session, not type in it. Ask its owner for the operator role."));
      return;
    }
    this.#changeRole(member, role);
  }

  /** The principal's ceiling changed: acts at once. */
  setCeiling(member: Member, ceiling: Role): void {
    member.ceiling = ceiling;
    if (member.role === "operator" && !suffices(ceiling, "operator")) this.#changeRole(member, "observer");
  }

  setView(member: Member, view: View): void {
    if (view.focused !== member.focused) this.setFocus(member, view.focused);
    if (this.running) this.driver.view(member, view);
    else member.view = view;
  }

  setFocus(member: Member, on: boolean): void {
    member.focused = on;
    this.#checkFocus();
  }

  // ---- input -------------------------------------------------------------------------------------------------------------------

  /**
   * Input of a stream; `position` counts this holder's bytes before it. What arrived before is dropped, so that nothing is written twice.
   * Returns a failure that ends the stream: a hole (`invalid`), or too much that waits (`busy`).
   */
  input(member: Member, position: number, bytes: Uint8Array): Failure | null {
    const { holder } = member;
    const end = position + bytes.length;
    if (position > holder.received) {
      return failure("invalid", "Input is missing before this. Attach again; what did not arrive is given back.", { retry: "now" });
    }
    if (end <= holder.received) return null;
    if (!this.running || !this.driver.mayType(member)) {
      if (this.running) member.refuse(this.#whyNot(member));
      // What waited before it goes with it: nothing is written around a hole.
      const from = holder.received - this.#input.cancel(holder.lane);
      holder.received = end;
      this.#dropped(member, from);
      return null;
    }
    const fresh = bytes.subarray(holder.received - position);
    const added = this.#input.add(holder.lane, fresh, () => {
      holder.settled = Math.max(holder.settled, end);
      for (const one of this.#members) if (one.holder === holder) one.say({ t: "ack", stream: one.stream, upTo: holder.settled });
    });
    if (!added) {
      return failure("busy", "The program does not read: 1 MiB of input waits for it. Cancel the input, or wait.", { retry: "later" });
    }
    holder.received = end;
    this.driver.typed(member);
    return null;
  }

  /** Drops what this holder has waiting. */
  cancelInput(member: Member): void {
    const { holder } = member;
    this.#dropped(member, holder.received - this.#input.cancel(holder.lane));
  }

  /** Everything of a holder from `from` on was dropped unwritten. */
  #dropped(member: Member, from: number): void {
    const { holder } = member;
    const to = holder.received;
    holder.settled = to;
    if (to > from) holder.dropped.push({ from, to });
    if (holder.dropped.length > mostDropped) holder.dropped.shift();
    member.say({ t: "input-cancelled", stream: member.stream, from, to });
  }

  #whyNot(member: Member): Failure {
    if (member.role !== "operator") return failure("not-permitted", "Observers cannot type. Ask for the operator role first.");
    return failure("not-permitted", `${this.driver.name ?? "Somebody"} has this session to itself. Ask for control.`);
  }

  #changeRole(member: Member, role: StreamRole): void {
    // Whoever may not type any more has nothing typed any more either.
    if (role === "observer" && member.holder.lane.waiting > 0) this.cancelInput(member);
    if (role === member.role) {
      member.say({ t: "role", stream: member.stream, role });
      return;
    }
    member.roleChanged(role);
    if (this.running) this.driver.roleChanged(member);
    this.#checkFocus();
    this.#options.changed("entry");
  }

  /** Tells a program that asked for it when the first operator looks at it, and when none does any more. */
  #checkFocus(): void {
    const focused = () => [...this.#members].some((member) => member.focused && member.role === "operator");
    if (this.#focusBusy || !this.running || focused() === this.#focusWritten) return;
    this.#focusBusy = true;
    this.#screen.text({ ansi: false }).then(
      ({ modes }) => {
        this.#focusBusy = false;
        const now = focused();
        if (!this.running || now === this.#focusWritten) return;
        this.#focusWritten = now;
        if (modes.sendFocus) this.#input.answer(now ? focusIn : focusOut);
      },
      () => {
        this.#focusBusy = false;
      },
    );
  }

  // ---- the program -------------------------------------------------------------------------------------------------------------

  /** A signal to the foreground process group. */
  signal(name: SignalName): Result<Record<string, never>> {
    if (this.#pty === null) return { ok: false, error: this.#endedError() };
    return this.#pty.signal(name);
  }

  /** Ends the program: HUP, TERM, KILL. Resolves when it is gone and its last output is in. */
  async kill(): Promise<void> {
    if (this.#pty === null) return;
    await this.#pty.kill();
    await this.#ended;
  }

  /** The current screen as text. */
  text(options: { ansi: boolean }): Promise<ScreenText> {
    return this.#screen.text(options);
  }

  snapshot(options: { scrollback: number }): Promise<StreamSnapshot> {
    return this.#screen.snapshot(options);
  }

  hash(at: number): Promise<string | null> {
    return this.#screen.hash(at);
  }

  mismatched(): void {
    this.#mismatches += 1;
    this.#options.log("screen-mismatch", { session: this.sessionId });
  }

  /** Pauses the program until every holder has let go. */
  hold(by: object): void {
    this.#held.add(by);
    if (this.#held.size === 1) this.#pty?.pause();
  }

  release(by: object): void {
    if (this.#held.delete(by) && this.#held.size === 0) this.#pty?.resume();
  }

  /** Forgets everything; the program must have ended (or never started). */
  close(): void {
    const gone = failure("not-found", `${this.name} was dismissed.`);
    for (const member of [...this.#members]) this.detach(member, gone);
    this.driver.close();
    this.#input.close();
    this.#screen.close();
  }

  #endedError(): Failure {
    return failure("ended", `${this.name} has ended. Start a new session.`);
  }

  #output(bytes: Uint8Array): void {
    this.#take(this.#options.guard.push(bytes));
    this.#gathered += bytes.length;
    const now = this.#clock.now();
    this.lastOutput = now;
    if (this.#gathered >= gatherBytes || now - this.#wokenAt >= gatherMs) {
      this.#wake(now);
    } else if (!this.#gatherTimer) {
      // One timer a flush, not one a chunk: it stays when the flush came earlier.
      this.#gatherTimer = true;
      this.#clock.after(gatherMs, () => {
        this.#gatherTimer = false;
        if (this.#gathered > 0) this.#wake(this.#clock.now());
      });
    }
  }

  #take(items: GuardItem[]): void {
    for (const item of items) {
      switch (item.kind) {
        case "bytes":
          this.history.append(item.bytes, item.cost);
          this.#bells += item.bells;
          break;
        case "size":
          this.history.mark(item.size);
          break;
        case "query":
          this.#answers.question(() => this.#screen.answer(item.bytes, this.history.end, { ...this.driver.look, size: this.history.size }));
          break;
      }
    }
  }

  #wake(now: number): void {
    this.#wokenAt = now;
    this.#gathered = 0;
    for (const member of this.#members) member.sending.output();
    this.#screen.poke();
    this.#checkBacklog();
    this.#options.changed("activity");
  }

  #checkBacklog(): void {
    if (!this.running) return;
    const { backlog } = this.#screen;
    const crowded = backlog > smallBacklogBytes && this.#options.overBudget();
    if (!this.#held.has(this.#screenHold)) {
      if (backlog <= maxBacklog && !crowded) return;
      this.hold(this.#screenHold);
    } else if (backlog < maxBacklog / 2 && !crowded) {
      this.release(this.#screenHold);
      return;
    }
    // The screen tells of its own bound only; the agent's is looked at.
    this.#clock.after(backlogCheckMs, () => this.#checkBacklog());
  }

  #resize(size: Size): void {
    if (!this.running) return;
    // The marker stands where the program may begin to draw for the new size; what it printed before is before it.
    this.#take(this.#options.guard.resize(size));
    this.#pty?.resize(size);
    this.#wake(this.#clock.now());
    this.#options.changed("entry");
  }

  #exited(status: ExitStatus): void {
    if (!this.running) return;
    this.#take(this.#options.guard.end());
    this.exit = status;
    this.endedAt = this.#clock.now();
    this.#pty = null;
    this.#held.clear();
    this.#input.close();
    this.driver.close();
    this.#wake(this.#clock.now());
    this.#setEnded();
    this.#options.changed("entry");
  }

  #setTitle(title: string): void {
    const harmless = title.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "");
    // Cutting by UTF-16 units may leave half a character.
    const clean = harmless.slice(0, titleLength).replace(/[\ud800-\udbff]$/, "");
    if (clean === this.#title) return;
    this.#title = clean;
    this.#options.changed("entry");
  }
}
