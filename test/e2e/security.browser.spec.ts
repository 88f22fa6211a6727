/**
 * The browser host against other pages in the same browser: who gets in with which token, and what a foreign page can do. The tables of
 * headers are tested without a browser (main/web).
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright";
import { expect, test } from "../support/desk-test.js";
import { ready } from "./app-page.js";

/** One more page, in the same browser. */
async function anotherPage(page: Page): Promise<Page> {
  const browser = page.context().browser();
  if (browser === null) throw new Error("a page without a browser");
  return browser.newPage();
}

test("an address works once, and its token is nowhere afterwards", async ({ deck, home }) => {
  const { page } = deck;
  await ready(page);
  expect(page.url()).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  const [address = ""] = (await home.run(["serve", "--url"])).stdout.split("\n");
  const token = new URL(address).hash.slice(1);
  const other = await anotherPage(page);
  await other.goto(address);
  await ready(other);
  const kept = await other.evaluate(() => ({
    address: location.href,
    history: history.length,
    cookies: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
  }));
  expect(JSON.stringify(kept)).not.toContain(token);
  expect(kept.cookies).toBe("");
  expect(JSON.stringify(kept.local)).not.toContain(Object.values(kept.session)[0] ?? "a token");
  // Reloaded, the tab is let in by its own token; a copy of the address is not.
  await other.reload();
  await ready(other);
  const thief = await anotherPage(page);
  await thief.goto(address);
  await expect(thief.getByText("muxdeck serve --url").first()).toBeVisible();
  await expect(thief.locator("html")).not.toHaveAttribute("data-ready", "true");
});

test("a page of another origin gets nothing", async ({ deck, home }) => {
  const { page } = deck;
  await ready(page);
  const host = new URL(page.url()).host;
  const [address = ""] = (await home.run(["serve", "--url"])).stdout.split("\n");
  const token = new URL(address).hash.slice(1);
  const tabToken = await page.evaluate(() => Object.values(sessionStorage)[0] ?? "");
  expect(tabToken).not.toBe("");
  const foreign = createServer((_request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end("<!doctype html><title>elsewhere</title>");
  });
  await new Promise<void>((done) => foreign.listen(0, "127.0.0.1", done));
  const evil = await anotherPage(page);
  await evil.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
  // It even knows both tokens.
  const tried = await evil.evaluate(
    async ([at, once, tab]) => {
      const outcome = async (what: () => Promise<unknown>) => {
        try {
          return String(await what());
        } catch {
          return "failed";
        }
      };
      const socket = (protocols: string[]) =>
        new Promise((done, failed) => {
          const one = new WebSocket(`ws://${at}/link`, protocols);
          one.onopen = () => done("open");
          one.onerror = failed;
        });
      const framed = () =>
        new Promise((done) => {
          const frame = Object.assign(document.createElement("iframe"), { src: `http://${at}/` });
          frame.onload = () => {
            try {
              done(frame.contentDocument === null ? "opaque" : "readable");
            } catch {
              done("opaque");
            }
          };
          document.body.append(frame);
        });
      return {
        page: await outcome(async () => (await fetch(`http://${at}/`)).text()),
        session: await outcome(async () => (await fetch(`http://${at}/session`, { method: "POST", body: once })).status),
        blind: await outcome(async () => (await fetch(`http://${at}/session`, { method: "POST", body: once, mode: "no-cors" })).status),
        link: await outcome(() => socket(["muxdeck", `token.${tab}`])),
        framed: await outcome(framed),
      };
    },
    [host, token, tabToken],
  );
  expect(tried).toEqual({ page: "failed", session: "failed", blind: "failed", link: "failed", framed: "opaque" });
  // Not even spent: the address still lets its owner in.
  const owner = await anotherPage(page);
  await owner.goto(address);
  await ready(owner);
  foreign.closeAllConnections();
  await new Promise((done) => foreign.close(done));
});

test("the page reaches its own host and no other", async ({ deck }) => {
  const { page } = deck;
  await ready(page);
  const tried = await page.evaluate(async () => {
    const outcome = async (what: () => Promise<unknown>) => {
      try {
        await what();
        return "worked";
      } catch {
        return "failed";
      }
    };
    return {
      own: await outcome(() => fetch("./", { method: "HEAD" })),
      other: await outcome(() => fetch("http://127.0.0.1:9/", { mode: "no-cors" })),
      socket: await outcome(
        () =>
          new Promise((done, failed) => {
            const one = new WebSocket("ws://127.0.0.1:9/");
            one.onopen = done;
            one.onerror = failed;
          }),
      ),
      eval: await new Promise((done) => {
        const script = document.createElement("script");
        script.textContent = "window.__inline = true";
        document.body.append(script);
        done(Reflect.has(window, "__inline") ? "worked" : "failed");
      }),
    };
  });
  expect(tried).toEqual({ own: "worked", other: "failed", socket: "failed", eval: "failed" });
});
