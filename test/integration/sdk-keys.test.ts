/** Keys and full-screen programs through the SDK. Numbers are rows of the list of behaviours. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keys, type MuxdeckClient, type SessionInfo, type TerminalStream } from "../../sdk/index.js";
import { lacks } from "../support/parts.js";
import { Collected, createSdkHome, prompt, type SdkHome, Show } from "../support/sdk-home.js";
import { until } from "../support/wait.js";

let home: SdkHome;
let client: MuxdeckClient;
beforeAll(async () => {
  home = createSdkHome();
  client = await home.client();
});
afterAll(() => home.close());

/** A shell with the words of its screen at hand. */
async function shell(): Promise<{ session: SessionInfo; stream: TerminalStream; show: Show; collected: Collected }> {
  const session = await home.bash(client);
  const stream = client.terminal.stream();
  const collected = new Collected(stream);
  const show = new Show(stream);
  await stream.attach(session.sessionId);
  await stream.waitFor(/ready> $/);
  return { session, stream, show, collected };
}

/** What a program that shows its input makes of keys: `cat -v` in raw mode, so that nothing is edited or interpreted on the way. */
async function raw(): Promise<{ stream: TerminalStream; seen: () => string }> {
  const session = await client.terminal.create({ command: ["bash", "-c", "stty raw -echo; printf armed; cat -v"] });
  const stream = client.terminal.stream();
  const collected = new Collected(stream);
  await stream.attach(session.sessionId, { from: "oldest" });
  await stream.waitFor("armed");
  return { stream, seen: () => collected.text.slice("armed".length) };
}

