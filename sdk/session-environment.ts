/**
 * What a new session on this machine takes over from the program that asks for it. Owns the allow-list: everything else (keys, tokens of
 * the calling program) stays out unless it is named.
 */

const allowed = new Set([
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "LANG",
  "TZ",
  "SSH_AUTH_SOCK",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XAUTHORITY",
]);
const allowedPrefixes = ["LC_", "XDG_", "DBUS_"];

/** The allow-listed part of `env`, with `extra` (such as `--env`) on top. */
export function sessionEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (allowed.has(name) || allowedPrefixes.some((prefix) => name.startsWith(prefix)))) result[name] = value;
  }
  return { ...result, ...extra };
}
