/**
 * Finds the order that takes the process down: an order that has something to do and was adopted again shortly before is
 * recovered under a mark in the store, which is taken away when the process has survived it. The third death in a row
 * under an order's mark parks it instead (docs/design.md 4.7).
 *
 * Restarts do not count: a process that dies later than {@link SURVIVED_MS} after the adoption, or stops gracefully,
 * leaves no mark; and with more than {@link MARKED_MAX} such orders at once nobody could say which it was: none is marked.
 * Nor does a process that would have died anyway: once somebody has died under an order's mark, the next process first
 * lives {@link SURVIVED_MS} without recovering it. Only then is a death that follows at once that order's.
 */
import type { OrderId } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import type { Clock } from "@petrosa/intake"

const SURVIVED_MS = 2000
const MARKED_MAX = 3
const DEATHS_MAX = 3
/** A position does not wait longer than this for its mark. */
const WRITE_WAIT_MS = 1000
/** Adopted this often within the time before it is suspected at all. */
const SUSPECT_AFTER = 2
const SUSPECT_WITHIN_MS = 60_000

const keyOf = (order: OrderId): string => `recovering/${order}`

export class RecoveryGuard {
  readonly #store: EventStore
  readonly #clock: Clock
  readonly #marked = new Set<OrderId>()
  #tooMany = false

  constructor(store: EventStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  isSuspect(adoptedAtMs: readonly number[]): boolean {
    const recent = adoptedAtMs.slice(-SUSPECT_AFTER)
    const [first] = recent
    const last = recent.at(-1)
    return recent.length >= SUSPECT_AFTER && first !== undefined && last !== undefined && last - first <= SUSPECT_WITHIN_MS
  }

  /** Resolves when the order may be recovered, or with the number of processes that died under its mark. */
  async enter(order: OrderId): Promise<"recover" | number> {
    if (this.#tooMany) return "recover"
    if (this.#marked.size >= MARKED_MAX) {
      // Too many at once to blame one: this is a restart.
      this.#tooMany = true
      this.#clock.after(SURVIVED_MS, () => {
        this.#tooMany = false
      })
      await this.clear()
      return "recover"
    }
    this.#marked.add(order)
    const deaths = await this.#bounded(this.#deaths(order), 0)
    if (deaths >= DEATHS_MAX) {
      await this.#unmark(order)
      return deaths
    }
    // Its stop is at the venue, or is that much later: the price of not giving up an innocent order's.
    if (deaths > 0) await new Promise<void>((resolve) => this.#clock.after(SURVIVED_MS, resolve))
    if (!this.#marked.has(order)) return "recover"
    await this.#bounded(this.#write(order, String(deaths + 1)), undefined)
    this.#clock.after(SURVIVED_MS, () => void this.#unmark(order))
    return "recover"
  }

  /** At a graceful stop: nobody died. */
  async clear(): Promise<void> {
    await Promise.all([...this.#marked].map((order) => this.#unmark(order)))
  }

  async #unmark(order: OrderId): Promise<void> {
    if (!this.#marked.delete(order)) return
    await this.#bounded(this.#write(order, "0"), undefined)
  }

  async #deaths(order: OrderId): Promise<number> {
    try {
      return Number((await this.#store.getMeta(keyOf(order))) ?? 0)
    } catch {
      return 0
    }
  }

  async #write(order: OrderId, deaths: string): Promise<void> {
    try {
      await this.#store.setMeta(keyOf(order), deaths)
    } catch {
      // The store is away: then nothing is adopted either, and a mark that is left is only a suspicion.
    }
  }

  #bounded<A>(work: Promise<A>, otherwise: A): Promise<A> {
    return Promise.race([work, new Promise<A>((resolve) => this.#clock.after(WRITE_WAIT_MS, () => resolve(otherwise)))])
  }
}
