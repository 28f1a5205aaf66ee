/** The bracket's prices of what is filled so far: the plan's rules applied to the average fill price. Pure. */
import type { Decimal } from "@petrosa/contracts"
import { dec, div, isZero } from "@petrosa/contracts"
import type { BracketPrices } from "../decisions/geometry.ts"
import { bracketPrices } from "../decisions/geometry.ts"
import type { OrderContext } from "./context.ts"

/** Undefined while nothing is filled. */
export const averageFillPrice = (c: OrderContext): Decimal | undefined =>
  c.entry === null || isZero(dec(c.entry.filled)) ? undefined : div(dec(c.entry.quote), dec(c.entry.filled))

export const planPrices = (c: OrderContext): BracketPrices | undefined => {
  const average = averageFillPrice(c)
  return average === undefined || c.plan === null ? undefined : bracketPrices(c.plan, average)
}
