/** The input queue: whole messages, fair lanes, answers first, bounded, cancellable. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputQueue, type InputSink, type Lane, laneBytes } from "./input-queue.js";

const text = (value: string) => new TextEncoder().encode(value);

/** Takes bytes only when told, any number at a time. */
class SlowSink implements InputSink {
  written = "";
  #queue: { bytes: Uint8Array; at: number; taken: () => void }[] = [];

  write(bytes: Uint8Array, taken: () => void): void {
    this.#queue.push({ bytes, at: 0, taken });
  }

  dropUnwritten(): number {
    const dropped = this.#queue.reduce((sum, one) => sum + one.bytes.length - one.at, 0);
    this.#queue = [];
    return dropped;
  }

  take(count = Number.MAX_SAFE_INTEGER): void {
    for (let left = count; left > 0; ) {
      const first = this.#queue[0];
      if (first === undefined) return;
      const part = first.bytes.subarray(first.at, first.at + left);
      this.written += new TextDecoder().decode(part);
      first.at += part.length;
      left -= part.length;
      if (first.at < first.bytes.length) return;
      this.#queue.shift();
      first.taken();
    }
  }
}

describe("InputQueue", () => {
  it("writes one message whole before another lane's, and takes lanes in turn", () => {
    const sink = new SlowSink();
    const queue = new InputQueue(sink);
    const [a, b] = [queue.lane(), queue.lane()];
    const taken: string[] = [];
    for (const part of ["aaaa ", "AAAA "]) queue.add(a, text(part), () => taken.push(part));
    for (const part of ["bb ", "BB "]) queue.add(b, text(part), () => taken.push(part));
    sink.take(2);
    expect([sink.written, taken]).toEqual(["aa", []]);
    sink.take();
    expect(sink.written).toBe("aaaa bb AAAA BB ");
    expect(taken).toEqual(["aaaa ", "bb ", "AAAA ", "BB "]);
    expect([a.waiting, b.waiting]).toEqual([0, 0]);
  });

  it("puts answers before everything that is not being written yet, in order", () => {
    const sink = new SlowSink();
    const queue = new InputQueue(sink);
    const lane = queue.lane();
    for (const part of ["first ", "second "]) queue.add(lane, text(part), () => {});
    sink.take(3);
    queue.answer(text("1 "));
    queue.answer(text("2 "));
    sink.take();
    expect(sink.written).toBe("first 1 2 second ");
  });

  it("refuses more than 1 MiB a lane, not other lanes", () => {
    const queue = new InputQueue(new SlowSink());
    const [a, b] = [queue.lane(), queue.lane()];
    expect(queue.add(a, new Uint8Array(laneBytes), () => {})).toBe(true);
    expect(queue.add(a, text("x"), () => {})).toBe(false);
    expect(queue.add(b, text("x"), () => {})).toBe(true);
    expect(a.waiting).toBe(laneBytes);
  });

  it("bounds answers nobody reads", () => {
    const queue = new InputQueue(new SlowSink());
    let kept = 0;
    for (let n = 0; n < 10_000; n += 1) if (queue.answer(text("\u001b[1;1R"))) kept += 1;
    expect(kept * 6).toBeLessThanOrEqual(16 * 1024);
  });

  it("cancels one lane, in the middle of its message too, and says how much never left", () => {
    const sink = new SlowSink();
    const queue = new InputQueue(sink);
    const [a, b] = [queue.lane(), queue.lane()];
    let acknowledged = 0;
    queue.add(a, text("abcdef"), () => (acknowledged += 1));
    queue.add(a, text("gh"), () => (acknowledged += 1));
    queue.add(b, text("xyz"), () => {});
    sink.take(2);
    expect(queue.cancel(a)).toBe(6);
    sink.take();
    expect([sink.written, acknowledged, a.waiting]).toEqual(["abxyz", 0, 0]);
    queue.add(a, text("new"), () => (acknowledged += 1));
    sink.take();
    expect([sink.written, acknowledged]).toEqual(["abxyznew", 1]);
    expect(queue.cancel(b)).toBe(0);
  });

  it("copies what it queues, and writes nothing after close", () => {
    const sink = new SlowSink();
    const queue = new InputQueue(sink);
    const lane = queue.lane();
    const first = text("one");
    queue.add(lane, text("..."), () => {});
    queue.add(lane, first, () => {});
    first.fill(0);
    sink.take();
    expect(sink.written).toBe("...one");
    queue.close();
    expect([queue.add(lane, text("x"), () => {}), queue.answer(text("x"))]).toEqual([false, false]);
  });

  it("takes a sink that takes at once", () => {
    let written = 0;
    const queue = new InputQueue({
      write: (bytes, taken) => {
        written += bytes.length;
        taken();
      },
      dropUnwritten: () => 0,
    });
    const lane = queue.lane();
    let acknowledged = 0;
    for (let n = 0; n < 20_000; n += 1) queue.add(lane, text("x"), () => (acknowledged += 1));
    expect([written, acknowledged]).toEqual([20_000, 20_000]);
  });

  it("never mixes messages, keeps each lane's order and accounts for every byte", () => {
    const act = fc.oneof(
      fc.record({ act: fc.constant("add" as const), lane: fc.nat(2), length: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ act: fc.constant("take" as const), count: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ act: fc.constant("cancel" as const), lane: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        const sink = new SlowSink();
        const queue = new InputQueue(sink);
        const lanes: Lane[] = [queue.lane(), queue.lane(), queue.lane()];
        const added = [0, 0, 0];
        const acknowledged = [0, 0, 0];
        const dropped = [0, 0, 0];
        let count = 0;
        for (const one of acts) {
          if (one.act === "take") {
            sink.take(one.count);
            continue;
          }
          const lane = lanes[one.lane] ?? queue.lane();
          if (one.act === "cancel") dropped[one.lane] = (dropped[one.lane] ?? 0) + queue.cancel(lane);
          else {
            count += 1;
            const message = `${String.fromCharCode(97 + one.lane)}${count}${"-".repeat(one.length)};`;
            queue.add(lane, text(message), () => {
              acknowledged[one.lane] = (acknowledged[one.lane] ?? 0) + message.length;
            });
            added[one.lane] = (added[one.lane] ?? 0) + message.length;
          }
        }
        sink.take();
        const total = added.reduce((sum, one) => sum + one, 0);
        expect(sink.written.length + dropped.reduce((sum, one) => sum + one, 0)).toBe(total);
        if (!acts.some((one) => one.act === "cancel")) {
          expect(acknowledged).toEqual(added);
          for (const lane of ["a", "b", "c"]) {
            const own = [...sink.written.matchAll(new RegExp(`${lane}(\\d+)-+;`, "g"))].map((match) => Number(match[1]));
            expect(own).toEqual([...own].sort((one, other) => one - other));
          }
          expect(sink.written.replace(/[abc]\d+-+;/g, "")).toBe("");
        }
      }),
      { numRuns: 500 },
    );
  });
});
