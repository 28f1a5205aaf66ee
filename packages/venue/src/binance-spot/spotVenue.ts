/**
 * Binance spot behind the Venue port.
 *
 * Promises: one request per call of `place`, signed with the caller's time, never sent twice; ids are text, money exact; what
 * Binance says becomes an Outcome by the table in outcomes.ts; no method rejects; no secret leaves in an answer or an error.
 *
 * What spot is not: there is no reduce-only. An exit sells what it is told to; the quantity is the lot's own (the caller's),
 * and Binance refuses what exceeds the free balance. A sell of one leg reserves that balance, so stop and target of one lot
 * cannot rest side by side as two orders: `bracketStyle` is `oco`, and {@link Venue.placeOco} places both as one list. The
 * second of two single legs is refused for the balance. {@link Venue.placeOtoco} sends a resting entry with its bracket.
 * Symbols without STOP_LOSS or TAKE_PROFIT get the form with a limit far beyond the trigger (orders.ts).
 */
import { accepted, add, dec, known, max, refused, str, unknown } from "@petrosa/contracts"
import type {
  ClientOrderId,
  Decimal,
  DecimalString,
  Fill,
  Market,
  OrderType,
  Outcome,
  Read,
  Refused,
  SymbolRules,
  VenueOrderId,
} from "@petrosa/contracts"
import { accountProblem, mayTrade } from "../binance/account.ts"
import type { AccountFacts } from "../binance/account.ts"
import type { SpotConnector } from "../binance/connectors.ts"
import { spotClient } from "../binance/client.ts"
import { decimal, field, id, isBroken, isObject, objects, text } from "../binance/exactJson.ts"
import type { JsonObject } from "../binance/exactJson.ts"
import { FillBook, sortFills, withFills } from "../binance/fillBook.ts"
import { neverReject } from "../binance/neverReject.ts"
import { BoundedMap } from "../binance/seen.ts"
import { Session, notStarted } from "../binance/session.ts"
import type { BinanceOptions, NotStarted } from "../binance/session.ts"
import { signedSocketParams, signerOf } from "../binance/signing.ts"
import type { StreamProtocol } from "../binance/supervisor.ts"
import { openRows } from "../binance/openRows.ts"
import { readTrades } from "../binance/readTrades.ts"
import { UserStream } from "../binance/userStream.ts"
import type {
  Acknowledgement,
  Balance,
  OcoAcknowledgement,
  OcoRequest,
  OtocoAcknowledgement,
  OtocoRequest,
  PlaceRequest,
  Position,
  Venue,
  VenueOrder,
} from "../venue.ts"
import { CANCEL, PLACE_ENTRY, PLACE_EXIT, PLACE_OCO, PLACE_OTOCO, SPOT_ENDPOINTS, SPOT_HOSTS, WEIGHT, spotSocketUrl } from "./endpoints.ts"
import { decodeSpotEvent, readMessage } from "./events.ts"
import type { SpotEvent } from "./events.ts"
import { asAsked, decodeOrder, decodePlacementFills, ocoParams, orderParams, otocoParams, withEmulated } from "./orders.ts"

export interface SpotOptions extends BinanceOptions {
  /** The WebSocket API (its path may be left out); default: Binance's own of the mode. */
  readonly socketUrl?: string
}

/** No frame for so long: the stream is dead. Spot pings every 20 s. */
const SILENCE_MS = 75_000
/** A placement waits for the rate budget at most so long; longer would eat its receive window. */
const PLACE_WAIT_MAX_MS = 1_500
const CANCEL_WAIT_MS = 2_000
const ASKED_MAX = 50_000

export type SpotStart = { readonly _tag: "Started"; readonly venue: Venue; readonly account: AccountFacts } | NotStarted

/** Opens the venue: clock, symbols, permission, user stream. Never rejects. */
export const openBinanceSpot = async (options: SpotOptions): Promise<SpotStart> => {
  const hosts = SPOT_HOSTS[options.mode]
  let session: Session<SpotConnector>
  try {
    session = new Session(options, SPOT_ENDPOINTS, (make) =>
      spotClient({
        ...make,
        baseUrl: (options.restUrl ?? hosts.rest).replace(/\/$/, ""),
        credentials: options.credentials,
        timeoutMs: options.timeoutMs ?? 10_000,
      }),
    )
  } catch {
    return notStarted("CREDENTIALS", "the key cannot be used to sign")
  }
  const account = (await session.start()) ?? (await readAccount(session))
  if ("_tag" in account) {
    session.close()
    return account
  }
  const venue = new SpotVenue(session, spotSocketUrl(options.socketUrl ?? hosts.socket))
  if (!(await venue.start(options.streamStartMs ?? 10_000)))
    session.trouble("warn", "STREAM_LOST", "the user data stream is not there yet; orders are followed by asking")
  const tell = (method: string, error: unknown): void =>
    session.trouble("error", "ADAPTER_ERROR", `${method}: ${error instanceof Error ? error.message : "threw"}`)
  return { _tag: "Started", venue: neverReject(venue, tell), account }
}

