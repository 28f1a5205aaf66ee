/**
 * `npm run campaign -- binance [--orders N] [--per-minute N] [--seed N]`: bracketed orders of the real process at the local Binance, under
 * the exchange's own rate limits. Nine of ten on futures, long and short; every tenth on spot; market and limit entries; eight symbols
 * whose prices walk until each lot is closed by its stop or its target.
 *
 * It holds: no 429 that the engine's own bookkeeping could have avoided (so: none), no 418, and none lost: each signal has one
 * order and one decision, at most one entry at the exchange, our fills the exchange's trades, nothing open and nothing held at
 * the end, every chain whole.
 */
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import type { Ledger, Sandbox } from "@petrosa/binance-sandbox"
import type { Fill } from "@petrosa/contracts"
import { dec, isZero, str } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import { verifyChain } from "@petrosa/event-store"
import { signal } from "../support/signals.ts"
import { seeded, until } from "../support/until.ts"
import { World } from "../support/world.ts"

export interface BinanceOptions {
  readonly orders: number
  readonly perMinute: number
  readonly seed: number
  readonly say: (text: string) => void
}
export interface BinanceResult {
  readonly published: number
  readonly recorded: number
  readonly entriesAtExchange: number
  readonly trades: number
  readonly endedBy: Readonly<Record<string, number>>
  readonly closedBy: Readonly<Record<string, number>>
  readonly limited: Ledger["limited"]
  /** The most that was ever used of one of the exchange's limits, percent. */
  readonly mostOfALimitPct: number
  /** By market and operation, the heaviest first: how many, and what they weighed. */
  readonly requests: Readonly<Record<string, { readonly requests: number; readonly weight: number }>>
  readonly longestUnprotectedMs: number
  readonly problems: readonly string[]
  readonly complaints: Readonly<Record<string, number>>
}

/** Symbols of both markets, and a size of about 500 USDT. */
const SYMBOLS: readonly (readonly [symbol: string, price: number, quantity: number])[] = [
  ["BTCUSDT", 50_000, 0.01],
  ["ETHUSDT", 3000, 0.17],
  ["BNBUSDT", 600, 0.9],
  ["LTCUSDT", 80, 6],
  ["LINKUSDT", 15, 33],
  ["ATOMUSDT", 5, 100],
  ["DOTUSDT", 5, 100],
  ["XRPUSDT", 2, 250],
]
const STEP_MS = 1000
/** Largest step of a price; stop and target are one percent away, so that a lot lives for some seconds. */
const STEP_PCT = 0.6
const BRACKET_PCT = 1
const SPOT_EVERY = 10
const LIMIT_EVERY = 3
const TRADED_LEAST = 0.9
const SETTLE_MS = 120_000

