/**
 * Counts for the graph: how many orders are at work in which state, how the newest ones ended, and for which reasons.
 *
 * From the store when somebody begins to look, then kept up with the journals of all replicas, and read again every minute
 * (a journal is plain NATS and may lose a batch). Bounded: what is done is forgotten, oldest first.
 */
import type { EventRecord } from "@petrosa/contracts"
import type { EventStore, OrderRow } from "@petrosa/event-store"
import { OtherReplicas, type RegionCounts } from "./regionCounts.ts"

export interface Counts {
  /** Orders that are not done, by region and state. */
  readonly atWork: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Of the newest orders: how many there are in each state, done or not. */
  readonly newest: {
    readonly of: number
    readonly states: Readonly<Record<string, number>>
    readonly reasons: Readonly<Record<string, number>>
  }
  /** Replicas that are there, or wrote something lately. */
  readonly replicas: readonly string[]
  /** Events recorded since the counts before, per second. */
  readonly perSecond: number
}

const KEPT_MAX = 20_000
/** Read from the store at first. */
const NEWEST_PAGES = 2
const PAGE = 1000

interface Known {
  readonly state: string
  readonly done: boolean
  readonly reason: string | null
}
type Row = Pick<OrderRow, "order" | "state" | "done" | "reason" | "version">

export class Tally {
  readonly #store: EventStore
  readonly #own: string
  readonly #regions: () => RegionCounts
  readonly others = new OtherReplicas()
  readonly #orders = new Map<string, Known & { readonly version: number }>()
  readonly #replicas = new Map<string, number>()
  #events = 0
  #countedAtMs = Date.now()

  /** `own`: the name of this replica; `regions`: of the orders that it holds. */
  constructor(store: EventStore, own: string, regions: () => RegionCounts) {
    this.#own = own
    this.#store = store
    this.#regions = regions
  }

  /** Rejects when the store is away; what was known stays. */
  async load(): Promise<void> {
    const pages: OrderRow[] = []
    let cursor: string | undefined
    for (let n = 0; n < NEWEST_PAGES; n++) {
      const page = await this.#store.listOrders({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) })
      pages.push(...page.orders)
      cursor = page.next
      if (cursor === undefined) break
    }
    const open = await this.#store.openOrders()
    for (const row of pages.toReversed()) this.#set(row)
    for (const row of open) this.#set(row)
  }

  forget(): void {
    this.#orders.clear()
    this.#replicas.clear()
    this.others.forget()
  }

  /** The state that the order had before this record, where it is known. */
  take(record: EventRecord, nowMs: number): string | null {
    this.#events += 1
    this.#replicas.set(record.replica, nowMs)
    const before = this.#orders.get(record.order)?.state ?? null
    this.#set(record)
    return before
  }

  #set(row: Row): void {
    const known = this.#orders.get(row.order)
    if (known !== undefined && known.version > row.version) return
    this.#orders.set(row.order, { state: row.state, done: row.done, reason: row.reason, version: row.version })
    if (this.#orders.size <= KEPT_MAX) return
    for (const [order, { done }] of this.#orders) {
      if (done) this.#orders.delete(order)
      if (this.#orders.size <= KEPT_MAX) return
    }
  }

  counts(nowMs: number): Counts {
    const order: Record<string, number> = {}
    const states: Record<string, number> = {}
    const reasons: Record<string, number> = {}
    for (const { state, done, reason } of this.#orders.values()) {
      states[state] = (states[state] ?? 0) + 1
      if (!done) order[state] = (order[state] ?? 0) + 1
      if (state === "failed" && reason !== null) reasons[reason] = (reasons[reason] ?? 0) + 1
    }
    for (const [replica, atMs] of this.#replicas) if (nowMs - atMs > 60_000) this.#replicas.delete(replica)
    const seconds = Math.max(0.001, (nowMs - this.#countedAtMs) / 1000)
    const perSecond = Math.round(this.#events / seconds)
    this.#events = 0
    this.#countedAtMs = nowMs
    const replicas = [...new Set([this.#own, ...this.#replicas.keys(), ...this.others.names(nowMs)])].sort()
    const atWork = { order, ...this.others.plus(this.#regions(), nowMs) }
    return { atWork, newest: { of: this.#orders.size, states, reasons }, replicas, perSecond }
  }
}
