/** The command line against a real agent: what each command prints, its exit code, and what it leaves behind. */
import { createHash } from "node:crypto";
import { chownSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MuxdeckClient } from "../../sdk/index.js";
import { createHome, type Finished, type MuxdeckHome } from "../support/muxdeck-home.js";
import { until } from "../support/wait.js";

let home: MuxdeckHome;
beforeAll(() => {
  home = createHome();
});
afterAll(() => home.close());

const cli = (...args: string[]): Promise<Finished> => home.run(args);

async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(...args, "--json");
  expect(`${code} ${stderr}`).toBe("0 ");
  return JSON.parse(stdout);
}

interface Entry {
  sessionId: string;
  name: string;
  state: string;
  pid: number;
  size: { cols: number; rows: number };
  attached: { name: string; role: string }[];
  exit: unknown;
  output: number;
}
const entryOf = async (session: string): Promise<Entry | undefined> =>
  (await json<Entry[]>("ls")).find((entry) => entry.sessionId === session || entry.name === session);

/** `new` with a shell script; `--json` must stand before `--`. */
async function sh(name: string, script: string, ...options: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli("new", "--json", "--name", name, ...options, "--", "/bin/sh", "-c", script);
  expect(`${code} ${stderr}`).toBe("0 ");
  return (JSON.parse(stdout) as Entry).sessionId;
}

describe("before there is an agent", () => {
  test("looking starts none, and says what is so", async () => {
    expect(await cli("ls")).toEqual({ code: 0, stdout: "", stderr: "" });
    expect((await cli("ls", "--json")).stdout).toBe("[]\n");
    expect(await json<unknown[]>("machines", "ls")).toMatchObject([{ via: "local", agent: "stopped" }]);
    expect((await cli("agent", "status")).code).toBe(5);
    expect((await json("agent", "stop")).stopped).toBe(false);
    expect((await json<{ agent: unknown }>("doctor")).agent).toEqual({ state: "stopped" });
    expect((await cli("screen", "nothing")).code).toBe(3);
    expect(existsSync(join(home.folder, "agent.sock"))).toBe(false);
  });
});

