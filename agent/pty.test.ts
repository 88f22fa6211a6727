/** What one pty promises, with real programs that end within moments. Volume, leaks and load: test/integration/pty.test.ts. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { ExitStatus } from "../protocol/values.js";
import { signalName } from "./process-group.js";
import { shown } from "./program.js";
import { type Pty, spawnPty } from "./pty.js";

const home = mkdtempSync(join(tmpdir(), "muxdeck-pty-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const env = { PATH: "/usr/local/bin:/usr/bin:/bin", TERM: "xterm-256color" };
const size = { cols: 80, rows: 24 };

interface Running {
  pty: Pty;
  text(): string;
  /** Resolves once the output so far matches. */
  seen(pattern: RegExp): Promise<void>;
  exited: Promise<ExitStatus>;
  exits: ExitStatus[];
}

function run(command: string[], more: { cwd?: string; env?: Record<string, string> } = {}): Running {
  let output = "";
  const waiting = new Set<() => void>();
  const exits: ExitStatus[] = [];
  let exit = (_status: ExitStatus): void => {};
  const exited = new Promise<ExitStatus>((resolve) => {
    exit = resolve;
  });
  const started = spawnPty(
    { command, cwd: more.cwd ?? "/", env: { ...env, ...more.env }, size },
    {
      data(bytes) {
        output += Buffer.from(bytes).toString("latin1");
        for (const look of [...waiting]) look();
      },
      exit(status) {
        exits.push(status);
        exit(status);
      },
    },
  );
  if (!started.ok) throw new Error(started.error.message);
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!pattern.test(output)) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return { pty: started.value, text: () => output, seen, exited, exits };
}

function sh(script: string, more: { cwd?: string; env?: Record<string, string> } = {}): Running {
  return run(["/bin/sh", "-c", script], more);
}

function refusal(command: string[], cwd = "/", extra: Record<string, string> = {}): { code: string; message: string } {
  const started = spawnPty(
    { command, cwd, env: { ...env, ...extra }, size },
    {
      data() {},
      exit() {},
    },
  );
  if (started.ok) throw new Error("it started");
  return started.error;
}

test("a program has a terminal of the asked size, its folder and its environment, and nothing else", async () => {
  const child = sh('tty; stty size; pwd; echo "$PWD $COLOUR"; env | wc -l', { cwd: home, env: { COLOUR: "blue" } });
  expect(await child.exited).toEqual({ code: 0 });
  expect(child.text()).toMatch(/^\/dev\/pts\/\d+\r\n24 80\r\n/);
  expect(child.text()).toContain(`${home}\r\n${home} blue\r\n`);
});

test("exit status: code, signal by name, and a signal's code 128+n left alone", async () => {
  expect(await sh("exit 7").exited).toEqual({ code: 7 });
  expect(await sh("kill -KILL $$").exited).toEqual({ signal: "SIGKILL" });
  expect(await sh("kill -TERM $$").exited).toEqual({ signal: "SIGTERM" });
  expect(await sh("exit 137").exited).toEqual({ code: 137 });
  expect(signalName(6)).toBe("SIGABRT");
  expect(signalName(64)).toBe("SIG64");
});

test("all 256 byte values pass both ways unchanged, in order", async () => {
  const child = sh("stty raw -echo; echo ready; head -c 256");
  await child.seen(/ready/);
  const all = Uint8Array.from({ length: 256 }, (_, value) => value);
  const order: number[] = [];
  child.pty.write(all.subarray(0, 100), () => order.push(1));
  child.pty.write(new Uint8Array(0), () => order.push(2));
  child.pty.write(all.subarray(100), () => order.push(3));
  await child.exited;
  expect(order).toEqual([1, 2, 3]);
  expect(
    child
      .text()
      .slice(child.text().indexOf("ready") + 6)
      .replace(/^\n/, ""),
  ).toBe(Buffer.from(all).toString("latin1"));
});

test("a program that ends while paused loses nothing, and its exit waits for the last byte", async () => {
  const child = sh("stty -opost; echo begun; read go; head -c 3000 /dev/zero | tr '\\0' x; exit 3");
  await child.seen(/begun/);
  child.pty.pause();
  const gone = new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (child.pty.foreground() !== null) return;
      clearInterval(look);
      resolve();
    }, 5);
  });
  child.pty.write(Buffer.from("\n"), () => {});
  await gone;
  expect(child.exits).toEqual([]);
  expect(child.text()).not.toContain("x");
  child.pty.resume();
  expect(await child.exited).toEqual({ code: 3 });
  expect(child.text().match(/x/g)?.length).toBe(3000);
  expect(child.exits).toHaveLength(1);
});

