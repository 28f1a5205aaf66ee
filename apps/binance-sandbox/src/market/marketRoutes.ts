/** Public market data by REST, both markets: what a client needs to size and place orders. */
import { ZERO, add, cmp, dec, sub } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { places } from "../wire/decimals.ts"
import { E } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import { limitOf } from "../wire/routes.ts"
import type { Call, Route } from "../wire/routes.ts"
import { parseJson } from "../wire/json.ts"
import type { History } from "./history.ts"

type View = Readonly<Record<string, unknown>>
const price = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.pricePlaces)
const quantity = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.quantityPlaces)

/** Best bid and ask, resting orders of accounts included. */
export const bookTop = (
  exchange: Exchange,
  info: SymbolInfo,
): { readonly bidPrice: string; readonly bidQty: string; readonly askPrice: string; readonly askQty: string } => {
  const [bid] = bookSide(exchange, info, "bids", 1)
  const [ask] = bookSide(exchange, info, "asks", 1)
  const zero = price(info, ZERO)
  return { bidPrice: bid?.[0] ?? zero, bidQty: bid?.[1] ?? zero, askPrice: ask?.[0] ?? zero, askQty: ask?.[1] ?? zero }
}
/** One side of the book: prices and quantities, best first. */
export const bookSide = (
  exchange: Exchange,
  info: SymbolInfo,
  side: "bids" | "asks",
  limit: number,
): readonly (readonly [string, string])[] => {
  const own = [...exchange.store.book(info.market, info.symbol, side === "bids" ? "buy" : "sell")].map((order) => ({
    price: dec(order.price ?? "0"),
    quantity: dec(order.quantity),
    filled: dec(order.filled),
  }))
  const levels = new Map<string, Decimal>()
  const all = [...exchange.levels(info.market, info.symbol, side).map((level) => ({ ...level, filled: ZERO })), ...own].sort((a, b) =>
    side === "bids" ? cmp(b.price, a.price) : cmp(a.price, b.price),
  )
  for (const level of all) {
    const key = price(info, level.price)
    levels.set(key, add(levels.get(key) ?? ZERO, sub(level.quantity, level.filled)))
  }
  return [...levels].slice(0, limit).map(([at, amount]) => [at, quantity(info, amount)] as const)
}

/** The symbols that a request asks for: one (a plain answer), a list, or all. */
const asked = (exchange: Exchange, market: Market, params: Params): { readonly one: boolean; readonly infos: readonly SymbolInfo[] } => {
  const symbol = params.optionalSymbol()
  const known = (name: string): SymbolInfo => {
    const info = exchange.symbols.get(market, name)
    if (info === undefined) throw E.symbol()
    return info
  }
  if (symbol !== undefined) return { one: true, infos: [known(symbol)] }
  const list = params.text("symbols")
  if (list === undefined) return { one: false, infos: exchange.symbols.all(market) }
  const names = parseJson(list)
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) throw E.json("symbols")
  return { one: false, infos: names.map((name) => known(String(name))) }
}
const shaped = (exchange: Exchange, market: Market, params: Params, view: (info: SymbolInfo) => View): unknown => {
  const { one, infos } = asked(exchange, market, params)
  const views = infos.map(view)
  return one ? views[0] : views
}

