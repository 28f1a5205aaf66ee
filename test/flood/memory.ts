/**
 * How much memory a process holds, as the system sees it: sampled along the way, and its highest mark where the system keeps one
 * (VmHWM, on Linux), which no sample can miss.
 */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"

export interface Memory {
  readonly rssBytes: number
  /** The highest that it ever was. */
  readonly peakBytes?: number
}

const KIB = 1024
const run = promisify(execFile)

/** Of the text of `/proc/<pid>/status`; `undefined` for a process that is ending and holds nothing any more. */
export const memoryOfStatus = (status: string): Memory | undefined => {
  const field = (name: string): number | undefined => {
    const [, kib] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? []
    return kib === undefined ? undefined : Number(kib) * KIB
  }
  const rssBytes = field("VmRSS")
  const peakBytes = field("VmHWM")
  if (rssBytes === undefined) return undefined
  return peakBytes === undefined ? { rssBytes } : { rssBytes, peakBytes }
}

/** `undefined`: the process is gone, or this system tells nothing. */
export const memoryOf = async (pid: number): Promise<Memory | undefined> => {
  try {
    if (process.platform === "linux") return memoryOfStatus(await readFile(`/proc/${pid}/status`, "utf8"))
    const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)])
    const kib = Number(stdout.trim())
    return kib > 0 ? { rssBytes: kib * KIB } : undefined
  } catch {
    return undefined
  }
}

export interface MemorySample {
  readonly afterMs: number
  readonly rssBytes: number
}

export class MemoryWatch {
  readonly #pid: number
  readonly #everyMs: number
  readonly #startedAtMs = Date.now()
  readonly #stopping = new AbortController()
  readonly #over: Promise<void>
  readonly samples: MemorySample[] = []
  /** 0 as long as nothing was seen. */
  highestBytes = 0
  /** `VmHWM`: nothing can have been higher. `sampled`: between two samples it may have been. */
  source: "VmHWM" | "sampled" = "sampled"

  constructor(pid: number, everyMs = 250) {
    this.#pid = pid
    this.#everyMs = everyMs
    this.#over = this.#watch()
  }

  get lastBytes(): number {
    return this.samples.at(-1)?.rssBytes ?? 0
  }

  async sample(): Promise<void> {
    const memory = await memoryOf(this.#pid)
    if (memory === undefined) return
    this.samples.push({ afterMs: Date.now() - this.#startedAtMs, rssBytes: memory.rssBytes })
    if (memory.peakBytes !== undefined) this.source = "VmHWM"
    this.highestBytes = Math.max(this.highestBytes, memory.rssBytes, memory.peakBytes ?? 0)
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.sample()
      await sleep(this.#everyMs, undefined, { signal }).catch(() => undefined)
    }
  }

  stop(): Promise<void> {
    this.#stopping.abort()
    return this.#over
  }
}

/** At most so many samples, evenly taken, with the highest of each stretch. */
export const thinned = (samples: readonly MemorySample[], most: number): readonly MemorySample[] => {
  if (samples.length <= most) return samples
  const stretch = Math.ceil(samples.length / most)
  const kept: MemorySample[] = []
  for (let from = 0; from < samples.length; from += stretch)
    kept.push(samples.slice(from, from + stretch).reduce((a, b) => (b.rssBytes > a.rssBytes ? b : a)))
  return kept
}