test("pausing inside the drain after the exit holds the rest back until resumed", async () => {
  let output = 0;
  let resolveExit = (_status: ExitStatus): void => {};
  const exited = new Promise<ExitStatus>((resolve) => {
    resolveExit = resolve;
  });
  let pauses = 0;
  const started = spawnPty(
    { command: ["/bin/sh", "-c", "stty -opost; head -c 300000 /dev/zero"], cwd: "/", env, size },
    {
      data(bytes) {
        output += bytes.length;
        if (!started.ok) return;
        started.value.pause();
        pauses += 1;
        setImmediate(() => started.value.resume());
      },
      exit: (status) => resolveExit(status),
    },
  );
  expect(await exited).toEqual({ code: 0 });
  expect(output).toBe(300_000);
  expect(pauses).toBeGreaterThan(0);
});

test("a pause in the turn of a resume holds", async () => {
  const child = sh("stty -opost; echo begun; sleep 0.05; head -c 2000 /dev/zero");
  child.pty.pause();
  await new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if (child.pty.foreground() !== null) return;
      clearInterval(look);
      resolve();
    }, 5);
  });
  expect(child.text()).toBe("");
  child.pty.resume();
  child.pty.pause();
  child.pty.resume();
  await child.exited;
  expect(child.text()).toHaveLength(2006);
});

test("resize reaches the program, also as a signal", async () => {
  const child = sh("trap 'stty size; exit' WINCH; echo ready; while :; do read line; done");
  await child.seen(/ready/);
  child.pty.resize({ cols: 132, rows: 43 });
  await child.exited;
  expect(child.text()).toContain("43 132");
  child.pty.resize({ cols: 10, rows: 10 });
});

test("signals go to the foreground job, not to the shell around it", async () => {
  const child = run(["/bin/bash", "--norc", "--noprofile", "-i"], { env: { PS1: "> " } });
  await child.seen(/> /);
  child.pty.write(Buffer.from("sh -c 'echo job $$; exec sleep 60'; echo status $?\r"), () => {});
  await child.seen(/job \d+/);
  const job = Number(/job (\d+)/.exec(child.text())?.[1]);
  expect(child.pty.foreground()).toBe(job);
  expect(child.pty.signal("TERM")).toEqual({ ok: true, value: {} });
  await child.seen(/status 143/);
  expect(child.exits).toEqual([]);
  await child.pty.kill();
  await child.exited;
  expect(child.pty.foreground()).toBeNull();
  expect(child.pty.signal("TERM")).toMatchObject({ ok: false, error: { code: "ended" } });
});

test("unwritten input can be dropped, and only what the kernel took is reported as taken", async () => {
  const child = sh("stty raw -echo; echo ready; exec sleep 60");
  await child.seen(/ready/);
  const block = new Uint8Array(1024 * 1024);
  let taken = 0;
  child.pty.write(block, () => {
    taken += 1;
  });
  child.pty.write(block, () => {
    taken += 1;
  });
  const dropped = child.pty.dropUnwritten();
  expect(dropped).toBeGreaterThan(block.length);
  expect(dropped).toBeLessThan(2 * block.length);
  expect(child.pty.dropUnwritten()).toBe(0);
  expect(taken).toBe(0);
  await child.pty.kill();
  await child.exited;
  expect(taken).toBe(0);
});

test("input after the end is dropped without a word", async () => {
  const child = sh("exit 0");
  await child.exited;
  child.pty.write(Buffer.from("late"), () => {
    throw new Error("taken");
  });
  expect(child.pty.dropUnwritten()).toBe(0);
  child.pty.pause();
  child.pty.resume();
  await child.pty.kill();
});

test("kill ends a stopped job and its shell", async () => {
  const child = run(["/bin/bash", "--norc", "--noprofile", "-i"], { env: { PS1: "> " } });
  await child.seen(/> /);
  child.pty.write(Buffer.from("sh -c 'echo job $$; exec sleep 60'\r"), () => {});
  await child.seen(/job \d+/);
  child.pty.write(Buffer.from([0x1a]), () => {});
  await child.seen(/Stopped/);
  await child.pty.kill();
  expect(await child.exited).toEqual({ signal: "SIGHUP" });
});

