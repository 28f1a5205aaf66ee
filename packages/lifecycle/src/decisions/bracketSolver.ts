/**
 * The bracket solver: which rule gives the stop and the target of an entry, and whether the house and the exchange would
 * take them: the one place where house rules (distances) and exchange filters (PRICE_FILTER, PERCENT_PRICE) meet.
 *
 * Promises: what a signal asks for is taken or refused with a reason, never mirrored and never moved; only a distance that
 * we derived ourselves (ATR, default) is moved to the nearest one that both allow, and says so. When nothing satisfies
 * both, that is BRACKET_INFEASIBLE, before anything was bought. House rules judge what was asked, the exchange's filters
 * the rounded price, the side both.
 *
 * Stop and target of a long and of a short are one problem: a price that has to lie `below` or above a reference, in an
 * interval.
 */
import type { Decimal, DecimalString, PriceRule, Reason, Side, Signal, SymbolRules } from "@petrosa/contracts"
import { add, dec, div, gt, gte, isPositive, isZero, lt, lte, max, min, mul, reason, str, sub, ZERO } from "@petrosa/contracts"
import { type Decision, isRefused, percentPriceRange, roundTowardsEntry, rulesNumbers } from "./filters.ts"
import { exitSideOf, liesBelow, priceOfRule, strictlyOn } from "./geometry.ts"
import { type DecisionSettings, type DistanceFactors, settingsNumbers } from "./settings.ts"

const NO_NOTES: readonly string[] = []

/** Where a rule comes from: what the signal asked for is never moved. */
export interface Choice {
  readonly rule: PriceRule
  readonly asked: boolean
  readonly note?: string
}

const differ = (a: Decimal, b: Decimal, tick: Decimal): boolean => gt(gt(a, b) ? sub(a, b) : sub(b, a), isZero(tick) ? ZERO : tick)

/** The first of: price, percentage, ATR, default (docs/reference/signals.md). */
const choose = (
  leg: "stop" | "target",
  signal: Signal,
  reference: Decimal,
  below: boolean,
  tick: Decimal,
  settings: DecisionSettings,
): Choice => {
  const n = settingsNumbers(settings)
  const price = leg === "stop" ? signal.stopLoss : signal.takeProfit
  const pct = leg === "stop" ? signal.stopLossPct : signal.takeProfitPct
  const priceName = leg === "stop" ? "stop_loss" : "take_profit"
  const pctName = leg === "stop" ? "stop_loss_pct" : "take_profit_pct"
  if (price !== undefined) {
    const rule: PriceRule = { kind: "price", price, from: priceName }
    if (pct === undefined) return { rule, asked: true }
    const other = priceOfRule({ kind: "fraction", fraction: pct, from: pctName }, reference, below)
    if (!differ(other, dec(price), tick)) return { rule, asked: true }
    return {
      rule,
      asked: true,
      note: `${priceName} ${price} counts; ${pctName} ${pct} would be ${str(roundTowardsEntry(other, below, tick))}`,
    }
  }
  if (pct !== undefined) return { rule: { kind: "fraction", fraction: pct, from: pctName }, asked: true }
  if (signal.atr !== undefined) {
    const distance = mul(dec(signal.atr), leg === "stop" ? n.atrStopMultiple : n.atrTargetMultiple)
    return {
      rule: { kind: "distance", distance: str(distance), from: leg === "stop" ? "ATR_STOP_MULTIPLE" : "ATR_TARGET_MULTIPLE" },
      asked: false,
    }
  }
  const fraction = leg === "stop" ? n.stopLossDefault : n.takeProfitDefault
  return {
    rule: { kind: "fraction", fraction: str(fraction), from: leg === "stop" ? "STOP_LOSS_DEFAULT" : "TAKE_PROFIT_DEFAULT" },
    asked: false,
  }
}

/** An interval of prices; a missing end is open. */
export interface Range {
  readonly low: Decimal | undefined
  readonly high: Decimal | undefined
}
const highest = (a: Decimal | undefined, b: Decimal | undefined): Decimal | undefined =>
  a === undefined ? b : b === undefined ? a : max(a, b)
const lowest = (a: Decimal | undefined, b: Decimal | undefined): Decimal | undefined =>
  a === undefined ? b : b === undefined ? a : min(a, b)
const within = (price: Decimal, range: Range): boolean =>
  (range.low === undefined || gte(price, range.low)) && (range.high === undefined || lte(price, range.high))
const show = (range: Range): string =>
  `${range.low === undefined ? "…" : str(range.low)} to ${range.high === undefined ? "…" : str(range.high)}`

/** What the house leaves: at least and at most this far from the reference. */
const houseRange = (reference: Decimal, below: boolean, factors: DistanceFactors): Range => {
  const { low, high } = below ? factors.below : factors.above
  return { low: low === undefined ? undefined : mul(reference, low), high: high === undefined ? undefined : mul(reference, high) }
}

