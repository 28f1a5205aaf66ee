/**
 * The paper venue: the Venue port over one SQLite file, for simulation, tests and measurements.
 *
 * Promises: acknowledges first and fills later, like a real exchange; checks the signed time and the exchange's filters by
 * itself; never forgets or doubles an order, a fill or a balance, whatever process is killed when; several processes of one
 * machine share the file; client ids are unique among live orders only (a second order with the id of one that is over is
 * accepted: that hazard is real). No method rejects.
 *
 * Deviations from Binance, on purpose: one wallet serves both markets; leverage is 1; one price per symbol, unlimited
 * liquidity; reduce-only sells are accepted on spot and lock nothing, unless `spotLists` is set (then the stop and target of
 * a lot are an order list, as there); counts of open orders are not limited unless `orderCounts` is set.
 */
import { canonical, dec, gt, known, lt, refused, unknown } from "@petrosa/contracts"
import type { ClientOrderId, DecimalString, Fill, Market, MarketPrice, Outcome, Read, Refused, SymbolRules } from "@petrosa/contracts"
import { bundledRules } from "../symbols/bundled.ts"
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
  VenueEvent,
  VenueOrder,
} from "../venue.ts"
import type { FoundOrder, PaperBooks } from "./books.ts"
import { BySymbol } from "./bySymbol.ts"
import { isBusy, openDatabase } from "./database.ts"
import { PaperExchange } from "./exchange.ts"
import { concerns } from "./faults.ts"
import type { Faults } from "./faults.ts"
import type { Ledger } from "./ledger.ts"
import { marksOf } from "./lists.ts"
import { MemoryBooks } from "./memoryBooks.ts"
import { SqliteBooks } from "./sqliteBooks.ts"
import { Tail } from "./tail.ts"
import { Turns } from "./turns.ts"

export interface PaperOptions {
  /** The SQLite file, made when it is not there; `:memory:` for a venue of this process alone. */
  readonly file: string
  /** Written once, at the creation of the file. Default `"10000"`. */
  readonly startingBalance?: string
  /** Default `USDT`. */
  readonly startingAsset?: string
  /** Of every trade, in quote. Default `"0.001"`. */
  readonly feeRate?: string
  /** From acceptance to execution. Default 0: right after the acknowledgement. */
  readonly fillDelayMs?: number
  /** The way there and back together. Default 0. */
  readonly latencyMs?: number
  /**
   * Spot as Binance has it: stop and target are one list, an entry may go with its bracket, and what sells reserves what it
   * sells. Default false: stop and target are orders of their own that reserve nothing. It is the manner in which this process
   * places; lists that are in the file are followed by every process.
   */
  readonly spotLists?: boolean
  /** Enforce the exchange's counts of open orders. Default false: a paper account may hold any number. */
  readonly orderCounts?: boolean
  /** `off`: no fsync at all; after a loss of power the file may be unreadable. Default `normal`. Neither matters to a `kill -9`. */
  readonly sync?: "normal" | "off"
  /** How often other processes' events are looked for. Default 20. */
  readonly pollMs?: number
  /** Default: the bundled table. */
  readonly rulesOf?: (symbol: string, market: Market) => SymbolRules | undefined
  /** The venue's clock. Default `Date.now`. */
  readonly now?: () => number
  /** Something failed that no caller waits for (the file cannot be read, a due execution threw). Default: a process warning. */
  readonly onTrouble?: (error: unknown) => void
}

export interface PaperVenue extends Venue {
  /** Moves the market by hand: resting orders fill, triggers fire, before this resolves. */
  setPrice(symbol: string, market: Market, price: string): Promise<void>
  /** A price of a real market: as {@link setPrice}, with its own source and time. Rejects when it could not be taken. */
  follow(price: MarketPrice, market: Market): Promise<void>
  /** Changes the named faults, for every process that has the file open, and over restarts. */
  setFaults(change: Partial<Faults>): Promise<void>
  faults(): Faults
  /** Every order and fill, ever. */
  ledger(): Ledger
}

