/**
 * The events of an order: facts, past tense, never edited. Each transition of the lifecycle machine is one of these, and
 * an order is the fold of them. `data` holds everything that the decision used.
 *
 * Times inside `data` are epoch milliseconds and end in `Ms`; money and quantities are decimal strings; quantities are
 * in base, prices in quote, `filledQuote` and fees in quote unless an asset is named.
 */
import type { DecimalString } from "./decimal.ts"
import type { ClientOrderId, Leg, OrderId, VenueOrderId } from "./ids.ts"
import type { RefusalClass } from "./outcome.ts"
import type { Reason } from "./reasons.ts"
import type { Arrival, Market, OrderType, Side, Signal, SignalIdentity, TimeInForce } from "./signal.ts"
import type { MarketPrice, SymbolRules } from "./symbolRules.ts"

/** One trade at the venue, identified for ever by (symbol, trade id). */
export interface Fill {
  readonly tradeId: string
  readonly quantity: DecimalString
  readonly price: DecimalString
  readonly fee: DecimalString
  readonly feeAsset: string
  /** The fee in quote, as far as it can be told (fee in quote or base); `"0"` with `feeAsset` set otherwise. */
  readonly feeQuote: DecimalString
  readonly atMs: number
}

/** How we came to know something of the venue. */
export type Via = "reply" | "stream" | "query" | "trades"

/** When a request left and its answer came, by our clock. */
export interface Exchange {
  readonly sentAtMs: number
  readonly receivedAtMs: number
}

/** A rule that turns the fill price into a bracket price. */
export type PriceRule =
  | { readonly kind: "price"; readonly price: DecimalString; readonly from: string }
  /** A distance from the average fill price, as a fraction of it (0.02 = 2 %). */
  | { readonly kind: "fraction"; readonly fraction: DecimalString; readonly from: string }
  /** A distance from the average fill price, in quote. */
  | { readonly kind: "distance"; readonly distance: DecimalString; readonly from: string }

/**
 * The plan of the bracket, part of EntryIntended: so the intent of every protective leg is durable before the entry
 * leaves (docs/design.md section 6).
 */
export interface BracketPlan {
  /** `legs`: stop and target are orders of their own; `oco`: one list at the venue (spot). */
  readonly style: "legs" | "oco"
  readonly exitSide: Side
  readonly stop: PriceRule
  readonly target: PriceRule
  /** The most that the legs may close together, in base: the entry's whole quantity. */
  readonly maxQuantity: DecimalString
  readonly tickSize: DecimalString
  readonly stepSize: DecimalString
  readonly minQuantity: DecimalString
  /** D: how long what is filled may be without a live stop before it is flattened. */
  readonly protectionDeadlineMs: number
  /** More live stops (or targets, or lists) than this are merged, smallest first. */
  readonly maxLegsOfAKind: number
  /** Less than this, in quote at the stop's price, cannot have a leg (spot: nothing is exempt). Absent: no such rule. */
  readonly minNotional?: DecimalString
  /**
   * `oco`: how long what is filled may wait, without a stop, for a bracket that is about to be armed, or for a target that
   * has traded in part and so ended its stop.
   */
  readonly partialGraceMs?: number
  /** `oco`: the bracket goes with the entry, as one list (OTOCO), and is armed by the venue at the full fill. */
  readonly armed?: BracketList
}

/** A request for one venue order. */
export interface LegRequest {
  readonly clientOrderId: ClientOrderId
  readonly leg: Leg
  readonly side: Side
  readonly type: OrderType
  readonly quantity: DecimalString
  readonly price?: DecimalString
  readonly triggerPrice?: DecimalString
  readonly timeInForce?: TimeInForce
  readonly icebergQuantity?: DecimalString
  readonly reduceOnly: boolean
}

/** Stop and target as one list at the venue (OCO): as soon as one trades, or the stop fires, the other ends. */
export interface BracketList {
  /** What we call the list; its legs have ids of their own, and are found by them. */
  readonly list: string
  readonly stop: LegRequest
  /** Rests in the book at its price. */
  readonly target: LegRequest
}

