/**
 * `muxdeck attach` in terminals of its own: what is drawn, where keys go, the sizes, and that the terminal is given back by every way out.
 * The terminal is a pty, and an emulator reads it as a user's would.
 */
import headless from "@xterm/headless";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Pty, spawnPty } from "../../agent/pty.js";
import type { ExitStatus } from "../../protocol/values.js";
import { createHome, type Finished, type MuxdeckHome, top } from "../support/muxdeck-home.js";
import { inTime, until } from "../support/wait.js";

let home: MuxdeckHome;
beforeAll(() => {
  home = createHome();
});
afterAll(() => home.close());

const opened: Window[] = [];
afterEach(async () => {
  for (const window of opened.splice(0)) await window.close();
});

const cli = (...args: string[]): Promise<Finished> => home.run(args);

/** A terminal on a user's desk: a pty with a program, and an emulator that shows it. */
class Window {
  readonly pty: Pty;
  readonly exited: Promise<ExitStatus>;
  readonly terminal: InstanceType<typeof headless.Terminal>;
  bytes = "";
  #ended = false;
  #shown = Promise.resolve();

  constructor(script: string, size = { cols: 80, rows: 24 }) {
    this.terminal = new headless.Terminal({ ...size, scrollback: 1000, allowProposedApi: true, logLevel: "off" });
    let exit = (_status: ExitStatus): void => {};
    this.exited = new Promise((resolve) => {
      exit = resolve;
    });
    const started = spawnPty(
      {
        command: ["/bin/bash", "--norc", "--noprofile", "-c", script],
        cwd: home.folder,
        env: { ...home.env, TERM: "xterm-256color", MUX: `${process.execPath} ${top}/bin/muxdeck.js` },
        size,
      },
      {
        data: (bytes) => {
          this.bytes += Buffer.from(bytes).toString("latin1");
          this.#shown = new Promise((resolve) => this.terminal.write(bytes, resolve));
        },
        exit: (status) => {
          this.#ended = true;
          exit(status);
        },
      },
    );
    if (!started.ok) throw new Error(started.error.message);
    this.pty = started.value;
    opened.push(this);
  }

  type(text: string): void {
    this.pty.write(Buffer.from(text, "latin1"), () => {});
  }

  resize(cols: number, rows: number): void {
    this.pty.resize({ cols, rows });
    this.terminal.resize(cols, rows);
  }

  lines(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, row) => active.getLine(active.viewportY + row)?.translateToString(true) ?? "");
  }

  async shows(pattern: RegExp): Promise<void> {
    await until(`a line like ${pattern}`, async () => {
      await this.#shown;
      return this.lines().some((line) => pattern.test(line));
    }).catch((error) => {
      throw new Error(`${error}\n${this.lines().join("\n")}`);
    });
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.pty.kill();
    await this.exited;
    this.terminal.dispose();
  }
}

async function sh(name: string, script: string, ...options: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli("new", "--name", name, ...options, "--", "/bin/sh", "-c", script);
  expect(`${code} ${stderr}`).toBe("0 ");
  return stdout.trim();
}

interface Entry {
  name: string;
  state: string;
  size: { cols: number; rows: number };
  attached: { role: string }[];
  output: number;
}
async function entryOf(name: string): Promise<Entry | undefined> {
  const entries: Entry[] = JSON.parse((await cli("ls", "--json")).stdout);
  return entries.find((entry) => entry.name === name);
}

/** Pid of the command line that runs `attach`. */
async function attachPid(): Promise<number> {
  const find = (): number | undefined =>
    home.processes().find(({ command }) => command.includes("attach") && command[0] === process.execPath)?.pid;
  return until("the attach to run", find);
}

/** The settings of the terminal before and after, and the exit code between them. */
const framed = (words: string): string =>
  `before=$(stty -g); $MUX ${words}; echo "code=$?"; [ "$before" = "$(stty -g)" ] && echo same || echo changed`;

