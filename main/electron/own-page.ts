/**
 * The one address that this app shows: `app://muxdeck/index.html`. Owns the question "is this our page?" that every guard asks; compares
 * whole parsed parts, never prefixes of text.
 */

export const pageScheme = "app";
export const pageHost = "muxdeck";
export const pageUrl = `${pageScheme}://${pageHost}/index.html`;

/** Whether an address is our page itself. A fragment is allowed, a query is not: nobody hands the page words from outside. */
export function isOwnPage(address: string): boolean {
  const url = parse(address);
  if (url === null) return false;
  return isOwnHost(url) && url.pathname === "/index.html" && url.search === "";
}

/** The path of a file of our page that an address asks for; null when it is not ours. */
export function ownPath(address: string): string | null {
  const url = parse(address);
  return url !== null && isOwnHost(url) ? url.pathname : null;
}

function isOwnHost(url: URL): boolean {
  return url.protocol === `${pageScheme}:` && url.host === pageHost && url.username === "" && url.password === "";
}

function parse(address: string): URL | null {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}
