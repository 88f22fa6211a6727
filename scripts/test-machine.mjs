/**
 * What the tests need of the machine: looks what is there, installs what is missing when run as root on Debian or Ubuntu, and says which
 * parts of the tests cannot run. Owns the lists of packages and parts; fetches nothing that is already present.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { electronFolder, electronObstacle, fetchElectron } from "./test-electron.mjs";

/** Each row: the names a package has had in Debian and Ubuntu, and the command that makes it unnecessary. */
const packages = [
  { names: ["chromium"], command: ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"] },
  { names: ["xvfb"], command: ["Xvfb"] },
  { names: ["libgtk-3-0", "libgtk-3-0t64"] },
  { names: ["libnss3"] },
  { names: ["libasound2", "libasound2t64"] },
  { names: ["libgbm1"] },
  { names: ["fonts-noto-cjk"] },
  { names: ["fonts-noto-color-emoji"] },
  { names: ["htop"], command: ["htop"] },
  { names: ["vim"], command: ["vim"] },
  { names: ["less"], command: ["less"] },
  { names: ["tmux"], command: ["tmux"] },
  { names: ["procps"], command: ["ps"] },
  { names: ["openssh-server"], command: ["/usr/sbin/sshd"] },
  { names: ["openssh-client"], command: ["ssh"] },
  { names: ["python3"], command: ["python3"] },
  { names: ["python3-pip"], present: () => runs("python3", ["-m", "pip", "--version"]) },
];

/** Minutes the installation may take with slow mirrors. */
const installLimit = 8 * 60_000;

/**
 * @param {(line: string) => void} say
 * @returns {Promise<Map<string, string>>} parts that cannot run here, each with the reason
 */
export async function prepareMachine(say) {
  installMissing(say);
  let electronFailure = electronObstacle();
  if (electronFailure === null) {
    try {
      await fetchElectron(say);
    } catch (error) {
      electronFailure = `the test Electron could not be fetched: ${error instanceof Error ? error.message.split("\n")[0] : error}`;
    }
  }
  return missingParts(electronFailure);
}

/** Without changing the machine: the parts that cannot run here. */
export function missingParts(electronFailure = electronObstacle()) {
  const missing = new Map();
  if (!packages[0].command.some(isCommand) && !process.env.MUXDECK_TEST_CHROMIUM) missing.set("chromium", "there is no Chromium");
  const electronReason = electronFailure ?? electronGap();
  if (electronReason !== null) missing.set("electron", electronReason);
  for (const program of ["htop", "vim", "less", "tmux", "ssh"]) {
    if (!isCommand(program)) missing.set(program, `${program} is not installed`);
  }
  if (!isCommand("/usr/sbin/sshd")) missing.set("sshd", "sshd is not installed");
  return missing;
}

function electronGap() {
  if (!existsSync(join(electronFolder, "electron"))) return "the test Electron is not there; npm test fetches it";
  if (!isCommand("Xvfb")) return "there is no Xvfb";
  const libraries = spawnSync("ldd", [join(electronFolder, "electron")], { encoding: "utf8" }).stdout ?? "";
  const lacking = libraries.split("\n").flatMap((line) => (line.includes("not found") ? [line.trim().split(" ")[0]] : []));
  return lacking.length > 0 ? `Electron lacks ${lacking.join(", ")}` : null;
}

function installMissing(say) {
  const wanted = packages.filter((row) => !isPresent(row));
  if (wanted.length === 0) return;
  const list = wanted.map((row) => row.names[0]).join(" ");
  if (process.getuid?.() !== 0 || !isDebianLike()) {
    say(`not installed here, and only root on Debian or Ubuntu may install: ${list}`);
    return;
  }
  say(`installing ${list}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (args) =>
    spawnSync("apt-get", args, { env: environment, stdio: ["ignore", "ignore", "inherit"], timeout: installLimit }).status === 0;
  if (!apt(["update", "-qq"])) say("apt-get update failed; trying with the lists that are there");
  const names = wanted.flatMap((row) => row.names.find(hasCandidate) ?? []);
  if (apt(["install", "-qq", "-y", "--no-install-recommends", ...names])) return;
  say("they do not install together; trying one by one");
  for (const name of names) if (!apt(["install", "-qq", "-y", "--no-install-recommends", name])) say(`could not install ${name}`);
}

function isPresent(row) {
  if (row.present !== undefined) return row.present();
  if (row.command?.some(isCommand)) return true;
  return row.names.some((name) => {
    const query = spawnSync("dpkg", ["-s", name], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } });
    return query.status === 0 && query.stdout.includes("\nStatus: install ok installed\n");
  });
}

function hasCandidate(name) {
  const policy = spawnSync("apt-cache", ["policy", name], { encoding: "utf8", env: { ...process.env, LC_ALL: "C" } }).stdout ?? "";
  return /Candidate: (?!\(none\))/.test(policy);
}

function isCommand(name) {
  if (name.includes("/")) return existsSync(name);
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(join(folder, name)));
}

function isDebianLike() {
  try {
    return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

function runs(command, args) {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
