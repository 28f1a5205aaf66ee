/**
 * The last line of the promise that no method of a venue rejects. What throws inside an adapter is a bug: it is told, and the
 * answer is Unknown, because a request may have left before.
 */
import { unknown } from "@petrosa/contracts"
import type { Unknown } from "@petrosa/contracts"
import type { Venue } from "../venue.ts"

export const neverReject = (venue: Venue, tell: (method: string, error: unknown) => void): Venue => {
  const guard = async <A>(method: string, run: () => Promise<A>): Promise<A | Unknown> => {
    try {
      return await run()
    } catch (error) {
      tell(method, error)
      return unknown("ADAPTER_ERROR")
    }
  }
  return {
    name: venue.name,
    mode: venue.mode,
    markets: venue.markets,
    bracketStyle: venue.bracketStyle,
    absenceProofMs: venue.absenceProofMs,
    canShort: (market) => venue.canShort(market),
    rules: (symbol, market) => venue.rules(symbol, market),
    place: (request) => guard("place", () => venue.place(request)),
    ...(venue.placeOco === undefined
      ? {}
      : { placeOco: (request) => guard("placeOco", async () => venue.placeOco?.(request) ?? unknown("ADAPTER_ERROR")) }),
    ...(venue.placeOtoco === undefined
      ? {}
      : { placeOtoco: (request) => guard("placeOtoco", async () => venue.placeOtoco?.(request) ?? unknown("ADAPTER_ERROR")) }),
    cancel: (symbol, market, id) => guard("cancel", () => venue.cancel(symbol, market, id)),
    query: (symbol, market, id) => guard("query", () => venue.query(symbol, market, id)),
    openOrders: (symbol, market) => guard("openOrders", () => venue.openOrders(symbol, market)),
    fills: (symbol, market, order) => guard("fills", () => venue.fills(symbol, market, order)),
    balances: () => guard("balances", () => venue.balances()),
    positions: () => guard("positions", () => venue.positions()),
    price: (symbol, market) => venue.price(symbol, market),
    observePrice: (price, market) => venue.observePrice(price, market),
    subscribe: (listener) => venue.subscribe(listener),
    close: () => venue.close(),
  }
}
