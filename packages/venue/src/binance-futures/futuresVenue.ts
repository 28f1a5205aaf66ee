/**
 * Binance USDⓈ-M futures behind the Venue port: start, account, user stream. Orders are the desk's (desk.ts).
 *
 * Promises: `place` sends one placement, signed with the caller's time, and never sends it twice; ids are text, money exact;
 * what Binance says becomes an Outcome by the table in outcomes.ts; no method rejects; no secret leaves in an answer or an
 * error; the listen key is never deleted. Refused at start: clocks further apart than 500 ms, a key that may not trade, a
 * position mode other than the one that is asked for.
 *
 * Protective legs are quantity + reduce-only (hedge mode: position side), so that several lots of a symbol keep their own. A
 * resting algo order stays when its position is gone: its owner cancels it.
 */
import { gte, known, max, sub, dec, str, unknown } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Fill, Market, Outcome, Read, SymbolRules, VenueOrderId } from "@petrosa/contracts"
import { refused } from "@petrosa/contracts"
import { accountProblem, mayTrade } from "../binance/account.ts"
import type { AccountFacts } from "../binance/account.ts"
import { futuresClient } from "../binance/client.ts"
import type { FuturesConnector } from "../binance/connectors.ts"
import { decimal, field, isBroken, isObject, text } from "../binance/exactJson.ts"
import { neverReject } from "../binance/neverReject.ts"
import { BoundedMap } from "../binance/seen.ts"
import { Session, notStarted } from "../binance/session.ts"
import type { BinanceOptions, NotStarted } from "../binance/session.ts"
import { UserStream } from "../binance/userStream.ts"
import type { Acknowledgement, Balance, PlaceRequest, Position, Venue, VenueOrder } from "../venue.ts"
import { FuturesDesk } from "./desk.ts"
import { CONFIGURE, FUTURES_ENDPOINTS, FUTURES_HOSTS, USER_STREAM_URL, WEIGHT } from "./endpoints.ts"
import { decodeFuturesEvent, readEvent } from "./events.ts"
import type { FuturesEvent } from "./events.ts"
import { RENEW_EVERY_MS, listenKeyProtocol } from "./listenKey.ts"
import type { KeyedProtocol } from "./listenKey.ts"
import { decodePosition } from "./orders.ts"
import type { PositionMode, TriggerSettings } from "./orders.ts"

export interface FuturesOptions extends BinanceOptions {
  /** Base URL of the stream host; default: Binance's own of the mode. */
  readonly socketUrl?: string
  /** Where the user stream is, with `{base}` and `{listenKey}`; default {@link USER_STREAM_URL}. */
  readonly userStreamUrl?: string
  /** FUTURES_STOP_TRIGGER, FUTURES_TARGET_TRIGGER. Default: mark price for stops, contract price for targets. */
  readonly triggers?: TriggerSettings
  /** FUTURES_LEVERAGE: set per symbol before its first entry; unset: left as it is. */
  readonly leverage?: number
  /** FUTURES_MARGIN_TYPE. */
  readonly marginType?: "isolated" | "crossed"
  /** Refuse to start in any other position mode. Unset: whatever the account has. */
  readonly positionMode?: PositionMode
}

/** No frame for so long: the stream is dead. Futures ping every 3 minutes. */
const SILENCE_MS = 300_000
const ORPHANS_MAX = 1_000

export type FuturesStart = { readonly _tag: "Started"; readonly venue: Venue; readonly account: AccountFacts } | NotStarted

/** Opens the venue: clock, symbols, position mode, permission, user stream. Never rejects. */
export const openBinanceFutures = async (options: FuturesOptions): Promise<FuturesStart> => {
  const hosts = FUTURES_HOSTS[options.mode]
  if (options.credentials.kind !== "hmac") return notStarted("CREDENTIALS", "the futures connector signs with HMAC keys only")
  const session = new Session(options, FUTURES_ENDPOINTS, (make) =>
    futuresClient({
      ...make,
      baseUrl: (options.restUrl ?? hosts.rest).replace(/\/$/, ""),
      credentials: options.credentials,
      timeoutMs: options.timeoutMs ?? 10_000,
    }),
  )
  const end = (failure: NotStarted): NotStarted => {
    session.close()
    return failure
  }
  const failed = (await session.start()) ?? (await permission(session))
  if (failed !== undefined) return end(failed)
  const mode = await readPositionMode(session)
  if (mode._tag === "Unknown") return end(accountProblem(session, "the position mode cannot be read", mode))
  if (options.positionMode !== undefined && options.positionMode !== mode.value)
    return end(notStarted("POSITION_MODE", `the account is in ${mode.value} mode, not in ${options.positionMode} mode`))
  const account: AccountFacts = {
    feeRate: await readCommission(session),
    baseFeeRate: "0" as DecimalString,
    positionMode: mode.value === "hedge" ? "hedge" : "one-way",
  }
  const venue = new FuturesVenue(session, options, mode.value, options.socketUrl ?? hosts.socket)
  if (!(await venue.start(options.streamStartMs ?? 10_000)))
    session.trouble("warn", "STREAM_LOST", "the user data stream is not there yet; orders are followed by asking")
  const tell = (method: string, error: unknown): void =>
    session.trouble("error", "ADAPTER_ERROR", `${method}: ${error instanceof Error ? error.message : "threw"}`)
  return { _tag: "Started", venue: neverReject(venue, tell), account }
}

