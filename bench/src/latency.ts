/** Delays, at a steady rate and at saturation. */
import { type Quantiles, quantiles } from "./measures.ts"
import type { BenchWorld } from "./world.ts"

export interface Latency {
  readonly orders: number
  readonly failed: number
  /** Orders settled a second while they were measured. */
  readonly perSecond: number
  /** ms */
  readonly signalToEntry: Quantiles
  /** ms */
  readonly fillToStop: Quantiles
}

const TIMEOUT_MS = 600_000
/** At saturation so many orders are on their way at any time. */
export const WINDOW = 256

const measured = async (world: BenchWorld, warmUp: number, orders: number, load: () => Promise<void>): Promise<Latency> => {
  const engine = await world.engine()
  await world.publishInWindow(warmUp, WINDOW, TIMEOUT_MS)
  await engine.reset()
  const startMs = (await engine.count()).atMs
  await load()
  const endMs = await world.settled(engine, orders, TIMEOUT_MS)
  const report = await engine.report()
  await engine.stop()
  return {
    orders,
    failed: report.failed,
    perSecond: (orders / (endMs - startMs)) * 1000,
    signalToEntry: quantiles(report.signalToEntryMs),
    fillToStop: quantiles(report.fillToStopMs),
  }
}

export const atRate = (world: BenchWorld, options: { warmUp: number; perSecond: number; orders: number }): Promise<Latency> =>
  measured(world, options.warmUp, options.orders, () => world.publishAtRate(options.orders, options.perSecond))

export const atSaturation = (world: BenchWorld, options: { warmUp: number; orders: number }): Promise<Latency> =>
  measured(world, options.warmUp, options.orders, () => world.publishInWindow(options.orders, WINDOW, TIMEOUT_MS))