const loud = "\\033[?1049h\\033[?1000h\\033[?1006h\\033[?2004h\\033[?1h\\033=\\033[?25l\\033[?1004h\\033[5 q\\033[31m";

function expectQuiet(window: Window): void {
  const fresh = new headless.Terminal({ allowProposedApi: true, logLevel: "off" });
  expect({ ...window.terminal.modes }).toEqual({ ...fresh.modes });
  expect(window.terminal.buffer.active.type).toBe("normal");
  // The cursor was shown last.
  expect(window.bytes.lastIndexOf("\x1b[?25h")).toBeGreaterThan(window.bytes.lastIndexOf("\x1b[?25l"));
  fresh.dispose();
}

describe("keys and output", () => {
  test("what is typed reaches the program byte by byte; what it prints comes unchanged; detach keys leave", async () => {
    await sh("echo", "stty raw -echo; printf ready; exec cat -v");
    const window = new Window(framed("attach echo"));
    await window.shows(/^ready$/);
    window.type("a\x03\x04\x1a\x1b[A\r\n\x7f");
    await window.shows(/^readya\^C\^D\^Z\^\[\[A\^M/);
    window.type("\x1d\x1d");
    await window.shows(/\^\?\^\]$/);
    window.type("\x1dx\x1dd");
    expect(await window.exited).toEqual({ code: 0 });
    await window.shows(/^\[detached from echo\]$/);
    await window.shows(/^code=0$/);
    await window.shows(/^same$/);
    expect((await cli("screen", "echo")).stdout).toContain("^?^]^]x");
    expect((await entryOf("echo"))?.state).toBe("running");
    await cli("kill", "echo");
  });

  test("a line feed of a raw program returns no carriage", async () => {
    await sh("feed", "stty raw -echo; printf 'one\\ntwo'; exec cat");
    const window = new Window("$MUX attach feed");
    await window.shows(/^ {3}two$/);
    window.type("\nx");
    await window.shows(/^ {6}x$/);
    await cli("kill", "feed");
  });

  test("its own detach key; observers type nothing and leave by the same keys", async () => {
    await sh("keys", "stty raw -echo; printf ready; exec cat -v");
    const window = new Window("$MUX attach keys --detach-key C-a; echo left");
    await window.shows(/^ready/);
    window.type("\x1dd\x01d");
    await window.shows(/^left$/);
    const watcher = new Window("$MUX attach keys --observe; echo left");
    await watcher.shows(/^ready\^\]d/);
    watcher.type("nothing\x1dd");
    await watcher.shows(/^left$/);
    expect((await cli("screen", "keys")).stdout).toBe("ready^]d\n");
    await cli("kill", "keys");
  });

  test("two views show the same; what was there stays in this terminal's scrollback", async () => {
    await sh("both", "stty raw -echo; printf ready; exec cat");
    const one = new Window("echo kept line; $MUX attach both");
    const two = new Window("$MUX attach both --observe");
    await Promise.all([one.shows(/^ready$/), two.shows(/^ready$/)]);
    one.type("shared \xc3\xa4\xe6\xbc\xa2");
    await Promise.all([one.shows(/^readyshared ä漢$/), two.shows(/^readyshared ä漢$/)]);
    const { active } = one.terminal.buffer;
    const all = Array.from({ length: active.length }, (_, row) => active.getLine(row)?.translateToString(true));
    expect(all).toContain("kept line");
    await cli("kill", "both");
  });

  test("20 MB of output come at the speed of the terminal, and a key still gets through", async () => {
    await sh("flood", "read go; head -c 20000000 /dev/zero | tr '\\0' 'f' | fold -w 79; echo; echo finished; exec cat");
    const window = new Window("$MUX attach flood");
    await until("the view to be attached", async () => (await entryOf("flood"))?.attached.length === 1);
    window.type("\r");
    await window.shows(/^finished$/);
    window.type("still here");
    await window.shows(/^still here$/);
    await cli("kill", "flood");
  });
});

