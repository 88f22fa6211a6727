/**
 * One JSON file with a schema and a version: loaded whole, replaced whole. Owns that the file is the complete old or the complete new
 * version at every moment, its one backup, and what happens to a file that cannot be used: it is set aside and reported, never lost.
 */
import { createHash, randomBytes } from "node:crypto";
import * as nodeFs from "node:fs";
import { basename, dirname, join } from "node:path";
import type { z } from "zod";
import { fail, ok, type Result } from "../protocol/errors.js";

/** What the store does to the disk; replaced in tests to break each step. */
export interface StoreFs
  extends Pick<
    typeof nodeFs,
    | "openSync"
    | "fsyncSync"
    | "closeSync"
    | "statSync"
    | "renameSync"
    | "linkSync"
    | "unlinkSync"
    | "readFileSync"
    | "readdirSync"
    | "realpathSync"
    | "mkdirSync"
  > {
  writeSync(handle: number, bytes: Uint8Array, at: number, length: number): number;
}

export interface JsonStoreOptions<T extends { version: number }> {
  file: string;
  /** Of the current version; the value carries `version`. */
  schema: z.ZodType<T>;
  version: number;
  /** What stands for a file that is not there or cannot be used. */
  empty: () => T;
  /** Turns an older version's value into the current one's shape; the schema checks the result. */
  migrate?: (value: unknown, version: number) => unknown;
  /** Makes something of a value that does not fit the schema, and says what it changed; null: it cannot. The file is not rewritten. */
  salvage?: (value: unknown) => { value: T; notices: string[] } | null;
  fs?: StoreFs;
}

export interface Loaded<T> {
  value: T;
  /** Sentences for the user: what was set aside, what was used instead. */
  notices: string[];
}

type Reading<T> = { kind: "value"; value: T; notices: string[] } | { kind: "missing" } | { kind: "unusable"; why: string; newer: boolean };

/** Drafts of crashed saves are removed at a load when they are older than this. */
const draftMs = 60_000;

export class JsonStore<T extends { version: number }> {
  readonly #options: JsonStoreOptions<T>;
  readonly #fs: StoreFs;
  /** The file holds something worth a backup: we loaded or wrote it. */
  #good = false;

  constructor(options: JsonStoreOptions<T>) {
    this.#options = options;
    this.#fs = options.fs ?? nodeFs;
  }

  /** Never fails: falls back to the backup, then to `empty`, and says so. */
  load(): Loaded<T> {
    const { file, empty } = this.#options;
    this.#removeDrafts();
    const found = this.#read(file);
    this.#good = found.kind === "value";
    if (found.kind === "value") return { value: found.value, notices: found.notices };
    if (found.kind === "missing") return { value: empty(), notices: [] };
    const aside = this.#setAside(found.newer ? "newer" : "damaged");
    const kept = aside === null ? `${file} ${found.why}.` : `${file} ${found.why}; it is kept as ${basename(aside)}.`;
    const backup = this.#read(`${file}.bak`);
    if (backup.kind === "value") return { value: backup.value, notices: [`${kept} The version before it is used.`, ...backup.notices] };
    return { value: empty(), notices: [`${kept} Defaults are used.`] };
  }

