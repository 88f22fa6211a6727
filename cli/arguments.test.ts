import { expect, test } from "vitest";
import { type Form, readArguments, readCount, readName, readSeconds, readSize } from "./arguments.js";

const form: Form = { usage: "try S", options: { enter: "flag", key: "texts", from: "text" }, words: [1, 2] };

test("options and words in their order, the common ones among them", () => {
  const read = readArguments(["s", "--key", "Up", "text", "--enter", "--key=Tab", "-m", "web", "--json"], form);
  if (!read.ok) throw new Error(read.error.message);
  expect(read.value.words).toEqual(["s", "text"]);
  expect(read.value.texts("key")).toEqual(["Up", "Tab"]);
  expect(read.value.text("machine")).toBe("web");
  expect(read.value.has("enter")).toBe(true);
  expect(read.value.order.map((one) => ("word" in one ? one.word : one.option))).toEqual([
    "s",
    "key",
    "text",
    "enter",
    "key",
    "machine",
    "json",
  ]);
});

test("words behind -- are words, or kept apart for a command", () => {
  expect(readArguments(["s", "--", "--enter"], form)).toMatchObject({ ok: true, value: { words: ["s", "--enter"], rest: null } });
  const command = readArguments(["--name", "x", "--", "ls", "--json", "--"], { usage: "new", options: { name: "text" }, rest: true });
  expect(command).toMatchObject({ ok: true, value: { words: [], rest: ["ls", "--json", "--"] } });
});

test.each([[["s", "--bogus"]], [["s", "--enter=x"]], [["s", "--from"]], [[]], [["a", "b", "c"]]])(
  "%j is refused with the usage",
  (argv) => {
    const read = readArguments(argv, form);
    expect(read).toMatchObject({ ok: false, error: { code: "invalid" } });
    if (!read.ok) expect(read.error.message).toMatch(/\. Usage: muxdeck try S$/);
  },
);

test("help needs nothing else", () => {
  expect(readArguments(["--help"], form).ok).toBe(true);
});

test("sizes, names, counts and seconds have bounds", () => {
  expect(readSize("132x43")).toEqual({ ok: true, value: { cols: 132, rows: 43 } });
  for (const wrong of ["", "80", "1x24", "80x0", "1001x24", "80x24x2", "-80x24", "80 x 24"]) expect(readSize(wrong).ok, wrong).toBe(false);
  expect(readName("web 2")).toEqual({ ok: true, value: "web 2" });
  for (const wrong of ["", "-x", "a\nb", "\u202eabc", "x".repeat(65)]) expect(readName(wrong).ok, wrong).toBe(false);
  expect(readCount("from", "12")).toEqual({ ok: true, value: 12 });
  for (const wrong of ["", "-1", "1.5", "1e3", "99999999999999999999"]) expect(readCount("from", wrong).ok, wrong).toBe(false);
  expect(readSeconds("timeout", "0.25")).toEqual({ ok: true, value: 250 });
  for (const wrong of ["", "x", "-1", "1e9", "99999999"]) expect(readSeconds("timeout", wrong).ok, wrong).toBe(false);
});
