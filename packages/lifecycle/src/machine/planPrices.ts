/**
 * The bracket's prices of what is filled so far: the plan's rules applied to the average fill price. Pure.
 *
 * Guards, follow-ups and flat fields of one step ask for the same again and again: the last answer is kept, by the very
 * values that it was made of (an entry and a plan are never changed).
 */
import type { BracketPlan, Decimal, DecimalString } from "@petrosa/contracts"
import { dec, div, isZero, str, ZERO } from "@petrosa/contracts"
import type { BracketPrices } from "../decisions/geometry.ts"
import { bracketPrices } from "../decisions/geometry.ts"
import type { EntryLeg, OrderContext } from "./context.ts"

let entryAsked: EntryLeg | null = null
let average: Decimal | undefined
let averageText: DecimalString | undefined

/** Undefined while nothing is filled. */
export const averageFillPrice = ({ entry }: OrderContext): Decimal | undefined => {
  if (entry === null) return undefined
  if (entry !== entryAsked) {
    const filled = entry.filled === "0" ? ZERO : dec(entry.filled)
    average = isZero(filled) ? undefined : div(dec(entry.quote), filled)
    averageText = undefined
    entryAsked = entry
  }
  return average
}

/** The same as text, `"0"` while nothing is filled. */
export const averageFillPriceText = (c: OrderContext): DecimalString => {
  const price = averageFillPrice(c)
  if (price === undefined) return NONE
  averageText ??= str(price)
  return averageText
}
const NONE = str(ZERO)

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
