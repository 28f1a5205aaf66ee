/**
 * The venue's open orders of a symbol, by our order: asked once for all orders that want to know at the same time. At a
 * restart thousands do.
 */
import type { Market, OrderId, Read } from "@petrosa/contracts"
import { known, parseClientOrderId } from "@petrosa/contracts"
import type { Venue, VenueOrder } from "@petrosa/venue"

/** An answer that was asked for this long ago is not asked for again, unless its asker allows more. */
const SHARED_MS = 500

type ByOrder = ReadonlyMap<OrderId, readonly VenueOrder[]>

export class OpenOrders {
  readonly #nowMs: () => number
  readonly #asked = new Map<string, { readonly atMs: number; readonly answer: Promise<Read<ByOrder>> }>()

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  of(venue: Venue, symbol: string, market: Market, maxAgeMs = SHARED_MS): Promise<Read<ByOrder>> {
    const key = `${venue.name} ${market} ${symbol}`
    const nowMs = this.#nowMs()
    const before = this.#asked.get(key)
    if (before !== undefined && nowMs - before.atMs < maxAgeMs) return before.answer
    const answer = this.#ask(venue, symbol, market)
    this.#asked.set(key, { atMs: nowMs, answer })
    return answer
  }

  async #ask(venue: Venue, symbol: string, market: Market): Promise<Read<ByOrder>> {
    const open = await venue.openOrders(symbol, market)
    if (open._tag === "Unknown") return open
    const byOrder = new Map<OrderId, VenueOrder[]>()
    for (const report of open.value) {
      const parts = parseClientOrderId(report.clientOrderId)
      if (parts === undefined) continue
      const others = byOrder.get(parts.order)
      if (others === undefined) byOrder.set(parts.order, [report])
      else others.push(report)
    }
    return known(byOrder)
  }
}
