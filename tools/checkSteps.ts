/** Steps that run side by side and are reported one line each, what failed with its output below. */

export interface Outcome {
  readonly ok: boolean
  /** Shown when it failed. */
  readonly detail: string
  /** Shown in its line. */
  readonly note?: string
}

export interface Step {
  readonly name: string
  /** A rejection counts as failed: what cannot run has not passed. */
  readonly run: () => Promise<Outcome>
  /** A command that mends most of it. */
  readonly mend?: string
}

/** Lines of a failed step that are shown: the first ones are the ones to mend. */
const SHOWN_LINES = 150

const firstLines = (text: string): ReadonlyArray<string> => {
  const lines = text.trimEnd().split("\n")
  return lines.length <= SHOWN_LINES ? lines : [...lines.slice(0, SHOWN_LINES), `… and ${lines.length - SHOWN_LINES} lines more`]
}

/** Resolves to the exit code: 0 when all passed. Lines are printed as the steps end; the last one is `N passed, N failed`. */
export const runSteps = async (steps: ReadonlyArray<Step>, print: (line: string) => void): Promise<number> => {
  const ended = await Promise.all(
    steps.map(async (step) => {
      const began = performance.now()
      const outcome = await step.run().catch(
        (error: unknown): Outcome => ({
          ok: false,
          detail: `could not run: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        }),
      )
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      print(
        `${outcome.ok ? "ok    " : "FAILED"}  ${step.name.padEnd(16)} ${seconds.padStart(5)} s${outcome.note === undefined ? "" : `  ${outcome.note}`}`,
      )
      return { step, outcome }
    }),
  )
  const failed = ended.filter(({ outcome }) => !outcome.ok)
  for (const { step, outcome } of failed) {
    print("")
    print(`---- ${step.name}`)
    for (const line of firstLines(outcome.detail)) print(line)
    if (step.mend !== undefined) print(`(${step.mend} mends most of it)`)
  }
  if (failed.length > 0) print("")
  print(`${ended.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 || ended.length === 0 ? 1 : 0
}
