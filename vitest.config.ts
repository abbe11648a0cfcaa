import { defineConfig } from "vitest/config";

/** Tests that deploy, or fill the disk and both cores by themselves: one file at a time, after all others. */
const HEAVY = ["test/e2e/**/*.test.ts", "test/images/docker*.test.ts"];

export default defineConfig({
  test: {
    pool: "forks",
    // Two cores, real servers: more files at once only makes the timings of each worse.
    maxWorkers: 2,
    // For what hangs: a slow machine is not to meet them.
    testTimeout: 90_000,
    hookTimeout: 300_000,
    projects: [
      { extends: true, test: { name: "parts", include: ["test/**/*.test.ts"], exclude: HEAVY, sequence: { groupOrder: 0 } } },
      { extends: true, test: { name: "whole", include: HEAVY, maxWorkers: 1, fileParallelism: false, sequence: { groupOrder: 1 } } },
    ],
  },
});
