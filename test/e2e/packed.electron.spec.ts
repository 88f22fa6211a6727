/**
 * The app as it is packed: its fuses read back from the executable, its window in a real session, and its agent running from the copy in the
 * state folder, so that replacing or removing the packed app takes no session away.
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { listPackage } from "@electron/asar";
import { FuseV1Options, getCurrentFuseWire } from "@electron/fuses";
import { expect, test } from "../support/desk-test.js";
import { electronFolder, electronVersion, launchPacked } from "../support/electron.js";
import { top } from "../support/muxdeck-home.js";

const run = promisify(execFile);

/** What a fuse that is on looks like in the executable: the digit 1. */
const enabled = "1".charCodeAt(0);
let executable = "";

test.beforeAll(async () => {
  test.setTimeout(120_000);
  const { stdout } = await run(process.execPath, [join(top, "scripts/pack.mjs"), "--electron", electronFolder, electronVersion], {
    cwd: top,
  });
  executable = stdout.trim().split("\n").pop() ?? "";
});

test("its fuses shut every door but RunAsNode, which the agent needs", async () => {
  const wire = await getCurrentFuseWire(executable);
  const on = (fuse: FuseV1Options): boolean => wire[fuse] === enabled;
  expect({
    runAsNode: on(FuseV1Options.RunAsNode),
    cookieEncryption: on(FuseV1Options.EnableCookieEncryption),
    nodeOptions: on(FuseV1Options.EnableNodeOptionsEnvironmentVariable),
    inspector: on(FuseV1Options.EnableNodeCliInspectArguments),
    archiveIntegrity: on(FuseV1Options.EnableEmbeddedAsarIntegrityValidation),
    archiveOnly: on(FuseV1Options.OnlyLoadAppFromAsar),
  }).toEqual({ runAsNode: true, cookieEncryption: true, nodeOptions: false, inspector: false, archiveIntegrity: true, archiveOnly: true });
});

test("it holds the program and the agent, and nothing to build from", async () => {
  const resources = join(executable, "../resources");
  expect(readdirSync(resources).sort()).toEqual(["app.asar", "app.asar.unpacked"]);
  const files = listPackage(join(resources, "app.asar"), { isPack: false });
  expect(files).toEqual(
    expect.arrayContaining(["/dist/main/electron.cjs", "/dist/preload/preload.cjs", "/dist/renderer/index.html", "/dist/agent/agent.cjs"]),
  );
  expect(files.filter((file) => file.startsWith("/node_modules") || file.endsWith(".ts") || file.startsWith("/test"))).toEqual([]);
});

test("a session in it runs, and its agent does not depend on where the app lies", async ({ home, display }) => {
  const app = await launchPacked(home, display?.name ?? "", executable);
  await app.page.getByRole("button", { name: /^Open a terminal/ }).click();
  const pane = app.page.getByRole("group", { name: /^Pane: / });
  await expect(pane).toHaveAttribute("data-state", "live");
  const agents = home.agents();
  expect(agents).toHaveLength(1);
  const script = agents[0]?.command.find((word) => word.endsWith("agent.cjs")) ?? "";
  expect(script.startsWith(home.folder)).toBe(true);

  await app.close();
  expect(home.agents().map((agent) => agent.pid)).toEqual(agents.map((agent) => agent.pid));
  const listed = await home.run(["ls", "--json"]);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ state: "running" }]);
});
