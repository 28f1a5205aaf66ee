/**
 * Sizing: how much one entry buys or sells. The precedence is that of docs/reference/signals.md: `quantity`, `quote_quantity`,
 * `position_size_pct` of the free balance, else POSITION_SIZE_PCT of the free balance × confidence.
 *
 * Promises: an accepted quantity is a multiple of the exchange's step, at least its minimum and never above any limit
 * (exchange, MAX_POSITION_NOTIONAL, free balance), and what it buys can be sold again: at the price of its stop or target
 * the exit is not less than the exchange's minimum, net of the commission that is taken out of it. A quantity that the
 * signal names is never raised. There is no default in a catch-all: what is not known is a refusal.
 */
import type { Decimal, DecimalString, EventData, Reason, Side, Signal, SymbolRules } from "@petrosa/contracts"
import { add, ceilTo, dec, div, floorTo, gt, gte, isPositive, isZero, lt, max, min, mul, ONE, reason, str, ZERO } from "@petrosa/contracts"
import { checkFilters, type Decision, greatestQuantity, isRefused, leastQuantity, notionalPrice, rulesNumbers } from "./filters.ts"
import { type EntryPrices, outsideDecimal } from "./pricing.ts"
import { type DecisionSettings, type FreeBalance, settingsNumbers, type VenueFacts, venueNumbers } from "./settings.ts"

export type SizeBasis = EventData["OrderSized"]["basis"]

export interface SizingInputs {
  readonly signal: Signal
  readonly side: Side
  readonly prices: EntryPrices
  readonly rules: SymbolRules
  readonly settings: DecisionSettings
  readonly venue: VenueFacts
  readonly freeBalance: FreeBalance
  /** Stop and target: the exit may happen at either. */
  readonly exitPrices: readonly [DecimalString, DecimalString]
  /** What this strategy's lots of this symbol and side are worth already, in quote. */
  readonly heldNotional: Decimal
  /** A size that was recorded before a restart: it is judged, never changed. */
  readonly recorded?: { readonly quantity: DecimalString; readonly basis: SizeBasis } | undefined
}

export interface Size {
  readonly quantity: Decimal
  /** Quantity × the price that it was sized by, in quote. */
  readonly notional: Decimal
  readonly basis: SizeBasis
  readonly icebergQuantity?: Decimal
  readonly notes: readonly string[]
}

/** The balance, or why no new risk is taken. Zero, missing and an error are three things. */
export const balanceOf = (free: FreeBalance, quoteAsset: string): Decision<Decimal> => {
  if ("unknown" in free) return { reason: reason("BALANCE_UNKNOWN", free.unknown, `a known free balance of ${quoteAsset}`) }
  const value = outsideDecimal(free.known)
  if (value === undefined) return { reason: reason("BALANCE_UNKNOWN", JSON.stringify(free.known), `a known free balance of ${quoteAsset}`) }
  if (!isPositive(value)) return { reason: reason("BALANCE_TOO_LOW", `${str(value)} ${quoteAsset}`, "more than 0") }
  return { ok: value }
}

/** What is asked for, before any limit: a quantity down to the step, and whether the signal named it itself. */
interface Wish {
  readonly quantity: Decimal
  readonly basis: SizeBasis
  /** The signal's own quantity: never raised. */
  readonly own: boolean
}

const wishOf = (inputs: SizingInputs, free: Decimal): Wish => {
  const { signal, settings, rules, recorded } = inputs
  const n = settingsNumbers(settings)
  const step = rulesNumbers(rules).marketStep
  const price = inputs.prices.sizing
  if (recorded !== undefined) return { quantity: dec(recorded.quantity), basis: recorded.basis, own: true }
  if (settings.sizing === "signal") {
    const quantity = positive(signal.quantity)
    if (quantity !== undefined) return { quantity: floorTo(quantity, step), basis: "quantity", own: true }
    const quote = positive(signal.quoteQuantity)
    if (quote !== undefined) return { quantity: greatestQuantity(quote, price, step), basis: "quote_quantity", own: true }
    const share = positive(signal.positionSizePct)
    if (share !== undefined) return { quantity: shareOf(inputs, free, share), basis: "position_size_pct", own: false }
  }
  return { quantity: shareOf(inputs, free, mul(n.positionSize, dec(signal.confidence))), basis: "confidence", own: false }
}

