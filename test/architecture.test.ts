/**
 * Holds the real tree to the table of arrows and the rules of test/architecture-rules.ts, and shows on made-up files that each rule can
 * fail. Asserts how much it saw: a check that reads nothing passes everything.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { environments, referencesOf, type Unit, unitOf, units } from "../scripts/arrows.mjs";
import { type Breach, breaches, readImports, type Source } from "./architecture-rules.js";

const top = join(dirname(fileURLToPath(import.meta.url)), "..");
const leftOut = new Set(["node_modules", "dist", ".cache", ".git", "fixtures", "test-results"]);

function walk(folder: string): string[] {
  if (!existsSync(join(top, folder))) return [];
  return readdirSync(join(top, folder), { withFileTypes: true }).flatMap((item) => {
    const path = folder === "" ? item.name : `${folder}/${item.name}`;
    if (item.isDirectory()) return leftOut.has(item.name) ? [] : walk(path);
    return item.isFile() ? [path] : [];
  });
}

const sourcePaths = walk("").filter((path) => /\.(tsx?|mts|mjs|css)$/.test(path));
const sources: Source[] = sourcePaths.map((path) => ({ path, text: readFileSync(join(top, path), "utf8") }));
const modules = sources.filter((source) => unitOf(source.path) !== null && /\.tsx?$/.test(source.path));

/** The sentences of one rule for made-up files, with the header every file needs. */
function says(rule: string, files: Record<string, string>): string[] {
  const header = "/**\n * Owns one thing that is made up for a test, and refuses everything else.\n */\n";
  const made = Object.entries(files).map(([path, text]) => ({ path, text: `${header}${text}` }));
  return breaches(made)
    .filter((breach) => breach.rule === rule)
    .map((breach) => `${breach.path}: ${breach.says}`);
}

interface Project {
  references: string[];
  lib: string[];
  types: string[];
}

function readProject(unit: Unit): Project {
  const path = join(top, unit.folder, "tsconfig.json");
  const { config } = ts.readConfigFile(path, ts.sys.readFile);
  const own: { compilerOptions?: { lib?: string[]; types?: string[] }; references?: { path: string }[] } = config;
  const references = (own.references ?? []).map((reference) =>
    relative(top, join(top, unit.folder, reference.path))
      .split(sep)
      .join(posix.sep),
  );
  return { references: references.sort(), lib: own.compilerOptions?.lib ?? [], types: own.compilerOptions?.types ?? [] };
}

function rootReferences(path: string): string[] {
  const { config } = ts.readConfigFile(join(top, path), ts.sys.readFile);
  const own: { references?: { path: string }[] } = config;
  return (own.references ?? []).map((reference) => posix.join(posix.dirname(path), reference.path)).sort();
}

