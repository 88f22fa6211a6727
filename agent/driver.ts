/**
 * Who decides a session's size, and who may type when one alone may. Owns the driver's lease (it outlives a lost link by 20 s), the
 * debouncing of widths, exclusive mode and asking for control. Refuses everything an observer asks that could change the session; writes
 * nothing to a pty itself.
 */
import { fail, ok, type Result } from "../protocol/errors.js";
import type { AgentMessage } from "../protocol/messages.js";
import { suffices } from "../protocol/roles.js";
import type { Colours, Role, Size, StreamRole, View } from "../protocol/values.js";
import type { Clock } from "../transport/transport.js";

/** How long a driver whose link broke keeps the size and, in exclusive mode, the keyboard. */
export const leaseMs = 20_000;
/** Width changes reflow every screen and every viewer's: while a pane is being dragged, at most one in this time. */
export const widthMs = 100;
/** Asks for control that wait for an answer. */
const mostAsks = 64;

/** An attached stream, as the driver rules see it. */
export interface Seat {
  readonly stream: number;
  readonly name: string;
  /** The same for every stream of one holder. */
  readonly holderKey: string;
  readonly ceiling: Role;
  role: StreamRole;
  view: View | null;
  say(message: AgentMessage): void;
  /** The role was changed by somebody's answer; says so to the client. */
  roleChanged(role: StreamRole): void;
}

export interface DriverOptions {
  clock: Clock;
  size: Size;
  /** The session's size shall be this. */
  resize(size: Size): void;
  /** Driver or exclusive changed. */
  changed(): void;
}

type Lease =
  | { state: "none" }
  | { state: "held"; seat: Seat }
  /** Its link broke: it may come back. */
  | { state: "away"; holderKey: string; name: string; cancel: () => void };

const none: Lease = { state: "none" };