describe("sessions", () => {
  test("new prints an id; ls shows it with everything the contract names", async () => {
    const { code, stdout, stderr } = await cli("new", "--name", "first", "--size", "100x30", "--", "/bin/sh");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const id = stdout.trim();
    expect(id).toMatch(/^[0-9a-f]{24}$/);
    const entry = await entryOf(id);
    expect(entry).toMatchObject({ name: "first", state: "running", size: { cols: 100, rows: 30 }, attached: [], driver: null, exit: null });
    for (const key of ["machine", "pid", "created", "command", "title", "guardedBytes"]) expect(entry).toHaveProperty(key);
    const listed = await cli("ls");
    expect(listed.stdout).toMatch(/^ID +NAME +STATE/);
    expect(listed.stdout).toContain(id.slice(0, 8));
    expect((await cli("kill", "first")).code).toBe(0);
    expect((await cli("dismiss", "first")).code).toBe(0);
    expect(await entryOf(id)).toBeUndefined();
  });

  test("new hands over folder, size and environment; what is not on the list stays out", async () => {
    mkdirSync(join(home.folder, "work"), { recursive: true });
    const script = "pwd; stty size; echo $LANG,$EXTRA,$SECRET,$TERM; env | grep -c MUXDECK_SESSION; exec cat";
    const run = await home.run(
      ["new", "--name", "env", "--size", "90x20", "--env", "EXTRA=a=b", "--cwd", "work", "--", "/bin/sh", "-c", script],
      {
        env: { SECRET: "hidden" },
      },
    );
    expect(run.code).toBe(0);
    await cli("wait", "env", "--for", "^1$");
    const { stdout } = await cli("screen", "env");
    expect(stdout.split("\n").slice(0, 4)).toEqual([join(home.folder, "work"), "20 90", "C.UTF-8,a=b,,xterm-256color", "1"]);
    await cli("kill", "env");
  });

  test("a live name is refused, an ended one is free; the name then means the live session", async () => {
    await sh("twin", "exit 0");
    await cli("wait", "twin", "--exit");
    const second = await sh("twin", "exec cat");
    expect((await cli("new", "--name", "twin")).code).not.toBe(0);
    expect((await json("screen", "twin")).lines).toBeDefined();
    expect((await entryOf(second))?.state).toBe("running");
    expect((await cli("rename", "twin", "other")).code).toBe(0);
    expect((await entryOf("other"))?.sessionId).toBe(second);
    await sh("third", "exec cat");
    expect((await cli("rename", "third", "other")).code).not.toBe(0);
    await Promise.all([cli("kill", "other"), cli("kill", "third")]);
  });

  test("a session by unique prefix; several fitting ones are listed and nothing is done", async () => {
    const one = await sh("prefix", "exec cat");
    expect((await cli("screen", one.slice(0, 10))).code).toBe(0);
    const ids = [one];
    // One of 17 ids shares its first digit with another.
    while (new Set(ids.map((id) => id[0])).size === ids.length) ids.push(await sh(`p${ids.length}`, "exec cat"));
    const shared = ids.at(-1)?.[0] ?? "";
    const { code, stderr } = await cli("kill", shared, "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "ambiguous", choices: expect.arrayContaining([ids.at(-1)]) } });
    for (const id of ids) await cli("kill", id);
  });
});

describe("send", () => {
  test("text, keys and Enter go out in the order given, encoded for the program's modes", async () => {
    await sh("keys", "stty raw -echo; printf 'ready\\033[?1h'; exec cat -v");
    await cli("wait", "keys", "--for", "ready");
    expect(
      (await cli("send", "keys", "--key", "Up", "ab", "--key", "C-c", "--key", "Home", "--enter", "--key", "M-x", "--key", "F5")).code,
    ).toBe(0);
    await cli("wait", "keys", "--for", "15~");
    expect((await cli("screen", "keys")).stdout).toContain("ready^[OAab^C^[OH^M^[x^[[15~");
    await cli("kill", "keys");
    await sh("plain", "stty raw -echo; printf ready; exec cat -v");
    await cli("wait", "plain", "--for", "ready");
    await cli("send", "plain", "--key", "up", "--", "-x");
    await cli("wait", "plain", "--for", "-x");
    expect((await cli("screen", "plain")).stdout).toContain("ready^[[A-x");
    await cli("kill", "plain");
  });

  test("standard input of any size arrives whole and in order", async () => {
    const bytes = Buffer.alloc(3_000_000);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * 7 + (at >> 9)) & 0xff;
    const sum = createHash("sha256").update(bytes).digest("hex");
    await sh("sum", `stty raw -echo; echo ready; head -c ${bytes.length} | sha256sum; exec sleep 60`);
    await cli("wait", "sum", "--for", "ready");
    const sent = await home.run(["send", "sum", "--stdin", "--json"], { input: bytes });
    expect(sent.stderr).toBe("");
    expect(JSON.parse(sent.stdout)).toMatchObject({ bytes: bytes.length });
    expect((await cli("wait", "sum", "--for", sum, "--timeout", "20")).code).toBe(0);
    await cli("kill", "sum");
  });

  test("returning means that the terminal has it: twenty lines sent one by one are all there", async () => {
    await sh("lines", "while read line; do echo got $line; done");
    for (let index = 0; index < 20; index += 1) expect((await cli("send", "lines", `line${index}`, "--enter")).code).toBe(0);
    expect((await cli("wait", "lines", "--for", "got line19")).code).toBe(0);
    const { stdout } = await cli("tail", "lines", "--text");
    expect(stdout.match(/got line\d+/g)).toEqual(Array.from({ length: 20 }, (_, index) => `got line${index}`));
    await cli("kill", "lines");
  });

  test("a client that sends and is gone at once has sent: a thousand times", async () => {
    await sh("thousand", "stty -echo; echo ready; while read line; do echo got $line; done");
    await cli("wait", "thousand", "--for", "ready");
    const client = await MuxdeckClient.local({ home: home.folder, start: "never" });
    try {
      for (let index = 0; index < 1000; index += 1) {
        const stream = client.terminal.stream();
        await stream.attach("thousand", { from: "now" });
        void stream.sendInput(`line${index}\n`);
        await stream.close();
      }
    } finally {
      await client.close();
    }
    expect((await cli("wait", "thousand", "--for", "got line999")).code).toBe(0);
    const { stdout } = await cli("tail", "thousand", "--text");
    expect(stdout.match(/got line\d+/g)).toEqual(Array.from({ length: 1000 }, (_, index) => `got line${index}`));
    expect((await entryOf("thousand"))?.attached).toEqual([]);
    await cli("kill", "thousand");
  });

  test("into an ended session, with nothing, with an unknown key", async () => {
    await sh("over", "exit 0");
    await cli("wait", "over", "--exit");
    expect((await cli("send", "over", "x")).code).toBe(1);
    expect((await cli("send", "over")).code).toBe(2);
    const { code, stderr } = await cli("send", "over", "--key", "Hyper", "--json");
    expect(code).toBe(2);
    expect(JSON.parse(stderr).error).toMatchObject({ code: "invalid" });
  });

  test("a session that ends under a long input is told, not waited for", async () => {
    await sh("dies", "stty raw -echo; echo ready; sleep 0.3");
    await cli("wait", "dies", "--for", "ready");
    const sent = await home.run(["send", "dies", "--stdin"], { input: Buffer.alloc(4_000_000, 0x61) });
    expect(sent.code).toBe(1);
  });
});

