/** A real agent as a process: one per home, its files, its folders, its end, and what a stranger's bytes do to it. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeControl } from "../../protocol/frame.js";
import { createHome, descriptorsOf, type MuxdeckHome, top } from "../support/muxdeck-home.js";
import { builtAgent, endAgents, type RealAgent, startAgent } from "../support/real-agent.js";
import { inTime, until } from "../support/wait.js";

const size = { cols: 80, rows: 24 };
const asRoot = process.getuid?.() === 0;
const nobody = 65534;

let home: MuxdeckHome;

beforeEach(() => {
  home = createHome();
});

afterEach(async () => {
  await endAgents();
  await home.close();
});

describe("one agent a home", () => {
  it("says ready, listens on a socket for its owner alone, and leaves the folder clean at its end", async () => {
    const agent = await startAgent(home);
    expect(agent.ready).toBe(true);
    expect(statSync(agent.at.state).mode & 0o777).toBe(0o700);
    for (const file of [agent.at.socket, agent.at.agentLock, agent.at.stateId, join(agent.at.logs, "agent.log")]) {
      expect([file, lstatSync(file).mode & 0o777]).toEqual([file, 0o600]);
    }
    agent.process.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    expect([existsSync(agent.at.socket), existsSync(agent.at.agentLock)]).toEqual([false, false]);
  });

  it("lets a second one go in peace, and keeps the first's sessions", async () => {
    const agent = await startAgent(home);
    const client = await agent.client();
    await client.request("new", { name: "kept", command: ["cat"], cwd: "/", env: {}, size });
    const second = await startAgent(home);
    expect([second.ready, await second.ended]).toEqual([false, 0]);
    expect(second.output()).toContain(`already running as process ${agent.pid}`);
    expect(await (await agent.client()).request("list", {})).toHaveLength(1);
  });

  it("leaves one of several that start at once", async () => {
    const agents = await Promise.all([0, 1, 2, 3].map(() => startAgent(home)));
    expect(agents.filter((agent) => agent.ready)).toHaveLength(1);
    const pids = await Promise.all(agents.map(async (agent) => (await (await agent.dial()).greet()).pid));
    expect(new Set(pids).size).toBe(1);
  });

  it("replaces one that was killed, with the same state id and another run", async () => {
    const first = await startAgent(home);
    const before = await (await first.dial()).greet();
    first.process.kill("SIGKILL");
    await first.ended;
    expect(existsSync(first.at.socket)).toBe(true);
    const second = await startAgent(home);
    const after = await (await second.dial()).greet();
    expect([second.ready, after.stateId]).toEqual([true, before.stateId]);
    expect(after.run).not.toBe(before.run);
  });

  it("is not kept out by a lock whose process id somebody else has now", async () => {
    const stale = { pid: process.pid, started: 1, socket: join(home.folder, "agent.sock"), taken: 0, nonce: "old" };
    writeFileSync(join(home.folder, "agent.lock"), JSON.stringify(stale), { mode: 0o600 });
    expect((await startAgent(home)).ready).toBe(true);
  });

  it("listens again when its socket vanishes, also with the whole folder", async () => {
    const agent = await startAgent(home);
    const client = await agent.client();
    await client.request("new", { name: "kept", command: ["cat"], cwd: "/", env: {}, size });
    unlinkSync(agent.at.socket);
    await until("the socket", () => existsSync(agent.at.socket));
    expect(await (await agent.client()).request("list", {})).toHaveLength(1);
    rmSync(home.folder, { recursive: true });
    await until("the socket", () => existsSync(agent.at.socket));
    expect(await (await agent.client()).request("list", {})).toHaveLength(1);
    expect(await client.request("list", {})).toHaveLength(1);
    expect((await startAgent(home)).ready).toBe(false);
  });

  it("answers over a path that is too long for a socket, each home for itself", async () => {
    const long = join(home.folder, "x".repeat(60), "y".repeat(60));
    mkdirSync(long, { recursive: true });
    const one = await startAgent(home, { env: { MUXDECK_HOME: join(long, "one") } });
    const other = await startAgent(home, { env: { MUXDECK_HOME: join(long, "other") } });
    expect(one.at.socket).toMatch(/^\/tmp\/muxdeck-\d+\/[0-9a-f]{16}\.sock$/);
    expect(statSync(join(one.at.socket, "..")).mode & 0o777).toBe(0o700);
    const ids = [await (await one.dial()).greet(), await (await other.dial()).greet()].map((hello) => hello.stateId);
    expect(new Set(ids).size).toBe(2);
    for (const agent of [one, other]) {
      agent.process.kill("SIGTERM");
      expect(await agent.ended).toBe(0);
    }
  });

  it.runIf(asRoot)("refuses folders of another user, and says so", async () => {
    const foreign = join(home.folder, "foreign");
    mkdirSync(foreign, { mode: 0o755 });
    const through = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
    chmodSync(home.folder, 0o755);
    const refused = await startAgent(home, { through, env: { MUXDECK_HOME: foreign, HOME: "/" } });
    expect([refused.ready, await refused.ended]).toEqual([false, 4]);
    expect(refused.output()).toMatch(/belongs to another user|cannot be used/);
    expect(existsSync(join(foreign, "agent.lock"))).toBe(false);
    chownSync(foreign, nobody, nobody);
    const started = await startAgent(home, { through, env: { MUXDECK_HOME: foreign, HOME: "/" } });
    expect([started.ready, statSync(foreign).mode & 0o777]).toEqual([true, 0o700]);
    expect(await (await started.dial()).greet()).toMatchObject({ root: false });
    const dialled = spawnSync("setpriv", [
      "--reuid=65533",
      "--clear-groups",
      "node",
      "-e",
      `require("net").connect(${JSON.stringify(started.at.socket)}).on("error",e=>process.exit(9)).on("connect",()=>process.exit(0))`,
    ]);
    expect(dialled.status).toBe(9);
  });

  it.runIf(asRoot)("says in its hello that it runs as root", async () => {
    expect(await (await (await startAgent(home)).dial()).greet()).toMatchObject({ root: true });
  });

  it("gives the door back when its own files are damaged", async () => {
    const folder = join(home.folder, "copy");
    mkdirSync(folder);
    copyFileSync(builtAgent, join(folder, "agent.cjs"));
    symlinkSync(join(top, "node_modules"), join(home.folder, "node_modules"));
    const damaged = await startAgent(home, { program: join(folder, "agent.cjs") });
    expect([damaged.ready, await damaged.ended]).toEqual([false, 1]);
    expect(damaged.output()).toContain("could not start");
    expect((await startAgent(home)).ready).toBe(true);
  });

  it("refuses arguments it does not know", async () => {
    const agent = await startAgent(home, { args: ["--listen", "0.0.0.0"] });
    expect([agent.ready, await agent.ended]).toEqual([false, 2]);
  });

  it("caps every client at --max-role", async () => {
    const agent = await startAgent(home, { args: ["--state", join(home.folder, "else"), "--max-role", "observer"] });
    const client = await (await startAgentAt(agent, join(home.folder, "else"))).client();
    expect(await client.tryRequest("new", { name: null, command: ["cat"], cwd: "/", env: {}, size })).toMatchObject({
      error: { code: "not-permitted" },
    });
  });
});

/** The same agent, under the home that its `--state` named. */
async function startAgentAt(agent: RealAgent, folder: string): Promise<RealAgent> {
  const second = await startAgent({ env: { ...home.env, MUXDECK_HOME: folder } });
  expect(second.output()).toContain(`${agent.pid}`);
  return second;
}

