/**
 * The package as a stranger's program meets it: installed under another folder's node_modules, loaded both ways, and its types compiled both
 * ways with the strictest settings and without this project's.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { top } from "../support/muxdeck-home.js";

const run = promisify(execFile);
let folder = "";

const program = `
import { MuxdeckClient, PermissionError } from "muxdeck";
export async function main(): Promise<string> {
  const client = await MuxdeckClient.local();
  const session = await client.terminal.create({ name: "demo" });
  const stream = client.terminal.stream({ mode: "observer" });
  const off: () => void = stream.onOutput((data: Uint8Array, at: { seq: number; kind: "screen" | "live" }) => void [data, at]);
  await stream.attach(session.sessionId, { from: "screen", scrollback: 1000 });
  try {
    await stream.sendInput("ls -la\\n");
  } catch (error) {
    if (error instanceof PermissionError) return error.code;
  }
  for await (const line of stream.lines()) if (line === "") break;
  off();
  await stream.close();
  await client.close();
  return session.sessionId;
}
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "muxdeck-package-"));
  mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
  symlinkSync(top, join(folder, "node_modules/muxdeck"));
  symlinkSync(join(top, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("loads as an ES module and as CommonJS, with one error class each", async () => {
  const names = 'Object.keys(m).filter((k) => /^(MuxdeckClient|PermissionError|keys)$/.test(k)).sort().join(" ")';
  writeFileSync(join(folder, "module.mjs"), `import * as m from "muxdeck"; console.log(${names});`);
  writeFileSync(join(folder, "common.cjs"), `const m = require("muxdeck"); console.log(${names});`);
  for (const file of ["module.mjs", "common.cjs"]) {
    const { stdout } = await run(process.execPath, [file], { cwd: folder });
    expect(stdout.trim()).toBe("MuxdeckClient PermissionError keys");
  }
});

it("gives its types to a module, a CommonJS file and a bundler's project", async () => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  writeFileSync(join(folder, "esm.mts"), program);
  writeFileSync(join(folder, "common.cts"), program);
  writeFileSync(join(folder, "bundled.ts"), program);
  const tsc = join(top, "node_modules/typescript/bin/tsc");
  const strict = [
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--skipLibCheck",
    "false",
    "--target",
    "es2022",
    "--types",
    "node",
  ];
  const node = run(process.execPath, [tsc, ...strict, "--module", "nodenext", "esm.mts", "common.cts"], { cwd: folder });
  await expect(node.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({ stdout: "" });
  const bundler = run(
    process.execPath,
    [tsc, ...strict, "--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck", "bundled.ts"],
    {
      cwd: folder,
    },
  );
  await expect(bundler.catch((error: { stdout: string }) => error.stdout)).resolves.toMatchObject({ stdout: "" });
});