/** A lot as a closing order saw it. */
export interface LotToClose {
  readonly order: OrderId
  /** What it held when the close was decided (it may fill or exit meanwhile). */
  readonly quantity: DecimalString
  readonly side: Side
}

export interface EventData {
  SignalReceived: {
    readonly signal: Signal
    readonly identity: SignalIdentity
    readonly arrival: Arrival
    /** The message as it came, up to 64 KiB. */
    readonly raw: string
    readonly receivedAtMs: number
    /** How this engine runs. Absent in events of the first version. */
    readonly mode?: "simulation" | "testnet" | "live"
  }
  SignalValidated: {
    readonly nowMs: number
    readonly ageMs: number
    /** Where the order goes: `paper`, `binance-spot`, `binance-futures`. */
    readonly venue: string
    readonly mode: "simulation" | "testnet" | "live"
    /** A live price, when one is known, with its source and age. */
    readonly livePrice?: { readonly price: DecimalString; readonly source: string; readonly ageMs: number; readonly feed?: string }
    /** The limits that were held against the signal. */
    readonly limits: Readonly<Record<string, string>>
  }
  OrderSized: {
    readonly side: Side
    readonly quantity: DecimalString
    readonly notional: DecimalString
    readonly type: OrderType
    readonly price?: DecimalString
    readonly triggerPrice?: DecimalString
    readonly timeInForce?: TimeInForce
    readonly icebergQuantity?: DecimalString
    /** The price that the entry is expected to fill at: what stop and target were judged against. */
    readonly referencePrice: DecimalString
    /** Which rule gave the quantity. */
    readonly basis: "quantity" | "quote_quantity" | "position_size_pct" | "confidence" | "raised_to_minimum" | "lots"
    readonly stop?: { readonly price: DecimalString; readonly rule: PriceRule }
    readonly target?: { readonly price: DecimalString; readonly rule: PriceRule }
    /** Remarks for a person: a price that contradicted its percentage, a size that was raised. */
    readonly notes: readonly string[]
    /** What a closing order closes. */
    readonly lots?: readonly LotToClose[]
    /** Everything else that the decision read, as text: balance, filters, limits, open positions, settings. */
    readonly inputs: Readonly<Record<string, string>>
  }
  EntryIntended: {
    readonly request: LegRequest
    readonly venue: string
    readonly market: Market
    readonly symbol: string
    readonly quoteAsset: string
    readonly baseAsset: string
    /** The request must not leave later, and is signed so that the venue refuses it later. */
    readonly sendByMs: number
    /** The receive window that is signed into the request. */
    readonly receiveWindowMs: number
    /** When the rest of the entry is cancelled. */
    readonly expiresAtMs: number
    readonly plan: BracketPlan
  }
  EntryAccepted: Exchange & {
    readonly clientOrderId: ClientOrderId
    readonly venueOrderId: VenueOrderId
    readonly via: Via
    /** The venue's reply, as text, secrets removed. */
    readonly reply?: string
  }
  EntryRefused: Exchange & { readonly class: RefusalClass; readonly code: string; readonly message: string; readonly via: Via }
  /**
   * The venue refused the list that entry and bracket were to be (OTOCO), and this is certain: the entry goes again by
   * itself, under another id, and its bracket follows the fill.
   */
  EntryListRefused: Exchange & {
    readonly class: RefusalClass
    readonly code: string
    readonly message: string
    readonly request: LegRequest
  }
  /** The request did not leave, and this is certain. */
  EntryNotSent: { readonly reason: Reason }
  /** The request may have left; what became of it is a question. */
  EntryUnknown: { readonly reason: string; readonly sentAtMs?: number }
  /** The question was answered: the venue never had it. */
  EntryNotPlaced: { readonly evidence: Readonly<Record<string, string>> }
  EntryPartlyFilled: { readonly fills: readonly Fill[]; readonly venueOrderId: VenueOrderId; readonly via: Via }
  EntryFilled: { readonly fills: readonly Fill[]; readonly venueOrderId: VenueOrderId; readonly via: Via }
  EntryCancelRequested: { readonly reason: Reason; readonly by: string }
  /** Over at the venue without being (fully) filled. All its fills are recorded before this event. */
  EntryEnded: {
    readonly how: "cancelled" | "expired" | "rejected"
    readonly venueOrderId?: VenueOrderId
    readonly via: Via
    readonly detail?: string
  }