/** After an execution that threw, none is tried for so long. */
const WORK_PAUSE_MS = 1_000

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Opens the venue. Throws when the file cannot be opened. Whatever executions are due in it are carried out. */
export const openPaperVenue = (options: PaperOptions): PaperVenue => {
  const now = options.now ?? Date.now
  const rulesOf = options.rulesOf ?? ((symbol: string, market: Market) => bundledRules(market).get(symbol))
  const starting = { asset: options.startingAsset ?? "USDT", amount: canonical(options.startingBalance ?? "10000") }
  const shared = options.file !== ":memory:"
  const books: PaperBooks = shared
    ? new SqliteBooks(openDatabase(options.file, options.sync ?? "normal", starting), rulesOf)
    : new MemoryBooks(rulesOf, starting)
  const spotLists = options.spotLists ?? false
  const exchange = new PaperExchange(books, {
    feeRate: canonical(options.feeRate ?? "0.001"),
    fillDelayMs: options.fillDelayMs ?? 0,
    orderCounts: options.orderCounts ?? false,
    spotLists,
    rulesOf,
    now,
  })
  /** With its place in its list. */
  const complete = (order: VenueOrder, market: Market): VenueOrder => {
    const listed = spotLists && market === "spot" ? books.listed(Number(order.venueOrderId)) : undefined
    return listed === undefined ? order : { ...order, ...marksOf(listed) }
  }
  const tail = new Tail(books, complete)
  const prices = new BySymbol<MarketPrice>()
  /** Prices that are in the queue. */
  let pricesWaiting = 0
  let eventsWaiting = false
  let dueTimer: NodeJS.Timeout | undefined
  let closed = false

  const loadPrices = (): void => {
    for (const { market, price } of books.prices()) prices.set(market, price.symbol, price)
  }
  const lookAround = (): boolean => {
    if (!books.othersWrote()) return false
    exchange.forget()
    loadPrices()
    return true
  }
  let workPausedUntilMs = 0
  const workDue = (): boolean => {
    const due = exchange.nextDueMs()
    const nowMs = now()
    return due !== undefined && due <= nowMs && nowMs >= workPausedUntilMs
  }
  const trouble = options.onTrouble ?? ((error: unknown) => process.emitWarning(`paper venue: ${String(error)}`))

  const turns: Turns = new Turns(books, {
    now,
    before: () => {
      eventsWaiting = tail.deliver(exchange.faults, now())
    },
    begin: () => {
      lookAround()
    },
    workDue,
    work: () => {
      eventsWaiting = true
      if (workDue()) exchange.runDue()
    },
    workFailed: (error) => {
      workPausedUntilMs = now() + WORK_PAUSE_MS
      trouble(error)
    },
    trouble,
    rolledBack: () => exchange.forget(),
    after: () => {
      if (eventsWaiting || workDue()) turns.wake()
      else armDueTimer()
    },
  })

  /** Executions that are due later, and events that are delivered later. */
  const armDueTimer = (): void => {
    clearTimeout(dueTimer)
    const due = exchange.nextDueMs()
    if (due === undefined || closed) return
    dueTimer = setTimeout(() => turns.wake(), Math.min(Math.max(due - now(), workPausedUntilMs - now(), 1), 60_000))
    dueTimer.unref()
  }

  const poll = setInterval(() => {
    try {
      if (lookAround() || exchange.faults.lateEventsMs > 0) turns.wake()
    } catch (error) {
      if (!isBusy(error)) trouble(error)
    }
  }, options.pollMs ?? 20)
  poll.unref()

  /** Half of the way, there or back; `undefined` when it takes no time: then a request is in the queue before `place` returns. */
  const travel = (): Promise<void> | undefined => {
    const halfMs = ((options.latencyMs ?? 0) + exchange.faults.slowMs) / 2
    return halfMs > 0 ? sleep(halfMs) : undefined
  }

  const unavailable = (error: unknown): Refused =>
    refused("retry", "PAPER_UNAVAILABLE", error instanceof Error ? error.message : String(error))

  /** Once executed, a failure on the way back must not deny it. */
  const home = <A>(executed: A): A | Promise<A> => {
    try {
      const back = travel()
      return back === undefined ? executed : back.then(() => executed)
    } catch {
      return executed
    }
  }
  const way = { home, instead: unavailable }

  /** Without latency nothing is waited for but the turn itself. */
  const change = <A>(run: () => Outcome<A>): Promise<Outcome<A>> => {
    try {
      const there = travel()
      return there === undefined ? turns.enqueue(run, way) : there.then(() => turns.enqueue(run, way))
    } catch (error) {
      return Promise.resolve(unavailable(error))
    }
  }

  const ask = async <A>(question: () => A): Promise<Read<A>> => {
    if (closed) return unknown("CLOSED")
    try {
      await travel()
      const { loseReply, dropRequest } = exchange.faults
      if (concerns(loseReply, "query") || concerns(dropRequest, "query")) {
        const lost = await turns.enqueue(() => exchange.hit("dropRequest", "query") || exchange.hit("loseReply", "query"))
        if (lost) return unknown("TIMEOUT")
      }
      const value = question()
      await travel()
      return known(value)
    } catch (error) {
      return unknown(error instanceof Error ? error.message : String(error))
    }
  }

  const moved = (): void => {
    pricesWaiting -= 1
  }
  const move = (price: MarketPrice, market: Market): Promise<void> => {
    pricesWaiting += 1
    const turn = turns.enqueue(() => exchange.setPrice(market, price))
    turn.then(moved, moved)
    return turn
  }

  let lookedAtMs = -1
  /**
   * Whether a price is no news, so that nothing needs to be done: most signals bring the price of the one before. While another
   * price is on its way, or when the file cannot be looked at, the turn decides. What others wrote is looked for once in a
   * millisecond: two prices that two processes take in the same one have no order.
   */
  const isKnownPrice = (price: MarketPrice, market: Market): boolean => {
    if (pricesWaiting > 0) return false
    try {
      const nowMs = shared ? Math.floor(performance.now()) : lookedAtMs
      if (nowMs !== lookedAtMs) {
        lookedAtMs = nowMs
        // Others' events are told, and their prices known, as if the turn had come across them.
        if (lookAround()) turns.wake()
      }
      return exchange.isKnownPrice(market, price)
    } catch {
      return false
    }
  }

  /** An order that the venue does not tell of yet (fault `notFoundForMs`). */
  const hidden = (order: FoundOrder): boolean => now() - order.placedAtMs < exchange.faults.notFoundForMs

  const venue: PaperVenue = {
    name: "paper",
    mode: "simulation",
    markets: ["spot", "futures"],
    bracketStyle: spotLists ? "oco" : "legs",
    canShort: (market) => market === "futures",
    absenceProofMs: 2_000,

    rules: rulesOf,
    place: (request: PlaceRequest): Promise<Outcome<Acknowledgement>> => change(() => exchange.place(request)),
    ...(spotLists
      ? {
          placeOco: (request: OcoRequest): Promise<Outcome<OcoAcknowledgement>> => change(() => exchange.placeOco(request)),
          placeOtoco: (request: OtocoRequest): Promise<Outcome<OtocoAcknowledgement>> => change(() => exchange.placeOtoco(request)),
        }
      : {}),
    cancel: (symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Outcome<VenueOrder>> =>
      change(() => exchange.cancel(symbol, market, clientOrderId)),
    query: (symbol, market, clientOrderId): Promise<Read<VenueOrder | undefined>> =>
      ask(() => {
        const found = books.findOrder(symbol, market, clientOrderId)
        return found === undefined || hidden(found) ? undefined : { ...complete(found.order, market), fills: books.fillsOf(found.id) }
      }),
    openOrders: (symbol, market): Promise<Read<readonly VenueOrder[]>> =>
      ask(() => books.openOrders(symbol, market).flatMap((found) => (hidden(found) ? [] : [complete(found.order, found.market)]))),
    fills: (symbol, market, order): Promise<Read<readonly Fill[]>> =>
      ask(() => {
        const found = books.findOrder(symbol, market, order.clientOrderId, order.venueOrderId)
        return found === undefined || hidden(found) ? [] : books.fillsOf(found.id)
      }),
    balances: (): Promise<Read<readonly Balance[]>> => ask(() => books.balances()),
    positions: (): Promise<Read<readonly Position[]>> => ask(() => books.positions()),
    price: (symbol, market) => prices.get(market, symbol),

    observePrice: (price, market) => {
      const rules = rulesOf(price.symbol, market)
      if (closed || rules === undefined) return
      const isKnown = isKnownPrice(price, market)
      // A price that no order may have is somebody's slip (another symbol's, a wrong unit): it must not trigger every stop.
      if (!isKnown && !isPossible(price.price, rules)) return
      prices.set(market, price.symbol, price)
      // What cannot be written now is told by the requests that follow; a price alone has nobody to tell.
      if (!isKnown) move(price, market).catch(() => undefined)
    },
    follow: async (price, market) => {
      if (rulesOf(price.symbol, market) === undefined || closed) return
      await move(price, market)
      prices.set(market, price.symbol, price)
    },
    setPrice: async (symbol, market, text) => {
      if (rulesOf(symbol, market) === undefined) throw new RangeError(`${symbol} is not known on ${market}`)
      const price: MarketPrice = { symbol, price: positive(text), source: "hand", atMs: now() }
      await move(price, market)
      prices.set(market, symbol, price)
    },
    setFaults: (faults) => turns.enqueue(() => exchange.setFaults(faults)),
    faults: () => {
      lookAround()
      return exchange.faults
    },
    ledger: () => books.ledger(),

    subscribe: (listener: (event: VenueEvent) => void) => {
      const stop = tail.subscribe(listener)
      listener({ _tag: "Gap", reason: "subscribed" })
      return stop
    },
    close: async () => {
      if (closed) return
      clearInterval(poll)
      clearTimeout(dueTimer)
      turns.close()
      closed = true
      books.close()
    },
  }

  loadPrices()
  if (workDue()) turns.wake()
  else armDueTimer()
  return venue
}

/** Whether an order of the symbol may have this price; a bound of 0 is none. */
const isPossible = (text: DecimalString, { price: { min, max } }: SymbolRules): boolean => {
  const price = dec(text)
  return !lt(price, dec(min)) && (max === "0" || !gt(price, dec(max)))
}

const positive = (text: string): DecimalString => {
  const value = canonical(text)
  if (value === "0" || value.startsWith("-")) throw new RangeError(`a price is greater than zero, not ${text}`)
  return value
}