export class Driver {
  readonly #options: DriverOptions;
  readonly #seats = new Set<Seat>();
  #lease: Lease = none;
  #exclusive = false;
  /** What the driver's terminal looks like; kept while nobody drives, so that programs get the same answers. */
  #look: { colours: Colours | null; cellWidth: number; cellHeight: number } = { colours: null, cellWidth: 0, cellHeight: 0 };
  #size: Size;
  #widthAt = Number.NEGATIVE_INFINITY;
  #widthTimer: (() => void) | null = null;
  #asks = new Map<number, Seat>();
  #nextAsk = 1;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#size = options.size;
  }

  get name(): string | null {
    if (this.#lease.state === "held") return this.#lease.seat.name;
    return this.#lease.state === "away" ? this.#lease.name : null;
  }

  get exclusive(): boolean {
    return this.#exclusive;
  }

  get look(): { colours: Colours | null; cellWidth: number; cellHeight: number } {
    return this.#look;
  }

  drives(seat: Seat): boolean {
    return this.#lease.state === "held" && this.#lease.seat === seat;
  }

  /** In an exclusive session only the driver types. */
  mayType(seat: Seat): boolean {
    return seat.role === "operator" && (!this.#exclusive || this.drives(seat));
  }

  /** A stream attached. The same holder's lease is its own again; else the first operator with a pane drives. */
  join(seat: Seat): void {
    this.#seats.add(seat);
    const lease = this.#lease;
    const inherits = (lease.state === "away" && lease.holderKey === seat.holderKey) || this.#heldByHolder(seat);
    if (inherits && seat.role === "operator") this.#give(seat, seat.view);
    else if (inherits) this.#drop();
    else this.#driveIfFirst(seat);
  }

  /** A stream is gone; `lost`: its link broke, so that it may come back. */
  leave(seat: Seat, lost: boolean): void {
    if (!this.#seats.delete(seat)) return;
    for (const [ask, asker] of this.#asks) if (asker === seat) this.#asks.delete(ask);
    if (!this.drives(seat)) return;
    if (!lost) {
      this.#drop();
      return;
    }
    this.#refuseAsks();
    const cancel = this.#options.clock.after(leaseMs, () => this.#drop());
    this.#lease = { state: "away", holderKey: seat.holderKey, name: seat.name, cancel };
    this.#tellAll();
  }

  /** Says who drives; once after `attached`, then after each change. */
  tell(seat: Seat): void {
    seat.say({ t: "driver", stream: seat.stream, mine: this.drives(seat), name: this.name, exclusive: this.#exclusive });
  }

  /** An operator types: where nobody drives, it does now. */
  typed(seat: Seat): void {
    this.#driveIfFirst(seat);
  }

  /** The stream's own role changed. */
  roleChanged(seat: Seat): void {
    if (seat.role === "operator") this.#driveIfFirst(seat);
    else if (this.drives(seat)) this.#drop();
  }

  /** The pane changed; only the driver's changes the session. */
  view(seat: Seat, view: View): void {
    seat.view = view;
    if (!this.drives(seat)) return;
    this.#adopt(view);
    this.#fit(view, false);
  }

  /** Becomes the driver. Failures: `not-permitted` in an exclusive session, `invalid` without a pane and without a size. */
  take(seat: Seat, size: Size | null): Result<null> {
    if (this.#exclusive && !this.drives(seat)) {
      return fail("not-permitted", `${this.name ?? "Somebody"} has this session to itself. Ask for control instead.`);
    }
    const wanted = size ?? seat.view;
    if (wanted === null) return fail("invalid", "This stream has no pane. Say which size to take.");
    this.#give(seat, wanted);
    return ok(null);
  }

  release(seat: Seat): Result<null> {
    if (!this.drives(seat)) return this.#onlyDriver();
    this.#drop();
    return ok(null);
  }

  setExclusive(seat: Seat, on: boolean): Result<null> {
    if (!this.drives(seat)) return this.#onlyDriver();
    if (this.#exclusive !== on) {
      this.#exclusive = on;
      this.#tellAll();
    }
    return ok(null);
  }

  /** Asks the driver for control. Where nobody could answer it is answered at once. Never more than the asker's ceiling. */
  ask(seat: Seat): Result<null> {
    if (!suffices(seat.ceiling, "operator")) {
      return fail("not-permitted", "Your access to this session is for watching. Ask its owner for the operator role.");
    }
    if (this.drives(seat)) {
      this.#answer(seat, "hand-over");
    } else if (this.#lease.state === "none") {
      this.#raise(seat);
      this.#answer(seat, "both");
    } else if (this.#lease.state === "away") {
      this.#answer(seat, "not-now");
    } else {
      if (this.#asks.size >= mostAsks) return fail("busy", "Many others are asking already. Try again later.", { retry: "later" });
      const ask = this.#nextAsk++;
      this.#asks.set(ask, seat);
      const driver = this.#lease.seat;
      driver.say({ t: "control-asked", stream: driver.stream, ask, name: seat.name });
    }
    return ok(null);
  }

  answer(seat: Seat, ask: number, answer: "hand-over" | "both" | "not-now"): Result<null> {
    if (!this.drives(seat)) return this.#onlyDriver();
    const asker = this.#asks.get(ask);
    if (asker === undefined) return fail("not-found", "Whoever asked is gone, or was answered already.");
    this.#asks.delete(ask);
    // The asker's ceiling may have been lowered since it asked.
    if (answer === "not-now" || !suffices(asker.ceiling, "operator")) {
      this.#answer(asker, "not-now");
      return ok(null);
    }
    this.#raise(asker);
    this.#answer(asker, answer);
    if (answer === "hand-over") this.#give(asker, asker.view);
    else if (this.#exclusive) this.setExclusive(seat, false);
    return ok(null);
  }

  /** The session ended: no timer stays. */
  close(): void {
    if (this.#lease.state === "away") this.#lease.cancel();
    this.#widthTimer?.();
    this.#widthTimer = null;
    this.#lease = none;
    this.#asks.clear();
  }

  #heldByHolder(seat: Seat): boolean {
    return this.#lease.state === "held" && this.#lease.seat.holderKey === seat.holderKey;
  }

  #driveIfFirst(seat: Seat): void {
    if (this.#lease.state === "none" && seat.role === "operator" && seat.view !== null) this.#give(seat, seat.view);
  }

  #give(seat: Seat, size: Size | null): void {
    if (this.#lease.state === "away") this.#lease.cancel();
    const other = !this.drives(seat) && !this.#heldByHolder(seat);
    this.#lease = { state: "held", seat };
    if (other) this.#refuseAsks();
    if (seat.view !== null) this.#adopt(seat.view);
    if (size !== null) this.#fit(size, true);
    this.#tellAll();
  }

  #drop(): void {
    if (this.#lease.state === "none") return;
    if (this.#lease.state === "away") this.#lease.cancel();
    this.#lease = none;
    this.#exclusive = false;
    this.#widthTimer?.();
    this.#widthTimer = null;
    this.#refuseAsks();
    this.#tellAll();
  }

  #raise(seat: Seat): void {
    if (seat.role === "operator") return;
    seat.role = "operator";
    seat.roleChanged("operator");
  }

  #answer(seat: Seat, answer: "hand-over" | "both" | "not-now"): void {
    seat.say({ t: "control-answered", stream: seat.stream, answer });
  }

  /** Nobody is there any more who could answer. */
  #refuseAsks(): void {
    const asks = [...this.#asks.values()];
    this.#asks.clear();
    for (const seat of asks) if (this.#seats.has(seat) && !this.drives(seat)) this.#answer(seat, "not-now");
  }

  #tellAll(): void {
    for (const seat of this.#seats) this.tell(seat);
    this.#options.changed();
  }

  #onlyDriver(): Result<null> {
    return fail("not-permitted", "Only the driver of this session may do that. Take the size first.");
  }

  #adopt({ colours, cellWidth, cellHeight }: View): void {
    this.#look = { colours, cellWidth, cellHeight };
  }

  #fit({ cols, rows }: Size, atOnce: boolean): void {
    this.#widthTimer?.();
    this.#widthTimer = null;
    if (cols === this.#size.cols && rows === this.#size.rows) return;
    const { clock, resize } = this.#options;
    const wait = this.#widthAt + widthMs - clock.now();
    if (!atOnce && cols !== this.#size.cols && wait > 0) {
      this.#widthTimer = clock.after(wait, () => {
        this.#widthTimer = null;
        this.#fit({ cols, rows }, true);
      });
      return;
    }
    if (cols !== this.#size.cols) this.#widthAt = clock.now();
    this.#size = { cols, rows };
    resize({ cols, rows });
  }
}
