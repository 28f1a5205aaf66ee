/**
 * Recoveries that can wait for their turn: after a restart thousands of resting entries are held again at once, and each is
 * to be looked at where it lies. What is filled does not wait; nor does an order that has something to place by now.
 *
 * Promises: each piece of work is begun once, at most so many at a time; none while the queue is held, but those that are
 * hurried. What work throws is its own business.
 */
import type { OrderId } from "@petrosa/contracts"

export class RecoveryQueue {
  readonly #atOnce: number
  readonly #soon: (run: () => void) => void
  readonly #waiting = new Map<OrderId, () => Promise<void>>()
  #running = 0
  #held = false
  #scheduled = false

  /** `soon`: after what is running now, and whatever else waits: a venue that answers at once would let nobody else have a turn. */
  constructor(atOnce: number, soon: (run: () => void) => void) {
    this.#atOnce = atOnce
    this.#soon = soon
  }

  get size(): number {
    return this.#waiting.size
  }
  /** While everything is being taken up. */
  get isHeld(): boolean {
    return this.#held
  }

  hold(): void {
    this.#held = true
  }
  release(): void {
    this.#held = false
    this.#next()
  }

  add(order: OrderId, work: () => Promise<void>): void {
    this.#waiting.set(order, work)
    this.#next()
  }

  /** Those that wait, in their turn. */
  get waiting(): Iterable<OrderId> {
    return this.#waiting.keys()
  }

  /** These go before the others that wait. */
  prefer(orders: ReadonlySet<OrderId>): void {
    const others = [...this.#waiting].filter(([order]) => !orders.has(order))
    for (const [order] of others) this.#waiting.delete(order)
    for (const [order, work] of others) this.#waiting.set(order, work)
  }

  /** Its turn is now, if it waits. */
  hurry(order: OrderId): void {
    const work = this.#waiting.get(order)
    if (work !== undefined) this.#begin(order, work)
  }

  #next(): void {
    if (this.#held) return
    for (const [order, work] of this.#waiting) {
      if (this.#running >= this.#atOnce) return
      this.#begin(order, work)
    }
  }

  #begin(order: OrderId, work: () => Promise<void>): void {
    this.#waiting.delete(order)
    this.#running += 1
    const over = (): void => {
      this.#running -= 1
      if (this.#scheduled) return
      this.#scheduled = true
      this.#soon(() => {
        this.#scheduled = false
        this.#next()
      })
    }
    work().then(over, over)
  }
}
