/**
 * The pty under load: output at the end of fast programs, input into programs that do not read, the kill ladder, descriptors, limits and
 * folders. Counts bytes and descriptors, and compares times measured in one run; nothing here is compared with a clock's value.
 */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { groupLives } from "../../agent/process-group.js";
import { type Pty, spawnPty } from "../../agent/pty.js";
import type { ExitStatus } from "../../protocol/values.js";

const linux = process.platform === "linux";
const home = mkdtempSync(join(tmpdir(), "muxdeck-pty-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const env = { PATH: "/usr/local/bin:/usr/bin:/bin", TERM: "xterm-256color" };
const size = { cols: 80, rows: 24 };

interface Running {
  pty: Pty;
  bytes(): number;
  text(): string;
  seen(pattern: RegExp): Promise<void>;
  exited: Promise<ExitStatus>;
}

function run(command: string[], onData: (bytes: Uint8Array, pty: Pty) => void = () => {}): Running {
  let bytes = 0;
  let text = "";
  const waiting = new Set<() => void>();
  let exit = (_status: ExitStatus): void => {};
  const exited = new Promise<ExitStatus>((resolve) => {
    exit = resolve;
  });
  let exits = 0;
  const started = spawnPty(
    { command, cwd: "/", env, size },
    {
      data(chunk) {
        expect(exits).toBe(0);
        bytes += chunk.length;
        if (text.length < 100_000) text += Buffer.from(chunk).toString("latin1");
        for (const look of [...waiting]) look();
        if (started.ok) onData(chunk, started.value);
      },
      exit(status) {
        exits += 1;
        expect(exits).toBe(1);
        exit(status);
      },
    },
  );
  if (!started.ok) throw new Error(started.error.message);
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(text)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { pty: started.value, bytes: () => bytes, text: () => text, seen, exited };
}

const sh = (script: string, onData?: (bytes: Uint8Array, pty: Pty) => void): Running => run(["/bin/sh", "-c", script], onData);

/** Blocks this thread, as a guard or a screen at work would. */
function busy(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const sizes = [5_000, 40_000, 66_000, 70_001, 200_000, 524_288, 1_000_000, 2_000_000];
/** stty waits for the terminal, so it goes first; after head nothing but the exit follows. */
const printer = (bytes: number): string => `stty -opost; exec head -c ${bytes} /dev/zero`;

describeReader("a reader that keeps up", () => () => {});
describeReader("a busy reader", (bytes) => () => busy(bytes > 500_000 ? 0.2 : 1));
describeReader("a reader that pauses at every piece", () => (_chunk, pty) => {
  pty.pause();
  setTimeout(() => pty.resume(), 1);
});

function describeReader(name: string, reader: (bytes: number) => (chunk: Uint8Array, pty: Pty) => void): void {
  test(`200 programs that print and end at once lose no byte: ${name}`, async () => {
    const lost: string[] = [];
    for (let round = 0; round < 200; round += 4) {
      await Promise.all(
        [0, 1, 2, 3].map(async (lane) => {
          const expected = sizes[(round + lane) % sizes.length] ?? 0;
          const child = sh(printer(expected), reader(expected));
          const status = await child.exited;
          if (child.bytes() !== expected || !("code" in status) || status.code !== 0) lost.push(`${child.bytes()} of ${expected}`);
        }),
      );
    }
    expect(lost).toEqual([]);
  });
}

test("200 programs that end while nobody reads deliver everything once somebody does", async () => {
  const lost: string[] = [];
  for (let round = 0; round < 200; round += 20) {
    const children = Array.from({ length: 20 }, (_, index) => {
      const expected = 1000 + ((round + index) % 4) * 800;
      const child = sh(printer(expected));
      child.pty.pause();
      return { child, expected };
    });
    for (const { child } of children) await until(() => child.pty.foreground() === null);
    expect(children.every(({ child }) => child.bytes() === 0)).toBe(true);
    for (const { child } of children) child.pty.resume();
    for (const { child, expected } of children) {
      await child.exited;
      if (child.bytes() !== expected) lost.push(`${child.bytes()} of ${expected}`);
    }
  }
  expect(lost).toEqual([]);
});

test("exits are told without a fixed delay: 100 in a row take at most ten times as long as plain processes", async () => {
  const begun = performance.now();
  for (let round = 0; round < 100; round += 1) await run(["/bin/true"]).exited;
  const ours = performance.now() - begun;
  const plain = performance.now();
  for (let round = 0; round < 100; round += 1) spawnSync("/bin/true");
  expect(ours / (performance.now() - plain)).toBeLessThan(10);
});

test("a paste into a program that does not read costs no processor time, and can be cancelled", async () => {
  const child = sh("stty raw -echo; echo ready; exec sleep 60");
  await child.seen(/ready/);
  const paste = new Uint8Array(1024 * 1024).fill(0x61);
  let taken = false;
  const before = process.cpuUsage();
  const begun = performance.now();
  child.pty.write(paste, () => {
    taken = true;
  });
  // Meanwhile another session answers.
  const other = sh("stty raw -echo; echo ready; exec cat");
  await other.seen(/ready/);
  let echoes = 0;
  while (performance.now() - begun < 2000) {
    const mark = `#${echoes}#`;
    other.pty.write(Buffer.from(mark), () => {});
    await other.seen(new RegExp(mark));
    echoes += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const used = process.cpuUsage(before);
  const share = (used.user + used.system) / 1000 / (performance.now() - begun);
  expect(share).toBeLessThan(0.1);
  expect(echoes).toBeGreaterThan(5);
  expect(taken).toBe(false);
  const dropped = child.pty.dropUnwritten();
  expect(dropped).toBeGreaterThan(paste.length / 2);
  await Promise.all([child.pty.kill(), other.pty.kill()]);
});

test("a paste reaches a slow reader whole and in order", async () => {
  // The program computes the sum itself: what comes back is one line.
  const child = sh("stty raw -echo; echo ready; sleep 0.3; head -c 10000000 | sha256sum");
  await child.seen(/ready/);
  const paste = Buffer.alloc(10_000_000);
  for (let at = 0; at < paste.length; at += 1) paste[at] = (at * 31 + (at >> 8)) & 0xff;
  const { createHash } = await import("node:crypto");
  const sum = createHash("sha256").update(paste).digest("hex");
  const order: number[] = [];
  for (let part = 0; part < 10; part += 1) {
    child.pty.write(paste.subarray(part * 1_000_000, (part + 1) * 1_000_000), () => order.push(part));
  }
  await child.exited;
  expect(child.text()).toContain(sum);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a program that ignores HUP and TERM is killed within the ladder, and so is one that outlives its shell", async () => {
  const stubborn = sh("trap '' HUP TERM INT; echo ready; while :; do sleep 0.2; done");
  const shell = run(["/bin/bash", "--norc", "--noprofile", "-i"]);
  shell.pty.write(Buffer.from("sh -c 'trap \"\" HUP TERM; echo job $$; while :; do sleep 0.2; done'\r"), () => {});
  await Promise.all([stubborn.seen(/ready/), shell.seen(/job \d+\r/)]);
  const job = Number(/job (\d+)\r/.exec(shell.text())?.[1]);
  await Promise.all([stubborn.pty.kill(), shell.pty.kill()]);
  expect(await stubborn.exited).toEqual({ signal: "SIGKILL" });
  await shell.exited;
  expect(groupLives(job)).toBe(false);
});

test("a session ends with its shell although a background job keeps the terminal; its last words arrive", async () => {
  const shell = run(["/bin/bash", "--norc", "--noprofile", "-i"]);
  shell.pty.write(Buffer.from("sleep 30 & echo job $!; disown; head -c 60000 /dev/zero | tr '\\0' x; echo last; exit\r"), () => {});
  const status = await shell.exited;
  expect(status).toEqual({ code: 0 });
  expect(
    shell
      .text()
      .match(/x{100,}/g)
      ?.join("").length,
  ).toBe(60_000);
  expect(shell.text()).toMatch(/last\r\nexit\r\n$/);
  const job = Number(/job (\d+)\r/.exec(shell.text())?.[1]);
  try {
    process.kill(job, "SIGKILL");
  } catch {
    // The hang-up took it along.
  }
});

test("a background job that floods the terminal cannot keep an ended session open", async () => {
  const shell = sh("(trap '' HUP; exec yes) & sleep 0.1; exit 4");
  expect(await shell.exited).toEqual({ code: 4 });
});

test.runIf(linux)(
  "5000 sessions leave no descriptor and no zombie",
  async () => {
    const warm = run(["/bin/true"]);
    await warm.exited;
    const before = readdirSync("/proc/self/fd").length;
    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < 5000) {
        started += 1;
        await run(["/bin/true"]).exited;
      }
    };
    await Promise.all(Array.from({ length: 16 }, lane));
    await until(() => readdirSync("/proc/self/fd").length <= before);
    expect(readdirSync("/proc/self/fd").length).toBe(before);
    expect(zombies()).toEqual([]);
  },
  240_000,
);

test.runIf(linux)("no child sees a terminal of another session", async () => {
  const others = Array.from({ length: 5 }, () => sh("echo ready; exec sleep 60"));
  await Promise.all(others.map((other) => other.seen(/ready/)));
  const child = sh("tty; ls -l /proc/self/fd; echo end");
  await child.exited;
  const own = /^(\/dev\/pts\/\d+)/.exec(child.text())?.[1] ?? "none";
  const open = [...child.text().matchAll(/-> (\S+)/g)].map((match) => match[1] ?? "");
  expect(open.filter((target) => /ptmx|\/dev\/pts\//.test(target) && target !== own)).toEqual([]);
  expect(open.filter((target) => target === own)).toHaveLength(3);
  await Promise.all(others.map((other) => other.pty.kill()));
});

/** A bundled copy of pty.ts in a process of its own: for limits and users that would spoil this one. */
const probe = join(home, "probe.cjs");
beforeAll(async () => {
  chmodSync(home, 0o755);
  await build({
    configFile: false,
    logLevel: "error",
    ssr: { noExternal: true, external: ["@lydell/node-pty"] },
    build: {
      ssr: "agent/pty.ts",
      outDir: home,
      emptyOutDir: false,
      rollupOptions: { external: ["@lydell/node-pty"], output: { format: "cjs", entryFileNames: "pty.cjs" } },
    },
  });
  const library = JSON.stringify(join(process.cwd(), "node_modules/@lydell/node-pty"));
  writeFileSync(
    join(home, "pty.cjs"),
    readFileSync(join(home, "pty.cjs"), "utf8").replaceAll(/"@lydell\/node-pty"|'@lydell\/node-pty'/g, library),
  );
  writeFileSync(probe, probeSource);
});

const probeSource = `
const { spawnPty } = require("./pty.cjs");
const [what, cwd] = process.argv.slice(2);
const options = { cwd: cwd ?? "/", env: { PATH: "/usr/bin:/bin" }, size: { cols: 80, rows: 24 } };
if (what === "start") {
  const started = spawnPty({ ...options, command: ["/bin/true"] }, { data() {}, exit() {} });
  console.log(JSON.stringify(started.ok ? "started" : started.error));
} else {
  const open = [];
  let refused = null;
  while (refused === null) {
    const one = { bytes: 0 };
    const started = spawnPty({ ...options, command: ["/bin/cat"] }, { data(bytes) { one.bytes += bytes.length; }, exit() {} });
    if (started.ok) { one.pty = started.value; open.push(one); } else refused = started.error;
  }
  for (const one of open) one.pty.write(Buffer.from("hello\\r"), () => {});
  const look = setInterval(() => {
    if (!open.every((one) => one.bytes >= 14)) return;
    clearInterval(look);
    const count = open.length;
    open.pop().pty.kill().then(() => setImmediate(() => setImmediate(() => {
      const again = spawnPty({ ...options, command: ["/bin/true"] }, { data() {}, exit() {} });
      console.log(JSON.stringify({ count, refused, again: again.ok }));
      for (const one of open) one.pty.kill();
    })));
  }, 5);
}
`;

/** Runs the probe to its end; as an unprivileged user when this one is root, whom no folder keeps out. */
function runProbe(args: string[], wrapper: string[] = []): Promise<string> {
  const user = process.getuid?.() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  const [file = "", ...rest] = [...wrapper, ...user, process.execPath, probe, ...args];
  return new Promise((resolve, reject) => {
    const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"], cwd: "/" });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`${code} ${errors}`))));
  });
}

test.runIf(linux)("a folder one may not enter, or not even see, is told as that", async () => {
  const closed = join(home, "closed");
  mkdirSync(join(closed, "inner"), { recursive: true });
  chmodSync(closed, process.getuid?.() === 0 ? 0o700 : 0o000);
  for (const folder of [closed, join(closed, "inner")]) {
    const error: unknown = JSON.parse(await runProbe(["start", folder]));
    expect(error).toMatchObject({ code: "not-permitted", retry: "never" });
    expect(JSON.stringify(error)).toMatch(/You may not enter \S+ on \S+\. No session was started\. Start in the home folder instead\?/);
  }
  chmodSync(closed, 0o700);
  expect(JSON.parse(await runProbe(["start", "/"]))).toBe("started");
});

test.runIf(linux)("without descriptors a new session is refused, the others answer, and one that ends makes room", async () => {
  const told: unknown = JSON.parse(await runProbe(["fill"], ["prlimit", "--nofile=64:64"]));
  expect(told).toMatchObject({ refused: { code: "limit", retry: "later" }, again: true });
});

test.runIf(linux)("at the limit of processes a new session is refused, which the library would answer by aborting the agent", async () => {
  // Root is not counted, so the probe needs to be somebody else; the kernel counts all of that user's threads.
  const told: unknown = JSON.parse(await runProbe(["fill"], ["prlimit", "--nproc=60:60"]));
  expect(told).toMatchObject({ refused: { code: "limit" } });
});

function zombies(): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const text = readFileSync(`/proc/${name}/stat`, "latin1");
      const [state, parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
      return state === "Z" && Number(parent) === process.pid;
    } catch {
      return false;
    }
  });
}

/** Resolves once the condition holds; the test's own time is the bound. */
function until(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve();
      else setTimeout(look, 5);
    };
    look();
  });
}
