import { expect, test } from "vitest";
import { errorCodes, failure } from "../protocol/errors.js";
import { exitCodeOf, exitCodeOfStatus, statusText } from "./failures.js";
import { printable, shortened, table } from "./printable.js";

test("every code of a failure has its exit code", () => {
  const codes = Object.fromEntries(errorCodes.map((code) => [code, exitCodeOf(failure(code, ""))]));
  expect(codes).toEqual({
    invalid: 2,
    "not-found": 3,
    ambiguous: 3,
    "not-permitted": 4,
    unauthenticated: 4,
    "certificate-changed": 5,
    offline: 5,
    unreachable: 5,
    version: 5,
    timeout: 6,
    busy: 1,
    limit: 1,
    "spawn-failed": 1,
    ended: 1,
    "agent-restarted": 1,
    "not-delivered": 1,
    internal: 1,
  });
});

test("a session's end as an exit code: its own, or 128 and the signal", () => {
  expect(exitCodeOfStatus({ code: 3 })).toBe(3);
  expect(exitCodeOfStatus({ code: 0 })).toBe(0);
  expect(exitCodeOfStatus({ signal: "SIGKILL" })).toBe(137);
  expect(exitCodeOfStatus({ signal: "TERM" })).toBe(143);
  expect(exitCodeOfStatus({ signal: "SIG40" })).toBe(168);
  expect(statusText({ signal: "SIG\x1b" })).toBe("SIG\\x1b");
});

test("nothing a program or a person chose reaches the terminal as a control", () => {
  expect(printable("a\x1b[31m\r\n\t\x9b\u202e\u2028b")).toBe("a\\x1b[31m\\x0d\\x0a\\x09\\x9b\\u{202e}\\u{2028}b");
  expect(
    table([
      ["NAME", "X"],
      ["e\x1b]0;pwned\x07", "ü漢"],
    ]),
  ).toBe("NAME               X\ne\\x1b]0;pwned\\x07  ü漢\n");
  expect(shortened("abcdef", 4)).toBe("abc…");
});
