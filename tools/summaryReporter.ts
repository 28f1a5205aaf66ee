/** A vitest reporter that writes the counts of a run to the file named by VITEST_COUNTS_FILE, and prints nothing. */
import { writeFileSync } from "node:fs"
import type { Reporter, TestModule } from "vitest/node"
import type { Counts } from "./testSummary.ts"

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandledErrors: ReadonlyArray<unknown>): void {
    const counts: Record<keyof Counts, number> = { passed: 0, failed: 0, skipped: 0, otherErrors: unhandledErrors.length }
    for (const module of modules) {
      let failed = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        // "pending": its file ended before it was run.
        if (state === "passed") counts.passed++
        else if (state === "skipped") counts.skipped++
        else failed++
      }
      counts.failed += failed
      // A file that could not be loaded, or whose hooks failed outside its tests.
      if (failed === 0 && module.state() === "failed") counts.otherErrors++
    }
    const file = process.env.VITEST_COUNTS_FILE
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts))
  }
}
