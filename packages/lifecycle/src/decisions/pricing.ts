/**
 * The prices of an entry: what is asked of the venue (rounded), what it is sized by, and what it is expected to fill at.
 *
 * A price that is not known is a reason to refuse (PRICE_UNKNOWN), never a check that is skipped; text such as
 * "0.00000000" is parsed and then has to be positive. A price that an earlier signal brought is
 * no live price: it says nothing of the market.
 */
import type { Decimal, MarketPrice, OrderType, Reason, Side, Signal, SymbolRules } from "@petrosa/contracts"
import { dec, eq, gte, isPositive, lte, max, min, reason, str } from "@petrosa/contracts"
import { type Decision, hasLimitPrice, hasTrigger, roundLimitPrice, roundTrigger, rulesNumbers } from "./filters.ts"
import type { DecisionSettings } from "./settings.ts"

/** A live price that counts, or none. Refused: a live price that is no positive number. */
export interface LivePrice {
  readonly price: Decimal
  readonly source: MarketPrice["source"]
  readonly ageMs: number
  readonly feed?: MarketPrice["feed"]
}

/** As `parseDecimal`, of text that comes again: `dec` remembers it. */
export const outsideDecimal = (text: string): Decimal | undefined => {
  try {
    return dec(text)
  } catch {
    return undefined
  }
}

const UNKNOWN: { readonly ok: undefined } = { ok: undefined }

/** The price, if it is of the market (not of a signal) and young enough; PRICE_UNKNOWN when it is no positive decimal. */
export const livePriceOf = (price: MarketPrice | undefined, nowMs: number, settings: DecisionSettings): Decision<LivePrice | undefined> => {
  if (price === undefined || price.source === "signal") return UNKNOWN
  const ageMs = Math.max(0, nowMs - price.atMs)
  if (ageMs > settings.maxPriceAgeMs) return UNKNOWN
  const value = outsideDecimal(price.price)
  if (value === undefined || !isPositive(value))
    return { reason: reason("PRICE_UNKNOWN", `${price.source} price ${JSON.stringify(price.price)}`, "a positive price") }
  const { source, feed } = price
  return { ok: feed === undefined ? { price: value, source, ageMs } : { price: value, source, ageMs, feed } }
}

/** Why there is no live price, where one is demanded: none at all, or one that is too old. */
export const noLivePrice = (price: MarketPrice | undefined, nowMs: number, settings: DecisionSettings): Reason => {
  if (price === undefined || price.source === "signal") return reason("PRICE_UNKNOWN", "no price of the market", "a live price")
  return reason("PRICE_STALE", `${nowMs - price.atMs} ms old (${price.source})`, `MAX_PRICE_AGE_MS ${settings.maxPriceAgeMs}`)
}

export interface EntryPrices {
  /** Rounded limit price, for the types that have one. */
  readonly price?: Decimal
  /** Rounded trigger, for the types that have one. */
  readonly triggerPrice?: Decimal
  /** What the market is now: the live price, else the signal's `current_price`. */
  readonly market: Decimal
  readonly marketSource: MarketPrice["source"]
  /** What the exchange holds PERCENT_PRICE and a market order's notional against: mark or average, else {@link market}. */
  readonly exchangeReference: Decimal
  /** What the quantity is worked out with: limit price, trigger price, or the market. */
  readonly sizing: Decimal
  /** The highest price that one unit may cost: limits on worth are held against it. */
  readonly worst: Decimal
  /** Where the entry is expected to fill: what stop and target are judged against. */
  readonly reference: Decimal
  readonly notes: readonly string[]
}

const NO_NOTES: readonly string[] = []

const better = (side: Side, a: Decimal, b: Decimal): Decimal => (side === "buy" ? min(a, b) : max(a, b))

/** A stop buys above the market and sells below it; a take-profit entry the other way round. */
const triggersAbove = (side: Side, type: OrderType): boolean => (type === "stop" || type === "stop_limit") === (side === "buy")

/** TRIGGER_SIDE: an order that would trigger at once is a mistake, not an order. */
const checkTriggerSide = (side: Side, type: OrderType, trigger: Decimal, market: Decimal, quote: string): Reason | undefined => {
  const above = triggersAbove(side, type)
  const wrong = above ? lte(trigger, market) : gte(trigger, market)
  if (!wrong) return undefined
  return reason(
    "TRIGGER_SIDE",
    `${str(trigger)} ${quote} with the market at ${str(market)}`,
    `${above ? "above" : "below"} ${str(market)} ${quote} (${side} ${type})`,
  )
}

/** The prices of the entry that a signal asks for. */
export const entryPrices = (
  signal: Signal,
  side: Side,
  rules: SymbolRules,
  live: LivePrice | undefined,
  exchange: LivePrice | undefined,
): Decision<EntryPrices> => {
  const { tick } = rulesNumbers(rules)
  const current = dec(signal.currentPrice)
  const seen = live ?? exchange
  const market = seen?.price ?? current
  if (!isPositive(market)) return { reason: reason("PRICE_UNKNOWN", str(market), "more than 0") }
  const type = signal.orderType
  const price = hasLimitPrice(type) ? roundLimitPrice(side, dec(signal.price), tick) : undefined
  const marketSource = seen?.source ?? "signal"
  const exchangeReference = exchange?.price ?? market
  if (!hasTrigger(type)) {
    const notes = NO_NOTES
    if (price === undefined)
      return { ok: { market, marketSource, exchangeReference, sizing: market, worst: market, reference: market, notes } }
    const reference = better(side, price, market)
    const worst = max(price, reference)
    return { ok: { market, marketSource, exchangeReference, price, sizing: price, worst, reference, notes } }
  }
  if (signal.triggerPrice === undefined)
    return {
      reason: reason(
        "ORDER_TYPE_NOT_SUPPORTED",
        `${type} without trigger_price`,
        "a trigger_price",
        `An order of type ${type} needs a trigger_price.`,
      ),
    }
  const triggerPrice = roundTrigger(side, type, dec(signal.triggerPrice), tick)
  // Without a live price, `current_price` that equals `price` may only be its default, and says nothing of the market.
  const known = seen !== undefined || !eq(current, dec(signal.price))
  const wrong = known ? checkTriggerSide(side, type, triggerPrice, market, rules.quoteAsset) : undefined
  if (wrong !== undefined) return { reason: wrong }
  const notes = known ? [] : ["no price of the market is known: the side of the trigger is left to the venue"]
  const trigger = { market, marketSource, exchangeReference, triggerPrice, notes }
  if (price === undefined) return { ok: { ...trigger, sizing: triggerPrice, worst: triggerPrice, reference: triggerPrice } }
  return { ok: { ...trigger, price, sizing: price, worst: max(price, triggerPrice), reference: better(side, price, triggerPrice) } }
}