/** 0 and absent are the same: the signal does not say. */
const positive = (text: DecimalString | undefined): Decimal | undefined => {
  if (text === undefined) return undefined
  const value = dec(text)
  return isPositive(value) ? value : undefined
}

/** A share of the free balance, as far as the balance covers it together with the commission. */
const shareOf = (inputs: SizingInputs, free: Decimal, share: Decimal): Decimal => {
  const step = rulesNumbers(inputs.rules).marketStep
  const wanted = greatestQuantity(mul(free, share), inputs.prices.sizing, step)
  return min(wanted, greatestQuantity(free, mul(inputs.prices.worst, venueNumbers(inputs.venue).cost), step))
}

/** What is left to sell of an entry, in base, down to the step: net of the commission that is taken out of what was bought. */
export const exitQuantity = (quantity: Decimal, side: Side, rules: SymbolRules, venue: VenueFacts): Decimal =>
  floorTo(side === "buy" ? netOf(quantity, venue) : quantity, rulesNumbers(rules).marketStep)

const netOf = (quantity: Decimal, venue: VenueFacts): Decimal => {
  const { net } = venueNumbers(venue)
  return net === ONE ? quantity : mul(quantity, net)
}

const lowest = (pair: readonly [DecimalString, DecimalString]): Decimal => min(dec(pair[0]), dec(pair[1]))

/** EXIT_WOULD_BE_DUST: the exit, at the lower of stop and target, has to be worth the exchange's minimum where it is not exempt. */
const checkExit = (quantity: Decimal, inputs: SizingInputs): Reason | undefined => {
  const { rules, side, venue, exitPrices } = inputs
  const n = rulesNumbers(rules)
  const left = exitQuantity(quantity, side, rules, venue)
  if (!gt(left, ZERO) || lt(left, n.marketMin))
    return reason("EXIT_WOULD_BE_DUST", `${str(left)} ${rules.baseAsset} left to sell`, `${str(n.marketMin)} ${rules.baseAsset}`)
  if (rules.notional.reduceOnlyExempt) return undefined
  const worth = mul(left, lowest(exitPrices))
  return lt(worth, n.notionalMin)
    ? reason(
        "EXIT_WOULD_BE_DUST",
        `${str(worth)} ${rules.quoteAsset} at ${str(lowest(exitPrices))}`,
        `${str(n.notionalMin)} ${rules.quoteAsset}`,
      )
    : undefined
}

/** The least quantity whose entry and exit both pass the exchange's minimums, a multiple of the step. */
export const leastTradable = (inputs: SizingInputs): Decimal => {
  const { rules, prices, side, venue, signal } = inputs
  const n = rulesNumbers(rules)
  const { net } = venueNumbers(venue)
  const step = n.marketStep
  const valued = notionalPrice({ type: signal.orderType, price: prices.price, triggerPrice: prices.triggerPrice }, prices.exchangeReference)
  const entry = max(ceilTo(n.marketMin, step), leastQuantity(n.notionalMin, valued, step))
  let exit = ceilTo(n.marketMin, step)
  if (!rules.notional.reduceOnlyExempt) exit = max(exit, leastQuantity(n.notionalMin, lowest(inputs.exitPrices), step))
  const gross = side === "buy" ? leastQuantity(exit, net, step) : exit
  return max(entry, gross)
}

