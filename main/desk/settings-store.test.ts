/** The settings file: what of a file that does not fit is used, and that it is never rewritten for it. */
import * as realFs from "node:fs";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defaultSettings } from "../../link/settings.js";
import type { StoreFs } from "../../state/json-store.js";
import { SettingsStore } from "./settings-store.js";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-settings-"));
  file = join(folder, "settings.json");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("SettingsStore", () => {
  it("has defaults without a file, and makes none", () => {
    const store = new SettingsStore(file);
    expect(store.current).toEqual(defaultSettings);
    expect(store.notices).toEqual([]);
    expect(realFs.existsSync(file)).toBe(false);
  });

  it("fills in what a file leaves out", () => {
    writeFileSync(file, JSON.stringify({ version: 1, "terminal.fontSize": 20 }));
    expect(new SettingsStore(file).current).toEqual({ ...defaultSettings, "terminal.fontSize": 20 });
  });

  it("takes what fits, names what does not, and leaves the file as it is", () => {
    const content = JSON.stringify({ version: 1, "terminal.fontSize": 1000, "appearance.theme": "light", "terminal.command": "bash" });
    writeFileSync(file, content);
    const store = new SettingsStore(file);
    expect(store.current).toEqual({ ...defaultSettings, "appearance.theme": "light" });
    expect(store.notices).toEqual([expect.stringContaining("terminal.fontSize"), expect.stringContaining("terminal.command")]);
    expect(readFileSync(file, "utf8")).toBe(content);
  });

  it("takes a file without a version", () => {
    writeFileSync(file, JSON.stringify({ "terminal.fontSize": 20 }));
    expect(new SettingsStore(file).current["terminal.fontSize"]).toBe(20);
  });

  it("keeps keys that it does not know", () => {
    writeFileSync(file, JSON.stringify({ version: 1, "somebody.else": [1, 2] }));
    const store = new SettingsStore(file);
    expect(store.save({ ...defaultSettings, "terminal.fontSize": 14 }).ok).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ "somebody.else": [1, 2], "terminal.fontSize": 14 });
    expect(store.current).not.toHaveProperty("somebody.else");
  });

  it("keeps the old ones in force when the new ones cannot be written", () => {
    const broken: StoreFs = {
      ...realFs,
      writeSync: () => {
        throw new Error("ENOSPC");
      },
    };
    const store = new SettingsStore(file, broken);
    expect(store.save({ ...defaultSettings, "terminal.fontSize": 14 })).toMatchObject({ ok: false, error: { code: "internal" } });
    expect(store.current).toEqual(defaultSettings);
  });

  it.each(["{", "[]", "7", "null", JSON.stringify({ version: 99 })])("uses defaults for %s, and keeps the file", (content) => {
    writeFileSync(file, content);
    const store = new SettingsStore(file);
    expect(store.current).toEqual(defaultSettings);
    expect(store.notices).toHaveLength(1);
  });
});
