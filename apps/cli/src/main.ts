/** `petrosa`: runs one command, and ends with its exit code (see exits.ts). */
import { CommanderError } from "commander"
import { CANNOT, CliError, OK } from "./exits.ts"
import { terminal } from "./io.ts"
import { exitOfCommander, makeProgram } from "./program.ts"

const io = terminal()
process.exitCode = OK
try {
  await makeProgram(io, (code) => {
    process.exitCode = code
  }).parseAsync(process.argv)
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = exitOfCommander(error.code)
  else if (error instanceof CliError) {
    io.err(`${io.c.red("petrosa:")} ${error.message}`)
    process.exitCode = error.exitCode
  } else {
    io.err(
      `${io.c.red("petrosa: this should not have happened:")} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    )
    process.exitCode = CANNOT
  }
}
