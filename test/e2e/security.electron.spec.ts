/**
 * What the page may not do in Electron, tried from inside the page: reach the network, run text as code, leave, open windows, ask for
 * devices, see more of the app than two facts. Nothing here needs a session.
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright";
import { type Deck, expect, test } from "../support/desk-test.js";
import { ready } from "./app-page.js";

/** Counts everything that reaches it; answers so that nothing would fail for another reason than ours. */
async function startBait(): Promise<{ port: number; asked: string[]; close: () => Promise<void> }> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Content-Type", "text/javascript");
    response.end("export {}");
  });
  server.on("connection", () => asked.push("connection"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function appOf(deck: Deck): NonNullable<Deck["app"]> {
  if (deck.app === null) throw new Error("not in Electron");
  return deck.app;
}

const addresses = (deck: Deck) => appOf(deck).evaluate(({ webContents }) => webContents.getAllWebContents().map((one) => one.getURL()));

/** Runs in the page's own world, as injected script would: results only, no handles. */
const inPage = <T>(page: Page, run: (arg: string) => T | Promise<T>, arg = "") => page.evaluate(run, arg);

test("every window has the fixed web preferences and no developer tools", async ({ deck }) => {
  const found = await appOf(deck).evaluate(({ webContents }) =>
    webContents.getAllWebContents().map((contents) => {
      contents.openDevTools();
      // Not in Electron's types; kept for exactly this question.
      const read: unknown = Reflect.get(contents, "getLastWebPreferences");
      return { preferences: typeof read === "function" ? read.call(contents) : null, devTools: contents.isDevToolsOpened() };
    }),
  );
  expect(found.length).toBeGreaterThan(0);
  for (const { preferences, devTools } of found) {
    expect(preferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
    });
    expect(devTools).toBe(false);
  }
});

test("the page is our own, and is shown three facts of the app", async ({ deck }) => {
  expect(deck.page.url()).toBe("app://muxdeck/index.html");
  const seen = await inPage(deck.page, () => ({
    bridge: Object.entries(Reflect.get(window, "muxdeck") as object).map(([name, value]) => [name, typeof value]),
    node: ["require", "process", "module", "global", "Buffer", "ipcRenderer", "electron"].filter((name) => Reflect.has(window, name)),
    frozen: (() => {
      try {
        Reflect.set(Reflect.get(window, "muxdeck") as object, "host", "evil");
      } catch {
        // Refused aloud is refused too.
      }
      return (Reflect.get(window, "muxdeck") as { host: string }).host;
    })(),
  }));
  expect(seen).toEqual({
    bridge: [
      ["host", "string"],
      ["platform", "string"],
      ["titleBar", "string"],
    ],
    node: [],
    frozen: "electron",
  });
});

test("one channel is registered, and it is on the list", async ({ deck }) => {
  const channels = await appOf(deck).evaluate(({ ipcMain }) => ipcMain.eventNames().map(String));
  // `error` is Electron's own, on every emitter of this kind.
  expect(channels.filter((name) => name !== "error")).toEqual(["muxdeck:ready"]);
});

test("the channel answers the top frame of our page, with nothing in the message, and nobody else", async ({ deck }) => {
  await ready(deck.page);
  const ports = await appOf(deck).evaluate(({ ipcMain, webContents }) => {
    const contents = webContents.getAllWebContents()[0];
    if (contents === undefined) return null;
    const answers: string[] = [];
    let asked = "";
    contents.postMessage = (channel: string) => {
      answers.push(`${asked}: ${channel}`);
    };
    const ask = (what: string, event: Record<string, unknown>, ...args: unknown[]) => {
      asked = what;
      ipcMain.emit("muxdeck:ready", event, ...args);
    };
    const top = contents.mainFrame;
    const sender = contents;
    ask("a frame within", { sender, senderFrame: { url: top.url } });
    ask("a gone frame", { sender, senderFrame: null });
    ask("no frame", { sender });
    ask("another page", { sender: { mainFrame: { url: "https://example.org/" } }, senderFrame: { url: "https://example.org/" } });
    ask("another file", { sender: { mainFrame: top }, senderFrame: top });
    ask("arguments", { sender, senderFrame: top }, "x");
    ask("an object", { sender, senderFrame: top }, { __proto__: null });
    ask("the page", { sender, senderFrame: top });
    return answers;
  });
  expect(ports).toEqual(["the page: muxdeck:port"]);
});

test("the page has no network", async ({ deck }) => {
  const bait = await startBait();
  const tried = await inPage(
    deck.page,
    async (port) => {
      const at = `127.0.0.1:${port}`;
      const outcome = async (what: () => Promise<unknown>) => {
        try {
          await what();
          return "worked";
        } catch {
          return "failed";
        }
      };
      const loaded = (element: HTMLElement) =>
        new Promise((done, failed) => {
          element.addEventListener("load", done);
          element.addEventListener("error", failed);
          document.body.append(element);
        });
      const socket = (address: string) =>
        new Promise((done, failed) => {
          const one = new WebSocket(address);
          one.onopen = done;
          one.onerror = failed;
        });
      return {
        fetch: await outcome(() => fetch(`http://${at}/fetch`)),
        noCors: await outcome(() => fetch(`http://${at}/no-cors`, { mode: "no-cors" })),
        own: await outcome(() => fetch("app://muxdeck/index.html")),
        file: await outcome(() => fetch("file:///etc/hostname")),
        xhr: await outcome(
          () =>
            new Promise((done, failed) => {
              const request = new XMLHttpRequest();
              request.onload = done;
              request.onerror = failed;
              request.open("GET", `http://${at}/xhr`);
              request.send();
            }),
        ),
        webSocket: await outcome(() => socket(`ws://${at}/socket`)),
        events: await outcome(
          () =>
            new Promise((done, failed) => {
              const source = new EventSource(`http://${at}/events`);
              source.onopen = done;
              source.onerror = failed;
            }),
        ),
        image: await outcome(() => loaded(Object.assign(new Image(), { src: `http://${at}/image` }))),
        script: await outcome(() => loaded(Object.assign(document.createElement("script"), { src: `http://${at}/script.js` }))),
        style: await outcome(() =>
          loaded(Object.assign(document.createElement("link"), { rel: "stylesheet", href: `http://${at}/style` })),
        ),
        module: await outcome(() => import(/* @vite-ignore */ `http://${at}/module.js`)),
        font: await outcome(() => new FontFace("x", `url(http://${at}/font)`).load()),
        // Says true when it was queued; what counts is that nothing arrives.
        beacon: navigator.sendBeacon(`http://${at}/beacon`, "x") ? "queued" : "failed",
        worker: await outcome(
          () =>
            new Promise((done, failed) => {
              const worker = new Worker(URL.createObjectURL(new Blob(["postMessage(1)"])));
              worker.onmessage = done;
              worker.onerror = failed;
            }),
        ),
      };
    },
    String(bait.port),
  );
  expect({ ...tried, beacon: "failed" }).toEqual(Object.fromEntries(Object.keys(tried).map((name) => [name, "failed"])));
  // A request of the test's own proves that the bait works.
  await new Promise((done) => createProbe(bait.port, done));
  expect(bait.asked).toEqual(["connection", "/probe"]);
  await bait.close();
});

function createProbe(port: number, done: (value: unknown) => void): void {
  void fetch(`http://127.0.0.1:${port}/probe`).then(done);
}

test("text does not become code", async ({ deck }) => {
  // Playwright's own evaluations pass by the policy, so the text has to come from a script of the page: a listener's.
  const tried = await deck.page.evaluate(
    () =>
      new Promise<Record<string, string>>((done) => {
        const result: Record<string, string> = {};
        const button = document.createElement("button");
        button.setAttribute("onclick", "window.__inline = true");
        button.addEventListener("click", () => {
          for (const [name, run] of Object.entries({
            eval: () => Reflect.get(window, "eval")("1"),
            function: () => new Function("return 1")(),
          })) {
            try {
              run();
              result[name] = "worked";
            } catch {
              result[name] = "failed";
            }
          }
          const script = document.createElement("script");
          script.textContent = "window.__inline = true";
          document.body.append(script);
          const link = Object.assign(document.createElement("a"), { href: "javascript:window.__inline = true" });
          document.body.append(link);
          link.click();
          requestAnimationFrame(() => {
            result.inline = Reflect.has(window, "__inline") ? "worked" : "failed";
            done(result);
          });
        });
        document.body.append(button);
        setTimeout(() => button.click());
      }),
  );
  expect(tried).toEqual({ eval: "failed", function: "failed", inline: "failed" });
});

test("the page stays where it is and opens nothing", async ({ deck }) => {
  const before = await addresses(deck);
  const tries: ((page: Page) => Promise<unknown>)[] = [
    (page) => inPage(page, () => Reflect.set(location, "href", "https://example.org/")),
    (page) => inPage(page, () => location.assign("http://127.0.0.1:9/")),
    (page) => inPage(page, () => Reflect.set(location, "href", "file:///etc/passwd")),
    (page) => inPage(page, () => Reflect.set(location, "href", "app://muxdeck/other.html")),
    (page) => inPage(page, () => Reflect.set(location, "href", "app://other/index.html")),
    (page) => inPage(page, () => Reflect.set(location, "href", "data:text/html,x")),
    (page) => inPage(page, () => Reflect.set(location, "href", "javascript:document.body.remove()")),
    (page) => inPage(page, () => void window.open("https://example.org/")),
    (page) => inPage(page, () => void window.open("app://muxdeck/index.html", "_blank", "nodeIntegration=yes")),
    (page) => inPage(page, () => void window.open("about:blank")),
    (page) =>
      inPage(page, () => {
        const link = Object.assign(document.createElement("a"), { href: "https://example.org/", target: "_blank" });
        document.body.append(link);
        link.click();
      }),
    (page) =>
      inPage(page, () => {
        const form = Object.assign(document.createElement("form"), { action: "https://example.org/", method: "post" });
        document.body.append(form);
        form.submit();
      }),
    (page) =>
      inPage(page, () => {
        const refresh = document.createElement("meta");
        refresh.httpEquiv = "refresh";
        refresh.content = "0; url=https://example.org/";
        document.head.append(refresh);
      }),
    (page) => inPage(page, () => document.body.append(Object.assign(document.createElement("iframe"), { src: "https://example.org/" }))),
    (page) =>
      inPage(page, () => document.body.append(Object.assign(document.createElement("iframe"), { src: "app://muxdeck/index.html" }))),
    (page) => inPage(page, () => document.body.append(document.createElement("webview"))),
  ];
  for (const attempt of tries) {
    await attempt(deck.page);
    // A turn through page and main process: what was going to happen has begun.
    await inPage(deck.page, () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    expect(await addresses(deck)).toEqual(before);
  }
  expect(appOf(deck).windows()).toHaveLength(1);
  expect(
    await inPage(
      deck.page,
      () =>
        document.body !== null &&
        [...document.querySelectorAll("iframe")].every(
          (frame) => frame.contentDocument === null || frame.contentDocument.body.childElementCount === 0,
        ),
    ),
  ).toBe(true);
});

test("the page gets no device and no permission", async ({ deck }) => {
  const asked = await inPage(deck.page, async () => {
    const outcome = async (what: () => Promise<unknown>) => {
      try {
        return String((await what()) ?? "nothing");
      } catch {
        return "refused";
      }
    };
    const state = (name: string) => outcome(async () => (await navigator.permissions.query({ name: name as PermissionName })).state);
    return {
      notification: await outcome(() => Notification.requestPermission()),
      position: await outcome(() => new Promise((done, failed) => navigator.geolocation.getCurrentPosition(done, failed))),
      camera: await outcome(() => navigator.mediaDevices.getUserMedia({ video: true, audio: true })),
      screen: await outcome(() => navigator.mediaDevices.getDisplayMedia({ video: true })),
      midi: await outcome(() => navigator.requestMIDIAccess({ sysex: true })),
      usb: await outcome(() => Reflect.get(navigator, "usb").requestDevice({ filters: [] })),
      hid: await outcome(() => Reflect.get(navigator, "hid").requestDevice({ filters: [] })),
      serial: await outcome(() => Reflect.get(navigator, "serial").requestPort()),
      clipboardRead: await outcome(() => navigator.clipboard.readText()),
      clipboardWrite: await outcome(() => navigator.clipboard.writeText("x")),
      states: await Promise.all(["geolocation", "camera", "microphone", "clipboard-read", "midi"].map(state)),
    };
  });
  const { states, notification, hid, ...others } = asked;
  expect(notification).toBe("denied");
  // An empty list is how a refused choice of devices reads.
  expect(["refused", ""]).toContain(hid);
  expect(new Set(Object.values(others))).toEqual(new Set(["refused"]));
  expect(states).not.toContain("granted");
});

test("there is no native menu that would take keys", async ({ deck }) => {
  expect(await appOf(deck).evaluate(({ Menu }) => Menu.getApplicationMenu() === null)).toBe(true);
});
