/** Given-when-then for the machine: an order that is fed events, follow-ups included, as the engine feeds it. */
import type {
  ClientOrderId,
  Command,
  DecimalString,
  EventData,
  Fill,
  OrderEvent,
  OrderEventType,
  OrderId,
  SymbolRules,
  VenueOrderId,
} from "@petrosa/contracts"
import { canonical, parseClientOrderId } from "@petrosa/contracts"
import type { OrderContext, VenueFacts } from "../../src/index.ts"
import { DEFAULT_DECISION_SETTINGS, decideEntry, EMPTY_VIEW, FOLLOW_UPS_MAX, flatFields, followUp, OrderActor } from "../../src/index.ts"

export const ORDER = "0123456789abcdefghjk" as OrderId
export const T0 = Date.UTC(2026, 10, 23, 12)

export const rules: SymbolRules = {
  symbol: "BTCUSDT",
  market: "futures",
  status: "TRADING",
  trading: true,
  baseAsset: "BTC",
  quoteAsset: "USDT",
  orderTypes: ["market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit"],
  timesInForce: ["GTC", "IOC", "FOK", "GTX"],
  icebergAllowed: false,
  price: { min: canonical("1"), max: canonical("1000000"), tick: canonical("0.1") },
  lot: { min: canonical("0.001"), max: canonical("1000"), step: canonical("0.001") },
  marketLot: { min: canonical("0.001"), max: canonical("1000"), step: canonical("0.001") },
  notional: { min: canonical("5"), max: canonical("0"), minAppliesToMarket: true, maxAppliesToMarket: false, reduceOnlyExempt: true },
  percentPrice: { buyUp: canonical("0"), buyDown: canonical("0"), sellUp: canonical("0"), sellDown: canonical("0") },
  maxOpenOrders: 200,
  maxAlgoOrders: 200,
  icebergParts: 0,
  unknownFilters: [],
}

export const venue: VenueFacts = {
  name: "paper",
  mode: "simulation",
  markets: ["spot", "futures"],
  bracketStyle: "legs",
  shortMarkets: ["futures"],
  positionMode: "hedge",
  receiveWindowMs: 2000,
  feeRate: canonical("0.001"),
  baseFeeRate: canonical("0"),
}

/** Spot as Binance has it: bracket as one list, commission out of what was bought, a least worth without exemptions. */
export const spotRules: SymbolRules = {
  ...rules,
  market: "spot",
  lot: { min: canonical("0.00001"), max: canonical("1000"), step: canonical("0.00001") },
  marketLot: { min: canonical("0.00001"), max: canonical("1000"), step: canonical("0.00001") },
  notional: { ...rules.notional, reduceOnlyExempt: false },
}
export const spotVenue: VenueFacts = {
  ...venue,
  name: "binance-spot",
  markets: ["spot"],
  bracketStyle: "oco",
  armsEntries: true,
  shortMarkets: [],
  baseFeeRate: canonical("0.001"),
}

export const signal: EventData["SignalReceived"]["signal"] = {
  strategyId: "volume surge",
  symbol: "BTCUSDT",
  market: "futures",
  action: "buy",
  confidence: canonical("0.8"),
  price: canonical("50000"),
  currentPrice: canonical("50000"),
  orderType: "market",
  timeInForce: "GTC",
  quantity: canonical("0.01"),
  simulate: false,
  timestampMs: T0,
  timestampFrom: "signal",
}

export interface Step {
  readonly event: OrderEvent
  readonly version: number
  readonly atMs: number
  readonly state: string
  readonly commands: readonly Command[]
}

export class Trail {
  readonly actor = new OrderActor(ORDER)
  readonly steps: Step[] = []
  readonly refused: OrderEvent[] = []
  nowMs = T0
  #trade = 0

  get context(): OrderContext {
    return this.actor.context
  }
  get types(): readonly string[] {
    return this.steps.map(({ event }) => event.type)
  }
  get flat() {
    return flatFields(this.context, this.steps.at(-1)?.event.type ?? "")
  }

  /** Feeds events and everything that follows from them; returns the commands that they asked for. */
  take(...events: readonly OrderEvent[]): readonly Command[] {
    const commands: Command[] = []
    for (const event of events) {
      if (!this.#one(event, commands)) {
        this.refused.push(event)
        continue
      }
      for (let n = 0; ; n++) {
        const next = followUp(this.context)
        if (next === undefined) break
        if (n >= FOLLOW_UPS_MAX) throw new Error(`follow-ups feed themselves: ${next.type}`)
        if (!this.#one(next, commands))
          throw new Error(`the machine refuses its own follow-up ${next.type} in ${JSON.stringify(this.actor.regions)}`)
      }
    }
    return commands
  }

  #one(event: OrderEvent, commands: Command[]): boolean {
    const version = this.steps.length + 1
    const taken = this.actor.take(event, version, this.nowMs)
    if (taken === undefined) return false
    this.steps.push({ event, version, atMs: this.nowMs, state: taken.state, commands: taken.commands })
    commands.push(...taken.commands)
    return true
  }

