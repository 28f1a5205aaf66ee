/**
 * The terminal: where text goes, whether it may have colours, how wide it is. Answers go to stdout, everything else
 * (progress, warnings, errors) to stderr, so that a pipe carries answers only.
 */
import pc from "picocolors"

export type Colors = ReturnType<typeof pc.createColors>

export interface Io {
  out(line: string): void
  /** One JSON value on a line of its own. */
  json(value: unknown): void
  err(line: string): void
  /** Overwrites the line before, on a terminal; elsewhere nothing. */
  progress(line: string): void
  readonly c: Colors
  /** Characters of a line; `Infinity` where nobody is looking. */
  readonly columns: number
}

/** NO_COLOR (no-color.org) wins; FORCE_COLOR next; else colours are for terminals. */
const wantsColor = (env: NodeJS.ProcessEnv, stream: NodeJS.WriteStream): boolean => {
  if ((env["NO_COLOR"] ?? "") !== "") return false
  if ((env["FORCE_COLOR"] ?? "") !== "" && env["FORCE_COLOR"] !== "0") return true
  return stream.isTTY === true && env["TERM"] !== "dumb"
}

const COLUMNS_LEAST = 40

export const terminal = (env: NodeJS.ProcessEnv = process.env): Io => {
  const { stdout, stderr } = process
  // `petrosa orders | head` closes the pipe early: that is no error.
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0)
    throw error
  })
  const given = Number(env["COLUMNS"])
  const columns = stdout.isTTY === true ? (stdout.columns ?? 80) : Number.isInteger(given) && given > 0 ? given : Number.POSITIVE_INFINITY
  let progressing = false
  const clear = (): void => {
    if (progressing) stderr.write("\r\u001b[2K")
    progressing = false
  }
  return {
    out: (line) => {
      clear()
      stdout.write(`${line}\n`)
    },
    json: (value) => {
      clear()
      stdout.write(`${JSON.stringify(value)}\n`)
    },
    err: (line) => {
      clear()
      stderr.write(`${line}\n`)
    },
    progress: (line) => {
      if (stderr.isTTY !== true) return
      stderr.write(`\r\u001b[2K${line}`)
      progressing = true
    },
    c: pc.createColors(wantsColor(env, stdout)),
    columns: Math.max(COLUMNS_LEAST, columns),
  }
}
