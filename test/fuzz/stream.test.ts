/**
 * Both halves of a stream against each other: random output, typing, breaks, slow viewers, resizes, lag and deaths, checked by the
 * guarantees. Seeds are fixed; a failing one stands in the test's name.
 */
import { describe, expect, it } from "vitest";
import { type Viewer, World } from "./stream-world.js";

const runs = 240;
const steps = 120;

interface Seen {
  screens: number;
  gaps: number;
  repairs: number;
  exits: number;
  restarts: number;
  back: number;
  written: number;
}

async function play(seed: number, seen: Seen): Promise<void> {
  const world = new World(seed);
  world.faults = world.pick([
    { drop: 0, twice: 0 },
    { drop: 0.02, twice: 0.05 },
    { drop: 0.2, twice: 0.2 },
  ]);
  const viewers = 1 + world.below(3);
  for (let n = 0; n < viewers; n++) {
    const from = world.pick(["screen", "screen", "now", "oldest", 0] as const);
    world.addViewer({
      from,
      scrollback: world.pick(["none", "none", "none", 0, 100, 1000] as const),
      onLag: world.pick(["skip", "skip", "pace"] as const),
      role: world.pick(["operator", "operator", "observer"] as const),
      view: world.pick([null, { cols: 60 + world.below(60), rows: 20 + world.below(20) }]),
    });
  }
  const acts: [number, (viewer: Viewer) => void][] = [
    [20, (viewer) => world.deliver(viewer, 1 + world.below(20))],
    [10, (viewer) => world.deliver(viewer)],
    [12, () => world.print(1 + world.below(2000))],
    [4, () => world.print(1 + world.below(120_000))],
    [10, (viewer) => world.parse(viewer, 1 + world.below(10))],
    [4, (viewer) => world.parse(viewer)],
    [10, (viewer) => world.type(viewer, 1 + world.below(20))],
    [2, (viewer) => world.type(viewer, 1 + world.below(100_000))],
    [8, () => world.read(1 + world.below(30_000))],
    [8, () => world.clock.advance(world.below(400))],
    [2, () => world.clock.advance(world.below(25_000))],
    [3, (viewer) => viewer.pair?.cut()],
    [2, (viewer) => viewer.pair?.stall(world.pick(["left", "right"]), true)],
    [4, (viewer) => viewer.pair?.stall(world.pick(["left", "right"]), false)],
    [
      2,
      (viewer) => {
        viewer.reachable = !viewer.reachable;
      },
    ],
    [2, (viewer) => viewer.connection.reconnect()],
    [
      1,
      (viewer) => {
        viewer.pair?.cut("away for longer than the history lasts");
        for (let blocks = 0; blocks < 4; blocks++) world.print(100_000);
      },
    ],
    [3, (viewer) => viewer.stream.takeSize({ cols: 40 + world.below(100), rows: 10 + world.below(40) })],
    [2, (viewer) => viewer.stream.setRole(world.pick(["operator", "operator", "observer"]))],
    [2, (viewer) => viewer.stream.cancelInput()],
    [2, () => world.holdScreens(world.random() < 0.5)],
    [
      0.3,
      () => {
        if (world.pty.ended) return;
        world.restartAgent();
        seen.restarts++;
      },
    ],
    [0.3, () => world.exit()],
  ];
  const total = acts.reduce((sum, [weight]) => sum + weight, 0);
  for (let step = 0; step < steps; step++) {
    let at = world.random() * total;
    for (const [weight, act] of acts) {
      at -= weight;
      if (at >= 0) continue;
      act(world.pick(world.viewers));
      break;
    }
    await world.settle();
  }
  await world.heal();
  world.checkAll();
  for (const viewer of world.viewers) {
    seen.screens += viewer.screens;
    seen.gaps += viewer.gaps;
    seen.repairs += viewer.stream.repairs;
    seen.exits += viewer.exits;
    seen.back += viewer.typed.undelivered.length;
  }
  seen.written += world.pty.written.length;
}

describe("streams under faults", () => {
  const seen: Seen = { screens: 0, gaps: 0, repairs: 0, exits: 0, restarts: 0, back: 0, written: 0 };
  const shares = 10;
  it.each(Array.from({ length: shares }, (_, share) => share))("keeps OUT, IN and EXIT: share %i", async (share) => {
    for (let run = 0; run < runs / shares; run++) {
      const seed = 1000 + share * 1000 + run;
      await play(seed, seen).catch((error: unknown) => {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
      });
    }
  });

  it("saw every kind of trouble", () => {
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(10);
  });
});
