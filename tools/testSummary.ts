/** A run's counts and vitest's exit code → one line and an exit code. A failure that is no test's own counts as one. */

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Files that could not be loaded, hooks that failed, errors outside any test. */
  readonly otherErrors: number
}

export interface Summary {
  /** `N passed, N failed[, N skipped]` */
  readonly line: string
  readonly exitCode: number
}

/** `counts` is undefined when vitest died before it wrote them. */
export const summarize = (counts: Counts | undefined, vitestCode: number): Summary => {
  const { passed, skipped } = counts ?? { passed: 0, skipped: 0 }
  let failed = (counts?.failed ?? 0) + (counts?.otherErrors ?? 0)
  // Something that only the exit code tells, or no tests at all.
  if (failed === 0 && (vitestCode !== 0 || passed === 0)) failed = 1
  return {
    line: `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    exitCode: failed > 0 ? (vitestCode === 0 ? 1 : vitestCode) : 0,
  }
}