describe("the tree", () => {
  it("was read", () => {
    expect(modules.length).toBeGreaterThan(200);
    const imports = modules.flatMap((source) => readImports(source)).filter((entry) => entry.specifier.startsWith("."));
    expect(imports.length).toBeGreaterThan(500);
    const seen = new Set(modules.map((source) => unitOf(source.path)?.folder));
    const silent = units.filter((unit) => sourcePaths.some((path) => unitOf(path) === unit) && !seen.has(unit.folder));
    expect(silent).toEqual([]);
  });

  it("keeps every rule", () => {
    const found: Breach[] = breaches(sources);
    expect(found.map((breach) => `${breach.path}: ${breach.rule}: ${breach.says}`)).toEqual([]);
  });

  it.each(units.filter((unit) => existsSync(join(top, unit.folder, "tsconfig.json"))))(
    "gives $folder the project that the table says",
    (unit) => {
      const environment = environments[unit.environment];
      expect(readProject(unit)).toEqual({ references: referencesOf(unit), lib: environment.lib, types: environment.types });
    },
  );

  it("compiles and tests every folder that has sources", () => {
    const withSources = units.filter((unit) => modules.some((source) => unitOf(source.path) === unit)).map((unit) => unit.folder);
    expect(rootReferences("tsconfig.json")).toEqual(expect.arrayContaining([...withSources, "test"]));
    expect(rootReferences("test/tsconfig.json")).toEqual(expect.arrayContaining(withSources));
  });

  it("pins every dependency and says its version once", () => {
    const manifest: { version: string; dependencies: Record<string, string>; devDependencies: Record<string, string> } = JSON.parse(
      readFileSync(join(top, "package.json"), "utf8"),
    );
    const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies }).filter(
      ([, version]) => !/^\d+\.\d+\.\d+/.test(version),
    );
    expect(loose).toEqual([]);
    expect(readFileSync(join(top, "protocol/values.ts"), "utf8")).toContain(`productVersion = "${manifest.version}"`);
  });

  it("draws every message of the protocol", () => {
    const page = readFileSync(join(top, "docs/protocol.md"), "utf8");
    const messages = readFileSync(join(top, "protocol/messages.ts"), "utf8");
    const kinds = [...messages.matchAll(/t: z\.literal\("([a-z-]+)"\)/g)].map((match) => match[1] ?? "");
    expect(kinds.length).toBeGreaterThan(30);
    expect(kinds.filter((kind) => !page.includes(`\`${kind}\``))).toEqual([]);
  });

  it("names only files and folders that are there in its pages", () => {
    const pages = ["README.md", ...walk("docs").filter((path) => path.endsWith(".md"))];
    const named = pages.flatMap((page) =>
      [...readFileSync(join(top, page), "utf8").matchAll(/`([a-z][a-z0-9-]*(?:\/[a-z0-9.-]+)*(?:\.(?:tsx?|mjs|yml|md)|\/))`/g)].map(
        (match) => ({ page, path: match[1] ?? "" }),
      ),
    );
    expect(named.length).toBeGreaterThan(40);
    const ofTheTree = named.filter(({ path }) => path.includes("/") && !path.startsWith("dist/"));
    expect(ofTheTree.filter(({ path }) => !existsSync(join(top, path)))).toEqual([]);
  });

  it("keeps decision records short", () => {
    const long = walk("docs/decisions").filter((path) => readFileSync(join(top, path), "utf8").trimEnd().split("\n").length > 40);
    expect(long).toEqual([]);
  });
});

