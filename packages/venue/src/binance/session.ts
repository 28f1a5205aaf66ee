/**
 * What both Binance adapters stand on: the client behind the rate budget, the clock offset, the symbols' rules, prices, and
 * what an answer demands besides (read the rules again, measure the clock again, tell somebody).
 *
 * No method rejects. Nothing is retried: a question of the background (rules, clock, prices) is asked again at its next time.
 */
import { add, dec, div, str, unknown } from "@petrosa/contracts"
import type { Market, MarketPrice, Refused, SymbolRules, Unknown } from "@petrosa/contracts"
import { decodeExchangeInfo } from "../symbols/exchangeInfo.ts"
import type { DecodedExchangeInfo } from "../symbols/exchangeInfo.ts"
import type { Client } from "./client.ts"
import { systemClock } from "./clock.ts"
import type { Clock } from "./clock.ts"
import { SAMPLES, isTooFarOff, offsetOf } from "./clockOffset.ts"
import type { ClockOffset, TimeSample } from "./clockOffset.ts"
import type { ConnectorBase } from "./connectors.ts"
import { decimal, field, isObject, millis, objects, text } from "./exactJson.ts"
import { gatewayOf } from "./gateway.ts"
import type { Gateway } from "./gateway.ts"
import { answerOf, judge } from "./outcomeTable.ts"
import type { Effect, Judgement, OutcomeTable } from "./outcomeTable.ts"
import { RateBudget, limitsOf } from "./rateBudget.ts"
import type { Ask, Limit } from "./rateBudget.ts"
import { Redactor } from "./redact.ts"
import { isSuccess } from "./reply.ts"
import type { Answered, Reply } from "./reply.ts"
import type { Credentials } from "./signing.ts"
import { openWebSocket } from "./socket.ts"
import type { OpenSocket } from "./supervisor.ts"

/** Something a person should know; no secret in it. */
export interface Trouble {
  readonly level: "warn" | "error"
  /** `RATE_LIMITED`, `CLOCK_OFFSET`, `RULES`, `STREAM_LOST`, or the exchange's code. */
  readonly code: string
  readonly message: string
}

export interface BinanceOptions {
  readonly mode: "testnet" | "live"
  /** `HMAC`, or `Ed25519` on spot. */
  readonly credentials: Credentials
  /** Base URL of REST; default: Binance's own of the mode. */
  readonly restUrl?: string
  /** BINANCE_MAX_REQUESTS_PER_MINUTE: our own cap, on top of Binance's. Default 1200. */
  readonly maxRequestsPerMinute?: number
  /** From a request to the end of its answer. Default 10,000: Binance itself gives up after ten seconds. */
  readonly timeoutMs?: number
  /** Start although the clocks differ by more than 500 ms (requests are signed with the exchange's time either way). Default false. */
  readonly allowClockOffset?: boolean
  /** How often prices of symbols in use are read; 0: never. Default 1000. */
  readonly pricePollMs?: number
  /** How long the start waits for the user stream before going on without it. Default 10,000. */
  readonly streamStartMs?: number
  /** An order that was accepted and not heard of in the user stream for so long: the stream is made anew. Default 15,000. */
  readonly newsWithinMs?: number
  /** Default 5000: for questions and cancels. Placements bring their own. */
  readonly receiveWindowMs?: number
  readonly onTrouble?: (trouble: Trouble) => void
  readonly clock?: Clock
  readonly openSocket?: OpenSocket
}

/** Why a venue does not start. */
export interface NotStarted {
  readonly _tag: "NotStarted"
  readonly code: "CLOCK_OFFSET" | "UNREACHABLE" | "CREDENTIALS" | "PERMISSION" | "POSITION_MODE" | "UNREADABLE"
  readonly message: string
  /** The exchange's own code, or what became of the request: `-2015`, `HTTP_451`, `TIMEOUT`. */
  readonly reason?: string
  /** Nobody has to change anything: it may come by itself, so it is worth waiting for. */
  readonly temporary: boolean
  /** The exchange has banned us, or asked for silence, until then (our clock). */
  readonly retryAtMs?: number
}
export const notStarted = (
  code: NotStarted["code"],
  message: string,
  more: { readonly reason?: string; readonly temporary?: boolean; readonly retryAtMs?: number } = {},
): NotStarted => ({ _tag: "NotStarted", code, message, temporary: false, ...more })

export interface Endpoints<C> {
  readonly market: Market
  readonly table: OutcomeTable
  readonly time: { readonly weight: number; readonly run: (client: C) => Promise<unknown> }
  readonly exchangeInfo: { readonly weight: number; readonly run: (client: C) => Promise<unknown> }
  /** Prices of one symbol, or of all. */
  readonly prices: { readonly weight: (symbol?: string) => number; readonly run: (client: C, symbol?: string) => Promise<unknown> }
  /** One row of prices. */
  readonly decodePrice: (row: unknown, nowMs: number) => MarketPrice | undefined
}

