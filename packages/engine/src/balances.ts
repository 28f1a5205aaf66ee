/**
 * The free balance, kept at hand: a decision asks nobody. What the venue last told, less the notional of entries that were
 * decided since and that its answer cannot contain yet.
 *
 * Promises: never more than the venue's number; unknown (a typed reason) until the first answer and after failing ones
 * that are older than {@link STALE_MS}; a reservation is dropped only by an answer to a question that was asked after the
 * entry's outcome was known.
 */
import type { Decimal, DecimalString, OrderId } from "@petrosa/contracts"
import { add, dec, lt, str, sub, ZERO } from "@petrosa/contracts"
import type { Clock } from "@petrosa/intake"
import type { FreeBalance } from "@petrosa/lifecycle"
import type { Venue } from "@petrosa/venue"

const STALE_MS = 60_000
/**
 * How often the venue is asked: when nothing happens, and at most, however busy the account is. An exchange counts every
 * question (spot: 20 of 1200 a minute for each); meanwhile what was decided stays reserved, so nothing is spent twice.
 */
const REFRESH = { paper: { everyMs: 5_000, atMostEveryMs: 50 }, exchange: { everyMs: 20_000, atMostEveryMs: 5_000 } } as const
/** After a question that was not answered. */
const RETRY_MAX_MS = 5_000

interface Reservation {
  readonly asset: string
  readonly amount: Decimal
  /** When the entry's outcome was known; null before. */
  knownAtMs: number | null
}

export class BalanceKeeper {
  readonly #venue: Venue
  readonly #clock: Clock
  readonly #pace: (typeof REFRESH)[keyof typeof REFRESH]
  readonly #free = new Map<string, Decimal>()
  readonly #reserved = new Map<OrderId, Reservation>()
  readonly #reservedByAsset = new Map<string, Decimal>()
  #asOfMs: number | undefined
  #problem = "not asked yet"
  #asking = false
  #again = false
  #stopped = false
  #cancel: (() => void) | undefined
  #lastAskMs = 0
  #unanswered = 0

  constructor(venue: Venue, clock: Clock) {
    this.#venue = venue
    this.#clock = clock
    this.#pace = venue.mode === "simulation" ? REFRESH.paper : REFRESH.exchange
  }

  /** Resolves when the balance is known: until then no signal is taken in, since every one would be declined. */
  async start(onWaiting: (problem: string) => void): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      await this.refresh()
      if (this.#asOfMs !== undefined) break
      if (n % 10 === 0) onWaiting(this.#problem)
      await new Promise<void>((resolve) => this.#clock.after(retryMs(n), resolve))
    }
    this.#loop()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** What a decision may spend of this asset now. */
  free(asset: string): FreeBalance {
    if (this.#asOfMs === undefined) return { unknown: this.#problem }
    const ageMs = this.#clock.monotonicMs() - this.#asOfMs
    if (ageMs > STALE_MS) return { unknown: `last known ${ageMs} ms ago: ${this.#problem}` }
    const free = sub(this.#free.get(asset) ?? ZERO, this.#reservedByAsset.get(asset) ?? ZERO)
    return { known: lt(free, ZERO) ? ("0" as DecimalString) : str(free) }
  }

  reserve(order: OrderId, asset: string, notional: DecimalString): void {
    if (this.#reserved.has(order)) return
    const amount = dec(notional)
    this.#reserved.set(order, { asset, amount, knownAtMs: null })
    this.#reservedByAsset.set(asset, add(this.#reservedByAsset.get(asset) ?? ZERO, amount))
  }

  /** The venue has the entry (or never will): its next answer contains it. */
  settled(order: OrderId): void {
    const reservation = this.#reserved.get(order)
    if (reservation !== undefined && reservation.knownAtMs === null) {
      reservation.knownAtMs = this.#clock.monotonicMs()
      this.soon()
    }
  }

  /** Asks soon, but not too often. */
  soon(): void {
    if (this.#stopped) return
    if (this.#asking) {
      this.#again = true
      return
    }
    this.#cancel?.()
    const leastMs = this.#unanswered === 0 ? this.#pace.atMostEveryMs : retryMs(this.#unanswered)
    const waitMs = Math.max(0, this.#lastAskMs + leastMs - this.#clock.monotonicMs())
    this.#cancel = this.#clock.after(waitMs, () => void this.refresh().then(() => this.#loop()))
  }

  async refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true
      return
    }
    this.#asking = true
    this.#again = false
    const askedAtMs = this.#clock.monotonicMs()
    this.#lastAskMs = askedAtMs
    const answer = await this.#venue.balances()
    this.#asking = false
    if (answer._tag === "Unknown") {
      this.#problem = answer.reason
      this.#unanswered += 1
      return
    }
    this.#unanswered = 0
    this.#asOfMs = askedAtMs
    this.#free.clear()
    for (const balance of answer.value) this.#free.set(balance.asset, dec(balance.free))
    for (const [order, reservation] of this.#reserved) {
      if (reservation.knownAtMs === null || reservation.knownAtMs >= askedAtMs) continue
      this.#reserved.delete(order)
      const rest = sub(this.#reservedByAsset.get(reservation.asset) ?? ZERO, reservation.amount)
      this.#reservedByAsset.set(reservation.asset, rest)
    }
  }

  #loop(): void {
    if (this.#stopped) return
    if (this.#unanswered === 0 && (this.#again || [...this.#reserved.values()].some((one) => one.knownAtMs !== null))) {
      this.soon()
      return
    }
    const waitMs = this.#unanswered === 0 ? this.#pace.everyMs : retryMs(this.#unanswered)
    this.#cancel = this.#clock.after(waitMs, () => void this.refresh().then(() => this.#loop()))
  }
}

/** A question that was not answered is asked again soon, then more slowly. */
const retryMs = (n: number): number => Math.min(RETRY_MAX_MS, 100 * 2 ** Math.min(n, 6))
