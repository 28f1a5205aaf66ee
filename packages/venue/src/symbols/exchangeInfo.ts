/**
 * Decodes Binance's `exchangeInfo` (spot and USDⓈ-M futures) to `SymbolRules`. PURE.
 *
 * Promises: exact decimals in canonical form; a part of a filter that is `"0"` is a disabled part and stays `"0"`; a filter
 * type, order type or time in force that is not known here is tolerated (filters are named in `unknownFilters`); a missing
 * filter demands nothing. A symbol that cannot be read is left out and named in `unreadable`, the others are not harmed.
 * Source of the rules: binance.md section 4. Counts of `0` mean: no such limit.
 */
import { parseDecimal, str } from "@petrosa/contracts"
import type { DecimalString, Market, OrderType, SymbolRules, TimeInForce } from "@petrosa/contracts"

const SPOT_TYPES: Readonly<Record<string, OrderType>> = {
  LIMIT: "limit",
  MARKET: "market",
  STOP_LOSS: "stop",
  STOP_LOSS_LIMIT: "stop_limit",
  TAKE_PROFIT: "take_profit",
  TAKE_PROFIT_LIMIT: "take_profit_limit",
}
/** The same words mean other things on futures: `STOP` there is a stop-limit. */
const FUTURES_TYPES: Readonly<Record<string, OrderType>> = {
  LIMIT: "limit",
  MARKET: "market",
  STOP: "stop_limit",
  STOP_MARKET: "stop",
  TAKE_PROFIT: "take_profit_limit",
  TAKE_PROFIT_MARKET: "take_profit",
}
const TIMES: ReadonlySet<string> = new Set(["GTC", "IOC", "FOK", "GTX"])

/** Filter types whose meaning is known; those that bind nothing that this engine sends are known too. */
const KNOWN_FILTERS: ReadonlySet<string> = new Set([
  "PRICE_FILTER",
  "LOT_SIZE",
  "MARKET_LOT_SIZE",
  "NOTIONAL",
  "MIN_NOTIONAL",
  "PERCENT_PRICE",
  "PERCENT_PRICE_BY_SIDE",
  "MAX_NUM_ORDERS",
  "MAX_NUM_ALGO_ORDERS",
  "ICEBERG_PARTS",
  "TRAILING_DELTA",
  "MAX_NUM_ICEBERG_ORDERS",
  "MAX_NUM_ORDER_LISTS",
  "MAX_NUM_ORDER_AMENDS",
])

type Json = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)
const objects = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : []
const NONE = "0" as DecimalString

const number = (filter: Json | undefined, ...names: readonly string[]): DecimalString => {
  for (const name of names) {
    const value = filter?.[name]
    if (typeof value !== "string" && typeof value !== "number") continue
    const decimal = parseDecimal(String(value))
    if (decimal === undefined) throw new RangeError(`${name} is no decimal`)
    return str(decimal)
  }
  return NONE
}
const count = (filter: Json | undefined, ...names: readonly string[]): number => Number(number(filter, ...names))
const flag = (filter: Json | undefined, name: string, missing: boolean): boolean =>
  typeof filter?.[name] === "boolean" ? filter[name] === true : missing

export interface DecodedExchangeInfo {
  readonly market: Market
  /** When the exchange answered, by its clock. (The futures testnet's is stale.) */
  readonly serverTimeMs: number
  readonly rules: ReadonlyMap<string, SymbolRules>
  readonly unreadable: readonly { readonly symbol: string; readonly why: string }[]
}

