/** Bytes both ways through the SDK, whole and in order. Numbers are rows of the list of behaviours. */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OutputGuard } from "../../agent/guard.js";
import type { MuxdeckClient, TerminalStream } from "../../sdk/index.js";
import { descriptorsOf } from "../support/muxdeck-home.js";
import { lacks } from "../support/parts.js";
import { Collected, createSdkHome, type SdkHome, Show } from "../support/sdk-home.js";
import { terminalStates } from "../support/terminal-states.js";
import { until } from "../support/wait.js";

const mib = 1024 * 1024;
const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

let home: SdkHome;
let client: MuxdeckClient;
beforeAll(async () => {
  home = createSdkHome();
  client = await home.client();
});
afterAll(() => home.close());

/** A script that says `armed`, and goes on at the first line it reads: everything else it prints comes after the attach. */
async function armed(
  script: string,
  choices: { lossless?: boolean; cols?: number } = {},
): Promise<{ stream: TerminalStream; collected: Collected; sessionId: string }> {
  const session = await client.terminal.create({
    command: ["bash", "-c", `stty -echo -opost; printf armed; read -r go; ${script}`],
    cwd: home.folder,
    size: { cols: choices.cols ?? 80, rows: 24 },
  });
  const stream = client.terminal.stream({ lossless: choices.lossless ?? false });
  const collected = new Collected(stream);
  await stream.attach(session.sessionId, { from: "oldest" });
  await stream.waitFor("armed");
  return { stream, collected, sessionId: session.sessionId };
}

describe("row 6: output as it happens", () => {
  it("is pushed: an echo comes back without being asked for", async () => {
    const session = await client.terminal.create({ command: ["cat"] });
    const stream = client.terminal.stream();
    let seen: () => void = () => {};
    const second: number[] = [];
    stream.onOutput(() => seen());
    stream.onOutput((data) => second.push(data.length));
    await stream.attach(session.sessionId, { from: "now" });
    const waits: number[] = [];
    for (let n = 0; n < 100; n++) {
      const echo = new Promise<void>((done) => {
        seen = done;
      });
      const from = performance.now();
      await stream.sendInput("x");
      await echo;
      waits.push(performance.now() - from);
    }
    expect(second.reduce((sum, length) => sum + length, 0)).toBe(100);
    // A poll would show as a floor under every one of them.
    expect(Math.min(...waits)).toBeLessThan(20);
    await stream.terminate();
  });
});

describe("row 8: input", () => {
  it("arrives byte by byte: all 256 values", async () => {
    const file = join(home.folder, "all-values");
    const { stream } = await armed(`stty raw; printf on; head -c 256 > ${file}; printf end`);
    await stream.sendInput("\n");
    await stream.waitFor(/on$/);
    await stream.sendInput(Uint8Array.from({ length: 256 }, (_, value) => value));
    await stream.done;
    expect([...readFileSync(file)]).toEqual(Array.from({ length: 256 }, (_, value) => value));
  });

  it("arrives whole: a paste of 10 MB", async () => {
    const file = join(home.folder, "paste");
    const { stream } = await armed(`stty raw; printf on; head -c ${10 * mib} > ${file}; printf end`);
    await stream.sendInput("\n");
    await stream.waitFor(/on$/);
    const paste = randomBytes(10 * mib);
    await stream.sendInput(paste);
    await stream.done;
    expect(sha(readFileSync(file))).toBe(sha(paste));
  });

  it("may be changed by its owner as soon as the call returned", async () => {
    const { stream, collected } = await armed("stty raw; printf on; head -c 4");
    await stream.sendInput("\n");
    await stream.waitFor(/on$/);
    const bytes = new TextEncoder().encode("mine");
    const sent = stream.sendInput(bytes);
    bytes.fill(0x21);
    await sent;
    await stream.done;
    expect(collected.text).toBe("armedonmine");
  });
});

describe("row 11: output", () => {
  it("arrives whole and unchanged: 50 MB of random bytes that are no sequences", async () => {
    const file = join(home.folder, "random");
    const all = randomBytes(50 * mib);
    for (let at = 0; at < all.length; at++) if (all[at] === 0x1b || all[at] === 0xc2) all[at] = 0x2e;
    writeFileSync(file, all);
    const { stream, collected } = await armed(`cat ${file}`, { lossless: true });
    await stream.sendInput("\n");
    expect(await stream.done).toEqual({ reason: "exit", status: { code: 0 } });
    expect([collected.screens, collected.gaps, collected.bytes]).toEqual([0, 0, all.length + 5]);
    expect(sha(collected.all.subarray(5))).toBe(sha(all));
  }, 180_000);

  it("arrives as the guard lets it through, with all values", async () => {
    const file = join(home.folder, "everything");
    const all = randomBytes(2 * mib);
    writeFileSync(file, all);
    const { stream, collected } = await armed(`cat ${file}`, { lossless: true });
    await stream.sendInput("\n");
    await stream.done;
    const guard = new OutputGuard({ cols: 80, rows: 24 });
    const items = [...guard.push(Buffer.concat([Buffer.from("armed"), all])), ...guard.end()];
    const expected = Buffer.concat(items.flatMap((item) => (item.kind === "bytes" ? [item.bytes] : [])));
    expect(collected.all.length).toBe(expected.length);
    expect(sha(collected.all)).toBe(sha(expected));
  });
});

