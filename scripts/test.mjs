/**
 * `npm test`: prepares the machine, runs every stage (or the named ones) one after another, counts what each runner reports, and prints
 * last, over all of them, `N passed, N failed` (and `, N skipped`). Owns the stages, their time limits and the count; goes on after a failed
 * stage unless the next needs what failed. Anything that fails makes the exit code 1; with CI=true a part that cannot run is a failure.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { missingParts, prepareMachine } from "./test-machine.mjs";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const results = join(top, ".cache/results");
const strict = process.env.CI === "true";
const minute = 60_000;

/** The whole run; a stage gets what is left of it if that is less than its own limit. */
const runLimit = 24.5 * minute;
const started = Date.now();

/** In the environment of everything started here: what still carries it at the end was left behind. */
const runMark = `MUXDECK_TEST_RUN=${process.pid}-${started}`;

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Count
 * @typedef {{ name: string, limit: number, needs?: string, part?: string, run: (limit: number) => Promise<Count> }} Stage
 */

/** @type {Map<string, string>} */
let missing = new Map();

/** @type {Stage[]} */
const stages = [
  { name: "machine", limit: 10 * minute, run: prepare },
  { name: "build", limit: 3 * minute, run: (limit) => check(["node", "scripts/build.mjs"], limit) },
  { name: "types", limit: 4 * minute, run: (limit) => check(["tsc", "-b"], limit) },
  { name: "lint", limit: minute, run: (limit) => check(["biome", "ci", "--colors=off", "--error-on-warnings", "."], limit) },
  { name: "arrows", limit: minute, run: (limit) => check(["node", "scripts/check-arrows.mjs"], limit) },
  { name: "dead-code", limit: 2 * minute, run: (limit) => check(["knip", "--no-progress", "--no-config-hints"], limit) },
  { name: "unit", limit: 5 * minute, run: (limit) => vitest("unit", limit) },
  { name: "integration", limit: 12 * minute, needs: "build", run: (limit) => vitest("integration", limit) },
  { name: "fuzz", limit: 5 * minute, run: (limit) => vitest("fuzz", limit) },
  { name: "e2e-chromium", limit: 9 * minute, needs: "build", part: "chromium", run: (limit) => playwright("chromium", limit) },
  { name: "e2e-electron", limit: 9 * minute, needs: "build", part: "electron", run: (limit) => playwright("electron", limit) },
  { name: "left-behind", limit: minute, run: leftBehind },
];

async function prepare() {
  missing = await prepareMachine((line) => console.log(line));
  // Parts that are a whole stage are counted there.
  const programs = [...missing].filter(([part]) => !stages.some((stage) => stage.part === part));
  for (const [part, reason] of programs) console.log(`${strict ? "missing" : "skipped"}: what needs ${part}: ${reason}`);
  return strict ? count(1, programs.length, 0) : count(1, 0, programs.length);
}

/** One program whose exit code is the result. */
async function check(command, limit) {
  const ended = await runProgram(command, limit);
  if (ended.late) console.log(`ended after its limit of ${Math.round(limit / 1000)} s`);
  return ended.code === 0 ? count(1, 0, 0) : count(0, 1, 0);
}

