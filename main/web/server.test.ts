/** The browser host's HTTP side over real sockets: Host, Origin, tokens, files, and the upgrade, each refused before anything happens. */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dialWebSocket } from "../../transport/node/websocket.js";
import type { Transport } from "../../transport/transport.js";
import type { PageFiles } from "../desk/page-files.js";
import { startWebServer, type WebServer } from "./server.js";
import { type TabKind, Tokens } from "./tokens.js";

const files: PageFiles = new Map([
  ["/index.html", { bytes: Buffer.from("<!doctype html>page"), type: "text/html; charset=utf-8" }],
  ["/assets/main.js", { bytes: Buffer.from("script"), type: "text/javascript; charset=utf-8" }],
]);

let server: WebServer;
let tokens: Tokens;
let attached: { transport: Transport; kind: TabKind }[];

beforeEach(async () => {
  tokens = new Tokens();
  attached = [];
  const started = await startWebServer({
    files,
    tokens,
    port: 0,
    allowHosts: new Set(["deck.example"]),
    attach: (transport, kind) => attached.push({ transport, kind }),
  });
  if (!started.ok) throw new Error(started.error.message);
  server = started.value;
});
afterEach(async () => {
  for (const { transport } of attached) transport.terminate();
  await server.close();
});

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

function ask(path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}): Promise<Answer> {
  return new Promise((done, failed) => {
    const headers = { Host: `127.0.0.1:${server.port}`, ...options.headers };
    const request = httpRequest(
      { host: "127.0.0.1", port: server.port, path, method: options.method ?? "GET", headers, agent: false },
      (response) => {
        let body = "";
        response.on("data", (chunk) => {
          body += chunk;
        });
        response.on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers, body }));
      },
    );
    request.on("error", failed);
    request.end(options.body);
  });
}