describe("tail", () => {
  test("the output byte for byte, as text, from a sequence, as JSON", async () => {
    await sh("out", "stty -opost; printf 'a\\033[31mred\\033[0m\\tend\\r\\nsecond\\r\\n'; exec cat");
    await cli("wait", "out", "--for", "second");
    expect((await cli("tail", "out")).stdout).toBe("a\x1b[31mred\x1b[0m\tend\r\nsecond\r\n");
    expect((await cli("tail", "out", "--text")).stdout).toBe("ared\tend\nsecond\n");
    expect((await cli("tail", "out", "--from", "1")).stdout).toBe("\x1b[31mred\x1b[0m\tend\r\nsecond\r\n");
    expect((await cli("tail", "out", "--from", "now")).stdout).toBe("");
    const pieces = (await cli("tail", "out", "--json")).stdout.trim().split("\n");
    const parsed = pieces.map((line) => JSON.parse(line) as { seq: number; data: string });
    expect(parsed[0]?.seq).toBe(0);
    expect(Buffer.concat(parsed.map(({ data }) => Buffer.from(data, "base64"))).toString()).toContain("second\r\n");
    expect((await cli("tail", "out", "--from", "99999")).code).toBe(2);
    await cli("kill", "out");
  });

  test("without --follow it stops although the program goes on; with it, at the session's end", async () => {
    await sh("flow", "while :; do echo tick; sleep 0.01; done");
    await cli("wait", "flow", "--for", "tick");
    expect((await cli("tail", "flow")).stdout).toMatch(/^(tick\r\n)+(t|ti|tic|tick|tick\r)?$/);
    const following = cli("tail", "flow", "--follow");
    await until("the follower to be attached", async () => ((await entryOf("flow"))?.attached.length ?? 0) > 0);
    await cli("kill", "flow");
    expect((await following).code).toBe(0);
  });

  test("--all loses nothing of 20 MB, whatever the program's speed", async () => {
    const size = 20_000_000;
    await sh("flood", `stty -echo -opost; read go; head -c ${size} /dev/zero | tr '\\0' z`);
    const tail = home.start(["tail", "flood", "--all", "--follow", "--from", "oldest"]);
    let bytes = 0;
    let errors = "";
    tail.stdout?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    tail.stderr?.on("data", (chunk: Buffer) => {
      errors += chunk;
    });
    const ended = new Promise((resolve) => tail.once("close", resolve));
    await until("the tail to be attached", async () => ((await entryOf("flood"))?.attached.length ?? 0) > 0);
    await cli("send", "flood", "--enter");
    expect(await ended).toBe(0);
    expect(errors).toBe("");
    expect(bytes).toBeGreaterThanOrEqual(size);
  });

  test("what the ring lost is told on stderr, and only output is on stdout", async () => {
    await sh("ring", "stty raw -echo; head -c 9000000 /dev/zero | tr '\\0' y; echo last; exec sleep 60");
    await cli("wait", "ring", "--for", "last", "--timeout", "20");
    const { stdout, stderr, code } = await cli("tail", "ring", "--from", "10");
    expect(code).toBe(0);
    expect(stderr).toMatch(/^muxdeck: \d+ bytes are missing here \(10 to \d+\)\.\n$/);
    expect(stdout).toMatch(/^y+last\n$/);
    expect(stdout.length).toBeGreaterThan(3_000_000);
    await cli("kill", "ring");
  });

  test("a reader that leaves ends it quietly", async () => {
    await sh("pipe", "yes");
    const child = home.start(["tail", "pipe", "--follow"]);
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      errors += chunk;
    });
    child.stdout?.once("data", () => child.stdout?.destroy());
    const code = await new Promise((resolve) => child.once("exit", resolve));
    expect({ code, errors }).toEqual({ code: 0, errors: "" });
    await cli("kill", "pipe");
  });
});

