/** What is copied and passed on when an agent is started; the start itself is tested with real processes. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { top } from "../test/support/muxdeck-home.js";
import { copyAgent } from "./agent-copy.js";
import { sessionEnvironment } from "./session-environment.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-copy-"));
  mkdirSync(join(folder, "built"));
  mkdirSync(join(folder, "copies"));
  symlinkSync(join(top, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "built/agent.cjs"), "agent 1");
  writeFileSync(join(folder, "built/screen-worker.cjs"), "worker 1");
  writeFileSync(join(folder, "built/notes.txt"), "not needed");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const copy = () => {
  const copied = copyAgent(join(folder, "built"), join(folder, "copies"));
  if (!copied.ok) throw new Error(copied.error.message);
  return copied.value;
};

describe("a copy of the agent", () => {
  it("has everything to run, under a name of its content", () => {
    const entry = copy();
    expect(entry).toMatch(/copies\/[0-9a-f]{24}\/agent\.cjs$/);
    expect(readdirSync(dirname(entry)).sort()).toEqual(["agent.cjs", "node_modules", "screen-worker.cjs"]);
    const platform = join(dirname(entry), "node_modules/@lydell", `node-pty-${process.platform}-${process.arch}`);
    expect(existsSync(join(platform, "prebuilds", `${process.platform}-${process.arch}`, "pty.node"))).toBe(true);
    expect(copy()).toBe(entry);
    writeFileSync(join(folder, "built/screen-worker.cjs"), "worker 2");
    expect(copy()).not.toBe(entry);
    expect(existsSync(entry)).toBe(true);
  });

  it("is removed when another build was started a day later", () => {
    const old = dirname(copy());
    const longAgo = new Date(Date.now() - 48 * 3600 * 1000);
    utimesSync(old, longAgo, longAgo);
    writeFileSync(join(folder, "built/agent.cjs"), "agent 2");
    copy();
    expect(existsSync(old)).toBe(false);
  });

  it("that cannot be made is a failure with a sentence", () => {
    rmSync(join(folder, "copies"), { recursive: true });
    writeFileSync(join(folder, "copies"), "in the way");
    const copied = copyAgent(join(folder, "built"), join(folder, "copies"));
    expect(copied).toMatchObject({ ok: false, error: { code: "internal", message: expect.stringContaining("could not be copied") } });
  });
});

describe("a session's environment", () => {
  it("takes over what is listed and nothing else", () => {
    const env = {
      PATH: "/bin",
      HOME: "/h",
      LC_TIME: "C",
      XDG_DATA_HOME: "/d",
      DBUS_SESSION_BUS_ADDRESS: "x",
      AWS_SECRET_ACCESS_KEY: "secret",
      MUXDECK_API_KEY: "secret",
      NODE_OPTIONS: "--inspect",
      LD_PRELOAD: "evil.so",
      TZ: undefined,
    };
    expect(sessionEnvironment(env, { EXTRA: "yes", PATH: "/mine" })).toEqual({
      PATH: "/mine",
      HOME: "/h",
      LC_TIME: "C",
      XDG_DATA_HOME: "/d",
      DBUS_SESSION_BUS_ADDRESS: "x",
      EXTRA: "yes",
    });
  });
});
