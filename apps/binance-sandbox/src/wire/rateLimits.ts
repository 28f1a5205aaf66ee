/**
 * Rate limits as exchangeInfo announces them: weights per IP address, orders per account, in intervals that begin at round
 * times (a minute begins at :00). Too much: 429 with Retry-After; who goes on is banned: 418, longer each time.
 *
 * Spot counts *unfilled* orders: a fill gives one back. What a request weighs is the route's business.
 */
import { ApiError } from "./errors.ts"

export interface RateLimit {
  readonly rateLimitType: "REQUEST_WEIGHT" | "RAW_REQUESTS" | "ORDERS"
  readonly interval: "SECOND" | "MINUTE" | "DAY"
  readonly intervalNum: number
  readonly limit: number
}
export interface RateLimitOptions {
  readonly limits: readonly RateLimit[]
  /** So many refused requests within one interval bring a ban. */
  readonly banAfter: number
  /** Of the first ban, ms; doubled with each, up to three days. */
  readonly firstBanMs: number
}

export const SPOT_LIMITS: RateLimitOptions = {
  limits: [
    { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 6000 },
    { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 50 },
    { rateLimitType: "ORDERS", interval: "DAY", intervalNum: 1, limit: 160_000 },
    { rateLimitType: "RAW_REQUESTS", interval: "MINUTE", intervalNum: 5, limit: 300_000 },
  ],
  banAfter: 20,
  firstBanMs: 120_000,
}
export const FUTURES_LIMITS: RateLimitOptions = {
  limits: [
    { rateLimitType: "REQUEST_WEIGHT", interval: "MINUTE", intervalNum: 1, limit: 2400 },
    { rateLimitType: "ORDERS", interval: "MINUTE", intervalNum: 1, limit: 1200 },
    { rateLimitType: "ORDERS", interval: "SECOND", intervalNum: 10, limit: 300 },
  ],
  banAfter: 20,
  firstBanMs: 120_000,
}

const UNIT_MS = { SECOND: 1000, MINUTE: 60_000, DAY: 86_400_000 } as const
const BAN_MAX_MS = 3 * 86_400_000
const lengthMs = (limit: RateLimit): number => UNIT_MS[limit.interval] * limit.intervalNum
const suffix = (limit: RateLimit): string => `${limit.intervalNum}${limit.interval.slice(0, 1)}`

export class RateLimits {
  options: RateLimitOptions
  readonly #market: "spot" | "futures"
  readonly #nowMs: () => number
  readonly #counts = new Map<string, { startMs: number; count: number }>()
  readonly #refused = new Map<string, { startMs: number; count: number }>()
  readonly #bans = new Map<string, { untilMs: number; lengthMs: number }>()
  /** What went out refused: for tests of clients that must never get there. */
  readonly told = { 429: 0, 418: 0 }

  constructor(market: "spot" | "futures", options: RateLimitOptions, nowMs: () => number) {
    this.#market = market
    this.options = options
    this.#nowMs = nowMs
  }