describe("row 32: send, then close", () => {
  it("delivers every time", async () => {
    const file = join(home.folder, "started");
    writeFileSync(file, "");
    const session = await home.bash(client);
    for (let n = 0; n < 1000; n++) {
      const stream = client.terminal.stream();
      await stream.attach(session.sessionId, { from: "now" });
      // Not awaited: closing is what waits for it.
      const sent = stream.sendInput(`echo ${n} >> ${file}\n`);
      await stream.close();
      await sent;
    }
    await until("the last one to run", () => readFileSync(file, "utf8").endsWith("999\n"));
    expect(readFileSync(file, "utf8")).toBe(Array.from({ length: 1000 }, (_, n) => `${n}\n`).join(""));
    await client.terminal.terminate(session.sessionId);
  }, 120_000);
});

describe("row 35: output goes on where it was left", () => {
  it("from any sequence within what is kept", async () => {
    const { stream, collected, sessionId } = await armed("for n in $(seq 20000); do echo line $n; done; read -r more");
    await stream.sendInput("\n");
    await stream.waitFor("line 20000\n");
    const all = collected.all;
    const middle = 100_000;
    const other = client.terminal.stream();
    const rest = new Collected(other);
    expect(await other.attach(sessionId, { from: middle })).toMatchObject({ seq: middle });
    await until("the rest", () => rest.bytes === all.length - middle);
    expect(sha(rest.all)).toBe(sha(all.subarray(middle)));
    expect(rest.gaps).toBe(0);
    await stream.terminate();
  });

  it("beyond it with a gap that says how much", async () => {
    const { stream, sessionId } = await armed(`head -c ${12 * mib} /dev/zero | tr '\\0' x; printf end; read -r more`);
    await stream.sendInput("\n");
    await stream.waitFor(/end$/, { timeoutMs: 60_000 });
    const other = client.terminal.stream();
    const gaps: unknown[] = [];
    other.onGap((gap) => gaps.push(gap));
    const rest = new Collected(other);
    const { seq } = await other.attach(sessionId, { from: 1000 });
    await other.waitFor(/end$/);
    const end = 12 * mib + "armedend".length;
    expect(gaps).toEqual([{ from: 1000, to: seq, bytes: seq - 1000 }]);
    expect(seq).toBeGreaterThan(end - 5 * mib);
    expect(rest.bytes).toBe(end - seq);
    await stream.terminate();
  });
});

