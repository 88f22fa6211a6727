/** The Host and Origin table: who reaches the browser host, who is turned away. */
import { describe, expect, it } from "vitest";
import { hostAllowed, isHostName, originAllowed } from "./origin.js";

const none = new Set<string>();
const hosts: [string | undefined, boolean][] = [
  ["localhost", true],
  ["localhost:7000", true],
  ["LOCALHOST:7000", true],
  ["127.0.0.1:7000", true],
  ["[::1]:7000", true],
  ["[::1]", true],
  [undefined, false],
  ["", false],
  ["127.0.0.1.evil.example:7000", false],
  ["127.evil.tld", false],
  ["127.0.0.2:7000", false],
  ["127.1:7000", false],
  ["0.0.0.0:7000", false],
  ["localhost.evil.example", false],
  ["evil.localhost", false],
  ["localhost.:7000", false],
  ["evil.example", false],
  ["::1:7000", false],
  ["[::1", false],
  ["[::ffff:127.0.0.1]:7000", false],
  ["localhost:99999", false],
  ["localhost:7000:1", false],
  ["localhost@evil.example", false],
  ["localhost, evil.example", false],
  ["localhost:", false],
];

const origins: [string | undefined, string | undefined, boolean][] = [
  ["http://localhost:7000", "localhost:7000", true],
  ["https://localhost:7000", "localhost:7000", true],
  ["http://127.0.0.1:7000", "127.0.0.1:7000", true],
  ["http://[::1]:7000", "[::1]:7000", true],
  [undefined, "localhost:7000", false],
  ["null", "localhost:7000", false],
  ["", "localhost:7000", false],
  ["http://localhost:7001", "localhost:7000", false],
  ["http://localhost", "localhost:7000", false],
  ["http://127.0.0.1:7000", "localhost:7000", false],
  ["http://localhost:7000.evil.example", "localhost:7000", false],
  ["http://evil.example", "localhost:7000", false],
  ["http://localhost:7000/", "localhost:7000", false],
  ["ws://localhost:7000", "localhost:7000", false],
  ["file://", "localhost:7000", false],
  ["app://muxdeck", "localhost:7000", false],
  ["http://user@localhost:7000", "localhost:7000", false],
  ["http://localhost:7000", undefined, false],
];

describe("hostAllowed", () => {
  it.each(hosts)("%s -> %s", (header, allowed) => {
    expect(hostAllowed(header, none)).toBe(allowed);
  });

  it("takes a name given with --allow-host, and nothing near it", () => {
    const names = new Set(["deck.example"]);
    expect(hostAllowed("deck.example:443", names)).toBe(true);
    expect(hostAllowed("Deck.Example", names)).toBe(true);
    expect(hostAllowed("x.deck.example", names)).toBe(false);
    expect(hostAllowed("deck.example.evil", names)).toBe(false);
  });
});

describe("originAllowed", () => {
  it.each(origins)("origin %s at host %s -> %s", (origin, host, allowed) => {
    expect(originAllowed(origin, host)).toBe(allowed);
  });
});

describe("isHostName", () => {
  it.each(["deck.example", "deck", "a-b.example"])("takes %s", (name) => expect(isHostName(name)).toBe(true));
  it.each(["", "*", "*.example", "http://x", "x:80", "a b", "-x", "x.", "é.example"])("refuses %j", (name) =>
    expect(isHostName(name)).toBe(false),
  );
});