/** What the exchange leaves: PRICE_FILTER and PERCENT_PRICE of the exit's side, around the price at which the leg will be placed. */
const exchangeRange = (reference: Decimal, exitSide: Side, rules: SymbolRules): Range => {
  const n = rulesNumbers(rules)
  const percent = percentPriceRange(exitSide, reference, rules)
  const least = max(n.priceMin, isZero(n.tick) ? n.priceMin : n.tick)
  return {
    low: highest(isZero(least) ? undefined : least, percent.low),
    high: lowest(isZero(n.priceMax) ? undefined : n.priceMax, percent.high),
  }
}

export interface LegInput {
  readonly leg: "stop" | "target"
  readonly choice: Choice
  readonly reference: Decimal
  readonly below: boolean
  readonly house: Range
  readonly exchange: Range
  readonly rules: SymbolRules
}

export interface SolvedLeg {
  readonly price: Decimal
  readonly rule: PriceRule
  readonly note?: string
}

/** The distance of a price from the reference, in percent, as text. */
const percentText = (price: Decimal, reference: Decimal): string =>
  `${str(mul(div(gt(price, reference) ? sub(price, reference) : sub(reference, price), reference, 6), dec("100")))} %`

/** The tick nearest to `price`, inwards first, then outwards, that is in the range and strictly on its side of the reference. */
const tickFor = (price: Decimal, input: LegInput, range: Range): Decimal | undefined => {
  const { tick } = rulesNumbers(input.rules)
  const fits = (at: Decimal): boolean => within(at, range) && strictlyOn(at, input.reference, input.below) && gt(at, ZERO)
  const inner = roundTowardsEntry(price, input.below, tick)
  if (fits(inner)) return inner
  const outer = roundTowardsEntry(price, !input.below, tick)
  if (fits(outer)) return outer
  const next = input.below ? sub(outer, tick) : add(outer, tick)
  return fits(next) ? next : undefined
}

/**
 * What almost every leg is: its rounded price is one that house and exchange allow. Then that price itself proves that there
 * is one (with a tick; without one the innermost price is looked at), and nothing has to be searched. `undefined`: judge it in full.
 */
export const solveLegAtOnce = (input: LegInput): Decision<SolvedLeg> | undefined => {
  const { choice, reference, below, house, exchange } = input
  const { tick } = rulesNumbers(input.rules)
  if (isZero(tick)) return undefined
  const asked = priceOfRule(choice.rule, reference, below)
  const rounded = roundTowardsEntry(asked, below, tick)
  const allowed =
    strictlyOn(rounded, reference, below) &&
    isPositive(rounded) &&
    within(rounded, exchange) &&
    within(rounded, house) &&
    within(asked, house)
  return allowed ? solved(rounded, choice) : undefined
}

/** One leg: house rules (on what was asked), exchange filters (on the rounded price) and the side, together. */
export const solveLegInFull = (input: LegInput): Decision<SolvedLeg> => {
  const { leg, choice, reference, below, house, exchange, rules } = input
  const asked = priceOfRule(choice.rule, reference, below)
  const quote = rules.quoteAsset
  const name = leg === "stop" ? "stop-loss" : "take-profit"
  const observed = `${str(asked)} ${quote} (${choice.rule.from}) with the entry at ${str(reference)}`
  if (choice.asked && !strictlyOn(asked, reference, below))
    return {
      reason: reason(leg === "stop" ? "STOP_SIDE" : "TARGET_SIDE", observed, `${below ? "below" : "above"} ${str(reference)} ${quote}`),
    }

  const both: Range = { low: highest(house.low, exchange.low), high: lowest(house.high, exchange.high) }
  const edge = below ? lowest(both.high, reference) : highest(both.low, reference)
  // The innermost price that all allow: when not even that exists, nothing does.
  const feasible =
    (both.low === undefined || both.high === undefined || lte(both.low, both.high)) &&
    tickFor(edge ?? reference, input, innermost(both, exchange, below))
  if (feasible === false || feasible === undefined)
    return {
      reason: reason(
        "BRACKET_INFEASIBLE",
        `the exchange allows ${show(exchange)} ${quote}`,
        `the house allows ${show(house)} ${quote}`,
        `No ${name} satisfies the house rules and the exchange's filters together, with the entry at ${str(reference)} ${quote}.`,
      ),
    }

  if (within(asked, house)) {
    const rounded = roundTowardsEntry(asked, below, rulesNumbers(rules).tick)
    if (within(rounded, exchange) && strictlyOn(rounded, reference, below) && gt(rounded, ZERO)) return solved(rounded, choice)
  }
  return choice.asked ? { reason: whyNot(input, asked, observed) } : moved(input, asked, both)
}

/** For the feasibility test: rounding inwards may leave the house's bound by less than a tick, but never the exchange's. */
const innermost = (both: Range, exchange: Range, below: boolean): Range =>
  below ? { low: both.low, high: exchange.high } : { low: exchange.low, high: both.high }

const solved = (price: Decimal, choice: Choice): Decision<SolvedLeg> => ({
  ok: choice.note === undefined ? { price, rule: choice.rule } : { price, rule: choice.rule, note: choice.note },
})

