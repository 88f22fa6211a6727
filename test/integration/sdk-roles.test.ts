/** Operators and observers through the SDK. Numbers are rows of the list of behaviours. */
import { spawn } from "node:child_process";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MuxdeckClient, PermissionError, type SessionInfo, type TerminalStream } from "../../sdk/index.js";
import { paths } from "../../state/paths.js";
import { dialUnixSocket } from "../../transport/node/unix-socket.js";
import { top } from "../support/muxdeck-home.js";
import { RawClient } from "../support/raw-client.js";
import { Collected, createSdkHome, type SdkHome } from "../support/sdk-home.js";
import { inTime, until } from "../support/wait.js";

let home: SdkHome;
let client: MuxdeckClient;
beforeAll(async () => {
  home = createSdkHome();
  client = await home.client();
});
afterAll(() => home.close());

/** A program that writes down every byte, size and signal that reaches it. */
async function watched(): Promise<{ session: SessionInfo; reached: () => string }> {
  const file = join(home.folder, `reached-${Math.random()}`);
  writeFileSync(file, "");
  const script = [
    "import os,signal,sys,tty",
    `f=os.open(${JSON.stringify(file)},os.O_WRONLY|os.O_APPEND)`,
    "for s in ('INT','TERM','USR1','WINCH','HUP','QUIT'): signal.signal(getattr(signal,'SIG'+s),lambda n,_: os.write(f,b'signal %d;'%n))",
    "tty.setraw(0)",
    "os.write(1,b'\\x1b[?1004h\\x1b[?1000harmed')",
    "while True:",
    "  d=os.read(0,100)",
    "  os.write(f,b'bytes '+repr(d).encode()+b';')",
    "  os.write(1,b'!')",
  ].join("\n");
  const session = await client.terminal.create({ command: ["python3", "-c", script] });
  const stream = client.terminal.stream({ mode: "observer" });
  await stream.attach(session.sessionId, { from: "oldest" });
  await stream.waitFor("armed");
  await stream.close();
  return { session, reached: () => readFileSync(file, "utf8") };
}

describe("row 38: an observer sees what an operator sees", () => {
  it("byte by byte, replay included", async () => {
    const session = await client.terminal.create({
      command: ["bash", "-c", "echo before; read -r go; for n in $(seq 1000); do echo line $n; done"],
    });
    const operator = client.terminal.stream();
    const typed = new Collected(operator);
    await operator.attach(session.sessionId, { from: "oldest" });
    await operator.waitFor("before");
    const observer = client.terminal.stream({ mode: "observer" });
    const seen = new Collected(observer);
    expect((await observer.attach(session.sessionId, { from: "oldest" })).role).toBe("observer");
    await operator.sendInput("\n");
    await Promise.all([operator.done, observer.done]);
    expect(seen.text).toBe(typed.text);
    expect(seen.text).toContain("before");
  });
});

