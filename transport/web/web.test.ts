/** Both media of the page carry whole frames in order, both ways, and say once that they are gone. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, describe, expect, it } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import type { Transport, TransportClosed } from "../transport.js";
import { type FramePort, messagePortTransport } from "./message-port.js";
import { webSocketTransport } from "./websocket.js";

const after = (ms: number, then: () => void) => {
  setTimeout(then, ms);
};

/** Node's port as the page's: the same events, declared differently. */
function framePort(port: MessagePort): FramePort {
  return {
    addEventListener: (type: string, listener: (event: { readonly data: unknown }) => void) => {
      port.addEventListener(type, (event) => listener({ data: "data" in event ? event.data : undefined }));
    },
    postMessage: (message) => port.postMessage(message),
    start: () => port.start(),
    close: () => port.close(),
  };
}

/** Collects what a transport says; `frames(n)` and `closed()` wait for it. */
function heard(transport: Transport) {
  const frames: string[] = [];
  const reasons: TransportClosed[] = [];
  let changed: () => void = () => {};
  const note = () => changed();
  transport.listen({
    frame: (frame) => {
      frames.push(Buffer.from(frame).toString());
      note();
    },
    drain: () => {},
    closed: (reason) => {
      reasons.push(reason);
      note();
    },
  });
  const until = (done: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (done()) resolve();
      };
      changed = look;
      look();
    });
  return {
    frames: async (count: number) => {
      await until(() => frames.length >= count);
      return frames;
    },
    closed: async () => {
      await until(() => reasons.length > 0);
      return reasons;
    },
  };
}

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

describe("messagePortTransport", () => {
  it("carries frames both ways, views without the buffer behind them", async () => {
    const { port1, port2 } = new MessageChannel();
    ends.push(() => port1.close());
    const one = messagePortTransport(framePort(port1));
    const other = messagePortTransport(framePort(port2));
    const there = heard(other);
    const here = heard(one);
    const pool = new TextEncoder().encode("xxfirstxx");
    one.send(pool.subarray(2, 7));
    one.send(new TextEncoder().encode("second"));
    other.send(new TextEncoder().encode("back"));
    expect(await there.frames(2)).toEqual(["first", "second"]);
    expect(await here.frames(1)).toEqual(["back"]);
  });

  it("keeps frames until somebody listens, and tells both ends of a close once", async () => {
    const { port1, port2 } = new MessageChannel();
    const one = messagePortTransport(framePort(port1));
    const other = messagePortTransport(framePort(port2));
    const here = heard(one);
    one.send(new TextEncoder().encode("early"));
    const there = heard(other);
    expect(await there.frames(1)).toEqual(["early"]);
    one.close();
    one.close();
    one.send(new TextEncoder().encode("late"));
    expect(await here.closed()).toHaveLength(1);
    expect(await there.closed()).toHaveLength(1);
  });

  it("refuses what is no frame", async () => {
    const { port1, port2 } = new MessageChannel();
    const here = heard(messagePortTransport(framePort(port1)));
    port2.postMessage("text");
    expect((await here.closed())[0]?.clean).toBe(false);
  });
});

describe("webSocketTransport", () => {
  async function pair() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const { port }: AddressInfo = JSON.parse(JSON.stringify(server.address()));
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    const connected = once(server, "connection");
    await once(socket, "open");
    const [peer]: WebSocket[] = await connected;
    if (peer === undefined) throw new Error("nobody came");
    ends.push(() => {
      socket.terminate();
      server.close();
    });
    return { socket, peer };
  }

  it("carries frames both ways and holds early ones", async () => {
    const { socket, peer } = await pair();
    const transport = webSocketTransport(socket, after);
    const atPeer = once(peer, "message");
    peer.send(Buffer.from("early"));
    transport.send(new TextEncoder().encode("hello"));
    expect(String((await atPeer)[0])).toBe("hello");
    const here = heard(transport);
    peer.send(Buffer.from("later"));
    expect(await here.frames(2)).toEqual(["early", "later"]);
  });

  it("says why it is gone: a goodbye is clean, a cut is not", async () => {
    const polite = await pair();
    const one = heard(webSocketTransport(polite.socket, after));
    polite.peer.close(1000, "done");
    expect(await one.closed()).toEqual([{ clean: true, text: "done" }]);
    const cut = await pair();
    const other = heard(webSocketTransport(cut.socket, after));
    cut.peer.terminate();
    expect((await other.closed())[0]?.clean).toBe(false);
  });

  it("refuses text", async () => {
    const { socket, peer } = await pair();
    const here = heard(webSocketTransport(socket, after));
    peer.send("text");
    expect((await here.closed())[0]?.clean).toBe(false);
  });
});
