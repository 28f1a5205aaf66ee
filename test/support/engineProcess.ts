/**
 * The engine as what it is in real life: a process of its own. It can be stopped, killed, paused and woken; its log is kept.
 *
 * Promise: it is gone when the test process is gone.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { until } from "./until.ts"

const MAIN = fileURLToPath(new URL("../../apps/tradeengine/src/main.ts", import.meta.url))
const GUARD = new URL("./dieWithParent.mjs", import.meta.url).href

/** Compiled code is kept where the test run keeps its own: it halves what each process costs. */
const COMPILED: Readonly<Record<string, string>> =
  process.env["NODE_COMPILE_CACHE"] === undefined ? {} : { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] }

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly [field: string]: unknown
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const WARN = 40

export class EngineProcess {
  readonly #child: ChildProcess
  readonly startedAtMs = Date.now()
  readonly ended: Promise<Ended>
  #ended: Ended | undefined
  #out = ""
  #stderr = ""
  #rest = ""
  readonly log: LogLine[] = []

  /** `nodeArguments`: flags and script; default: the engine's script without flags. */
  constructor(env: Readonly<Record<string, string>>, nodeArguments: readonly string[] = [MAIN]) {
    this.#child = spawn(process.execPath, ["--import", GUARD, ...nodeArguments], {
      env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...COMPILED, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    })
    this.#child.stdin?.on("error", () => undefined)
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#read(chunk.toString()))
    this.#child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString()
    })
    this.ended = new Promise((resolve) =>
      this.#child.on("close", (code, signal) => {
        this.#ended = { code, signal }
        resolve(this.#ended)
      }),
    )
  }

  #read(text: string): void {
    this.#out += text
    const lines = (this.#rest + text).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) {
      try {
        this.log.push(JSON.parse(line) as LogLine)
      } catch {
        this.log.push({ level: 60, msg: line })
      }
    }
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }
  get running(): boolean {
    return this.#ended === undefined
  }
  get stderr(): string {
    return this.#stderr
  }
  /** Warnings and worse. */
  get complaints(): readonly LogLine[] {
    return this.log.filter((line) => line.level >= WARN)
  }
  said(msg: string): LogLine | undefined {
    return this.log.find((line) => line.msg === msg)
  }

  /** Resolves with the URL of its HTTP API when it is at work. */
  async ready(): Promise<string> {
    const line = await until(
      () => {
        if (this.#ended !== undefined) return { failed: true as const }
        return this.said("ready")
      },
      { timeoutMs: 20_000, what: "the engine to be ready", seen: () => this.tail() },
    )
    if ("failed" in line) throw new Error(`the engine ended before it was ready: ${JSON.stringify(this.#ended)}\n${this.tail()}`)
    return String(line["url"])
  }

  tail(lines = 30): string {
    return `${this.#out.split("\n").slice(-lines).join("\n")}\n${this.#stderr.slice(-2000)}`
  }

  async #end(signal: NodeJS.Signals): Promise<Ended> {
    if (this.#ended === undefined) this.#child.kill(signal)
    return this.ended
  }
  /** SIGTERM: gracefully. */
  stop(): Promise<Ended> {
    return this.#end("SIGTERM")
  }
  /** SIGKILL: now. */
  kill(): Promise<Ended> {
    return this.#end("SIGKILL")
  }
  pause(): void {
    this.#child.kill("SIGSTOP")
  }
  wake(): void {
    this.#child.kill("SIGCONT")
  }
}
