/** Links that break, agents that die, and programs that watch for long, through the SDK. Numbers are rows of the list of behaviours. */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Connection } from "../../client/connection.js";
import { AgentRestartedError, type MuxdeckClient, type MuxdeckError, NotDeliveredError, type TerminalStream } from "../../sdk/index.js";
import { nodeClock } from "../../sdk/node-clock.js";
import { Terminal } from "../../sdk/terminal.js";
import { paths } from "../../state/paths.js";
import { dialUnixSocket } from "../../transport/node/unix-socket.js";
import { Collected, createSdkHome, type SdkHome } from "../support/sdk-home.js";
import { inTime, until } from "../support/wait.js";

let home: SdkHome;
let client: MuxdeckClient;
beforeAll(async () => {
  home = createSdkHome();
  client = await home.client();
});
afterAll(() => home.close());

/** A door in front of the agent's socket that a test closes, stalls and opens. */
class Door {
  readonly folder = mkdtempSync(join(tmpdir(), "muxdeck-door-"));
  readonly path = join(this.folder, "door.sock");
  readonly #agent: string;
  #server: Server | null = null;
  readonly #pairs = new Set<[Socket, Socket]>();

  constructor(agent: string) {
    this.#agent = agent;
  }

  async open(): Promise<void> {
    mkdirSync(this.folder, { recursive: true });
    this.#server = createServer((near) => {
      const far = connect(this.#agent);
      const pair: [Socket, Socket] = [near, far];
      this.#pairs.add(pair);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on("data", (bytes) => other.write(bytes));
        one.on("error", () => {});
        one.on("close", () => {
          other.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
    await new Promise<void>((done) => this.#server?.listen(this.path, done));
  }

  /** Breaks every link; new ones are refused until `open`. */
  shut(): void {
    this.#server?.close();
    this.cut();
  }

  cut(): void {
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** A cable that is pulled: nothing moves, nothing closes. */
  stall(): void {
    for (const [near, far] of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  close(): void {
    this.shut();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A terminal whose link goes through a door. */
async function throughDoor(): Promise<{ door: Door; terminal: Terminal; connection: Connection }> {
  const door = new Door(paths({ env: home.env }).socket);
  await door.open();
  const connection = new Connection({
    dial: () => dialUnixSocket(door.path),
    clock: nodeClock,
    client: { kind: "sdk", name: "through a door" },
    stateId: null,
  });
  await connection.ready();
  open.push(
    () => door.close(),
    () => connection.close(),
  );
  return { door, terminal: new Terminal(connection, process.env), connection };
}

interface Told {
  lost: string[];
  back: number[];
  errors: MuxdeckError[];
}

function listen(stream: TerminalStream): Told {
  const told: Told = { lost: [], back: [], errors: [] };
  stream.onDisconnect(({ reason }) => told.lost.push(reason));
  stream.onReconnect(({ gapBytes }) => told.back.push(gapBytes));
  stream.onError((error) => told.errors.push(error));
  return told;
}

const counter = (every: string) =>
  client.terminal.create({ command: ["bash", "-c", `n=0; while :; do echo line $((n++)); sleep ${every}; done`] });

describe("row 41, 42: a link that breaks", () => {
  it("is told once, mended by itself, and nothing is lost or doubled", async () => {
    const { door, terminal } = await throughDoor();
    const session = await counter("0.005");
    const stream = terminal.stream();
    const told = listen(stream);
    const collected = new Collected(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    for (let round = 1; round <= 3; round++) {
      await stream.waitFor(new RegExp(`line ${round * 20}\\n`));
      door.cut();
      await until("the link to be back", () => told.back.length === round);
    }
    await stream.waitFor(/line 120\n/);
    expect(told.lost).toHaveLength(3);
    expect(told.back).toEqual([0, 0, 0]);
    expect(told.errors).toEqual([]);
    const lines = collected.text.match(/line \d+\r\n/g) ?? [];
    expect(lines).toEqual(lines.map((_, n) => `line ${n}\r\n`));
    expect(collected.screens).toBe(0);
    await stream.terminate();
  });

  it("is not told for a close of our own", async () => {
    const { terminal } = await throughDoor();
    const session = await client.terminal.create({ command: ["cat"] });
    const stream = terminal.stream();
    const told = listen(stream);
    await stream.attach(session.sessionId);
    await stream.close();
    expect(await stream.done).toEqual({ reason: "closed" });
    expect(told).toEqual({ lost: [], back: [], errors: [] });
    await client.terminal.terminate(session.sessionId);
  });

  it("rejects what is typed meanwhile, and what was under way too long ago, with exact counts", async () => {
    const { door, terminal } = await throughDoor();
    const session = await client.terminal.create({ command: ["cat"] });
    const stream = terminal.stream();
    const told = listen(stream);
    await stream.attach(session.sessionId);
    door.shut();
    await until("the break to be noticed", () => told.lost.length === 1);
    const offline = stream.sendInput("typed into nothing\n");
    await expect(offline).rejects.toThrow(NotDeliveredError);
    await expect(offline).rejects.toMatchObject({ delivered: 0 });
    await door.open();
    await until("the link to be back", () => told.back.length === 1);
    await stream.sendInput("typed again\n");
    // Once by the terminal's echo, once by the program.
    await stream.waitFor(/typed again\ntyped again\n/);
    const { output } = await client.terminal.get(session.sessionId);
    expect(output).toBe("typed again\r\ntyped again\r\n".length);
    await stream.terminate();
  });

  it("by a pulled cable is noticed within 20 s, with typing stopped before", async () => {
    const { door, terminal, connection } = await throughDoor();
    const session = await counter("0.05");
    const stream = terminal.stream();
    const told = listen(stream);
    const collected = new Collected(stream);
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.waitFor("line 3\n");
    door.stall();
    const from = performance.now();
    await until("the link to be stale", () => connection.state.state === "stale", 15_000);
    await expect(stream.sendInput("x")).rejects.toThrow(NotDeliveredError);
    await until("the break to be told", () => told.lost.length === 1, 25_000);
    expect(performance.now() - from).toBeLessThan(25_000);
    await until("the link to be back", () => told.back.length === 1);
    await until("more output", () => collected.text.includes("line 200\r\n"));
    const lines = collected.text.match(/line \d+\r\n/g) ?? [];
    expect(lines).toEqual(lines.map((_, n) => `line ${n}\r\n`));
    await stream.terminate();
  });
});

describe("row 33, 42: an agent that dies", () => {
  it("is started again, says so, and gives back what was not delivered", async () => {
    const own = createSdkHome();
    open.push(() => own.close());
    const one = await own.client();
    const session = await one.terminal.create({ command: ["bash", "-c", "stty raw -echo; printf armed; sleep 600"] });
    const stream = one.terminal.stream();
    const told = listen(stream);
    const exits: unknown[] = [];
    stream.onExit((exit) => exits.push(exit));
    await stream.attach(session.sessionId);
    await stream.waitFor("armed");
    // More than a terminal takes whose program does not read.
    const sent = stream.sendInput(new Uint8Array(500_000));
    const outcome = sent.catch((error: unknown) => error);
    const [agent] = own.agents();
    process.kill(agent?.pid ?? 0, "SIGKILL");
    expect(await inTime("the end", stream.done)).toEqual({ reason: "agent-restarted" });
    expect(await outcome).toMatchObject({ code: "agent-restarted" });
    expect(told.lost).toHaveLength(1);
    expect(told.errors).toHaveLength(1);
    expect(told.errors[0]).toBeInstanceOf(AgentRestartedError);
    expect(exits).toEqual([]);
    expect(await one.terminal.list()).toEqual([]);
    expect((await one.terminal.create({ command: ["cat"] })).state).toBe("running");
  });
});

describe("row 43: errors", () => {
  it("are one object with code, message and whether to try again; what a handler throws is told too", async () => {
    const session = await client.terminal.create({ command: ["cat"] });
    const stream = client.terminal.stream();
    const told = listen(stream);
    const off = stream.onOutput(() => {
      throw new TypeError("in a handler");
    });
    const asynchronous = stream.onOutput(() => Promise.reject(new RangeError("later")));
    const seen = new Collected(stream);
    await stream.attach(session.sessionId, { from: "now" });
    await stream.sendInput("x");
    await until("both faults", () => told.errors.length === 2);
    expect(told.errors.map(({ code, cause }) => [code, (cause as Error).name]).sort()).toEqual([
      ["internal", "RangeError"],
      ["internal", "TypeError"],
    ]);
    for (const error of told.errors) expect(error).toMatchObject({ message: expect.stringContaining("A handler threw"), retryable: false });
    off();
    asynchronous();
    await stream.sendInput("y");
    await until("the next output", () => seen.text === "xy");
    expect(told.errors).toHaveLength(2);
    await stream.terminate();
  });
});

describe("row 45: lines", () => {
  it("alert once, however the output was cut", async () => {
    const parts = ["all good\\n", "some ER", "ROR here: gr\\303", "\\274n\\n", "\\033[31mERR\\033[0mOR in red\\r\\n", "no end"];
    const session = await client.terminal.create({
      command: ["bash", "-c", `stty -onlcr; read -r go; ${parts.map((part) => `printf '${part}'; sleep 0.02`).join("; ")}`],
    });
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId, { from: "now" });
    const lines: string[] = [];
    const reading = (async () => {
      for await (const line of stream.lines()) {
        lines.push(line);
        await new Promise((done) => setImmediate(done));
      }
    })();
    await stream.sendInput("\n");
    await inTime("the end of the lines", reading);
    expect(lines).toEqual(["", "all good", "some ERROR here: grün", "ERROR in red", "no end"]);
    expect(await stream.done).toMatchObject({ reason: "exit" });
  });

  it("wait for a slow reader without losing any, and can be left", async () => {
    const session = await client.terminal.create({ command: ["bash", "-c", "read -r go; seq 100000; sleep 600"] });
    const stream = client.terminal.stream({ lossless: true });
    await stream.attach(session.sessionId, { from: "now" });
    void stream.sendInput("\n");
    let last = 0;
    for await (const line of stream.lines()) {
      const n = Number(line);
      if (line === "") continue;
      expect(n).toBe(last + 1);
      last = n;
      if (n % 5000 === 0) await new Promise((done) => setImmediate(done));
      if (n === 100_000) break;
    }
    expect(last).toBe(100_000);
    await stream.terminate();
  });
});

describe("row 46: watching for ever", () => {
  it("ends with a reason when the session ends, the client closes, or the agent is gone for good", async () => {
    const watch = async (stream: TerminalStream) => {
      for await (const _ of stream.lines());
      return stream.done;
    };
    const session = await client.terminal.create({ command: ["cat"] });
    const observer = client.terminal.stream({ mode: "observer" });
    await observer.attach(session.sessionId);
    const ended = watch(observer);
    await client.terminal.terminate(session.sessionId);
    expect(await inTime("the end", ended)).toMatchObject({ reason: "exit", status: { signal: expect.any(String) } });
    const other = await home.client();
    const second = await client.terminal.create({ command: ["cat"] });
    const closing = other.terminal.stream();
    await closing.attach(second.sessionId);
    const closed = watch(closing);
    await other.close();
    expect(await inTime("the close", closed)).toEqual({ reason: "closed" });
    await client.terminal.terminate(second.sessionId);
  });
});

describe("row 50: handlers", () => {
  it("work before and after the attach, and can be removed", async () => {
    const session = await client.terminal.create({ command: ["cat"] });
    const stream = client.terminal.stream();
    const early: string[] = [];
    const late: string[] = [];
    const offEarly = stream.onOutput((data) => early.push(Buffer.from(data).toString()));
    await stream.attach(session.sessionId, { from: "now" });
    await stream.sendInput("one");
    await until("the first", () => early.join("") === "one");
    const offLate = stream.onOutput((data) => late.push(Buffer.from(data).toString()));
    await stream.sendInput("two");
    await until("the second", () => late.join("") === "two");
    offEarly();
    await stream.sendInput("three");
    await until("the third", () => late.join("") === "twothree");
    expect(early.join("")).toBe("onetwo");
    offLate();
    offLate();
    await stream.terminate();
  });
});