describe("row 39: handlers after the attach", () => {
  it("get everything from the start", async () => {
    const session = await client.terminal.create({
      command: ["bash", "-c", "read -r go; for n in $(seq 3000); do echo line $n; done; exit 4"],
    });
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.sendInput("\n");
    await stream.waitFor("line 3000");
    const collected = new Collected(stream);
    await until("the kept output", () => collected.text.includes("line 3000"));
    expect(collected.text.match(/line \d+/g)).toHaveLength(3000);
    const exits: unknown[] = [];
    await stream.done;
    stream.onExit((exit) => exits.push(exit));
    await until("the kept exit", () => exits.length === 1);
    expect(exits).toEqual([{ status: { code: 4 } }]);
  });

  it("get the latest MiB and a gap for what was too much to keep", async () => {
    const session = await client.terminal.create({
      command: ["bash", "-c", "read -r go; head -c 3000000 /dev/zero | tr '\\0' x; printf end"],
    });
    const stream = client.terminal.stream();
    await stream.attach(session.sessionId, { from: "oldest" });
    await stream.sendInput("\n");
    expect(await stream.done).toMatchObject({ reason: "exit" });
    const gaps: { bytes: number }[] = [];
    stream.onGap((gap) => gaps.push(gap));
    const collected = new Collected(stream);
    await until("the kept output", () => collected.text.endsWith("end"));
    expect(collected.bytes).toBeLessThanOrEqual(1024 * 1024);
    expect(collected.bytes + gaps.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(3_000_005);
  });
});

describe("row 40: an observer changes nothing", () => {
  it("is refused by every call, by a typed error, and the program gets nothing", async () => {
    const { session, reached } = await watched();
    const observer = client.terminal.stream({ mode: "observer" });
    await observer.attach(session.sessionId);
    const calls: [string, () => Promise<unknown>][] = [
      ["sendInput", () => observer.sendInput("x")],
      ["sendInput of nothing", () => observer.sendInput("")],
      ["sendKey", () => observer.sendKey("Enter")],
      ["resize", () => observer.resize({ cols: 90, rows: 30 })],
      ["signal", () => observer.signal("INT")],
      ["terminate", () => observer.terminate()],
    ];
    for (const [name, call] of calls) {
      const outcome = await call().catch((error: unknown) => error);
      expect(outcome, name).toBeInstanceOf(PermissionError);
      expect(outcome, name).toMatchObject({ code: "not-permitted" });
    }
    expect(reached()).toBe("");
    expect(await client.terminal.get(session.sessionId)).toMatchObject({ state: "running", size: session.size, driver: null });
    await client.terminal.terminate(session.sessionId);
  });

  it("is refused by the agent too, when its client does not ask itself", async () => {
    const { session, reached } = await watched();
    const at = paths({ env: home.env });
    const dialled = await dialUnixSocket(at.socket);
    if (!dialled.ok) throw new Error(dialled.error.message);
    const rogue = new RawClient(dialled.value);
    await rogue.greet();
    rogue.attach(session.sessionId, 1, {
      role: "observer",
      view: { cols: 90, rows: 30, cellWidth: 8, cellHeight: 16, colours: null, focused: true },
    });
    await rogue.message("attached", 1);
    rogue.input(1, 0, "typed");
    rogue.say({ t: "view", stream: 1, view: { cols: 70, rows: 20, cellWidth: 8, cellHeight: 16, colours: null, focused: true } });
    rogue.say({ t: "take-size", stream: 1, size: { cols: 70, rows: 20 } });
    rogue.say({ t: "focus", stream: 1, on: true });
    rogue.say({ t: "exclusive", stream: 1, on: true });
    rogue.say({ t: "input-cancel", stream: 1 });
    await rogue.request("list", {});
    // An operator's byte behind all of it is the only one that arrives.
    const operator = client.terminal.stream();
    await operator.attach(session.sessionId, { from: "now" });
    await operator.sendInput("k");
    await operator.waitFor("!");
    expect(reached()).toBe("bytes b'k';");
    expect((await client.terminal.get(session.sessionId)).size).toEqual(session.size);
    rogue.drop();
    await client.terminal.terminate(session.sessionId);
  });
});

describe("row 44: logs, watched", () => {
  it("an operator starts what an observer watches", async () => {
    const log = join(home.folder, "service.log");
    writeFileSync(log, "old entry\n");
    const session = await client.terminal.create({ command: ["tail", "-n", "1", "-f", log] });
    const observer = client.terminal.stream({ mode: "observer" });
    await observer.attach(session.sessionId, { from: "oldest" });
    await observer.waitFor("old entry");
    appendFileSync(log, "new entry\n");
    await observer.waitFor("new entry");
    await expect(observer.sendInput("tail -f other\n")).rejects.toThrow(PermissionError);
    await client.terminal.terminate(session.sessionId);
  });
});

describe("row 51: an observer leaves the size alone", () => {
  it("and of several operators the one who takes it last has it", async () => {
    const session = await client.terminal.create({ command: ["cat"], size: { cols: 100, rows: 30 } });
    const observer = client.terminal.stream({ mode: "observer" });
    expect((await observer.attach(session.sessionId)).size).toEqual({ cols: 100, rows: 30 });
    const sizes: unknown[] = [];
    observer.onSize((size) => sizes.push(size));
    const [one, two] = [client.terminal.stream(), client.terminal.stream()];
    await one.attach(session.sessionId);
    await two.attach(session.sessionId);
    expect((await client.terminal.get(session.sessionId)).size).toEqual({ cols: 100, rows: 30 });
    await one.resize({ cols: 90, rows: 25 });
    await two.resize({ cols: 85, rows: 20 });
    await until("the observer to be told", () => sizes.length === 3);
    expect(sizes).toEqual([
      { cols: 100, rows: 30 },
      { cols: 90, rows: 25 },
      { cols: 85, rows: 20 },
    ]);
    await client.terminal.terminate(session.sessionId);
  });
});

describe("changing roles", () => {
  let session: SessionInfo;
  let stream: TerminalStream;
  beforeAll(async () => {
    session = await client.terminal.create({ command: ["cat"] });
    stream = client.terminal.stream();
    await stream.attach(session.sessionId);
  });

  it("goes down and up again, and is told", async () => {
    const roles: string[] = [];
    stream.onRole(({ role }) => roles.push(role));
    await stream.setRole("observer");
    expect(stream.role).toBe("observer");
    await expect(stream.sendInput("x")).rejects.toThrow(PermissionError);
    await stream.setRole("operator");
    await stream.sendInput("typed\n");
    await stream.waitFor("typed");
    expect(roles).toEqual(["observer", "operator"]);
    await expect(stream.setRole("admin" as "operator")).rejects.toThrow('no role "admin"');
  });

  it("control can be asked for, and is answered", async () => {
    const driver = new RawClient(await dial());
    await driver.greet();
    driver.attach(session.sessionId, 1, { view: { cols: 80, rows: 24, cellWidth: 8, cellHeight: 16, colours: null, focused: true } });
    await driver.message("attached", 1);
    driver.say({ t: "take-size", stream: 1, size: null });
    const asking = stream.requestControl();
    const { ask } = await driver.message("control-asked", 1);
    driver.say({ t: "answer-control", stream: 1, ask, answer: "not-now" });
    expect(await asking).toBe("not-now");
    driver.drop();
  });

  async function dial() {
    const dialled = await dialUnixSocket(paths({ env: home.env }).socket);
    if (!dialled.ok) throw new Error(dialled.error.message);
    return dialled.value;
  }
});

describe("the package", () => {
  it.each([
    ["an ES module", "module", `import { MuxdeckClient, PermissionError } from ${JSON.stringify(join(top, "dist/sdk/index.js"))};`],
    ["CommonJS", "commonjs", `const { MuxdeckClient, PermissionError } = require(${JSON.stringify(join(top, "dist/sdk/index.cjs"))});`],
  ])("works as %s", async (_kind, type, load) => {
    const session = await client.terminal.create({ command: ["cat"] });
    const script = `${load}
      (async () => {
        const client = await MuxdeckClient.local();
        const stream = client.terminal.stream({ mode: "observer" });
        await stream.attach(${JSON.stringify(session.sessionId)});
        await stream.sendInput("x").catch((error) => process.stdout.write(String(error instanceof PermissionError && error.code)));
        await client.close();
      })();`;
    const child = spawn(process.execPath, [`--input-type=${type}`, "-e", script], { env: home.env, stdio: ["ignore", "pipe", "inherit"] });
    let out = "";
    child.stdout.on("data", (bytes: Buffer) => {
      out += bytes.toString();
    });
    expect(await inTime("the program", new Promise((done) => child.once("close", done)))).toBe(0);
    expect(out).toBe("not-permitted");
    await client.terminal.terminate(session.sessionId);
  });
});
