/** The layout file: when it is written, what survives damage, and what is said when the disk is full. */
import * as realFs from "node:fs";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WindowLayout } from "../../link/layout.js";
import type { StoreFs } from "../../state/json-store.js";
import { ManualClock } from "../../test/support/manual-clock.js";
import { LayoutStore, saveMs } from "./layout-store.js";

let folder: string;
let file: string;
let clock: ManualClock;
let notices: string[];
const none = new Set<string>();

function layout(windowId: string, width = 256): WindowLayout {
  return { windowId, tabs: [], activeTab: null, sidebar: { shown: true, width }, bounds: null };
}

function open(fs?: StoreFs): LayoutStore {
  const timeOfDay = () => new Date(2026, 0, 1, 14, 2);
  return new LayoutStore({ file, clock, notice: (text) => notices.push(text), timeOfDay, ...(fs === undefined ? {} : { fs }) });
}

function onDisk(): string[] {
  return JSON.parse(readFileSync(file, "utf8")).windows.map((window: WindowLayout) => window.windowId);
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-layouts-"));
  file = join(folder, "layouts.json");
  clock = new ManualClock();
  notices = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("LayoutStore", () => {
  it("writes once for many changes, within a second of the first", () => {
    let renames = 0;
    const counting: StoreFs = {
      ...realFs,
      renameSync: (from, to) => {
        renames++;
        realFs.renameSync(from, to);
      },
    };
    const store = open(counting);
    for (let width = 200; width < 300; width++) {
      store.put("a", layout("a", width), none);
      clock.advance(saveMs / 100);
    }
    expect(renames).toBe(1);
    store.close();
    expect(open().get("a")?.sidebar.width).toBe(299);
    expect(clock.pending).toBe(0);
  });

  it("gives the most recently used window that nobody has", () => {
    const store = open();
    for (const id of ["a", "b", "c"]) store.put(id, layout(id), none);
    store.put("a", layout("a"), none);
    expect(store.free(none)?.windowId).toBe("a");
    expect(store.free(new Set(["a", "c"]))?.windowId).toBe("b");
    expect(store.free(new Set(["a", "b", "c"]))).toBeNull();
    store.close();
    expect(open().windows.map((window) => window.windowId)).toEqual(["b", "c", "a"]);
  });

  it("forgets the oldest of too many, but none that is open", () => {
    const store = open();
    for (let n = 0; n < 100; n++) store.put(`w${n}`, layout(`w${n}`), none);
    store.put("new", layout("new"), new Set(["w0", "new"]));
    expect(store.windows).toHaveLength(100);
    expect(store.get("w0")).not.toBeNull();
    expect(store.get("w1")).toBeNull();
  });

  it("says once that the disk is full, keeps the old file, and writes when there is room again", () => {
    let full = false;
    const filling: StoreFs = {
      ...realFs,
      writeSync: ((handle: number, bytes: Uint8Array, at: number, length: number) => {
        if (full) throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
        return realFs.writeSync(handle, bytes, at, length);
      }) as StoreFs["writeSync"],
    };
    const store = open(filling);
    store.put("a", layout("a"), none);
    clock.advance(1000);
    full = true;
    store.put("b", layout("b"), none);
    clock.advance(1000);
    store.put("c", layout("c"), none);
    clock.advance(60_000);
    expect(notices).toEqual([
      "The layout was not saved: the disk is full. Sessions keep running, the layout of 14:02 is kept. Free some space.",
    ]);
    expect(onDisk()).toEqual(["a"]);
    full = false;
    clock.advance(60_000);
    expect(onDisk()).toEqual(["a", "b", "c"]);
    full = true;
    store.put("d", layout("d"), none);
    clock.advance(1000);
    expect(notices).toHaveLength(2);
    store.close();
    expect(clock.pending).toBe(0);
  });

  it("sets a damaged and a newer file aside, and says so", () => {
    for (const content of ["{ not json", JSON.stringify({ version: 2, windows: [] }), JSON.stringify({ version: 1, windows: [{}] }), ""]) {
      rmSync(folder, { recursive: true });
      realFs.mkdirSync(folder);
      writeFileSync(file, content);
      const store = open();
      expect(store.windows).toEqual([]);
      expect(store.notices).toHaveLength(1);
      store.put("a", layout("a"), none);
      store.close();
      const aside = realFs.readdirSync(folder).find((name) => name.startsWith("layouts.json.") && !name.endsWith(".bak"));
      expect(readFileSync(join(folder, aside ?? "none"), "utf8")).toBe(content);
    }
  });

  it("loses one damaged window only", () => {
    writeFileSync(file, JSON.stringify({ version: 1, windows: [layout("a"), { windowId: "b", tabs: 7 }, layout("c")] }));
    const store = open();
    expect(store.windows.map((window) => window.windowId)).toEqual(["a", "c"]);
    expect(store.notices).toEqual(["The layout of a window is damaged and was left out. Its sessions keep running."]);
  });
});
