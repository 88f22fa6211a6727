/** Verbs that start programs of their own: the browser host and the app. What is passed on, and what is said about the choice. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHome, type MuxdeckHome } from "../support/muxdeck-home.js";
import { inTime, until } from "../support/wait.js";

let home: MuxdeckHome;
beforeAll(() => {
  home = createHome();
});
afterAll(() => home.close());

/** No display, and no browser that could be opened. */
const headless = { DISPLAY: "", WAYLAND_DISPLAY: "", BROWSER: "/bin/true", PATH: "/usr/bin:/bin" };

interface Host {
  said(): { out: string; err: string };
  ended: Promise<number | null>;
  stop(): void;
}

function host(args: string[]): Host {
  const child = home.start(args, headless);
  let out = "";
  let err = "";
  child.stdout?.on("data", (bytes: Buffer) => {
    out += bytes;
  });
  child.stderr?.on("data", (bytes: Buffer) => {
    err += bytes;
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  return { said: () => ({ out, err }), ended, stop: () => void child.kill("SIGTERM") };
}

test("serve prints one URL, --url another one, and a signal ends both processes in peace", async () => {
  const running = host(["serve", "--no-open"]);
  await until("the URL", () => running.said().out.includes("\n"));
  expect(running.said().out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#\S+\n$/);
  const another = await home.run(["serve", "--url", "--json"], { env: headless });
  expect(another.code).toBe(0);
  expect(JSON.parse(another.stdout).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#\S+$/);
  expect(another.stdout).not.toContain(running.said().out.trim());
  expect((await home.run(["doctor", "--json"])).stdout).toContain('"desk":"running');
  running.stop();
  expect(await inTime("the host to end", running.ended)).toBe(0);
  await until("the host's process to be gone", () =>
    home.processes().every(({ command }) => !command.some((word) => word.endsWith("web.cjs"))),
  );
});

test("wrong options of serve are refused with the usage, wrong values by the host itself", async () => {
  expect((await home.run(["serve", "--bogus"])).code).toBe(2);
  const refused = await home.run(["serve", "--port", "x", "--json"]);
  expect(refused.code).toBe(2);
  expect(JSON.parse(refused.stderr).error.code).toBe("invalid");
});

test("without a display the app opens in the browser host and says so in one line", async () => {
  const running = host(["app"]);
  await until("the URL", () => running.said().out.includes("\n"));
  expect(running.said().err).toMatch(/^muxdeck: opening in the browser, because there is no display\.\n/);
  running.stop();
  expect(await inTime("the host to end", running.ended)).toBe(0);
});
