/** What a session remembers of its holders, and when it forgets. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../test/support/manual-clock.js";
import { Holders, holderMemoryMs, mostHolders } from "./holders.js";
import { InputQueue } from "./input-queue.js";

function make() {
  const clock = new ManualClock();
  const queue = new InputQueue({ write: () => {}, dropUnwritten: () => 0 });
  return { clock, queue, holders: new Holders(clock, queue) };
}

describe("Holders", () => {
  it("knows a holder again, of the same principal only", () => {
    const { holders } = make();
    const first = holders.enter("me", "pane-1");
    first.holder.received = 42;
    holders.leave(first.holder);
    expect(first.known).toBe(false);
    expect(holders.enter("me", "pane-1")).toMatchObject({ known: true, holder: { received: 42 } });
    expect(holders.enter("somebody", "pane-1")).toMatchObject({ known: false, holder: { received: 0 } });
  });

  it("forgets after an hour without a stream, never one that has one", () => {
    const { clock, holders } = make();
    const stays = holders.enter("me", "attached");
    const goes = holders.enter("me", "left");
    holders.leave(goes.holder);
    clock.advance(holderMemoryMs - 1);
    expect(holders.enter("me", "other").known).toBe(false);
    expect(holders.size).toBe(3);
    clock.advance(2);
    expect(holders.enter("me", "left").known).toBe(false);
    expect(holders.enter("me", "attached")).toMatchObject({ known: true, holder: { streams: 2 } });
    expect(stays.holder.streams).toBe(2);
  });

  it("keeps 64, the ones left last, and drops what the others had waiting", () => {
    const { holders, queue } = make();
    const first = holders.enter("me", "pane-0").holder;
    queue.add(first.lane, new Uint8Array(10), () => {});
    queue.add(first.lane, new Uint8Array(10), () => {});
    holders.leave(first);
    for (let n = 1; n <= mostHolders; n += 1) holders.leave(holders.enter("me", `pane-${n}`).holder);
    expect(holders.size).toBe(mostHolders);
    expect(first.lane.waiting).toBe(0);
    expect(holders.enter("me", `pane-${mostHolders}`).known).toBe(true);
    expect(holders.enter("me", "pane-0").known).toBe(false);
  });
});