/** Binance's own, where the account does not tell: 0.1 %. */
const FEE_RATE = "0.001" as DecimalString

/** The key may read the account and trade; the account's commission. */
const readAccount = async (session: Session<SpotConnector>): Promise<AccountFacts | NotStarted> => {
  const answer = await session.question(WEIGHT.account, (client) => client.account({ omitZeroBalances: "true", recvWindow: "5000" }))
  if (answer._tag !== "Answer")
    return accountProblem(session, "the account cannot be read", answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER"))
  const { body } = answer.answer
  if (!isObject(body)) return notStarted("UNREADABLE", "the account's answer cannot be read")
  if (field(body, "canTrade") === false) return notStarted("PERMISSION", "the account may not trade on spot")
  const notAllowed = await mayTrade(session, "/api/v3/order/test")
  if (notAllowed !== undefined) return notAllowed
  const feeRate = commissionOf(field(body, "commissionRates")) ?? FEE_RATE
  const uid = id(body, "uid")
  // A buy pays in what it bought, unless it can be paid in BNB; BNB may run out at any time.
  return { ...(uid === undefined ? {} : { uid }), feeRate, baseFeeRate: feeRate, positionMode: "one-way" }
}

/** The worst of maker and taker, and of buyer and seller, together. */
const commissionOf = (rates: unknown): DecimalString | undefined => {
  if (!isObject(rates)) return undefined
  const worse = (one: string, other: string): Decimal => max(dec(decimal(rates, one) ?? "0"), dec(decimal(rates, other) ?? "0"))
  return str(add(worse("maker", "taker"), worse("buyer", "seller")))
}

class SpotVenue implements Venue {
  readonly name = "binance-spot"
  readonly markets: readonly Market[] = ["spot"]
  readonly bracketStyle = "oco"
  /** Receive window (≤ 5 s here) + 12 s, at least a minute (binance.md 6.1, 6.2). */
  readonly absenceProofMs = 60_000
  readonly #session: Session<SpotConnector>
  readonly #stream: UserStream<SpotConnector>
  readonly #fills = new FillBook()
  /** The type that was asked for, of orders whose market form is emulated. */
  readonly #asked = new BoundedMap<string, OrderType>(ASKED_MAX)
  readonly #emulated = new WeakMap<SymbolRules, SymbolRules>()

  constructor(session: Session<SpotConnector>, socketUrl: string) {
    this.#session = session
    this.#stream = new UserStream(session, protocolOf(session, socketUrl), SILENCE_MS, (message) => this.#hear(message))
  }
  start(withinMs: number): Promise<boolean> {
    return this.#stream.start(withinMs)
  }
  get mode(): "testnet" | "live" {
    return this.#session.options.mode
  }
  canShort(): boolean {
    return false
  }

  rules(symbol: string, market: Market): SymbolRules | undefined {
    const rules = market === "spot" ? this.#session.rulesOf(symbol) : undefined
    if (rules === undefined) return undefined
    const before = this.#emulated.get(rules)
    if (before !== undefined) return before
    const whole = withEmulated(rules)
    this.#emulated.set(rules, whole)
    return whole
  }

  // ---- changes

  async place(request: PlaceRequest): Promise<Outcome<Acknowledgement>> {
    if (request.market !== "spot") return wrongMarket()
    const rules = this.#session.rulesOf(request.symbol)
    if (request.type === "stop" || request.type === "take_profit") this.#asked.set(request.clientOrderId, request.type)
    const { symbol, side, type, ...rest } = orderParams(request, rules)
    const { result } = await this.#session.change(
      request.leg === "entry" ? PLACE_ENTRY : PLACE_EXIT,
      Math.min(PLACE_WAIT_MAX_MS, request.receiveWindowMs / 2),
      (client) =>
        // Symbol, side and type first, as in Binance's examples; the connector writes them again where they are.
        client.newOrder(request.symbol, String(side), String(type), {
          symbol,
          side,
          type,
          ...rest,
          timestamp: this.#session.signedTime(request.timestampMs),
        }),
    )
    if (result._tag === "Refused") return asRace(result, request)
    if (result._tag !== "Success") return result._tag === "Unknown" ? result : unknown("UNREADABLE_ANSWER")
    const { body, text: reply } = result.answer
    const order = isObject(body) ? decodeOrder(body, reply) : undefined
    if (order === undefined || !isObject(body)) return unknown("UNREADABLE_ANSWER")
    const fills = decodePlacementFills(body, rules)
    this.#fills.add(order.symbol, order.venueOrderId, fills)
    const told = this.#told(order)
    this.#stream.expectNews(request.clientOrderId)
    return accepted({ clientOrderId: request.clientOrderId, venueOrderId: told.venueOrderId, order: told, reply })
  }

  async placeOco(request: OcoRequest): Promise<Outcome<OcoAcknowledgement>> {
    if (request.market !== "spot") return wrongMarket()
    const rules = this.#session.rulesOf(request.symbol)
    this.#asked.set(request.stop.clientOrderId, "stop")
    const { symbol, side, quantity, aboveType, belowType, ...rest } = ocoParams(request, rules)
    const { result } = await this.#session.change(PLACE_OCO, Math.min(PLACE_WAIT_MAX_MS, request.receiveWindowMs / 2), (client) =>
      client.newOCOOrder(request.symbol, String(side), String(quantity), String(aboveType), String(belowType), {
        symbol,
        side,
        quantity,
        aboveType,
        belowType,
        ...rest,
        timestamp: this.#session.signedTime(request.timestampMs),
      }),
    )
    if (result._tag === "Refused") return asPassed(result)
    if (result._tag !== "Success") return result._tag === "Unknown" ? result : unknown("UNREADABLE_ANSWER")
    const { listId, leg, reply } = this.#list(result.answer)
    const stop = leg(request.stop.clientOrderId)
    const target = leg(request.target.clientOrderId)
    if (stop === undefined || target === undefined) return unknown("UNREADABLE_ANSWER")
    for (const order of [stop, target]) this.#stream.expectNews(order.clientOrderId)
    return accepted({ listId, stop, target, reply })
  }

  async placeOtoco(request: OtocoRequest): Promise<Outcome<OtocoAcknowledgement>> {
    const { entry: working } = request
    if (working.market !== "spot") return wrongMarket()
    this.#asked.set(request.stop.clientOrderId, "stop")
    const params = otocoParams(request, this.#session.rulesOf(working.symbol))
    const { result } = await this.#session.change(PLACE_OTOCO, Math.min(PLACE_WAIT_MAX_MS, working.receiveWindowMs / 2), (client) =>
      client.signRequest("POST", "/api/v3/orderList/otoco", { ...params, timestamp: this.#session.signedTime(working.timestampMs) }),
    )
    if (result._tag !== "Success") return result._tag === "NothingToChange" ? unknown("UNREADABLE_ANSWER") : result
    const { listId, leg, reply } = this.#list(result.answer)
    const entry = leg(working.clientOrderId)
    const stop = leg(request.stop.clientOrderId)
    const target = leg(request.target.clientOrderId)
    if (entry === undefined || stop === undefined || target === undefined) return unknown("UNREADABLE_ANSWER")
    this.#stream.expectNews(entry.clientOrderId)
    return accepted({ listId, entry, stop, target, reply })
  }

  /** What a list's answer says of its orders. */
  #list(answer: { readonly body: unknown; readonly text: string }): {
    readonly listId: VenueOrderId
    readonly leg: (clientOrderId: string) => VenueOrder | undefined
    readonly reply: string
  } {
    const { body, text: reply } = answer
    const reports = isObject(body) ? objects(field(body, "orderReports")) : []
    const leg = (clientOrderId: string): VenueOrder | undefined => {
      const row = reports.find((report) => text(report, "clientOrderId") === clientOrderId)
      const order = row === undefined ? undefined : decodeOrder(row, reply)
      return order === undefined ? undefined : this.#told(order)
    }
    return { listId: ((isObject(body) ? id(body, "orderListId") : undefined) ?? "") as VenueOrderId, leg, reply }
  }

  async cancel(symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Outcome<VenueOrder>> {
    if (market !== "spot") return wrongMarket()
    const { result } = await this.#session.change(CANCEL, CANCEL_WAIT_MS, (client) =>
      client.cancelOrder(symbol, { symbol, origClientOrderId: clientOrderId, recvWindow: this.#window }),
    )
    if (result._tag !== "Success") return result._tag === "NothingToChange" ? unknown("UNREADABLE_ANSWER") : result
    const { body, text: reply } = result.answer
    const order = isObject(body) ? decodeOrder(reportOf(body, clientOrderId), reply) : undefined
    return order === undefined ? unknown("UNREADABLE_ANSWER") : accepted(this.#told(order))
  }

  // ---- questions

  async query(symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Read<VenueOrder | undefined>> {
    if (market !== "spot") return known(undefined)
    const found = await this.#order(symbol, { origClientOrderId: clientOrderId })
    if (found._tag !== "Known" || found.value === undefined) return found
    const order = this.#told(found.value)
    if (order.filledQuantity === "0" || order.fills !== undefined) return known(order)
    const fills = await this.#trades(symbol, order.venueOrderId)
    if (fills._tag !== "Known") return known(order)
    const complete = this.#fills.complete(order)
    return known(complete === undefined ? order : withFills(order, complete))
  }

  async openOrders(symbol?: string, market?: Market): Promise<Read<readonly VenueOrder[]>> {
    if (market !== undefined && market !== "spot") return known([])
    const answer = await this.#session.question(WEIGHT.openOrders(symbol), (client) =>
      client.openOrders({ symbol, recvWindow: this.#window }),
    )
    if (answer._tag !== "Answer") return answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER")
    const orders = openRows(answer.answer.body, "clientOrderId", decodeOrder)
    return orders === undefined ? unknown("UNREADABLE_ANSWER") : known(orders.map((order) => this.#told(order)))
  }

  async fills(
    symbol: string,
    market: Market,
    order: { readonly clientOrderId: ClientOrderId; readonly venueOrderId?: VenueOrderId },
  ): Promise<Read<readonly Fill[]>> {
    if (market !== "spot") return known([])
    if (order.venueOrderId !== undefined) return this.#trades(symbol, order.venueOrderId)
    const found = await this.#order(symbol, { origClientOrderId: order.clientOrderId })
    if (found._tag !== "Known") return found
    return found.value === undefined ? known([]) : this.#trades(symbol, found.value.venueOrderId)
  }

  async balances(): Promise<Read<readonly Balance[]>> {
    const answer = await this.#session.question(WEIGHT.account, (client) =>
      client.account({ omitZeroBalances: "true", recvWindow: this.#window }),
    )
    if (answer._tag !== "Answer") return answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER")
    const { body } = answer.answer
    const rows = isObject(body) ? field(body, "balances") : undefined
    if (!Array.isArray(rows)) return unknown("UNREADABLE_ANSWER")
    const balances: Balance[] = []
    for (const row of rows) {
      if (!isObject(row)) return unknown("UNREADABLE_ANSWER")
      const asset = text(row, "asset")
      const free = decimal(row, "free")
      const locked = decimal(row, "locked")
      // Half an account is no answer.
      if (asset === undefined || free === undefined || locked === undefined) return unknown("UNREADABLE_ANSWER")
      balances.push({ asset, free, locked })
    }
    return known(balances)
  }
  async positions(): Promise<Read<readonly Position[]>> {
    return known([])
  }
  price(symbol: string, market: Market) {
    return market === "spot" ? this.#session.price(symbol) : undefined
  }
  observePrice(): void {
    // The exchange has prices of its own.
  }
  subscribe(listener: Parameters<Venue["subscribe"]>[0]): () => void {
    return this.#stream.subscribe(listener)
  }
  async close(): Promise<void> {
    this.#stream.stop()
    this.#session.close()
  }

  // ---- inside

  get #window(): string {
    return String(this.#session.receiveWindowMs)
  }

  /** The order as the port tells it: our own name of its type, and its fills when all are known. */
  #told(order: VenueOrder): VenueOrder {
    const named = asAsked(order, this.#asked.get(order.clientOrderId))
    const complete = named.filledQuantity === "0" ? undefined : this.#fills.complete(named)
    return complete === undefined ? named : withFills(named, complete)
  }

  async #order(symbol: string, by: Readonly<Record<string, string>>): Promise<Read<VenueOrder | undefined>> {
    const answer = await this.#session.question(WEIGHT.query, (client) =>
      client.getOrder(symbol, { symbol, ...by, recvWindow: this.#window }),
    )
    if (answer._tag === "Absent") return known(undefined)
    if (answer._tag === "Unknown") return answer
    const { body, text: raw } = answer.answer
    const order = isObject(body) ? decodeOrder(body, raw) : undefined
    return order === undefined ? unknown("UNREADABLE_ANSWER") : known(order)
  }

  async #trades(symbol: string, venueOrderId: VenueOrderId): Promise<Read<readonly Fill[]>> {
    const read = await readTrades(this.#session.symbols.get(symbol), (fromId) =>
      this.#session.question(WEIGHT.tradesOfOrder, (client) =>
        client.myTrades(symbol, { symbol, orderId: venueOrderId, fromId, limit: "1000", recvWindow: this.#window }),
      ),
    )
    if (read._tag !== "Known") return read
    this.#fills.add(symbol, venueOrderId, read.value)
    return known(sortFills(read.value))
  }

  #hear(message: string): void {
    const read = readMessage(message)
    if (read._tag !== "Event" && !isBroken(message)) return
    const event: SpotEvent =
      read._tag === "Event"
        ? decodeSpotEvent(read.event, (symbol) => this.#session.symbols.get(symbol))
        : { _tag: "Unreadable", what: "message" }
    switch (event._tag) {
      case "Order": {
        this.#stream.hasNews(event.order.clientOrderId)
        if (event.fill !== undefined) this.#fills.add(event.order.symbol, event.order.venueOrderId, [event.fill])
        if (!this.#stream.isNew(event.key)) return
        const order = this.#told(event.order)
        this.#stream.emit(event.fill === undefined ? { _tag: "Order", order } : { _tag: "Order", order, fill: event.fill })
        return
      }
      case "Balance":
        this.#stream.emit({ _tag: "Balance" })
        return
      case "Terminated":
        this.#stream.reconnect("the exchange ended the subscription")
        return
      case "Shutdown":
        this.#stream.rotate("the exchange announced a shutdown")
        return
      case "Unreadable":
        this.#session.trouble("error", "STREAM_EVENT", `unreadable ${event.what}`)
        this.#stream.gap(`unreadable ${event.what}`)
        return
      case "Ignored":
    }
  }
}

/** A cancel of one leg answers with the whole list: ours is among its reports. */
const reportOf = (body: JsonObject, clientOrderId: string): JsonObject =>
  objects(field(body, "orderReports")).find((report) => text(report, "origClientOrderId") === clientOrderId) ?? body

/** A market exit that exceeds the balance: there is nothing (or less) to sell any more. What is there has to be asked for. */
const asRace = (outcome: Refused, request: PlaceRequest): Refused =>
  outcome.class === "balance" && request.reduceOnly && request.side === "sell" && request.type === "market"
    ? { ...outcome, class: "race" }
    : outcome

/** A list's target would trade at once: its price is passed, as a stop's that would trigger. */
const asPassed = (outcome: Refused): Refused =>
  outcome.class === "fatal" && /would immediately match/i.test(outcome.message) ? { ...outcome, class: "wouldTrigger" } : outcome

const wrongMarket = (): Refused => refused("fatal", "WRONG_MARKET", "this venue trades spot only")

/** `userDataStream.subscribe.signature` on a connection of its own. */
const protocolOf = (session: Session<SpotConnector>, url: string): StreamProtocol => {
  const { credentials } = session.options
  const sign = signerOf(credentials)
  return {
    // A connection is a request too: none is made while the exchange wants silence.
    url: async () => (session.isSilent ? undefined : url),
    greeting: () => {
      const timestamp = String(session.signedTime(session.clock.nowMs()))
      const params = signedSocketParams({ apiKey: credentials.apiKey, recvWindow: String(session.receiveWindowMs), timestamp }, sign)
      return JSON.stringify({
        id: `user-${timestamp}`,
        method: "userDataStream.subscribe.signature",
        params: { ...params, timestamp: Number(timestamp), recvWindow: session.receiveWindowMs },
      })
    },
    classify: (message) => {
      const read = readMessage(message)
      switch (read._tag) {
        case "Subscribed":
          return "ready"
        case "Event":
          return "event"
        case "Refused":
          if (read.limit !== undefined) session.gateway.limited(read.limit.status, read.limit.untilMs)
          session.trouble("error", read.code, "the user data subscription was refused")
          return "dead"
        case "Other":
          return isBroken(message) ? "event" : "handled"
      }
    },
  }
}
