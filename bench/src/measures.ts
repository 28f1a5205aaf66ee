/** Numbers from what was seen: rates, quantiles. */
import { type Mark, MARK_EVERY } from "./protocol.ts"

export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export const quantiles = (values: readonly number[]): Quantiles => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

export interface Rate {
  readonly perSecond: number
  /** Processor time of the process per order, µs. */
  readonly cpuUs: number
}

/** As many orders may be on their way at once, in the floor and (about) in the engine. */
export const IN_FLIGHT_MAX = 1000

/**
 * After the first part of the run, in which the program is still being compiled, and before the last orders have begun:
 * from then on fewer and fewer are on their way, and what is settled was worked for before the window opened.
 */
export const rateOf = (marks: readonly Mark[], skip = 0.3): Rate => {
  const last = marks.at(-1 - IN_FLIGHT_MAX / MARK_EVERY) ?? marks.at(-1)
  const first = marks[Math.floor(marks.length * skip)]
  if (first === undefined || last === undefined || last.settled <= first.settled) return { perSecond: Number.NaN, cpuUs: Number.NaN }
  const orders = last.settled - first.settled
  return { perSecond: (orders / (last.atMs - first.atMs)) * 1000, cpuUs: (last.cpuUs - first.cpuUs) / orders }
}