/** Prices that walk, held to within a tenth of where they began. */
class Walk {
  readonly #sandbox: Sandbox
  readonly #random: () => number
  readonly #prices = new Map(SYMBOLS.map(([symbol, price]) => [symbol, price]))
  #timer: NodeJS.Timeout | undefined
  constructor(sandbox: Sandbox, seed: number) {
    this.#sandbox = sandbox
    this.#random = seeded(seed)
  }
  price(symbol: string): number {
    return this.#prices.get(symbol) ?? 0
  }
  start(): void {
    this.#timer = setInterval(() => {
      for (const [symbol, first] of SYMBOLS) {
        const now = this.price(symbol)
        const next = now * (1 + ((this.#random() * 2 - 1) * STEP_PCT) / 100)
        const price = Math.min(first * 1.08, Math.max(first * 0.92, next))
        this.#prices.set(symbol, Number(price.toPrecision(5)))
        const text = String(this.price(symbol))
        this.#sandbox.setPrice(symbol, text, { mark: text })
      }
    }, STEP_MS)
  }
  stop(): void {
    clearInterval(this.#timer)
  }
}

const bodyOf = (index: number, walk: Walk, random: () => number) => {
  const [symbol = "", , quantity = 0] = SYMBOLS[index % SYMBOLS.length] ?? []
  const market = index % SPOT_EVERY === SPOT_EVERY - 1 ? "spot" : "futures"
  const buy = market === "spot" || random() < 0.5
  const limit = index % LIMIT_EVERY === 0
  const now = walk.price(symbol)
  const away = (pct: number): number => Number((now * (1 + (buy ? pct : -pct) / 100)).toPrecision(5))
  // A limit entry rests a little below (above) the market; its bracket keeps its distance from there.
  const price = limit ? away(-0.1) : now
  const bracket = (pct: number): number => Number((price * (1 + (buy ? pct : -pct) / 100)).toPrecision(5))
  return signal({
    symbol,
    market,
    action: buy ? "buy" : "sell",
    order_type: limit ? "limit" : "market",
    price,
    current_price: now,
    quantity,
    stop_loss: bracket(-BRACKET_PCT),
    take_profit: bracket(BRACKET_PCT),
  })
}

/** What the ledger and the store say of every order, held against each other. */
const audit = async (world: World, ledger: Ledger, rows: readonly OrderRow[]) => {
  const problems: string[] = []
  const endedBy: Record<string, number> = {}
  const closedBy: Record<string, number> = {}
  const count = (counts: Record<string, number>, name: string): void => void (counts[name] = (counts[name] ?? 0) + 1)
  const parents = new Map(ledger.algoOrders.map((algo) => [algo.childOrderId, algo.clientAlgoId]))
  const orderOf = (clientId: string): string => clientId.slice(6, 26)
  const entries = new Map<string, number>()
  for (const { clientId } of ledger.orders)
    if (clientId.slice(26, 27) === "E") entries.set(orderOf(clientId), (entries.get(orderOf(clientId)) ?? 0) + 1)
  const traded = new Map<string, string[]>()
  for (const trade of ledger.trades) {
    const order = orderOf(parents.get(trade.orderId) ?? trade.clientId)
    const known = traded.get(order) ?? []
    traded.set(order, known)
    known.push(`${trade.market} ${trade.tradeId} ${str(dec(trade.quantity))}`)
  }
  let longestUnprotectedMs = 0
  await world.withStore(async (store) => {
    for (const row of rows) {
      const stream = `order/${row.order}`
      const found = (await store.readStreams([stream])).get(stream)
      const events = found?.events ?? []
      if (!verifyChain(stream, await store.readRaw(stream)).ok) problems.push(`${row.order}: the chain is broken`)
      const settled = events.findLast(({ type }) => type === "OrderFailed" || type === "OrderCompleted")
      const data = (settled?.data ?? {}) as { readonly reason?: { readonly code?: string } }
      const refused = events.findLast(({ type }) => type === "EntryRefused")?.data as { readonly code?: unknown } | undefined
      const code = data.reason?.code ?? row.state
      count(endedBy, settled === undefined ? "unsettled" : refused === undefined ? code : `${code} (${String(refused.code)})`)
      if (!row.settled) problems.push(`${row.order}: not settled (${row.state})`)
      if ((entries.get(row.order) ?? 0) > 1) problems.push(`${row.order}: ${entries.get(row.order)} entries`)
      const closed = events.findLast(({ type }) => type === "LotClosed")
      if (closed !== undefined) count(closedBy, String((closed.data as { readonly closedBy?: unknown }).closedBy))
      if (!isZero(dec(row.open_quantity))) problems.push(`${row.order}: still holds ${row.open_quantity}`)
      const fills = events.flatMap(({ data: one }) => (one as { readonly fills?: readonly Fill[] }).fills ?? [])
      const ours = [...new Set(fills.map(({ tradeId, quantity }) => `${row.market} ${tradeId} ${str(dec(quantity))}`))].sort()
      const theirs = (traded.get(row.order) ?? []).sort()
      if (ours.join() !== theirs.join()) problems.push(`${row.order}: fills ${ours.join()}; the exchange has ${theirs.join()}`)
      traded.delete(row.order)
      const filledAt = events.find(({ type }) => type === "EntryFilled" || type === "EntryPartiallyFilled")
      const stopAt = events.find(({ type }) => type === "StopAccepted")
      if (filledAt !== undefined && stopAt !== undefined)
        longestUnprotectedMs = Math.max(longestUnprotectedMs, Date.parse(stopAt.at) - Date.parse(filledAt.at))
    }
  })
  for (const [order, trades] of traded) problems.push(`${order}: ${trades.length} trades at the exchange, and no order of ours`)
  for (const position of ledger.positions)
    if (!isZero(dec(position.quantity))) problems.push(`a position of ${position.quantity} ${position.symbol} is left`)
  const waiting = ledger.algoOrders.filter(({ status }) => status === "NEW").length
  const open = ledger.orders.filter(({ status }) => status === "NEW" || status === "PARTIALLY_FILLED").length
  if (waiting + open > 0) problems.push(`${open} orders and ${waiting} algo orders are left open`)
  return { problems, endedBy, closedBy, longestUnprotectedMs, entriesAtExchange: [...entries.values()].reduce((a, b) => a + b, 0) }
}

const tallied = (sandbox: Sandbox): BinanceResult["requests"] =>
  Object.fromEntries(
    (["spot", "futures"] as const)
      .flatMap((market) => [...sandbox.world.gates[market].tally].map(([op, counted]) => [`${market} ${op}`, counted] as const))
      .sort(([, a], [, b]) => b.weight - a.weight || b.requests - a.requests),
  )

export const binanceCampaign = async (options: BinanceOptions): Promise<BinanceResult> => {
  const sandbox = await startSandbox({
    accounts: [
      {
        name: "main",
        apiKey: EXAMPLE_KEY,
        apiSecret: EXAMPLE_SECRET,
        spot: { USDT: "1000000", BNB: "10" },
        futures: { USDT: "1000000" },
        hedgeMode: true,
      },
    ],
    prices: Object.fromEntries(SYMBOLS.map(([symbol, price]) => [symbol, String(price)])),
    strictStreams: true,
  })
  const world = await World.create({
    env: {
      SIMULATION_ENABLED: "false",
      AUDIT_STORE: "sqlite",
      BINANCE_API_KEY: EXAMPLE_KEY,
      BINANCE_API_SECRET: EXAMPLE_SECRET,
      BINANCE_SPOT_URL: sandbox.spotUrl,
      BINANCE_SPOT_WS_URL: sandbox.spotStreamUrl,
      BINANCE_FUTURES_URL: sandbox.futuresUrl,
      BINANCE_FUTURES_WS_URL: sandbox.futuresStreamUrl,
      // The exchange's own limits are to be met, not the lower cap that we set ourselves.
      BINANCE_MAX_REQUESTS_PER_MINUTE: "2400",
      // Longs and shorts of many strategies stand beside each other.
      FUTURES_POSITION_MODE: "hedge",
      // Two hundred conditional orders are all that an account may have: stops and targets of as many lots as this.
      MAX_OPEN_POSITIONS: "90",
      ENTRY_TIMEOUT_SECONDS: "20",
    },
  })
  const walk = new Walk(sandbox, options.seed)
  const random = seeded(options.seed + 1)
  const { say } = options
  let heaviest = 0
  const watch = setInterval(() => {
    for (const market of ["spot", "futures"] as const)
      for (const { limit, count } of sandbox.world.limits[market].view("127.0.0.1", "main")) heaviest = Math.max(heaviest, count / limit)
  }, 50)
  try {
    await world.start()
    walk.start()
    const everyMs = 60_000 / options.perMinute
    const began = Date.now()
    const ids: string[] = []
    for (let index = 0; index < options.orders; index += 1) {
      const waitMs = began + index * everyMs - Date.now()
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
      const body = bodyOf(index, walk, random)
      ids.push(body.signal_id)
      world.publish(body)
      if ((index + 1) % 100 === 0) {
        const { limited, trades } = sandbox.ledger()
        say(
          `${index + 1} published, ${trades.length} trades, 429: ${limited.spot[429] + limited.futures[429]}, 418: ${limited.spot[418] + limited.futures[418]}`,
        )
      }
    }
    say("all are published; waiting until every lot is closed")
    let rows: readonly OrderRow[] = []
    await until(
      async () => {
        rows = await world.rows()
        const { algoOrders, orders } = sandbox.ledger()
        const left = algoOrders.some(({ status }) => status === "NEW") || orders.some(({ status }) => status === "NEW")
        return rows.length >= options.orders && rows.every((row) => row.settled && isZero(dec(row.open_quantity))) && !left
      },
      { timeoutMs: SETTLE_MS, everyMs: 500, what: "every order is settled and every lot closed", seen: () => rows.length },
    ).catch((error: unknown) => say(String(error).slice(0, 300)))
    walk.stop()
    rows = await world.rows()
    const ledger = sandbox.ledger()
    const found = await audit(world, ledger, rows)
    const recorded = new Set(rows.map((row) => row.signal_id))
    const lost = ids.filter((id) => !recorded.has(id))
    const { limited } = ledger
    const complaints: Record<string, number> = {}
    for (const engine of world.engines) for (const { msg } of engine.complaints) complaints[msg] = (complaints[msg] ?? 0) + 1
    return {
      published: options.orders,
      recorded: rows.length,
      entriesAtExchange: found.entriesAtExchange,
      trades: ledger.trades.length,
      endedBy: found.endedBy,
      closedBy: found.closedBy,
      limited,
      mostOfALimitPct: Math.round(heaviest * 1000) / 10,
      requests: tallied(sandbox),
      longestUnprotectedMs: found.longestUnprotectedMs,
      problems: [
        ...found.problems,
        // A campaign of refusals shows nothing.
        ...(found.entriesAtExchange < options.orders * TRADED_LEAST
          ? [`only ${found.entriesAtExchange} entries came to the exchange`]
          : []),
        ...lost.map((id) => `signal ${id} is lost`),
        ...(limited.spot[429] + limited.futures[429] > 0 ? [`${limited.spot[429] + limited.futures[429]} answers 429`] : []),
        ...(limited.spot[418] + limited.futures[418] > 0 ? [`${limited.spot[418] + limited.futures[418]} answers 418`] : []),
      ],
      complaints,
    }
  } finally {
    clearInterval(watch)
    walk.stop()
    await world.close()
    await sandbox.close()
  }
}

const list = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([name, n]) => `${name} ${n}`)
    .join(", ") || "none"

/** The table of a result, as it is printed and written. */
export const binanceRows = (options: Omit<BinanceOptions, "say">, result: BinanceResult): readonly (readonly [string, string])[] => [
  ["orders", `${options.orders}, ${options.perMinute} a minute`],
  ["seed", String(options.seed)],
  ["orders recorded", String(result.recorded)],
  ["how they ended", list(result.endedBy)],
  ["entries at the exchange", String(result.entriesAtExchange)],
  ["trades at the exchange, each in our events", String(result.trades)],
  ["what closed the lots", list(result.closedBy)],
  [
    "requests, and what they weighed",
    Object.entries(result.requests)
      .map(([op, { requests, weight }]) => `${op} ${requests} (${weight})`)
      .join(", "),
  ],
  ["answers 429, 418", [429, 418].map((code) => result.limited.spot[code as 429] + result.limited.futures[code as 429]).join(", ")],
  ["most of a rate limit that was ever used", `${result.mostOfALimitPct} %`],
  ["longest from first fill to live stop", `${result.longestUnprotectedMs} ms`],
  ["complaints of the engine", list(result.complaints)],
  ["problems", String(result.problems.length)],
]
