/**
 * Decides which addresses may leave the app for the system's browser. Owns the rule (http and https, no credentials, no tricks); opens
 * nothing itself. Everything refused here is refused in both hosts: an address may come from a program's output.
 */
import { fail, ok, type Result } from "../../protocol/errors.js";

/** Longer addresses are cut by some openers, and a cut address is another address. */
export const maxUrlLength = 2048;

/** Control characters, spaces and bidi marks: `new URL` drops or hides some of them, so what is shown would not be what is opened. */
const unseen = /[\p{Cc}\p{Cf}\p{Zs}\p{Zl}\p{Zp}]/u;

/**
 * The address as it may be given to an opener: normalized, host in its punycode form. Fails with `invalid` for any scheme but http and
 * https, for credentials, for anything over 2048 characters.
 */
export function gateUrl(text: string): Result<string> {
  if (text.length > maxUrlLength) return fail("invalid", "This address is longer than 2048 characters. It was not opened.");
  if (unseen.test(text)) return fail("invalid", "This address holds characters that cannot be seen. It was not opened.");
  // The literal prefix: `new URL` also takes `https:host` and `http:\\host`, which other parsers read differently.
  if (!/^https?:\/\/[^/\\?#]/i.test(text) || text.includes("\\")) {
    return fail("invalid", "Only http:// and https:// addresses are opened. This one was not.");
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return fail("invalid", "This is not an address. It was not opened.");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    return fail("invalid", "Only http:// and https:// addresses are opened. This one was not.");
  }
  const authority = text.slice(text.indexOf("//") + 2).split(/[/?#]/, 1)[0] ?? "";
  if (url.username !== "" || url.password !== "" || authority.includes("@")) {
    return fail("invalid", "This address carries a name or password. It was not opened.");
  }
  // Long after escaping, too: the opener gets this form.
  if (url.hostname === "" || url.href.length > maxUrlLength * 3) return fail("invalid", "This is not an address. It was not opened.");
  return ok(url.href);
}
