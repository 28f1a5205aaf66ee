/**
 * Validation: whether a decoded signal may become an order at all. Cheap checks first; each refusal names the rule, what
 * was observed and the limit.
 *
 * A `close` only ever reduces risk: it is not held against the symbol lists, the order type or the price, which it does
 * not use. `hold` passes and then ends: it is a decision, no error.
 */
import type { DecimalString, EventData, MarketPrice, Reason, Signal, SymbolRules } from "@petrosa/contracts"
import { dec, div, gt, isPositive, isZero, lt, mul, reason, str, sub } from "@petrosa/contracts"
import { hasLimitPrice, hasTrigger, isRefused } from "./filters.ts"
import { type LivePrice, livePriceOf } from "./pricing.ts"
import { type DecisionSettings, settingsNumbers, type VenueFacts } from "./settings.ts"
import { textOf } from "./textOf.ts"

/** A timestamp may lie this far ahead of our clock. */
export const MAX_SIGNAL_AHEAD_MS = 5_000

/** Too old, or from the future: at intake and again right before the entry leaves. */
export const tooOld = (signal: Pick<Signal, "timestampMs">, nowMs: number, maxAgeMs: number): Reason | undefined => {
  const ageMs = nowMs - signal.timestampMs
  if (ageMs > maxAgeMs) return reason("SIGNAL_TOO_OLD", `${ageMs / 1000} s old`, `${maxAgeMs / 1000} s`)
  if (-ageMs > MAX_SIGNAL_AHEAD_MS) return reason("SIGNAL_FROM_FUTURE", `${-ageMs / 1000} s ahead`, `${MAX_SIGNAL_AHEAD_MS / 1000} s`)
  return undefined
}

export interface ValidationInputs {
  readonly nowMs: number
  readonly settings: DecisionSettings
  readonly venue: VenueFacts
  /** `undefined`: the venue knows no such symbol. */
  readonly rules: SymbolRules | undefined
  readonly livePrice?: MarketPrice | undefined
}

export type Validation =
  | { readonly ok: EventData["SignalValidated"]; readonly live: LivePrice | undefined }
  /** `validated`: what is recorded before the end all the same (`hold`). */
  | { readonly reason: Reason; readonly validated?: EventData["SignalValidated"] }

/** Judges a signal before anything is sized. */
export const validate = (signal: Signal, inputs: ValidationInputs): Validation => {
  const { nowMs, settings, venue } = inputs
  if (signal.action === "hold") return { reason: reason("HOLD"), validated: validated(signal, inputs, undefined) }
  const refused = tooOld(signal, nowMs, settings.maxSignalAgeMs) ?? checkConfidence(signal, settings) ?? checkMarket(signal, venue)
  if (refused !== undefined) return { reason: refused }
  const live = livePriceOf(inputs.livePrice, nowMs, settings)
  if (signal.action === "close") {
    // A broken price feed must not keep anybody from getting out.
    const seen = isRefused(live) ? undefined : live.ok
    return { ok: validated(signal, inputs, seen), live: seen }
  }
  const symbol = checkSymbol(signal, inputs.rules, settings)
  if (symbol !== undefined) return { reason: symbol }
  if (isRefused(live)) return live
  const rules = inputs.rules as SymbolRules
  const wrong = checkOrderType(signal, rules) ?? checkIcebergAllowed(signal, rules) ?? checkDeviation(signal, live.ok, rules, settings)
  return wrong === undefined ? { ok: validated(signal, inputs, live.ok), live: live.ok } : { reason: wrong }
}

const validated = (signal: Signal, inputs: ValidationInputs, live: LivePrice | undefined): EventData["SignalValidated"] => {
  const { nowMs } = inputs
  const { name: venue, mode } = inputs.venue
  const ageMs = nowMs - signal.timestampMs
  const limits = settingsNumbers(inputs.settings).validationLimits
  if (live === undefined) return { nowMs, ageMs, venue, mode, limits }
  const { source, feed } = live
  const price = textOf(live.price)
  const livePrice = feed === undefined ? { price, source, ageMs: live.ageMs } : { price, source, ageMs: live.ageMs, feed }
  return { nowMs, ageMs, venue, mode, limits, livePrice }
}

const checkConfidence = (signal: Signal, settings: DecisionSettings): Reason | undefined =>
  lt(dec(signal.confidence), settingsNumbers(settings).minConfidence)
    ? reason("LOW_CONFIDENCE", signal.confidence, `MIN_CONFIDENCE ${settings.minConfidence}`)
    : undefined

