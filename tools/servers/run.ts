/** Runs a program to its end. Its output is kept (at most the last 64 KiB) and is part of the error when it fails. */
import { spawn } from "node:child_process"

const KEPT_CHARS = 65_536

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

/** stdout and stderr together. Rejects on a bad exit code, on a time-out, and when the program cannot be started. */
export const run = (command: string, args: ReadonlyArray<string>, options: RunOptions = {}): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" as const }),
    })
    let output = ""
    const keep = (part: Buffer) => {
      output = (output + part.toString("utf8")).slice(-KEPT_CHARS)
    }
    child.stdout.on("data", keep)
    child.stderr.on("data", keep)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${command} ${args.join(" ")} ended with ${signal ?? `code ${code}`}:\n${output.trim()}`))
    })
  })
