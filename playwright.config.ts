/**
 * How Playwright runs the end-to-end specs: each `*.spec.ts` in Chromium and in Electron, `*.browser.spec.ts` and `*.electron.spec.ts` in one
 * of them. One worker: two cores carry one app with its agent, and timings of a second would be noise.
 */
import { defineConfig } from "playwright/test";
import type { Shell } from "./test/support/desk-test.js";

export default defineConfig<object, { shell: Shell }>({
  testDir: "test/e2e",
  outputDir: ".cache/results/e2e",
  workers: 1,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  projects: [
    { name: "chromium", testMatch: "**/*.spec.ts", testIgnore: "**/*.electron.spec.ts", use: { shell: "browser" } },
    { name: "electron", testMatch: "**/*.spec.ts", testIgnore: "**/*.browser.spec.ts", use: { shell: "electron" } },
  ],
});
