/**
 * An exchange that says exactly what a test makes it say: REST by path, over real HTTP, and a user stream whose messages the
 * test writes. What the local Binance (apps/binance-sandbox) would never say is said here.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { openBinanceFutures } from "../../src/binance-futures/futuresVenue.ts"
import { openBinanceSpot } from "../../src/binance-spot/spotVenue.ts"
import type { BinanceOptions, Trouble } from "../../src/binance/session.ts"
import type { SocketHandlers } from "../../src/binance/supervisor.ts"
import type { Venue, VenueEvent } from "../../src/venue.ts"

export interface Said {
  readonly status?: number
  /** As it is, when it is text; else as JSON. */
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}
/** By `GET /fapi/v1/order`. */
export type Script = Record<string, (query: URLSearchParams) => Said>

export const API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
export const API_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

const SYMBOL = {
  symbol: "BTCUSDT",
  status: "TRADING",
  baseAsset: "BTC",
  quoteAsset: "USDT",
  orderTypes: ["LIMIT", "MARKET", "STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"],
  timeInForce: ["GTC", "IOC", "FOK", "GTX"],
  filters: [{ filterType: "LOT_SIZE", minQty: "0.001", maxQty: "1000", stepSize: "0.001" }],
}
const ok = (body: unknown) => (): Said => ({ body })
const NO_SUCH_ORDER = (): Said => ({ status: 400, body: { code: -2013, msg: "Order does not exist." } })
const time = (): Said => ({ body: { serverTime: Date.now() } })

const DEFAULTS: Script = {
  "GET /fapi/v1/time": time,
  "GET /fapi/v1/exchangeInfo": ok({ symbols: [SYMBOL], rateLimits: [] }),
  "GET /fapi/v1/accountConfig": ok({ canTrade: true }),
  "POST /fapi/v1/order/test": ok({}),
  "GET /fapi/v1/positionSide/dual": ok({ dualSidePosition: false }),
  "GET /fapi/v1/commissionRate": ok({ takerCommissionRate: "0.0005" }),
  "POST /fapi/v1/listenKey": ok({ listenKey: "stub-listen-key" }),
  "GET /fapi/v1/order": NO_SUCH_ORDER,
  "GET /fapi/v1/algoOrder": NO_SUCH_ORDER,
  "GET /fapi/v1/userTrades": ok([]),
  "GET /api/v3/time": time,
  "GET /api/v3/exchangeInfo": ok({ symbols: [SYMBOL], rateLimits: [] }),
  "GET /api/v3/account": ok({ canTrade: true, balances: [] }),
  "POST /api/v3/order/test": ok({}),
  "GET /api/v3/order": NO_SUCH_ORDER,
}

export interface Stub {
  readonly venue: Venue
  readonly heard: VenueEvent[]
  readonly troubles: Trouble[]
  /** Requests in their order, as `GET /fapi/v1/order`. */
  readonly asked: string[]
  /** Connections that were made. */
  readonly sockets: SocketHandlers[]
  /** On the newest connection. */
  say(message: unknown): void
  /** Other answers from now on. */
  script(more: Script): void
  close(): Promise<void>
}

export const stubExchange = async (
  market: "spot" | "futures",
  given: Script = {},
  options: Partial<BinanceOptions> = {},
): Promise<Stub> => {
  const script: Script = { ...DEFAULTS, ...given }
  const asked: string[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://stub")
    const name = `${request.method} ${url.pathname}`
    asked.push(name)
    const said = script[name]?.(url.searchParams) ?? { status: 404, body: "<html>not here</html>" }
    response.writeHead(said.status ?? 200, said.headers)
    response.end(typeof said.body === "string" ? said.body : JSON.stringify(said.body))
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const sockets: SocketHandlers[] = []
  const troubles: Trouble[] = []
  const common = {
    mode: "testnet" as const,
    credentials: { kind: "hmac" as const, apiKey: API_KEY, apiSecret: API_SECRET },
    restUrl: url,
    socketUrl: "ws://stub",
    pricePollMs: 0,
    timeoutMs: 2_000,
    onTrouble: (trouble: Trouble) => void troubles.push(trouble),
    openSocket: (_url: string, handlers: SocketHandlers) => {
      sockets.push(handlers)
      queueMicrotask(() => {
        handlers.opened()
        if (market === "spot") handlers.message(`{"id":"u","status":200,"result":{"subscriptionId":0}}`)
      })
      return { send: () => undefined, terminate: () => undefined }
    },
    ...options,
  }
  const start = market === "spot" ? await openBinanceSpot(common) : await openBinanceFutures(common)
  if (start._tag !== "Started") throw new Error(`not started: ${start.code} ${start.message}`)
  const heard: VenueEvent[] = []
  start.venue.subscribe((event) => heard.push(event))
  heard.length = 0
  return {
    venue: start.venue,
    heard,
    troubles,
    asked,
    sockets,
    say: (message) => sockets.at(-1)?.message(typeof message === "string" ? message : JSON.stringify(message)),
    script: (more) => void Object.assign(script, more),
    close: async () => {
      await start.venue.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