/** The first line of the answer to bytes as they are. */
function raw(bytes: string): Promise<string> {
  return new Promise((done) => {
    let text = "";
    const socket = connect(server.port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("error", () => {});
    socket.on("close", () => done(text.split("\r\n", 1)[0] ?? ""));
  });
}

const own = () => `http://127.0.0.1:${server.port}`;
const exchange = (body: string, headers: Record<string, string> = { Origin: own() }) => ask("/session", { method: "POST", headers, body });

async function tabToken(kind: TabKind = "any"): Promise<string> {
  return JSON.parse((await exchange(tokens.mint(kind))).body).token;
}

describe("pages", () => {
  it("serves the built files with their headers", async () => {
    for (const path of ["/", "/index.html", "/?x=1"]) expect((await ask(path)).body).toBe("<!doctype html>page");
    const answer = await ask("/assets/main.js");
    expect(answer).toMatchObject({ status: 200, body: "script" });
    expect(answer.headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
    expect(answer.headers["content-security-policy"]).toContain(
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; connect-src 'self'",
    );
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("serves the headers with refusals too", async () => {
    for (const path of ["/nothing", "/session"]) {
      expect((await ask(path)).headers["content-security-policy"]).toContain("default-src 'none'");
    }
  });

  const outside = [
    "/../package.json",
    "/assets/../../package.json",
    "/%2e%2e/package.json",
    "/..%2fpackage.json",
    "/assets/..%5c..%5cpackage.json",
    "/....//package.json",
    "//etc/passwd",
    "/etc/passwd",
    "/assets/main.js%00.html",
    "/assets/main.js/",
    "/assets/",
    "/assets",
    "/INDEX.HTML",
    "/index.html/..",
    "/__proto__",
    "/constructor",
  ];
  it.each(outside)("has nothing at %s", async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404 });
  });

  it("answers an absolute target and an empty one with nothing", async () => {
    expect(await raw(`GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)).toBe("HTTP/1.1 404 Not Found");
    expect(await raw(`GET ../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 40[04]/);
  });

  it.each(["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])("refuses %s", async (method) => {
    expect(await ask("/", { method })).toMatchObject({ status: 405 });
  });
});

describe("Host", () => {
  const hosts: [string, number][] = [
    ["localhost:1", 200],
    ["127.0.0.1", 200],
    ["[::1]:7", 200],
    ["deck.example", 200],
    ["deck.example:8443", 200],
    ["evil.example", 403],
    ["127.0.0.1.evil.example", 403],
    ["127.evil.tld", 403],
    ["x.deck.example", 403],
    ["localhost.evil.example", 403],
    ["0.0.0.0", 403],
    ["169.254.169.254", 403],
  ];
  it.each(hosts)("%s -> %i", async (host, status) => {
    expect(await ask("/", { headers: { Host: host } })).toMatchObject({ status });
    expect((await exchange("wrong", { Host: host, Origin: `http://${host}` })).status).toBe(status === 200 ? 401 : 403);
  });

  it("is needed", async () => {
    expect(await raw("GET / HTTP/1.0\r\n\r\n")).toBe("HTTP/1.1 403 Forbidden");
  });
});

describe("the exchange of tokens", () => {
  it("works once, for our own page", async () => {
    const once = tokens.mint();
    const answer = await exchange(once);
    expect(answer.status).toBe(200);
    expect(tokens.check(JSON.parse(answer.body).token)).toBe("any");
    expect((await exchange(once)).status).toBe(401);
  });

  it.each([["null"], ["http://evil.example"], [`http://127.0.0.1:1`], ["https://localhost"], [""]])(
    "refuses the origin %j and keeps the token",
    async (origin) => {
      const once = tokens.mint();
      expect((await exchange(once, { Origin: origin })).status).toBe(403);
      expect((await exchange(once, {})).status).toBe(403);
      expect((await exchange(once)).status).toBe(200);
    },
  );

  it.each([[""], ["x"], ["A".repeat(43)], ["A".repeat(100_000)], ['{"token":"x"}']])("refuses %s", async (body) => {
    expect((await exchange(body)).status).toBe(401);
  });

  it("takes nothing from a query or a cookie", async () => {
    const once = tokens.mint();
    expect((await ask(`/session?token=${once}`, { method: "POST", headers: { Origin: own() } })).status).not.toBe(200);
    expect((await exchange("", { Origin: own(), Cookie: `token=${once}` })).status).toBe(401);
    expect((await ask("/session", { headers: { Origin: own() } })).status).toBe(405);
    expect((await exchange(once)).status).toBe(200);
  });
});

describe("the link", () => {
  const link = (headers: Record<string, string>, protocols: string[], path = "/link") =>
    dialWebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers, protocols });

  it("opens for our page with a per-tab token, as often as it reloads", async () => {
    const token = await tabToken("new");
    for (let n = 1; n <= 2; n++) {
      const dialled = await link({ Origin: own() }, ["muxdeck", `token.${token}`]);
      expect(dialled.ok).toBe(true);
      if (dialled.ok) dialled.value.terminate();
      expect(attached.map((one) => one.kind)).toEqual(Array(n).fill("new"));
    }
  });

  it.each([
    ["no origin", {}],
    ["a foreign origin", { Origin: "http://evil.example" }],
    ["the null origin", { Origin: "null" }],
    ["another port's origin", { Origin: "http://127.0.0.1:1" }],
    ["a rebound name", { Host: "evil.example", Origin: "http://evil.example" }],
    ["a name that looks like loopback", { Host: "127.evil.tld", Origin: "http://127.evil.tld" }],
  ] as const)("is refused with %s before 101", async (_what, headers: Record<string, string>) => {
    const token = await tabToken();
    expect(await link(headers, ["muxdeck", `token.${token}`])).toMatchObject({ ok: false, error: { code: "not-permitted" } });
    expect(attached).toEqual([]);
  });

  it("is refused without a good token", async () => {
    const once = tokens.mint();
    const token = await tabToken();
    const offers = [
      [],
      ["muxdeck"],
      ["muxdeck", "token."],
      ["muxdeck", "token.x"],
      ["muxdeck", `token.${once}`],
      ["muxdeck", token],
      [`token.${token}`],
      ["muxdeck", "x", `token.${token}`],
      ["muxdeck", `token.${token}x`],
    ];
    for (const offer of offers) {
      expect(await link({ Origin: own() }, offer), offer.join(" ")).toMatchObject({ ok: false, error: { code: "unauthenticated" } });
    }
    expect(attached).toEqual([]);
  });

  it("is nowhere else", async () => {
    const token = await tabToken();
    for (const path of ["/", "/link/", "/link?x=1", "/session"]) {
      expect((await link({ Origin: own() }, ["muxdeck", `token.${token}`], path)).ok).toBe(false);
    }
  });
});

describe("the port", () => {
  it("in use is said in one sentence", async () => {
    const second = await startWebServer({ files, tokens, port: server.port, allowHosts: new Set(), attach: () => {} });
    expect(second).toMatchObject({ ok: false, error: { code: "busy" } });
  });

  it("is not held by open links when the host ends", async () => {
    const token = await tabToken();
    const dialled = await dialWebSocket(`ws://127.0.0.1:${server.port}/link`, {
      headers: { Origin: own() },
      protocols: ["muxdeck", `token.${token}`],
    });
    expect(dialled.ok).toBe(true);
    for (const { transport } of attached) transport.close();
    if (dialled.ok) dialled.value.listen({ frame: () => {}, drain: () => {}, closed: () => {} });
    await server.close();
    const again = await startWebServer({ files, tokens, port: server.port, allowHosts: new Set(), attach: () => {} });
    expect(again.ok).toBe(true);
    if (again.ok) server = again.value;
  });
});
