/** Runs the real `petrosa` as a child process, as a person does. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))
const TIMEOUT_MS = 25_000

/** Compiled code is kept where the test run keeps its own (`npm test` says where): it halves what each child costs. */
const COMPILE_CACHE = process.env["NODE_COMPILE_CACHE"]

const environment = (env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: process.env["HOME"],
  ...(COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: COMPILE_CACHE }),
  ...env,
})

export interface RunningCli {
  /** What it has written so far. */
  readonly output: () => { readonly out: string; readonly err: string }
  stop(): void
  readonly ended: Promise<Ran>
}

export const startCli = (args: readonly string[], env: Readonly<Record<string, string>> = {}, stdin = ""): RunningCli => {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment(env) })
  let out = ""
  let err = ""
  child.stdout.on("data", (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on("data", (chunk: Buffer) => {
    err += chunk.toString()
  })
  child.stdin.on("error", () => undefined)
  child.stdin.end(stdin)
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS)
  const ended = new Promise<Ran>((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer)
      resolve({ code, out, err })
    })
  })
  return { output: () => ({ out, err }), stop: () => child.kill("SIGINT"), ended }
}

export const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}, stdin = ""): Promise<Ran> =>
  startCli(args, env, stdin).ended