describe("the end", () => {
  it("ends sessions on SIGTERM with HUP, TERM and KILL, and tells clients", async () => {
    const agent = await startAgent(home);
    const client = await agent.client();
    const stubborn = await client.request("new", {
      name: "stubborn",
      command: ["bash", "-c", "trap '' HUP TERM; echo armed; while :; do sleep 1; done"],
      cwd: "/",
      env: {},
      size,
    });
    client.attach("stubborn", 1, { from: "oldest" });
    await client.until(() => client.text(1).includes("armed"), "the trap");
    agent.process.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    await client.untilClosed();
    expect(client.all("exit", 1)).toMatchObject([{ status: { signal: "SIGKILL" } }]);
    expect(client.all("error")).toMatchObject([{ stream: null, error: { code: "offline" } }]);
    expect(existsSync(`/proc/${stubborn.pid}`)).toBe(false);
  });

  it("outlives SIGHUP and its clients", async () => {
    const agent = await startAgent(home);
    const client = await agent.client();
    const { pid } = await client.request("new", { name: "work", command: ["cat"], cwd: "/", env: {}, size });
    agent.process.kill("SIGHUP");
    client.attach("work", 1);
    await client.message("attached", 1);
    client.drop();
    const again = await agent.client();
    expect(await again.request("list", {})).toMatchObject([{ name: "work", pid, state: "running" }]);
  });

  it("does what an admin's stop asks", async () => {
    const agent = await startAgent(home);
    const client = await agent.client();
    await client.request("new", { name: "work", command: ["cat"], cwd: "/", env: {}, size });
    await client.request("stop", {});
    expect(await agent.ended).toBe(0);
  });
});