test("a missing program is told by name, by path and as a shell", () => {
  expect(refusal(["muxdeck-no-such"]).code).toBe("spawn-failed");
  expect(refusal(["muxdeck-no-such"]).message).toMatch(/^muxdeck-no-such was not found on the PATH on \S+\. No session was started\./);
  expect(refusal(["/nowhere/zsh"]).message).toMatch(
    /^zsh was not found at \/nowhere\/zsh on \S+\. No session was started\. Choose another shell in Settings, Terminal\.$/,
  );
  expect(refusal(["ls"], "/", { PATH: "/nowhere" }).code).toBe("spawn-failed");
});

test("the program is looked up as the child would: PATH of the session, relative to its folder", async () => {
  const folder = mkdtempSync(join(home, "bin-"));
  writeFileSync(join(folder, "own-tool"), "#!/bin/sh\necho mine\n", { mode: 0o755 });
  const byPath = run(["own-tool"], { env: { PATH: `/nowhere:${folder}` } });
  const byRelative = run(["./own-tool"], { cwd: folder });
  const byRelativePath = run(["own-tool"], { cwd: folder, env: { PATH: "." } });
  for (const child of [byPath, byRelative, byRelativePath]) {
    expect(await child.exited).toEqual({ code: 0 });
    expect(child.text()).toBe("mine\r\n");
  }
});

test("what execve would refuse is refused before the fork", () => {
  const at = (name: string, content: string | Buffer, mode: number): string => {
    const file = join(home, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };
  expect(refusal([at("plain", "echo hi\n", 0o644)]).message).toMatch(/^You may not run .*plain on /);
  expect(refusal([home]).code).toBe("spawn-failed");
  const script = refusal([at("script", "#!/nowhere/python3 -u\n", 0o755)]);
  expect(script).toMatchObject({ code: "spawn-failed" });
  expect(script.message).toContain("needs /nowhere/python3");
  expect(refusal([at("data", Buffer.from([1, 2, 0, 3]), 0o755)]).message).toContain("is not a program");
  const elf = Buffer.alloc(64);
  elf.write("\x7fELF", "latin1");
  elf.writeUInt16LE(process.arch === "s390x" ? 62 : 22, 18);
  expect(refusal([at("foreign", elf, 0o755)]).message).toContain("another kind of processor");
});

test("folders: missing, not one, relative", () => {
  expect(refusal(["sh"], "/srv/no-such-app")).toMatchObject({ code: "not-found" });
  expect(refusal(["sh"], "/srv/no-such-app").message).toMatch(
    /^The folder \/srv\/no-such-app does not exist on \S+\. No session was started\. Start in the home folder instead\?$/,
  );
  expect(refusal(["sh"], "/etc/passwd")).toMatchObject({ code: "not-found" });
  expect(refusal(["sh"], "somewhere")).toMatchObject({ code: "invalid" });
});

test("strings the kernel cannot take are refused: NUL, names, length", () => {
  expect(refusal([]).code).toBe("invalid");
  expect(refusal(["sh", "a\0b"]).code).toBe("invalid");
  expect(refusal(["sh"], "/", { "A=B": "1" }).code).toBe("invalid");
  expect(refusal(["sh", "-c", "x".repeat(128 * 1024)]).code).toBe("limit");
  expect(refusal(["sh", ...Array.from({ length: 20 }, () => "x".repeat(120_000))]).code).toBe("limit");
});

test("an argument and an environment of the largest size do start", async () => {
  const child = sh('exit "$(echo "$BIG" | wc -l)"', { env: { BIG: "x".repeat(128 * 1024 - 5) } });
  expect(await child.exited).toEqual({ code: 1 });
});

test("sentences show no control characters and keep to 256 characters", () => {
  expect(shown("a\u001b[31m\u202eb")).toBe("a\\u{1b}[31m\\u{202e}b");
  expect(shown("x".repeat(1000))).toHaveLength(256);
  const hostile = join(home, "evil\u001b[2J");
  mkdirSync(hostile);
  expect(refusal(["./nothing"], hostile).message).not.toContain("\u001b");
});
