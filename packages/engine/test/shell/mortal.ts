/** What a process sees of its world while it may be killed: afterwards nothing answers it, and none of its timers fires. */
import type { Clock } from "@petrosa/intake"

export interface Life {
  over: boolean
}

/** The thing as a process sees it that may be killed: then its answers never come. */
export const mortal = <T extends object>(target: T, life: Life): T =>
  new Proxy(target, {
    get(from, key) {
      const value: unknown = Reflect.get(from, key, from)
      if (typeof value !== "function") return value
      return (...args: readonly unknown[]): unknown =>
        life.over ? new Promise<never>(() => {}) : (value as (...given: readonly unknown[]) => unknown).apply(from, [...args])
    },
  })

/** @param aheadMs how far its wall clock is from the real one just now, in milliseconds */
export const mortalClock = (clock: Clock, life: Life, aheadMs: () => number): Clock => {
  const alive = (fn: () => void) => (): void => {
    if (!life.over) fn()
  }
  return {
    nowMs: () => clock.nowMs() + aheadMs(),
    monotonicMs: () => clock.monotonicMs(),
    after: (delayMs, fn) => clock.after(delayMs, alive(fn)),
    soon: (fn) => clock.soon(alive(fn)),
  }
}
