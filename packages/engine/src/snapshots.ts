/**
 * Keeps a snapshot of every order that rests, so that a restart with thousands of them need not fold each from its first event:
 * reading and folding events was two thirds of the time until all were held again.
 *
 * Promises: a snapshot is a cache of events that are durable; it is made when nothing happens to the order, a few at a time, and
 * not at all while the store is busy or away: no signal and no stop ever waits for one. An order whose snapshot is missing,
 * old, or of another program, is rebuilt from its events.
 */
import type { OrderId } from "@petrosa/contracts"
import type { Snapshot } from "@petrosa/event-store"
import type { Desk } from "./desk.ts"
import type { LiveOrder } from "./liveOrder.ts"
import { canBeSaved, save } from "./rebuilt.ts"

/** Nothing has happened to it for so long: most orders that are filled at once have their stop and target by then. */
const QUIET_MS = 2000
const EVERY_MS = 100
/** At a time: a millisecond. Five hundred a second. */
const AT_ONCE = 50
/** Events that wait for the store: it is busy, and has better things to do. */
const BUSY_EVENTS = 50

export class SnapshotKeeper {
  readonly #desk: Desk
  /** When each was last written, oldest first (the order of a Map's keys), monotonic ms. */
  readonly #moved = new Map<OrderId, number>()
  #isWaiting = false
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(desk: Desk) {
    this.#desk = desk
    if (desk.options.store.snapshots === undefined || desk.options.snapshotForm === undefined) return
    desk.listen({
      durable: (order) => this.#note(order),
      left: (order) => void this.#moved.delete(order.order),
    })
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #note({ order }: LiveOrder): void {
    this.#moved.delete(order)
    this.#moved.set(order, this.#desk.monotonicMs())
    this.#wait(QUIET_MS)
  }

  #wait(ms: number): void {
    if (this.#isWaiting || this.#stopped) return
    this.#isWaiting = true
    this.#cancel = this.#desk.options.clock.after(ms, () => {
      this.#isWaiting = false
      void this.#saveSome().finally(() => {
        if (this.#moved.size > 0) this.#wait(EVERY_MS)
      })
    })
  }

  async #saveSome(): Promise<void> {
    const { store, snapshotForm, log } = this.#desk.options
    const { journal } = this.#desk
    if (store.snapshots === undefined || snapshotForm === undefined || journal.isAway || journal.pending > BUSY_EVENTS) return
    const snapshots: Snapshot[] = []
    const quietSinceMs = this.#desk.monotonicMs() - QUIET_MS
    for (const [order, movedMs] of this.#moved) {
      if (movedMs > quietSinceMs || snapshots.length >= AT_ONCE) break
      this.#moved.delete(order)
      const live = this.#desk.orders.get(order)
      if (live !== undefined && canBeSaved(live))
        snapshots.push({ stream: live.stream, version: live.version, hash: live.head, text: save(live) })
    }
    if (snapshots.length === 0) return
    try {
      await store.snapshots.save(snapshotForm, snapshots)
    } catch (error) {
      log.debug({ error: String(error) }, "snapshots could not be kept: a restart folds the events")
    }
  }
}
