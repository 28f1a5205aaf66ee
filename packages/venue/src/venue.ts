/**
 * The Venue port: where orders go. Adapters: paper, Binance spot, Binance USDⓈ-M futures.
 *
 * Promises of every adapter (the contract suite shows them): nothing is retried inside; every answer to a request that
 * changes something is one of three (`Outcome`); every answer to a question is `Known` or `Unknown`, an error is never
 * "nothing there"; no method rejects; ids are text; money is exact.
 */
import type {
  ClientOrderId,
  DecimalString,
  Fill,
  LegRequest,
  Market,
  MarketPrice,
  OrderType,
  Outcome,
  Read,
  Side,
  SymbolRules,
  VenueOrderId,
} from "@petrosa/contracts"

export type VenueOrderStatus = "new" | "partially_filled" | "filled" | "cancelled" | "expired" | "rejected"
export const isOver = (status: VenueOrderStatus): boolean => status !== "new" && status !== "partially_filled"

/** An order as the venue tells it. */
export interface VenueOrder {
  readonly symbol: string
  readonly clientOrderId: string
  readonly venueOrderId: VenueOrderId
  readonly side: Side
  readonly type: OrderType
  readonly status: VenueOrderStatus
  readonly quantity: DecimalString
  readonly filledQuantity: DecimalString
  /** Sum of price × quantity of its fills, in quote. */
  readonly filledQuote: DecimalString
  readonly price?: DecimalString
  readonly triggerPrice?: DecimalString
  /** It waits for another order of its list (OTOCO) and is not in force: it neither trades nor protects. */
  readonly pending?: boolean
  /** It ended because the other leg of its list (OCO) trades, or fired. */
  readonly endedBySibling?: boolean
  /** Its fills, when this answer carries all of them (their quantities then add up to `filledQuantity`). */
  readonly fills?: readonly Fill[]
  readonly updatedAtMs: number
  /** The venue's answer as text, secrets removed. */
  readonly raw?: string
}

/** A request for one order, complete: what is signed. */
export interface PlaceRequest extends LegRequest {
  readonly symbol: string
  readonly market: Market
  /** Hedge mode: the position that the order belongs to. */
  readonly positionSide: "long" | "short"
  /** The time that is signed into the request: that of the deadline check. */
  readonly timestampMs: number
  /** The venue refuses the request when its clock is past `timestampMs + receiveWindowMs`. */
  readonly receiveWindowMs: number
}

/** What the venue said when it took an order. It may already be filled; fills are never taken from here without their trade ids. */
export interface Acknowledgement {
  readonly clientOrderId: ClientOrderId
  readonly venueOrderId: VenueOrderId
  readonly order: VenueOrder
  readonly reply: string
}

/** Stop and target of one lot as one list at the venue: when one trades, or the stop fires, the other ends by itself. */
export interface OcoRequest {
  readonly symbol: string
  readonly market: Market
  /** Of both legs: the side that closes the lot. */
  readonly side: Side
  readonly quantity: DecimalString
  readonly listClientOrderId: string
  readonly stop: { readonly clientOrderId: ClientOrderId; readonly triggerPrice: DecimalString }
  /** Rests in the book at its price (post-only). */
  readonly target: { readonly clientOrderId: ClientOrderId; readonly price: DecimalString }
  readonly timestampMs: number
  readonly receiveWindowMs: number
}
export interface OcoAcknowledgement {
  readonly listId: VenueOrderId
  readonly stop: VenueOrder
  readonly target: VenueOrder
  readonly reply: string
}

/** A resting entry and its bracket as one list: the venue arms the bracket when all of the entry is filled. */
export interface OtocoRequest {
  /** A limit entry. */
  readonly entry: PlaceRequest
  readonly side: Side
  /** Of stop and target: what will be left of the entry after the worst commission in base. */
  readonly quantity: DecimalString
  readonly listClientOrderId: string
  readonly stop: OcoRequest["stop"]
  readonly target: OcoRequest["target"]
}
export interface OtocoAcknowledgement {
  readonly listId: VenueOrderId
  /** It may be filled already. */
  readonly entry: VenueOrder
  readonly stop: VenueOrder
  readonly target: VenueOrder
  readonly reply: string
}

/** What happened at the venue without being asked: the user data stream. At least once, in order per order where possible. */
export type VenueEvent =
  | { readonly _tag: "Order"; readonly order: VenueOrder; readonly fill?: Fill }
  /** Something may have been missed: ask for everything that is live. */
  | { readonly _tag: "Gap"; readonly reason: string }
  | { readonly _tag: "Balance" }

/** One asset of the account. */
export interface Balance {
  readonly asset: string
  readonly free: DecimalString
  readonly locked: DecimalString
}

export interface Position {
  readonly symbol: string
  readonly side: "long" | "short"
  /** ≥ 0, in base. */
  readonly quantity: DecimalString
  readonly entryPrice: DecimalString
}

export interface Venue {
  /** `paper`, `binance-spot`, `binance-futures`. */
  readonly name: string
  readonly mode: "simulation" | "testnet" | "live"
  readonly markets: readonly Market[]
  /** On spot; futures have legs everywhere. */
  readonly bracketStyle: "legs" | "oco"
  /** Sells without a position are possible (futures). */
  canShort(market: Market): boolean
  /** "Not found" proves absence only when it was answered this long after the request's last possible execution. */
  readonly absenceProofMs: number

  /** From the cache; never asks. */
  rules(symbol: string, market: Market): SymbolRules | undefined
  place(request: PlaceRequest): Promise<Outcome<Acknowledgement>>
  /** Only venues whose `bracketStyle` is `oco`. Cancelling one leg cancels the list. */
  placeOco?(request: OcoRequest): Promise<Outcome<OcoAcknowledgement>>
  /** Taken or refused as a whole. Cancelling the entry cancels the list; legs that are refused when they are armed end `expired`. */
  placeOtoco?(request: OtocoRequest): Promise<Outcome<OtocoAcknowledgement>>
  /** Accepted: what the order is now (it may have been filled meanwhile). `race`: it was over, or is not known. */
  cancel(symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Outcome<VenueOrder>>
  /** `undefined`: the venue says that it has no such order (which is no proof before {@link absenceProofMs}). */
  query(symbol: string, market: Market, clientOrderId: ClientOrderId): Promise<Read<VenueOrder | undefined>>
  openOrders(symbol?: string, market?: Market): Promise<Read<readonly VenueOrder[]>>
  /** All fills of one order. */
  fills(
    symbol: string,
    market: Market,
    order: { readonly clientOrderId: ClientOrderId; readonly venueOrderId?: VenueOrderId },
  ): Promise<Read<readonly Fill[]>>
  balances(): Promise<Read<readonly Balance[]>>
  positions(): Promise<Read<readonly Position[]>>
  /** The newest price that is at hand; never asks. */
  price(symbol: string, market: Market): MarketPrice | undefined
  /** A signal's price: the paper venue trades on it; others ignore it. */
  observePrice(price: MarketPrice, market: Market): void

  /** Starts the flow of events; they are delivered one after the other. Returns the way to stop it. */
  subscribe(listener: (event: VenueEvent) => void): () => void
  close(): Promise<void>
}
