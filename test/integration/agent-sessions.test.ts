/** Real programs in a real agent, with hand-made clients: bytes, sizes, roles, input, queries, ends. */
import { createHash, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionEntry, View } from "../../protocol/values.js";
import { createHome, type MuxdeckHome } from "../support/muxdeck-home.js";
import type { RawClient } from "../support/raw-client.js";
import { endAgents, type RealAgent, startAgent } from "../support/real-agent.js";
import { until } from "../support/wait.js";

const size = { cols: 80, rows: 24 };
const pane: View = { cols: 100, rows: 30, cellWidth: 9, cellHeight: 18, colours: null, focused: true };

let home: MuxdeckHome;
let agent: RealAgent;
let client: RawClient;
let names = 0;

beforeAll(async () => {
  home = createHome();
  agent = await startAgent(home);
  client = await agent.client();
});

afterAll(async () => {
  await endAgents();
  await home.close();
});

const start = (command: string[] | null, env: Record<string, string> = {}): Promise<SessionEntry> => {
  names += 1;
  return client.request("new", { name: `s${names}`, command, cwd: home.folder, env, size });
};

let streams = 0;
/** A stream on a client, attached. */
async function attach(to: string, more: Parameters<RawClient["attach"]>[2] = {}, by = client): Promise<number> {
  streams += 1;
  const stream = streams;
  by.attach(to, stream, more);
  await by.message("attached", stream);
  return stream;
}

/** Starts a script that says `.` and waits for a line, so that everything else it prints comes after the attach. */
async function armed(script: string, more: Parameters<RawClient["attach"]>[2] = {}): Promise<{ entry: SessionEntry; stream: number }> {
  const entry = await start(["bash", "-c", `stty -echo; printf .; read -r go; ${script}`]);
  const stream = await attach(entry.sessionId, { from: "oldest", ...more });
  await client.until(() => client.text(stream) === ".", "the program");
  client.input(stream, 0, "\r");
  return { entry, stream };
}

/** What an armed script printed. */
const printed = (stream: number): Buffer => client.output(stream).subarray(1);

describe("output", () => {
  it("comes whole: 20 MB through stty -opost, with the same hash", async () => {
    const file = join(home.folder, "random");
    const all = randomBytes(20 * 1024 * 1024);
    // Neither ESC nor the first byte of a C1 control: nothing in it is a sequence.
    for (let n = 0; n < all.length; n += 1) if (all[n] === 0x1b || all[n] === 0xc2) all[n] = 0x2e;
    writeFileSync(file, all);
    const { stream } = await armed(`stty raw; cat ${file}; printf done.`, { onLag: "pace" });
    await client.until(() => client.all("exit", stream).length > 0, "the end");
    const got = printed(stream);
    expect(client.all("reset", stream)).toEqual([]);
    expect(got.length).toBe(all.length + 5);
    expect(createHash("sha256").update(got.subarray(0, -5)).digest("hex")).toBe(createHash("sha256").update(all).digest("hex"));
  });

  it("of a fast program is whole before its exit, every time", async () => {
    for (let n = 0; n < 20; n += 1) {
      const { stream } = await armed(`head -c ${(n + 1) * 7001} /dev/zero | tr '\\0' x; exit ${n}`);
      const exit = await client.message("exit", stream);
      expect([exit.seq - 1, printed(stream).length, exit.status]).toEqual([(n + 1) * 7001, (n + 1) * 7001, { code: n }]);
      expect(client.heard.at(-1)).toMatchObject({ t: "exit" });
    }
  });

  it("ends with the signal that ended the program", async () => {
    const { entry, stream } = await armed("kill -USR1 $$");
    expect((await client.message("exit", stream)).status).toEqual({ signal: "SIGUSR1" });
    const list = await client.request("list", {});
    expect(list.find((one) => one.sessionId === entry.sessionId)).toMatchObject({ state: "ended", exit: { signal: "SIGUSR1" } });
  });

  it("resumes where a client left off, to the byte", async () => {
    const { entry, stream } = await armed("for n in $(seq 1 20000); do echo line $n; done; read -r x");
    await client.until(() => client.output(stream).length > 50_000, "some output");
    const other = await agent.client();
    const next = client.output(stream).length;
    const resumed = await attach(entry.sessionId, { resumeFrom: next }, other);
    expect(other.all("attached", resumed)[0]).toMatchObject({ start: "resume", seq: next, skipped: 0 });
    const whole = `.${Array.from({ length: 20_000 }, (_, n) => `line ${n + 1}\r\n`).join("")}`;
    await client.until(() => client.output(stream).length === whole.length, "all lines");
    await other.until(() => other.output(resumed).length === whole.length - next, "the rest");
    expect(client.text(stream)).toBe(whole);
    expect(other.text(resumed)).toBe(whole.slice(next));
    await client.request("kill", { session: entry.sessionId });
  });

  it("shows a second client the screen the first one has", async () => {
    const { entry, stream } = await armed("printf 'hello\\033[31m red\\033[m\\r\\n'; printf ready; read -r x");
    await client.until(() => client.text(stream).includes("ready"), "the output");
    const other = await agent.client();
    const second = await attach(entry.sessionId, {}, other);
    const end = await other.message("snapshot-end", second);
    expect(end).toMatchObject({ cols: 80, rows: 24 });
    const screen = other.heard.flatMap((one) => (one.t === "bytes" && one.kind === "snapshot" ? [one.bytes] : []));
    expect(Buffer.concat(screen).subarray(0, 2).toString("latin1")).toBe("\u001bc");
    expect(Buffer.concat(screen).toString()).toContain("hello");
    const text = await client.request("screen", { session: entry.sessionId, ansi: false });
    expect(text.lines.slice(0, 2)).toEqual([".hello red", "ready"]);
    await client.request("kill", { session: entry.sessionId });
  });
});