describe("sizes", () => {
  test("a terminal that does not say its size changes none", async () => {
    await sh("unsized", "echo ready; exec cat");
    const before = (await entryOf("unsized"))?.size;
    const window = new Window("stty cols 0 rows 0; $MUX attach unsized");
    await window.shows(/ready/);
    await until("the terminal to be attached", async () => (await entryOf("unsized"))?.attached.length === 1);
    expect((await entryOf("unsized"))?.size).toEqual(before);
    await cli("kill", "unsized");
  });

  test("the session takes the size of the first terminal and follows it; an observer changes nothing", async () => {
    await sh("size", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done");
    const window = new Window("$MUX attach size", { cols: 100, rows: 20 });
    await window.shows(/^20 100$/);
    window.resize(90, 30);
    await window.shows(/^30 90$/);
    const watcher = new Window("$MUX attach size --observe", { cols: 40, rows: 10 });
    await until("the watcher to be attached", async () => (await entryOf("size"))?.attached.length === 2);
    watcher.resize(41, 11);
    window.resize(91, 31);
    await window.shows(/^31 91$/);
    expect((await entryOf("size"))?.size).toEqual({ cols: 91, rows: 31 });
    await cli("kill", "size");
  });
});

describe("ways out", () => {
  test.each([
    ["a code", "exit 7", 7, "exit code 7"],
    ["a signal", "kill -KILL $$", 137, "SIGKILL"],
  ])("the session's end by %s is the exit code", async (_what, last, code, text) => {
    await sh(`end${code}`, `printf '${loud}ready'; read go; ${last}`);
    const window = new Window(framed(`attach end${code}`));
    await window.shows(/ready/);
    window.type("\r");
    await window.shows(new RegExp(`^code=${code}$`));
    await window.shows(/^same$/);
    await window.shows(new RegExp(`^\\[end${code} ended: ${text}\\]$`));
    await window.exited;
    expectQuiet(window);
  });

  test("an ended session shows its last screen and gives its code at once", async () => {
    await sh("past", "echo last words; exit 5");
    await cli("wait", "past", "--exit");
    const window = new Window(framed("attach past"));
    await window.shows(/^code=5$/);
    expect(window.bytes).toContain("last words");
  });

  test.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)("%s gives the terminal back and leaves the session alone", async (signal) => {
    await sh(signal, `printf '${loud}ready'; exec cat`);
    const window = new Window(framed(`attach ${signal}`));
    await window.shows(/ready/);
    process.kill(await attachPid(), signal);
    await window.shows(/^same$/);
    expect((await entryOf(signal))?.attached).toEqual([]);
    await window.shows(new RegExp(`^code=${{ SIGTERM: 143, SIGHUP: 129, SIGINT: 130 }[signal]}$`));
    await window.exited;
    expectQuiet(window);
    expect((await entryOf(signal))?.state).toBe("running");
    await cli("kill", signal);
  });

  test("a terminal that takes nothing any more holds up neither the link nor the end", async () => {
    await sh("stuck", "echo ready; read go; yes");
    const window = new Window(
      "before=$(stty -g); $MUX attach stuck; code=$?; after=$(stty -g); echo; echo code=$code; [ $before = $after ] && echo same",
    );
    await window.shows(/^ready$/);
    window.pty.pause();
    window.type("\r");
    const pid = await attachPid();
    await until(
      "the program to have printed more than the terminal holds",
      async () => ((await entryOf("stuck"))?.output ?? 0) > 1_000_000,
    );
    expect((await entryOf("stuck"))?.attached).toHaveLength(1);
    process.kill(pid, "SIGTERM");
    await until("the attach to end", () => !home.processes().some((entry) => entry.pid === pid));
    window.pty.resume();
    await window.shows(/^code=143$/);
    await window.shows(/^same$/);
    await cli("kill", "stuck");
  });

  test("detaching gives back what a full-screen program took", async () => {
    await sh("full", `printf '${loud}ready'; exec cat`);
    const window = new Window(framed("attach full"));
    await window.shows(/ready/);
    expect(window.terminal.modes.mouseTrackingMode).toBe("vt200");
    window.type("\x1dd");
    await window.shows(/^same$/);
    await window.exited;
    expectQuiet(window);
    await cli("kill", "full");
  });

  test("stopped and continued, it gives the terminal back and takes it again", async () => {
    await sh("stop", `stty raw -echo; printf '${loud}ready'; exec cat -v`);
    const window = new Window(`set -m; before=$(stty -g); $MUX attach stop; [ "$before" = "$(stty -g)" ] && echo same; fg; echo "code=$?"`);
    await window.shows(/ready/);
    process.kill(await attachPid(), "SIGTSTP");
    await window.shows(/ready/);
    await until("the terminal to be given back and taken again", () => window.bytes.includes("same"));
    // What the shell wrote in between is gone: the screen is drawn anew.
    await until("the screen to be drawn again", async () => {
      await window.shows(/ready/);
      return !window.lines().some((line) => line.includes("same"));
    });
    window.type("again");
    await until("the keys to arrive", async () => (await cli("screen", "stop")).stdout.includes("again"));
    window.type("\x1dd");
    await window.shows(/^code=0$/);
    await cli("kill", "stop");
  });

  test("kill -9 of an attach, and a window that closes, leave the session alive", async () => {
    await sh("alive", "stty raw -echo; printf ready; exec cat");
    const window = new Window("$MUX attach alive; sleep 60");
    await window.shows(/^ready$/);
    process.kill(await attachPid(), "SIGKILL");
    await until("the view to be gone", async () => (await entryOf("alive"))?.attached.length === 0);
    const second = new Window("$MUX attach alive");
    await second.shows(/^ready$/);
    await second.close();
    await until("the view to be gone", async () => (await entryOf("alive"))?.attached.length === 0);
    expect((await entryOf("alive"))?.state).toBe("running");
    const third = new Window("$MUX attach alive");
    await third.shows(/^ready$/);
    third.type("typed");
    await third.shows(/^readytyped$/);
    await cli("kill", "alive");
  });

  test("the agent's sudden death ends it with a sentence and the terminal as it was", async () => {
    await sh("orphan", `printf '${loud}ready'; exec cat`);
    const window = new Window(framed("attach orphan"));
    await window.shows(/ready/);
    for (const agent of home.agents()) process.kill(agent.pid, "SIGKILL");
    await window.shows(/^same$/);
    await window.shows(/^code=1$/);
    await window.shows(/^muxdeck: The agent on .* has ended/);
    await window.exited;
    expectQuiet(window);
  });
});

describe("without a terminal", () => {
  test("piped input is typed, and its end leaves the session", async () => {
    await sh("piped", "stty raw -echo; printf ready; exec cat -v");
    await cli("wait", "piped", "--for", "ready");
    const run = await inTime("the attach to end", home.run(["attach", "piped"], { input: "hello\x1dd\x00world" }));
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: "[detached from piped]\n" });
    expect((await cli("screen", "piped")).stdout).toBe("ready" + "hello^]d^@world\n");
    const watched = await home.run(["attach", "piped", "--observe", "--json"], { input: "nothing" });
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('"detached":true');
    expect((await cli("screen", "piped")).stdout).not.toContain("nothing");
    await cli("kill", "piped");
  });

  test("errors are told before anything is taken", async () => {
    expect((await cli("attach", "no-such-session")).code).toBe(3);
    expect((await cli("attach")).code).toBe(2);
    expect((await cli("attach", "x", "--detach-key", "dd")).code).toBe(2);
    const window = new Window(framed("attach no-such-session"));
    await window.shows(/^code=3$/);
    await window.shows(/^same$/);
  });
});