describe("screen and wait", () => {
  test("the screen as text, with styles, as JSON; controls in a title do no harm", async () => {
    await sh("look", "printf '\\033]2;ti\\033\\\\tle\\033[2;3HX \\033[1mbold\\033[0m'; exec cat", "--size", "40x5");
    await cli("wait", "look", "--for", "bold");
    expect((await cli("screen", "look")).stdout).toMatch(/^\n? *.*X bold\n$/s);
    expect((await cli("screen", "look", "--ansi")).stdout).toContain("\x1b[1m");
    const shown = await json("screen", "look");
    expect(shown).toMatchObject({ cols: 40, rows: 5, cursor: { visible: true } });
    for (const key of ["seq", "lines", "title", "hash"]) expect(shown).toHaveProperty(key);
    expect((await cli("ls")).stdout).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
    await cli("kill", "look");
  });

  test("wait for text that comes later, that is there already, that only the screen shows", async () => {
    await sh("later", "read go; echo found it; read more; printf '\\033[3;3Hdr\\033[3;5Hawn'; exec cat");
    const first = cli("wait", "later", "--for", "found \\w+");
    await until("the wait to be attached", async () => ((await entryOf("later"))?.attached.length ?? 0) > 0);
    await cli("send", "later", "--enter");
    expect(await first).toEqual({ code: 0, stdout: "found it\n", stderr: "" });
    expect((await cli("wait", "later", "--for", "found it", "--timeout", "5")).code).toBe(0);
    const drawn = cli("wait", "later", "--for", "drawn");
    await until("the wait to be attached", async () => ((await entryOf("later"))?.attached.length ?? 0) > 0);
    await cli("send", "later", "--enter");
    expect((await drawn).code).toBe(0);
    await cli("kill", "later");
  });

  test("wait for the end tells how; of an ended session too", async () => {
    await sh("ends", "read go; exit 7");
    const waiting = cli("wait", "ends", "--exit", "--json");
    await cli("send", "ends", "--enter");
    expect(JSON.parse((await waiting).stdout)).toMatchObject({ exit: { code: 7 } });
    expect((await cli("wait", "ends", "--exit")).stdout).toBe("exit code 7\n");
    await sh("killed", "exec sleep 60");
    await cli("signal", "killed", "SIGKILL");
    expect((await cli("wait", "killed", "--exit")).stdout).toMatch(/KILL/);
  });

  test("wait for quiet", async () => {
    await sh("busy", "for i in 1 2 3 4 5; do echo $i; sleep 0.05; done; exec cat");
    expect((await cli("wait", "busy", "--idle", "300", "--timeout", "20")).code).toBe(0);
    expect((await cli("screen", "busy")).stdout).toContain("5");
    await cli("kill", "busy");
  });

  test("too late is 6, an end without the text is 1, and wrong words are 2", async () => {
    await sh("never", "read go");
    const late = await cli("wait", "never", "--for", "nothing", "--timeout", "0.2", "--json");
    expect(late.code).toBe(6);
    expect(JSON.parse(late.stderr).error.code).toBe("timeout");
    const over = cli("wait", "never", "--for", "nothing");
    await until("the wait to be attached", async () => ((await entryOf("never"))?.attached.length ?? 0) > 0);
    await cli("send", "never", "--enter");
    expect((await over).code).toBe(1);
    for (const words of [[], ["--exit", "--idle", "5"], ["--for", "("], ["--idle", "x"], ["--exit", "--timeout", "soon"]]) {
      expect((await cli("wait", "never", ...words)).code, words.join(" ")).toBe(2);
    }
  });
});

