/** A clock that moves when it is told to, for tests of whatever waits. */
import type { Clock } from "@petrosa/intake"

interface Timer {
  readonly atMs: number
  readonly fn: () => void
  readonly no: number
}

export class ManualClock implements Clock {
  #nowMs: number
  #no = 0
  #timers: Timer[] = []

  constructor(nowMs = Date.UTC(2026, 10, 23, 12)) {
    this.#nowMs = nowMs
  }

  nowMs(): number {
    return this.#nowMs
  }
  monotonicMs(): number {
    return this.#nowMs
  }
  after(delayMs: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), fn, no: this.#no++ }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer)
    }
  }
  soon(fn: () => void): () => void {
    return this.after(0, fn)
  }

  /** Lets time pass, timer by timer, with the promises in between. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      await settle()
      const [next] = this.#timers.filter((one) => one.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs || a.no - b.no)
      if (next === undefined) break
      this.#timers = this.#timers.filter((one) => one !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.fn()
    }
    this.#nowMs = untilMs
    await settle()
  }
}

/** Lets everything that waits for nothing but promises go on. */
export const settle = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await Promise.resolve()
  await new Promise<void>((resolve) => setImmediate(resolve))
}
