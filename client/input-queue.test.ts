/** Positions, acknowledgements, breaks: what is written at most once and what is given back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failure } from "../protocol/errors.js";
import { ManualClock } from "../test/support/manual-clock.js";
import { InputQueue, inFlightLimit, type SendOutcome, type Undelivered } from "./input-queue.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

function make() {
  const clock = new ManualClock();
  const sent: { position: number; bytes: Uint8Array }[] = [];
  const back: Undelivered[] = [];
  let empties = 0;
  const queue = new InputQueue({
    clock,
    transmit: (position, piece) => sent.push({ position, bytes: piece }),
    undelivered: (input) => back.push(input),
    empty: () => {
      empties++;
    },
  });
  const outcomes: Record<string, SendOutcome> = {};
  const type = (value: string) =>
    queue.push(bytes(value), (outcome) => {
      expect(outcomes).not.toHaveProperty(value);
      outcomes[value] = outcome;
    });
  const wire = () => sent.map(({ position, bytes: piece }) => `${position}:${text(piece)}`);
  return { clock, queue, sent, back, outcomes, type, wire, empties: () => empties };
}

/** Attached for the first time and open. */
function started(received: number | null = null) {
  const made = make();
  made.queue.attached(received);
  made.queue.open = true;
  return made;
}

describe("input queue", () => {
  it("counts from what the agent has of the holder", () => {
    const fresh = started();
    fresh.type("ab");
    fresh.type("c");
    expect(fresh.wire()).toEqual(["0:ab", "2:c"]);
    const known = started(500);
    known.type("x");
    expect(known.wire()).toEqual(["500:x"]);
  });

  it("answers each send when the pty took all of it", () => {
    const { queue, type, outcomes, empties } = started();
    type("one");
    type("two");
    queue.acknowledge(5);
    expect(outcomes).toEqual({ one: { ok: true } });
    queue.acknowledge(3);
    queue.acknowledge(6);
    expect(outcomes).toEqual({ one: { ok: true }, two: { ok: true } });
    expect(queue.pending).toBe(0);
    expect(empties()).toBe(1);
  });

  it("keeps at most 256 KiB in flight, in pieces of 16 KiB, and never cuts a short send", () => {
    const { queue, sent } = started();
    queue.push(new Uint8Array(1_000_000), null);
    queue.push(bytes("\x1b[A"), null);
    const flying = () => sent.reduce((sum, one) => sum + one.bytes.length, 0);
    expect(flying()).toBeLessThanOrEqual(inFlightLimit);
    while (queue.pending > 0) {
      const acknowledged = flying();
      queue.acknowledge(acknowledged);
      expect(flying() - acknowledged).toBeLessThanOrEqual(inFlightLimit);
    }
    expect(sent.every((one) => one.bytes.length <= 16 * 1024)).toBe(true);
    expect(text(sent.at(-1)?.bytes ?? new Uint8Array())).toBe("\x1b[A");
  });

  it("sends again what the agent lacks when all of it is younger than 3 s", () => {
    const { clock, queue, type, wire, back, outcomes } = started();
    type("first");
    type("second");
    queue.open = false;
    clock.advance(2999);
    queue.attached(7);
    queue.open = true;
    expect(wire()).toEqual(["0:first", "5:second", "7:cond"]);
    expect(back).toEqual([]);
    queue.acknowledge(11);
    expect(outcomes).toEqual({ first: { ok: true }, second: { ok: true } });
  });

  it("gives back everything that the agent lacks once its oldest byte is 3 s old, with the exact count", () => {
    const { clock, queue, type, wire, back, outcomes } = started();
    type("first");
    clock.advance(2000);
    type("young");
    queue.open = false;
    clock.advance(1000);
    queue.attached(3);
    queue.open = true;
    expect(back.map((one) => [text(one.bytes), one.delivered, one.why])).toEqual([["styoung", 3, "lost"]]);
    expect(outcomes.young).toMatchObject({ ok: false, delivered: 0, error: { code: "not-delivered" } });
    expect(outcomes.first).toBeUndefined();
    queue.acknowledge(3);
    expect(outcomes.first).toMatchObject({ ok: false, delivered: 3 });
    type("next");
    expect(wire().at(-1)).toBe("3:next");
  });

  it("sends nothing again to an agent that does not know the holder", () => {
    const { queue, type, wire, back, outcomes } = started();
    type("abc");
    type("def");
    queue.acknowledge(1);
    queue.open = false;
    queue.attached(null);
    queue.open = true;
    expect(wire()).toHaveLength(2);
    expect(back.map((one) => [text(one.bytes), one.delivered])).toEqual([["bcdef", 1]]);
    expect(outcomes.abc).toMatchObject({ ok: false, delivered: 1 });
    type("x");
    expect(wire().at(-1)).toBe("0:x");
  });

  it("gives back what was never sent with delivered null", () => {
    const { queue, sent, back } = started();
    queue.push(new Uint8Array(inFlightLimit), null);
    queue.push(bytes("waiting"), null);
    expect(sent.reduce((sum, one) => sum + one.bytes.length, 0)).toBe(inFlightLimit);
    queue.cancelUnsent();
    expect(back.map((one) => [text(one.bytes), one.delivered, one.why])).toEqual([["waiting", null, "cancelled"]]);
  });

  it("goes on counting behind what the agent dropped", () => {
    const { queue, type, wire, back, outcomes } = started();
    type("written");
    type("dropped");
    type("kept");
    queue.cancelled(9, 14);
    expect(outcomes.written).toEqual({ ok: true });
    expect(outcomes.dropped).toMatchObject({ ok: false, delivered: 2 });
    expect(back.map((one) => [text(one.bytes), one.delivered, one.why])).toEqual([["opped", 2, "cancelled"]]);
    queue.cancelled(9, 14);
    expect(back).toHaveLength(1);
    queue.acknowledge(18);
    expect(outcomes.kept).toEqual({ ok: true });
    type("more");
    expect(wire().at(-1)).toBe("18:more");
  });

  it("gives everything back when nothing will be acknowledged", () => {
    const { queue, type, back, outcomes } = started();
    type("abcd");
    type("ef");
    queue.acknowledge(2);
    queue.abandon(failure("agent-restarted", "The agent was restarted."));
    expect(back.map((one) => [text(one.bytes), one.delivered])).toEqual([["cdef", 2]]);
    expect(outcomes.abcd).toMatchObject({ delivered: 2, error: { code: "agent-restarted" } });
    expect(outcomes.ef).toMatchObject({ delivered: 0 });
    queue.abandon(failure("ended", "Again."));
    expect(back).toHaveLength(1);
  });

  it("refuses what no memory should hold", () => {
    const { queue, back } = started();
    const huge = new Uint8Array(65 * 1024 * 1024);
    let outcome: SendOutcome | null = null;
    queue.push(huge, (one) => {
      outcome = one;
    });
    expect(outcome).toMatchObject({ ok: false, delivered: 0, error: { code: "busy" } });
    expect(back[0]?.bytes).toBe(huge);
  });

  it("writes each byte at most once, in order, and accounts for every other", () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant("type" as const), length: fc.integer({ min: 1, max: 40_000 }) }) },
      { weight: 5, arbitrary: fc.record({ do: fc.constant("deliver" as const), frames: fc.integer({ min: 1, max: 8 }) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant("take" as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("break" as const), ms: fc.integer({ min: 0, max: 5000 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 4000 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { clock, queue, sent, back } = make();
        let typed = 0;
        const fate = new Map<number, "written" | "back">();
        const number = (piece: Uint8Array) =>
          Array.from({ length: piece.length / 4 }, (_, at) => new DataView(piece.buffer, piece.byteOffset).getUint32(at * 4));
        const settle = (piece: Uint8Array, to: "written" | "back") => {
          for (const id of number(piece)) {
            if (fate.has(id)) throw new Error(`input ${id} was ${fate.get(id)} and then ${to}`);
            fate.set(id, to);
          }
        };
        // The agent: what it has, what its pty took, and what is still on the wire.
        let received = 0;
        let taken = 0;
        let waiting: Uint8Array[] = [];
        let outcomes = 0;
        let sends = 0;
        queue.attached(null);
        queue.open = true;
        for (const one of steps) {
          if (one.do === "type") {
            const piece = new Uint8Array(Math.ceil(one.length / 4) * 4);
            for (let at = 0; at < piece.length; at += 4) new DataView(piece.buffer).setUint32(at, typed++);
            sends++;
            queue.push(piece, () => outcomes++);
          } else if (one.do === "deliver") {
            for (const frame of sent.splice(0, one.frames)) {
              expect(frame.position).toBe(received);
              received += frame.bytes.length;
              waiting.push(frame.bytes);
            }
          } else if (one.do === "take") {
            for (const piece of waiting.splice(0, Math.ceil(waiting.length * one.part))) {
              settle(piece, "written");
              taken += piece.length;
            }
            queue.acknowledge(taken);
          } else if (one.do === "break") {
            queue.open = false;
            sent.length = 0;
            clock.advance(one.ms);
            queue.attached(received);
            queue.open = true;
            queue.acknowledge(taken);
          } else if (one.do === "cancel") {
            queue.cancelUnsent();
            for (const frame of sent.splice(0)) {
              received += frame.bytes.length;
              waiting.push(frame.bytes);
            }
            const dropped = waiting.reduce((sum, piece) => sum + piece.length, 0);
            waiting = [];
            taken = received;
            queue.cancelled(received - dropped, received);
          } else clock.advance(one.ms);
          for (const { bytes: piece } of back.splice(0)) settle(piece, "back");
        }
        queue.abandon(failure("ended", "Over."));
        for (const { bytes: piece } of back.splice(0)) {
          // What the agent has but nobody acknowledged may be written as well: only this is unknown.
          for (const id of number(piece)) fate.set(id, fate.get(id) ?? "back");
        }
        expect(outcomes).toBe(sends);
        expect(fate.size).toBe(typed);
        const written = [...fate].filter(([, to]) => to === "written").map(([id]) => id);
        expect(written).toEqual([...written].sort((a, b) => a - b));
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});