describe("changing sessions", () => {
  test("resize takes the size and the program is told", async () => {
    await sh("size", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done");
    await cli("wait", "size", "--for", "ready");
    expect((await cli("resize", "size", "120x40")).code).toBe(0);
    expect((await entryOf("size"))?.size).toEqual({ cols: 120, rows: 40 });
    expect((await cli("wait", "size", "--for", "40 120", "--timeout", "10")).code).toBe(0);
    expect((await cli("resize", "size", "1x1")).code).toBe(2);
    await cli("kill", "size");
  });

  test("signals reach the foreground; unknown ones are refused", async () => {
    await sh("sig", "trap 'echo got usr1' USR1; echo ready; while :; do sleep 0.05; done");
    await cli("wait", "sig", "--for", "ready");
    expect((await cli("signal", "sig", "usr1")).code).toBe(0);
    expect((await cli("wait", "sig", "--for", "got usr1", "--timeout", "10")).code).toBe(0);
    expect((await cli("signal", "sig", "SEGV")).code).toBe(2);
    await cli("kill", "sig");
  });

  test("kill returns when the program is gone; dismiss wants an ended session", async () => {
    const id = await sh("gone", "exec sleep 60");
    const pid = (await entryOf(id))?.pid ?? 0;
    expect((await cli("dismiss", "gone")).code).not.toBe(0);
    expect((await json("kill", "gone")).exit).toBeDefined();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect((await cli("dismiss", "gone")).code).toBe(0);
    expect((await cli("dismiss", "gone")).code).toBe(3);
  });
});

describe("programs and folders that are not there", () => {
  test.each([
    ["no such program", ["--", "muxdeck-no-such-program"], 1, "spawn-failed"],
    ["no such folder", ["--cwd", "/no/such/folder"], 3, "not-found"],
    ["a name nobody can read", ["--name", "-x"], 2, "invalid"],
    ["no size", ["--size", "0x0"], 2, "invalid"],
    ["a variable without a value", ["--env", "NAME"], 2, "invalid"],
    ["nothing behind --", ["--"], 2, "invalid"],
    ["another machine", ["-m", "elsewhere"], 3, "not-found"],
  ])("%s", async (_what, words, exitCode, code) => {
    const [{ stdout, stderr, ...run }, plain] = await Promise.all([cli("new", "--json", ...words), cli("new", ...words)]);
    expect({ code: run.code, stdout }).toEqual({ code: exitCode, stdout: "" });
    expect(JSON.parse(stderr).error.code).toBe(code);
    expect(plain.stderr).toMatch(/^muxdeck: .+\.?\n$/);
    expect(plain.stderr).not.toContain("    at ");
  });
});

describe("the agent", () => {
  beforeAll(async () => {
    await cli("agent", "start");
  });

  test("status, doctor and connect", async () => {
    expect(await json("agent", "status")).toMatchObject({ pid: expect.any(Number), sessions: expect.any(Object) });
    expect((await cli("agent", "status")).stdout).toContain("Sessions");
    const report = (await cli("doctor", "--json")).stdout;
    expect(JSON.parse(report).agent.state).toBe("running");
    const secret = await home.run(["doctor"], { env: { API_TOKEN: "canary-1234" } });
    expect(secret.stdout).not.toContain("canary-1234");
    const bridge = home.start(["connect"]);
    // The protocol's own goodbye is a frame of length 0; the agent answers with its own and hangs up.
    const said = new Promise<number>((resolve) => bridge.once("exit", (code) => resolve(code ?? -1)));
    bridge.stdin?.write(Buffer.alloc(4));
    expect(await said).toBe(0);
  });

  test("starting twice is no error, options of a running one are; stop ends it and its sessions", async () => {
    expect(await json("agent", "start")).toMatchObject({ started: false });
    expect((await cli("agent", "start", "--max-role", "observer")).code).toBe(1);
    const id = await sh("last", "exec sleep 60");
    const pid = (await entryOf(id))?.pid ?? 0;
    expect(await json("agent", "stop")).toEqual({ stopped: true });
    expect(home.agents()).toEqual([]);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect((await cli("ls", "--json")).stdout).toBe("[]\n");
    expect(await json("agent", "start")).toMatchObject({ started: true });
    expect(home.agents()).toHaveLength(1);
  });

  test("an agent for observers: everything that changes something is 4", async () => {
    await cli("agent", "stop");
    expect((await cli("agent", "start", "--max-role", "observer")).code).toBe(0);
    expect((await cli("new")).code).toBe(4);
    expect((await cli("ls")).code).toBe(0);
    expect((await cli("agent", "stop")).code).toBe(4);
    for (const agent of home.agents()) process.kill(agent.pid, "SIGTERM");
    await until("the agent to be gone", () => home.agents().length === 0);
  });

  test("in the foreground it ends with its signal's code and leaves no lock", async () => {
    const child = home.start(["agent", "start", "--foreground"]);
    await until("the agent to answer", async () => (await cli("agent", "status")).code === 0);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
    expect(home.agents()).toEqual([]);
    expect((await cli("agent", "status")).code).toBe(5);
  });

  test("an agent that does not answer is 5 within the limit, not a hang", async () => {
    await cli("agent", "start");
    const [agent] = home.agents();
    if (agent === undefined) throw new Error("no agent");
    process.kill(agent.pid, "SIGSTOP");
    try {
      const { code, stderr } = await home.run(["ls", "--json"], { within: 40_000 });
      expect(code).toBe(5);
      expect(["unreachable", "offline"]).toContain(JSON.parse(stderr).error.code);
    } finally {
      process.kill(agent.pid, "SIGCONT");
    }
  });

  test("a foreign folder is 4", async () => {
    if (process.getuid?.() !== 0) return;
    const foreign = join(home.folder, "foreign");
    mkdirSync(foreign);
    chownSync(foreign, 65534, 65534);
    const run = await home.run(["new", "--json"], { env: { MUXDECK_HOME: foreign } });
    expect(run.code).toBe(4);
    expect(JSON.parse(run.stderr).error.code).toBe("not-permitted");
  });
});

test("every command has help, and the words it is listed with", async () => {
  const { stdout } = await cli("--help");
  const verbs = [...stdout.matchAll(/^ {2}(\w+)/gm)].map((match) => match[1] ?? "");
  expect(verbs).toEqual(expect.arrayContaining(["app", "serve", "new", "ls", "attach", "send", "tail", "screen", "wait", "doctor"]));
  const helps = await Promise.all(verbs.map((verb) => cli(verb, "--help")));
  expect(helps.map(({ code, stdout: text }, index) => code === 0 && text.includes(`Usage: muxdeck ${verbs[index]}`))).not.toContain(false);
  expect((await cli("no-such-command")).code).toBe(2);
  expect((await cli("--version")).stdout).toMatch(/^muxdeck \d+\.\d+\.\d+\n$/);
});
