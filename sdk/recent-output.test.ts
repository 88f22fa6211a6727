/** What `waitFor` looks at, and from where. */
import { describe, expect, it } from "vitest";
import { RecentOutput } from "./recent-output.js";

const bytes = (text: string) => new TextEncoder().encode(text);
const size = { cols: 80, rows: 24 };

function make() {
  const recent = new RecentOutput();
  const found: string[] = [];
  const wait = (pattern: RegExp) => recent.wait(pattern, (match) => found.push(match[0]));
  return { recent, found, wait, print: (text: string) => recent.output(bytes(text)) };
}

describe("recent output", () => {
  it("finds what was there before anybody waited, and what comes", () => {
    const { found, wait, print } = make();
    print("login: ");
    wait(/login: $/);
    wait(/Password: $/);
    print("me\r\nPass");
    expect(found).toEqual(["login: "]);
    print("word: ");
    expect(found).toEqual(["login: ", "Password: "]);
  });

  it("finds a pattern over chunks, cut characters and colours", () => {
    const { recent, found, wait } = make();
    wait(/grün fertig/);
    const all = bytes("\x1b[32mgrün\x1b[0m fertig");
    for (const byte of all) recent.output(Uint8Array.of(byte));
    expect(found).toEqual(["grün fertig"]);
  });

  it("does not find the same twice", () => {
    const { found, wait, print } = make();
    print("$ one $ two");
    wait(/\$ /);
    wait(/\$ /);
    wait(/\$ /);
    expect(found).toEqual(["$ ", "$ "]);
    print("$ ");
    expect(found).toEqual(["$ ", "$ ", "$ "]);
  });

  it("does not take an old prompt for the answer to what is sent", () => {
    const { recent, found, wait, print } = make();
    print("$ ");
    recent.sent();
    wait(/\$ $/);
    expect(found).toEqual([]);
    print("ls\r\nfile\r\n$ ");
    expect(found).toEqual(["$ "]);
  });

  it("keeps the answers of several sends for several waits", () => {
    const { recent, found, wait, print } = make();
    recent.sent();
    print("one ");
    recent.sent();
    print("two ");
    wait(/one/);
    wait(/two/);
    expect(found).toEqual(["one", "two"]);
  });

  it("begins with a screen, which hides what was before it", () => {
    const { recent, found, wait, print } = make();
    print("old $ ");
    recent.screen(bytes("\x1bcnew\r\n$ "), size);
    wait(/old/);
    wait(/new\n\$ $/);
    expect(found).toEqual(["new\n$ "]);
    print("after");
    wait(/after/);
    expect(found).toEqual(["new\n$ ", "after"]);
  });

  it("stops waiting when told", () => {
    const { found, wait, print } = make();
    wait(/x/)();
    print("x");
    expect(found).toEqual([]);
  });

  it("keeps a bounded tail", () => {
    const { found, wait, print } = make();
    print("needle");
    for (let n = 0; n < 100; n++) print("x".repeat(10_000));
    print("end");
    wait(/needle/);
    wait(/end$/);
    expect(found).toEqual(["end"]);
  });
});