describe("row 36: two see the same", () => {
  it("byte by byte from the start", async () => {
    const { stream, collected, sessionId } = await armed("for n in $(seq 5000); do echo line $n; done", { lossless: true });
    const other = client.terminal.stream({ lossless: true });
    const theirs = new Collected(other);
    await other.attach(sessionId, { from: "oldest" });
    await stream.sendInput("\n");
    await Promise.all([stream.done, other.done]);
    expect(theirs.bytes).toBe(collected.bytes);
    expect(sha(theirs.all)).toBe(sha(collected.all));
  });

  /** Shows of two streams, one attached from the start and one later, and the agent's own screen: equal, now and after more. */
  async function equalLater(sessionId: string, early: Show, more: () => Promise<void>): Promise<void> {
    const late = client.terminal.stream({ mode: "observer" });
    const show = new Show(late);
    const session = await client.terminal.get(sessionId);
    await late.attach(sessionId, { scrollback: 1000 });
    const equal = async () => {
      const { hash } = await home.screen(session);
      return early.hash === hash && show.hash === hash;
    };
    await until("equal screens", equal);
    expect(show.lines).toEqual(early.lines);
    await more();
    await until("equal screens again", equal);
    expect(show.lines).toEqual(early.lines);
    await late.close();
  }

  it.skipIf(lacks("vim") || lacks("htop") || lacks("less")).each([
    ["vim", "vim -u NONE -N story", ["ihello\x1b", "yyp", ":split\r", "dd"]],
    ["less", "less story", [" ", "/line 3\r", "b"]],
    ["htop", "htop -d 100", ["\x1b[B", "\x1b[B", "t"]],
  ])("as a screen, for who comes later: %s", async (_name, command, inputs) => {
    writeFileSync(join(home.folder, "story"), Array.from({ length: 200 }, (_, n) => `line ${n}\n`).join(""));
    const session = await home.bash(client);
    const stream = client.terminal.stream();
    const early = new Show(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.waitFor(/ready> $/);
    await stream.sendInput(`${command}\n`);
    await until("its screen", () => early.terminal.buffer.active.type === "alternate" && early.lines.some((line) => line !== ""));
    for (const input of inputs) {
      await equalLater(session.sessionId, early, async () => {
        await stream.sendInput(input);
      });
    }
    await stream.terminate();
  });

  it("as a screen, for who comes later: every state a program can leave", async () => {
    const file = join(home.folder, "state");
    const { stream, sessionId } = await armed(`while read -r go; do cat ${file}; printf '\\033[5 q'; done`, { cols: 20 });
    await stream.resize({ cols: 20, rows: 6 });
    const early = client.terminal.stream();
    const show = new Show(early);
    await early.attach(sessionId, { from: "oldest" });
    const states = Object.entries(terminalStates);
    expect(states.length).toBeGreaterThanOrEqual(40);
    await stream.sendInput("\n");
    for (const [name, bytes] of states) {
      writeFileSync(file, `\x1bc${bytes}`);
      const before = (await client.terminal.get(sessionId)).output;
      await stream.sendInput("\n");
      await until(`${name} to be printed`, async () => (await client.terminal.get(sessionId)).output > before);
      const late = client.terminal.stream({ mode: "observer" });
      const other = new Show(late);
      await late.attach(sessionId);
      const session = await client.terminal.get(sessionId);
      await until(`${name} to be equal`, async () => {
        const { hash } = await home.screen(session);
        return show.hash === hash && other.hash === hash;
      }).catch(() => expect({ [name]: other.lines }).toEqual({ [name]: show.lines }));
      await late.close();
    }
    await stream.terminate();
  }, 120_000);
});

describe("row 37: two type", () => {
  it("and every line arrives whole, in the order of who typed it", async () => {
    const file = join(home.folder, "lines");
    const { stream, sessionId } = await armed(`stty -echo; printf on; head -n 2000 > ${file}; printf end`);
    await stream.sendInput("\n");
    await stream.waitFor(/on$/);
    const other = client.terminal.stream();
    await other.attach(sessionId, { from: "now" });
    const type = async (who: TerminalStream, tag: string) => {
      const sent: Promise<void>[] = [];
      for (let n = 0; n < 1000; n++) {
        sent.push(who.sendInput(`${tag} ${n} ${"x".repeat(n % 50)}\n`));
        // Some ahead of their answers, never all: both get their turns.
        if (sent.length >= 20) await sent.shift();
      }
      await Promise.all(sent);
    };
    await Promise.all([type(stream, "mine"), type(other, "theirs")]);
    await stream.done;
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    for (const tag of ["mine", "theirs"]) {
      const own = lines.filter((line) => line.startsWith(`${tag} `));
      expect(own).toEqual(Array.from({ length: 1000 }, (_, n) => `${tag} ${n} ${"x".repeat(n % 50)}`));
    }
    expect(lines).toHaveLength(2000);
  });
});

describe("row 52: a flood", () => {
  it("skips a slow reader with a count, leaves others alone, and grows nothing", async () => {
    const { stream: fast, sessionId } = await armed("yes muxdeck | head -c 100000000; printf end; read -r more");
    const slow = client.terminal.stream({ mode: "observer" });
    const gaps: { bytes: number }[] = [];
    slow.onGap((gap) => gaps.push(gap));
    let letGo = () => {};
    const held = new Promise<void>((done) => {
      letGo = done;
    });
    let reads = 0;
    const shown = new Show(slow);
    slow.onOutput(() => (reads++ === 0 ? held : undefined));
    await slow.attach(sessionId, { from: "oldest" });
    const [agent] = home.agents();
    const memory = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${agent?.pid}/status`, "utf8"))?.[1]) / 1024;
    const before = memory();
    const descriptors = descriptorsOf(agent?.pid ?? 0).length;
    await fast.sendInput("\n");
    await fast.waitFor(/end$/, { timeoutMs: 120_000 });
    expect(memory() - before).toBeLessThan(160);
    const other = await home.bash(client);
    const echo = client.terminal.stream();
    await echo.attach(other.sessionId);
    await echo.sendInput("echo alive\n");
    await echo.waitFor(/\nalive\n/);
    letGo();
    await until("the slow one to see the end", () => shown.lines.some((line) => line.includes("end")));
    expect(gaps.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThan(50_000_000);
    expect(descriptorsOf(agent?.pid ?? 0).length).toBeLessThanOrEqual(descriptors + 4);
    await Promise.all([fast.terminate(), echo.terminate()]);
  }, 180_000);
});
