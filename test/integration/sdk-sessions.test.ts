/** Behaviours of the SDK around sessions: opening, finding, attaching, leaving. Numbers are rows of the list of behaviours. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  AmbiguousError,
  EndedError,
  InvalidError,
  MuxdeckClient,
  NotDeliveredError,
  NotFoundError,
  SpawnFailedError,
  UnreachableError,
} from "../../sdk/index.js";
import { openLocal } from "../../sdk/start-agent.js";
import { createHome, top } from "../support/muxdeck-home.js";
import { agentFolder, Collected, createSdkHome, type SdkHome } from "../support/sdk-home.js";
import { inTime, until } from "../support/wait.js";

let home: SdkHome;
let client: MuxdeckClient;
beforeAll(async () => {
  home = createSdkHome();
  client = await home.client();
});
afterAll(() => home.close());

/** Homes of single tests; closed also when the test fails. */
const homes: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const own of homes.splice(0)) await own.close();
});

function closedAfterwards<T extends { close(): Promise<void> }>(own: T): T {
  homes.push(own);
  return own;
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("row 1: full PTY access", () => {
  it("is a terminal of our size, with its type set and colours byte by byte", async () => {
    const session = await client.terminal.create({
      command: ["bash", "-c", `tty; stty size; echo "$TERM $COLORTERM"; printf '\\033[38;2;1;2;3mx\\033[0m'; read -r x`],
      size: { cols: 91, rows: 27 },
    });
    const stream = client.terminal.stream();
    const collected = new Collected(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.waitFor("x");
    expect(collected.text).toMatch(/^\/dev\/pts\/\d+\r\n27 91\r\nxterm-256color truecolor\r\n\x1b\[38;2;1;2;3mx\x1b\[0m$/);
    await stream.terminate();
  });
});

describe("row 3: a client in a block", () => {
  it.each([
    ["at its end", "", 0],
    ["by an exception", "throw new Error('out');", 1],
  ])("closes its streams when the block is left %s, and the process ends", async (_how, leave, code) => {
    const session = await home.bash(client);
    const script = `
      import { MuxdeckClient } from ${JSON.stringify(join(top, "dist/sdk/index.js"))};
      const client = await MuxdeckClient.local({ name: "block", start: "never" });
      try {
        const stream = client.terminal.stream();
        await stream.attach(${JSON.stringify(session.sessionId)});
        await stream.sendInput("true\\n");
        ${leave}
      } finally {
        await client[Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]();
        process.stderr.write("disposed " + process.hrtime.bigint());
        process.on("exit", () => process.stderr.write(" ended " + process.hrtime.bigint()));
      }`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env: home.env, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (bytes: Buffer) => {
      said += bytes.toString();
    });
    const ended = await inTime("the program to end", new Promise((done) => child.once("close", done)));
    expect(ended).toBe(code);
    const [disposed = 0n, over = 0n] = [...said.matchAll(/(?:disposed|ended) (\d+)/g)].map(([, at]) => BigInt(at ?? 0));
    // Nothing was left that kept it: it ended in the same breath.
    expect(Number(over - disposed) / 1e6).toBeLessThan(1000);
    await until("its stream to be gone", async () => (await client.terminal.get(session.sessionId)).attached.length === 0);
    await client.terminal.terminate(session.sessionId);
  });
});

describe("row 4: the active session of a machine", () => {
  it("is found by the machine's name or a prefix, is the latest active one, and is never null", async () => {
    const own = closedAfterwards(createSdkHome());
    const one = await own.client();
    await expect(one.terminal.getActiveSession()).rejects.toThrow(NotFoundError);
    await expect(one.terminal.getActiveSession()).rejects.toThrow(hostname());
    const first = await own.bash(one, "first");
    const second = await own.bash(one, "second");
    const stream = one.terminal.stream();
    await stream.attach(first.sessionId);
    await stream.sendInput("echo busy\n");
    await stream.waitFor(/\nbusy/);
    await until("the other to be idle for longer", async () => {
      const [a, b] = await one.terminal.list();
      return a && b && b.idleMs > a.idleMs;
    });
    expect((await one.terminal.getActiveSession()).sessionId).toBe(first.sessionId);
    expect((await one.terminal.getActiveSession(hostname())).sessionId).toBe(first.sessionId);
    expect((await one.terminal.getActiveSession(hostname().slice(0, 2))).sessionId).toBe(first.sessionId);
    const missing = one.terminal.getActiveSession("no-such-machine");
    await expect(missing).rejects.toThrow(NotFoundError);
    await expect(missing).rejects.toMatchObject({ code: "not-found", message: expect.stringContaining("no-such-machine") });
    expect(second.name).toBe("second");
  });

  it("is not guessed among sessions either", async () => {
    const made = await Promise.all(Array.from({ length: 17 }, () => client.terminal.create({ command: ["cat"] })));
    // Of 17 ids at least two begin with the same hexadecimal digit.
    const digits = made.map(({ sessionId }) => sessionId[0] ?? "");
    const twice = digits.find((digit, index) => digits.indexOf(digit) !== index) ?? "";
    const ambiguous = client.terminal.get(twice);
    await expect(ambiguous).rejects.toThrow(AmbiguousError);
    await expect(ambiguous).rejects.toMatchObject({ choices: expect.arrayContaining([expect.stringMatching(`^${twice}`)]) });
    await expect(client.terminal.get("zzz")).rejects.toThrow(NotFoundError);
    const [one] = made;
    expect((await client.terminal.get(one?.sessionId ?? "")).pid).toBe(one?.pid);
    expect((await client.terminal.get(one?.name ?? "")).sessionId).toBe(one?.sessionId);
    await Promise.all(made.map(({ sessionId }) => client.terminal.terminate(sessionId)));
  });
});

describe("row 5: a stream object", () => {
  it("sends nothing before attach, and checks its options at once", async () => {
    const session = await client.terminal.create({ command: ["cat"] });
    const streams = Array.from({ length: 100 }, () => client.terminal.stream({ mode: "observer" }));
    expect((await client.terminal.get(session.sessionId)).attached).toEqual([]);
    const stream = client.terminal.stream.bind(client.terminal);
    expect(() => stream({ mode: "watcher" as "observer" })).toThrow(InvalidError);
    expect(() => stream({ mode: "observer", lossless: true })).toThrow(InvalidError);
    expect(() => stream({ colour: "red" } as object)).toThrow(InvalidError);
    const [one] = streams;
    await expect(one?.attach("")).rejects.toThrow(InvalidError);
    await expect(one?.attach("x", { from: "middle" as "now" })).rejects.toThrow(InvalidError);
    await expect(one?.attach("x", { scrollback: -1 })).rejects.toThrow(InvalidError);
    await expect(client.terminal.stream().sendInput("x")).rejects.toThrow(InvalidError);
    await Promise.all(streams.map((each) => each.close()));
    await client.terminal.terminate(session.sessionId);
  });
});

describe("row 7: attach", () => {
  it("resolves with what the session confirmed", async () => {
    const session = await client.terminal.create({ command: ["cat"], size: { cols: 100, rows: 33 } });
    const stream = client.terminal.stream({ mode: "observer" });
    expect(await stream.attach(session.sessionId)).toEqual({
      sessionId: session.sessionId,
      role: "observer",
      size: { cols: 100, rows: 33 },
      seq: 0,
    });
    expect(await client.terminal.get(session.sessionId)).toMatchObject({ attached: [{ name: "test", role: "observer" }] });
    await expect(stream.attach(session.sessionId)).rejects.toThrow(InvalidError);
    await stream.close();
    await client.terminal.terminate(session.sessionId);
  });

  it("rejects for an id nobody has, and leaves nothing", async () => {
    const stream = client.terminal.stream();
    await expect(stream.attach("ffffffffffffffffffffffff")).rejects.toThrow(NotFoundError);
    expect(await stream.done).toMatchObject({ reason: "failed", error: { code: "not-found" } });
    await stream.close();
  });

  it("takes a name and a prefix for an id", async () => {
    const session = await client.terminal.create({ command: ["cat"], name: "attached by name" });
    for (const ref of ["attached by name", session.sessionId.slice(0, 12)]) {
      const stream = client.terminal.stream();
      expect((await stream.attach(ref)).sessionId).toBe(session.sessionId);
      await stream.close();
    }
    await client.terminal.terminate(session.sessionId);
  });
});

describe("row 9: waiting for output", () => {
  it("finds what is on the screen, what comes, and says what did not", async () => {
    const session = await home.bash(client);
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId);
    await stream.waitFor(/ready> $/);
    await stream.sendInput("echo $((6 * 7))\n");
    expect((await stream.waitFor(/^(\d+)$/m))[1]).toBe("42");
    await stream.waitFor(/ready> $/);
    const never = stream.waitFor("this never comes", { timeoutMs: 200 });
    await expect(never).rejects.toMatchObject({ code: "timeout", message: expect.stringContaining("this never comes") });
    const ends = stream.waitFor("this neither");
    await stream.sendInput("exit\n");
    await expect(ends).rejects.toThrow(EndedError);
  });
});

describe("row 10: close detaches", () => {
  it("leaves the session running, may be called twice, and terminate is another call", async () => {
    const session = await home.bash(client);
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId);
    await Promise.all([stream.close(), stream.close()]);
    await stream.close();
    expect(await stream.done).toEqual({ reason: "closed" });
    expect(await client.terminal.get(session.sessionId)).toMatchObject({ state: "running", pid: session.pid, attached: [] });
    expect(alive(session.pid)).toBe(true);
    await expect(stream.sendInput("x")).rejects.toThrow();
    const ended = await client.terminal.terminate(session.sessionId);
    expect(ended).toMatchObject({ state: "ended", exit: { signal: expect.any(String) } });
    expect(alive(session.pid)).toBe(false);
  });
});

describe("row 33, 34: a session outlives its clients", () => {
  it("is the same program for another client, found by machine and by id", async () => {
    const first = await home.client("first");
    const session = await home.bash(first);
    const stream = first.terminal.stream();
    await stream.attach(session.sessionId);
    await stream.sendInput("marker=kept\n");
    await stream.waitFor(/ready> $/);
    await first.close();
    const second = await home.client("second");
    const again = second.terminal.stream();
    await again.attach((await second.terminal.getActiveSession(hostname())).sessionId);
    await again.sendInput('echo "$marker $$"\n');
    expect((await again.waitFor(/kept (\d+)/))[1]).toBe(String(session.pid));
    await second.close();
  });

  it("outlives clients that are killed while they print", async () => {
    const session = await client.terminal.create({ command: ["bash", "-c", "while :; do echo tick; sleep 0.01; done"] });
    const script = `
      import { MuxdeckClient } from ${JSON.stringify(join(top, "dist/sdk/index.js"))};
      const client = await MuxdeckClient.local({ name: "victim", start: "never" });
      const stream = client.terminal.stream();
      await stream.attach(${JSON.stringify(session.sessionId)});
      await stream.waitFor("tick");
      process.kill(process.pid, "SIGKILL");`;
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], { env: home.env, stdio: "ignore" });
      await inTime("the client to die", new Promise((done) => child.once("close", done)));
    }
    await until("the agent to notice", async () => (await client.terminal.get(session.sessionId)).attached.length === 0);
    expect((await client.terminal.get(session.sessionId)).pid).toBe(session.pid);
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId, { from: "now" });
    await stream.waitFor("tick");
    await stream.terminate();
  });
});

