/** One desk a state folder: who gets the door, who is answered, and what a stranger at the socket gets. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeControl } from "../../protocol/frame.js";
import { type Paths, paths, prepareFolders } from "../../state/paths.js";
import { dialUnixSocket } from "../../transport/node/unix-socket.js";
import { type DoorQuestion, knock, openDoor } from "./door.js";

let folder: string;
let at: Paths;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-door-"));
  at = paths({ env: { MUXDECK_HOME: folder } });
  prepareFolders(at);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function opened(asked: DoorQuestion[] = []) {
  const door = await openDoor(at, (question) => {
    asked.push(question);
    return { host: "browser", pid: process.pid, address: question === "who" ? null : "http://127.0.0.1:1/#x" };
  });
  if (!door.ok) throw new Error(door.error.message);
  return door.value;
}

describe("the door", () => {
  it("answers the three questions and keeps a second desk out", async () => {
    const asked: DoorQuestion[] = [];
    const door = await opened(asked);
    expect(await knock(at.deskSocket, "who", { wait: false })).toMatchObject({ ok: true, value: { host: "browser", address: null } });
    expect(await knock(at.deskSocket, "address", { wait: false })).toMatchObject({ ok: true, value: { address: "http://127.0.0.1:1/#x" } });
    await knock(at.deskSocket, "open", { wait: false });
    expect(asked).toEqual(["who", "address", "open"]);
    expect(await openDoor(at, () => ({ host: "electron", pid: 1, address: null }))).toMatchObject({ ok: false, error: { code: "busy" } });
    await door.close();
    const next = await opened();
    await next.close();
  });

  it("is closed to other users", async () => {
    const door = await opened();
    expect(statSync(at.deskSocket).mode & 0o777).toBe(0o600);
    expect(statSync(at.deskLock).mode & 0o777).toBe(0o600);
    await door.close();
    expect(existsSync(at.deskSocket)).toBe(false);
    expect(existsSync(at.deskLock)).toBe(false);
  });

  it("says offline when nobody holds it", async () => {
    expect(await knock(at.deskSocket, "who", { wait: false })).toMatchObject({ ok: false, error: { code: "offline" } });
  });

  it("breaks a lock and a socket file that a killed desk left", async () => {
    writeFileSync(at.deskLock, JSON.stringify({ pid: 4_194_303, started: 1, socket: at.deskSocket, taken: 0, nonce: "x" }));
    chmodSync(at.deskLock, 0o600);
    const script = `require("net").createServer().listen(${JSON.stringify(at.deskSocket)}, () => console.log("ready"))`;
    const killed = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(killed.stdout, "data");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect(existsSync(at.deskSocket)).toBe(true);
    const door = await opened();
    expect(await knock(at.deskSocket, "who", { wait: false })).toMatchObject({ ok: true });
    await door.close();
  });

  it.each(["{}", '{"ask":"run"}', '{"ask":"open","command":"id"', "null", '["open"]'])("hangs up on %s", async (text) => {
    const asked: DoorQuestion[] = [];
    const door = await opened(asked);
    const stranger = await dialUnixSocket(at.deskSocket);
    if (!stranger.ok) throw new Error(stranger.error.message);
    const closed = new Promise((done) =>
      stranger.value.listen({ frame: () => done("an answer"), drain: () => {}, closed: () => done("hung up") }),
    );
    stranger.value.send(encodeControl(text));
    expect(await closed).toBe("hung up");
    expect(asked).toEqual([]);
    await door.close();
  });

  it("hangs up on noise, and still answers others", async () => {
    const door = await opened();
    const socket = connect(at.deskSocket);
    const gone = new Promise((done) => socket.once("close", done));
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await knock(at.deskSocket, "who", { wait: false })).toMatchObject({ ok: true });
    await door.close();
    await gone;
  });
});