const RULES_EVERY_MS = 3_600_000
/** Filter errors in a burst read the rules once. */
const RULES_AT_MOST_EVERY_MS = 30_000
const CLOCK_EVERY_MS = 300_000
const CLOCK_AT_MOST_EVERY_MS = 1_000
/** A symbol that nobody asked the price of for so long is no longer read. */
const INTEREST_MS = 900_000
const SYMBOLS_ONE_BY_ONE = 3
const QUESTION_WAIT_MS = 2_000

export const OWN_CAP_INTERVAL_MS = 60_000

export class Session<C extends ConnectorBase> {
  readonly clock: Clock
  readonly client: Client<C>
  readonly redactor: Redactor
  readonly gateway: Gateway<C>
  readonly options: BinanceOptions
  readonly receiveWindowMs: number
  readonly openSocket: OpenSocket
  readonly #endpoints: Endpoints<C>
  readonly #ownCap: Limit
  #offset: ClockOffset = { offsetMs: 0, uncertaintyMs: 0, measuredAtMs: 0 }
  #rules: ReadonlyMap<string, SymbolRules> = new Map()
  #rulesReadAtMs = 0
  #rulesReading: Promise<boolean> | undefined
  #clockSyncing: Promise<boolean> | undefined
  #readingPrices = false
  readonly #prices = new Map<string, MarketPrice>()
  readonly #interest = new Map<string, number>()
  #effects: (effect: Effect) => void = () => undefined
  #timers: (() => void)[] = []
  /** What became of the last question of the start. */
  #problem = ""
  #closed = false

