/** At which prices an order acts, as a double: a key to find candidates with, never what decides. */
import { approx } from "@petrosa/contracts"
import type { DecimalString } from "@petrosa/contracts"
import { hasLimit, isActive, isLive, waitsFor } from "@petrosa/matching"
import type { Order, Quote } from "@petrosa/matching"

/** A double is within one part in 2^53 of its decimal; candidates are looked for a little beyond, and checked exactly. */
export const SLACK = 1e-12

/** The price at which the price index finds an order; `undefined`: nowhere, while it is over or pending. */
export const actingPrice = (order: Order): DecimalString | undefined => {
  if (order.pending || !isLive(order.status)) return undefined
  return isActive(order) ? (hasLimit(order.type) ? order.price : undefined) : order.triggerPrice
}

/** Whether it acts when the price is at or below its own; otherwise at or above. */
export const actsBelow = (order: Order): boolean => waitsFor(order, isActive(order)) === "down"

/** Both, as the columns of a table. */
export const actsAt = (order: Order): { readonly below: number | null; readonly above: number | null } => {
  const price = actingPrice(order)
  if (price === undefined) return { below: null, above: null }
  const value = approx(price)
  return actsBelow(order) ? { below: value, above: null } : { below: null, above: value }
}

/** The paper market has one price, unlimited: it is bid, ask, last and mark. */
export const quoteAt = (price: Quote["last"]): Quote => ({ bid: price, ask: price, last: price, mark: price })