const permission = async (session: Session<FuturesConnector>): Promise<NotStarted | undefined> => {
  const answer = await session.question(WEIGHT.accountConfig, (client) =>
    client.signRequest("GET", "/fapi/v1/accountConfig", { recvWindow: String(session.receiveWindowMs) }),
  )
  if (answer._tag !== "Answer")
    return accountProblem(session, "the account cannot be read", answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER"))
  const { body } = answer.answer
  if (!isObject(body)) return notStarted("UNREADABLE", "the account's answer cannot be read")
  if (field(body, "canTrade") === false) return notStarted("PERMISSION", "the account may not trade on futures")
  return mayTrade(session, "/fapi/v1/order/test")
}

/** What everybody pays who takes, without any discount: 0.05 %. */
const FEE_RATE = "0.0005" as DecimalString

/** The account's commission as taker (of one symbol: it depends on the quote asset, hardly on the symbol); at least the common one. */
const readCommission = async (session: Session<FuturesConnector>): Promise<DecimalString> => {
  const symbol = session.symbols.has("BTCUSDT") ? "BTCUSDT" : [...session.symbols.keys()][0]
  const answer = await session.question(WEIGHT.commissionRate, (client) =>
    client.signRequest("GET", "/fapi/v1/commissionRate", { symbol, recvWindow: String(session.receiveWindowMs) }),
  )
  const taker = answer._tag === "Answer" && isObject(answer.answer.body) ? decimal(answer.answer.body, "takerCommissionRate") : undefined
  return taker === undefined ? FEE_RATE : str(max(dec(taker), dec(FEE_RATE)))
}

const readPositionMode = async (session: Session<FuturesConnector>): Promise<Read<PositionMode>> => {
  const answer = await session.question(WEIGHT.positionMode, (client) =>
    client.getPositionMode({ recvWindow: String(session.receiveWindowMs) }),
  )
  if (answer._tag !== "Answer") return answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER")
  const { body } = answer.answer
  const dual = isObject(body) ? field(body, "dualSidePosition") : undefined
  return typeof dual === "boolean" ? known(dual ? "hedge" : "oneWay") : unknown("UNREADABLE_ANSWER")
}

class FuturesVenue implements Venue {
  readonly name = "binance-futures"
  readonly markets: readonly Market[] = ["futures"]
  readonly bracketStyle = "legs"
  /** Receive window (≤ 5 s here) + 12 s, at least a minute (binance.md 6.1, 6.2). */
  readonly absenceProofMs = 60_000
  readonly #session: Session<FuturesConnector>
  readonly #options: FuturesOptions
  readonly #desk: FuturesDesk
  readonly #protocol: KeyedProtocol
  readonly #stream: UserStream<FuturesConnector>
  #mode: PositionMode
  /** Events of orders that may turn out to be children of our algo orders: the ALGO_UPDATE may come later. */
  readonly #orphans = new BoundedMap<string, readonly Extract<FuturesEvent, { readonly _tag: "Order" }>[]>(ORPHANS_MAX)
  readonly #configured = new Map<string, Promise<Outcome<true>>>()

  constructor(session: Session<FuturesConnector>, options: FuturesOptions, mode: PositionMode, socketUrl: string) {
    this.#session = session
    this.#options = options
    this.#mode = mode
    this.#desk = new FuturesDesk(session, options.triggers ?? { stop: "MARK_PRICE", target: "CONTRACT_PRICE" }, () => this.#mode)
    this.#protocol = listenKeyProtocol(session, socketUrl, options.userStreamUrl ?? USER_STREAM_URL)
    this.#stream = new UserStream(session, this.#protocol, SILENCE_MS, (message) => this.#hear(message))
    session.onEffect((effect) => {
      if (effect === "reloadPositionMode") void this.#reloadMode()
    })
  }
  async start(withinMs: number): Promise<boolean> {
    this.#session.every(RENEW_EVERY_MS, () => {
      void this.#protocol.renew().then((alive) => {
        if (!alive) this.#stream.reconnect("the listen key had died")
      })
    })
    return this.#stream.start(withinMs)
  }
  async #reloadMode(): Promise<void> {
    const mode = await readPositionMode(this.#session)
    if (mode._tag !== "Known" || mode.value === this.#mode) return
    this.#session.trouble("error", "POSITION_MODE", `the account's position mode was changed to ${mode.value}`)
    this.#mode = mode.value
  }
  get mode(): "testnet" | "live" {
    return this.#options.mode
  }
  canShort(market: Market): boolean {
    return market === "futures"
  }
  rules(symbol: string, market: Market): SymbolRules | undefined {
    return market === "futures" ? this.#session.rulesOf(symbol) : undefined
  }

  async place(request: PlaceRequest): Promise<Outcome<Acknowledgement>> {
    if (request.market !== "futures") return refused("fatal", "WRONG_MARKET", "this venue trades USDⓈ-M futures only")
    if (request.leg === "entry") {
      const ready = await this.#configure(request.symbol)
      if (ready._tag === "Refused") return ready
      // Not the order: it did not leave. What became of the setting is unknown, and is asked again with the next entry.
      if (ready._tag === "Unknown") return refused("retry", "SYMBOL_NOT_CONFIGURED", `leverage or margin type: ${ready.reason}`)
    }
    const outcome = await this.#desk.place(request)
    if (outcome._tag === "Accepted") this.#stream.expectNews(request.clientOrderId)
    return outcome
  }
  async cancel(symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Outcome<VenueOrder>> {
    if (market !== "futures") return refused("fatal", "WRONG_MARKET", "this venue trades USDⓈ-M futures only")
    return this.#desk.cancel(symbol, clientOrderId)
  }
  async query(symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Read<VenueOrder | undefined>> {
    return market === "futures" ? this.#desk.query(symbol, clientOrderId) : known(undefined)
  }
  async openOrders(symbol?: string, market?: Market): Promise<Read<readonly VenueOrder[]>> {
    return market === undefined || market === "futures" ? this.#desk.openOrders(symbol) : known([])
  }
  async fills(
    symbol: string,
    market: Market,
    order: { readonly clientOrderId: ClientOrderId; readonly venueOrderId?: VenueOrderId },
  ): Promise<Read<readonly Fill[]>> {
    return market === "futures" ? this.#desk.fillsOf(symbol, order) : known([])
  }

  async balances(): Promise<Read<readonly Balance[]>> {
    const answer = await this.#session.question(WEIGHT.balance, (client) => client.getFuturesAccountBalanceV3({ recvWindow: this.#window }))
    if (answer._tag !== "Answer") return answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER")
    const { body } = answer.answer
    if (!Array.isArray(body)) return unknown("UNREADABLE_ANSWER")
    const balances: Balance[] = []
    for (const row of body) {
      if (!isObject(row)) return unknown("UNREADABLE_ANSWER")
      const asset = text(row, "asset")
      const total = decimal(row, "balance")
      const free = decimal(row, "availableBalance")
      if (asset === undefined || total === undefined || free === undefined) return unknown("UNREADABLE_ANSWER")
      // With unrealised profit more may be free than the wallet holds: then nothing is locked.
      const locked = gte(dec(total), dec(free)) ? str(sub(dec(total), dec(free))) : ("0" as DecimalString)
      balances.push({ asset, free, locked })
    }
    return known(balances)
  }
  async positions(): Promise<Read<readonly Position[]>> {
    const answer = await this.#session.question(WEIGHT.positions, (client) => client.getPositionInformationV3({ recvWindow: this.#window }))
    if (answer._tag !== "Answer") return answer._tag === "Unknown" ? answer : unknown("UNREADABLE_ANSWER")
    const { body } = answer.answer
    if (!Array.isArray(body)) return unknown("UNREADABLE_ANSWER")
    const positions: Position[] = []
    for (const row of body) {
      const position = isObject(row) ? decodePosition(row) : undefined
      if (position === undefined) return unknown("UNREADABLE_ANSWER")
      if (position !== "none") positions.push(position)
    }
    return known(positions)
  }
  price(symbol: string, market: Market) {
    return market === "futures" ? this.#session.price(symbol) : undefined
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

  /** Leverage and margin type of a symbol, once, before its first entry; only what is configured. */
  #configure(symbol: string): Promise<Outcome<true>> {
    const { leverage, marginType } = this.#options
    if (leverage === undefined && marginType === undefined) return Promise.resolve(DONE)
    const before = this.#configured.get(symbol)
    if (before !== undefined) return before
    const setting = this.#set(symbol, leverage, marginType)
    this.#configured.set(symbol, setting)
    void setting.then((outcome) => {
      if (outcome._tag !== "Accepted") this.#configured.delete(symbol)
    })
    return setting
  }
  async #set(symbol: string, leverage: number | undefined, marginType: "isolated" | "crossed" | undefined): Promise<Outcome<true>> {
    if (marginType !== undefined) {
      const { result } = await this.#session.change(CONFIGURE, SETTING_WAIT_MS, (client) =>
        client.changeMarginType(symbol, marginType === "isolated" ? "ISOLATED" : "CROSSED", { recvWindow: this.#window }),
      )
      if (result._tag === "Refused" || result._tag === "Unknown") return result
    }
    if (leverage !== undefined) {
      const { result } = await this.#session.change(CONFIGURE, SETTING_WAIT_MS, (client) =>
        client.changeInitialLeverage(symbol, leverage, { recvWindow: this.#window }),
      )
      if (result._tag === "Refused" || result._tag === "Unknown") return result
    }
    return DONE
  }

  #hear(message: string): void {
    const json = readEvent(message)
    if (json === undefined && !isBroken(message)) return
    const event: FuturesEvent =
      json === undefined ? { _tag: "Unreadable", what: "message" } : decodeFuturesEvent(json, (symbol) => this.#session.symbols.get(symbol))
    switch (event._tag) {
      case "Order":
        this.#hearOrder(event)
        return
      case "Algo":
        this.#hearAlgo(event)
        return
      case "Account":
        this.#stream.emit({ _tag: "Balance" })
        return
      case "ListenKeyExpired":
        this.#stream.reconnect("the listen key expired")
        return
      case "Notice":
        this.#session.trouble("warn", event.what, "the exchange sent a notice about the account")
        return
      case "Unreadable":
        this.#session.trouble("error", "STREAM_EVENT", `unreadable ${event.what}`)
        this.#stream.gap(`unreadable ${event.what}`)
        return
      case "Ignored":
    }
  }

  #hearOrder(event: Extract<FuturesEvent, { readonly _tag: "Order" }>): void {
    if (!this.#stream.isNew(event.key)) return
    const { memory } = this.#desk
    const parent = memory.parentOf(event.order)
    if (parent === undefined && memory.placesOf(event.order.clientOrderId).length > 1) {
      const waiting = this.#orphans.get(event.order.venueOrderId) ?? []
      this.#orphans.set(event.order.venueOrderId, [...waiting, event].slice(-50))
    }
    this.#tell(event)
  }
  #tell(event: Extract<FuturesEvent, { readonly _tag: "Order" }>): void {
    this.#stream.hasNews(event.order.clientOrderId)
    const parent = this.#desk.memory.parentOf(event.order)
    const key = parent === undefined ? event.order.venueOrderId : parent.order.venueOrderId
    if (event.fill !== undefined) this.#desk.fills.add(event.order.symbol, key, [event.fill])
    const order = this.#desk.told(event.order)
    this.#stream.emit(event.fill === undefined ? { _tag: "Order", order } : { _tag: "Order", order, fill: event.fill })
  }

  #hearAlgo(event: Extract<FuturesEvent, { readonly _tag: "Algo" }>): void {
    const hadChild = this.#desk.memory.algo(event.algo.order.clientOrderId)?.childId
    const view = this.#desk.memory.sawAlgo(event.algo)
    this.#stream.hasNews(view.order.clientOrderId)
    if (!this.#stream.isNew(event.key)) return
    if (event.rejectReason !== undefined)
      this.#session.trouble("error", "ALGO_REJECTED", `${view.order.clientOrderId} was refused when it fired: ${event.rejectReason}`)
    // A child that was heard before anybody said whose it is: told again under the right name.
    if (view.childId !== undefined && hadChild === undefined) {
      const waiting = this.#orphans.get(view.childId) ?? []
      this.#orphans.delete(view.childId)
      for (const child of waiting) if (child.order.clientOrderId !== view.order.clientOrderId) this.#tell(child)
    }
    const complete = view.order.filledQuantity === "0" ? undefined : this.#desk.told(view.order)
    this.#stream.emit({ _tag: "Order", order: complete ?? view.order })
  }
}

const SETTING_WAIT_MS = 1_000
const DONE: Outcome<true> = { _tag: "Accepted", value: true }
