/** A clock that a test moves. */
import type { Clock } from "../src/index.ts"

export class ManualClock implements Clock {
  wallMs = 1_000_000
  monoMs = 0
  #timers: { atMs: number; fn: () => void }[] = []

  nowMs(): number {
    return this.wallMs
  }
  monotonicMs(): number {
    return this.monoMs
  }
  after(delayMs: number, fn: () => void): () => void {
    const timer = { atMs: this.monoMs + delayMs, fn }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer)
    }
  }
  soon(fn: () => void): () => void {
    return this.after(0, fn)
  }

  /** Both clocks go on; timers fire in order. */
  advance(ms: number): void {
    const endMs = this.monoMs + ms
    for (;;) {
      const next = this.#timers.filter((t) => t.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((t) => t !== next)
      this.#to(Math.max(next.atMs, this.monoMs))
      next.fn()
    }
    this.#to(endMs)
  }

  #to(monoMs: number): void {
    this.wallMs += monoMs - this.monoMs
    this.monoMs = monoMs
  }
}
