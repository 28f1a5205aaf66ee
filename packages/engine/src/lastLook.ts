/**
 * The last look at the market, right before a request leaves (docs/design.md section 6: "side checked against the live price
 * right before sending"). Pure.
 *
 * Only where a feed of market data is there. A stop is never held back for want of a price: then the venue judges it.
 */
import type { ClientOrderId, DecimalString, LegRequest, MarketPrice, Reason, Side } from "@petrosa/contracts"
import { dec, gte, lte, reason } from "@petrosa/contracts"
import type { OrderContext } from "@petrosa/lifecycle"
import type { PriceRead } from "@petrosa/venue"

const TRIGGER_ABOVE = { buy: { stop: true, take_profit: false }, sell: { stop: false, take_profit: true } } as const

/** Why an entry must not leave after all: no price, an old one, or the market has gone past its trigger or its stop. */
export const entryProblem = (c: Pick<OrderContext, "stopPrice">, request: LegRequest, read: PriceRead | undefined): Reason | undefined => {
  if (read === undefined) return undefined
  if (read._tag === "Refused") return read.reason
  const { price: text, source } = read.price
  const live = dec(text)
  const { side, type, triggerPrice } = request
  switch (type) {
    case "market":
    case "limit": {
      if (c.stopPrice === null) return undefined
      const stop = dec(c.stopPrice)
      const through = side === "buy" ? lte(live, stop) : gte(live, stop)
      return through
        ? reason("STOP_SIDE", `${text} (${source})`, `stop ${c.stopPrice}`, "The market went through the stop before the entry was sent.")
        : undefined
    }
    case "stop":
    case "stop_limit":
    case "take_profit":
    case "take_profit_limit": {
      if (triggerPrice === undefined) return undefined
      const above = TRIGGER_ABOVE[side][type === "stop" || type === "stop_limit" ? "stop" : "take_profit"]
      const trigger = dec(triggerPrice)
      const wrong = above ? lte(trigger, live) : gte(trigger, live)
      return wrong
        ? reason("TRIGGER_SIDE", `${triggerPrice} with the market at ${text} (${source})`, `${above ? "above" : "below"} ${text}`)
        : undefined
    }
  }
}

/**
 * Whether the market is through a stop already: then what it is for has happened, and the way out is at market. Futures'
 * stops are held against the mark price, where it is known.
 */
export const stopIsPassed = (request: LegRequest, read: PriceRead | undefined): string | undefined => {
  if (request.leg !== "stop" || request.triggerPrice === undefined || read?._tag !== "Fresh") return undefined
  const { price, source } = read.mark ?? read.price
  return isThrough(request.side, request.triggerPrice, price)
    ? `the market is at ${price} (${source}), and the stop at ${request.triggerPrice}`
    : undefined
}

/** @param side of the stop: one that sells fires below its trigger */
const isThrough = (side: Side, trigger: DecimalString, price: DecimalString): boolean =>
  side === "sell" ? lte(dec(price), dec(trigger)) : gte(dec(price), dec(trigger))

/** A live stop that the market is through: it is closing the lot by itself, or has done so already. */
export const firingStop = (c: Pick<OrderContext, "entry" | "legs">, market: MarketPrice | undefined): ClientOrderId | undefined => {
  if (market === undefined) return undefined
  const side = c.entry?.side === "buy" ? "sell" : "buy"
  return c.legs.find(
    ({ leg, status, price }) => leg === "stop" && status === "live" && price !== null && isThrough(side, price, market.price),
  )?.clientOrderId
}