async function vitest(project, limit) {
  const file = join(results, `${project}.json`);
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const ended = await runProgram(["vitest", "run", "--project", project, ...reporters], limit);
  const report = readReport(file);
  if (report === null) return brokenRun(`${project}: no report`, ended, limit);
  const emptyFailures = report.testResults.filter(
    (suite) => suite.status === "failed" && !suite.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const skipped = report.numPendingTests + report.numTodoTests;
  return settle(count(report.numPassedTests, report.numFailedTests + emptyFailures, skipped), ended, limit);
}

async function playwright(project, limit) {
  const file = join(results, `e2e-${project}.json`);
  const environment = { PLAYWRIGHT_JSON_OUTPUT_NAME: file };
  const ended = await runProgram(["playwright", "test", "--project", project, "--reporter=list,json"], limit, environment);
  const report = readReport(file);
  if (report === null) return brokenRun(`${project}: no report`, ended, limit);
  const { expected, unexpected, flaky, skipped } = report.stats;
  return settle(count(expected, unexpected + flaky + (unexpected === 0 ? report.errors.length : 0), skipped), ended, limit);
}

/** A runner that fails without a failed test (or was ended, or ran nothing) is a failure all the same. */
function settle(counted, ended, limit) {
  if (counted.failed > 0) return counted;
  if (ended.code !== 0) return { ...counted, failed: brokenRun("no test failed, the runner did", ended, limit).failed };
  if (counted.passed === 0) {
    console.log("it ran no test");
    return { ...counted, failed: 1 };
  }
  return counted;
}

function brokenRun(what, ended, limit) {
  console.log(`${what} (${ended.late ? `ended after its limit of ${Math.round(limit / 1000)} s` : `exit code ${ended.code}`})`);
  return count(0, 1, 0);
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

/** Every process of this run must be gone; what is not is named, and ended. */
async function leftBehind() {
  const left = processesOfRun();
  for (const { pid, command } of left) {
    console.log(`left behind: ${pid} ${command}`);
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended just now.
    }
  }
  return left.length === 0 ? count(1, 0, 0) : count(0, 1, 0);
}

function processesOfRun() {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").flatMap((name) => {
    try {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
      if (!readFileSync(`/proc/${name}/environ`, "latin1").split("\0").includes(runMark)) return [];
      return [{ pid: Number(name), command: readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").join(" ").trim() }];
    } catch {
      return [];
    }
  });
}

/** Runs in a process group of its own, so that a late one is ended with everything it started. */
let running = null;
function runProgram([command, ...args], limit, environment = {}) {
  const [markName, markValue] = runMark.split("=");
  const path = `${join(top, "node_modules/.bin")}:${process.env.PATH}`;
  const env = { ...process.env, PATH: path, [markName]: markValue, ...environment };
  const child = spawn(command === "node" ? process.execPath : command, args, { cwd: top, env, stdio: "inherit", detached: true });
  running = child;
  return new Promise((done) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child, "SIGKILL");
    }, limit);
    child.on("error", (error) => console.log(`${command}: ${error.message}`));
    child.on("close", (code) => {
      clearTimeout(timer);
      running = null;
      done({ code: code ?? 1, late });
    });
  });
}

function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
}

function count(passed, failed, skipped) {
  return { passed, failed, skipped };
}

async function main(names) {
  const unknown = names.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    console.error(`test: no stage ${unknown.join(", ")}; there are ${stages.map((stage) => stage.name).join(", ")}`);
    return 2;
  }
  rmSync(results, { recursive: true, force: true });
  mkdirSync(results, { recursive: true });
  const chosen = stages.filter((stage) => names.length === 0 || names.includes(stage.name));
  if (!chosen.includes(stages[0])) missing = missingParts();
  const total = count(0, 0, 0);
  const failedStages = new Set();
  for (const stage of chosen) {
    const began = Date.now();
    const counted = await runStage(stage, failedStages, began);
    if (counted.failed > 0) failedStages.add(stage.name);
    for (const key of Object.keys(total)) total[key] += counted[key];
    console.log(`== ${stage.name}: ${sentence(counted)} in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
  if (failedStages.size > 0) console.log(`failed: ${[...failedStages].join(", ")}`);
  console.log(sentence(total));
  return total.failed > 0 ? 1 : 0;
}

async function runStage(stage, failedStages, now) {
  console.log(`\n== ${stage.name}`);
  const left = runLimit - (now - started);
  if (left < 1000) {
    console.log("not run: the time for the whole run is over");
    return count(0, 1, 0);
  }
  if (stage.needs !== undefined && failedStages.has(stage.needs)) {
    console.log(`not run: it needs ${stage.needs}, which failed`);
    return count(0, 0, 1);
  }
  const reason = stage.part === undefined ? undefined : missing.get(stage.part);
  if (reason !== undefined) {
    console.log(`${strict ? "missing" : "skipped"}: ${reason}`);
    return strict ? count(0, 1, 0) : count(0, 0, 1);
  }
  return stage.run(Math.min(stage.limit, left));
}

function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (running !== null) endGroup(running, "SIGTERM");
    process.exit(1);
  });
}
process.exitCode = await main(process.argv.slice(2));