describe("a stranger's bytes", () => {
  /** Writes raw bytes to the socket; gives what came back until the agent ends the connection. */
  function throwAt(agent: RealAgent, bytes: Buffer): Promise<Buffer> {
    return inTime(
      "the end of the connection",
      new Promise((done) => {
        const answer: Buffer[] = [];
        const socket = connect(agent.at.socket);
        socket.on("data", (chunk: Buffer) => answer.push(chunk));
        socket.on("error", () => {});
        socket.on("close", () => done(Buffer.concat(answer)));
        socket.write(bytes);
      }),
    );
  }

  const framed = (frame: Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    return Buffer.concat([length, frame]);
  };

  it("end that connection with one error at most; others never notice", async () => {
    const agent = await startAgent(home);
    const client = await agent.client();
    await client.request("new", { name: "work", command: ["cat"], cwd: "/", env: {}, size });
    client.attach("work", 1, { from: "now" });
    await client.message("attached", 1);
    const before = descriptorsOf(agent.pid).length;
    const seeds: Buffer[] = [
      Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      Buffer.from([0xff, 0xff, 0xff, 0xff, 1]),
      framed(Buffer.from([1, 0x80, 0x7b, 0x7d])),
      framed(encodeControl("[".repeat(100_000))),
      framed(encodeControl(JSON.stringify({ t: "hello", protocol: { min: 99, max: 99 } }))),
      framed(Buffer.from([250, 0, 1, 2, 3])),
      framed(Buffer.from([4, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x61])),
    ];
    for (let n = 0; n < 60; n += 1) seeds.push(framed(randomBytes(1 + ((n * 37) % 300))));
    for (const bytes of seeds) {
      const answer = await throwAt(agent, bytes);
      const errors = answer.toString("latin1").split('"t":"error"').length - 1;
      expect(errors).toBeLessThanOrEqual(1);
    }
    client.input(1, 0, "still here\r");
    await client.until(() => client.text(1).includes("still here"), "the echo");
    await until("the descriptors of closed clients to go", () => descriptorsOf(agent.pid).length <= before);
    const log = readFileSync(join(agent.at.logs, "agent.log"), "utf8");
    expect(log).not.toContain("uncaught");
  });

  it("name the version they cannot speak", async () => {
    const agent = await startAgent(home);
    const client = await agent.dial();
    client.hello({ protocol: { min: 7, max: 9 } });
    await client.untilClosed();
    expect(client.heard).toMatchObject([{ t: "error", error: { code: "version", scope: "connection", retry: "never" } }]);
  });
});

describe("limits", () => {
  it("refuses sessions when descriptors are out, keeps those it has, and does not spin", async () => {
    const agent = await startAgent(home, { through: ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"] });
    const client = await agent.client();
    await client.request("new", { name: "first", command: ["cat"], cwd: "/", env: {}, size });
    client.attach("first", 1, { from: "now" });
    await client.message("attached", 1);
    let refused: string | null = null;
    for (let n = 0; n < 40 && refused === null; n += 1) {
      const result = await client.tryRequest("new", { name: null, command: ["cat"], cwd: "/", env: {}, size });
      if ("error" in result) refused = result.error.code;
    }
    expect(refused).toBe("limit");
    // Clients take what is left; those beyond it are turned away, and nobody else notices.
    const crowd = Array.from({ length: 40 }, () => connect(agent.at.socket).on("error", () => {}));
    client.input(1, 0, "still here\r");
    await client.until(() => client.text(1).includes("still here"), "the echo");
    const spent = () => {
      const fields = readFileSync(`/proc/${agent.pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
      return Number(fields[11]) + Number(fields[12]);
    };
    const before = spent();
    // 2 s of ticks, told by its heartbeat: an agent that spins spends most of them.
    const pings = client.all("ping").length;
    await client.until(() => client.all("ping").length > pings, "a heartbeat");
    expect(spent() - before).toBeLessThan(150);
    for (const socket of crowd) socket.destroy();
    await until("room for clients", async () => (await agent.client()).closed === null);
    expect(existsSync(agent.at.socket)).toBe(true);
  });
});