/** Why a price that the signal asked for cannot be had. */
const whyNot = (input: LegInput, asked: Decimal, observed: string): Reason => {
  const { leg, reference, below, house, exchange, rules } = input
  const distance = `${percentText(asked, reference)} from the entry: ${observed}`
  if (!within(asked, house))
    return reason(leg === "stop" ? "STOP_DISTANCE" : "TARGET_DISTANCE", distance, `${show(house)} ${rules.quoteAsset}`)
  const rounded = roundTowardsEntry(asked, below, rulesNumbers(rules).tick)
  if (!strictlyOn(rounded, reference, below))
    return reason(
      leg === "stop" ? "STOP_DISTANCE" : "TARGET_DISTANCE",
      distance,
      `at least one tick of ${rules.price.tick} ${rules.quoteAsset}`,
    )
  const percent = percentPriceRange(exitSideOfLeg(leg, below), reference, rules)
  const code = within(rounded, percent) ? "PRICE_FILTER" : "PERCENT_PRICE"
  return reason(
    code,
    observed,
    `${show(exchange)} ${rules.quoteAsset}`,
    `The ${leg === "stop" ? "stop-loss" : "take-profit"} would be refused by the exchange.`,
  )
}

const exitSideOfLeg = (leg: "stop" | "target", below: boolean): Side => ((leg === "stop") === below ? "sell" : "buy")

/** A distance of our own making goes to the nearest price that all allow, and the rule that is kept says so. */
const moved = (input: LegInput, asked: Decimal, both: Range): Decision<SolvedLeg> => {
  const { choice, reference, below, house, rules } = input
  const clamped =
    both.low !== undefined && lt(asked, both.low) ? both.low : both.high !== undefined && gt(asked, both.high) ? both.high : asked
  const price = tickFor(clamped, input, innermost(both, input.exchange, below))
  if (price === undefined)
    return {
      reason: reason("BRACKET_INFEASIBLE", `${str(asked)} ${rules.quoteAsset} (${choice.rule.from})`, `${show(both)} ${rules.quoteAsset}`),
    }
  // Only the rounding was in the way: at the fill {@link bracketPrices} rounds by the same rule again.
  if (clamped === asked)
    return { ok: { price, rule: choice.rule, note: `${choice.rule.from} is ${str(asked)}, between two ticks: ${str(price)}` } }
  const byHouse = (house.low !== undefined && clamped === house.low) || (house.high !== undefined && clamped === house.high)
  const from = `${choice.rule.from}, moved to ${byHouse ? "the house's distance" : "what the exchange allows"}`
  const fraction = div(below ? sub(reference, clamped) : sub(clamped, reference), reference)
  const rule: PriceRule = byHouse ? { kind: "fraction", fraction: str(fraction), from } : { kind: "price", price: str(price), from }
  return { ok: { price, rule, note: `${choice.rule.from} would be ${str(asked)}: ${from}, ${str(price)}` } }
}

export interface BracketDecision {
  readonly stop: { readonly price: DecimalString; readonly rule: PriceRule }
  readonly target: { readonly price: DecimalString; readonly rule: PriceRule }
  readonly notes: readonly string[]
}

export interface BracketInputs {
  readonly signal: Signal
  readonly entrySide: Side
  /** The price that the entry is expected to fill at, in quote, > 0. */
  readonly reference: Decimal
  readonly settings: DecisionSettings
  readonly rules: SymbolRules
}

/** Stop and target of an entry, or why there are none. The one place where house rules and exchange filters meet. */
export const solveBracket = (inputs: BracketInputs): Decision<BracketDecision> => {
  const { signal, entrySide, reference, settings, rules } = inputs
  if (!gt(reference, ZERO)) return { reason: reason("PRICE_UNKNOWN", str(reference), "more than 0") }
  const n = settingsNumbers(settings)
  const exitSide = exitSideOf(entrySide)
  const { tick } = rulesNumbers(rules)
  const exchange = exchangeRange(reference, exitSide, rules)
  const leg = (which: "stop" | "target"): Decision<SolvedLeg> => {
    const below = liesBelow(which, exitSide)
    const input: LegInput = {
      leg: which,
      choice: choose(which, signal, reference, below, tick, settings),
      reference,
      below,
      house: houseRange(reference, below, which === "stop" ? n.stopDistance : n.targetDistance),
      exchange,
      rules,
    }
    return solveLegAtOnce(input) ?? solveLegInFull(input)
  }
  const stop = leg("stop")
  if (isRefused(stop)) return stop
  const target = leg("target")
  if (isRefused(target)) return target
  return {
    ok: {
      stop: { price: str(stop.ok.price), rule: stop.ok.rule },
      target: { price: str(target.ok.price), rule: target.ok.rule },
      notes: notesOf(stop.ok.note, target.ok.note),
    },
  }
}

const notesOf = (stop: string | undefined, target: string | undefined): readonly string[] =>
  stop === undefined && target === undefined ? NO_NOTES : [stop, target].filter((note) => note !== undefined)
