/** What the bench measures, one after the other, and how large each part is. */
import { type AtBinance, measureAtBinance } from "../../test/binance/bench.ts"
import { takeSample, type Sample } from "./sample.ts"
import { floor, lifecycles, type Throughput } from "./throughput.ts"
import { atRate, atSaturation, type Latency } from "./latency.ts"
import { feedCost, type Feeds } from "./feeds.ts"
import { quantiles } from "./measures.ts"
import { memoryOfLive, type MemoryUse, recovery, type Ending, type Recovery } from "./holding.ts"
import { pastOrders } from "./history.ts"
import { BenchWorld, type StoreKind } from "./world.ts"

export interface Sizes {
  readonly throughput: number
  /** On MongoDB, which is slower here: see docs/bench.md. */
  readonly throughputMongodb: number
  readonly warmUp: number
  readonly rateSeconds: number
  readonly saturation: number
  readonly live: number
  readonly past: number
  readonly delayed: number
  readonly binance: number
}

export const FULL: Sizes = {
  throughput: 20_000,
  throughputMongodb: 5000,
  warmUp: 3000,
  rateSeconds: 20,
  saturation: 10_000,
  live: 10_000,
  past: 1_000_000,
  delayed: 5000,
  binance: 900,
}
export const QUICK: Sizes = {
  throughput: 4000,
  throughputMongodb: 3000,
  warmUp: 1000,
  rateSeconds: 5,
  saturation: 2000,
  live: 2000,
  past: 50_000,
  delayed: 1000,
  binance: 180,
}

export const PER_SECOND = 100
export const DELAY_MS = 20
/** Binance itself lets through 1200 futures orders a minute: six or seven bracketed ones a second. */
export const BINANCE_PER_SECOND = 20

export const SECTIONS = ["throughput", "latency", "memory", "recovery", "history", "delay", "feeds", "binance"] as const
export type Section = (typeof SECTIONS)[number]

export interface StoreResult {
  floor?: Throughput
  lifecycles?: Throughput
  /** Lifecycles a second, as a part of the floor's. */
  ratio?: number
  atRate?: Latency
  atSaturation?: Latency
}

export interface Results {
  readonly stores: Partial<Record<StoreKind, StoreResult>>
  memory?: MemoryUse
  recovery?: Readonly<Record<Ending, Recovery>>
  history?: {
    readonly past: number
    readonly none: Throughput
    readonly with: Throughput
    /** The median of those of neighbouring runs: this machine is a fifth faster or slower from minute to minute. */
    readonly ratio: number
    readonly ratios: readonly number[]
    readonly startMsNone: number
    readonly startMsWith: number
  }
  feeds?: Feeds
  /** Over HTTP to the local Binance, by what was added to each request. */
  binance?: readonly AtBinance[]
  delay?: { readonly ms: number; readonly throughput: Throughput; readonly atRate: Latency }
}

export interface RunOptions {
  readonly stores: readonly StoreKind[]
  readonly sections: ReadonlySet<Section>
  readonly sizes: Sizes
  readonly say: (text: string) => void
  /** Flags for Node, of the engine at saturation: `--cpu-prof`. */
  readonly flags: readonly string[]
}

export const ENDINGS: Readonly<Record<Ending, string>> = {
  stop: "a graceful stop",
  kill: "kill -9",
  killAtOnce: "kill -9 before they have a snapshot",
}

const inWorld = async <A>(
  kind: StoreKind,
  extra: Readonly<Record<string, string>>,
  work: (world: BenchWorld) => Promise<A>,
): Promise<A> => {
  const world = await BenchWorld.open(kind, extra)
  try {
    return await work(world)
  } finally {
    await world.close()
  }
}

export const run = async (options: RunOptions): Promise<Results> => {
  const { sizes, say, sections } = options
  const results: Results = { stores: {} }
  say("taking a sample: one order, from its signal to its closed lot")
  const sample = await takeSample()
  for (const kind of options.stores) {
    const result: StoreResult = {}
    results.stores[kind] = result
    if (sections.has("throughput")) await throughput(kind, result, sample, options)
    if (sections.has("latency")) await latency(kind, result, options)
  }
  if (sections.has("memory")) {
    say(`memory of ${sizes.live} live orders (SQLite)`)
    results.memory = await inWorld("sqlite", {}, (world) => memoryOfLive(withPaperFile(world), sizes.live))
  }
  if (sections.has("recovery")) {
    const recoveryAfter = (how: Ending): Promise<Recovery> => {
      say(`recovery of ${sizes.live} orders in flight (SQLite): ${ENDINGS[how]}`)
      return inWorld("sqlite", {}, (world) =>
        inWorld("sqlite", {}, (empty) => recovery(withPaperFile(world), withPaperFile(empty), sizes.live, how)),
      )
    }
    results.recovery = {
      stop: await recoveryAfter("stop"),
      kill: await recoveryAfter("kill"),
      killAtOnce: await recoveryAfter("killAtOnce"),
    }
  }
  if (sections.has("history")) results.history = await history(sample, options)
  if (sections.has("delay")) {
    say(`a venue ${DELAY_MS} ms away`)
    const env = { PAPER_LATENCY_MS: String(DELAY_MS) }
    const saturated = await inWorld("sqlite", env, (world) => lifecycles(world, sizes.delayed))
    const rate = await inWorld("sqlite", env, (world) =>
      atRate(world, { warmUp: sizes.warmUp, perSecond: PER_SECOND, orders: sizes.rateSeconds * PER_SECOND }),
    )
    results.delay = { ms: DELAY_MS, throughput: saturated, atRate: rate }
  }
  if (sections.has("feeds")) {
    say("processor time per order with ten pages on the feed, and with none (SQLite)")
    results.feeds = await inWorld("sqlite", {}, (world) =>
      feedCost(world, { warmUp: sizes.warmUp, orders: sizes.saturation, perSecond: PER_SECOND, seconds: sizes.rateSeconds }),
    )
  }
  if (sections.has("binance")) {
    const measured: AtBinance[] = []
    for (const addedMs of [0, DELAY_MS]) {
      say(`the local Binance over HTTP, ${addedMs} ms added`)
      measured.push(await measureAtBinance({ orders: sizes.binance, addedMs, perSecond: BINANCE_PER_SECOND }))
    }
    results.binance = measured
  }
  return results
}

