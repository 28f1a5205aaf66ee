/**
 * The face of the engine: what the HTTP API (and tests) may ask of a running one. Everything else is inside.
 *
 * No method rejects for what can be expected: a broker that is away, an unknown symbol or a bad body are values.
 */
import type {
  ClientOrderId,
  DecimalString,
  EventRecord,
  FieldError,
  Market,
  MarketPrice,
  OrderEvent,
  OrderId,
  Read,
  Reason,
  RejectionCode,
  Signal,
} from "@petrosa/contracts"
import type { EventStore, OrderRow } from "@petrosa/event-store"
import type { Balance, Faults, Observed, Position } from "@petrosa/venue"

/** What became of a signal that was handed in by HTTP. */
export type TradeAnswer =
  /** The order is settled (`filled` or `failed`). `duplicate`: the signal had been handed in before, and this is its first result. */
  | { readonly _tag: "Settled"; readonly row: OrderRow; readonly reason?: Reason; readonly duplicate: boolean }
  /** The entry rests on the venue. */
  | { readonly _tag: "Resting"; readonly row: OrderRow; readonly duplicate: boolean }
  /** Not settled within the time that the caller is kept waiting; it goes on. */
  | { readonly _tag: "Pending"; readonly order: OrderId; readonly signalId: string; readonly duplicate: boolean }
  | { readonly _tag: "Rejected"; readonly code: RejectionCode; readonly message: string; readonly fields: readonly FieldError[] }
  /** The broker or the store cannot be reached: nothing was taken on. */
  | { readonly _tag: "Unavailable"; readonly what: "broker" | "store"; readonly reason: string }

/** What the engine would do with a signal now. Nothing is recorded, nothing leaves. */
export type DryRunAnswer =
  | { readonly _tag: "Rejected"; readonly code: RejectionCode; readonly message: string; readonly fields: readonly FieldError[] }
  | {
      readonly _tag: "Decided"
      readonly order: OrderId
      readonly signal: Signal
      /** The events that would be appended after SignalReceived. The last one is EntryIntended, CloseIntended or OrderFailed. */
      readonly events: readonly OrderEvent[]
      /** An order of this identity exists: this is it, and the signal would be a duplicate. */
      readonly existing?: OrderRow
    }

export type CancelAnswer =
  /** The rest of the entry is cancelled (what was filled stays, protected), or the order was over anyway. */
  | { readonly _tag: "Cancelled"; readonly row: OrderRow }
  /** Asked for; the venue has not yet proven it. */
  | { readonly _tag: "Requested"; readonly row: OrderRow }
  | { readonly _tag: "NotCancellable"; readonly row: OrderRow; readonly message: string }
  | { readonly _tag: "NotFound" }
  | { readonly _tag: "Unavailable"; readonly reason: string }

export interface AccountView {
  readonly venue: string
  readonly markets: readonly Market[]
  readonly mode: "simulation" | "testnet" | "live"
  readonly balances: readonly Balance[]
  readonly positions: readonly Position[]
  /** Lots as our own books have them. */
  readonly lots: readonly {
    readonly order: OrderId
    readonly strategyId: string
    readonly symbol: string
    readonly market: Market
    readonly side: string
    readonly quantity: DecimalString
    readonly state: string
  }[]
}

export interface Health {
  readonly status: "ok" | "degraded"
  readonly ready: boolean
  /** Each part with its state and, when it is not well, since when and why. */
  readonly parts: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>
  readonly replica: string
  readonly version: string
  readonly mode: string
  readonly liveOrders: number
  readonly openLots: number
  readonly parkedOrders: number
  readonly uptimeMs: number
}

/** The specification's four keys. */
export interface TradeTotals {
  readonly trades_total: number
  readonly trades_success: number
  readonly trades_failed: number
  /** Exact: sum of filled quantity × price of entries, in quote. */
  readonly total_volume_usdt: DecimalString
}

/** A price, and what its feed knows beside it. */
export interface PriceView extends MarketPrice {
  readonly market?: Market
  readonly ageMs?: number
  readonly bid?: Observed
  readonly ask?: Observed
  readonly mark?: Observed
  readonly last?: Observed
  /** Why it is not decided with. */
  readonly refused?: Reason
}

export interface EngineFace {
  readonly store: EventStore
  trade(body: Uint8Array, options: { readonly idempotencyKey?: string; readonly traceparent?: string }): Promise<TradeAnswer>
  dryRun(body: Uint8Array): Promise<DryRunAnswer>
  /** By the venue's order id, our order id, or our client order id of the entry; with a market: of that market only. */
  cancelEntry(symbol: string, id: string | ClientOrderId, by: string, market?: Market): Promise<CancelAnswer>
  price(symbol: string, market?: Market): Promise<Read<PriceView | undefined>>
  /** Of one market; without one, of DEFAULT_MARKET. `undefined`: the market is not traded here. */
  account(market?: Market): Promise<Read<AccountView | undefined>>
  /** Simulation only: moves the paper venue's price by hand. */
  setPrice?(symbol: string, market: Market, price: DecimalString): Promise<void>
  /** Simulation only: the paper venue's switches (slow, partial fills, lost replies, refusals …), and changing some of them. */
  faults?(): Faults
  setFaults?(change: Partial<Faults>): Promise<void>
  totals(): TradeTotals
  /** Prometheus text. */
  metricsText(): Promise<string>
  health(): Health
  /** A body that was not even read whole: its length and hash are recorded. */
  refusedTooLarge?(refused: { readonly lengthBytes: number; readonly sha256: string }): Promise<void>
  /** Every batch of records right after it became durable. A slow listener must not block: it is called synchronously. */
  onJournal(listener: (records: readonly EventRecord[]) => void): () => void
}
