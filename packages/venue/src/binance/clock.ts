/** The clock, timers and chance of the Binance adapters, so that tests can hold them. */
export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number
  /** Runs once after a delay; the answer cancels it. It keeps no process alive. */
  after(delayMs: number, run: () => void): () => void
  /** 0 ≤ x < 1: for jitter only, nothing is decided by it. */
  random(): number
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
  random: () => Math.random(),
}

/** Resolves after a delay. */
export const pause = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(delayMs, resolve)
  })
