/** Waiting with a deadline: polls until the answer is there, and says what was last seen when it never comes. */
import { setTimeout as sleep } from "node:timers/promises"

/** Deadlines are stretched by this on machines that are busy with other things (`TEST_TIME_FACTOR`). */
export const TIME_FACTOR = Number(process.env["TEST_TIME_FACTOR"] ?? 3)

export interface UntilOptions {
  /** Before {@link TIME_FACTOR}. Default 5000. */
  readonly timeoutMs?: number
  readonly everyMs?: number
  /** Said when the time is up. */
  readonly what?: string
  /** What was seen instead, asked when the time is up. */
  readonly seen?: () => unknown
}

/** The first answer that is neither `undefined` nor `false`. Throws when the time is up; an attempt that throws counts as not yet. */
export const until = async <A>(attempt: () => A | Promise<A>, options: UntilOptions = {}): Promise<Exclude<A, undefined | false>> => {
  const deadlineMs = Date.now() + (options.timeoutMs ?? 5000) * TIME_FACTOR
  let last: unknown
  for (;;) {
    try {
      const answer = await attempt()
      if (answer !== undefined && answer !== false) return answer as Exclude<A, undefined | false>
      last = answer
    } catch (error) {
      last = error instanceof Error ? error.message : error
    }
    if (Date.now() > deadlineMs) {
      const seen = options.seen === undefined ? last : await options.seen()
      throw new Error(`in vain waited for ${options.what ?? attempt.toString()}; last seen: ${JSON.stringify(seen)?.slice(0, 2000)}`)
    }
    await sleep(options.everyMs ?? 20)
  }
}

/** Numbers in [0, 1) that a seed determines (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
