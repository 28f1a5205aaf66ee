/**
 * What may still be sent under Binance's rate limits and our own. PURE: time and chance come in as values.
 *
 * Promises: never admits more than a limit's size in one of its windows, requests in flight counted; entries leave a reserve
 * to questions, and both to what protects (cancels, stops, flattens); after a 429 nothing leaves before the time that
 * Binance names, or before a back-off that doubles, with jitter; after a 418 nothing at all until the ban ends.
 *
 * Windows are Binance's: fixed, aligned to the epoch. Ours end {@link WINDOW_GUARD_MS} later, because our idea of the exchange's
 * clock is not exact. What the headers say counts more than our own sums: other programs share an IP address, and spot
 * counts successful orders as 0 (binance.md 2.3).
 */

export type LimitKind = "weight" | "orders" | "requests"
export interface Limit {
  readonly kind: LimitKind
  readonly intervalMs: number
  readonly limit: number
  /** Ours, or Binance's: which one binds is told. */
  readonly name: string
}

/** `protective`: cancels, exits. `question`: what became of an order. `entry`: everything that can wait. */
export type Priority = "protective" | "question" | "entry"
export interface Ask {
  readonly weight: number
  readonly orders: number
  readonly priority: Priority
}

/** How much of a limit each may use up. */
export const SHARE: Readonly<Record<Priority, number>> = { protective: 1, question: 0.85, entry: 0.7 }
export const WINDOW_GUARD_MS = 250
export const BACKOFF_FIRST_MS = 1_000
export const BACKOFF_MAX_MS = 120_000
/** A ban that does not say how long it lasts: Binance's shortest is two minutes. */
export const BAN_DEFAULT_MS = 120_000
/** Binance's longest ban. A time beyond it is a mistake: it must not silence what protects until somebody restarts us. */
export const BAN_MAX_MS = 3 * 86_400_000

export type Admission =
  | { readonly _tag: "Admitted" }
  /** Not before then, and which limit says so. */
  | { readonly _tag: "Wait"; readonly untilMs: number; readonly limit: string }

/** A count that a header of an answer told: `x-mbx-used-weight-1m: 12`. */
export interface Usage {
  readonly kind: "weight" | "orders"
  readonly intervalMs: number
  readonly used: number
}

interface Window {
  readonly limit: Limit
  index: number
  used: number
  inFlight: number
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const INTERVAL_MS: Readonly<Record<string, number>> = { SECOND: 1_000, MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 }
const USAGE_HEADER = /^x-mbx-(used-weight|order-count)-(\d{1,4})([smhd])$/

/** The counts in the headers of an answer; names in lower case. */
export const usageOf = (headers: Readonly<Record<string, unknown>>): readonly Usage[] =>
  Object.entries(headers).flatMap(([name, value]) => {
    const match = USAGE_HEADER.exec(name)
    const unit = UNIT_MS[match?.[3] ?? ""]
    const used = Number(value)
    if (match === null || unit === undefined || !Number.isSafeInteger(used) || used < 0) return []
    return [{ kind: match[1] === "used-weight" ? ("weight" as const) : ("orders" as const), intervalMs: Number(match[2]) * unit, used }]
  })

/** exchangeInfo's `rateLimits`; what cannot be read is left out. */
export const limitsOf = (rateLimits: unknown): readonly Limit[] =>
  (Array.isArray(rateLimits) ? rateLimits : []).flatMap((row: unknown) => {
    if (typeof row !== "object" || row === null) return []
    const { rateLimitType, interval, intervalNum, limit } = row as Readonly<Record<string, unknown>>
    const kind = ({ REQUEST_WEIGHT: "weight", ORDERS: "orders", RAW_REQUESTS: "requests" } as const)[String(rateLimitType)]
    const unitMs = INTERVAL_MS[String(interval)]
    const count = Number(intervalNum)
    const size = Number(limit)
    if (kind === undefined || unitMs === undefined || !(count >= 1) || !(size >= 1)) return []
    return [{ kind, intervalMs: unitMs * count, limit: Math.floor(size), name: `${String(rateLimitType)} ${count} ${String(interval)}` }]
  })

/** Until when we are to be silent, as far as the answer says: `Retry-After` (seconds), or "IP banned until <ms>". */
export const silenceOf = (retryAfter: string | undefined, message: string, nowMs: number): number | undefined => {
  const banned = /banned until (\d{13})\b/i.exec(message)
  if (banned?.[1] !== undefined) return Number(banned[1])
  const seconds = Number(retryAfter)
  return retryAfter !== undefined && retryAfter.trim() !== "" && seconds >= 0 && seconds < 10_000_000
    ? nowMs + Math.ceil(seconds * 1000)
    : undefined
}

export class RateBudget {
  #windows: Window[]
  #silentUntilMs = 0
  #silentBecause = ""
  /** Limits hit in a row, without an answer in between. */
  #hits = 0

