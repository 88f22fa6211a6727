/** The same promises for every medium of Node: whole frames, in order, with a level for senders, and a true end. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { maxFrameLength } from "../../protocol/frame.js";
import { inTime, until } from "../../test/support/wait.js";
import { highWater, type Transport } from "../transport.js";
import { FrameCutter } from "./byte-stream.js";
import { childTransport, pipeTransport } from "./stdio.js";
import { dialUnixSocket, listenUnixSocket } from "./unix-socket.js";
import { dialWebSocket, WebSocketDoor } from "./websocket.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-transport-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Pair {
  near: Transport;
  far: Transport;
  close(): Promise<void>;
}

async function unixPair(): Promise<Pair> {
  const path = join(folder, `${Math.random()}.sock`);
  let accepted: (transport: Transport) => void = () => {};
  const far = new Promise<Transport>((done) => {
    accepted = done;
  });
  const listener = await listenUnixSocket(path, accepted);
  if (!listener.ok) throw new Error(listener.error.message);
  const near = await dialUnixSocket(path);
  if (!near.ok) throw new Error(near.error.message);
  return { near: near.value, far: await far, close: () => listener.value.close() };
}

function pipePair(): Promise<Pair> {
  const up = new PassThrough();
  const down = new PassThrough();
  return Promise.resolve({ near: pipeTransport(down, up), far: pipeTransport(up, down), close: () => Promise.resolve() });
}

async function webSocketPair(): Promise<Pair> {
  const door = new WebSocketDoor((offered) => (offered.has("muxdeck") ? "muxdeck" : false));
  const server = createServer();
  let accepted: (transport: Transport) => void = () => {};
  const far = new Promise<Transport>((done) => {
    accepted = done;
  });
  server.on("upgrade", (request, socket, head) => door.accept(request, socket, head, accepted));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const near = await dialWebSocket(`ws://127.0.0.1:${port}/`, { protocols: ["muxdeck"] });
  if (!near.ok) throw new Error(near.error.message);
  return {
    near: near.value,
    far: await far,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

class Listener {
  readonly frames: Buffer[] = [];
  drains = 0;
  closed: { clean: boolean; text: string } | null = null;
  constructor(transport: Transport) {
    transport.listen({
      frame: (frame) => this.frames.push(Buffer.from(frame)),
      drain: () => this.drains++,
      closed: (reason) => {
        if (this.closed) throw new Error("closed twice");
        this.closed = reason;
      },
    });
  }
}

const media: [string, () => Promise<Pair>][] = [
  ["unix socket", unixPair],
  ["pipes", pipePair],
  ["WebSocket", webSocketPair],
];

describe.each(media)("%s", (_name, make) => {
  it("carries frames of every length, both ways, whole and in order", async () => {
    const { near, far, close } = await make();
    const heard = new Listener(far);
    const back = new Listener(near);
    const lengths = [1, 2, 14, 125, 126, 4095, 4096, 4097, 65_535, 65_536, 65_550, maxFrameLength - 1, maxFrameLength];
    const frames = lengths.map((length, index) => Buffer.alloc(length, index + 1));
    for (const frame of frames) near.send(frame);
    for (const frame of frames) far.send(frame);
    await until("all frames", () => heard.frames.length === frames.length && back.frames.length === frames.length);
    expect(heard.frames.every((frame, index) => frame.equals(frames[index] ?? Buffer.alloc(0)))).toBe(true);
    expect(back.frames.every((frame, index) => frame.equals(frames[index] ?? Buffer.alloc(0)))).toBe(true);
    near.terminate();
    far.terminate();
    await close();
  });

  it("keeps what comes before anybody listens", async () => {
    const { near, far, close } = await make();
    near.send(Buffer.from("early"));
    near.send(Buffer.from("bird"));
    await until("the frames to leave", () => near.queued === 0);
    const heard = new Listener(far);
    await until("both frames", () => heard.frames.length === 2);
    expect(heard.frames.map(String)).toEqual(["early", "bird"]);
    near.terminate();
    far.terminate();
    await close();
  });

  it("tells a sender that it queued too much when it may go on", async () => {
    const { near, far, close } = await make();
    const sender = new Listener(near);
    let sent = 0;
    while (near.queued < highWater && sent < 64 * 1024 * 1024) {
      near.send(Buffer.alloc(64 * 1024, 7));
      sent += 64 * 1024;
    }
    expect(near.queued).toBeGreaterThanOrEqual(highWater);
    const heard = new Listener(far);
    await until("everything to arrive", () => heard.frames.length * 64 * 1024 === sent);
    await until("the sender to be told", () => sender.drains > 0);
    expect(near.queued).toBe(0);
    near.terminate();
    far.terminate();
    await close();
  });

  it("says goodbye behind what is queued, cleanly on both ends", async () => {
    const { near, far, close } = await make();
    const sender = new Listener(near);
    const heard = new Listener(far);
    near.send(Buffer.alloc(200_000, 1));
    near.close();
    near.send(Buffer.from("too late"));
    await until("both ends to close", () => sender.closed && heard.closed);
    expect(heard.frames.map((frame) => frame.length)).toEqual([200_000]);
    expect([sender.closed?.clean, heard.closed?.clean]).toEqual([true, true]);
    await close();
  });

  it("does not take a broken link for a goodbye", async () => {
    const { near, far, close } = await make();
    const sender = new Listener(near);
    const heard = new Listener(far);
    near.terminate();
    expect(sender.closed).toMatchObject({ clean: false });
    await until("the other end to notice", () => heard.closed);
    expect(heard.closed?.clean).toBe(false);
    near.send(Buffer.from("late"));
    near.close();
    near.terminate();
    await close();
  });
});

describe("unix socket", () => {
  it("is closed to others from its first moment and gone afterwards", async () => {
    const path = join(folder, "mode.sock");
    const listener = await listenUnixSocket(path, () => {});
    if (!listener.ok) throw new Error(listener.error.message);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(listener.value.present).toBe(true);
    unlinkSync(path);
    expect(listener.value.present).toBe(false);
    await listener.value.close();
    expect(existsSync(path)).toBe(false);
  });

  it("takes the place of a dead one, not of a living one and never of a file", async () => {
    const path = join(folder, "place.sock");
    const dead = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    await inTime("the first listener to die", new Promise((done) => dead.once("exit", done)));
    expect(existsSync(path)).toBe(true);
    const second = await listenUnixSocket(path, () => {});
    expect(second.ok).toBe(true);
    expect(await listenUnixSocket(path, () => {})).toMatchObject({ ok: false, error: { code: "busy" } });
    if (second.ok) await second.value.close();
    const file = join(folder, "precious.txt");
    writeFileSync(file, "precious");
    expect(await listenUnixSocket(file, () => {})).toMatchObject({ ok: false, error: { code: "unreachable" } });
    expect(statSync(file).size).toBe(8);
  });

  it("says that nobody listens, and where", async () => {
    const path = join(folder, "nobody.sock");
    const dialled = await dialUnixSocket(path);
    expect(dialled).toMatchObject({ ok: false, error: { code: "unreachable", scope: "connection", retry: "later" } });
    if (!dialled.ok) expect(dialled.error.message).toContain(path);
  });

  it("drops a peer that announces more than a frame", async () => {
    const path = join(folder, "huge.sock");
    const heard: Listener[] = [];
    const listener = await listenUnixSocket(path, (transport) => heard.push(new Listener(transport)));
    const socket = connect(path);
    socket.write(Buffer.from([0x00, 0x10, 0x00, 0x01]));
    await inTime("the peer to be dropped", new Promise((done) => socket.once("close", done)));
    expect(heard[0]?.closed).toMatchObject({ clean: false, text: expect.stringContaining("1 MiB") });
    if (listener.ok) await listener.value.close();
  });
});

describe("child", () => {
  it("speaks with a program through its pipes", async () => {
    const child = spawn("cat", [], { stdio: ["pipe", "pipe", "inherit"] });
    const transport = childTransport(child);
    if (!transport) throw new Error("no pipes");
    const heard = new Listener(transport);
    transport.send(Buffer.from("echo"));
    await until("the echo", () => heard.frames.length === 1);
    const ended = new Promise((done) => child.once("exit", done));
    transport.close();
    await inTime("the child to end", ended);
    await until("the transport to close", () => heard.closed);
    expect(childTransport(spawn("true", [], { stdio: "ignore" }))).toBeNull();
  });
});

describe("WebSocket", () => {
  it("refuses text and tells refusals apart", async () => {
    const server = createServer();
    server.on("upgrade", (request, socket) => {
      socket.end(`HTTP/1.1 ${request.url?.slice(1, 4)} Nope\r\nContent-Length: 0\r\n\r\n`);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    for (const [status, code] of [
      ["401", "unauthenticated"],
      ["403", "not-permitted"],
      ["503", "unreachable"],
    ]) {
      const dialled = await dialWebSocket(`ws://127.0.0.1:${port}/${status}?token=secret`);
      expect(dialled).toMatchObject({ ok: false, error: { code } });
      if (!dialled.ok) expect(dialled.error.message).not.toContain("secret");
    }
    expect(await dialWebSocket("ws://127.0.0.1:1/")).toMatchObject({ ok: false, error: { code: "unreachable" } });
    expect(await dialWebSocket("mailto:me")).toMatchObject({ ok: false, error: { code: "invalid" } });
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
});

describe("frame cutter", () => {
  it("gives the same frames for every split of the bytes", () => {
    const frames = [Buffer.from("a"), Buffer.alloc(0), Buffer.from("hello"), Buffer.alloc(300, 9)];
    const stream = Buffer.concat(
      frames.flatMap((frame) => {
        const header = Buffer.alloc(4);
        header.writeUInt32BE(frame.length);
        return [header, frame];
      }),
    );
    for (let first = 0; first <= stream.length; first++) {
      for (const second of [first, first + 1, first + 3, stream.length]) {
        const cutter = new FrameCutter();
        const heard: Buffer[] = [];
        for (const [from, to] of [
          [0, first],
          [first, second],
          [second, stream.length],
        ]) {
          // Buffers of their own: what was cut must not be read through an older chunk.
          const chunk = Buffer.from(stream.subarray(from, to));
          expect(cutter.push(chunk, (frame) => heard.push(Buffer.from(frame)))).toBeNull();
          chunk.fill(0);
        }
        expect(heard).toEqual(frames);
      }
    }
  });
});