describe("a client that stands still", () => {
  it("slows nobody, costs little, and has the right screen in the end", async () => {
    const { entry, stream } = await armed("head -c 60000000 /dev/zero | tr '\\0' x | fold -w 70; echo; echo the end; read -r x", {
      onLag: "pace",
    });
    const stalled = await agent.client();
    streams += 1;
    const still = streams;
    stalled.attach(entry.sessionId, still, { from: "screen", scrollback: 1000, role: "observer" }, { credit: false });
    stalled.say({ t: "credit", stream: still, upTo: 100 });
    const before = (await client.request("status", {})).residentBytes;
    let most = before;
    const poll = async (): Promise<boolean> => {
      most = Math.max(most, (await client.request("status", {})).residentBytes);
      const last = client.heard.filter((one) => one.t === "bytes" && one.stream === stream).at(-1);
      return last?.t === "bytes" && Buffer.from(last.bytes).includes("the end");
    };
    await until("the end of the flood", poll, 50_000);
    // The screen may be 32 MiB behind, the ring and the stalled stream's part are a few more.
    expect(most - before).toBeLessThan(110 * 1024 * 1024);
    expect(stalled.heard.reduce((sum, one) => sum + (one.t === "bytes" ? one.bytes.length : 0), 0)).toBeLessThanOrEqual(100);
    stalled.say({ t: "credit", stream: still, upTo: 1 << 30 });
    const end = (await client.request("screen", { session: entry.sessionId, ansi: false })).seq;
    await stalled.until(() => stalled.all("snapshot-end", still).at(-1)?.at === end, "the last screen");
    const resets = stalled.all("reset", still);
    expect(resets.map(({ reason }) => reason)).toContain("lag");
    expect(resets.reduce((sum, { skipped }) => sum + skipped, 0)).toBeGreaterThan(30_000_000);
    expect(stalled.all("behind", still).at(-1)).toMatchObject({ bytes: 0 });
    await client.request("kill", { session: entry.sessionId });
  });
});

describe("an ended session", () => {
  it("still shows its last screen and its output, then its end", async () => {
    const { entry, stream } = await armed("for n in $(seq 1 100); do echo line $n; done; exit 3");
    await client.message("exit", stream);
    const late = await attach(entry.sessionId, { scrollback: 1000 });
    const exit = await client.message("exit", late);
    expect(exit).toMatchObject({ seq: printed(stream).length + 1, status: { code: 3 } });
    const screen = client.heard.flatMap((one) => (one.t === "bytes" && one.stream === late && one.kind === "snapshot" ? [one.bytes] : []));
    for (const line of ["line 1\r", "line 100"]) expect(Buffer.concat(screen).toString()).toContain(line);
    const text = await client.request("screen", { session: entry.sessionId, ansi: false });
    expect(text.lines.filter((line) => line !== "").at(-1)).toBe("line 100");
    expect(await client.request("dismiss", { session: entry.sessionId })).toEqual({});
    streams += 1;
    client.attach(entry.sessionId, streams);
    expect(await client.message("error", streams)).toMatchObject({ error: { code: "not-found" } });
  });
});