  /** Replaces the file. On a failure (disk full, no permission) the old one is untouched and the sentence says so. */
  save(value: T): Result<Record<string, never>> {
    const file = this.#target();
    const draft = `${file}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;
    try {
      this.#fs.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      this.#writeWhole(draft, Buffer.from(`${JSON.stringify(value, null, 2)}\n`));
      if (this.#good) this.#backUp(file, draft);
      this.#fs.renameSync(draft, file);
      this.#good = true;
      this.#syncFolder(dirname(file));
      return ok({});
    } catch (error) {
      this.#forget(draft);
      const reason = error instanceof Error ? error.message : String(error);
      return fail("internal", `${file} could not be saved: ${reason}. The version on disk is unchanged.`);
    }
  }

  #read(file: string): Reading<T> {
    const { schema, version, migrate, salvage } = this.#options;
    let value: unknown;
    try {
      value = JSON.parse(String(this.#fs.readFileSync(file, "utf8")));
    } catch (error) {
      if (error instanceof SyntaxError) return { kind: "unusable", why: "is damaged", newer: false };
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return { kind: "missing" };
      return { kind: "unusable", why: `cannot be read (${error instanceof Error ? error.message : error})`, newer: false };
    }
    const written = versionOf(value);
    if (written !== null && written > version) return { kind: "unusable", why: "was written by a newer version of Muxdeck", newer: true };
    const current = written !== null && written < version && migrate ? migrate(value, written) : value;
    const parsed = schema.safeParse(current);
    if (parsed.success) return { kind: "value", value: parsed.data, notices: [] };
    const salvaged = salvage?.(current);
    if (salvaged) return { kind: "value", ...salvaged };
    return { kind: "unusable", why: "is damaged", newer: false };
  }

  /** Gives the unusable file a second name; the next save replaces only the first. Named after its content: one file, however often it is read. */
  #setAside(why: string): string | null {
    const file = this.#target();
    try {
      const hash = createHash("sha256").update(this.#fs.readFileSync(file)).digest("hex").slice(0, 8);
      const aside = `${file}.${why}-${hash}`;
      try {
        this.#fs.linkSync(file, aside);
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      }
      return aside;
    } catch {
      return null;
    }
  }

  /** Exclusive, counted and synced: a nearly full disk takes part of a write without an error. */
  #writeWhole(path: string, bytes: Uint8Array): void {
    const handle = this.#fs.openSync(path, "wx", 0o600);
    try {
      for (let at = 0; at < bytes.length; ) {
        const written = this.#fs.writeSync(handle, bytes, at, bytes.length - at);
        if (written === 0) throw new Error("the disk is full");
        at += written;
      }
      this.#fs.fsyncSync(handle);
    } finally {
      this.#fs.closeSync(handle);
    }
    if (this.#fs.statSync(path).size !== bytes.length) throw new Error("the disk is full");
  }

  /** The file keeps its name all the while: the backup is a second name, put in place by a rename. */
  #backUp(file: string, draft: string): void {
    const next = `${draft}.bak`;
    try {
      this.#fs.linkSync(file, next);
      this.#fs.renameSync(next, `${file}.bak`);
      // A rename onto another name of the same file leaves both.
      this.#forget(next);
    } catch (error) {
      this.#forget(next);
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }

  /** Through a link somebody keeps their settings by, not over it. */
  #target(): string {
    try {
      return this.#fs.realpathSync(this.#options.file);
    } catch {
      return this.#options.file;
    }
  }

  /** Without it, a power cut may bring the old name back; where folders cannot be synced, that is all that can be had. */
  #syncFolder(folder: string): void {
    try {
      const handle = this.#fs.openSync(folder, "r");
      try {
        this.#fs.fsyncSync(handle);
      } finally {
        this.#fs.closeSync(handle);
      }
    } catch {
      // The new version is in place; only its durability over a power cut is unknown.
    }
  }

  #removeDrafts(): void {
    const file = this.#target();
    const prefix = `${basename(file)}.`;
    try {
      for (const name of this.#fs.readdirSync(dirname(file))) {
        if (!name.startsWith(prefix) || !/^\d+\.[0-9a-f]{12}\.tmp(\.bak)?$/.test(name.slice(prefix.length))) continue;
        const path = join(dirname(file), name);
        if (Date.now() - this.#fs.statSync(path).mtimeMs > draftMs) this.#forget(path);
      }
    } catch {
      // No folder yet, or another program removes them too.
    }
  }

  #forget(path: string): void {
    try {
      this.#fs.unlinkSync(path);
    } catch {
      // It was never made, or is gone already.
    }
  }
}

function versionOf(value: unknown): number | null {
  if (typeof value !== "object" || value === null || !("version" in value)) return null;
  return typeof value.version === "number" ? value.version : null;
}
