/** Spot's endpoints: where, how heavy, and Binance's own hosts. Weights: binance.md 2.3, 7.3. */
import type { SpotConnector } from "../binance/connectors.ts"
import { midPrice } from "../binance/session.ts"
import type { Endpoints } from "../binance/session.ts"
import type { Ask } from "../binance/rateBudget.ts"
import { SPOT_OUTCOMES } from "./outcomes.ts"

export const SPOT_HOSTS = {
  live: { rest: "https://api.binance.com", socket: "wss://ws-api.binance.com:443/ws-api/v3" },
  // Demo, not testnet.binance.vision: its keys are those of the futures test network too, it has the limits of live, and it is
  // not wiped every month.
  testnet: { rest: "https://demo-api.binance.com", socket: "wss://demo-ws-api.binance.com/ws-api/v3" },
} as const

export const WEIGHT = {
  query: 4,
  openOrders: (symbol?: string): number => (symbol === undefined ? 80 : 6),
  tradesOfOrder: 5,
  account: 20,
} as const

/** A placement weighs 0 when it succeeds and 1 when it fails: reckoned as 1. */
export const PLACE_ENTRY: Ask = { weight: 1, orders: 1, priority: "entry" }
export const PLACE_EXIT: Ask = { weight: 1, orders: 1, priority: "protective" }
export const PLACE_OCO: Ask = { weight: 1, orders: 2, priority: "protective" }
export const PLACE_OTOCO: Ask = { weight: 1, orders: 3, priority: "entry" }
export const CANCEL: Ask = { weight: 1, orders: 0, priority: "protective" }

export const SPOT_ENDPOINTS: Endpoints<SpotConnector> = {
  market: "spot",
  table: SPOT_OUTCOMES,
  time: { weight: 1, run: (client) => client.time({}) },
  exchangeInfo: { weight: 20, run: (client) => client.exchangeInfo({}) },
  prices: { weight: (symbol) => (symbol === undefined ? 4 : 2), run: (client, symbol) => client.bookTicker(symbol) },
  decodePrice: midPrice,
}

/** The WebSocket API's address: the given one, with the API's path when it has none. */
export const spotSocketUrl = (url: string): string => {
  const parsed = new URL(url)
  return parsed.pathname === "/" ? `${url.replace(/\/$/, "")}/ws-api/v3` : url
}
