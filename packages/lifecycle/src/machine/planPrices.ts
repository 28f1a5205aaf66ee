/**
 * The bracket's prices of what is filled so far: the plan's rules applied to the average fill price. Pure.
 *
 * Guards, follow-ups and flat fields ask for the same again and again: what is known of the lot is kept (lotFacts.ts).
 */
import type { Decimal, DecimalString } from "@petrosa/contracts"
import { dec, div, isZero, str, ZERO } from "@petrosa/contracts"
import type { BracketPrices } from "../decisions/geometry.ts"
import { bracketPrices } from "../decisions/geometry.ts"
import type { OrderContext } from "./context.ts"
import { lotFactsOf } from "./lotFacts.ts"

const hasNone = (filled: DecimalString): boolean => filled === "0" || isZero(dec(filled))

/** Undefined while nothing is filled. */
export const averageFillPrice = (c: OrderContext): Decimal | undefined => {
  const { entry } = c
  if (entry === null || hasNone(entry.filled)) return undefined
  const facts = lotFactsOf(c, entry)
  facts.average ??= div(dec(entry.quote), dec(entry.filled))
  return facts.average
}

const NONE = str(ZERO)

/** The same as text, `"0"` while nothing is filled. */
export const averageFillPriceText = (c: OrderContext): DecimalString => {
  const price = averageFillPrice(c)
  if (price === undefined || c.entry === null) return NONE
  const facts = lotFactsOf(c, c.entry)
  facts.averageText ??= str(price)
  return facts.averageText
}

export const planPrices = (c: OrderContext): BracketPrices | undefined => {
  const price = averageFillPrice(c)
  if (price === undefined || c.plan === null || c.entry === null) return undefined
  const facts = lotFactsOf(c, c.entry)
  facts.prices ??= bracketPrices(c.plan, price)
  return facts.prices
}