describe("size", () => {
  it("is the first operator's, and the program hears of it", async () => {
    const tell =
      'const s = process.stdout; const say = () => console.log(s.rows + " " + s.columns); say(); s.on("resize", say); setInterval(say, 1e9)';
    const entry = await start([process.execPath, "-e", tell]);
    const stream = await attach(entry.sessionId, { from: "oldest" });
    await client.until(() => client.text(stream).includes("24 80"), "the first size");
    const watching = await attach(entry.sessionId, { role: "observer", view: { ...pane, cols: 50 }, from: "now" });
    const driving = await attach(entry.sessionId, { view: pane, from: "now" });
    await client.until(() => client.text(stream).includes("30 100"), "the new size");
    expect(client.all("driver", driving).at(-1)).toMatchObject({ mine: true });
    expect(client.all("driver", watching).at(-1)).toMatchObject({ mine: false });
    const further = await attach(entry.sessionId, { view: { ...pane, cols: 60, rows: 10 }, from: "now" });
    client.say({ t: "view", stream: further, view: { ...pane, cols: 61, rows: 11 } });
    client.say({ t: "view", stream: watching, view: { ...pane, cols: 51 } });
    client.say({ t: "take-size", stream: watching, size: { cols: 52, rows: 12 } });
    client.say({ t: "take-size", stream: further, size: null });
    await client.until(() => client.text(stream).includes("11 61"), "the taken size");
    expect(client.text(stream)).not.toMatch(/ 5[012]\b| 60\b/);
    expect(client.all("refused", watching)).toMatchObject([{ error: { code: "not-permitted" } }]);
    expect(client.all("resized", watching).map(({ cols, rows }) => `${rows} ${cols}`)).toEqual(["30 100", "11 61"]);
    await client.request("kill", { session: entry.sessionId });
  });
});

describe("input", () => {
  it("reaches a raw program with every byte value, and is acknowledged", async () => {
    const script = "stty raw -echo; echo ready; head -c 262144 | sha256sum; exit";
    const entry = await start(["bash", "-c", script]);
    const stream = await attach(entry.sessionId, { from: "oldest" });
    await client.until(() => client.text(stream).includes("ready"), "the program");
    const all = randomBytes(262_144);
    for (let at = 0; at < all.length; at += 16_384) client.input(stream, at, all.subarray(at, at + 16_384));
    await client.message("exit", stream);
    expect(client.text(stream)).toContain(createHash("sha256").update(all).digest("hex"));
    expect(client.all("ack", stream).at(-1)).toMatchObject({ upTo: 262_144 });
  });

  it("waits for a program that does not read, and can be cancelled", async () => {
    const entry = await start(["bash", "-c", 'stty raw -echo; echo ready; read -r -d Q first; echo; echo -n "$first" | wc -c']);
    const stream = await attach(entry.sessionId, { from: "oldest" });
    await client.until(() => client.text(stream).includes("ready"), "the program");
    await client.request("signal", { session: entry.sessionId, signal: "STOP" });
    const other = await attach(entry.sessionId, { from: "now" });
    for (let n = 0; n < 8; n += 1) client.input(stream, n * 65_536, new Uint8Array(65_536).fill(0x61));
    client.say({ t: "input-cancel", stream });
    const cancelled = await client.message("input-cancelled", stream);
    expect(cancelled.to).toBe(8 * 65_536);
    expect(cancelled.from).toBeLessThan(cancelled.to);
    await client.request("signal", { session: entry.sessionId, signal: "CONT" });
    client.input(other, 0, "Q");
    await client.message("exit", stream);
    expect(client.text(stream)).toMatch(new RegExp(`^${cancelled.from}\\b`, "m"));
  });

  it("of Ctrl-C interrupts a flood", async () => {
    const { entry, stream } = await armed("trap 'echo; echo stopped; exit 130' INT; while :; do echo flood flood flood; done");
    await client.until(() => client.output(stream).length > 1_000_000, "the flood");
    client.input(stream, 1, "\u0003");
    const exit = await client.message("exit", stream);
    expect(exit.status).toEqual({ code: 130 });
    expect(entry.state).toBe("running");
  });
});

