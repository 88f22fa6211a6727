/** What counts as our page, for the guards of windows and of the one IPC channel. */
import { describe, expect, it } from "vitest";
import { isOwnPage, ownPath, pageUrl } from "./own-page.js";

const others = [
  "",
  "app://muxdeck/",
  "app://muxdeck/index.html?x=1",
  "app://muxdeck/other.html",
  "app://muxdeck/assets/../index.html.evil",
  "app://muxdeck.evil.example/index.html",
  "app://evil/index.html",
  "app://muxdeck:80/index.html",
  "app://a@muxdeck/index.html",
  "apps://muxdeck/index.html",
  "app:muxdeck/index.html",
  "http://muxdeck/index.html",
  "https://muxdeck/index.html",
  "file:///app://muxdeck/index.html",
  "about:blank",
  "data:text/html,app://muxdeck/index.html",
  "javascript:app://muxdeck/index.html",
  "devtools://devtools/bundled/inspector.html",
];

describe("isOwnPage", () => {
  it("takes the page, with and without a fragment", () => {
    expect(isOwnPage(pageUrl)).toBe(true);
    expect(isOwnPage(`${pageUrl}#x`)).toBe(true);
  });

  it.each(others)("refuses %j", (address) => expect(isOwnPage(address)).toBe(false));
});

describe("ownPath", () => {
  it.each([
    ["app://muxdeck/assets/main.js", "/assets/main.js"],
    ["app://muxdeck/", "/"],
    ["app://muxdeck/%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"],
    ["app://muxdeck/a%2fb", "/a%2fb"],
    ["app://evil/assets/main.js", null],
    ["file:///etc/passwd", null],
    ["nonsense", null],
  ])("%s -> %s", (address, path) => expect(ownPath(address)).toBe(path));
});