  StopAccepted: Exchange & LegAccepted
  TargetAccepted: Exchange & LegAccepted
  FlattenAccepted: Exchange & LegAccepted
  /** A leg's request was refused. What follows depends on the class (docs/protection.md). */
  LegRefused: Exchange & {
    /** The venue asks us to wait until then (rate limit, ban). */
    readonly retryAtMs?: number
    readonly leg: Leg
    readonly clientOrderId: ClientOrderId
    readonly class: RefusalClass
    readonly code: string
    readonly message: string
    /** The other leg of the same list: refused with it. */
    readonly sibling?: ClientOrderId
  }
  LegUnknown: {
    readonly leg: Leg
    readonly clientOrderId: ClientOrderId
    readonly reason: string
    /** The other leg of the same list: the same question. */
    readonly sibling?: ClientOrderId
  }
  /** A leg whose outcome was unknown is proven not to be at the venue. */
  LegNotPlaced: {
    readonly leg: Leg
    readonly clientOrderId: ClientOrderId
    readonly evidence: Readonly<Record<string, string>>
    /** The other leg of the same list: not there either. */
    readonly sibling?: ClientOrderId
  }
  /** A live leg is over at the venue although the lot is open (cancelled by hand, expired, merged). */
  LegEnded: {
    readonly leg: Leg
    readonly clientOrderId: ClientOrderId
    readonly how: "cancelled" | "expired" | "rejected" | "filled"
    readonly via: Via
  }

  /** Somebody asks for the lot to be closed: an opposite signal, a close, the protection deadline, a stop already passed. */
  CloseRequested: {
    readonly cause: "opposite" | "close" | "protection" | "stopPassed" | "targetPassed" | "lateFill" | "operator"
    readonly by: string
    readonly detail?: string
    /** The targets go at once, before the flatten. Events of earlier versions have none: there they stayed until the lot was flat. */
    readonly targets?: "cancelled"
  }
  ExitFilled: { readonly leg: Leg; readonly clientOrderId: ClientOrderId; readonly fills: readonly Fill[]; readonly via: Via }
  /** A leg that was to go because the lot is closed, or the other leg of its list trades, is proven gone. */
  SiblingCancelled: { readonly leg: Leg; readonly clientOrderId: ClientOrderId; readonly via: Via }
  LotClosed: {
    readonly quantity: DecimalString
    readonly entryPrice: DecimalString
    readonly exitPrice: DecimalString
    /** Entry and exit fees, in quote. */
    readonly fees: DecimalString
    /** (exit − entry) × quantity for a long, less the fees, in quote. */
    readonly profit: DecimalString
    /** `venue`: the exchange, or somebody else, closed it. */
    readonly closedBy: Leg | "close" | "venue"
    /** So much of it was not at the venue any more, and at which price it went is not known: neither in the quantity nor in the profit. */
    readonly missing?: DecimalString
    /** So much more was given back than was held, at the same average price: neither in the quantity nor in the profit. */
    readonly excess?: DecimalString
  }
  /** Two exits traded where one was to: what was given back beyond what was held, in base. */
  LotOverClosed: { readonly excess: DecimalString; readonly asset: string }
  /**
   * So much of this lot is proven not to be at the venue any more, in base: its position is smaller than the lots are, and no leg
   * of ours closed it (liquidation, auto-deleveraging, closed by hand).
   */
  PositionMissing: {
    readonly quantity: DecimalString
    readonly asset: string
    /** What the venue answered, how often and for how long, and which trades that are not ours were heard of. */
    readonly evidence: Readonly<Record<string, string>>
    /** What it brought, when the trades that were heard of are exactly what is missing. */
    readonly exit?: { readonly quote: DecimalString; readonly feesQuote: DecimalString }
  }
  /** What cannot be closed because it is less than the exchange's minimum: recorded, counted, outside the invariant. */
  DustLeft: { readonly quantity: DecimalString; readonly asset: string }

