/**
 * What happens at the venues without being asked: their streams, and polling behind them, because a stream may miss
 * something (binance.md 7.3). Fills may come from stream, query or trades: the fold is the same.
 */
import type { OrderId } from "@petrosa/contracts"
import { orderStream, parseClientOrderId } from "@petrosa/contracts"
import { entryIsOver, liveLegs } from "@petrosa/lifecycle"
import type { VenueEvent } from "@petrosa/venue"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"
import { Looks } from "./looks.ts"
import type { VenueSeat } from "./options.ts"
import type { PositionWatch } from "./positions.ts"

/** News of orders that are not held here wait this long: whoever holds them will have dealt with it by then. */
const FOREIGN_WAIT_MS = 3000
const FOREIGN_MAX = 2000
const FOREIGN_TICK_MS = 200

export class VenueFeed {
  readonly #desk: Desk
  readonly #positions: PositionWatch
  readonly #unsubscribe: (() => void)[] = []
  readonly #looks: Looks
  readonly #foreign = new Map<OrderId, { readonly atMs: number; readonly trades: Set<string> }>()
  #cancelTick: (() => void) | undefined
  #stopped = false

  constructor(desk: Desk, positions: PositionWatch) {
    this.#desk = desk
    this.#positions = positions
    this.#looks = new Looks(desk.options.clock, (order, crowded) => this.#look(order, crowded))
    desk.listen({
      durable: (order) => this.#news(order),
      left: (order) => this.#looks.forget(order.order),
    })
  }

  start(seats: readonly VenueSeat[]): void {
    for (const { venue } of seats) this.#unsubscribe.push(venue.subscribe((event) => this.#hear(venue.name, event)))
    this.#tick()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTick?.()
    this.#looks.stop()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
  }

  #hear(venue: string, event: VenueEvent): void {
    this.#positions.hear(venue, event)
    switch (event._tag) {
      case "Balance":
        this.#desk.balances.get(venue)?.soon()
        return
      case "Gap":
        // Something may have been missed: everything that is live is looked at now.
        this.#looks.all()
        return
      case "Order": {
        const parts = parseClientOrderId(event.order.clientOrderId)
        if (parts === undefined || parts.engineId !== this.#desk.options.engineId) return
        const live = this.#desk.orders.get(parts.order)
        if (live !== undefined)
          this.#desk.task(live, `hear ${event.order.clientOrderId} ${event.fill?.tradeId ?? event.order.status}`, () =>
            this.#desk.asker.heard(live, event.order, event.fill),
          )
        else if (event.fill !== undefined) this.#hearForeign(parts.order, event.fill.tradeId)
      }
    }
  }

  /** A fill of an order that is not held here: somebody else's, a late echo, or late truth of a settled order. */
  #hearForeign(order: OrderId, tradeId: string): void {
    const known = this.#foreign.get(order)
    if (known !== undefined) {
      known.trades.add(tradeId)
      return
    }
    if (this.#foreign.size >= FOREIGN_MAX) {
      const [oldest] = this.#foreign.keys()
      if (oldest !== undefined) this.#foreign.delete(oldest)
    }
    this.#foreign.set(order, { atMs: this.#desk.monotonicMs(), trades: new Set([tradeId]) })
  }

  #news(order: LiveOrder): void {
    const c = order.context
    const somethingLive = (c.entry !== null && !entryIsOver(c) && c.entry.status !== "sending") || liveLegs(c).length > 0
    if (!somethingLive || c.parked !== null) {
      this.#looks.forget(order.order)
      return
    }
    const crowd = this.#desk.venueOf(c)?.mode === "simulation" ? undefined : `${c.venue} ${c.market} ${c.symbol}`
    this.#looks.watch(order.order, order.version, crowd)
  }

  #look(id: OrderId, crowded: boolean): void {
    const order = this.#desk.orders.get(id)
    if (order === undefined) this.#looks.forget(id)
    else this.#desk.task(order, "look", () => this.#desk.asker.look(order, false, crowded))
  }

  #tick(): void {
    if (this.#stopped) return
    this.#cancelTick = this.#desk.options.clock.after(FOREIGN_TICK_MS, () => {
      void this.#lookAtForeign().finally(() => this.#tick())
    })
  }

  async #lookAtForeign(): Promise<void> {
    const nowMs = this.#desk.monotonicMs()
    const due = [...this.#foreign].filter(([, { atMs }]) => nowMs - atMs >= FOREIGN_WAIT_MS).slice(0, 200)
    if (due.length === 0) return
    const { store, intake, log } = this.#desk.options
    try {
      const streams = await store.readStreams(due.map(([order]) => orderStream(order)))
      for (const [order, { trades }] of due) {
        const read = streams.get(orderStream(order))
        if (read === undefined || read._tag !== "Readable" || this.#desk.orders.has(order)) continue
        const known = new Set(
          read.events
            .flatMap((event) => (event.data as { readonly fills?: readonly { readonly tradeId: string }[] }).fills ?? [])
            .map((fill) => fill.tradeId),
        )
        const unknown = [...trades].filter((trade) => !known.has(trade))
        const last = read.events.at(-1)
        if (unknown.length === 0 || last === undefined || !last.settled) continue
        log.warn({ order, trades: unknown }, "late truth: the venue filled an order that is settled; it is taken up again")
        await intake.publishResume(order, last.version, "sweep", "late fill")
      }
      for (const [order] of due) this.#foreign.delete(order)
    } catch (error) {
      log.warn({ error: String(error) }, "late fills could not be looked up; it is tried again")
    }
  }
}
