/**
 * Who may talk to the browser host: the Host and Origin rules. A page of another site, also one whose name was rebound to 127.0.0.1,
 * must get nothing; loopback alone is no defence. Compares exactly; never by prefix or suffix.
 */

const loopbackNames = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A host name as `--allow-host` takes it: no port, no scheme, no wildcard. */
export function isHostName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(name);
}

/** Whether a Host header names this computer (any port) or one of the allowed names. A missing header is refused. */
export function hostAllowed(header: string | undefined, allowed: ReadonlySet<string>): boolean {
  const match = /^(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/i.exec(header ?? "");
  if (match === null || Number(match[2] ?? "80") > 65535) return false;
  const name = (match[1] ?? "").toLowerCase();
  return loopbackNames.has(name) || allowed.has(name);
}

/**
 * Whether a request comes from the page that this very host serves: its Origin is `http://` or `https://` and the Host header, nothing
 * else. Browsers always send it on a WebSocket and on a POST, so a missing one is refused too.
 */
export function originAllowed(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined) return false;
  const asked = origin.toLowerCase();
  const own = host.toLowerCase();
  return asked === `http://${own}` || asked === `https://${own}`;
}