  /** A closing order asks the lots to close. */
  CloseIntended: { readonly lots: readonly LotToClose[]; readonly cause: "opposite" | "close" }
  /** One of them answered: what was sold (or bought back) of it since the request. */
  CloseReported: {
    readonly order: OrderId
    readonly quantity: DecimalString
    readonly quote: DecimalString
    readonly fees: DecimalString
    readonly cancelledEntry: boolean
    /** It is parked: what it still holds was not closed. */
    readonly parked?: boolean
    /** It is closed, and so much more was given back than was held (in base; part of the quantity). */
    readonly excess?: DecimalString
  }

  OrderCompleted: { readonly quantity: DecimalString; readonly fillPrice: DecimalString; readonly fees: DecimalString }
  OrderFailed: {
    readonly reason: Reason
    /** Of a decline by the decision itself: what it had read. Events of earlier versions, and other ends, have none. */
    readonly inputs?: DeclineInputs
  }
  /** A fill of an order that was settled as failed, or of an entry believed over. */
  LateFillFound: { readonly fills: readonly Fill[]; readonly venueOrderId: VenueOrderId; readonly via: Via }

  /** A deadline that is data in the context has passed. */
  DeadlinePassed: {
    readonly deadline: "entry" | "protection" | "retry" | "partial" | "close"
    readonly dueAtMs: number
    readonly nowMs: number
  }
  /** Another process (or this one after a restart) took the order over. */
  OrderAdopted: {
    readonly replica: string
    readonly delivery: number
    /** `restart`: from the store, by a process that is certainly alone, before (or without) any message; `delivery` is 0 then. */
    readonly cause: "redelivery" | "resume" | "lot" | "close" | "restart"
    readonly downMs: number
  }
  StepFailed: { readonly error: string; readonly input: string; readonly count: number }
  OrderParked: {
    readonly code: "STEP_FAILED" | "ADOPTED_TOO_OFTEN" | "UNREADABLE" | "INVARIANT" | "OVER_CLOSED" | "POSITION_MISSING" | "OPERATOR"
    readonly detail: string
  }
  OrderUnparked: { readonly by: string }
}

/**
 * What a decision had read when it declined, beyond the signal: enough to take it again from the events alone. What it did
 * not come to read is not here (a signal that is too old is declined before anybody looks at its symbol).
 */
export interface DeclineInputs {
  readonly nowMs: number
  /** By their names, as SignalValidated and OrderSized record them. */
  readonly settings: Readonly<Record<string, string>>
  readonly venue: {
    readonly name: string
    readonly mode: "simulation" | "testnet" | "live"
    readonly markets: readonly Market[]
    readonly shortMarkets: readonly Market[]
    readonly positionMode: "one-way" | "hedge"
    readonly feeRate: DecimalString
    readonly baseFeeRate: DecimalString
  }
  /** `null`: the venue knows no such symbol. The filters are there when a size was being worked out. */
  readonly rules?: Partial<SymbolRules> | null
  /** `null`: none was known. */
  readonly livePrice?: MarketPrice | null
  readonly marketPrice?: MarketPrice | null
  readonly freeBalance?: { readonly known: DecimalString } | { readonly unknown: string }
  readonly book?: {
    readonly openPositions: number
    readonly own: readonly (LotToClose & { readonly notional: DecimalString })[]
    readonly others: { readonly buy: number; readonly sell: number }
  }
}

export interface LegAccepted {
  readonly clientOrderId: ClientOrderId
  readonly venueOrderId: VenueOrderId
  readonly quantity: DecimalString
  /** The trigger price (stop, target); absent for a flatten, which goes at market. */
  readonly price?: DecimalString
  readonly via: Via
  readonly reply?: string
}

export type OrderEventType = keyof EventData
/** An event as the machine takes it. */
export type OrderEvent = { [K in OrderEventType]: { readonly type: K; readonly data: EventData[K] } }[OrderEventType]
export type EventOf<K extends OrderEventType> = Extract<OrderEvent, { type: K }>

