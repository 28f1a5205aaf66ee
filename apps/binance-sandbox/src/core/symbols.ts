/**
 * The symbols and their filters: rows as Binance's exchangeInfo gives them, which is also how they are served.
 *
 * `data/exchangeInfo.json` holds real answers (spot 2024-09-08, futures 2025-03-06; the same rows that the venue bundles);
 * what changed since is applied on reading ({@link upToDate}). Rows can be changed while the sandbox runs: filters do change.
 */
import { dec, isZero } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import bundle from "../data/exchangeInfo.json" with { type: "json" }
import { placesOf } from "../wire/decimals.ts"
import type { JsonObject } from "../wire/json.ts"
import { isObject, textOf } from "../wire/json.ts"

export type Filter = Readonly<Record<string, unknown>> & { readonly filterType: string }

export interface SymbolInfo {
  readonly market: Market
  readonly symbol: string
  readonly base: string
  readonly quote: string
  readonly status: string
  readonly orderTypes: readonly string[]
  readonly filters: readonly Filter[]
  readonly tick: Decimal
  readonly step: Decimal
  /** Places that a price, a quantity may have before it is refused for its precision (futures). */
  readonly pricePlaces: number
  readonly quantityPlaces: number
  /** The row as it is served. */
  readonly row: JsonObject
}

const placesIn = (text: string): number => (text.split(".")[1] ?? "").length

export const filterOf = (info: Pick<SymbolInfo, "filters">, type: string): Filter | undefined =>
  info.filters.find((filter) => filter.filterType === type)

/** A number of a filter; zero when the filter or its part is missing. */
export const bound = (filter: Filter | undefined, ...names: readonly string[]): Decimal => {
  for (const name of names) {
    const value = filter?.[name]
    if (typeof value === "string" || typeof value === "number") return dec(value)
  }
  return dec("0")
}

const read = (market: Market, row: JsonObject): SymbolInfo => {
  const filters = (Array.isArray(row["filters"]) ? row["filters"] : []).filter(isObject) as unknown as readonly Filter[]
  const price = filters.find((filter) => filter.filterType === "PRICE_FILTER")
  const lot = filters.find((filter) => filter.filterType === "LOT_SIZE")
  const tick = bound(price, "tickSize")
  const step = bound(lot, "stepSize")
  return {
    market,
    symbol: String(row["symbol"]),
    base: String(row["baseAsset"]),
    quote: String(row["quoteAsset"]),
    status: String(row["status"]),
    orderTypes: (Array.isArray(row["orderTypes"]) ? row["orderTypes"] : []).map(String),
    filters,
    tick: isZero(tick) ? dec("0.00000001") : tick,
    step: isZero(step) ? dec("0.00000001") : step,
    pricePlaces: market === "spot" ? 8 : price === undefined ? 8 : placesIn(textOf(price["tickSize"])),
    quantityPlaces: market === "spot" ? 8 : lot === undefined ? 8 : placesOf(textOf(lot["stepSize"])),
    row,
  }
}

/** What Binance added or took away since the rows were recorded (binance.md sections 2, 3.1 and 4). */
const upToDate = (market: Market, row: JsonObject): JsonObject => {
  const filters = (row["filters"] as readonly Filter[]).filter((filter) => market === "spot" || filter.filterType !== "MAX_NUM_ALGO_ORDERS")
  if (market === "spot") {
    const types = row["orderTypes"] as readonly string[]
    return {
      baseAssetPrecision: 8,
      quotePrecision: 8,
      quoteAssetPrecision: 8,
      baseCommissionPrecision: 8,
      quoteCommissionPrecision: 8,
      ocoAllowed: true,
      otoAllowed: true,
      opoAllowed: false,
      quoteOrderQtyMarketAllowed: true,
      allowTrailingStop: false,
      cancelReplaceAllowed: true,
      amendAllowed: false,
      pegInstructionsAllowed: false,
      isMarginTradingAllowed: false,
      permissions: [],
      permissionSets: [["SPOT"]],
      defaultSelfTradePreventionMode: "EXPIRE_MAKER",
      allowedSelfTradePreventionModes: ["EXPIRE_MAKER"],
      ...row,
      orderTypes: [...new Set([...types, "STOP_LOSS", "TAKE_PROFIT"])],
      filters: [
        ...filters,
        { filterType: "MAX_NUM_ORDER_LISTS", maxNumOrderLists: 20 },
        { filterType: "MAX_NUM_ORDER_AMENDS", maxNumOrderAmends: 10 },
      ],
    }
  }
  return {
    pair: row["symbol"],
    contractType: "PERPETUAL",
    deliveryDate: 4133404800000,
    onboardDate: 1569398400000,
    maintMarginPercent: "2.5000",
    requiredMarginPercent: "5.0000",
    baseAssetPrecision: 8,
    quotePrecision: 8,
    marginAsset: row["quoteAsset"],
    underlyingType: "COIN",
    underlyingSubType: [],
    triggerProtect: "0.0500",
    liquidationFee: "0.012500",
    marketTakeBound: "0.05",
    maxMoveOrderLimit: 10000,
    ...row,
    filters: filters.map((filter) =>
      filter.filterType === "MIN_NOTIONAL" && row["symbol"] === "BTCUSDT" ? { ...filter, notional: "50" } : filter,
    ),
  }
}

export class SymbolTable {
  readonly #tables: Readonly<Record<Market, Map<string, SymbolInfo>>> = { spot: new Map(), futures: new Map() }

  /** `given`: answers of exchangeInfo to use instead of the recorded ones, taken as they are. */
  constructor(given: { readonly spot?: JsonObject; readonly futures?: JsonObject } = {}) {
    for (const market of ["spot", "futures"] as const) {
      const own = given[market]
      const rows = (own === undefined ? bundle[market].symbols : own["symbols"]) as readonly JsonObject[]
      for (const row of rows) this.put(market, own === undefined ? upToDate(market, row) : row)
    }
  }

  put(market: Market, row: JsonObject): SymbolInfo {
    const info = read(market, row)
    this.#tables[market].set(info.symbol, info)
    return info
  }
  get(market: Market, symbol: string): SymbolInfo | undefined {
    return this.#tables[market].get(symbol)
  }
  /** For symbols that were checked before. */
  known(market: Market, symbol: string): SymbolInfo {
    const info = this.get(market, symbol)
    if (info === undefined) throw new RangeError(`no symbol ${symbol} on ${market}`)
    return info
  }
  all(market: Market): readonly SymbolInfo[] {
    return [...this.#tables[market].values()]
  }
  /** Changes a row: fields are replaced, filters are replaced by their type (and added if new). */
  patch(market: Market, symbol: string, change: JsonObject): SymbolInfo {
    const { row, filters } = this.known(market, symbol)
    const changed = (Array.isArray(change["filters"]) ? change["filters"] : []).filter(isObject) as unknown as readonly Filter[]
    const types = new Set(changed.map((filter) => filter.filterType))
    const next = filters.map((filter) =>
      types.has(filter.filterType) ? { ...filter, ...changed.find((other) => other.filterType === filter.filterType) } : filter,
    )
    const added = changed.filter((filter) => filters.every((other) => other.filterType !== filter.filterType))
    return this.put(market, { ...row, ...change, filters: [...next, ...added] })
  }
}
