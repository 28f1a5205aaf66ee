/**
 * The geometry of a bracket at the fill: what prices the rules of its plan become. Whether a plan may be made at all is
 * decided before the entry, in bracketSolver.ts.
 *
 * Promises: a stop and a target are on a tick, on their side of the fill price, and rounded towards it (they trade no
 * later than asked); where that cannot be, the leg is marked as passed, and the lot is to be closed instead.
 */
import type { BracketPlan, Decimal, DecimalString, PriceRule, Side } from "@petrosa/contracts"
import { add, dec, gt, lt, mul, str, sub, ZERO } from "@petrosa/contracts"
import { roundTowardsEntry } from "./filters.ts"

export const exitSideOf = (entry: Side): Side => (entry === "buy" ? "sell" : "buy")

/** Whether the leg lies below the entry: a long's stop, a short's target. */
export const liesBelow = (leg: "stop" | "target", exitSide: Side): boolean => (leg === "stop") === (exitSide === "sell")

/** The price that a rule gives at a fill (or expected fill) price, not rounded. It may be zero or less: judge it. */
export const priceOfRule = (rule: PriceRule, reference: Decimal, below: boolean): Decimal => {
  switch (rule.kind) {
    case "price":
      return dec(rule.price)
    case "fraction": {
      const distance = mul(reference, dec(rule.fraction))
      return below ? sub(reference, distance) : add(reference, distance)
    }
    case "distance":
      return below ? sub(reference, dec(rule.distance)) : add(reference, dec(rule.distance))
    default:
      return rule satisfies never
  }
}

export interface BracketPrices {
  readonly stop: DecimalString
  readonly target: DecimalString
  /** The fill is already past this leg (slippage beyond an absolute price): do not place it, exit at market. The stop first. */
  readonly passed?: "stop" | "target"
}

/**
 * The bracket of a fill: prices on ticks, on the right side of the average fill price, or marked as passed.
 * Throws `RangeError` for an average fill price that is not positive: "0.00000000" is no fill price.
 */
export const bracketPrices = (
  plan: Pick<BracketPlan, "stop" | "target" | "tickSize" | "exitSide">,
  averageFillPrice: Decimal,
  exitSide: Side = plan.exitSide,
): BracketPrices => {
  if (!gt(averageFillPrice, ZERO)) throw new RangeError(`a bracket needs a positive fill price, not ${str(averageFillPrice)}`)
  const tick = dec(plan.tickSize)
  const leg = (which: "stop" | "target"): { readonly price: Decimal; readonly passed: boolean } => {
    const below = liesBelow(which, exitSide)
    const asked = priceOfRule(plan[which], averageFillPrice, below)
    const rounded = roundTowardsEntry(asked, below, tick)
    if (strictlyOn(rounded, averageFillPrice, below)) return { price: rounded, passed: !gt(rounded, ZERO) }
    // Rounding alone carried it over (an average between two ticks): the next tick outwards is the nearest that is on its side.
    const outwards = roundTowardsEntry(asked, !below, tick)
    return strictlyOn(asked, averageFillPrice, below) && gt(outwards, ZERO)
      ? { price: outwards, passed: !strictlyOn(outwards, averageFillPrice, below) }
      : { price: rounded, passed: true }
  }
  const stop = leg("stop")
  const target = leg("target")
  const prices = { stop: str(stop.price), target: str(target.price) }
  return stop.passed ? { ...prices, passed: "stop" } : target.passed ? { ...prices, passed: "target" } : prices
}

/** Strictly below (or above) the reference: on it is already through. */
export const strictlyOn = (price: Decimal, reference: Decimal, below: boolean): boolean =>
  below ? lt(price, reference) : gt(price, reference)