const checkMarket = (signal: Signal, venue: VenueFacts): Reason | undefined =>
  venue.markets.includes(signal.market)
    ? undefined
    : reason("MARKET_NOT_AVAILABLE", signal.market, `${venue.name}: ${venue.markets.join(", ")}`)

const checkSymbol = (signal: Signal, rules: SymbolRules | undefined, settings: DecisionSettings): Reason | undefined => {
  const n = settingsNumbers(settings)
  if (rules === undefined) return reason("SYMBOL_UNKNOWN", `${signal.symbol} (${signal.market})`)
  if (n.denied.has(signal.symbol)) return reason("SYMBOL_NOT_ALLOWED", signal.symbol, "SYMBOLS_DENIED")
  if (n.allowed !== undefined && !n.allowed.has(signal.symbol)) return reason("SYMBOL_NOT_ALLOWED", signal.symbol, "SYMBOLS_ALLOWED")
  return rules.trading ? undefined : reason("SYMBOL_NOT_TRADING", `status ${rules.status}`, "status TRADING")
}

/** Order type, trigger and time in force: what the type or the venue does not offer is refused, never dropped. */
const checkOrderType = (signal: Signal, rules: SymbolRules): Reason | undefined => {
  const { orderType: type, timeInForce } = signal
  if (!rules.orderTypes.includes(type)) return reason("ORDER_TYPE_NOT_SUPPORTED", type, rules.orderTypes.join(", "))
  if (hasTrigger(type) && signal.triggerPrice === undefined)
    return reason(
      "ORDER_TYPE_NOT_SUPPORTED",
      `${type} without trigger_price`,
      "a trigger_price",
      `An order of type ${type} needs a trigger_price.`,
    )
  if (hasLimitPrice(type)) {
    const postOnly = timeInForce === "GTX" && type !== "limit"
    return rules.timesInForce.includes(timeInForce) && !postOnly
      ? undefined
      : reason(
          "TIME_IN_FORCE_NOT_SUPPORTED",
          `${timeInForce} with ${type}`,
          postOnly ? "GTX with limit orders only" : rules.timesInForce.join(", "),
        )
  }
  // GTC is the default and has no meaning here; a market order is immediate or cancelled by nature.
  const harmless = timeInForce === "GTC" || (timeInForce === "IOC" && type === "market")
  return harmless ? undefined : reason("TIME_IN_FORCE_NOT_SUPPORTED", `${timeInForce} with ${type}`, "none: the order trades at market")
}

const checkIcebergAllowed = (signal: Signal, rules: SymbolRules): Reason | undefined => {
  if (signal.icebergQuantity === undefined || !isPositive(dec(signal.icebergQuantity))) return undefined
  if (rules.market !== "spot" || signal.orderType !== "limit" || !rules.icebergAllowed)
    return reason("ICEBERG_NOT_SUPPORTED", `${rules.market} ${signal.orderType}`, "spot limit, where the symbol allows it")
  return signal.timeInForce === "GTC"
    ? undefined
    : reason("ICEBERG_NOT_SUPPORTED", `iceberg with ${signal.timeInForce}`, "GTC", "An iceberg order has to be GTC.")
}

/** PRICE_DEVIATION: another symbol's price, or a stale one. Where no live price is known it cannot be told. */
const checkDeviation = (
  signal: Signal,
  live: LivePrice | undefined,
  rules: SymbolRules,
  settings: DecisionSettings,
): Reason | undefined => {
  const most = settingsNumbers(settings).maxPriceDeviation
  if (live === undefined || isZero(most)) return undefined
  const limit = mul(live.price, most)
  const off = (text: DecimalString, name: string): Reason | undefined => {
    const price = dec(text)
    const gap = gt(price, live.price) ? sub(price, live.price) : sub(live.price, price)
    if (!gt(gap, limit)) return undefined
    const percent = str(mul(div(gap, live.price, 6), dec("100")))
    return reason(
      "PRICE_DEVIATION",
      `${name} ${text} ${rules.quoteAsset}, ${percent} % from ${str(live.price)} (${live.source})`,
      `${settings.maxPriceDeviationPct} %`,
    )
  }
  return off(signal.price, "price") ?? (signal.currentPrice === signal.price ? undefined : off(signal.currentPrice, "current_price"))
}
