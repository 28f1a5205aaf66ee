/** Time that moves when it is told to; what is due runs in order, and promises settle in between. */
import type { Clock } from "../../src/binance/clock.ts"

export interface FakeClock extends Clock {
  advance(ms: number): Promise<void>
}

/** Lets what is already resolved go on. */
export const settle = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await Promise.resolve()
}

export const fakeClock = (startMs = 1_700_000_000_000, chance = 0.5): FakeClock => {
  let nowMs = startMs
  let timers: { atMs: number; run: () => void }[] = []
  return {
    nowMs: () => nowMs,
    random: () => chance,
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run }
      timers.push(timer)
      return () => {
        timers = timers.filter((one) => one !== timer)
      }
    },
    advance: async (ms) => {
      const endMs = nowMs + ms
      await settle()
      for (;;) {
        const due = timers.filter((one) => one.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (due === undefined) break
        timers = timers.filter((one) => one !== due)
        nowMs = due.atMs
        due.run()
        await settle()
      }
      nowMs = endMs
      await settle()
    },
  }
}
