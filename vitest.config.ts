/**
 * How vitest runs: `unit` beside the sources (quick, no processes of ours), `integration` with real agents from dist/, `fuzz` with a fixed
 * budget. Integration files run one after another: each starts processes, and two cores are all there is.
 */
import { defineConfig } from "vitest/config";

const never = ["**/node_modules/**", "**/dist/**", "**/.cache/**"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["**/*.test.ts", "**/*.test.tsx"],
          exclude: [...never, "test/integration/**", "test/fuzz/**", "test/faults/**", "test/e2e/**", "test/bench/**"],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", "test/faults/**/*.test.ts"],
          exclude: never,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: { name: "fuzz", include: ["test/fuzz/**/*.test.ts"], exclude: never, testTimeout: 240_000, hookTimeout: 60_000 },
      },
    ],
  },
});
