/**
 * Where everything of one home is kept, and that nobody else owns it. Owns the names of files and folders (docs: contracts, "Files") and
 * the rule for sockets whose path is too long. Knows no content of any file.
 */
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";
import { fail, ok, type Result } from "../protocol/errors.js";

/** Longest socket path in bytes that every platform takes. Longer ones are cut without an error, and two homes would share a socket. */
export const maxSocketPath = 100;

/** All paths are absolute. Nothing has to exist yet: `prepareFolders` makes the folders. */
export interface Paths {
  /** Folder of what the user decided: settings, machines. */
  config: string;
  /** Folder of what the programs keep: sockets, locks, layouts, logs, copies of the agent. */
  state: string;
  /** The agent's socket. Outside `state` when that path is too long. */
  socket: string;
  /** The desk's socket, for second starts and `serve --url`. */
  deskSocket: string;
  agentLock: string;
  deskLock: string;
  /** Names the state folder: see state-id.ts. */
  stateId: string;
  logs: string;
  settings: string;
  machines: string;
  layouts: string;
  /** Copies of the agent's files, one folder a build. */
  agentCopies: string;
}

/** What decides the paths; a plain object, so that tests and other users' homes need no process environment. */
export interface PathsInput {
  env: Readonly<Record<string, string | undefined>>;
  /** Defaults to this process's. */
  platform?: string;
  home?: string;
  uid?: number;
}

/**
 * Everything under `MUXDECK_HOME` where it is set; otherwise the platform's folders (XDG on Linux). `XDG_RUNTIME_DIR` is not used: it is
 * unset under cron and removed at logout.
 */
export function paths(input: PathsInput): Paths {
  const platform = input.platform ?? process.platform;
  const uid = input.uid ?? process.getuid?.() ?? 0;
  const home = input.home ?? absolute(input.env.HOME) ?? homedir();
  const { config, state } = folders(input.env, platform, home);
  const canonicalState = canonical(state);
  return {
    config,
    state,
    socket: socketPath(canonicalState, "agent", platform, uid),
    deskSocket: socketPath(canonicalState, "desk", platform, uid),
    agentLock: join(state, "agent.lock"),
    deskLock: join(state, "desk.lock"),
    stateId: join(state, "state-id"),
    logs: join(state, "logs"),
    settings: join(config, "settings.json"),
    machines: join(config, "machines.json"),
    layouts: join(state, "layouts.json"),
    agentCopies: join(state, "agent"),
  };
}

function folders(env: PathsInput["env"], platform: string, home: string): { config: string; state: string } {
  if (env.MUXDECK_HOME) {
    const all = resolve(env.MUXDECK_HOME);
    return { config: all, state: all };
  }
  if (platform === "win32") {
    return {
      config: join(absolute(env.APPDATA) ?? join(home, "AppData", "Roaming"), "Muxdeck"),
      state: join(absolute(env.LOCALAPPDATA) ?? join(home, "AppData", "Local"), "Muxdeck"),
    };
  }
  if (platform === "darwin") {
    const all = join(home, "Library", "Application Support", "Muxdeck");
    return { config: all, state: all };
  }
  return {
    config: join(absolute(env.XDG_CONFIG_HOME) ?? join(home, ".config"), "muxdeck"),
    state: join(absolute(env.XDG_STATE_HOME) ?? join(home, ".local", "state"), "muxdeck"),
  };
}

/** The XDG rules say that a relative path counts as unset. */
function absolute(path: string | undefined): string | undefined {
  return path && isAbsolute(path) ? path : undefined;
}

function socketPath(state: string, name: string, platform: string, uid: number): string {
  const hash = createHash("sha256").update(state).digest("hex").slice(0, 16);
  if (platform === "win32") return `\\\\.\\pipe\\muxdeck-${name}-${hash}`;
  const near = join(state, `${name}.sock`);
  if (Buffer.byteLength(near) <= maxSocketPath) return near;
  return `/tmp/muxdeck-${uid}/${hash}${name === "agent" ? "" : `-${name}`}.sock`;
}

/** The path with links of its existing part resolved: one folder under two names must not get two sockets. */
function canonical(path: string): string {
  const missing: string[] = [];
  for (let at = path; ; at = dirname(at)) {
    try {
      return join(realpathSync(at), ...missing);
    } catch {
      if (dirname(at) === at) return path;
      missing.unshift(basename(at));
    }
  }
}

/**
 * Makes the folders (0700) and checks that they are folders of this user. Folders this user owns but left open to others are closed.
 * Fails with `not-permitted` when one belongs to somebody else or is a link somebody could have planted in /tmp.
 */
export function prepareFolders(at: Paths): Result<Record<string, never>> {
  const wanted = new Set([at.config, at.state, at.logs]);
  if (!at.socket.startsWith("\\\\")) wanted.add(dirname(at.socket));
  for (const folder of wanted) {
    const result = prepareFolder(folder, folder !== dirname(at.socket) || folder === at.state);
    if (!result.ok) return result;
  }
  return ok({});
}

function prepareFolder(folder: string, mayBeLink: boolean): Result<Record<string, never>> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const resolved = mayBeLink ? realpathSync(folder) : folder;
    const found = lstatSync(resolved);
    const uid = process.getuid?.();
    if (!found.isDirectory() || (uid !== undefined && found.uid !== uid)) {
      return fail("not-permitted", `${folder} belongs to another user. Set MUXDECK_HOME to a folder of your own.`, { scope: "connection" });
    }
    if (uid !== undefined && (found.mode & 0o077) !== 0) chmodSync(resolved, 0o700);
    return ok({});
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail("not-permitted", `${folder} cannot be used: ${reason}. Set MUXDECK_HOME to a folder of your own.`, { scope: "connection" });
  }
}
