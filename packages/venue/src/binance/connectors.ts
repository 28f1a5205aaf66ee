/**
 * The two connector packages (CommonJS without types), loaded once, with the few types that are used of them.
 *
 * Both requests and signatures of a connector end in `signRequest` and `publicRequest`; the clients of this folder extend the
 * connector and override these two (binance.md 1.3: the originals sign their own time, wait for ever, open a connection per
 * request, round 64-bit ids, and throw errors that hold key and signature). What a method asks for stays the connector's.
 */
import { createRequire } from "node:module"

export type Options = Record<string, unknown>

/** What `signRequest` and `publicRequest` of our overrides return is what every method of the connector returns. */
export interface ConnectorBase {
  signRequest(method: string, path: string, params?: Options): Promise<unknown>
  publicRequest(method: string, path: string, params?: Options): Promise<unknown>
}

export interface SpotConnector extends ConnectorBase {
  newOrder(symbol: string, side: string, type: string, options: Options): Promise<unknown>
  getOrder(symbol: string, options: Options): Promise<unknown>
  cancelOrder(symbol: string, options: Options): Promise<unknown>
  openOrders(options: Options): Promise<unknown>
  account(options: Options): Promise<unknown>
  myTrades(symbol: string, options: Options): Promise<unknown>
  newOCOOrder(symbol: string, side: string, quantity: string, aboveType: string, belowType: string, options: Options): Promise<unknown>
  exchangeInfo(options: Options): Promise<unknown>
  time(options: Options): Promise<unknown>
  bookTicker(symbol?: string): Promise<unknown>
}

export interface FuturesConnector extends ConnectorBase {
  newOrder(symbol: string, side: string, type: string, options: Options): Promise<unknown>
  queryOrder(symbol: string, options: Options): Promise<unknown>
  cancelOrder(symbol: string, options: Options): Promise<unknown>
  getCurrentAllOpenOrders(options: Options): Promise<unknown>
  getAccountTradeList(symbol: string, options: Options): Promise<unknown>
  getFuturesAccountBalanceV3(options: Options): Promise<unknown>
  getPositionInformationV3(options: Options): Promise<unknown>
  getPositionMode(options: Options): Promise<unknown>
  changeInitialLeverage(symbol: string, leverage: number, options: Options): Promise<unknown>
  changeMarginType(symbol: string, marginType: string, options: Options): Promise<unknown>
  getExchangeInfo(): Promise<unknown>
  getTime(): Promise<unknown>
  createListenKey(): Promise<unknown>
  renewListenKey(listenKey: string): Promise<unknown>
}

export interface ConnectorOptions {
  baseURL: string
  timeout: number
  logger: Readonly<Record<"debug" | "info" | "log" | "warn" | "error", () => void>>
}
export type ConnectorClass<C> = new (apiKey: string, apiSecret: string, options: ConnectorOptions) => C

export interface AxiosAnswer {
  readonly status: number
  readonly data: unknown
  readonly headers: Readonly<Record<string, unknown>>
}
export interface AxiosInstance {
  request(config: Readonly<Record<string, unknown>>): Promise<AxiosAnswer>
}

const here = createRequire(import.meta.url)
const besideConnector = createRequire(here.resolve("@binance/connector"))

export const Spot = (here("@binance/connector") as { readonly Spot: ConnectorClass<SpotConnector> }).Spot
export const UMFutures = (here("@binance/futures-connector") as { readonly UMFutures: ConnectorClass<FuturesConnector> }).UMFutures
/** The connectors' own axios. */
export const axios = besideConnector("axios") as { create(config: Readonly<Record<string, unknown>>): AxiosInstance }

/** The connectors print to the console otherwise. */
export const silentLogger: ConnectorOptions["logger"] = {
  debug: () => undefined,
  info: () => undefined,
  log: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
