import { expect, test } from "vitest";
import { DetachKeys, defaultDetachKey, readDetachKey } from "./detach-keys.js";

function type(pieces: string[], key = defaultDetachKey): { sent: string; detached: boolean } {
  const keys = new DetachKeys(key);
  let sent = "";
  for (const piece of pieces) {
    const { bytes, detach } = keys.typed(Buffer.from(piece, "latin1"));
    sent += Buffer.from(bytes).toString("latin1");
    if (detach) return { sent, detached: true };
  }
  return { sent, detached: false };
}

test.each([
  ["every other key", ["ls\r\x03\x04\x1a\x1b[A\xff"], "ls\r\x03\x04\x1a\x1b[A\xff", false],
  ["the key and d", ["ab\x1dd"], "ab", true],
  ["what stands behind d is not sent", ["\x1ddrm -rf"], "", true],
  ["twice sends it once", ["\x1d\x1d"], "\x1d", false],
  ["twice and d is a key and a letter", ["\x1d\x1dd"], "\x1dd", false],
  ["before another key it goes through", ["\x1dx"], "\x1dx", false],
  ["cut between the two", ["a\x1d", "d"], "a", true],
  ["three and d", ["\x1d\x1d", "\x1d", "d"], "\x1d", true],
  ["D is not d", ["\x1dD"], "\x1dD", false],
  ["as newer keyboards tell it", ["\x1b[93;5ud"], "", true],
  ["as newer keyboards tell it, pressed", ["x\x1b[93;5:1ud"], "x", true],
  ["as xterm tells it on request", ["\x1b[27;5;93~d"], "", true],
])("%s", (_what, pieces, sent, detached) => {
  expect(type(pieces)).toEqual({ sent, detached });
});

test("another key can be chosen", () => {
  const key = readDetachKey("C-a");
  expect(key).toEqual({ ok: true, value: 1 });
  expect(type(["\x1dd\x01d"], 1)).toEqual({ sent: "\x1dd", detached: true });
  expect(type(["\x1b[97;5ud"], 1)).toEqual({ sent: "", detached: true });
  expect(readDetachKey("^]")).toEqual({ ok: true, value: 0x1d });
  expect(readDetachKey("Ctrl+]")).toEqual({ ok: true, value: 0x1d });
  expect(readDetachKey("x")).toMatchObject({ ok: false, error: { code: "invalid" } });
});