  constructor(
    options: BinanceOptions,
    endpoints: Endpoints<C>,
    clientOf: (make: { clock: Clock; redactor: Redactor; offsetMs: () => number }) => Client<C>,
  ) {
    this.options = options
    this.#endpoints = endpoints
    this.clock = options.clock ?? systemClock
    this.openSocket = options.openSocket ?? openWebSocket
    this.receiveWindowMs = options.receiveWindowMs ?? 5_000
    const { credentials } = options
    this.redactor = new Redactor([credentials.apiKey, credentials.kind === "hmac" ? credentials.apiSecret : credentials.privateKey])
    const offsetMs = (): number => this.#offset.offsetMs
    this.client = clientOf({ clock: this.clock, redactor: this.redactor, offsetMs })
    this.#ownCap = {
      kind: "requests",
      intervalMs: OWN_CAP_INTERVAL_MS,
      limit: options.maxRequestsPerMinute ?? 1_200,
      name: "BINANCE_MAX_REQUESTS_PER_MINUTE",
    }
    this.gateway = gatewayOf({
      client: this.client,
      budget: new RateBudget([this.#ownCap]),
      clock: this.clock,
      offsetMs,
      onLimited: (status, untilMs) =>
        this.trouble("error", "RATE_LIMITED", `HTTP ${status}: nothing is sent before ${new Date(untilMs).toISOString()}`),
    })
  }

  /** Measures the clock and reads the rules. `undefined`: all is well. */
  async start(): Promise<NotStarted | undefined> {
    if (!(await this.syncClock())) return this.away("the exchange does not tell its time")
    if (isTooFarOff(this.#offset) && this.options.allowClockOffset !== true) {
      const { offsetMs } = this.#offset
      return notStarted(
        "CLOCK_OFFSET",
        `the clock here is ${Math.abs(offsetMs)} ms ${offsetMs < 0 ? "ahead of" : "behind"} the exchange's; 500 ms are allowed`,
      )
    }
    if (!(await this.refreshRules())) return this.away("the exchange does not tell its symbols")
    this.every(CLOCK_EVERY_MS, () => void this.syncClock())
    this.every(RULES_EVERY_MS, () => void this.refreshRules())
    const pollMs = this.options.pricePollMs ?? 1_000
    if (pollMs > 0)
      this.every(pollMs, () => {
        // One reading at a time, however slow the exchange is.
        if (this.#readingPrices) return
        this.#readingPrices = true
        void this.#readPrices().finally(() => {
          this.#readingPrices = false
        })
      })
    return undefined
  }

  /** The exchange did not answer (as it should): what it said last, and until when it wants silence. */
  away(message: string, reason = this.#problem): NotStarted {
    const { silentUntilMs } = this.gateway.budget
    const why = reason === "" ? {} : { reason }
    const until = silentUntilMs > 0 ? { retryAtMs: silentUntilMs - this.#offset.offsetMs } : {}
    return notStarted("UNREACHABLE", reason === "" ? message : `${message} (${reason})`, { temporary: true, ...why, ...until })
  }

  /** Runs again and again until closed. */
  every(intervalMs: number, run: () => void): void {
    const slot = this.#timers.length
    const again = (): void => {
      if (this.#closed) return
      this.#timers[slot] = this.clock.after(intervalMs, () => {
        run()
        again()
      })
    }
    this.#timers.push(() => undefined)
    again()
  }
  get isClosed(): boolean {
    return this.#closed
  }
  close(): void {
    this.#closed = true
    for (const cancel of this.#timers) cancel()
    this.client.closeConnections()
  }

  /** Told of effects that only the adapter knows how to serve (`reloadPositionMode`, `newListenKey`). */
  onEffect(run: (effect: Effect) => void): void {
    this.#effects = run
  }

  trouble(level: Trouble["level"], code: string, message: string): void {
    this.options.onTrouble?.({ level, code, message: this.redactor.clean(message) })
  }

  // ---- requests

  /** The exchange has asked for silence, and it is not over. */
  get isSilent(): boolean {
    return this.clock.nowMs() + this.#offset.offsetMs < this.gateway.budget.silentUntilMs
  }
  get offset(): ClockOffset {
    return this.#offset
  }
  /** Our time as the exchange sees it: what is signed. */
  signedTime(atMs: number): number {
    return Math.floor(atMs + this.#offset.offsetMs)
  }

  /** A request that changes something. */
  async change(ask: Ask, waitMs: number, run: (client: C) => Promise<unknown>): Promise<Judgement> {
    const reply = await this.gateway.ask(ask, waitMs, this.#whileOpen(run))
    const { silentUntilMs } = this.gateway.budget
    const judgement = judge(this.#endpoints.table, reply, silentUntilMs > 0 ? silentUntilMs - this.#offset.offsetMs : undefined)
    this.#serve(judgement)
    return { ...judgement, result: this.#clean(judgement.result) }
  }

  /** A question. */
  async question(
    weight: number,
    run: (client: C) => Promise<unknown>,
  ): Promise<{ readonly _tag: "Answer"; readonly answer: Answered } | { readonly _tag: "Absent" } | Unknown> {
    const reply = await this.gateway.ask({ weight, orders: 0, priority: "question" }, QUESTION_WAIT_MS, this.#whileOpen(run))
    if (reply._tag === "Answered") this.#serve(judge(this.#endpoints.table, reply))
    const answer = answerOf(this.#endpoints.table, reply)
    return answer._tag === "Unknown" ? unknown(this.redactor.clean(answer.reason)) : answer
  }

  /** Nothing leaves after {@link close}, also not what waited for the rate budget. */
  #whileOpen(run: (client: C) => Promise<unknown>): (client: C) => Promise<unknown> {
    return (client) => (this.#closed ? Promise.resolve(CLOSED) : run(client))
  }

  #clean(result: Judgement["result"]): Judgement["result"] {
    switch (result._tag) {
      case "Refused":
        return { ...result, message: this.redactor.clean(result.message) } satisfies Refused
      case "Unknown":
        return unknown(this.redactor.clean(result.reason))
      case "Success":
      case "NothingToChange":
        return result
    }
  }

  #serve({ effects, result }: Judgement): void {
    for (const effect of effects) {
      switch (effect) {
        case "refreshRules":
          if (this.clock.nowMs() - this.#rulesReadAtMs > RULES_AT_MOST_EVERY_MS) void this.refreshRules()
          break
        case "syncClock":
          if (this.clock.nowMs() - this.#offset.measuredAtMs > CLOCK_AT_MOST_EVERY_MS) void this.syncClock()
          break
        case "alarm":
          if (result._tag === "Refused") this.trouble("error", result.code, result.message)
          else if (result._tag === "Unknown") this.trouble("error", result.reason, "an answer that says nothing")
          break
        case "reloadPositionMode":
        case "newListenKey":
          this.#effects(effect)
      }
    }
  }

  // ---- clock

  syncClock(): Promise<boolean> {
    this.#clockSyncing ??= this.#measureClock().finally(() => {
      this.#clockSyncing = undefined
    })
    return this.#clockSyncing
  }
  async #measureClock(): Promise<boolean> {
    const samples: TimeSample[] = []
    const { run, weight } = this.#endpoints.time
    for (let n = 0; n < SAMPLES; n++) {
      const reply = await this.gateway.ask({ weight, orders: 0, priority: "question" }, QUESTION_WAIT_MS, run)
      this.#problem = problemOf(reply)
      if (reply._tag !== "Answered" || !isObject(reply.body)) continue
      const serverMs = millis(reply.body, "serverTime")
      if (serverMs !== undefined) samples.push({ sentAtMs: reply.sentAtMs, serverMs, receivedAtMs: reply.receivedAtMs })
    }
    const offset = offsetOf(samples)
    if (offset === undefined) return false
    this.#offset = offset
    if (isTooFarOff(offset)) this.trouble("warn", "CLOCK_OFFSET", `the exchange's clock is ${offset.offsetMs} ms from the one here`)
    return true
  }

  // ---- rules

  rulesOf(symbol: string): SymbolRules | undefined {
    const rules = this.#rules.get(symbol)
    if (rules !== undefined) this.#interest.set(symbol, this.clock.nowMs())
    return rules
  }
  get symbols(): ReadonlyMap<string, SymbolRules> {
    return this.#rules
  }
  refreshRules(): Promise<boolean> {
    this.#rulesReading ??= this.#readRules().finally(() => {
      this.#rulesReading = undefined
    })
    return this.#rulesReading
  }
  async #readRules(): Promise<boolean> {
    this.#rulesReadAtMs = this.clock.nowMs()
    const { run, weight } = this.#endpoints.exchangeInfo
    const answer = await this.question(weight, run)
    this.#problem = answer._tag === "Unknown" ? answer.reason : ""
    if (answer._tag !== "Answer" || !isObject(answer.answer.body)) {
      this.trouble("warn", "RULES", "exchangeInfo could not be read; the rules known before stay in force")
      return false
    }
    const { body } = answer.answer
    try {
      const decoded = decodeExchangeInfo(body, this.#endpoints.market)
      if (decoded.rules.size === 0) return false
      this.#rules = withKnownBefore(decoded, this.#rules)
      for (const { symbol, why } of decoded.unreadable.slice(0, 10)) this.trouble("warn", "RULES", `${symbol} could not be read: ${why}`)
    } catch (error) {
      this.trouble("error", "RULES", error instanceof Error ? error.message : "unreadable exchangeInfo")
      return false
    }
    const limits = limitsOf(field(body, "rateLimits"))
    if (limits.length > 0) this.gateway.budget.setLimits([this.#ownCap, ...limits])
    return true
  }

  // ---- prices

  price(symbol: string): MarketPrice | undefined {
    if (this.#rules.has(symbol)) this.#interest.set(symbol, this.clock.nowMs())
    return this.#prices.get(symbol)
  }
  async #readPrices(): Promise<void> {
    const nowMs = this.clock.nowMs()
    for (const [symbol, atMs] of this.#interest) if (nowMs - atMs > INTEREST_MS) this.#interest.delete(symbol)
    const wanted = [...this.#interest.keys()]
    if (wanted.length === 0 || this.#closed) return
    const asks = wanted.length <= SYMBOLS_ONE_BY_ONE ? wanted : [undefined]
    for (const symbol of asks) {
      const { weight, run } = this.#endpoints.prices
      // Prices can wait: they have the least of the budget.
      const reply = await this.gateway.ask({ weight: weight(symbol), orders: 0, priority: "entry" }, 0, (client) => run(client, symbol))
      if (reply._tag !== "Answered" || reply.body === undefined) continue
      const rows = Array.isArray(reply.body) ? objects(reply.body) : [reply.body]
      for (const row of rows) {
        const price = this.#endpoints.decodePrice(row, this.clock.nowMs())
        if (price !== undefined && this.#interest.has(price.symbol)) this.#prices.set(price.symbol, price)
      }
    }
  }
}

const problemOf = (reply: Reply): string => {
  switch (reply._tag) {
    case "Held":
      return "RATE_BUDGET"
    case "Unanswered":
      return reply.code
    case "Answered":
      return isSuccess(reply) ? "" : `HTTP_${reply.status}`
  }
}

const CLOSED: Reply = { _tag: "Unanswered", notSent: true, code: "CLOSED" }

/**
 * A symbol that was known stays known: what is open in it needs its ticks and steps for a stop. One that cannot be read stays as it
 * was; one that is not named any more trades no longer.
 */
const withKnownBefore = (
  { rules, unreadable }: DecodedExchangeInfo,
  before: ReadonlyMap<string, SymbolRules>,
): ReadonlyMap<string, SymbolRules> => {
  const isUnreadable = new Set(unreadable.map(({ symbol }) => symbol))
  const all = new Map(rules)
  for (const [symbol, known] of before)
    if (!all.has(symbol)) all.set(symbol, isUnreadable.has(symbol) || !known.trading ? known : { ...known, trading: false })
  return all
}

/** The middle of best bid and ask, exactly. */
export const midPrice = (row: unknown, nowMs: number): MarketPrice | undefined => {
  if (!isObject(row)) return undefined
  const symbol = text(row, "symbol")
  const bid = decimal(row, "bidPrice")
  const ask = decimal(row, "askPrice")
  if (symbol === undefined || bid === undefined || ask === undefined || bid === "0" || ask === "0") return undefined
  return { symbol, price: str(div(add(dec(bid), dec(ask)), dec("2"), 30)), source: "book", atMs: nowMs }
}