describe("row 49: close in finally", () => {
  it("resolves whatever happened before, and the agent has no client left", async () => {
    const session = await client.terminal.create({ command: ["cat"] });
    const never = client.terminal.stream();
    await never.close();
    const failed = client.terminal.stream();
    await failed.attach("nobody").catch(() => {});
    await failed.close();
    const attached = client.terminal.stream();
    await attached.attach(session.sessionId);
    await attached.close();
    const during = client.terminal.stream();
    const attaching = during.attach(session.sessionId);
    attaching.catch(() => {});
    await during.close();
    await expect(attaching).rejects.toThrow();
    await until("no client", async () => (await client.terminal.get(session.sessionId)).attached.length === 0);
    await client.terminal.terminate(session.sessionId);
  });
});

describe("row 53: signals and sizes", () => {
  it("reach the foreground group, and unknown names are errors", async () => {
    const session = await home.bash(client);
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId);
    await stream.sendInput("trap 'echo resized $(stty size)' WINCH\nsleep 600\n");
    await until("sleep to run", async () => home.processes().some(({ command }) => command.join(" ") === "sleep 600"));
    await stream.signal("INT");
    await stream.waitFor(/ready> $/);
    await stream.sendInput("echo status $?\n");
    await stream.waitFor("status 130");
    await expect(stream.signal("ZERO")).rejects.toThrow(InvalidError);
    await expect(stream.signal("0")).rejects.toThrow(InvalidError);
    await stream.resize({ cols: 101, rows: 31 });
    expect(stream.size).toEqual({ cols: 101, rows: 31 });
    await stream.waitFor("resized 31 101");
    expect((await client.terminal.get(session.sessionId)).size).toEqual({ cols: 101, rows: 31 });
    await stream.resize({ cols: 101, rows: 31 });
    for (const size of [
      { cols: 1, rows: 24 },
      { cols: 80, rows: 0 },
      { cols: 1001, rows: 24 },
      { cols: 80.5, rows: 24 },
      { cols: Number.NaN, rows: 24 },
    ]) {
      await expect(stream.resize(size)).rejects.toThrow(InvalidError);
    }
    await stream.terminate();
  });
});

