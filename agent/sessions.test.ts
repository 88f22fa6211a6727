/** Names, finding, starting, the list, what watchers hear, and how long ended sessions stay. */
import { beforeEach, describe, expect, it } from "vitest";
import type { SessionEntry } from "../protocol/values.js";
import { AgentInMemory } from "../test/support/agent-in-memory.js";
import type { RawClient } from "../test/support/raw-client.js";
import { endedMemoryMs, mostEnded } from "./sessions.js";

const size = { cols: 80, rows: 24 };

describe("Sessions", () => {
  let box: AgentInMemory;
  let client: RawClient;

  beforeEach(async () => {
    box = new AgentInMemory();
    client = box.client();
    await client.greet();
  });

  const start = (fields: object = {}): Promise<SessionEntry> =>
    client.request("new", { name: null, command: ["/usr/bin/cat"], cwd: "/", env: {}, size, ...fields });
  const refused = async (fields: object) => {
    const result = await client.tryRequest("new", { name: null, command: ["cat"], cwd: "/", env: {}, size, ...fields });
    return "error" in result ? result.error : null;
  };
  let streams = 0;
  const find = async (session: string) => {
    streams += 1;
    const stream = streams;
    client.attach(session, stream, { from: "now" });
    await client.until(() => client.all("attached", stream).length + client.all("error", stream).length > 0, "an answer");
    return client.all("attached", stream)[0]?.sessionId ?? client.all("error", stream)[0]?.error;
  };

  it("numbers default names from 2, and uses a name again once its session ended", async () => {
    const names: string[] = [];
    for (let n = 0; n < 3; n += 1) names.push((await start()).name);
    expect(names).toEqual(["cat", "cat 2", "cat 3"]);
    box.pty(1).exit({ code: 0 });
    expect((await start()).name).toBe("cat 2");
    expect((await start({ command: ["/bin/--odd\u0007 name"] })).name).toBe("odd name");
    expect((await start({ command: ["/bin/\u202e"] })).name).toBe("session");
  });

  it("refuses a live session's name, for new and rename", async () => {
    const first = await start({ name: "build" });
    expect(await refused({ name: "build" })).toMatchObject({ code: "invalid" });
    const second = await start({ name: "other" });
    expect(await client.tryRequest("rename", { session: second.sessionId, name: "build" })).toMatchObject({ error: { code: "invalid" } });
    expect(await client.request("rename", { session: "build", name: "build" })).toMatchObject({ name: "build" });
    box.pty(0).exit({ code: 0 });
    expect(await client.request("rename", { session: second.sessionId, name: "build" })).toMatchObject({ name: "build" });
    expect(first.sessionId).not.toBe(second.sessionId);
  });

  it("finds by id, by name (the live one, else the newest ended), and by a unique prefix", async () => {
    const old = await start({ name: "job" });
    box.pty(0).exit({ code: 0 });
    await box.pass(10);
    const newer = await start({ name: "job" });
    box.pty(1).exit({ code: 0 });
    expect(await find(newer.sessionId)).toBe(newer.sessionId);
    expect(await find("job")).toBe(newer.sessionId);
    const live = await start({ name: "job" });
    expect(await find("job")).toBe(live.sessionId);
    expect(await find(old.sessionId.slice(0, 20))).toBe(old.sessionId);
    expect(await find("nothing like it")).toMatchObject({ code: "not-found" });
  });

  it("lists the choices of a prefix that fits several", async () => {
    const ids: string[] = [];
    while (new Set(ids.map((id) => id[0])).size === ids.length) ids.push((await start()).sessionId);
    const twice = ids.find((id, at) => ids.some((other, from) => from !== at && other[0] === id[0])) ?? "";
    const fit = ids.filter((id) => id[0] === twice[0]);
    expect(await find(twice.slice(0, 1))).toMatchObject({ code: "ambiguous", choices: fit });
  });

  it("gives a session its environment, shell and folder", async () => {
    box = new AgentInMemory({ env: { PATH: "/own/bin", HOME: "/", SHELL: "/bin/zsh", SECRET_TOKEN: "canary", LC_TIME: "de_DE" } });
    client = box.client();
    await client.greet();
    const { sessionId, command, name } = await start({ command: null, cwd: null, env: { EXTRA: "1" } });
    expect([command, name, box.spawned[0]?.cwd]).toEqual([["/bin/zsh", "-l"], "zsh", "/"]);
    expect(box.spawned[0]?.env).toMatchObject({
      PATH: "/own/bin",
      LC_TIME: "de_DE",
      EXTRA: "1",
      TERM: "xterm-256color",
      COLORTERM: "truecolor",
      LANG: "C.UTF-8",
      MUXDECK_SESSION: sessionId,
    });
    expect(JSON.stringify(box.spawned)).not.toContain("canary");
    await start({
      command: null,
      cwd: null,
      env: { PATH: "/client/bin", HOME: "/tmp", SHELL: "/bin/fish", LANG: "fr_FR.UTF-8", TERM: "vt100" },
    });
    expect(box.spawned[1]).toMatchObject({ command: ["/bin/fish", "-l"], cwd: "/tmp" });
    expect(box.spawned[1]?.env).toMatchObject({ PATH: "/client/bin", LANG: "fr_FR.UTF-8", TERM: "vt100" });
    expect(box.spawned[1]?.env.LC_TIME).toBeUndefined();
  });

  it("leaves nothing of a session that could not be started", async () => {
    box.spawnFails = { code: "limit", message: "No more terminals." };
    expect(await refused({ name: "one" })).toMatchObject({ code: "limit", message: "No more terminals." });
    expect([await client.request("list", {}), box.screen().closed]).toEqual([[], true]);
    box.spawnFails = null;
    expect((await start({ name: "one" })).name).toBe("one");
  });

  it("tells watchers of sessions, gathered, and of output alone at most twice a second", async () => {
    await client.request("watch", {});
    const { sessionId } = await start();
    expect(client.all("session").map(({ change }) => change)).toEqual(["added"]);
    await box.pass(1000);
    client.heard.length = 0;
    for (let n = 0; n < 400; n += 1) {
      box.pty().print("x");
      await box.pass(5, 5);
    }
    const events = client.all("session");
    expect(events.length).toBeGreaterThanOrEqual(3);
    expect(events.length).toBeLessThanOrEqual(5);
    expect(events.at(-1)?.entry.output).toBeGreaterThan(250);
    client.heard.length = 0;
    box.pty().print("\u0007");
    for (const name of ["a", "b", "c"]) await client.request("rename", { session: sessionId, name });
    await box.pass(50);
    expect(client.all("session").map(({ change, entry }) => [change, entry.name, entry.bells])).toEqual([["changed", "c", 1]]);
    client.heard.length = 0;
    box.pty().exit({ signal: "SIGKILL" });
    await box.pass(50);
    expect(client.all("session").at(-1)?.entry).toMatchObject({ state: "ended", exit: { signal: "SIGKILL" } });
    await client.request("dismiss", { session: sessionId });
    expect(client.all("session").at(-1)).toMatchObject({ change: "removed", entry: { sessionId } });
  });

  it("keeps ended sessions for a day, 64 of them, the newest, with their output", async () => {
    const first = await start({ name: "first" });
    box.pty(0).print("kept");
    box.pty(0).exit({ code: 0 });
    await box.pass(1000, 1000);
    expect(await client.tryRequest("dismiss", { session: (await start({ name: "live" })).sessionId })).toMatchObject({
      error: { code: "invalid" },
    });
    client.attach(first.sessionId, 1, { from: "oldest" });
    await client.message("exit", 1);
    expect(client.text(1)).toBe("kept");
    box.clock.advance(endedMemoryMs - 3000);
    await box.settle();
    const second = box.client();
    await second.greet();
    expect((await second.request("list", {})).map(({ name }) => name)).toEqual(["first", "live"]);
    box.clock.advance(3000);
    await box.settle();
    expect((await second.request("list", {})).map(({ name }) => name)).toEqual(["live"]);
    client = second;
    for (let n = 0; n < mostEnded + 5; n += 1) {
      await start({ name: `n${n}` });
      box.ptys.at(-1)?.exit({ code: 0 });
      await box.settle();
    }
    const names = (await second.request("list", {})).map(({ name }) => name);
    expect([names.length, names[0], names[1]]).toEqual([mostEnded + 1, "live", "n5"]);
  });

  it("kills with an answer once the program is gone, and sends signals to live ones only", async () => {
    const { sessionId } = await start();
    await client.request("signal", { session: sessionId, signal: "INT" });
    expect(box.pty().signals).toEqual(["INT"]);
    box.pty().onKill = () => {};
    let answered = false;
    const kill = client.request("kill", { session: sessionId }).then((entry) => {
      answered = true;
      return entry;
    });
    await box.settle();
    expect([box.pty().kills, answered]).toEqual([1, false]);
    box.pty().exit({ signal: "SIGTERM" });
    expect(await kill).toMatchObject({ state: "ended", exit: { signal: "SIGTERM" } });
    expect(await client.tryRequest("signal", { session: sessionId, signal: "INT" })).toMatchObject({ error: { code: "ended" } });
    expect(await client.request("kill", { session: sessionId })).toMatchObject({ state: "ended" });
  });

  it("closes the streams of a dismissed session", async () => {
    const { sessionId } = await start();
    client.attach(sessionId, 1, { from: "now" }, { credit: false });
    await client.message("attached", 1);
    box.pty().print("unsent");
    box.pty().exit({ code: 0 });
    await client.request("dismiss", { session: sessionId });
    expect(client.all("error", 1)).toMatchObject([{ error: { code: "not-found" } }]);
    expect(await client.request("list", {})).toEqual([]);
  });
});