describe("rows 18-25: keys reach a program as they were sent, each in one piece", () => {
  it.each([
    [18, "Up", "^[[A"],
    [19, "Down", "^[[B"],
    [20, "Right", "^[[C"],
    [21, "Left", "^[[D"],
    [22, "Home", "^[[H"],
    [23, "End", "^[[F"],
    [24, "PageUp", "^[[5~"],
    [25, "PageDown", "^[[6~"],
    [27, "Enter", "^M"],
    [28, "Backspace", "^?"],
    [29, "C-c", "^C"],
    [30, "C-d", "^D"],
    [31, "C-z", "^Z"],
    [26, "Tab", "\t"],
    [0, "M-x", "^[x"],
    [0, "F1", "^[OP"],
    [0, "F12", "^[[24~"],
  ])("row %i: %s", async (_row, name, shown) => {
    const { stream, seen } = await raw();
    await stream.sendKey(name);
    await until(`${name} to be shown`, () => seen() === shown);
    await stream.terminate();
  });

  it("are never split over two reads of the program", async () => {
    const script = "import os,sys,tty\ntty.setraw(0)\nos.write(1,b'armed')\nfor n in range(300): os.write(1,b'%d '%len(os.read(0,3)))";
    const session = await client.terminal.create({ command: ["python3", "-c", script] });
    const stream = client.terminal.stream();
    const collected = new Collected(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.waitFor("armed");
    // One at a time and many at once: a reader of three bytes finds three.
    for (let n = 0; n < 100; n++) await stream.sendInput(keys.up);
    await Promise.all(Array.from({ length: 200 }, () => stream.sendInput(keys.left)));
    await stream.done;
    expect(collected.text).toBe(`armed${"3 ".repeat(300)}`);
  });

  it("are encoded for the mode the program is in", async () => {
    const session = await client.terminal.create({ command: ["bash", "-c", "stty raw -echo; printf '\\033[?1harmed'; cat -v"] });
    const stream = client.terminal.stream();
    const collected = new Collected(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.waitFor("armed");
    for (const name of ["Up", "home", "END", "PageUp"]) await stream.sendKey(name);
    await until("all four", () => collected.text.endsWith("^[OA^[OH^[OF^[[5~"));
    await expect(stream.sendKey("Hyper")).rejects.toThrow(/no key "Hyper".*F1\.\.F12/);
    await stream.terminate();
  });
});

describe("rows 18-31: keys do in a shell what they do at its terminal", () => {
  it("row 18, 19: up and down walk through the history", async () => {
    const { stream } = await shell();
    await stream.sendInput("echo first\n");
    await stream.waitFor(/first\nready> $/);
    await stream.sendInput("echo second\n");
    await stream.waitFor(/second\nready> $/);
    await stream.sendInput(keys.up + keys.up + keys.down + keys.enter);
    await stream.waitFor(/\nsecond\nready> $/);
    await stream.sendInput(keys.up + keys.up + keys.up + keys.enter);
    await stream.waitFor(/\nfirst\nready> $/);
    await stream.terminate();
  });

  it("row 20, 21, 22, 23: left, right, home and end move in the line", async () => {
    const { stream } = await shell();
    await stream.sendInput(`cho B${keys.left}A${keys.right}C${keys.home}e${keys.end}D\r`);
    await stream.waitFor(/\nABCD\n/);
    await stream.terminate();
  });

  it("row 26: tab completes", async () => {
    const { stream } = await shell();
    writeFileSync(join(home.folder, "a-rather-long-name.txt"), "");
    await stream.sendInput(`echo a-rather${keys.tab}\r`);
    await stream.waitFor(/\na-rather-long-name\.txt/);
    await stream.terminate();
  });

  it("row 27: both ends of line run one, and a raw program sees which", async () => {
    const { stream } = await shell();
    await stream.sendInput("echo one\n");
    await stream.waitFor(/\none\n/);
    await stream.sendInput("echo two\r");
    await stream.waitFor(/\ntwo\n/);
    await stream.terminate();
    const { stream: plain, seen } = await raw();
    await plain.sendInput("\n\r");
    await until("both", () => seen() === "\n^M");
    await plain.terminate();
  });

  it("row 28: backspace takes one character", async () => {
    const { stream } = await shell();
    await stream.sendInput(`echo abX${keys.backspace}c\r`);
    await stream.waitFor(/\nabc\n/);
    await stream.sendInput("stty -a | tr ';' '\\n' | grep erase\r");
    await stream.waitFor(/erase = \^\?/);
    await stream.terminate();
  });

  it("row 29: Ctrl+C ends what runs, with status 130", async () => {
    const { stream } = await shell();
    await stream.sendInput("sleep 60\r");
    await until("sleep to run", () => home.processes().some(({ command }) => command.join(" ") === "sleep 60"));
    await stream.sendInput(keys.ctrlC);
    await stream.waitFor(/ready> $/);
    await stream.sendInput("echo status $?\r");
    await stream.waitFor("status 130");
    await stream.terminate();
  });

  it("row 30: Ctrl+D ends cat, then the shell, and everybody hears the exit", async () => {
    const { session, stream } = await shell();
    const watcher = client.terminal.stream({ mode: "observer" });
    await watcher.attach(session.sessionId);
    await stream.sendInput("cat\r");
    await until("cat to run", () => home.processes().some(({ command }) => command.join(" ") === "cat"));
    await stream.sendInput(keys.ctrlD);
    await stream.waitFor(/ready> $/);
    await stream.sendInput(keys.ctrlD);
    expect(await stream.done).toEqual({ reason: "exit", status: { code: 0 } });
    expect(await watcher.done).toEqual({ reason: "exit", status: { code: 0 } });
  });

  it("row 31: Ctrl+Z stops a job, fg goes on with it", async () => {
    const { stream } = await shell();
    await stream.sendInput("cat\r");
    await until("cat to run", () => home.processes().some(({ command }) => command.join(" ") === "cat"));
    await stream.sendInput(keys.ctrlZ);
    await stream.waitFor(/Stopped[\s\S]*ready> $/);
    await stream.sendInput("fg\r");
    await stream.waitFor("cat\n");
    await stream.sendInput("still here\r");
    await stream.waitFor(/still here\nstill here/);
    await stream.terminate();
  });
});

describe("rows 2, 15-17: programs that take the whole screen", () => {
  it.skipIf(lacks("vim"))("row 15, 16, 17: vim opens a file, moves, and quits without saving", async () => {
    const { stream, show, collected } = await shell();
    const file = join(home.folder, "poem.txt");
    writeFileSync(file, "roses are red\nviolets are blue\nsugar is sweet\n");
    const hash = () => createHash("sha256").update(readFileSync(file)).digest("hex");
    const before = hash();
    await stream.sendInput("vim -u NONE -N poem.txt\n");
    await until("vim to show the file", () => show.lines[0] === "roses are red" && show.lines.at(-1)?.includes("poem.txt"));
    const start = show.cursor;
    await stream.sendInput(keys.down);
    await until("the cursor to go down", () => show.cursor.y === start.y + 1);
    await stream.sendInput(keys.right + keys.right);
    await until("the cursor to go right", () => show.cursor.x === start.x + 2);
    await stream.sendInput(keys.up);
    await until("the cursor to go up", () => show.cursor.y === start.y);
    await stream.sendInput("xx");
    await until("a change", () => show.lines[0] !== "roses are red");
    await stream.sendInput(":q!\n");
    await until(
      "the shell again",
      () => show.terminal.buffer.active.type === "normal" && show.lines[show.cursor.y]?.trimEnd() === prompt.trimEnd(),
    );
    expect(hash()).toBe(before);
    expect(collected.text).toMatch(/\x1b\[\?1049h[\s\S]*\x1b\[\?1049l/);
    await stream.terminate();
  });

  it.skipIf(lacks("htop"))("row 2: htop draws and quits on q", async () => {
    const { stream, show } = await shell();
    await stream.sendInput("htop\n");
    await until("its bars and its keys", () => show.lines.some((line) => line.includes("Mem[")) && show.lines.at(-1)?.includes("F10Quit"));
    await stream.sendInput("q");
    await until("the shell again", () => show.terminal.buffer.active.type === "normal");
    await stream.terminate();
  });

  it.skipIf(lacks("less"))("row 24, 25: less turns pages", async () => {
    const { stream, show } = await shell();
    writeFileSync(join(home.folder, "numbers"), Array.from({ length: 500 }, (_, n) => `line ${n + 1}\n`).join(""));
    await stream.sendInput("less numbers\n");
    await until("the first page", () => show.lines[0] === "line 1");
    await stream.sendKey("PageDown");
    await until("the second page", () => show.lines[0] === "line 24");
    await stream.sendKey("PageUp");
    await until("the first page again", () => show.lines[0] === "line 1");
    await stream.sendInput("q");
    await stream.terminate();
  });
});

describe("row 47: a debugger driven by a script", () => {
  it.each([
    ["waiting for each prompt", true],
    ["without waiting", false],
  ])("gives its prompts in order, %s", async (_how, waits) => {
    const file = join(home.folder, "steps.py");
    writeFileSync(file, "def double(x):\n    y = x * 2\n    return y\n\na = 20\nb = double(a + 1)\nprint('answer', b)\n");
    const session = await client.terminal.create({ command: ["python3", "-m", "pdb", file], env: { TERM: "dumb" } });
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId, { from: "oldest" });
    const commands: [string, RegExp][] = [
      ["n", /-> a = 20/],
      ["n", /-> b = double\(a \+ 1\)/],
      ["s", /--Call--\n.*\n-> def double/],
      ["n", /-> y = x \* 2/],
      ["n", /-> return y/],
      ["p y", /\b42\n/],
      ["c", /answer 42/],
    ];
    await stream.waitFor(/\(Pdb\) $/);
    if (!waits) await Promise.all(commands.map(([command]) => stream.sendInput(`${command}\n`)));
    for (const [command, shown] of commands) {
      if (waits) await stream.sendInput(`${command}\n`);
      await stream.waitFor(shown);
    }
    await stream.sendInput("q\n");
    await stream.terminate();
  });
});