  #counter(limit: RateLimit, who: string): { startMs: number; count: number } {
    const startMs = Math.floor(this.#nowMs() / lengthMs(limit)) * lengthMs(limit)
    const name = `${limit.rateLimitType} ${suffix(limit)} ${who}`
    const found = this.#counts.get(name)
    if (found !== undefined && found.startMs === startMs) return found
    const fresh = { startMs, count: 0 }
    this.#counts.set(name, fresh)
    return fresh
  }
  #ofType(...types: readonly RateLimit["rateLimitType"][]): readonly RateLimit[] {
    return this.options.limits.filter((limit) => types.includes(limit.rateLimitType))
  }

  /** Lets a request in and counts it, or throws 429 or 418. */
  admit(ip: string, weight: number): void {
    const nowMs = this.#nowMs()
    const ban = this.#bans.get(ip)
    if (ban !== undefined && nowMs < ban.untilMs) throw this.#banned(ban.untilMs)
    for (const limit of this.#ofType("REQUEST_WEIGHT", "RAW_REQUESTS")) {
      const counter = this.#counter(limit, ip)
      counter.count += limit.rateLimitType === "RAW_REQUESTS" ? 1 : weight
      if (counter.count <= limit.limit) continue
      throw this.#tooMany(ip, limit, counter.startMs + lengthMs(limit))
    }
  }
  #tooMany(ip: string, limit: RateLimit, freeAtMs: number): ApiError {
    const nowMs = this.#nowMs()
    const refused = this.#refused.get(ip)
    const startMs = freeAtMs - lengthMs(limit)
    const count = refused?.startMs === startMs ? refused.count + 1 : 1
    this.#refused.set(ip, { startMs, count })
    if (count > this.options.banAfter) {
      const lastMs = this.#bans.get(ip)?.lengthMs
      const length = Math.min(BAN_MAX_MS, lastMs === undefined ? this.options.firstBanMs : lastMs * 2)
      this.#bans.set(ip, { untilMs: nowMs + length, lengthMs: length })
      return this.#banned(nowMs + length)
    }
    this.told[429] += 1
    const message =
      this.#market === "spot"
        ? `Too much request weight used; current limit is ${limit.limit} request weight per ${limit.intervalNum} ${limit.interval}. Please use WebSocket Streams for live updates to avoid polling the API.`
        : `Too many requests; current limit of IP(${ip}) is ${limit.limit} requests per minute. Please use the websocket for live updates to avoid polling the API.`
    return limited(429, message, freeAtMs - nowMs)
  }
  #banned(untilMs: number): ApiError {
    this.told[418] += 1
    const message =
      this.#market === "spot"
        ? `Way too much request weight used; IP banned until ${untilMs}. Please use WebSocket Streams for live updates to avoid bans.`
        : `Way too many requests; IP banned until ${untilMs}. Please use the websocket for live updates to avoid bans.`
    return limited(418, message, untilMs - this.#nowMs())
  }
  /** Forced from outside (a fault). */
  forced(status: 429 | 418, retryAfterS: number): ApiError {
    if (status === 418) return this.#banned(this.#nowMs() + retryAfterS * 1000)
    this.told[429] += 1
    return limited(429, "Too many requests queued.", retryAfterS * 1000)
  }

  /** Gives weight back: a successful spot order weighs nothing. */
  refund(ip: string, weight: number): void {
    for (const limit of this.#ofType("REQUEST_WEIGHT")) {
      const counter = this.#counter(limit, ip)
      counter.count = Math.max(0, counter.count - weight)
    }
  }

  /** Counts new orders, or throws -1015. */
  admitOrders(account: string, orders: number): void {
    for (const limit of this.#ofType("ORDERS")) {
      if (this.#counter(limit, account).count + orders <= limit.limit) continue
      this.told[429] += 1
      const freeAtMs = this.#counter(limit, account).startMs + lengthMs(limit)
      throw new ApiError(
        -1015,
        `Too many new orders; current limit is ${limit.limit} orders per ${limit.intervalNum} ${limit.interval}.`,
        429,
        {
          headers: { "Retry-After": String(Math.max(1, Math.ceil((freeAtMs - this.#nowMs()) / 1000))) },
        },
      )
    }
    for (const limit of this.#ofType("ORDERS")) this.#counter(limit, account).count += orders
  }
  /** A spot order has begun to fill: it does not count as unfilled any more. */
  filled(account: string): void {
    for (const limit of this.#ofType("ORDERS")) {
      const counter = this.#counter(limit, account)
      counter.count = Math.max(0, counter.count - 1)
    }
  }

  headers(ip: string, account: string | undefined): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {}
    for (const limit of this.#ofType("REQUEST_WEIGHT")) {
      const used = String(this.#counter(limit, ip).count)
      headers[`x-mbx-used-weight-${suffix(limit).toLowerCase()}`] = used
      if (this.#market === "spot") headers["x-mbx-used-weight"] = used
    }
    if (account !== undefined)
      for (const limit of this.#ofType("ORDERS"))
        headers[`x-mbx-order-count-${suffix(limit).toLowerCase()}`] = String(this.#counter(limit, account).count)
    return headers
  }
  /** As the WebSocket API shows them; `ip` or `account` absent: without theirs. */
  view(ip: string | undefined, account: string | undefined): readonly (RateLimit & { readonly count: number })[] {
    return this.options.limits.flatMap((limit) => {
      const who = limit.rateLimitType === "ORDERS" ? account : limit.rateLimitType === "REQUEST_WEIGHT" ? ip : undefined
      return who === undefined ? [] : [{ ...limit, count: this.#counter(limit, who).count }]
    })
  }
  reset(): void {
    this.#counts.clear()
    this.#refused.clear()
    this.#bans.clear()
  }
}

const limited = (status: 429 | 418, message: string, waitMs: number): ApiError =>
  new ApiError(-1003, message, status, { headers: { "Retry-After": String(Math.max(1, Math.ceil(waitMs / 1000))) } })