const decodeSymbol = (row: Json, market: Market): SymbolRules => {
  const filters = objects(row["filters"])
  const find = (type: string): Json | undefined => filters.find((filter) => filter["filterType"] === type)
  const text = (name: string): string => {
    const value = row[name]
    if (typeof value !== "string" || value === "") throw new RangeError(`${name} is missing`)
    return value
  }
  const types = strings(row["orderTypes"])
  const table = market === "spot" ? SPOT_TYPES : FUTURES_TYPES
  const status = text("status")
  const size = (filter: Json | undefined): SymbolRules["lot"] => ({
    min: number(filter, "minQty"),
    max: number(filter, "maxQty"),
    step: number(filter, "stepSize"),
  })
  const notional = find("NOTIONAL")
  const minNotional = find("MIN_NOTIONAL")
  const percent = find("PERCENT_PRICE")
  const bySide = find("PERCENT_PRICE_BY_SIDE")
  const price = find("PRICE_FILTER")
  const times = strings(row["timeInForce"]).filter((time): time is TimeInForce => TIMES.has(time))
  return {
    symbol: text("symbol"),
    market,
    status,
    trading: status === "TRADING" && row["isSpotTradingAllowed"] !== false,
    baseAsset: text("baseAsset"),
    quoteAsset: text("quoteAsset"),
    orderTypes: types.flatMap((type) => table[type] ?? []),
    // Spot names no times in force: the three are general, and post-only is an order type of its own there.
    timesInForce: market === "spot" ? ["GTC", "IOC", "FOK", ...(types.includes("LIMIT_MAKER") ? ["GTX" as const] : [])] : times,
    icebergAllowed: row["icebergAllowed"] === true,
    price: { min: number(price, "minPrice"), max: number(price, "maxPrice"), tick: number(price, "tickSize") },
    lot: size(find("LOT_SIZE")),
    marketLot: size(find("MARKET_LOT_SIZE")),
    notional: {
      // Futures call it `notional`, spot `minNotional`.
      min: number(notional ?? minNotional, "minNotional", "notional"),
      max: number(notional, "maxNotional"),
      minAppliesToMarket: market === "futures" || flag(notional, "applyMinToMarket", flag(minNotional, "applyToMarket", true)),
      maxAppliesToMarket: flag(notional, "applyMaxToMarket", false),
      reduceOnlyExempt: market === "futures",
    },
    percentPrice:
      bySide !== undefined
        ? {
            buyUp: number(bySide, "bidMultiplierUp"),
            buyDown: number(bySide, "bidMultiplierDown"),
            sellUp: number(bySide, "askMultiplierUp"),
            sellDown: number(bySide, "askMultiplierDown"),
          }
        : market === "futures"
          ? // Futures bound only what would trade at a bad price: a buy from above, a sell from below.
            { buyUp: number(percent, "multiplierUp"), buyDown: NONE, sellUp: NONE, sellDown: number(percent, "multiplierDown") }
          : {
              buyUp: number(percent, "multiplierUp"),
              buyDown: number(percent, "multiplierDown"),
              sellUp: number(percent, "multiplierUp"),
              sellDown: number(percent, "multiplierDown"),
            },
    maxOpenOrders: count(find("MAX_NUM_ORDERS"), "maxNumOrders", "limit"),
    maxAlgoOrders: count(find("MAX_NUM_ALGO_ORDERS"), "maxNumAlgoOrders", "limit"),
    icebergParts: count(find("ICEBERG_PARTS"), "limit"),
    unknownFilters: filters.map((filter) => String(filter["filterType"])).filter((type) => !KNOWN_FILTERS.has(type)),
  }
}

/** Decodes an answer of `/api/v3/exchangeInfo` or `/fapi/v1/exchangeInfo`. Throws `TypeError` when it is no such thing at all. */
export const decodeExchangeInfo = (answer: unknown, market: Market): DecodedExchangeInfo => {
  if (!isObject(answer) || !Array.isArray(answer["symbols"])) throw new TypeError("this is no exchangeInfo: it has no list `symbols`")
  const rules = new Map<string, SymbolRules>()
  const unreadable: { symbol: string; why: string }[] = []
  for (const row of objects(answer["symbols"])) {
    try {
      const decoded = decodeSymbol(row, market)
      rules.set(decoded.symbol, decoded)
    } catch (error) {
      unreadable.push({ symbol: String(row["symbol"]), why: error instanceof Error ? error.message : String(error) })
    }
  }
  return { market, serverTimeMs: Number(answer["serverTime"] ?? 0), rules, unreadable }
}
