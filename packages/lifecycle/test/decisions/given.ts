/** What the tests of the decisions are given: real rules of 44 symbols, odd ones, a signal, settings, a venue. */
import { readFileSync } from "node:fs"
import type { Decimal, DecimalString, Market, OrderEvent, OrderId, Signal, SymbolRules } from "@petrosa/contracts"
import { canonical, dec, orderIdOf } from "@petrosa/contracts"
import * as fc from "fast-check"
import {
  type Decision,
  DEFAULT_DECISION_SETTINGS,
  type DecisionSettings,
  EMPTY_VIEW,
  type EntryInputs,
  type LotEntry,
  type VenueFacts,
} from "../../src/decisions/index.ts"

export const c = canonical
export const d = dec

export const TABLE = JSON.parse(readFileSync(new URL("../fixtures/symbol-rules.json", import.meta.url), "utf8")) as readonly SymbolRules[]

export const rulesOf = (symbol: string, market: Market = "futures"): SymbolRules => {
  const rules = TABLE.find((row) => row.symbol === symbol && row.market === market)
  if (rules === undefined) throw new Error(`no ${symbol} (${market}) in the fixture`)
  return rules
}

/** Rules with some parts changed: a fresh object, so that nothing cached of the other is read. */
export const withRules = (rules: SymbolRules, change: Partial<SymbolRules>): SymbolRules => ({ ...rules, ...change })

export const NOW = 1_800_000_000_000

export const signal = (change: Partial<Signal> = {}): Signal => ({
  strategyId: "breakout",
  symbol: "BTCUSDT",
  market: "futures",
  action: "buy",
  confidence: c("0.8"),
  price: c("50000"),
  currentPrice: c("50000"),
  orderType: "limit",
  timeInForce: "GTC",
  simulate: false,
  timestampMs: NOW - 1_000,
  timestampFrom: "signal",
  ...change,
})

export const settings = (change: Partial<DecisionSettings> = {}): DecisionSettings => ({ ...DEFAULT_DECISION_SETTINGS, ...change })

export const futures = (change: Partial<VenueFacts> = {}): VenueFacts => ({
  name: "binance-futures",
  mode: "testnet",
  markets: ["futures"],
  bracketStyle: "legs",
  shortMarkets: ["futures"],
  positionMode: "one-way",
  receiveWindowMs: 5_000,
  feeRate: c("0.0005"),
  baseFeeRate: c("0"),
  ...change,
})

export const spot = (change: Partial<VenueFacts> = {}): VenueFacts => ({
  ...futures(),
  name: "binance-spot",
  markets: ["spot"],
  bracketStyle: "oco",
  shortMarkets: [],
  feeRate: c("0.001"),
  baseFeeRate: c("0.001"),
  ...change,
})

export const orderId = (n: number): OrderId => orderIdOf(new Uint8Array(32).fill(n))

export const lot = (change: Partial<LotEntry> = {}): LotEntry => ({
  order: orderId(99),
  venue: "binance-futures",
  strategyId: "breakout",
  market: "futures",
  symbol: "BTCUSDT",
  side: "buy",
  state: "open",
  quantity: c("0.004"),
  notional: c("200"),
  ...change,
})

export const inputs = (change: Partial<EntryInputs> = {}): EntryInputs => ({
  order: orderId(1),
  engineId: "ab12",
  signal: signal(),
  nowMs: NOW,
  settings: settings(),
  rules: rulesOf("BTCUSDT"),
  venue: futures(),
  freeBalance: { known: c("10000") },
  book: EMPTY_VIEW,
  ...change,
})

export const okOf = <A>(decision: Decision<A>): A => {
  if ("reason" in decision) throw new Error(`refused: ${JSON.stringify(decision.reason)}`)
  return decision.ok
}
export const reasonOf = (
  decision: object,
): { readonly code: string; readonly observed?: string; readonly limit?: string; readonly message: string } => {
  if ("reason" in decision) return decision.reason as never
  throw new Error(`not refused: ${JSON.stringify(decision, (_, value) => (typeof value === "bigint" ? `${value}` : value))}`)
}
export const typesOf = (events: readonly OrderEvent[]): readonly string[] => events.map((event) => event.type)
export const dataOf = <K extends OrderEvent["type"]>(events: readonly OrderEvent[], type: K): Extract<OrderEvent, { type: K }>["data"] => {
  const found = events.find((event) => event.type === type)
  if (found === undefined) throw new Error(`no ${type} in ${JSON.stringify(events)}`)
  return found.data as never
}
/** The reason code that the events end with, or their types. */
export const endOf = (events: readonly OrderEvent[]): string => {
  const last = events.at(-1)
  return last?.type === "OrderFailed" ? last.data.reason.code : typesOf(events).join(" ")
}

/** Steps that are no powers of ten, tiny ones, and disabled ones. */
const odd = (...steps: readonly string[]): fc.Arbitrary<DecimalString> => fc.constantFrom(...steps).map(c)

/** Rules that no exchange has today and any may have tomorrow. */
export const oddRules: fc.Arbitrary<SymbolRules> = fc
  .record({
    base: fc.constantFrom(...TABLE),
    tick: odd("0.05", "0.25", "0.0000001", "0.1", "0.01", "0"),
    step: odd("0.05", "0.25", "0.0000001", "1", "0.3", "0"),
    marketStep: odd("0", "0.05", "0.25", "0.2", "1"),
    least: odd("0", "0.1", "0.07", "2"),
    priceMin: odd("0", "0.03", "0.1"),
    notional: odd("0", "1", "5", "19.99", "100"),
    exempt: fc.boolean(),
  })
  .map(({ base, tick, step, marketStep, least, priceMin, notional, exempt }) => ({
    ...base,
    price: { min: priceMin, max: c("0"), tick },
    lot: { min: least, max: c("100000000"), step },
    marketLot: { min: c("0"), max: c("50000000"), step: marketStep },
    notional: { ...base.notional, min: notional, reduceOnlyExempt: exempt },
    percentPrice: { buyUp: c("1.5"), buyDown: c("0.5"), sellUp: c("1.5"), sellDown: c("0.5") },
  }))

export const anyRules: fc.Arbitrary<SymbolRules> = fc.oneof(fc.constantFrom(...TABLE), oddRules)

/** A price that is within the symbol's bounds, log-uniform, with a few more digits than the tick has. */
export const priceFor = (rules: SymbolRules): fc.Arbitrary<Decimal> => {
  const low = Math.max(Number(rules.price.min), Number(rules.price.tick) * 200, 1e-6) * 2
  const high = Math.min(Number(rules.price.max) || 1e6, 1e6) / 2
  return fc.double({ min: 0, max: 1, noNaN: true }).map((u) => d((low * (Math.max(high, low * 2) / low) ** u).toPrecision(9)))
}

/** What has to hold inside a property, also where it is held under a condition. */
export const must = (holds: boolean, what = "a property does not hold"): void => {
  if (!holds) throw new Error(what)
}
