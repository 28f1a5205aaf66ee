/** At which prices an order acts, as a double: a key to find candidates with, never what decides. */
import { approx } from "@petrosa/contracts"
import { hasLimit, isActive, isLive, waitsFor } from "@petrosa/matching"
import type { Order, Quote } from "@petrosa/matching"

/** A double is within one part in 2^53 of its decimal; candidates are looked for a little beyond, and checked exactly. */
export const SLACK = 1e-12

/** At which prices the price index finds an order: nowhere while it is over or pending. */
export const actsAt = (order: Order): { readonly below: number | null; readonly above: number | null } => {
  const price = isActive(order) ? (hasLimit(order.type) ? order.price : undefined) : order.triggerPrice
  if (!isLive(order.status) || order.pending || price === undefined) return { below: null, above: null }
  const value = approx(price)
  return waitsFor(order, isActive(order)) === "down" ? { below: value, above: null } : { below: null, above: value }
}

/** The paper market has one price, unlimited: it is bid, ask, last and mark. */
export const quoteAt = (price: Quote["last"]): Quote => ({ bid: price, ask: price, last: price, mark: price })
