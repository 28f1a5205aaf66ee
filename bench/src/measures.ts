/** Numbers from what was seen: rates, quantiles. */
import type { Mark } from "./protocol.ts"

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

/** After the first part of the run, in which the program is still being compiled. */
export const rateOf = (marks: readonly Mark[], skip = 0.3): Rate => {
  const last = marks.at(-1)
  const first = marks[Math.floor(marks.length * skip)]
  if (first === undefined || last === undefined || last.settled <= first.settled) return { perSecond: Number.NaN, cpuUs: Number.NaN }
  const orders = last.settled - first.settled
  return { perSecond: (orders / (last.atMs - first.atMs)) * 1000, cpuUs: (last.cpuUs - first.cpuUs) / orders }
}