describe("queries", () => {
  it.each([0, 1, 3])("are answered exactly once with %i viewers", async (viewers) => {
    // Whatever comes within a second, up to more than one answer.
    const script =
      "stty raw -echo; printf ready; read -rsN1 go; printf '\\033[c'; IFS= read -rs -t 1 -N 64 all; stty sane; printf '<%q>' \"$all\"; read -r x";
    const entry = await start(["bash", "-c", script]);
    const typing = await attach(entry.sessionId, { from: "oldest" });
    await client.until(() => client.text(typing) === "ready", "the program");
    const watchers: number[] = [];
    for (let n = 0; n < viewers; n += 1) watchers.push(await attach(entry.sessionId, { role: n === 0 ? "operator" : "observer" }));
    client.input(typing, 0, "g");
    client.say({ t: "detach", stream: typing });
    const seen = await until("the answer", async () => {
      const { lines } = await client.request("screen", { session: entry.sessionId, ansi: false });
      return lines.find((line) => line.includes("<"));
    });
    expect(seen).toBe("ready<$'\\E[?1;2c'>");
    for (const stream of watchers) expect(client.text(stream)).not.toContain("\u001b[c");
    await client.request("kill", { session: entry.sessionId });
  });
});

describe("an observer", () => {
  it("reaches no program with any message, however it is made", async () => {
    const entry = await start(["bash", "-c", "stty raw -echo; trap 'echo WINCH' WINCH; echo ready; head -c 1 | od -c; echo over"]);
    const owner = await attach(entry.sessionId, { from: "oldest" });
    await client.until(() => client.text(owner).includes("ready"), "the program");
    const guest = await agent.client();
    const stream = await attach(entry.sessionId, { role: "observer", view: { ...pane, cols: 33 } }, guest);
    guest.input(stream, 0, "x");
    guest.say({ t: "take-size", stream, size: { cols: 33, rows: 11 } });
    guest.say({ t: "view", stream, view: { ...pane, cols: 34 } });
    guest.say({ t: "exclusive", stream, on: true });
    guest.say({ t: "focus", stream, on: true });
    guest.say({ t: "release-size", stream });
    guest.say({ t: "answer-control", stream, ask: 1, answer: "hand-over" });
    guest.say({ t: "input-cancel", stream });
    guest.say({ t: "hash", stream, at: 0, value: "wrong" });
    await guest.until(() => guest.all("refused", stream).length === 7, "seven refusals");
    const [listed] = (await guest.request("list", {})).filter((one) => one.sessionId === entry.sessionId);
    expect(listed).toMatchObject({ size, state: "running", driver: null });
    client.input(owner, 0, "k");
    await client.message("exit", owner);
    expect(client.text(owner)).toMatch(/k\s/);
    expect(client.text(owner)).not.toMatch(/WINCH|0000000 +x/);
  });
});

describe("a session", () => {
  it("starts the login shell with the environment it should have", async () => {
    const entry = await start(null, { EXTRA: "extra value" });
    expect(entry.command).toEqual(["/bin/bash", "-l"]);
    const stream = await attach(entry.sessionId, { from: "oldest" });
    // What is typed while a login shell reads its start files may go to one of the programs they run.
    await client.until(() => client.text(stream).includes("[?2004h") || /[$#>] $/.test(client.text(stream)), "the prompt");
    client.input(
      stream,
      0,
      'shopt -q login_shell && echo "login=$((40+2)) $TERM $COLORTERM $MUXDECK_SESSION <$EXTRA> <$MUXDECK_HOME>"; tty; exit 5\r',
    );
    const exit = await client.message("exit", stream);
    expect(client.text(stream)).toContain(`login=42 xterm-256color truecolor ${entry.sessionId} <extra value> <>`);
    expect(client.text(stream)).toMatch(/\/dev\/pts\/\d+/);
    expect(exit.status).toEqual({ code: 5 });
  });

  it.each([
    [["/no/such/program"], "/", "spawn-failed"],
    [["cat"], "/no/such/folder", "not-found"],
  ] as const)("that cannot start is a failure with a sentence: %j in %s", async (command, cwd, code) => {
    const result = await client.tryRequest("new", { name: null, command: [...command], cwd, env: {}, size });
    expect(result).toMatchObject({ error: { code } });
  });

  it("inherits nothing of the agent's", async () => {
    await start(["cat"]);
    const entry = await start(["bash", "-c", "read -r go; ls -l /proc/self/fd | grep -c -E 'ptmx|socket|agent'; exit"]);
    const stream = await attach(entry.sessionId, { from: "now" });
    client.input(stream, 0, "\r");
    await client.message("exit", stream);
    expect(client.text(stream).trim()).toBe("0");
  });
});
