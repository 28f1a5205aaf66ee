/** A measured process, as the bench sees it: started, asked, stopped or killed. It is gone when the bench is gone. */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Answer, Ask, Counted, Report } from "./protocol.ts"

export interface ChildOptions {
  /** Beside this file. */
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  /** Flags for Node, e.g. `--cpu-prof`. */
  readonly flags?: readonly string[]
  readonly onLog?: (line: string) => void
}

const ANSWER_WITHIN_MS = 120_000

export class MeasuredChild {
  get pid(): number {
    return this.#child.pid ?? 0
  }
  readonly #child: ChildProcess
  readonly #ended: Promise<void>
  #waiting: { readonly is: Answer["is"]; readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = []
  #output = ""
  startMs = 0
  /** Of the engine's HTTP API. */
  url = ""

  private constructor(options: ChildOptions) {
    this.#child = fork(fileURLToPath(new URL(options.script, import.meta.url)), {
      env: {
        PATH: process.env.PATH ?? "",
        HOME: process.env.HOME ?? "",
        ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
        ...options.env,
      },
      execArgv: ["--disable-warning=ExperimentalWarning", "--expose-gc", ...(options.flags ?? [])],
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    })
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.#output = `${this.#output}${chunk.toString()}`.slice(-200_000)
        options.onLog?.(chunk.toString())
      })
    this.#child.on("message", (answer: Answer) => this.#hear(answer))
    this.#ended = new Promise((resolve) => {
      this.#child.on("close", () => {
        const error = new Error(`${options.script} is gone:\n${this.tail()}`)
        for (const { reject } of this.#waiting.splice(0)) reject(error)
        resolve()
      })
    })
  }

  static async start(options: ChildOptions): Promise<MeasuredChild> {
    const child = new MeasuredChild(options)
    const ready = await child.#wait("ready")
    if (ready.is === "ready") {
      child.startMs = ready.startMs
      child.url = ready.url ?? ""
    }
    return child
  }

  #hear(answer: Answer): void {
    if (answer.is === "broken") {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(answer.error))
      return
    }
    const at = this.#waiting.findIndex(({ is }) => is === answer.is)
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.resolve(answer)
  }

  #wait(is: Answer["is"]): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer (${is}) for ${ANSWER_WITHIN_MS} ms:\n${this.tail()}`)), ANSWER_WITHIN_MS)
      const settle =
        <A>(next: (value: A) => void) =>
        (value: A) => {
          clearTimeout(timer)
          next(value)
        }
      this.#waiting.push({ is, resolve: settle(resolve), reject: settle(reject) })
    })
  }

  #ask(ask: Ask, is: Answer["is"]): Promise<Answer> {
    const answer = this.#wait(is)
    this.#child.send(ask)
    return answer
  }

  async report(options: { readonly gc?: boolean } = {}): Promise<Report> {
    const answer = await this.#ask({ ask: "report", ...options }, "report")
    if (answer.is !== "report") throw new Error("not a report")
    return answer.report
  }

  async count(): Promise<Counted> {
    const answer = await this.#ask({ ask: "count" }, "count")
    if (answer.is !== "count") throw new Error("not a count")
    return answer.counted
  }

  async reset(): Promise<void> {
    await this.#ask({ ask: "reset" }, "reset")
  }

  async setPrice(symbol: string, price: string): Promise<void> {
    await this.#ask({ ask: "price", symbol, price }, "price")
  }

  /** Gracefully. Returns how long the stop took by itself, ms. */
  async stop(): Promise<number> {
    const answer = await this.#ask({ ask: "stop" }, "stopped")
    await this.#ended
    return answer.is === "stopped" ? answer.stopMs : 0
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL")
    await this.#ended
  }

  tail(): string {
    return this.#output.slice(-3000)
  }
}
