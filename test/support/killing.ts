/**
 * Orders in flight on a slow, lossy paper venue, and an engine that is killed at random moments again and again. What is
 * random is seeded, and the seed is printed.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { type Faults, NO_FAULTS } from "@petrosa/venue"
import type { EngineProcess } from "./engineProcess.ts"
import { checkWorld, type Findings } from "./oracle.ts"
import { type SignalBody, signal } from "./signals.ts"
import { seeded, until } from "./until.ts"
import type { World } from "./world.ts"

export interface KillingOptions {
  readonly orders: number
  readonly kills: number
  readonly seed: number
  /** The longest that an engine lives before it is killed, ms after it is ready. Default 700. */
  readonly lifeMs?: number
  /** Signals are published in so many portions, one before each kill. */
  readonly faults?: Partial<Faults>
  readonly onProgress?: (text: string) => void
  readonly settleTimeoutMs?: number
  /** How an engine is ended: `kill` (SIGKILL), `stop` (SIGTERM), `mixed`. Default `kill`. */
  readonly ending?: "kill" | "stop" | "mixed"
}

export interface KillingResult {
  readonly findings: Findings
  readonly published: number
  /** From the start of the last engine until everything was settled, ms. */
  readonly convergedMs: number
}

/** Prices that never move: what is tested is not the market. */
const SYMBOLS: readonly (readonly [string, number, number])[] = [
  ["BTCUSDT", 50_000, 0.01],
  ["ETHUSDT", 2500, 0.2],
  ["ADAUSDT", 0.5, 1000],
  ["SOLUSDT", 150, 3],
]

/** The n-th signal of a mixed load: market and limit entries, both sides, some away from the market (they rest). */
export const mixedSignal = (n: number, random: () => number): SignalBody & { readonly signal_id: string } => {
  const [symbol, price, quantity] = SYMBOLS[n % SYMBOLS.length] ?? ["BTCUSDT", 50_000, 0.01]
  const sell = random() < 0.4
  const kind = random()
  const base = { symbol, current_price: price, quantity, action: sell ? "sell" : "buy" }
  if (kind < 0.6) return signal({ ...base, price, order_type: "market" })
  if (kind < 0.9) return signal({ ...base, price, order_type: "limit" })
  // Away from the market by 2 %: rests until its time-out.
  const away = Number((price * (sell ? 1.02 : 0.98)).toFixed(4))
  return signal({ ...base, price: away, order_type: "limit", conditional_timeout: 4 })
}

export const LOSSY: Partial<Faults> = {
  slowMs: 30,
  loseReply: { probability: 0.2 },
  dropRequest: { probability: 0.1 },
}

/** Publishes, kills, restarts, heals the venue, waits until everything is settled, and asks the oracle. */
export const killing = async (world: World, options: KillingOptions): Promise<KillingResult> => {
  const random = seeded(options.seed)
  const say = options.onProgress ?? (() => undefined)
  await world.setFaults({ ...NO_FAULTS, ...(options.faults ?? LOSSY), seed: options.seed })
  let published = 0
  const publish = async (upTo: number): Promise<void> => {
    for (; published < upTo; published++) world.publish(mixedSignal(published, random))
    await world.nc.flush()
  }
  let engine: EngineProcess = await world.start()
  for (let kill = 1; kill <= options.kills; kill++) {
    await publish(Math.ceil((options.orders * kill) / options.kills))
    await sleep(random() * (options.lifeMs ?? 700))
    const gently = options.ending === "stop" || (options.ending === "mixed" && random() < 0.5)
    const ended = await (gently ? engine.stop() : engine.kill())
    if (gently && ended.code !== 0) throw new Error(`a graceful stop ended with ${JSON.stringify(ended)}\n${engine.tail()}`)
    say(`${gently ? "stop" : "kill"} ${kill} of ${options.kills}: ${published} published`)
    engine = await world.start()
  }
  const sinceMs = Date.now()
  await world.setFaults({ slowMs: 0, loseReply: null, dropRequest: null, refuse: null, notFoundForMs: 0, missEvents: 0, lateEventsMs: 0 })
  await quiet(world, published, options.settleTimeoutMs ?? 30_000)
  const convergedMs = Date.now() - sinceMs
  const findings = await checkWorld(world)
  say(`${findings.settled} of ${published} settled ${convergedMs} ms after the last restart; ${findings.problems.length} problems`)
  return { findings, published, convergedMs }
}

/** Until so many orders exist, all are settled (or parked), and the signals' stream is empty. */
export const quiet = async (world: World, orders: number, timeoutMs = 30_000): Promise<void> => {
  await until(
    async () => {
      if ((await world.messages("SIGNALS")) > 0) return false
      const rows = await world.rows()
      if (rows.length < orders || !rows.every((row) => row.parked || (row.settled && (row.done || row.open_quantity !== "0")))) return false
      return (await world.messages("LOTS")) === rows.filter((row) => row.open_quantity !== "0" && !row.parked).length
    },
    {
      timeoutMs,
      everyMs: 100,
      what: `${orders} orders to be settled`,
      seen: async () => {
        const rows = await world.rows()
        const waiting = rows.filter((row) => !row.settled && !row.parked)
        return {
          rows: rows.length,
          waiting: waiting.length,
          messages: await world.messages("SIGNALS"),
          lots: await world.messages("LOTS"),
          openLots: rows.filter((row) => row.open_quantity !== "0").length,
          examples: await Promise.all(waiting.slice(0, 3).map((row) => world.types(row.order))),
          complaints: world.engines.at(-1)?.complaints.slice(-5),
        }
      },
    },
  )
}