describe("the rules, on made-up files", () => {
  it("arrows: against the table, by any kind of import", () => {
    const files = { "agent/a.ts": "export const a = 1;", "renderer/b.ts": "" };
    for (const line of [
      'import { a } from "../agent/a.js";',
      'import type { a } from "../agent/a.js";',
      'export { a } from "../agent/a.js"; export const b = 1;',
      'export const a = import("../agent/a.js");',
      'export type A = import("../agent/a.js").a;',
      'const a = require("../agent/a.js");',
    ]) {
      expect(says("arrows", { ...files, "renderer/b.ts": line })).toEqual(["renderer/b.ts: renderer may not import agent"]);
    }
  });

  it("arrows: what the table allows passes, one file or types alone where it says so", () => {
    const files = {
      "client/reconnect.ts": "export const r = 1;",
      "client/stream.ts": "export const s = 1;",
      "link/messages.ts": "export const m = 1;",
    };
    expect(says("arrows", { ...files, "agent/a.ts": 'import { r } from "../client/reconnect.js";' })).toEqual([]);
    expect(says("arrows", { ...files, "agent/a.ts": 'import { s } from "../client/stream.js";' })).toEqual([
      "agent/a.ts: agent may not import client",
    ]);
    expect(says("arrows", { ...files, "preload/a.ts": 'import type { m } from "../link/messages.js";' })).toEqual([]);
    expect(says("arrows", { ...files, "preload/a.ts": 'import { type m } from "../link/messages.js";' })).toEqual([]);
    expect(says("arrows", { ...files, "preload/a.ts": 'import { m } from "../link/messages.js";' })).toEqual([
      "preload/a.ts: preload may take only types from link/messages.ts",
    ]);
  });

  it("arrows: a nested folder is a unit of its own", () => {
    const files = { "transport/transport.ts": "export const t = 1;", "transport/node/x.ts": "export const x = 1;" };
    expect(says("arrows", { ...files, "client/a.ts": 'import { t } from "../transport/transport.js";' })).toEqual([]);
    expect(says("arrows", { ...files, "client/a.ts": 'import { x } from "../transport/node/x.js";' })).toHaveLength(1);
    expect(says("arrows", { ...files, "transport/a.ts": 'import { x } from "./node/x.js";' })).toHaveLength(1);
  });

  it("arrows: features know neither each other nor the core them", () => {
    const files = { "renderer/features/search/search.ts": "export const s = 1;", "renderer/layout/tree.ts": "export const t = 1;" };
    expect(says("arrows", { ...files, "renderer/features/links/links.ts": 'import { s } from "../search/search.js";' })).toHaveLength(1);
    expect(says("arrows", { ...files, "renderer/layout/view.ts": 'import { s } from "../features/search/search.js";' })).toHaveLength(1);
    expect(says("arrows", { ...files, "renderer/app.tsx": 'import { s } from "./features/search/search.js";' })).toEqual([]);
    expect(says("arrows", { ...files, "renderer/features/links/links.ts": 'import { t } from "../../layout/tree.js";' })).toEqual([]);
  });

  it("arrows: product code does not import tests; tests import everything", () => {
    const files = { "test/support/wait.ts": "export const w = 1;", "agent/a.ts": "export const a = 1;" };
    expect(says("arrows", { ...files, "cli/b.ts": 'import { w } from "../test/support/wait.js";' })).toHaveLength(1);
    expect(
      says("arrows", { ...files, "cli/b.test.ts": 'import { w } from "../test/support/wait.js"; import { a } from "../agent/a.js";' }),
    ).toEqual([]);
  });

  it("import: a file that is not there, an ending that is not .js", () => {
    expect(says("import", { "cli/a.ts": 'import { b } from "./b.js";' })).toHaveLength(1);
    expect(says("import", { "cli/a.ts": 'import { b } from "./b";', "cli/b.ts": "export const b = 1;" })).toHaveLength(1);
    expect(says("import", { "cli/a.ts": 'import { b } from "./b.js";', "cli/b.ts": "export const b = 1;" })).toEqual([]);
  });

  it("packages: only the unit's own", () => {
    expect(says("packages", { "client/a.ts": 'import { readFileSync } from "node:fs";' })).toHaveLength(1);
    expect(says("packages", { "renderer/a.ts": 'import { z } from "zod";' })).toHaveLength(1);
    expect(says("packages", { "agent/a.ts": 'import { app } from "electron";' })).toHaveLength(1);
    expect(says("packages", { "renderer/a.ts": 'import "@xterm/xterm/css/xterm.css";' })).toEqual([]);
    expect(says("packages", { "client/a.test.ts": 'import { readFileSync } from "node:fs";' })).toEqual([]);
  });

  it("owner: the pty library and Electron's doors have one importer each", () => {
    expect(says("owner", { "agent/session.ts": 'import { spawn } from "@lydell/node-pty";' })).toEqual([
      "agent/session.ts: @lydell/node-pty belongs to agent/pty.ts",
    ]);
    expect(says("owner", { "agent/pty.ts": 'import { spawn } from "@lydell/node-pty";' })).toEqual([]);
    const one = { "main/electron/link-door.ts": 'import { ipcMain } from "electron";' };
    expect(says("owner", one)).toEqual([]);
    expect(says("owner", { ...one, "main/electron/menu.ts": 'import { ipcMain as ipc } from "electron";' })).toHaveLength(1);
  });

  it("name: kebab-case, words that say something, no index", () => {
    expect(says("name", { "agent/OutputGuard.ts": "" })).toHaveLength(1);
    expect(says("name", { "agent/output_guard.ts": "" })).toHaveLength(1);
    expect(says("name", { "agent/session-manager.ts": "" })).toHaveLength(1);
    expect(says("name", { "renderer/utils/dates.ts": "" })).toHaveLength(1);
    expect(says("name", { "agent/index.ts": "export const a = 1;" })).toHaveLength(1);
    expect(says("name", { "agent/output-guard.test.ts": "", "sdk/index.ts": "" })).toEqual([]);
  });

  it("length: 600 lines, not 601", () => {
    const lines = (count: number): string => "\n".repeat(count - 3);
    expect(says("length", { "agent/a.ts": lines(600) })).toEqual([]);
    expect(says("length", { "agent/a.ts": lines(601) })).toHaveLength(1);
  });

  it("header: every file says what it owns", () => {
    const bare = (text: string): Breach[] => breaches([{ path: "agent/a.ts", text }]).filter((breach) => breach.rule === "header");
    expect(bare("export const a = 1;")).toHaveLength(1);
    expect(bare("/** Short. */\nexport const a = 1;")).toHaveLength(1);
    expect(says("header", { "agent/a.ts": "export const a = 1;" })).toEqual([]);
  });

  it("exports: no default, no file that only passes on", () => {
    expect(says("exports", { "agent/a.ts": "export default 1;" })).toHaveLength(1);
    expect(says("exports", { "agent/a.ts": "export default function a() {}" })).toHaveLength(1);
    expect(says("exports", { "agent/a.ts": "const a = 1; export { a as default };" })).toHaveLength(1);
    expect(says("exports", { "agent/a.ts": 'export * from "./b.js";', "agent/b.ts": "export const b = 1;" })).toHaveLength(1);
    expect(says("exports", { "vite.config.ts": "export default {};" })).toEqual([]);
  });

  it("words: open marks, silenced compilers, casts through unknown", () => {
    expect(says("words", { "agent/a.ts": `// ${"TO"}${"DO"}: later` })).toHaveLength(1);
    expect(says("words", { "agent/a.ts": `// @ts-${"ignore"}\nexport const a = 1;` })).toHaveLength(1);
    expect(says("words", { "agent/a.ts": "export const a = b as unknown as string;" })).toHaveLength(1);
    expect(says("words", { "agent/a.ts": "export const a = b as const;" })).toEqual([]);
  });

  it("tests: nothing left out, repeated or slept", () => {
    expect(says("tests", { "agent/a.test.ts": 'it.only("a", () => {});' })).toHaveLength(1);
    expect(says("tests", { "agent/a.test.ts": 'describe.skip("a", () => {});' })).toHaveLength(1);
    expect(says("tests", { "agent/a.test.ts": 'test.describe.skip("a", () => {}); model.skip(bytes);' })).toHaveLength(1);
    expect(says("tests", { "agent/a.test.ts": "const o = { retries: 2 };" })).toHaveLength(1);
    expect(says("tests", { "test/e2e/a.spec.ts": "await page.waitForTimeout(500);" })).toHaveLength(1);
    expect(says("tests", { "agent/a.test.ts": "await new Promise((resolve) => setTimeout(resolve, 200));" })).toHaveLength(1);
    expect(says("tests", { "agent/a.test.ts": "await new Promise((resolve) => setTimeout(resolve, pause));" })).toHaveLength(1);
    expect(says("tests", { "agent/a.test.ts": "await new Promise((resolve) => setTimeout(resolve, 20));" })).toEqual([]);
    expect(says("tests", { "agent/a.test.ts": 'it("a", () => {}); new Promise((resolve) => server.once("listening", resolve));' })).toEqual(
      [],
    );
  });

  it("old node: what Node 16.17 lacks, unless declared here or on Node 20 anyway", () => {
    expect(says("old node", { "agent/a.ts": "export const a = structuredClone({});" })).toHaveLength(1);
    expect(says("old node", { "agent/a.ts": "export const a = AbortSignal.any([]);" })).toHaveLength(1);
    expect(says("old node", { "sdk/a.ts": "export const a = Symbol.asyncDispose;" })).toHaveLength(1);
    expect(says("old node", { "sdk/a.ts": 'export const a = Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose");' })).toEqual([]);
    expect(says("old node", { "agent/a.ts": 'import * as crypto from "node:crypto"; export const a = crypto.randomUUID();' })).toEqual([]);
    expect(says("old node", { "agent/a.ts": "export const a = crypto.randomUUID();" })).toHaveLength(1);
    expect(says("old node", { "agent/a.ts": "export const a = { fetch: 1 }; export interface B { crypto: number }" })).toEqual([]);
    expect(says("old node", { "cli/a.ts": 'import { parseArgs } from "node:util"; export const a = parseArgs();' })).toEqual([]);
  });
});
