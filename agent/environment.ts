/**
 * What a new session starts with when its request leaves it open: environment, login shell, folder, name. Owns the list of variables that
 * pass and the ones every session gets. Starts nothing, and checks neither program nor folder (program.ts does).
 */
import { existsSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { basename } from "node:path";
import { nameSchema } from "../protocol/values.js";

type Variables = Readonly<Record<string, string | undefined>>;

const passed = new Set("PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ SSH_AUTH_SOCK DISPLAY WAYLAND_DISPLAY XAUTHORITY".split(" "));
const passedPrefixes = ["LC_", "XDG_", "DBUS_"];

/** The part of an environment that sessions may see: no secrets of whoever started the agent, nothing of the agent's own. */
export function allowed(from: Variables): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(from)) {
    if (value !== undefined && (passed.has(name) || passedPrefixes.some((prefix) => name.startsWith(prefix)))) kept[name] = value;
  }
  return kept;
}

/**
 * A session's environment. A request with a PATH carries a whole environment of a client on this machine, which replaces the agent's own;
 * others are laid over it.
 */
export function sessionEnvironment(options: {
  requested: Record<string, string>;
  own: Variables;
  sessionId: string;
}): Record<string, string> {
  const { requested, own, sessionId } = options;
  const whole = requested.PATH !== undefined;
  const user = account();
  const env: Record<string, string> = {
    PATH: own.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: own.HOME ?? homedir(),
    USER: own.USER ?? user.name,
    LOGNAME: own.LOGNAME ?? own.USER ?? user.name,
    SHELL: own.SHELL ?? user.shell,
    ...(whole ? {} : allowed(own)),
    TERM: "xterm-256color",
    COLORTERM: "truecolor",
    ...requested,
    MUXDECK_SESSION: sessionId,
  };
  // Without any of them programs print question marks for everything beyond ASCII.
  if (!env.LANG && !env.LC_ALL && !env.LC_CTYPE) env.LANG = "C.UTF-8";
  return env;
}

/** The user's shell as a login shell: `SHELL`, else the account's, else sh. */
export function loginShell(env: Variables): string[] {
  const shell = env.SHELL || account().shell;
  return basename(shell) === "pwsh" ? [shell, "-Login"] : [shell, "-l"];
}

/** The folder to start in where none is asked for: home, or the root where home is missing. */
export function startFolder(env: Variables): string {
  const home = env.HOME || homedir();
  return existsSync(home) ? home : "/";
}

/** The program's name, with a number from 2 on while `taken` says that it is. */
export function defaultName(command: string[], taken: (name: string) => boolean): string {
  const program = basename(command[0] ?? "")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "")
    .replace(/^-+/, "")
    .trim();
  const short = [...program].slice(0, 48).join("");
  const name = nameSchema.safeParse(short).success ? short : "session";
  if (!taken(name)) return name;
  for (let n = 2; ; n += 1) if (!taken(`${name} ${n}`)) return `${name} ${n}`;
}

function account(): { name: string; shell: string } {
  try {
    const { username, shell } = userInfo();
    return { name: username, shell: shell || "/bin/sh" };
  } catch {
    // A container may run us as a user without an entry in passwd.
    return { name: String(process.getuid?.() ?? 0), shell: "/bin/sh" };
  }
}
