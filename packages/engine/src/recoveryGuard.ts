/**
 * Finds the order that takes the process down: an order that was adopted again shortly before is recovered under a mark in
 * the store, which is taken away when the process has survived it. A process that finds marks at its start died under
 * them; the third time in a row the order is parked instead of recovered (docs/design.md 4.7).
 *
 * Restarts do not count: a process that dies later than {@link SURVIVED_MS} after the adoption leaves no mark. With more
 * than {@link MARKED_MAX} such orders at once nobody could say which it was: none is marked.
 */
import type { OrderId } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import type { Clock } from "@petrosa/intake"

const KEY = "recovering"
const SURVIVED_MS = 2000
const MARKED_MAX = 3
const WRITE_WAIT_MS = 1000
const DEATHS_MAX = 3
/** Adopted this often within the time before it is suspected at all. */
const SUSPECT_AFTER = 2
const SUSPECT_WITHIN_MS = 60_000

type Deaths = Readonly<Record<string, number>>

const deathsOf = (text: string | undefined): Deaths => {
  if (text === undefined || text === "") return {}
  const value: unknown = JSON.parse(text)
  return typeof value === "object" && value !== null ? (value as Deaths) : {}
}

export class RecoveryGuard {
  readonly #store: EventStore
  readonly #clock: Clock
  /** How often a process died under the mark of an order, as found at start. */
  #deaths: Deaths = {}
  readonly #marked = new Map<OrderId, number>()
  #writing: Promise<void> = Promise.resolve()

  constructor(store: EventStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Reads the marks that a process before this one left. */
  async load(): Promise<void> {
    this.#deaths = deathsOf(await this.#store.getMeta(KEY))
  }

  /** How often a process has died recovering this order. */
  deathsOf(order: OrderId): number {
    return this.#deaths[order] ?? 0
  }

  isPoison(order: OrderId): boolean {
    return this.deathsOf(order) >= DEATHS_MAX
  }

  isSuspect(adoptedAtMs: readonly number[]): boolean {
    const recent = adoptedAtMs.slice(-SUSPECT_AFTER)
    const [first] = recent
    const last = recent.at(-1)
    return recent.length >= SUSPECT_AFTER && first !== undefined && last !== undefined && last - first <= SUSPECT_WITHIN_MS
  }

  /** Resolves when the mark is durable (or not wanted): then the order may be recovered. */
  async mark(order: OrderId): Promise<void> {
    if (this.#marked.size >= MARKED_MAX) return
    this.#marked.set(order, this.deathsOf(order) + 1)
    await this.#write()
    this.#clock.after(SURVIVED_MS, () => {
      this.#marked.delete(order)
      void this.#write()
    })
  }

  /** One after the other, the newest last; a position does not wait longer than {@link WRITE_WAIT_MS} for its mark. */
  async #write(): Promise<void> {
    const turn = this.#writing.then(async () => {
      try {
        await this.#store.setMeta(KEY, JSON.stringify(Object.fromEntries(this.#marked)))
      } catch {
        // The store is away: then nothing is adopted either, and a mark that is left is only a suspicion.
      }
    })
    this.#writing = turn
    await Promise.race([turn, new Promise<void>((resolve) => this.#clock.after(WRITE_WAIT_MS, resolve))])
  }
}
