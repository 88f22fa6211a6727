/** The complete old or the complete new version, whatever happens in between. */
import * as fs from "node:fs";
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { JsonStore, type JsonStoreOptions, type StoreFs } from "./json-store.js";

const schema = z.object({ version: z.literal(2), names: z.array(z.string()) });
type Value = z.infer<typeof schema>;

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-store-"));
  file = join(folder, "machines.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const value = (...names: string[]): Value => ({ version: 2, names });
const make = (more: Partial<JsonStoreOptions<Value>> = {}) =>
  new JsonStore<Value>({ file, schema, version: 2, empty: () => value(), ...more });
const onDisk = () => JSON.parse(readFileSync(file, "utf8")) as unknown;

describe("JSON store", () => {
  it("loads what was saved, for its owner only", () => {
    expect(make().load()).toEqual({ value: value(), notices: [] });
    expect(make().save(value("web-1"))).toEqual({ ok: true, value: {} });
    expect(make().load()).toEqual({ value: value("web-1"), notices: [] });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["machines.json"]);
  });

  it("keeps the version before as its one backup", () => {
    const store = make();
    for (const name of ["one", "two", "three"]) expect(store.save(value(name)).ok).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["machines.json", "machines.json.bak"]);
    expect(readFileSync(`${file}.bak`, "utf8")).toContain("two");
  });

  it("makes the folder when it is missing", () => {
    const store = make({ file: join(folder, "deep", "er", "x.json") });
    expect(store.save(value("a")).ok).toBe(true);
  });

  it("writes through a link that somebody keeps their settings by", () => {
    const real = join(folder, "dotfiles.json");
    writeFileSync(real, JSON.stringify(value("old")));
    symlinkSync(real, file);
    const store = make();
    store.load();
    store.save(value("new"));
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(readFileSync(real, "utf8")).toContain("new");
  });

  it("migrates an older version and does not rewrite it for that", () => {
    writeFileSync(file, JSON.stringify({ version: 1, name: "only" }));
    const before = readFileSync(file, "utf8");
    const migrate = (old: unknown, version: number) => (version === 1 ? value((old as { name: string }).name) : old);
    expect(make({ migrate }).load()).toEqual({ value: value("only"), notices: [] });
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it.each([
    ["cut off", `{"version":2,"names":["a"`],
    ["empty", ""],
    ["of another shape", `{"version":2,"names":"a"}`],
    ["without a version", `{"names":[]}`],
    ["binary", "\u0000\u0001\u0002"],
  ])("sets a file aside that is %s, uses the version before, and says so", (_what, content) => {
    const store = make();
    store.save(value("good"));
    store.save(value("better"));
    writeFileSync(file, content);
    const again = make();
    const { value: loaded, notices } = again.load();
    expect(loaded).toEqual(value("good"));
    expect(notices).toHaveLength(1);
    const aside = readdirSync(folder).find((name) => name.includes("damaged"));
    expect(aside && readFileSync(join(folder, aside), "utf8")).toBe(content);
    expect(notices[0]).toContain(aside);
    // Starting again and again makes no more of them.
    make().load();
    expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toHaveLength(1);
    again.save(value("next"));
    expect(onDisk()).toEqual(value("next"));
    expect(readFileSync(join(folder, aside ?? ""), "utf8")).toBe(content);
    expect(readFileSync(`${file}.bak`, "utf8")).toContain("good");
  });

  it("never overwrites what a newer version wrote", () => {
    const newer = JSON.stringify({ version: 3, everything: "else" });
    writeFileSync(file, newer);
    const store = make();
    const { value: loaded, notices } = store.load();
    expect(loaded).toEqual(value());
    expect(notices[0]).toMatch(/newer version of Muxdeck; it is kept as machines\.json\.newer-.*Defaults are used/);
    store.save(value("mine"));
    const aside = readdirSync(folder).find((name) => name.includes("newer"));
    expect(readFileSync(join(folder, aside ?? ""), "utf8")).toBe(newer);
    expect(existsSync(`${file}.bak`)).toBe(false);
  });

  it("makes what it can of a value with a fault, when told how", () => {
    writeFileSync(file, JSON.stringify({ version: 2, names: ["good", 7] }));
    const store = make({ salvage: () => ({ value: value("good"), notices: ["The second name was left out."] }) });
    expect(store.load()).toEqual({ value: value("good"), notices: ["The second name was left out."] });
    expect(readdirSync(folder)).toEqual(["machines.json"]);
  });

  it("removes drafts of saves that died, not those under way", () => {
    const old = join(folder, `machines.json.123.${"a".repeat(12)}.tmp`);
    const fresh = join(folder, `machines.json.124.${"b".repeat(12)}.tmp`);
    const foreign = join(folder, "machines.json.tmp");
    for (const path of [old, fresh, foreign]) writeFileSync(path, "x");
    const long = new Date(Date.now() - 3_600_000);
    for (const path of [old, foreign]) utimesSync(path, long, long);
    make().load();
    expect(readdirSync(folder).sort()).toEqual([fresh, foreign].map((path) => path.slice(folder.length + 1)).sort());
  });

  it("is the old or the new version after a crash at any step", () => {
    const dies = (at: number): StoreFs => {
      let calls = 0;
      const dead = () => {
        if (calls++ >= at) throw Object.assign(new Error("the process died here"), { code: "EDEAD" });
      };
      // After the death nothing more happens, clean-up included.
      const guard = <A extends unknown[], R>(call: (...given: A) => R) => {
        return (...given: A): R => {
          dead();
          return call(...given);
        };
      };
      return {
        ...fs,
        openSync: guard(fs.openSync),
        fsyncSync: guard(fs.fsyncSync),
        closeSync: guard(fs.closeSync),
        renameSync: guard(fs.renameSync),
        linkSync: guard(fs.linkSync),
        unlinkSync: guard(fs.unlinkSync),
      };
    };
    let finished = 0;
    for (let step = 0; step < 20; step++) {
      const store = make({ fs: dies(Number.POSITIVE_INFINITY) });
      store.save(value("old"));
      const dying = new JsonStore<Value>({ file, schema, version: 2, empty: () => value(), fs: dies(step) });
      dying.load();
      const saved = dying.save(value("new"));
      const { value: found, notices } = make().load();
      expect([["old"], ["new"]]).toContainEqual(found.names);
      expect(notices).toEqual([]);
      if (saved.ok) {
        expect(found.names).toEqual(["new"]);
        finished++;
      }
    }
    expect(finished).toBeGreaterThan(3);
    expect(finished).toBeLessThan(20);
  });

  it("notices a disk that takes only part of it", () => {
    const store = make();
    store.save(value("old"));
    const broken = (writeSync: StoreFs["writeSync"]) => make({ fs: { ...fs, writeSync } });
    expect(broken(() => 0).save(value("new"))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("The version on disk is unchanged") },
    });
    expect(onDisk()).toEqual(value("old"));
    const lying = broken((_handle, _bytes, _at, length) => length);
    expect(lying.save(value("new")).ok).toBe(false);
    expect(onDisk()).toEqual(value("old"));
    expect(readdirSync(folder)).toEqual(["machines.json"]);
  });
});
