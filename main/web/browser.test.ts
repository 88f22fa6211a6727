/** Which program shows the page, and that an address stays one argument whatever it holds. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../test/support/wait.js";
import { browserCommand, openBrowser } from "./browser.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-browser-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function program(name: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "$0" "$@" > '${folder}/said.part'\nmv '${folder}/said.part' '${folder}/said'\n`);
  chmodSync(path, 0o755);
  return path;
}

const address = "http://127.0.0.1:7000/#token";
const env = () => ({ PATH: `/nowhere:${folder}`, DISPLAY: ":9" });

describe("browserCommand", () => {
  it("prefers a Chromium in a window of its own, else the system's choice", () => {
    expect(browserCommand(address, "app", env(), "linux")).toBeNull();
    const opener = program("xdg-open");
    expect(browserCommand(address, "app", env(), "linux")).toEqual([opener, address]);
    const edge = program("microsoft-edge");
    expect(browserCommand(address, "app", env(), "linux")).toEqual([edge, `--app=${address}`]);
    const chromium = program("chromium");
    expect(browserCommand(address, "app", env(), "linux")).toEqual([chromium, `--app=${address}`]);
  });

  it("gives other addresses to the system's choice", () => {
    program("chromium");
    const opener = program("xdg-open");
    expect(browserCommand(address, "tab", env(), "linux")).toEqual([opener, address]);
    expect(browserCommand(address, "tab", env(), "darwin")).toEqual(["open", address]);
    expect(browserCommand(address, "tab", env(), "win32")).toEqual(["rundll32", "url.dll,FileProtocolHandler", address]);
  });

  it("needs a display", () => {
    program("chromium");
    expect(browserCommand(address, "app", { PATH: folder }, "linux")).toBeNull();
    expect(browserCommand(address, "app", { PATH: folder, WAYLAND_DISPLAY: "wayland-0" }, "linux")).not.toBeNull();
  });

  it("skips what is no program", () => {
    writeFileSync(join(folder, "chromium"), "text");
    expect(browserCommand(address, "app", env(), "linux")).toBeNull();
  });
});

describe("openBrowser", () => {
  it("starts it with the address as one argument, past every shell", async () => {
    const path = program("xdg-open");
    const hostile = "https://example.org/$(touch%20x);`id`|&'\"?a=b";
    expect(await openBrowser(hostile, "tab", { ...process.env, ...env() })).toEqual({ ok: true, value: {} });
    const said = await until("the program to be run", () => {
      try {
        return readFileSync(join(folder, "said"), "utf8");
      } catch {
        return null;
      }
    });
    expect(said).toBe(`${path}\n${hostile}\n`);
  });

  it("says so when there is none", async () => {
    expect(await openBrowser(address, "app", env())).toMatchObject({ ok: false, error: { code: "unreachable" } });
  });
});
