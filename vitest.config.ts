import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "tools/test/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    // Real processes on a machine that others use too: CI gives each test a second chance; the first failure stays in the output.
    retry: process.env["CI"] === "true" ? 1 : 0,
  },
})
