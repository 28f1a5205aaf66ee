/**
 * Which of thousands of resting entries are looked at first after a restart: those that the venue's lists of open orders do
 * not name any more, or with more filled than we know. They filled while nobody was here, and what is filled needs its stop.
 * One list a symbol is asked for; a list that is old, wrong or not to be had changes whose turn it is, and nothing else.
 */
import type { Market, OrderId } from "@petrosa/contracts"
import { dec, eq } from "@petrosa/contracts"
import type { Venue, VenueOrder } from "@petrosa/venue"
import type { Desk } from "./desk.ts"
import type { RecoveryQueue } from "./recoveryQueue.ts"

/** As many as are looked at within a moment need no order of their own. */
const MANY = 128

interface Crowd {
  readonly venue: Venue
  readonly symbol: string
  readonly market: Market
  readonly orders: OrderId[]
}

const crowdsOf = (desk: Desk, waiting: Iterable<OrderId>): readonly Crowd[] => {
  const crowds = new Map<string, Crowd>()
  for (const order of waiting) {
    const c = desk.orders.get(order)?.context
    const venue = c === undefined ? undefined : desk.venueOf(c)
    if (c === undefined || venue === undefined || c.entry?.status !== "live") continue
    const key = `${venue.name} ${c.market} ${c.symbol}`
    const crowd = crowds.get(key)
    if (crowd === undefined) crowds.set(key, { venue, symbol: c.symbol, market: c.market, orders: [order] })
    else crowd.orders.push(order)
  }
  return [...crowds.values()]
}

const hasMoved = (desk: Desk, order: OrderId, listed: readonly VenueOrder[]): boolean => {
  const entry = desk.orders.get(order)?.context.entry
  const report = listed.find(({ clientOrderId }) => clientOrderId === entry?.clientOrderId)
  return report === undefined || entry === undefined || entry === null || !eq(dec(report.filledQuantity), dec(entry.filled))
}

/** Resolves when every list was read, or could not be; rejects never. */
export const movedFirst = async (desk: Desk, recoveries: RecoveryQueue): Promise<void> => {
  if (recoveries.size < MANY) return
  await Promise.all(
    crowdsOf(desk, recoveries.waiting).map(async ({ venue, symbol, market, orders }) => {
      const listed = await desk.asker.listed(venue, symbol, market)
      if (listed._tag === "Unknown") return
      const moved = new Set(orders.filter((order) => hasMoved(desk, order, listed.value.get(order) ?? [])))
      if (moved.size > 0) recoveries.prefer(moved)
    }),
  )
}
