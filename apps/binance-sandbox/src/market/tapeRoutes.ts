/** Public data of the tape by REST: trades, aggregate trades, candles; both markets. Aggregates hold one trade each. */
import type { Market } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { E } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import { inWindow, limitOf, windowOf } from "../wire/routes.ts"
import type { Call, Route } from "../wire/routes.ts"
import type { Candle, History, Print } from "./history.ts"
import { klineRow, klinesOf } from "./klines.ts"
import { priceText as price, quantityText as quantity } from "./tickers.ts"

const CANDLES_MAX = { spot: 1000, futures: 1500 } as const
const futuresWeight = (params: Params): number => {
  const limit = Number(params.peek("limit") ?? "500")
  return limit < 100 ? 1 : limit < 500 ? 2 : limit <= 1000 ? 5 : 10
}

export const tapeRoutes = (market: Market, prefix: string, exchange: Exchange, history: History): readonly Route[] => {
  const spot = market === "spot"
  const open = { method: "GET", security: "none" } as const
  const known = (symbol: string): SymbolInfo => {
    const info = exchange.symbols.get(market, symbol)
    if (info === undefined) throw E.symbol()
    return info
  }
  const trade = (info: SymbolInfo, print: Print): unknown => ({
    id: print.id,
    price: price(info, print.price),
    qty: quantity(info, print.quantity),
    quoteQty: price(info, print.quote),
    time: print.atMs,
    isBuyerMaker: print.buyerMaker,
    ...(spot ? { isBestMatch: true } : {}),
  })
  const aggregate = (info: SymbolInfo, print: Print): unknown => ({
    a: print.id,
    p: price(info, print.price),
    q: quantity(info, print.quantity),
    f: print.id,
    l: print.id,
    T: print.atMs,
    m: print.buyerMaker,
    ...(spot ? { M: true } : {}),
  })
  /** `row`: index and mark candles have no volumes. */
  const candles = (params: Params, info: SymbolInfo, row: (info: SymbolInfo, candle: Candle) => unknown): unknown => {
    const interval = params.needText("interval")
    const limit = limitOf(params, 500, CANDLES_MAX[market])
    const startMs = params.integer("startTime")
    const endMs = params.integer("endTime")
    return klinesOf(history, info, { interval, startMs, endMs, limit, nowMs: exchange.nowMs() }).map((candle) => row(info, candle))
  }
  const weight = (params: Params): number => (spot ? 2 : futuresWeight(params))
  const routes: Route[] = [
    {
      ...open,
      path: `${prefix}/trades`,
      op: "marketTrades",
      weight: spot ? 25 : 5,
      run: ({ params }: Call) => {
        const info = known(params.symbol())
        return history
          .prints(market, info.symbol)
          .slice(-limitOf(params, 500, 1000))
          .map((print) => trade(info, print))
      },
    },
    {
      ...open,
      path: `${prefix}/historicalTrades`,
      op: "marketTrades",
      weight: spot ? 25 : 20,
      run: ({ params }: Call) => {
        const info = known(params.symbol())
        const from = params.integer("fromId")
        const limit = limitOf(params, 500, 1000)
        const prints = history.prints(market, info.symbol)
        const found = from === undefined ? prints.slice(-limit) : prints.filter((print) => print.id >= from).slice(0, limit)
        return found.map((print) => trade(info, print))
      },
    },
    {
      ...open,
      path: `${prefix}/aggTrades`,
      op: "aggTrades",
      weight: spot ? 4 : 20,
      run: ({ params }: Call) => {
        const info = known(params.symbol())
        const from = params.integer("fromId")
        const window = windowOf(params, 24)
        const limit = limitOf(params, 500, 1000)
        if (from !== undefined && !window.open) throw E.badCombination()
        const prints = history
          .prints(market, info.symbol)
          .filter((print) => inWindow(window, print.atMs) && (from === undefined || print.id >= from))
        return (from === undefined && window.open ? prints.slice(-limit) : prints.slice(0, limit)).map((print) => aggregate(info, print))
      },
    },
    {
      ...open,
      path: `${prefix}/klines`,
      op: "klines",
      weight,
      run: ({ params }: Call) => candles(params, known(params.symbol()), klineRow),
    },
  ]
  if (spot) {
    routes.push({
      ...open,
      path: `${prefix}/uiKlines`,
      op: "klines",
      weight,
      run: ({ params }: Call) => candles(params, known(params.symbol()), klineRow),
    })
    return routes
  }
  const bare = (info: SymbolInfo, candle: Candle): unknown =>
    klineRow(info, candle).map((cell, index) => (index === 5 || index === 7 || index > 8 ? "0" : cell))
  const premium = (info: SymbolInfo, candle: Candle): unknown =>
    klineRow(info, candle).map((cell, index) =>
      index > 0 && index < 5 ? "0.00000000" : index === 5 || index === 7 || index > 8 ? "0" : cell,
    )
  const pair = (params: Params): SymbolInfo => known(params.needText("pair"))
  routes.push(
    {
      ...open,
      path: `${prefix}/continuousKlines`,
      op: "klines",
      weight,
      run: ({ params }: Call) => {
        params.needOneOf("contractType", ["PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", "TRADIFI_PERPETUAL"] as const)
        return candles(params, pair(params), klineRow)
      },
    },
    { ...open, path: `${prefix}/indexPriceKlines`, op: "klines", weight, run: ({ params }: Call) => candles(params, pair(params), bare) },
    {
      ...open,
      path: `${prefix}/markPriceKlines`,
      op: "klines",
      weight,
      run: ({ params }: Call) => candles(params, known(params.symbol()), bare),
    },
    {
      ...open,
      path: `${prefix}/premiumIndexKlines`,
      op: "klines",
      weight,
      run: ({ params }: Call) => candles(params, known(params.symbol()), premium),
    },
  )
  return routes
}
