/** One-time and per-tab tokens: exchanged once, bounded, never mixed up. */
import { describe, expect, it } from "vitest";
import { Tokens } from "./tokens.js";

describe("Tokens", () => {
  it("mints 256 bits, each time others", () => {
    const tokens = new Tokens();
    const minted = new Set(Array.from({ length: 50 }, () => tokens.mint()));
    expect(minted.size).toBe(50);
    for (const token of minted) expect(Buffer.from(token, "base64url").length).toBe(32);
  });

  it("exchanges a token once", () => {
    const tokens = new Tokens();
    const once = tokens.mint();
    const tab = tokens.exchange(once);
    expect(tab).not.toBeNull();
    expect(tokens.exchange(once)).toBeNull();
    expect(tokens.check(tab ?? "")).toBe("any");
    expect(tokens.check(tab ?? "")).toBe("any");
  });

  it("keeps the two kinds apart", () => {
    const tokens = new Tokens();
    const once = tokens.mint("new");
    expect(tokens.check(once)).toBeNull();
    const tab = tokens.exchange(once) ?? "";
    expect(tokens.check(tab)).toBe("new");
    expect(tokens.exchange(tab)).toBeNull();
  });

  it.each(["", "x", "A".repeat(43), "A".repeat(10_000), "\u0000", "..", "__proto__"])("refuses %j", (token) => {
    const tokens = new Tokens();
    tokens.mint();
    expect(tokens.exchange(token)).toBeNull();
    expect(tokens.check(token)).toBeNull();
  });

  it("refuses a token that is one character off, longer or shorter", () => {
    const tokens = new Tokens();
    const once = tokens.mint();
    const other = (once.startsWith("A") ? "B" : "A") + once.slice(1);
    for (const wrong of [
      other,
      once.slice(1),
      `${once}A`,
      `${once} `,
      once.toLowerCase() === once ? once.toUpperCase() : once.toLowerCase(),
    ]) {
      expect(tokens.exchange(wrong)).toBeNull();
    }
    expect(tokens.exchange(once)).not.toBeNull();
  });

  it("forgets the oldest unused address", () => {
    const tokens = new Tokens();
    const first = tokens.mint();
    const others = Array.from({ length: 64 }, () => tokens.mint());
    expect(tokens.exchange(first)).toBeNull();
    expect(tokens.exchange(others[0] ?? "")).not.toBeNull();
  });
});