  /** Up to EntryIntended, decided for real. */
  begin(change: Partial<typeof signal> = {}, symbolRules = rules, facts = venue): readonly Command[] {
    const given = { ...signal, ...change }
    const received: OrderEvent = {
      type: "SignalReceived",
      data: {
        signal: given,
        identity: { hash: "00", kind: "arrival", contentHash: "00" },
        arrival: { transport: "nats", subject: "signals.trading", stream: "SIGNALS", sequence: 1, streamTimeMs: T0 },
        raw: "{}",
        receivedAtMs: T0,
      },
    }
    const decided = decideEntry({
      order: ORDER,
      engineId: "test",
      signal: given,
      nowMs: this.nowMs,
      settings: DEFAULT_DECISION_SETTINGS,
      rules: symbolRules,
      venue: facts,
      freeBalance: { known: canonical("10000") },
      book: EMPTY_VIEW,
    })
    return this.take(received, ...decided)
  }

  get entryId(): ClientOrderId {
    const { entry } = this.context
    if (entry === null) throw new Error("no entry is intended")
    return entry.clientOrderId
  }

  fill(quantity: string, price = "50000"): Fill {
    this.#trade += 1
    const q = canonical(quantity)
    return {
      tradeId: `t${this.#trade}`,
      quantity: q,
      price: canonical(price),
      fee: canonical("0.01"),
      feeAsset: "USDT",
      feeQuote: canonical("0.01"),
      atMs: this.nowMs,
    }
  }

  accepted(): readonly Command[] {
    return this.take(
      on("EntryAccepted", {
        clientOrderId: this.entryId,
        venueOrderId: venueId("1"),
        via: "reply",
        sentAtMs: this.nowMs,
        receivedAtMs: this.nowMs,
      }),
    )
  }
  partlyFilled(quantity: string, price?: string): readonly Command[] {
    return this.take(on("EntryPartlyFilled", { fills: [this.fill(quantity, price)], venueOrderId: venueId("1"), via: "stream" }))
  }
  filled(quantity: string, price?: string): readonly Command[] {
    return this.take(on("EntryFilled", { fills: [this.fill(quantity, price)], venueOrderId: venueId("1"), via: "stream" }))
  }
  /** The venue takes the leg that this command asks to place. */
  legAccepted(command: Command | undefined): readonly Command[] {
    if (command === undefined || !("request" in command)) throw new Error(`no leg is asked for by ${command?.type}`)
    const { request } = command
    const type = ({ stop: "StopAccepted", target: "TargetAccepted", flatten: "FlattenAccepted", entry: "EntryAccepted" } as const)[
      request.leg
    ]
    return this.take(
      on(type as "StopAccepted", {
        clientOrderId: request.clientOrderId,
        venueOrderId: venueId(request.clientOrderId),
        quantity: request.quantity,
        ...(request.triggerPrice === undefined ? {} : { price: request.triggerPrice }),
        via: "reply",
        sentAtMs: this.nowMs,
        receivedAtMs: this.nowMs,
      }),
    )
  }
  exitFilled(clientOrderId: ClientOrderId, quantity: string, price: string): readonly Command[] {
    const leg = parseClientOrderId(clientOrderId)?.leg ?? "stop"
    return this.take(on("ExitFilled", { leg, clientOrderId, fills: [this.fill(quantity, price)], via: "stream" }))
  }
  legGone(clientOrderId: ClientOrderId): readonly Command[] {
    const leg = parseClientOrderId(clientOrderId)?.leg ?? "stop"
    return this.take(on("SiblingCancelled", { leg, clientOrderId, via: "reply" }))
  }
}

export const on = <K extends OrderEventType>(type: K, data: EventData[K]): OrderEvent => ({ type, data }) as unknown as OrderEvent
export const venueId = (text: string): VenueOrderId => text as VenueOrderId
export const d = (text: string): DecimalString => canonical(text)

export const only = <T extends Command["type"]>(commands: readonly Command[], type: T): Extract<Command, { type: T }> => {
  const found = commands.filter((command) => command.type === type)
  if (found.length !== 1) throw new Error(`expected one ${type}, got ${commands.map((command) => command.type).join(", ") || "nothing"}`)
  return found[0] as Extract<Command, { type: T }>
}
