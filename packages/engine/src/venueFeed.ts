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
import type { VenueSeat } from "./options.ts"
import type { PositionWatch } from "./positions.ts"

/** An order that has something live at the venue is looked at this long after its last news; each time later, up to the last. */
const POLL_AFTER_MS = [400, 800, 1600, 3200, 5000] as const
const POLL_TICK_MS = 200
/**
 * An exchange counts every question. From so many orders of one symbol on, one list of what is open serves all of them;
 * what is left to be asked for one by one is looked at so seldom that it stays at about this many looks a minute.
 */
const CROWD = 4
const LOOKS_PER_MINUTE = 150
/** Queries of one tick: the rest waits for the next. */
const POLLS_PER_TICK = 50
/** News of orders that are not held here wait this long: whoever holds them will have dealt with it by then. */
const FOREIGN_WAIT_MS = 3000
const FOREIGN_MAX = 2000

interface Watch {
  /** Venue, market and symbol, at an exchange that counts questions; `undefined`: nobody counts. */
  readonly crowd: string | undefined
  lookAtMs: number
  step: number
  version: number
}

export class VenueFeed {
  readonly #desk: Desk
  readonly #positions: PositionWatch
  readonly #unsubscribe: (() => void)[] = []
  readonly #watches = new Map<OrderId, Watch>()
  /** Watches by {@link Watch.crowd}. */
  readonly #crowds = new Map<string, number>()
  /** Watches that are asked about one by one, at an exchange that counts. */
  #alone = 0
  readonly #foreign = new Map<OrderId, { readonly atMs: number; readonly trades: Set<string> }>()
  #cancelTick: (() => void) | undefined
  #stopped = false

  constructor(desk: Desk, positions: PositionWatch) {
    this.#desk = desk
    this.#positions = positions
    desk.listen({
      durable: (order) => this.#news(order),
      left: (order) => this.#unwatch(order.order),
    })
  }

  start(seats: readonly VenueSeat[]): void {
    for (const { venue } of seats) this.#unsubscribe.push(venue.subscribe((event) => this.#hear(venue.name, event)))
    this.#tick()
  }

  stop(): void {
    this.#stopped = true
    this.#cancelTick?.()
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
        for (const watch of this.#watches.values()) watch.lookAtMs = 0
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
      this.#unwatch(order.order)
      return
    }
    const watch = this.#watches.get(order.order)
    if (watch !== undefined && watch.version === order.version) return
    this.#unwatch(order.order)
    const crowd = this.#desk.venueOf(c)?.mode === "simulation" ? undefined : `${c.venue} ${c.market} ${c.symbol}`
    this.#watches.set(order.order, { crowd, lookAtMs: this.#desk.monotonicMs() + POLL_AFTER_MS[0], step: 0, version: order.version })
    if (crowd !== undefined) this.#crowds.set(crowd, (this.#crowds.get(crowd) ?? 0) + 1)
  }

  #unwatch(order: OrderId): void {
    const watch = this.#watches.get(order)
    if (watch === undefined) return
    this.#watches.delete(order)
    if (watch.crowd === undefined) return
    const left = (this.#crowds.get(watch.crowd) ?? 1) - 1
    if (left > 0) this.#crowds.set(watch.crowd, left)
    else this.#crowds.delete(watch.crowd)
  }

  #isCrowded(watch: Watch): boolean {
    return watch.crowd !== undefined && (this.#crowds.get(watch.crowd) ?? 0) >= CROWD
  }

  /** How long an order that nothing is heard of is left alone. */
  #lookAgainAfterMs(watch: Watch): number {
    const stepMs = POLL_AFTER_MS[watch.step] ?? 5000
    if (watch.crowd === undefined || watch.step < POLL_AFTER_MS.length - 1 || this.#isCrowded(watch)) return stepMs
    return Math.max(stepMs, (this.#alone * 60_000) / LOOKS_PER_MINUTE)
  }

  #tick(): void {
    if (this.#stopped) return
    this.#cancelTick = this.#desk.options.clock.after(POLL_TICK_MS, () => {
      this.#poll()
      void this.#lookAtForeign().finally(() => this.#tick())
    })
  }

  #poll(): void {
    const nowMs = this.#desk.monotonicMs()
    this.#alone = 0
    for (const count of this.#crowds.values()) if (count < CROWD) this.#alone += count
    let polls = 0
    for (const [id, watch] of this.#watches) {
      if (polls >= POLLS_PER_TICK) break
      if (watch.lookAtMs > nowMs) continue
      const order = this.#desk.orders.get(id)
      if (order === undefined) {
        this.#unwatch(id)
        continue
      }
      polls += 1
      watch.step = Math.min(watch.step + 1, POLL_AFTER_MS.length - 1)
      watch.lookAtMs = nowMs + this.#lookAgainAfterMs(watch)
      // Moved to the end: with many orders everyone gets a turn.
      this.#watches.delete(id)
      this.#watches.set(id, watch)
      const crowded = this.#isCrowded(watch)
      this.#desk.task(order, "look", () => this.#desk.asker.look(order, false, crowded))
    }
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