/** The version of each event type. A stored event with another version goes through an upcaster first. */
export const EVENT_SCHEMA: Readonly<Record<OrderEventType, number>> = {
  SignalReceived: 1,
  SignalValidated: 1,
  OrderSized: 1,
  EntryIntended: 1,
  EntryAccepted: 1,
  EntryRefused: 1,
  EntryListRefused: 1,
  EntryNotSent: 1,
  EntryUnknown: 1,
  EntryNotPlaced: 1,
  EntryPartlyFilled: 1,
  EntryFilled: 1,
  EntryCancelRequested: 1,
  EntryEnded: 1,
  StopAccepted: 1,
  TargetAccepted: 1,
  FlattenAccepted: 1,
  LegRefused: 1,
  LegUnknown: 1,
  LegNotPlaced: 1,
  LegEnded: 1,
  CloseRequested: 1,
  ExitFilled: 1,
  SiblingCancelled: 1,
  LotClosed: 1,
  LotOverClosed: 1,
  PositionMissing: 1,
  DustLeft: 1,
  CloseIntended: 1,
  CloseReported: 1,
  OrderCompleted: 1,
  OrderFailed: 1,
  LateFillFound: 1,
  DeadlinePassed: 1,
  OrderAdopted: 1,
  StepFailed: 1,
  OrderParked: 1,
  OrderUnparked: 1,
}
export const isOrderEventType = (type: string): type is OrderEventType => Object.hasOwn(EVENT_SCHEMA, type)

/** What each event says, in one sentence: for docs and for the pages. */
export const EVENT_MEANINGS: Readonly<Record<OrderEventType, string>> = {
  SignalReceived: "A signal was decoded and its identity is known.",
  SignalValidated: "It is complete, confident enough, fresh, and its symbol is known and allowed.",
  OrderSized: "Quantity, order type and bracket prices are decided and feasible.",
  EntryIntended: "The entry's request may leave from now on; the plan of its bracket is part of this event.",
  EntryAccepted: "The venue has the entry.",
  EntryRefused: "The venue refused the entry.",
  EntryListRefused: "The venue refused entry and bracket as one list: the entry goes again by itself, and its bracket follows the fill.",
  EntryNotSent: "The entry did not leave, and this is certain.",
  EntryUnknown: "The entry may have left; what became of it is a question.",
  EntryNotPlaced: "The question was answered: the venue never had the entry.",
  EntryPartlyFilled: "Some of the entry traded.",
  EntryFilled: "All of the entry has traded.",
  EntryCancelRequested: "The rest of the entry is to go: time-out, request, opposite signal, an exit that traded.",
  EntryEnded: "The entry is over at the venue without being (fully) filled.",
  StopAccepted: "The venue has a stop-loss.",
  TargetAccepted: "The venue has a take-profit.",
  FlattenAccepted: "The venue has a market order that closes what is held.",
  LegRefused: "The venue refused a leg of the bracket, or a flatten.",
  LegUnknown: "A leg may have left; what became of it is a question.",
  LegNotPlaced: "The question was answered: the venue never had the leg.",
  LegEnded: "A live leg is over at the venue although the lot is open (cancelled by hand, expired, merged).",
  CloseRequested: "The lot is to be closed: opposite signal, close, operator, or because it cannot be protected.",
  ExitFilled: "A leg traded: some or all of the lot was given back.",
  SiblingCancelled: "A leg that is no longer needed is proven gone.",
  LotClosed: "Nothing of the lot is held any more; the profit is known.",
  LotOverClosed: "Two exits traded, and more was given back than was held: whatever is left of its legs goes.",
  PositionMissing:
    "The venue's position is proven smaller than the lots, and no leg of ours closed it (liquidation, auto-deleveraging, by hand): so much of this lot is not there.",
  DustLeft: "What is left is less than the exchange lets anybody sell.",
  CloseIntended: "A closing order asks its strategy's lots to close.",
  CloseReported: "One of them has closed, and what came of it.",
  OrderCompleted: "The entry is over with something filled, and it was protected, or closed by its own exit.",
  OrderFailed: "Over, with nothing filled, or what was filled could not be protected; says why.",
  LateFillFound: "The venue filled an order that was believed over: it is opened again.",
  DeadlinePassed: "A deadline of the order has passed.",
  OrderAdopted: "A process took the order over.",
  StepFailed: "A step of the order threw.",
  OrderParked: "The order waits for a human; its stop stays in place.",
  OrderUnparked: "A human put it back.",
}
