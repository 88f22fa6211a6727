/**
 * Packs the desktop app for this machine into .cache/packed, from what is built in dist/. Without arguments for the pinned Electron (whose
 * binary is fetched); `--electron FOLDER VERSION` packs an Electron that is already here, without any network. Prints the executable's path.
 */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build, Platform } from "electron-builder";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const [flag, folder, version] = process.argv.slice(2);
if ((flag !== undefined && flag !== "--electron") || (flag !== undefined && version === undefined)) {
  console.error("pack: takes nothing, or --electron FOLDER VERSION");
  process.exit(2);
}
for (const needed of ["dist/main/electron.cjs", "dist/agent/agent.cjs", "dist/renderer/index.html"]) {
  if (!existsSync(join(top, needed))) {
    console.error(`pack: ${needed} is not built; run npm run build first`);
    process.exit(1);
  }
}
const output = join(top, ".cache/packed");
rmSync(output, { recursive: true, force: true });
await build({
  projectDir: top,
  targets: Platform.current().createTarget("dir"),
  publish: "never",
  config: {
    ...(flag === undefined ? {} : { electronDist: resolve(folder), electronVersion: version }),
    // Electrons before 29 do not have this fuse, and naming it there is an error.
    electronFuses: version !== undefined && Number.parseInt(version, 10) < 29 ? {} : { grantFileProtocolExtraPrivileges: false },
  },
});
const unpacked = readdirSync(output).find((name) => name.endsWith("-unpacked") || name.startsWith("mac"));
// Left from the folder it was packed from: Electron's own start page, which nothing may load.
rmSync(join(output, unpacked ?? "", "resources/default_app.asar"), { force: true });
console.log(
  join(output, unpacked ?? "", process.platform === "win32" ? "Muxdeck.exe" : process.platform === "darwin" ? "Muxdeck.app" : "muxdeck"),
);
