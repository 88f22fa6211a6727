/** One holder at a time: taking, refusing, breaking, also by several processes at once. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inTime } from "../test/support/wait.js";
import { isHeld, readLock, startTime, takeLock } from "./lock-file.js";

let folder = "";
let file = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-lock-"));
  file = join(folder, "agent.lock");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const socket = () => join(folder, "agent.sock");

async function deadPid(): Promise<number> {
  const child = spawn("true");
  await inTime("a process to end", new Promise((done) => child.once("exit", done)));
  return child.pid ?? 0;
}

function write(holder: object): void {
  writeFileSync(file, JSON.stringify({ pid: process.pid, started: null, socket: socket(), taken: Date.now(), nonce: "n", ...holder }));
}

describe("lock file", () => {
  it("names its holder and is released by it alone", async () => {
    const taken = await takeLock(file, socket());
    if (!taken.ok) throw new Error(taken.error.message);
    expect(readLock(file)).toEqual(taken.value.holder);
    expect(taken.value.holder).toMatchObject({ pid: process.pid, started: startTime(process.pid), socket: socket() });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const second = await takeLock(file, socket());
    expect(second).toMatchObject({ ok: false, error: { code: "busy" }, held: { pid: process.pid } });
    write({ nonce: "somebody else" });
    taken.value.release();
    expect(existsSync(file)).toBe(true);
    rmSync(file);
    expect((await takeLock(file, socket())).ok).toBe(true);
    expect(readdirSync(folder)).toEqual(["agent.lock"]);
  });

  it("is broken when its holder is dead, damaged, or another process with the same pid", async () => {
    write({ pid: await deadPid(), started: 1 });
    const first = await takeLock(file, socket());
    expect(first.ok).toBe(true);
    writeFileSync(file, "not a lock");
    expect((await takeLock(file, socket())).ok).toBe(true);
    write({ pid: process.pid, started: (startTime(process.pid) ?? 0) - 1 });
    expect((await takeLock(file, socket())).ok).toBe(true);
  });

  it("is held by whoever answers, whatever its pid says", async () => {
    const server = createServer().listen(socket());
    await new Promise((done) => server.once("listening", done));
    write({ pid: await deadPid(), started: 1 });
    expect(await takeLock(file, socket())).toMatchObject({ ok: false, error: { code: "busy" } });
    server.close();
  });

  it("is held by a process that has not bound its socket yet", async () => {
    write({ pid: process.pid, started: startTime(process.pid) });
    expect(await takeLock(file, socket())).toMatchObject({ ok: false, error: { code: "busy" } });
  });

  it("believes a pid without a start time for as long as a start takes", async () => {
    const holder = { pid: process.pid, started: null, socket: socket(), nonce: "n" };
    expect(await isHeld({ ...holder, taken: Date.now() - 5000 })).toBe(true);
    expect(await isHeld({ ...holder, taken: Date.now() - 60_000 })).toBe(false);
    expect(await isHeld({ ...holder, taken: Date.now() + 60_000 })).toBe(false);
  });

  it("is taken by exactly one of many that break the same stale one", async () => {
    for (let round = 0; round < 20; round++) {
      write({ pid: await deadPid(), started: 1, nonce: `stale ${round}` });
      const all = await Promise.all(Array.from({ length: 8 }, () => takeLock(file, socket())));
      expect(all.filter((one) => one.ok)).toHaveLength(1);
      expect(readdirSync(folder)).toEqual(["agent.lock"]);
    }
  });

  it("cannot be taken where nothing can be written, and says so", async () => {
    expect(await takeLock(join(folder, "missing", "agent.lock"), socket())).toMatchObject({ ok: false, error: { code: "not-permitted" } });
  });

  it("gets over a breaker that died in the middle", async () => {
    write({ pid: await deadPid(), started: 1 });
    writeFileSync(`${file}.breaking`, "");
    const old = new Date(Date.now() - 60_000);
    const { utimesSync } = await import("node:fs");
    utimesSync(`${file}.breaking`, old, old);
    expect((await takeLock(file, socket())).ok).toBe(true);
    expect(readFileSync(file, "utf8")).toContain(`"pid":${process.pid}`);
  });
});