/** Whatever would be in the way of this quantity, the exchange's minimums first. */
const check = (quantity: Decimal, inputs: SizingInputs, free: Decimal): Reason | undefined => {
  const { signal, side, rules, prices } = inputs
  const n = settingsNumbers(inputs.settings)
  const quote = rules.quoteAsset
  const iceberg = icebergOf(inputs)
  const draft = {
    side,
    type: signal.orderType,
    quantity,
    reduceOnly: false,
    price: prices.price,
    triggerPrice: prices.triggerPrice,
    icebergQuantity: iceberg,
  }
  const refused = checkFilters(draft, prices.exchangeReference, rules) ?? checkAtMarket(quantity, rules) ?? checkExit(quantity, inputs)
  if (refused !== undefined) return refused
  const worth = mul(quantity, prices.worst)
  const total = isZero(inputs.heldNotional) ? worth : add(inputs.heldNotional, worth)
  if (!isZero(n.maxPositionNotional) && gt(total, n.maxPositionNotional)) {
    const held = isZero(inputs.heldNotional) ? "" : `, ${str(inputs.heldNotional)} of it held already`
    return reason("MAX_POSITION_NOTIONAL", `${str(total)} ${quote}${held}`, `${str(n.maxPositionNotional)} ${quote}`)
  }
  const cost = mul(worth, venueNumbers(inputs.venue).cost)
  return gt(cost, free) ? reason("BALANCE_TOO_LOW", `${str(free)} ${quote} free`, `${str(cost)} ${quote} with the commission`) : undefined
}

/** What cannot be closed by one order at market must not be opened: the stop and the flatten trade at market. */
const checkAtMarket = (quantity: Decimal, rules: SymbolRules): Reason | undefined => {
  const most = rulesNumbers(rules).marketMax
  return !isZero(most) && gt(quantity, most)
    ? reason(
        "MAX_QUANTITY",
        `${str(quantity)} ${rules.baseAsset}`,
        `${str(most)} ${rules.baseAsset}`,
        "One order at market could not close what this entry would open.",
      )
    : undefined
}

const icebergOf = (inputs: SizingInputs): Decimal | undefined => {
  const part = positive(inputs.signal.icebergQuantity)
  return part === undefined ? undefined : floorTo(part, rulesNumbers(inputs.rules).lotStep)
}

/** Refusals that a larger quantity would cure. */
const TOO_SMALL: ReadonlySet<string> = new Set(["QUANTITY_STEP", "MIN_QUANTITY", "MIN_NOTIONAL", "EXIT_WOULD_BE_DUST"])

const NO_NOTES: readonly string[] = []

/** The size of an entry, or why there is none. */
export const sizeEntry = (inputs: SizingInputs): Decision<Size> => {
  const { prices, settings, rules } = inputs
  const balance = balanceOf(inputs.freeBalance, rules.quoteAsset)
  if (isRefused(balance)) return balance
  const wish = wishOf(inputs, balance.ok)
  const refused = check(wish.quantity, inputs, balance.ok)
  if (refused === undefined) return { ok: sized(inputs, wish.quantity, wish.basis, NO_NOTES) }
  if (wish.own || settings.sizeBelowMinimum === "refuse" || !TOO_SMALL.has(refused.code)) return { reason: refused }

  const raised = leastTradable(inputs)
  if (gte(wish.quantity, raised)) return { reason: refused }
  const still = check(raised, inputs, balance.ok)
  if (still !== undefined)
    return {
      reason: {
        ...still,
        message: `${still.message} (Raised from ${str(wish.quantity)} to the exchange's minimum of ${str(raised)} ${rules.baseAsset}.)`,
      },
    }
  const note = `raised from ${str(wish.quantity)} to ${str(raised)} ${rules.baseAsset}: ${refused.code}, ${refused.observed ?? ""} below ${refused.limit ?? ""}`
  return { ok: sized(inputs, raised, "raised_to_minimum", [`${wish.basis} ${note}`, ...riskNote(wish.quantity, raised, prices)]) }
}

const riskNote = (from: Decimal, to: Decimal, prices: EntryPrices): readonly string[] =>
  isZero(from)
    ? []
    : [`worth ${str(mul(to, prices.sizing))} instead of ${str(mul(from, prices.sizing))}, ${str(div(to, from, 4))} times as much`]

const sized = (inputs: SizingInputs, quantity: Decimal, basis: SizeBasis, notes: readonly string[]): Size => {
  const iceberg = icebergOf(inputs)
  const notional = mul(quantity, inputs.prices.sizing)
  return iceberg === undefined ? { quantity, notional, basis, notes } : { quantity, notional, basis, notes, icebergQuantity: iceberg }
}
