/** USDⓈ-M endpoints: how heavy, and Binance's own hosts. Weights: binance.md 2.1, 6.1, 7.3. */
import type { FuturesConnector } from "../binance/connectors.ts"
import { decimal, isObject, text } from "../binance/exactJson.ts"
import type { Ask } from "../binance/rateBudget.ts"
import type { Endpoints } from "../binance/session.ts"
import { FUTURES_OUTCOMES } from "./outcomes.ts"

export const FUTURES_HOSTS = {
  live: { rest: "https://fapi.binance.com", socket: "wss://fstream.binance.com" },
  testnet: { rest: "https://demo-fapi.binance.com", socket: "wss://demo-fstream.binance.com" },
} as const

/**
 * Where the user data stream is. Sources contradict each other (binance.md 2.2), so it is a setting: `{base}` is the stream host,
 * `{listenKey}` the key. Without `events=` production is reported to deliver nothing.
 */
export const USER_STREAM_URL =
  "{base}/private/ws?listenKey={listenKey}&events=ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ALGO_UPDATE/TRADE_LITE/ACCOUNT_CONFIG_UPDATE/MARGIN_CALL/listenKeyExpired"

export const userStreamUrl = (template: string, base: string, listenKey: string): string =>
  template.replace("{base}", base.replace(/\/$/, "")).replace("{listenKey}", encodeURIComponent(listenKey))

export const WEIGHT = {
  query: 1,
  algoQuery: 1,
  openOrders: (symbol?: string): number => (symbol === undefined ? 40 : 1),
  trades: 5,
  balance: 5,
  positions: 5,
  positionMode: 30,
  accountConfig: 5,
  commissionRate: 20,
  listenKey: 1,
} as const

export const PLACE_ENTRY: Ask = { weight: 1, orders: 1, priority: "entry" }
export const PLACE_EXIT: Ask = { weight: 1, orders: 1, priority: "protective" }
export const CANCEL: Ask = { weight: 1, orders: 0, priority: "protective" }
export const CONFIGURE: Ask = { weight: 1, orders: 0, priority: "entry" }

export const FUTURES_ENDPOINTS: Endpoints<FuturesConnector> = {
  market: "futures",
  table: FUTURES_OUTCOMES,
  time: { weight: 1, run: (client) => client.getTime() },
  exchangeInfo: { weight: 1, run: (client) => client.getExchangeInfo() },
  prices: {
    weight: (symbol) => (symbol === undefined ? 10 : 1),
    run: (client, symbol) => client.publicRequest("GET", "/fapi/v1/premiumIndex", { symbol }),
  },
  decodePrice: (row, nowMs) => {
    if (!isObject(row)) return undefined
    const symbol = text(row, "symbol")
    const price = decimal(row, "markPrice")
    return symbol === undefined || price === undefined || price === "0" ? undefined : { symbol, price, source: "mark", atMs: nowMs }
  },
}
