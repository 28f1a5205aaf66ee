/** What a decision is told of the market: from the feed of market data where there is one, else from the venue itself. */
import type { Market, MarketPrice, Signal } from "@petrosa/contracts"
import type { PriceView } from "./api.ts"
import type { VenueSeat } from "./options.ts"

/** A feed of the market; prices of signals are none. */
export const feedOf = (seat: VenueSeat | undefined): VenueSeat["prices"] => (seat?.prices?.feed === "signals" ? undefined : seat?.prices)

export interface PriceInputs {
  /** May be too old: the decision refuses it, and says how old it was. */
  readonly livePrice: MarketPrice | undefined
  readonly marketPrice: MarketPrice | undefined
}

export const priceInputs = (seat: VenueSeat, signal: Pick<Signal, "symbol" | "market">): PriceInputs => {
  const { venue, facts } = seat
  const feed = feedOf(seat)
  if (feed !== undefined) {
    feed.want(signal.symbol, signal.market)
    const read = feed.read(signal.symbol, signal.market)
    return read._tag === "Fresh"
      ? { livePrice: read.price, marketPrice: read.mark ?? read.price }
      : { livePrice: read.stale, marketPrice: read.stale }
  }
  // The paper venue has no market of its own: what the strategy saw is its market, and nothing to hold the signal against.
  const live = venue.mode === "simulation" && facts.name === "paper" ? undefined : venue.price(signal.symbol, signal.market)
  return { livePrice: live, marketPrice: live }
}

/** For people: the price of a symbol with all that is known of it, also when it is too old to decide with. */
export const priceView = ({ venue, prices }: VenueSeat, symbol: string, market: Market, nowMs: number): PriceView | undefined => {
  if (prices === undefined) return venue.price(symbol, market)
  const read = prices.read(symbol, market)
  const found = read._tag === "Fresh" ? read.price : read.stale
  if (found === undefined) return undefined
  const { bid, ask, mark, last } = read.quote ?? {}
  return {
    ...found,
    market,
    feed: prices.feed,
    ageMs: Math.max(0, nowMs - found.atMs),
    ...(bid === undefined ? {} : { bid }),
    ...(ask === undefined ? {} : { ask }),
    ...(mark === undefined ? {} : { mark }),
    ...(last === undefined ? {} : { last }),
    ...(read._tag === "Fresh" ? {} : { refused: read.reason }),
  }
}
