/**
 * What it costs the engine to be looked at: processor time per order with no page open and with ten, in turns, in one
 * process. The pages are read here, in the bench's process: only what the engine does for them counts.
 */
import { rateOf } from "./measures.ts"
import type { MeasuredChild } from "./child.ts"
import type { BenchWorld } from "./world.ts"

export const PAGES = 10
const ROUNDS = 3
const TIMEOUT_MS = 300_000
/** Counts come every second: by then every page has been told of everything once. */
const SETTLE_MS = 1500

export interface FeedCost {
  /** µs of processor time an order; the middle one of the rounds. */
  readonly without: number
  readonly with: number
  /** How much more, as a fraction. */
  readonly more: number
}

export interface Feeds {
  readonly pages: number
  /** Everything is published before. */
  readonly atSaturation: FeedCost
  readonly atRate: FeedCost & { readonly perSecond: number }
}

/** Opens pages on the feed, and reads what comes. The result closes them. */
const openPages = async (url: string): Promise<() => void> => {
  const stop = new AbortController()
  for (let n = 0; n < PAGES; n += 1) {
    const response = await fetch(`${url}/inspector/feed`, { signal: stop.signal })
    if (!response.ok || response.body === null) throw new Error(`no feed: ${response.status}`)
    const reader = response.body.getReader()
    void (async () => {
      while (!(await reader.read()).done);
    })().catch(() => undefined)
  }
  return () => stop.abort()
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const alternate = async (engine: MeasuredChild, run: () => Promise<void>): Promise<FeedCost> => {
  const seen: { readonly without: number[]; readonly with: number[] } = { without: [], with: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const how of ["without", "with"] as const) {
      const close = how === "with" ? await openPages(engine.url) : undefined
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
      await engine.reset()
      await run()
      seen[how].push(rateOf((await engine.report()).marks, 0).cpuUs)
      close?.()
    }
  }
  const without = middle(seen.without)
  const withPages = middle(seen.with)
  return { without, with: withPages, more: withPages / without - 1 }
}

export const feedCost = async (
  world: BenchWorld,
  sizes: { readonly warmUp: number; readonly orders: number; readonly perSecond: number; readonly seconds: number },
): Promise<Feeds> => {
  const engine = await world.engine()
  await world.publish(sizes.warmUp)
  await world.settled(engine, sizes.warmUp, TIMEOUT_MS)
  const atSaturation = await alternate(engine, async () => {
    await world.publish(sizes.orders)
    await world.settled(engine, sizes.orders, TIMEOUT_MS)
  })
  const atRate = sizes.perSecond * sizes.seconds
  const rate = await alternate(engine, async () => {
    await world.publishAtRate(atRate, sizes.perSecond)
    await world.settled(engine, atRate, TIMEOUT_MS)
  })
  await engine.stop()
  return { pages: PAGES, atSaturation, atRate: { perSecond: sizes.perSecond, ...rate } }
}
