/**
 * The stage "arrows": runs dependency-cruiser over every folder of the table, then over a made-up tree in which each kind of rule is broken
 * once. Refuses a run that saw too little, and rules that let the made-up tree pass: a wall that cannot fail is none.
 */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";
import config from "../.dependency-cruiser.mjs";
import { units } from "./arrows.mjs";

const top = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Well under what is there; falls to zero when the tool and the compiler stop understanding each other. */
const leastModules = 200;

const brokenOnPurpose = [
  "arrows-of-agent: agent/main.ts -> client/stream.ts",
  "arrows-of-cli: cli/main.ts -> test/wait.ts",
  "arrows-of-transport: transport/transport.ts -> transport/node/unix.ts",
  "core-without-features: renderer/core.ts -> renderer/features/one/one.ts",
  "features-apart: renderer/features/one/one.ts -> renderer/features/two/two.ts",
  "no-cycles: protocol/errors.ts -> protocol/frame.ts",
  "resolves: cli/main.ts -> ./gone.js",
  "tests-are-leaves: cli/main.ts -> test/wait.ts",
  "types-alone-for-preload: preload/preload.ts -> link/messages.ts",
];

async function violationsIn(baseDir) {
  const folders = [...new Set(units.map((unit) => unit.folder.split("/")[0]))].filter((folder) => existsSync(join(baseDir, folder)));
  const { options, ...ruleSet } = config;
  const { fileName } = options.tsConfig;
  const result = await cruise(folders, {
    ...options,
    baseDir,
    validate: true,
    ruleSet: { ...ruleSet, options },
    tsConfig: { fileName: join(top, fileName) },
  });
  const { summary } = result.output;
  return {
    modules: summary.totalCruised,
    lines: summary.violations.map((found) => `${found.rule.name}: ${found.from} -> ${found.to}`).sort(),
  };
}

let failed = false;
const real = await violationsIn(top);
for (const line of real.lines) console.error(line);
if (real.lines.length > 0) failed = true;
if (real.modules < leastModules) {
  console.error(`saw ${real.modules} modules, which cannot be all of them`);
  failed = true;
}
const made = await violationsIn(join(top, "test/fixtures/arrows"));
const missed = brokenOnPurpose.filter((line) => !made.lines.includes(line));
const invented = made.lines.filter((line) => !brokenOnPurpose.includes(line));
for (const line of missed) console.error(`not noticed in the made-up tree: ${line}`);
for (const line of invented) console.error(`not wrong in the made-up tree, yet reported: ${line}`);
if (missed.length + invented.length > 0) failed = true;
console.log(
  `${real.modules} modules, ${real.lines.length} against the table; the made-up tree's ${brokenOnPurpose.length} breaches: ${missed.length} missed`,
);
if (failed) process.exitCode = 1;