/** The venue's memory in its file: it is then not counted as the engine's, and outlives it. */
const withPaperFile = (world: BenchWorld): BenchWorld => world.with({ PAPER_VENUE_FILE: `${world.dir}/paper.sqlite` })

const throughput = async (kind: StoreKind, result: StoreResult, sample: Sample, { sizes, say, flags }: RunOptions): Promise<void> => {
  const orders = kind === "sqlite" ? sizes.throughput : sizes.throughputMongodb
  await alternately(
    ROUNDS,
    async (round) => {
      say(`${kind}: the floor, ${orders} orders, ${round}`)
      result.floor = better(result.floor, await inWorld(kind, {}, (world) => floor(world, orders, sample)))
    },
    async (round) => {
      say(`${kind}: full lifecycles, ${orders} orders, ${round}`)
      result.lifecycles = better(result.lifecycles, await inWorld(kind, {}, (world) => lifecycles(world, orders, flags)))
    },
  )
  if (result.lifecycles === undefined || result.floor === undefined) return
  result.ratio = result.lifecycles.perSecond / result.floor.perSecond
}

const latency = async (kind: StoreKind, result: StoreResult, { sizes, say }: RunOptions): Promise<void> => {
  say(`${kind}: delays at ${PER_SECOND} signals a second`)
  const orders = sizes.rateSeconds * PER_SECOND
  result.atRate = await inWorld(kind, {}, (world) => atRate(world, { warmUp: sizes.warmUp, perSecond: PER_SECOND, orders }))
  const saturating = kind === "sqlite" ? sizes.saturation : Math.min(sizes.saturation, sizes.throughputMongodb)
  say(`${kind}: delays at saturation`)
  result.atSaturation = await inWorld(kind, {}, (world) => atSaturation(world, { warmUp: sizes.warmUp, orders: saturating }))
}

const history = async (sample: Sample, { sizes, say }: RunOptions): Promise<NonNullable<Results["history"]>> => {
  const orders = Math.ceil(sizes.throughput / 2)
  const none: Started[] = []
  const past: Started[] = []
  await alternately(
    HISTORY_ROUNDS,
    async (round) => {
      say(`throughput without past orders, ${round}`)
      none.push(await inWorld("sqlite", {}, async (world) => ({ startMs: await startMs(world), ...(await lifecycles(world, orders)) })))
    },
    async (round) => {
      say(`throughput with ${sizes.past} past orders, ${round}`)
      past.push(
        await inWorld("sqlite", {}, async (world) => {
          const old = world.with({ SQLITE_FILE: await pastOrders(sizes.past, sample, world.dir, say) })
          return { startMs: await startMs(old), ...(await lifecycles(old, orders)) }
        }),
      )
    },
  )
  const middle = (runs: readonly Started[]): Started => runs.toSorted((a, b) => a.perSecond - b.perSecond)[runs.length >> 1] as Started
  const ratios = none.map((one, i) => (past[i]?.perSecond ?? Number.NaN) / one.perSecond)
  return {
    past: sizes.past,
    none: middle(none),
    with: middle(past),
    ratio: quantiles(ratios).p50,
    ratios,
    startMsNone: middle(none).startMs,
    startMsWith: middle(past).startMs,
  }
}

interface Started extends Throughput {
  readonly startMs: number
}

/** What is compared is measured in turns, and each counts by its better turn: what else the machine does only makes it slower. */
const ROUNDS = 2
/** Where a few percent are to be seen. */
const HISTORY_ROUNDS = 5
const alternately = async (rounds: number, ...parts: readonly ((round: string) => Promise<void>)[]): Promise<void> => {
  for (let round = 1; round <= rounds; round += 1) for (const part of parts) await part(`round ${round} of ${rounds}`)
}
const better = <A extends Throughput>(before: A | undefined, now: A): A =>
  before === undefined || now.perSecond > before.perSecond ? now : before

/** Of an engine with nothing in flight; the second of two, when the streams are there. */
const startMs = async (world: BenchWorld): Promise<number> => {
  await world.prepare()
  const engine = await world.engine()
  await engine.stop()
  return engine.startMs
}
