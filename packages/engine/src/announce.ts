/**
 * News: what became of a signal goes to its publisher (`execution.events.<strategy>`), once when the order settles and once
 * when its lot closes; every append goes to `petrosa.journal.<replica>` for live pages and for the other processes' books.
 * News may be lost (plain NATS); the truth is in the event store.
 */
import type { EventRecord, SealedRecord } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import type { Desk } from "./desk.ts"
import type { FaultPoints } from "./faultPoints.ts"
import type { LiveOrder } from "./liveOrder.ts"

/** A batch of the journal must fit into one NATS message (1 MiB by default). */
const JOURNAL_MAX_BYTES = 700_000
/** `,"hash":"<64 digits>"}` in place of the last brace, and what stands between two records. */
const HASH_BYTES = 75
const OPEN = 0x5b
const CLOSE = 0x5d
const COMMA = 0x2c

const isAnchor = ({ envelope }: SealedRecord): boolean => envelope.state === "anchor"

const ANNOUNCED: ReadonlySet<string> = new Set(["OrderCompleted", "OrderFailed", "LotClosed", "OrderParked"])

export class Announcer {
  readonly #desk: Desk

  constructor(desk: Desk) {
    this.#desk = desk
    desk.listen({
      durable: (order, records) => {
        const { faults } = desk.options
        for (const sealed of records) {
          if (!ANNOUNCED.has(sealed.envelope.type)) continue
          if (faults === undefined) this.#announce(order, sealed)
          else void this.#announceWith(faults, order, sealed)
        }
      },
    })
    desk.journal.listen((records) => this.#journal(records))
  }

  async #announceWith(faults: FaultPoints, order: LiveOrder, sealed: SealedRecord): Promise<void> {
    await faults.at("broker.announce.before", order.order)
    this.#announce(order, sealed)
    await faults.at("broker.announce.after", order.order)
  }

  #announce(order: LiveOrder, { envelope, flat }: SealedRecord): void {
    const c = order.context
    const publisher = this.#desk.options.intake
    const data = envelope.data as {
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
        event: envelope.type === "LotClosed" ? "lot_closed" : envelope.type === "OrderParked" ? "parked" : "settled",
        state: envelope.state,
        status: flat.status,
        ...(data.reason === undefined ? {} : { reason: data.reason }),
        quantity: flat.filled_quantity ?? flat.quantity,
        fill_price: flat.fill_price,
        fees: flat.fees,
        stop_loss: flat.stop_loss,
        take_profit: flat.take_profit,
        ...(data.profit === undefined ? {} : { profit: data.profit, exit_price: data.exitPrice, closed_by: data.closedBy }),
        at: envelope.at,
      }),
    )
  }

  /** The records as they were sealed, each with its hash: no text is made again. */
  #journal(records: readonly SealedRecord[]): void {
    let from = 0
    let length = 0
    for (let i = 0; i < records.length; i++) {
      const size = (records[i]?.bytes.length ?? 0) + HASH_BYTES
      if (length > 0 && length + size > JOURNAL_MAX_BYTES) {
        this.#send(records, from, i, length)
        from = i
        length = 0
      }
      length += size
    }
    this.#send(records, from, records.length, length)
  }

  #send(records: readonly SealedRecord[], from: number, to: number, length: number): void {
    // Anchors alone are nobody's news.
    if (records.slice(from, to).every(isAnchor)) return
    const { intake, replica } = this.#desk.options
    intake.journal(replica, length, () => this.#batchOf(records, from, to, length))
  }

  #batchOf(records: readonly SealedRecord[], from: number, to: number, length: number): Uint8Array {
    const batch = Buffer.allocUnsafe(length + 2)
    let at = 0
    batch[at++] = OPEN
    for (let i = from; i < to; i++) {
      const sealed = records[i]
      // What does not fit into any message is left out.
      if (sealed === undefined || isAnchor(sealed) || sealed.bytes.length + HASH_BYTES > JOURNAL_MAX_BYTES) continue
      if (at > 1) batch[at++] = COMMA
      batch.set(sealed.bytes, at)
      at += sealed.bytes.length - 1
      at += batch.write(`,"hash":"${sealed.hash}"}`, at, "latin1")
    }
    batch[at++] = CLOSE
    return batch.subarray(0, at)
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
