/** The log: one object a line, bounded files, nothing that moves a terminal. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openLog } from "./log.js";

describe("openLog", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "muxdeck-log-"));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const options = { echo: false, time: () => new Date(0) };

  it("writes one object a line, private to its user", () => {
    const log = openLog(folder, options);
    log("started", { pid: 1, root: false });
    log("ended", { code: null });
    const lines = readFileSync(join(folder, "agent.log"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { time: "1970-01-01T00:00:00.000Z", pid: 1, event: "started", root: false },
      { time: "1970-01-01T00:00:00.000Z", pid: process.pid, event: "ended", code: null },
    ]);
    expect(statSync(join(folder, "agent.log")).mode & 0o777).toBe(0o600);
  });

  it("escapes control and direction characters, and cuts long fields", () => {
    openLog(folder, options)("odd", { text: "\u001b[2J\u009b2J\u202e\n", long: "x".repeat(10_000) });
    const raw = readFileSync(join(folder, "agent.log"), "utf8");
    expect(raw.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(raw.length).toBeLessThan(2300);
    expect(JSON.parse(raw)).toMatchObject({ text: "\u001b[2J\u009b2J\u202e\n" });
  });

  it("keeps a few files of 1 MiB, also over restarts", () => {
    for (let start = 0; start < 3; start += 1) {
      const log = openLog(folder, options);
      for (let n = 0; n < 1200; n += 1) log("many", { text: "x".repeat(1900) });
    }
    expect(readdirSync(folder).sort()).toEqual(["agent.log", "agent.log.1", "agent.log.2", "agent.log.3"]);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(1024 * 1024);
  });

  it("goes on when it cannot be written", () => {
    const log = openLog(join(folder, "gone"), options);
    expect(() => log("lost", {})).not.toThrow();
  });
});
