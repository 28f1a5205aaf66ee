/**
 * Faults on demand: rules that hit requests and stream events, each so many times, after so many, or with a chance.
 * A script of faults is a list of rules, tried in their order; of one kind the first that matches strikes.
 *
 * Chance comes from a seed: the same requests in the same order are hit in the same way.
 */
import { E } from "../wire/errors.ts"
import { isObject } from "../wire/json.ts"

/** What a request is, to a rule. */
export interface RequestView {
  readonly market: "spot" | "futures"
  readonly account: string
  readonly method: string
  readonly path: string
  /** `order.place`, `order.cancel`, `order.query`, `algo.place`, `list.place` … (README). */
  readonly op: string
  readonly symbol: string
  readonly clientId: string
  readonly type: string
}
/** What a user-stream event is, to a rule. */
export interface EventView {
  readonly market: "spot" | "futures"
  readonly account: string
  /** `executionReport`, `ORDER_TRADE_UPDATE`, `ALGO_UPDATE` … */
  readonly event: string
  readonly symbol: string
  readonly clientId: string
  /** `x` of the event: NEW, TRADE, CANCELED …; of ALGO_UPDATE and listStatus their status. */
  readonly execution: string
}

export type Match = Partial<Omit<RequestView, "clientId">> & Partial<Omit<EventView, "clientId">> & { readonly clientIdStartsWith?: string }

export type FaultKind =
  /** Never arrives: the socket is closed (`hang`: it just stays silent). */
  | { readonly kind: "dropRequest"; readonly hang?: boolean }
  /** Executed, and the socket is closed (`hang`: silence). */
  | { readonly kind: "loseReply"; readonly hang?: boolean }
  /** -1007. `executed`: it was, and what can trade does so after `fillAfterMs`. */
  | { readonly kind: "timeout"; readonly executed: boolean; readonly fillAfterMs?: number }
  /** Any HTTP answer instead of the real one. */
  | { readonly kind: "http"; readonly status: number; readonly body?: string; readonly executed: boolean }
  /** Refused with this code. */
  | { readonly kind: "refuse"; readonly code: number; readonly msg: string; readonly status?: number }
  | { readonly kind: "rateLimit"; readonly status: 429 | 418; readonly retryAfterS: number }
  /** `beforeMs`: on the way to the matching engine, after the first check of the timestamp. */
  | { readonly kind: "slow"; readonly beforeMs?: number; readonly afterMs?: number }
  /** Accepted, and for so long the exchange denies knowing the order. */
  | { readonly kind: "notFound"; readonly forMs: number }
  /** Between the cancel and its reply the order is filled: all of it, or this much. */
  | { readonly kind: "fillOnCancel"; readonly quantity?: string }
  | { readonly kind: "duplicateEvent"; readonly times?: number }
  | { readonly kind: "dropEvent" }
  | { readonly kind: "delayEvent"; readonly ms: number }
  /** Sent after the next event of the connection. */
  | { readonly kind: "swapEvent" }

export type FaultRule = FaultKind & {
  readonly match?: Match
  /** How often it strikes; absent: for ever. */
  readonly count?: number
  /** How many matches pass first. */
  readonly skip?: number
  /** 0…1. */
  readonly probability?: number
}
export type FaultName = FaultKind["kind"]

const NAMES: ReadonlySet<string> = new Set<FaultName>([
  "dropRequest",
  "loseReply",
  "timeout",
  "http",
  "refuse",
  "rateLimit",
  "slow",
  "notFound",
  "fillOnCancel",
  "duplicateEvent",
  "dropEvent",
  "delayEvent",
  "swapEvent",
])
const RULES_MAX = 1000

/** Reads rules that came from outside. */
export const readFaults = (value: unknown): readonly FaultRule[] => {
  const list = Array.isArray(value) ? value : [value]
  if (list.length > RULES_MAX) throw E.invalid("faults")
  return list.map((item) => {
    if (!isObject(item) || typeof item["kind"] !== "string" || !NAMES.has(item["kind"])) throw E.invalid("faults")
    return item as unknown as FaultRule
  })
}

interface Live {
  readonly id: number
  readonly rule: FaultRule
  seen: number
  struck: number
}

export class Faults {
  #rules: Live[] = []
  #nextId = 1
  #state: number

  constructor(seed: number, rules: readonly FaultRule[] = []) {
    this.#state = seed >>> 0
    this.add(rules)
  }

  /** The ids of the rules, by which they can be taken away. */
  add(rules: readonly FaultRule[]): readonly number[] {
    if (this.#rules.length + rules.length > RULES_MAX) throw E.invalid("faults")
    return rules.map((rule) => {
      const id = this.#nextId
      this.#nextId += 1
      this.#rules.push({ id, rule, seen: 0, struck: 0 })
      return id
    })
  }
  remove(id: number): void {
    this.#rules = this.#rules.filter((live) => live.id !== id)
  }
  clear(): void {
    this.#rules = []
  }
  list(): readonly { readonly id: number; readonly rule: FaultRule; readonly seen: number; readonly struck: number }[] {
    return this.#rules.map((live) => ({ ...live }))
  }

  /** The rule of a kind that strikes now, if any. Counts. */
  strike<K extends FaultName>(kind: K, view: RequestView | EventView): Extract<FaultRule, { readonly kind: K }> | undefined {
    for (const live of this.#rules) {
      const { rule } = live
      if (rule.kind !== kind || !matches(rule.match ?? {}, view)) continue
      if (rule.count !== undefined && live.struck >= rule.count) continue
      live.seen += 1
      if (live.seen <= (rule.skip ?? 0)) continue
      if (rule.probability !== undefined && this.#draw() >= rule.probability) continue
      live.struck += 1
      return rule as Extract<FaultRule, { readonly kind: K }>
    }
    return undefined
  }

  /** mulberry32: small, even, and repeatable. */
  #draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const matches = (match: Match, view: RequestView | EventView): boolean =>
  Object.entries(match).every(([name, wanted]) => {
    if (name === "clientIdStartsWith") return view.clientId.startsWith(wanted)
    const seen = (view as unknown as Readonly<Record<string, unknown>>)[name]
    return typeof wanted === "string" && wanted.endsWith("*") ? String(seen).startsWith(wanted.slice(0, -1)) : seen === wanted
  })
