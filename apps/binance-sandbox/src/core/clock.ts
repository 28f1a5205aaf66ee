/**
 * The sandbox's time. Everything that waits or reads a clock takes one of these, so that a test can hold time still.
 * The exchange's clock is this one plus a skew that can be set (`Exchange.nowMs`).
 */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number
  /** Runs once after a delay; the answer cancels it. */
  after(delayMs: number, run: () => void): () => void
}

/** The longest delay that a timer of Node takes; longer ones would fire at once. */
const TIMER_MAX_MS = 2 ** 31 - 1

/** The machine's clock. Its timers do not keep a process alive: what listens on a port does. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, run) => {
    let timer: NodeJS.Timeout
    const wait = (leftMs: number): void => {
      timer = setTimeout(() => (leftMs > TIMER_MAX_MS ? wait(leftMs - TIMER_MAX_MS) : run()), Math.min(leftMs, TIMER_MAX_MS))
      timer.unref()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}

/** Time that only moves when it is told to. Timers run in the order of their times, inside {@link ManualClock.advance}. */
export class ManualClock implements Clock {
  #nowMs: number
  #timers: { readonly atMs: number; readonly run: () => void }[] = []

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }
  nowMs(): number {
    return this.#nowMs
  }
  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run }
    this.#timers.push(timer)
    this.#timers.sort((a, b) => a.atMs - b.atMs)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const next = this.#timers[0]
      if (next === undefined || next.atMs > endMs) break
      this.#timers.shift()
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = endMs
  }
}
