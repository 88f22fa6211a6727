/**
 * Real full-screen programs on a real pty, through the guard, with their queries answered: at every piece of output they make, a snapshot
 * fed to a fresh emulator is the emulator that saw everything.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Emulator } from "../../agent/emulator.js";
import { OutputGuard } from "../../agent/guard.js";
import { type Pty, spawnPty } from "../../agent/pty.js";
import { ScreenModel } from "../../agent/screen-model.js";
import { screenHash } from "../../protocol/screen-hash.js";
import type { Size } from "../../protocol/values.js";
import { stateOf } from "../support/emulator-state.js";
import { inTime, until } from "../support/wait.js";

const size: Size = { cols: 80, rows: 24 };
const smaller: Size = { cols: 61, rows: 17 };
const scrollback = 1000;
const view = { colours: null, cellWidth: 8, cellHeight: 16, size };

let folder = "";
let file = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-programs-"));
  file = join(folder, "text.c");
  const lines = Array.from({ length: 300 }, (_, n) => `int line_${n}(void) { return ${n}; } /* “quoted” — 漢字 ${"x".repeat(n % 90)} */`);
  writeFileSync(file, `${lines.join("\n")}\n`);
});

afterAll(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

/** A step: keys to type or a size to take, and what is on the screen when they have worked. */
type Step = { keys?: string; size?: Size; until: RegExp };

interface Played {
  /** Pieces of output at which a snapshot was compared. */
  compared: number;
  exited: boolean;
}

/** Runs a program through the steps and compares at every piece of its output. */
async function play(command: string[], steps: Step[]): Promise<Played> {
  const guard = new OutputGuard(size);
  const model = new ScreenModel(size, scrollback);
  const whole = new Emulator(size, scrollback);
  const history: Uint8Array[] = [];
  let length = 0;
  let compared = 0;
  let exited = false;
  let wrong: unknown = null;
  let pty: Pty | null = null;

  const take = (items: ReturnType<OutputGuard["push"]>) => {
    for (const item of items) {
      if (item.kind === "bytes") {
        const bytes = item.bytes.slice();
        history.push(bytes);
        length += bytes.length;
        whole.write(bytes);
        model.feed(bytes);
      } else if (item.kind === "size") {
        whole.resize(item.size);
        model.resize(item.size);
      } else {
        pty?.write(model.answer(item.bytes, view), () => undefined);
      }
    }
    try {
      compare();
    } catch (error) {
      wrong ??= error;
    }
  };

  const compare = () => {
    const screenOnly = compared % 2 === 1;
    const snapshot = model.snapshot(screenOnly ? 0 : scrollback);
    const client = new Emulator(snapshot.size, scrollback);
    client.write(snapshot.bytes);
    const all = Buffer.concat(history.slice(-4));
    client.write(all.subarray(all.length - (length - snapshot.at)));
    compared += 1;
    expect(screenHash(client.terminal)).toBe(screenHash(whole.terminal));
    // Right after a resize the cursor stands behind another character than the one that was printed last: nothing brings that back.
    expect({ ...stateOf(client, { screenOnly }), joins: false }).toEqual({ ...stateOf(whole, { screenOnly }), joins: false });
    client.dispose();
  };

  const env = { PATH: process.env.PATH ?? "/usr/bin:/bin", HOME: folder, LANG: "C.UTF-8", TERM: "xterm-256color", COLORTERM: "truecolor" };
  const ended = new Promise<void>((resolve) => {
    const spawned = spawnPty(
      { command, cwd: folder, env, size },
      {
        data: (bytes) => take(guard.push(bytes)),
        exit: () => {
          take(guard.end());
          exited = true;
          resolve();
        },
      },
    );
    if (!spawned.ok) throw new Error(spawned.error.message);
    pty = spawned.value;
  });
  try {
    for (const step of steps) {
      // What was on the screen before the step says nothing: the program must have printed since.
      const before = length;
      if (step.size !== undefined) {
        take(guard.resize(step.size));
        at(pty).resize(step.size);
      }
      if (step.keys !== undefined) at(pty).write(Buffer.from(step.keys), () => undefined);
      await until(`${command[0]}: ${step.until}`, () => exited || (length > before && step.until.test(model.text(false).lines.join("\n"))));
    }
  } finally {
    await inTime("the program's end", exited ? ended : at(pty).kill());
  }
  if (wrong !== null) throw wrong;
  return { compared, exited };
}

function at(pty: Pty | null): Pty {
  if (pty === null) throw new Error("the program did not start");
  return pty;
}

/** Whether a program is there; where it is not, its test is counted as skipped. */
function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

describe("the same screen from a snapshot at every piece of output", () => {
  test.skipIf(!has("vim"))("vim", async () => {
    const { compared } = await play(
      ["vim", "-u", "NONE", "-i", "NONE", "-N", "-c", "syntax on", "-c", "set number mouse=a hlsearch", file],
      [
        { until: /1 int line_0/ },
        { keys: "/line_200\r", until: /200.*line_200|201 int line_200/ },
        { keys: ":split\r", until: /text\.c[\s\S]*text\.c/ },
        { keys: "Oinserted “text” 漢字\x1b", until: /inserted “text” 漢字/ },
        { size: smaller, until: /inserted/ },
        { keys: ":only\rG", until: /line_299/ },
        { size, until: /line_299/ },
        { keys: ":q!\r", until: /never/ },
      ],
    );
    expect(compared).toBeGreaterThan(8);
  });

  test.skipIf(!has("less"))("less", async () => {
    const { compared } = await play(
      ["less", "-N", file],
      [
        { until: /1 int line_0/ },
        { keys: " ", until: /line_3\d/ },
        { keys: "/line_150\r", until: /line_150/ },
        { size: smaller, until: /line_15/ },
        { keys: "G", until: /line_299/ },
        { keys: "q", until: /never/ },
      ],
    );
    expect(compared).toBeGreaterThan(5);
  });

  test.skipIf(!has("htop"))("htop", async () => {
    const { compared } = await play(
      ["htop", "-d", "2"],
      [
        { until: /PID[\s\S]*F10/ },
        { keys: "\x1bOP", until: /Hisham Muhammad/ },
        { keys: " ", until: /PID[\s\S]*F10/ },
        { size: smaller, until: /PID/ },
        { keys: "q", until: /never/ },
      ],
    );
    expect(compared).toBeGreaterThan(3);
  });

  test.skipIf(!has("top"))("top", async () => {
    const { compared } = await play(
      ["top", "-d", "0.3"],
      [
        { until: /PID\s+USER/ },
        { keys: "z", until: /PID\s+USER/ },
        { keys: "h", until: /Help|help/ },
        { keys: "q", until: /PID\s+USER/ },
        { size: smaller, until: /PID\s+USER/ },
        { keys: "q", until: /never/ },
      ],
    );
    expect(compared).toBeGreaterThan(3);
  });

  test.skipIf(!has("tmux"))("tmux, itself a multiplexer", async () => {
    const socket = join(folder, "tmux");
    const { compared } = await play(
      ["tmux", "-S", socket, "-f", "/dev/null", "new-session", "printf 'ready\\n'; exec sh"],
      [
        { until: /ready/ },
        { keys: "\x02%", until: /│/ },
        { keys: "seq 1 200\r", until: /200/ },
        { keys: '\x02"', until: /─/ },
        { size: smaller, until: /─/ },
        { keys: "\x02:", until: /^:/m },
        { keys: "kill-server\r", until: /never/ },
      ],
    );
    expect(compared).toBeGreaterThan(5);
  });

  test("a shell with colours, scrollback and wrapped lines", async () => {
    const script = `i=0; while [ $i -lt 400 ]; do printf '\\033[3%dm%d “line” 漢字 %0*d\\033[m\\n' $((i%8)) $i $((i%150+1)) 0; i=$((i+1)); done; printf 'DONE\\n'; read x; printf 'AGAIN\\n'; read x`;
    const { compared } = await play(
      ["sh", "-c", script],
      [{ until: /DONE/ }, { size: smaller, keys: "one\r", until: /AGAIN/ }, { keys: "\r", until: /never/ }],
    );
    expect(compared).toBeGreaterThan(3);
  });
});
