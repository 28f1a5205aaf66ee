/** How a command ends. The numbers are in every `--help`, and scripts rely on them. */

/** Done, and the answer is good. */
export const OK = 0
/** Done, and the answer is "no": not found, declined, different, broken. */
export const NO = 1
/** It could not be done: wrong arguments, no store, no server, nothing readable. */
export const CANNOT = 2

export type ExitCode = typeof OK | typeof NO | typeof CANNOT

/** Something that the person at the terminal can do something about: told in one or two lines, without a stack. */
export class CliError extends Error {
  override readonly name = "CliError"
  readonly exitCode: ExitCode
  constructor(message: string, exitCode: ExitCode = CANNOT) {
    super(message)
    this.exitCode = exitCode
  }
}

export const exitHelp = (no: string, cannot = "it could not be done (wrong arguments, no store, no server)"): string =>
  `\nExit code: 0 done; 1 ${no}; 2 ${cannot}.\n`
