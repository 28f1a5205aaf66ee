/**
 * The bracket's prices of what is filled so far: the plan's rules applied to the average fill price. Pure.
 *
 * Guards, follow-ups and flat fields of one step ask for the same again and again: the last answer is kept, by the very
 * values that it was made of (an entry and a plan are never changed).
 */
import type { BracketPlan, Decimal } from "@petrosa/contracts"
import { dec, div, isZero } from "@petrosa/contracts"
import type { BracketPrices } from "../decisions/geometry.ts"
import { bracketPrices } from "../decisions/geometry.ts"
import type { EntryLeg, OrderContext } from "./context.ts"

let entryAsked: EntryLeg | null = null
let average: Decimal | undefined

/** Undefined while nothing is filled. */
export const averageFillPrice = ({ entry }: OrderContext): Decimal | undefined => {
  if (entry === null) return undefined
  if (entry !== entryAsked) {
    average = isZero(dec(entry.filled)) ? undefined : div(dec(entry.quote), dec(entry.filled))
    entryAsked = entry
  }
  return average
}

let planAsked: BracketPlan | null = null
let priceAsked: Decimal | undefined
let prices: BracketPrices | undefined

export const planPrices = (c: OrderContext): BracketPrices | undefined => {
  const price = averageFillPrice(c)
  if (price === undefined || c.plan === null) return undefined
  if (c.plan !== planAsked || price !== priceAsked) {
    prices = bracketPrices(c.plan, price)
    planAsked = c.plan
    priceAsked = price
  }
  return prices
}
