/**
 * The real path, measured: engine process → adapter → local Binance over HTTP and WebSocket, with so many milliseconds added to every
 * request. The exchange's own memory tells when an entry and a stop arrived. The exchange shares the machine.
 *
 * Rate limits are lifted on both sides: this is what the path costs, not what Binance allows (1200 futures orders a minute).
 */
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import { signal } from "../support/signals.ts"
import { until } from "../support/until.ts"
import { World } from "../support/world.ts"

export interface AtBinance {
  readonly addedMs: number
  readonly orders: number
  /** Entry, stop and target of so many a second, at saturation. */
  readonly perSecond: number
  readonly signalToEntryMs: readonly number[]
  readonly fillToStopMs: readonly number[]
}
export interface BenchOptions {
  readonly orders: number
  readonly addedMs: number
  /** The delays are measured at this rate. */
  readonly perSecond: number
}

const PRICE = "50000"
/** Two hundred conditional orders are what an account may have open: lots are made in batches, and closed before the next. */
const BATCH = 90
const WARM_UP = 90
const SETTLE_MS = 60_000
const UNLIMITED = { limits: [], banAfter: 1_000_000, firstBanMs: 1 }

export const measureAtBinance = async (options: BenchOptions): Promise<AtBinance> => {
  const sandbox = await startSandbox({
    accounts: [{ name: "main", apiKey: EXAMPLE_KEY, apiSecret: EXAMPLE_SECRET, futures: { USDT: "100000000" } }],
    prices: { BTCUSDT: PRICE },
    limits: { spot: UNLIMITED, futures: UNLIMITED },
    faults: options.addedMs === 0 ? [] : [{ kind: "slow", beforeMs: options.addedMs }],
    strictStreams: true,
  })
  const world = await World.create({
    env: {
      SIMULATION_ENABLED: "false",
      AUDIT_STORE: "sqlite",
      BINANCE_MARKETS: "futures",
      BINANCE_API_KEY: EXAMPLE_KEY,
      BINANCE_API_SECRET: EXAMPLE_SECRET,
      BINANCE_FUTURES_URL: sandbox.futuresUrl,
      BINANCE_FUTURES_WS_URL: sandbox.futuresStreamUrl,
      BINANCE_MAX_REQUESTS_PER_MINUTE: "100000",
      MAX_OPEN_POSITIONS: "100000",
    },
  })
  const entries = new Map<string, number>()
  const fills = new Map<string, number>()
  const stops = new Map<string, number>()
  const orderOf = (clientId: string): string => clientId.slice(6, 26)
  const { exchange, futures } = sandbox.world
  exchange.on(({ kind, order }) => {
    if (order.clientId.slice(26, 27) !== "E") return
    const seen = kind === "NEW" ? entries : kind === "TRADE" ? fills : undefined
    if (seen !== undefined && !seen.has(orderOf(order.clientId))) seen.set(orderOf(order.clientId), performance.now())
  })
  let covered = 0
  futures.algos.on((algo) => {
    if (algo.status !== "NEW") return
    const leg = algo.clientAlgoId.slice(26, 27)
    if (leg === "S") stops.set(orderOf(algo.clientAlgoId), performance.now())
    if (leg === "T") covered += 1
  })
  const published = new Map<string, number>()
  const publish = (): void => {
    const body = signal({ stop_loss: 49000, take_profit: 51000 })
    published.set(body.signal_id, performance.now())
    world.publish(body)
  }
  /** Publishes a batch, waits until all of it is under its bracket, and closes it by its targets. How long the first part took. */
  const batch = async (count: number, perSecond: number): Promise<number> => {
    const before = covered
    const startMs = performance.now()
    for (let n = 0; n < count; n += 1) {
      const waitMs = perSecond === 0 ? 0 : startMs + (n * 1000) / perSecond - performance.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      publish()
    }
    await until(() => covered >= before + count, {
      timeoutMs: SETTLE_MS,
      everyMs: 2,
      what: `${count} brackets`,
      seen: () => covered - before,
    })
    const tookMs = performance.now() - startMs
    sandbox.setPrice("BTCUSDT", "51100", { mark: "51100" })
    await until(() => !sandbox.ledger().algoOrders.some(({ status }) => status === "NEW"), {
      timeoutMs: SETTLE_MS,
      everyMs: 100,
      what: "all are closed",
    })
    sandbox.setPrice("BTCUSDT", PRICE, { mark: PRICE })
    // The engine's own price has to come back, too, before the next signal says 50,000.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    return tookMs
  }
  try {
    await world.start()
    await batch(WARM_UP, 0)
    let saturatedMs = 0
    for (let done = 0; done < options.orders; done += BATCH) saturatedMs += await batch(Math.min(BATCH, options.orders - done), 0)
    published.clear()
    for (const seen of [entries, fills, stops]) seen.clear()
    for (let done = 0; done < options.orders; done += BATCH) await batch(Math.min(BATCH, options.orders - done), options.perSecond)
    const signals = new Map((await world.rows()).map((row) => [row.order, row.signal_id]))
    const signalToEntryMs = [...entries].flatMap(([order, atMs]) => {
      const from = published.get(signals.get(order) ?? "")
      return from === undefined ? [] : [atMs - from]
    })
    const fillToStopMs = [...stops].flatMap(([order, atMs]) => {
      const from = fills.get(order)
      return from === undefined ? [] : [atMs - from]
    })
    return {
      addedMs: options.addedMs,
      orders: options.orders,
      perSecond: (options.orders / saturatedMs) * 1000,
      signalToEntryMs,
      fillToStopMs,
    }
  } finally {
    await world.close()
    await sandbox.close()
  }
}
