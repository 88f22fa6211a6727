/**
 * Dead code: which files are started from outside, so that everything they do not reach is reported. What only its own file
 * uses may be exported all the same: it is not dead.
 */
import type { KnipConfig } from "knip";

const config: KnipConfig = {
  entry: [
    "agent/{main,screen-worker}.ts",
    "hub/main.ts",
    "cli/main.ts",
    "sdk/index.ts",
    "main/{electron,web}/main.ts",
    "preload/preload.ts",
    "renderer/main.tsx",
    "bin/muxdeck.js",
    "scripts/*.mjs",
    ".dependency-cruiser.mjs",
    "test/bench/run.mjs",
    "playwright.config.ts",
    "test/e2e/**/*.spec.ts",
  ],
  project: ["**/*.{ts,tsx,mjs,js}", "!test/fixtures/**", "!**/*.d.mts"],
  ignoreExportsUsedInFile: true,
  // The programs that tests and set-up start are the machine's, not packages.
  exclude: ["binaries"],
  // Started by name from scripts/test.mjs.
  ignoreDependencies: ["@biomejs/biome"],
};

export default config;
