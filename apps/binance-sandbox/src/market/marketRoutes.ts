/** Public market data by REST, both markets: what a client needs to size and place orders. */
import { ZERO } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { E } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import { limitOf } from "../wire/routes.ts"
import type { Call, Route } from "../wire/routes.ts"
import { parseJson } from "../wire/json.ts"
import { bookSide, bookTop } from "./book.ts"
import type { History } from "./history.ts"
import { tapeRoutes } from "./tapeRoutes.ts"
import { dayOf, dayView, priceText as price } from "./tickers.ts"

type View = Readonly<Record<string, unknown>>

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
    ...tapeRoutes(market, prefix, exchange, history),
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
      path: `${prefix}/ticker/24hr`,
      op: "ticker24hr",
      weight: (params) => (params.has("symbol") ? (spot ? 2 : 1) : spot ? 80 : 40),
      run: ({ params }: Call) => {
        const type = (spot ? params.oneOf("type", ["FULL", "MINI"] as const) : undefined) ?? "FULL"
        return shaped(exchange, market, params, (info) => {
          const day = dayOf(exchange, history, info)
          return day === undefined ? { symbol: info.symbol } : dayView(exchange, day, type)
        })
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
    routes.push(
      {
        ...open,
        path: `${prefix}/avgPrice`,
        op: "avgPrice",
        weight: 2,
        run: ({ params }: Call) => {
          const info = needed(params)
          return { mins: 5, price: price(info, history.average(market, info.symbol) ?? last(info)), closeTime: exchange.nowMs() }
        },
      },
      ...(["ticker", "ticker/tradingDay"] as const).map(
        (path): Route => ({
          ...open,
          path: `${prefix}/${path}`,
          op: "tickerWindow",
          weight: 4,
          run: ({ params }: Call) => {
            const type = params.oneOf("type", ["FULL", "MINI"] as const) ?? "FULL"
            const sizeMs = path === "ticker" ? windowMs(params.text("windowSize") ?? "1d") : exchange.nowMs() % 86_400_000 || 1
            if (!params.has("symbol") && !params.has("symbols")) throw E.oneOf("symbol", "symbols")
            return shaped(exchange, market, params, (info) => {
              const day = dayOf(exchange, history, info, sizeMs)
              if (day === undefined) return { symbol: info.symbol }
              const {
                prevClosePrice: _prev,
                lastQty: _qty,
                bidPrice: _b,
                bidQty: _bq,
                askPrice: _a,
                askQty: _aq,
                ...view
              } = dayView(exchange, day, type)
              return view
            })
          },
        }),
      ),
    )
  return routes
}

/** `1m` … `59m`, `1h` … `23h`, `1d` … `7d`. */
const windowMs = (text: string): number => {
  const [, count = "", unit = ""] = /^([1-9]\d?)([mhd])$/.exec(text) ?? []
  const most = { m: 59, h: 23, d: 7 }[unit] ?? 0
  if (count === "" || Number(count) > most) throw E.invalid("windowSize")
  return Number(count) * ({ m: 60_000, h: 3_600_000, d: 86_400_000 }[unit] ?? 0)
}
