/**
 * Orders, order lists, algo orders and trades as the sandbox keeps them: Binance's words, exact numbers, ids of 64 bits.
 * They are changed in place by the exchange and by nobody else; answers and events are made from them.
 */
import { ZERO, sub } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"

export type OrderStatus = "NEW" | "PENDING_NEW" | "PARTIALLY_FILLED" | "FILLED" | "CANCELED" | "REJECTED" | "EXPIRED" | "EXPIRED_IN_MATCH"
export type WireSide = "BUY" | "SELL"
export type WirePositionSide = "BOTH" | "LONG" | "SHORT"

export const isOpen = (status: OrderStatus): boolean => status === "NEW" || status === "PARTIALLY_FILLED" || status === "PENDING_NEW"

export interface SandboxTrade {
  readonly id: bigint
  readonly orderId: bigint
  readonly clientId: string
  readonly account: string
  readonly market: Market
  readonly symbol: string
  readonly side: WireSide
  readonly positionSide: WirePositionSide
  readonly price: Decimal
  readonly quantity: Decimal
  readonly quote: Decimal
  readonly commission: Decimal
  readonly commissionAsset: string
  readonly realised: Decimal
  readonly maker: boolean
  readonly atMs: number
  readonly orderListId: bigint
}

export interface SandboxOrder {
  readonly id: bigint
  readonly account: string
  readonly market: Market
  readonly symbol: string
  readonly clientId: string
  readonly side: WireSide
  /** Binance's word. A futures order that came from an algo order has its own type here, the algo's in `origType`. */
  readonly type: string
  readonly origType: string
  readonly timeInForce: string
  quantity: Decimal
  price: Decimal
  /** Zero: none. */
  readonly stopPrice: Decimal
  readonly icebergQuantity: Decimal
  readonly quoteOrderQuantity: Decimal
  readonly positionSide: WirePositionSide
  readonly reduceOnly: boolean
  readonly closePosition: boolean
  readonly strategyId: number | undefined
  readonly strategyType: number | undefined
  readonly selfTradePrevention: string
  readonly goodTillDateMs: number
  readonly workingType: string
  /** Futures: how the price was chosen; `NONE`: by the client. */
  readonly priceMatch: string
  readonly createdAtMs: number
  /** -1: none. */
  listId: bigint
  status: OrderStatus
  executed: Decimal
  quoteFilled: Decimal
  /** On the book, or would be: not waiting for a trigger or for another order. */
  working: boolean
  workingAtMs: number
  updatedAtMs: number
  expiryReason: string | undefined
  modified: number
  readonly trades: SandboxTrade[]
  /** The order in the matching core, once it is there. */
  coreId: number | undefined
  /** What it has reserved while it waits for its trigger. */
  reserved: { readonly asset: string; readonly amount: Decimal } | undefined
  /** Until then the exchange denies knowing it (a fault). */
  hiddenUntilMs: number
}

export const leftOf = (order: Pick<SandboxOrder, "quantity" | "executed">): Decimal => sub(order.quantity, order.executed)

export type OrderDraft = Pick<SandboxOrder, "account" | "market" | "symbol" | "clientId" | "side" | "type" | "quantity"> &
  Partial<
    Pick<
      SandboxOrder,
      | "origType"
      | "timeInForce"
      | "price"
      | "stopPrice"
      | "icebergQuantity"
      | "quoteOrderQuantity"
      | "positionSide"
      | "reduceOnly"
      | "closePosition"
      | "strategyId"
      | "strategyType"
      | "selfTradePrevention"
      | "goodTillDateMs"
      | "workingType"
      | "priceMatch"
      | "listId"
    >
  >

export const newOrder = (id: bigint, draft: OrderDraft, nowMs: number): SandboxOrder => ({
  origType: draft.type,
  timeInForce: "GTC",
  price: ZERO,
  stopPrice: ZERO,
  icebergQuantity: ZERO,
  quoteOrderQuantity: ZERO,
  positionSide: "BOTH",
  reduceOnly: false,
  closePosition: false,
  strategyId: undefined,
  strategyType: undefined,
  selfTradePrevention: "EXPIRE_MAKER",
  goodTillDateMs: 0,
  workingType: "CONTRACT_PRICE",
  priceMatch: "NONE",
  listId: -1n,
  ...draft,
  id,
  createdAtMs: nowMs,
  status: "NEW",
  executed: ZERO,
  quoteFilled: ZERO,
  working: false,
  workingAtMs: -1,
  updatedAtMs: nowMs,
  expiryReason: undefined,
  modified: 0,
  trades: [],
  coreId: undefined,
  reserved: undefined,
  hiddenUntilMs: 0,
})

/** What happened to an order. `requestId`: the client id of the request that cancelled it. */
export interface OrderEvent {
  readonly kind: "NEW" | "TRADE" | "CANCELED" | "EXPIRED" | "REJECTED" | "AMENDMENT" | "WORKING"
  readonly order: SandboxOrder
  readonly trade?: SandboxTrade
  readonly requestId?: string | undefined
  readonly atMs: number
}