export const marketRoutes = (
  market: Market,
  prefix: string,
  exchange: Exchange,
  limits: RateLimits,
  history: History,
): readonly Route[] => {
  const last = (info: SymbolInfo): Decimal => exchange.price(market, info.symbol)?.last ?? ZERO
  const needed = (params: Params): SymbolInfo => {
    const info = exchange.symbols.get(market, params.symbol())
    if (info === undefined) throw E.symbol()
    return info
  }
  const open = { method: "GET", security: "none" } as const
  const spot = market === "spot"
  const routes: Route[] = [
    { ...open, path: `${prefix}/ping`, op: "ping", weight: 1, run: () => ({}) },
    { ...open, path: `${prefix}/time`, op: "time", weight: 1, run: () => ({ serverTime: exchange.nowMs() }) },
    {
      ...open,
      path: `${prefix}/exchangeInfo`,
      op: "exchangeInfo",
      weight: spot ? 20 : 1,
      run: ({ params }: Call) => {
        // Futures answer with all symbols, whatever was asked for.
        const { infos } = spot ? asked(exchange, market, params) : { infos: exchange.symbols.all(market) }
        const common = { timezone: "UTC", serverTime: exchange.nowMs(), rateLimits: limits.options.limits, exchangeFilters: [] }
        return spot
          ? { ...common, symbols: infos.map((info) => info.row) }
          : {
              ...common,
              futuresType: "U_MARGINED",
              assets: [...new Set(infos.map((info) => info.quote))].map((asset) => ({
                asset,
                marginAvailable: true,
                autoAssetExchange: "0",
              })),
              symbols: infos.map((info) => ({ ...info.row, pricePrecision: info.pricePlaces, quantityPrecision: info.quantityPlaces })),
            }
      },
    },
    {
      ...open,
      path: `${prefix}/depth`,
      op: "depth",
      weight: (params) => (Number(params.peek("limit") ?? "100") > 100 ? 25 : 5),
      run: ({ params }: Call) => {
        const info = needed(params)
        const limit = limitOf(params, spot ? 100 : 500, 5000)
        const sides = { bids: bookSide(exchange, info, "bids", limit), asks: bookSide(exchange, info, "asks", limit) }
        const lastUpdateId = history.updates(market, info.symbol)
        return spot ? { lastUpdateId, ...sides } : { lastUpdateId, E: exchange.nowMs(), T: exchange.nowMs(), ...sides }
      },
    },
    {
      ...open,
      path: `${prefix}/trades`,
      op: "marketTrades",
      weight: spot ? 25 : 5,
      run: ({ params }: Call) => {
        const info = needed(params)
        return history
          .prints(market, info.symbol)
          .slice(-limitOf(params, 500, 1000))
          .map((print) => ({
            id: print.id,
            price: price(info, print.price),
            qty: quantity(info, print.quantity),
            quoteQty: price(info, print.quote),
            time: print.atMs,
            isBuyerMaker: print.buyerMaker,
            ...(spot ? { isBestMatch: true } : {}),
          }))
      },
    },
    {
      ...open,
      path: `${prefix}/klines`,
      op: "klines",
      weight: 2,
      run: ({ params }: Call) => {
        const info = needed(params)
        const interval = params.needText("interval")
        const limit = limitOf(params, 500, 1000)
        return history
          .klines(market, info.symbol, interval, limit)
          .map((candle) => [
            candle.openMs,
            price(info, candle.open),
            price(info, candle.high),
            price(info, candle.low),
            price(info, candle.close),
            "0.00000000",
            candle.closeMs,
            "0.00000000",
            candle.ticks,
            "0.00000000",
            "0.00000000",
            "0",
          ])
      },
    },
    {
      ...open,
      path: `${prefix}/ticker/price`,
      op: "tickerPrice",
      weight: (params) => (params.has("symbol") ? (spot ? 2 : 1) : spot ? 4 : 2),
      run: ({ params }: Call) =>
        shaped(exchange, market, params, (info) => ({
          symbol: info.symbol,
          price: price(info, last(info)),
          ...(spot ? {} : { time: exchange.nowMs() }),
        })),
    },
    {
      ...open,
      path: `${prefix}/ticker/bookTicker`,
      op: "bookTicker",
      weight: (params) => (params.has("symbol") ? 2 : spot ? 4 : 5),
      run: ({ params }: Call) =>
        shaped(exchange, market, params, (info) => ({
          symbol: info.symbol,
          ...bookTop(exchange, info),
          ...(spot ? {} : { time: exchange.nowMs(), lastUpdateId: history.updates(market, info.symbol) }),
        })),
    },
  ]
  if (spot)
    routes.push({
      ...open,
      path: `${prefix}/avgPrice`,
      op: "avgPrice",
      weight: 2,
      run: ({ params }: Call) => {
        const info = needed(params)
        return { mins: 5, price: price(info, history.average(market, info.symbol) ?? last(info)), closeTime: exchange.nowMs() }
      },
    })
  return routes
}