describe("sessions that cannot be", () => {
  it("are typed failures with a sentence", async () => {
    await expect(client.terminal.create({ command: ["no-such-program-here"] })).rejects.toThrow(SpawnFailedError);
    await expect(client.terminal.create({ cwd: "/no/such/folder" })).rejects.toMatchObject({
      message: expect.stringContaining("/no/such/folder"),
    });
    await expect(client.terminal.create({ name: "-rf" })).rejects.toThrow(InvalidError);
    await expect(client.terminal.create({ size: { cols: 0, rows: 0 } })).rejects.toThrow(InvalidError);
    await expect(client.terminal.create({ machine: "elsewhere" })).rejects.toThrow(NotFoundError);
    const stream = client.terminal.stream();
    const session = await client.terminal.create({ command: "exit 3" });
    const exits: unknown[] = [];
    stream.onExit((exit) => exits.push(exit));
    await stream.attach(session.sessionId);
    expect(await stream.done).toEqual({ reason: "exit", status: { code: 3 } });
    expect(exits).toEqual([{ status: { code: 3 } }]);
    await expect(stream.sendInput("x")).rejects.toThrow(EndedError);
    expect(NotDeliveredError.prototype).toBeInstanceOf(Error);
  });
});

describe("an agent on demand", () => {
  it("is started once by many at once, and not at all when told", async () => {
    const own = closedAfterwards(createHome());
    await expect(MuxdeckClient.local({ home: own.folder, start: "never" })).rejects.toThrow(UnreachableError);
    expect(own.processes()).toEqual([]);
    const clients = await Promise.all(Array.from({ length: 5 }, () => MuxdeckClient.local({ home: own.folder, agentFolder })));
    const session = await clients[0]?.terminal.create({ command: ["cat"] });
    for (const each of clients) expect((await each.terminal.list()).map(({ sessionId }) => sessionId)).toEqual([session?.sessionId]);
    await until("one agent", () => own.agents().length === 1);
    await Promise.all(clients.map((each) => each.close()));
    expect(own.agents()).toHaveLength(1);
  });

  it("runs from a copy of its own files, in a session of its own, in the root folder", async () => {
    const own = closedAfterwards(createHome());
    const one = await MuxdeckClient.local({ home: own.folder, agentFolder });
    const [agent] = own.agents();
    expect(agent?.command.at(-1)).toMatch(new RegExp(`^${own.folder}/agent/[0-9a-f]{24}/agent\\.cjs$`));
    expect(readlinkSync(`/proc/${agent?.pid}/cwd`)).toBe("/");
    const stat = readFileSync(`/proc/${agent?.pid}/stat`, "utf8");
    expect(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]).toBe(String(agent?.pid));
    const session = await one.terminal.create({ command: ["env"], env: { EXTRA: "yes" } });
    const stream = one.terminal.stream();
    const collected = new Collected(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.done;
    expect(collected.text).toContain("EXTRA=yes");
    expect(collected.text).toContain(`MUXDECK_SESSION=${session.sessionId}`);
    expect(collected.text).not.toContain("MUXDECK_HOME");
    await one.close();
  });

  it.each([
    ["works", 'while [ "$1" != -- ]; do shift; done; shift; echo used > "$MUXDECK_HOME/scope"; exec "$@"', true],
    ["refuses", 'echo used > "$MUXDECK_HOME/scope"; exit 1', true],
    ["hangs", 'echo used > "$MUXDECK_HOME/scope"; sleep 600', true],
    ["is not there", "", false],
  ])("is started in a scope of its own where the service manager %s, else without", async (_what, script, there) => {
    const own = closedAfterwards(createHome());
    const tools = join(own.folder, "bin");
    const runtime = join(own.folder, "run");
    mkdirSync(tools);
    if (there) mkdirSync(join(runtime, "systemd", "private"), { recursive: true });
    writeFileSync(join(tools, "systemd-run"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const env = { ...own.env, XDG_RUNTIME_DIR: runtime, PATH: `${tools}:${process.env.PATH}` };
    const opened = openLocal({ client: { kind: "sdk", name: "test" }, env, agentFolder });
    if (!opened.ok) throw new Error(opened.error.message);
    expect(await opened.value.ready()).toMatchObject({ ok: true });
    expect(existsSync(join(own.folder, "scope"))).toBe(there);
    expect(own.agents()).toHaveLength(1);
    await opened.value.close();
  });

  it("that cannot start is said within 5 s, with its log's place", async () => {
    const own = closedAfterwards(createHome());
    const broken = join(own.folder, "broken");
    mkdirSync(broken);
    symlinkSync(join(top, "node_modules"), join(own.folder, "node_modules"));
    writeFileSync(join(broken, "agent.cjs"), "process.exit(1)");
    const failed = MuxdeckClient.local({ home: join(own.folder, "home"), agentFolder: broken });
    await expect(failed).rejects.toThrow(UnreachableError);
    await expect(failed).rejects.toMatchObject({ message: expect.stringMatching(/did not start within 5 s\. .*log is in .*logs/) });
    writeFileSync(join(broken, "agent.cjs"), "setInterval(() => {}, 1000)");
    await expect(MuxdeckClient.local({ home: join(own.folder, "home"), agentFolder: broken })).rejects.toThrow("did not start within 5 s");
    await until("the useless agent to be gone", () => own.agents().length === 0);
  });
});
