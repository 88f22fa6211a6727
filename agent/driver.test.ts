/** Who decides the size, for how long, and who may type. */
import { beforeEach, describe, expect, it } from "vitest";
import type { AgentMessage } from "../protocol/messages.js";
import type { Role, Size, StreamRole, View } from "../protocol/values.js";
import { ManualClock } from "../test/support/manual-clock.js";
import { Driver, leaseMs, type Seat, widthMs } from "./driver.js";

const pane = (cols: number, rows = 24): View => ({ cols, rows, cellWidth: 9, cellHeight: 18, colours: null, focused: false });

describe("Driver", () => {
  let clock: ManualClock;
  let driver: Driver;
  let sizes: Size[];
  let streams: number;

  beforeEach(() => {
    clock = new ManualClock();
    sizes = [];
    streams = 0;
    driver = new Driver({ clock, size: { cols: 80, rows: 24 }, resize: (size) => sizes.push(size), changed: () => {} });
  });

  function seat(name: string, more: { role?: StreamRole; view?: View | null; holder?: string; ceiling?: Role } = {}) {
    const said: AgentMessage[] = [];
    streams += 1;
    const made: Omit<Seat, "ceiling"> & { ceiling: Role; said: AgentMessage[] } = {
      stream: streams,
      name,
      holderKey: more.holder ?? `${name}-${streams}`,
      ceiling: more.ceiling ?? "operator",
      role: more.role ?? "operator",
      view: more.view === undefined ? pane(100) : more.view,
      said,
      say: (message) => said.push(message),
      roleChanged: (role) => said.push({ t: "role", stream: made.stream, role }),
    };
    return made;
  }

  const cols = () => sizes.map((size) => size.cols);

  it("lets the first operator with a pane drive, nobody else", () => {
    const watcher = seat("watcher", { role: "observer", view: pane(50) });
    const program = seat("program", { view: null });
    const first = seat("first");
    const second = seat("second", { view: pane(60) });
    for (const one of [watcher, program, first, second]) driver.join(one);
    driver.view(watcher, pane(51));
    driver.view(second, pane(61));
    driver.typed(second);
    expect([cols(), driver.name]).toEqual([[100], "first"]);
    expect(second.said).toEqual([]);
    driver.tell(second);
    expect(second.said).toEqual([{ t: "driver", stream: 4, mine: false, name: "first", exclusive: false }]);
  });

  it("keeps the size when the driver detaches, until an operator types or takes it", () => {
    const [first, second, watcher] = [seat("first"), seat("second", { view: pane(60) }), seat("watcher", { role: "observer" })];
    for (const one of [first, second, watcher]) driver.join(one);
    driver.leave(first, false);
    driver.typed(watcher);
    expect([cols(), driver.name]).toEqual([[100], null]);
    driver.typed(second);
    expect([cols(), driver.name]).toEqual([[100, 60], "second"]);
  });

  it("keeps the lease of a lost link for 20 s, and gives it back to the same holder", () => {
    const first = seat("first", { holder: "pane" });
    const second = seat("second", { view: pane(60) });
    driver.join(first);
    driver.join(second);
    driver.leave(first, true);
    clock.advance(leaseMs - 1);
    driver.typed(second);
    expect([cols(), driver.name]).toEqual([[100], "first"]);
    const again = seat("first", { holder: "pane", view: pane(110) });
    driver.join(again);
    expect([cols(), driver.name, driver.drives(again)]).toEqual([[100, 110], "first", true]);
    driver.leave(again, true);
    clock.advance(leaseMs);
    expect(driver.name).toBeNull();
    expect(second.said.at(-1)).toMatchObject({ t: "driver", mine: false, name: null });
    driver.typed(second);
    expect([cols(), driver.name, clock.pending]).toEqual([[100, 110, 60], "second", 0]);
  });

  it("passes the lease to the same holder's next stream, not to a watching one", () => {
    const first = seat("first", { holder: "pane" });
    driver.join(first);
    const reloaded = seat("first", { holder: "pane", view: pane(90) });
    driver.join(reloaded);
    driver.leave(first, false);
    expect([driver.drives(reloaded), cols()]).toEqual([true, [100, 90]]);
    const watching = seat("first", { holder: "pane", role: "observer" });
    driver.join(watching);
    driver.leave(reloaded, false);
    expect(driver.name).toBeNull();
  });

  it("gives the size to whoever takes it, with or without a pane", () => {
    const [first, program] = [seat("first"), seat("program", { view: null })];
    driver.join(first);
    driver.join(program);
    expect(driver.take(program, null)).toMatchObject({ ok: false, error: { code: "invalid" } });
    expect(driver.take(program, { cols: 132, rows: 43 })).toMatchObject({ ok: true });
    expect([sizes.at(-1), driver.name]).toEqual([{ cols: 132, rows: 43 }, "program"]);
    expect(first.said.at(-1)).toMatchObject({ t: "driver", mine: false, name: "program" });
    driver.view(first, pane(101));
    expect(cols()).toEqual([100, 132]);
    expect(driver.take(first, null)).toMatchObject({ ok: true });
    expect(cols()).toEqual([100, 132, 101]);
    expect(driver.release(program)).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    driver.release(first);
    expect([driver.name, cols()]).toEqual([null, [100, 132, 101]]);
  });

  it("changes widths at most ten times a second, heights at once, and ends at the last", () => {
    const first = seat("first");
    driver.join(first);
    clock.advance(widthMs);
    for (let n = 0; n < 20; n += 1) {
      driver.view(first, pane(101 + n));
      clock.advance(10);
    }
    expect(sizes.length).toBeLessThanOrEqual(5);
    clock.advance(widthMs);
    expect(cols().at(-1)).toBe(120);
    const before = sizes.length;
    driver.view(first, pane(120, 30));
    driver.view(first, pane(120, 31));
    expect(sizes.slice(before)).toEqual([
      { cols: 120, rows: 30 },
      { cols: 120, rows: 31 },
    ]);
    driver.view(first, pane(121, 31));
    driver.view(first, pane(120, 31));
    clock.advance(widthMs);
    expect(cols().at(-1)).toBe(120);
  });

  it("lets the driver alone type in exclusive mode, and ends it with the drive", () => {
    const [first, second] = [seat("first"), seat("second")];
    driver.join(first);
    driver.join(second);
    expect(driver.setExclusive(second, true)).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    driver.setExclusive(first, true);
    expect([driver.mayType(first), driver.mayType(second)]).toEqual([true, false]);
    expect(driver.take(second, null)).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    expect(second.said.at(-1)).toMatchObject({ t: "driver", exclusive: true });
    driver.leave(first, true);
    expect(driver.mayType(second)).toBe(false);
    clock.advance(leaseMs);
    expect([driver.exclusive, driver.mayType(second)]).toEqual([false, true]);
  });

  it("never lets an observer type", () => {
    const watcher = seat("watcher", { role: "observer" });
    driver.join(watcher);
    expect(driver.mayType(watcher)).toBe(false);
  });

  it("carries asks to the driver and answers back", () => {
    const [first, second] = [seat("first"), seat("second", { role: "observer", view: pane(60) })];
    driver.join(first);
    driver.join(second);
    driver.setExclusive(first, true);
    driver.ask(second);
    expect(first.said.at(-1)).toEqual({ t: "control-asked", stream: 1, ask: 1, name: "second" });
    expect(driver.answer(second, 1, "hand-over")).toMatchObject({ ok: false });
    driver.answer(first, 1, "not-now");
    expect([second.said.at(-1), second.role]).toEqual([{ t: "control-answered", stream: 2, answer: "not-now" }, "observer"]);
    driver.ask(second);
    driver.answer(first, 2, "hand-over");
    expect([driver.drives(second), second.role, cols()]).toEqual([true, "operator", [100, 60]]);
    expect(second.said.map((message) => message.t)).toContain("role");
    expect(driver.answer(second, 2, "both")).toMatchObject({ ok: false, error: { code: "not-found" } });
    driver.ask(first);
    driver.answer(second, 3, "both");
    expect([driver.drives(second), driver.exclusive, driver.mayType(first)]).toEqual([true, false, true]);
  });

  it("raises nobody above the ceiling", () => {
    const [first, guest] = [seat("first"), seat("guest", { role: "observer", ceiling: "observer" })];
    driver.join(first);
    driver.join(guest);
    expect(driver.ask(guest)).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    expect(first.said.filter((message) => message.t === "control-asked")).toEqual([]);
  });

  it("raises nobody above a ceiling that was lowered after the ask", () => {
    const [first, guest] = [seat("first"), seat("guest", { role: "observer", view: pane(44) })];
    for (const one of [first, guest]) driver.join(one);
    driver.ask(guest);
    guest.ceiling = "observer";
    expect(driver.answer(first, 1, "hand-over")).toMatchObject({ ok: true });
    expect(guest.said.at(-1)).toEqual({ t: "control-answered", stream: 2, answer: "not-now" });
    expect([guest.role, driver.name, cols()]).toEqual(["observer", "first", [100]]);
  });

  it("answers an ask that nobody could answer", () => {
    const watcher = seat("watcher", { role: "observer", view: null });
    driver.join(watcher);
    driver.ask(watcher);
    expect([watcher.role, watcher.said.at(-1)]).toEqual(["operator", { t: "control-answered", stream: 1, answer: "both" }]);
    const [first, other] = [seat("first"), seat("other", { role: "observer" })];
    driver.join(first);
    driver.join(other);
    driver.ask(other);
    driver.leave(first, true);
    expect(other.said).toContainEqual({ t: "control-answered", stream: 3, answer: "not-now" });
    driver.ask(other);
    expect(other.said.at(-1)).toEqual({ t: "control-answered", stream: 3, answer: "not-now" });
  });

  it("gives the drive up with the operator role", () => {
    const first = seat("first");
    driver.join(first);
    first.role = "observer";
    driver.roleChanged(first);
    expect(driver.name).toBeNull();
    first.role = "operator";
    driver.roleChanged(first);
    expect(driver.name).toBe("first");
  });
});
