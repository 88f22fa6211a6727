/** Names and bytes of keys. */
import { describe, expect, it } from "vitest";
import { encodeKey, keys } from "./keys.js";

const normal = { applicationCursorKeys: false };
const application = { applicationCursorKeys: true };

describe("keys", () => {
  it.each([
    ["Up", "\x1b[A", "\x1bOA"],
    ["Down", "\x1b[B", "\x1bOB"],
    ["Right", "\x1b[C", "\x1bOC"],
    ["Left", "\x1b[D", "\x1bOD"],
    ["Home", "\x1b[H", "\x1bOH"],
    ["End", "\x1b[F", "\x1bOF"],
    ["PageUp", "\x1b[5~", "\x1b[5~"],
    ["PageDown", "\x1b[6~", "\x1b[6~"],
    ["Insert", "\x1b[2~", "\x1b[2~"],
    ["Delete", "\x1b[3~", "\x1b[3~"],
    ["Tab", "\t", "\t"],
    ["Enter", "\r", "\r"],
    ["Escape", "\x1b", "\x1b"],
    ["Backspace", "\x7f", "\x7f"],
    ["F1", "\x1bOP", "\x1bOP"],
    ["F5", "\x1b[15~", "\x1b[15~"],
    ["F12", "\x1b[24~", "\x1b[24~"],
    ["C-a", "\x01", "\x01"],
    ["C-z", "\x1a", "\x1a"],
    ["c-C", "\x03", "\x03"],
    ["M-x", "\x1bx", "\x1bx"],
    ["M-X", "\x1bX", "\x1bX"],
    ["M-.", "\x1b.", "\x1b."],
    ["pageup", "\x1b[5~", "\x1b[5~"],
  ])("%s", (name, plain, inApplication) => {
    expect([encodeKey(name, normal), encodeKey(name, application)]).toEqual([plain, inApplication]);
  });

  it.each(["", "F13", "F0", "C-", "C-1", "M-", "M-ab", "constructor", "__proto__", "toString", "up ", "\x1b"])("there is no %j", (name) => {
    expect(encodeKey(name, normal)).toBeNull();
  });

  it("are strings to send", () => {
    expect([keys.up, keys.ctrlC, keys.ctrl("d"), keys.ctrl("D"), keys.alt("b"), keys.enter]).toEqual([
      "\x1b[A",
      "\x03",
      "\x04",
      "\x04",
      "\x1bb",
      "\r",
    ]);
  });
});
