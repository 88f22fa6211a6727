/** Where things are kept, and whose the folders must be. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { maxSocketPath, paths, prepareFolders } from "./paths.js";
import { stateId } from "./state-id.js";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-paths-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const linux = { platform: "linux", uid: 1000, home: "/home/me" };

describe("paths", () => {
  it("puts everything under MUXDECK_HOME", () => {
    const at = paths({ ...linux, env: { MUXDECK_HOME: "/srv/mux", XDG_CONFIG_HOME: "/elsewhere" } });
    for (const path of Object.values(at)) expect(path).toMatch(/^\/srv\/mux(\/|$)/);
    expect(at.socket).toBe("/srv/mux/agent.sock");
    expect(new Set(Object.values(at)).size).toBe(Object.keys(at).length - 1);
  });

  it("uses the XDG folders, but never the runtime folder", () => {
    const env = { XDG_CONFIG_HOME: "/c", XDG_STATE_HOME: "/s", XDG_RUNTIME_DIR: "/run/user/1000" };
    const at = paths({ ...linux, env });
    expect([at.settings, at.machines, at.layouts, at.socket]).toEqual([
      "/c/muxdeck/settings.json",
      "/c/muxdeck/machines.json",
      "/s/muxdeck/layouts.json",
      "/s/muxdeck/agent.sock",
    ]);
    expect(Object.values(at).some((path) => path.startsWith("/run"))).toBe(false);
  });

  it("falls back to the home folder, also for relative XDG folders", () => {
    const at = paths({ ...linux, env: { XDG_CONFIG_HOME: "relative" } });
    expect([at.config, at.state]).toEqual(["/home/me/.config/muxdeck", "/home/me/.local/state/muxdeck"]);
    expect(paths({ platform: "darwin", uid: 501, home: "/Users/me", env: {} }).state).toBe("/Users/me/Library/Application Support/Muxdeck");
  });

  it("keeps socket paths short, and those of different homes apart", () => {
    // Bytes count, not characters.
    const long = `/srv/${"ü".repeat(45)}`;
    const at = paths({ ...linux, env: { MUXDECK_HOME: long } });
    expect(Buffer.byteLength(join(long, "agent.sock"))).toBeGreaterThan(maxSocketPath);
    expect(at.socket).toMatch(/^\/tmp\/muxdeck-1000\/[0-9a-f]{16}\.sock$/);
    expect(at.agentLock).toBe(join(long, "agent.lock"));
    expect(paths({ ...linux, env: { MUXDECK_HOME: `${long}2` } }).socket).not.toBe(at.socket);
    expect(paths({ ...linux, env: { MUXDECK_HOME: long } }).deskSocket).not.toBe(at.socket);
    const exact = `/srv/${"x".repeat(maxSocketPath - "/srv//agent.sock".length)}`;
    expect(paths({ ...linux, env: { MUXDECK_HOME: exact } }).socket).toBe(`${exact}/agent.sock`);
    expect(paths({ ...linux, env: { MUXDECK_HOME: `${exact}x` } }).socket).toMatch(/^\/tmp/);
    expect(paths({ ...linux, platform: "win32", env: { MUXDECK_HOME: exact } }).socket).toMatch(
      /^\\\\\.\\pipe\\muxdeck-agent-[0-9a-f]{16}$/,
    );
  });

  it("gives one folder under two names one socket, before and after it exists", () => {
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), join(folder, "alias"));
    const of = (home: string) => paths({ ...linux, env: { MUXDECK_HOME: home } }).socket;
    const deep = `${"y".repeat(90)}/home`;
    expect(of(join(folder, "alias", deep))).toBe(of(join(folder, "real", deep)));
    mkdirSync(join(folder, "real", deep), { recursive: true });
    expect(of(join(folder, "alias", deep))).toBe(of(join(folder, "real", deep)));
  });
});

describe("folders", () => {
  const at = () => paths({ env: { MUXDECK_HOME: join(folder, "home") } });

  it("are made for their owner only, and closed when they were left open", () => {
    expect(prepareFolders(at())).toEqual({ ok: true, value: {} });
    expect(statSync(at().state).mode & 0o777).toBe(0o700);
    chmodSync(at().state, 0o755);
    chmodSync(at().logs, 0o777);
    expect(prepareFolders(at()).ok).toBe(true);
    expect([statSync(at().state).mode & 0o777, statSync(at().logs).mode & 0o777]).toEqual([0o700, 0o700]);
  });

  it("are not used when they cannot be folders", () => {
    symlinkSync("/dev/null", join(folder, "home"));
    const prepared = prepareFolders(at());
    expect(prepared).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    if (!prepared.ok) expect(prepared.error.message).toContain("MUXDECK_HOME");
  });

  it("are not used when they are links that somebody could have planted beside a socket", () => {
    const real = join(folder, "theirs");
    mkdirSync(real);
    symlinkSync(real, join(folder, "sockets"));
    const planted = { ...at(), socket: join(folder, "sockets", "x.sock") };
    expect(prepareFolders(planted)).toMatchObject({ ok: false, error: { code: "not-permitted" } });
  });

  it.runIf(process.getuid?.() === 0)("are not used when they belong to somebody else", async () => {
    const { chownSync } = await import("node:fs");
    mkdirSync(at().state);
    chownSync(at().state, 65_534, 65_534);
    const prepared = prepareFolders(at());
    expect(prepared).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    if (!prepared.ok) expect(prepared.error.message).toContain("another user");
  });
});

describe("state id", () => {
  it("is made once and stays", () => {
    const file = join(folder, "state-id");
    const first = stateId(file);
    expect(first).toMatchObject({ ok: true, value: expect.stringMatching(/^[0-9a-f]{24}$/) });
    expect(stateId(file)).toEqual(first);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).toHaveLength(25);
    expect(stateId(join(folder, "other"))).not.toEqual(first);
  });

  it("does not replace what it does not understand", () => {
    const file = join(folder, "state-id");
    mkdirSync(file);
    expect(stateId(file).ok).toBe(false);
  });
});