  constructor(limits: readonly Limit[]) {
    this.#windows = limits.map((limit) => ({ limit, index: -1, used: 0, inFlight: 0 }))
  }

  /** Other limits from now on (exchangeInfo was read); what is used of those that stay is kept. */
  setLimits(limits: readonly Limit[]): void {
    this.#windows = limits.map((limit) => {
      const before = this.#windows.find((one) => one.limit.kind === limit.kind && one.limit.intervalMs === limit.intervalMs)
      return { limit, index: before?.index ?? -1, used: before?.used ?? 0, inFlight: before?.inFlight ?? 0 }
    })
  }

  /** Whether the request may leave now. Admitted requests must be told of in {@link finished}. `nowMs`: by the exchange's clock. */
  admit(ask: Ask, nowMs: number): Admission {
    if (nowMs < this.#silentUntilMs) return { _tag: "Wait", untilMs: this.#silentUntilMs, limit: this.#silentBecause }
    let untilMs = 0
    let limit = ""
    for (const window of this.#windows) {
      roll(window, nowMs)
      const cost = costOf(ask, window.limit.kind)
      if (cost === 0) continue
      const room = Math.max(1, Math.floor(window.limit.limit * SHARE[ask.priority]))
      if (window.used + window.inFlight + cost <= room) continue
      const endMs = (window.index + 1) * window.limit.intervalMs + WINDOW_GUARD_MS
      if (endMs > untilMs) {
        untilMs = endMs
        limit = window.limit.name
      }
    }
    if (untilMs > 0) return { _tag: "Wait", untilMs, limit }
    for (const window of this.#windows) window.inFlight += costOf(ask, window.limit.kind)
    return { _tag: "Admitted" }
  }

  /** An admitted request is over; `usage` as the headers told, empty when there was no answer. A refusal for a limit has them too. */
  finished(ask: Ask, usage: readonly Usage[], nowMs: number, isLimited = false): void {
    for (const window of this.#windows) {
      roll(window, nowMs)
      const cost = costOf(ask, window.limit.kind)
      window.inFlight = Math.max(0, window.inFlight - cost)
      const told = usage.find((one) => one.kind === window.limit.kind && one.intervalMs === window.limit.intervalMs)
      if (told === undefined) window.used += cost
      // Orders are un-counted when they fill (spot); weights only grow within a window, and answers may overtake one another.
      else window.used = window.limit.kind === "orders" ? told.used : Math.max(window.used, told.used)
    }
    if (usage.length > 0 && !isLimited && nowMs >= this.#silentUntilMs) this.#hits = 0
  }

  /** Binance said 429 or 418 (or 403). Returns until when nothing leaves. `chance`: 0 ≤ x < 1. */
  limited(status: number, silentUntilMs: number | undefined, nowMs: number, chance: number): number {
    this.#hits += 1
    const backoffMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#hits - 1, 10)) * (0.75 + 0.5 * chance)
    const least = status === 418 ? BAN_DEFAULT_MS : backoffMs
    // A time that is over by our idea of the exchange's clock is no leave to go on at once.
    const told = silentUntilMs !== undefined && silentUntilMs > nowMs ? Math.min(silentUntilMs, nowMs + BAN_MAX_MS) : undefined
    const untilMs = Math.ceil(told ?? nowMs + least)
    if (untilMs > this.#silentUntilMs) {
      this.#silentUntilMs = untilMs
      this.#silentBecause = status === 418 ? "banned (418)" : `rate limited (${status})`
    }
    return this.#silentUntilMs
  }

  /** Until when nothing leaves; 0: nothing holds it. */
  get silentUntilMs(): number {
    return this.#silentUntilMs
  }

  /** For metrics and `GET /account`: what is used of each limit, in flight included. */
  view(nowMs: number): readonly { readonly limit: string; readonly used: number; readonly of: number }[] {
    return this.#windows.map((window) => {
      roll(window, nowMs)
      return { limit: window.limit.name, used: window.used + window.inFlight, of: window.limit.limit }
    })
  }
}

const costOf = (ask: Ask, kind: LimitKind): number => (kind === "weight" ? ask.weight : kind === "orders" ? ask.orders : 1)

const roll = (window: Window, nowMs: number): void => {
  const index = Math.floor((nowMs - WINDOW_GUARD_MS) / window.limit.intervalMs)
  // A clock that goes backwards does not give anything back.
  if (index > window.index) {
    window.index = index
    window.used = 0
  }
}
