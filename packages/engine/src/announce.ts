/**
 * News: what became of a signal goes to its publisher (`execution.events.<strategy>`), once when the order settles and once
 * when its lot closes; every append goes to `petrosa.journal.<replica>` for live pages and for the other processes' books.
 * News may be lost (plain NATS); the truth is in the event store.
 */
import type { EventRecord } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"

/** A batch of the journal must fit into one NATS message (1 MiB by default). */
const JOURNAL_MAX_LENGTH = 700_000

export class Announcer {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
    desk.listen({
      durable: (order, records) => {
        const { faults } = desk.options
        for (const record of records) {
          if (faults === undefined) this.#announce(order, record)
          else void Promise.resolve(faults.at("broker.announce.before", order.order)).then(() => this.#announce(order, record))
        }
      },
    })
    desk.journal.listen((records, texts) => this.#journal(records, texts))
  }

  #announce(order: LiveOrder, record: EventRecord): void {
    if (record.type !== "OrderCompleted" && record.type !== "OrderFailed" && record.type !== "LotClosed" && record.type !== "OrderParked")
      return
    const c = order.context
    const publisher = this.#desk.options.intake
    const data = record.data as {
      readonly reason?: unknown
      readonly profit?: string
      readonly exitPrice?: string
      readonly closedBy?: string
      readonly code?: string
    }
    publisher.announce(
      c.strategyId,
      JSON.stringify({
        signal_id: c.signalId,
        decision_id: c.decisionId,
        order: order.order,
        strategy_id: c.strategyId,
        symbol: c.symbol,
        event: record.type === "LotClosed" ? "lot_closed" : record.type === "OrderParked" ? "parked" : "settled",
        state: record.state,
        status: record.status,
        ...(data.reason === undefined ? {} : { reason: data.reason }),
        quantity: record.filled_quantity ?? record.quantity,
        fill_price: record.fill_price,
        fees: record.fees,
        stop_loss: record.stop_loss,
        take_profit: record.take_profit,
        ...(data.profit === undefined ? {} : { profit: data.profit, exit_price: data.exitPrice, closed_by: data.closedBy }),
        at: record.at,
      }),
    )
  }

  #journal(records: readonly EventRecord[], texts: readonly string[]): void {
    const { options } = this.#desk
    let parts: string[] = []
    let length = 0
    const send = (): void => {
      if (parts.length > 0) options.intake.journal(options.replica, `[${parts.join(",")}]`)
      parts = []
      length = 0
    }
    for (const [i, record] of records.entries()) {
      if (record.state === "anchor") continue
      // The sealed text is the record without its hash.
      const text = `${texts[i]?.slice(0, -1)},"hash":"${record.hash}"}`
      if (text.length > JOURNAL_MAX_LENGTH) continue
      if (length + text.length > JOURNAL_MAX_LENGTH) send()
      parts.push(text)
      length += text.length
    }
    send()
  }

  /** The newest record of each order in another process's batch. */
  readJournal(batch: Uint8Array): readonly OrderRow[] {
    try {
      const records = JSON.parse(new TextDecoder().decode(batch)) as readonly EventRecord[]
      const newest = new Map<string, EventRecord>()
      for (const record of records) if (record.order !== "") newest.set(record.order, record)
      return [...newest.values()]
    } catch {
      return []
    }
  }
}
