/**
 * The sweep: orders that nobody can hold any more because their message is gone (a stream that was made anew, purged, or
 * lost with its disk). It never adopts by itself: it asks, through the stream, and whoever is free takes the order up.
 */
import type { Arrival, OrderId } from "@petrosa/contracts"
import { orderStream } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import type { Desk } from "./desk.ts"

const SWEEP_EVERY_MS = 30_000
/** Orders of either kind looked at in one sweep; the next one goes on behind them. */
const AT_ONCE = 200
/** Younger than this, an order may still be on its way from its message to an owner. */
const SETTLED_DOWN_MS = 15_000

export class Sweeper {
  readonly #desk: Desk
  #cancel: (() => void) | undefined
  #stopped = false
  /** Where the last sweep ended: what others hold keeps nobody from being found. */
  readonly #endedAt = { settled: "", unsettled: "" }

  constructor(desk: Desk) {
    this.#desk = desk
  }

  start(): void {
    if (this.#stopped) return
    const everyMs = SWEEP_EVERY_MS * (0.8 + 0.4 * this.#desk.options.random())
    this.#cancel = this.#desk.options.clock.after(everyMs, () => void this.sweep().finally(() => this.start()))
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** Returns how many orders were asked to be taken up. */
  async sweep(): Promise<number> {
    const { store, intake, log } = this.#desk.options
    if (!intake.connected || this.#desk.journal.isAway) return 0
    try {
      const olderThan = new Date(this.#desk.nowMs() - SETTLED_DOWN_MS).toISOString()
      const open = await store.openOrders((order) => !this.#desk.orders.has(order as OrderId))
      const rows = open.filter((row) => !row.parked && row.at < olderThan && !this.#desk.orders.has(row.order as OrderId))
      if (rows.length === 0) return 0
      const asked = (await this.#lots(this.#turn("settled", rows))) + (await this.#orphans(this.#turn("unsettled", rows)))
      if (asked > 0) log.warn({ asked }, "orders without a message were asked to be taken up again")
      return asked
    } catch (error) {
      log.warn({ error: String(error) }, "the sweep could not be done; it is tried again")
      return 0
    }
  }

  /** Those of one kind whose turn it is. */
  #turn(kind: "settled" | "unsettled", rows: readonly OrderRow[]): readonly OrderRow[] {
    const inOrder = rows.filter((row) => row.settled === (kind === "settled")).sort((a, b) => (a.order < b.order ? -1 : 1))
    const next = inOrder.findIndex((row) => row.order > this.#endedAt[kind])
    const turn = (next === -1 ? inOrder : [...inOrder.slice(next), ...inOrder.slice(0, next)]).slice(0, AT_ONCE)
    this.#endedAt[kind] = turn.at(-1)?.order ?? ""
    return turn
  }

  /** A settled order with an open lot has a message in the stream of lots; publishing it again does nothing if it is there. */
  async #lots(rows: readonly OrderRow[]): Promise<number> {
    let asked = 0
    for (const row of rows) {
      const result = await this.#desk.options.intake.publishLot(row.order, row.version)
      if (result._tag === "Published" && !result.duplicate) asked += 1
    }
    return asked
  }

  /** An unsettled order has its signal's message, or a resume; both sequence and time must match for it to be still there. */
  async #orphans(unsettled: readonly OrderRow[]): Promise<number> {
    const { store, intake } = this.#desk.options
    if (unsettled.length === 0) return 0
    const streams = await store.readStreams(unsettled.map((row) => orderStream(row.order as OrderId)))
    const arrivals = unsettled.flatMap((row) => {
      const read = streams.get(row.stream)
      const arrival = (read?.events[0]?.data as { readonly arrival?: Arrival } | undefined)?.arrival
      return arrival === undefined
        ? []
        : [{ row, name: { queue: "signals" as const, sequence: arrival.sequence, streamTimeMs: arrival.streamTimeMs } }]
    })
    const there = await intake.hasMessages(arrivals.map(({ name }) => name))
    let asked = 0
    for (const [i, { row }] of arrivals.entries()) {
      const answer = there[i]
      if (answer === undefined || answer._tag === "Unknown" || answer.value) continue
      const result = await intake.publishResume(row.order, row.version, "sweep", this.#desk.replica)
      if (result._tag === "Published" && !result.duplicate) asked += 1
    }
    return asked
  }
}
