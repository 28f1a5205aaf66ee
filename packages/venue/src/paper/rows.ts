/** The rows of the paper venue's tables, and how they become what the matching core and the port call them. */
import type { DecimalString, Fill, Leg, Market, OrderType, Side, TimeInForce, VenueOrderId } from "@petrosa/contracts"
import type { Order, OrderStatus, PositionSide } from "@petrosa/matching"
import type { VenueOrder } from "../venue.ts"

/** The one account of a paper venue's file. */
export const ACCOUNT = "paper"

export interface OrderRow {
  readonly id: number
  readonly client_id: string
  readonly leg: Leg
  readonly market: Market
  readonly symbol: string
  readonly side: Side
  readonly position_side: PositionSide
  readonly type: OrderType
  readonly time_in_force: TimeInForce
  readonly quantity: DecimalString
  readonly price: DecimalString | null
  readonly trigger_price: DecimalString | null
  readonly reduce_only: number
  readonly placed_ms: number
  readonly status: OrderStatus
  readonly filled: DecimalString
  readonly filled_quote: DecimalString
  readonly locked: DecimalString
  readonly triggered: number
  readonly pending: number
  readonly updated_ms: number
}

/** What the port tells of an order. */
export type ToldOrder = Pick<
  OrderRow,
  | "id"
  | "client_id"
  | "symbol"
  | "side"
  | "type"
  | "quantity"
  | "price"
  | "trigger_price"
  | "status"
  | "filled"
  | "filled_quote"
  | "updated_ms"
>

export interface FillRow {
  readonly id: number
  readonly order_id: number
  readonly quantity: DecimalString
  readonly price: DecimalString
  readonly fee: DecimalString
  readonly fee_asset: string
  readonly fee_quote: DecimalString
  readonly at_ms: number
}

export const orderOf = (row: OrderRow): Order => ({
  id: row.id,
  account: ACCOUNT,
  clientOrderId: row.client_id,
  market: row.market,
  symbol: row.symbol,
  side: row.side,
  positionSide: row.position_side,
  type: row.type,
  timeInForce: row.time_in_force,
  quantity: row.quantity,
  price: row.price ?? undefined,
  triggerPrice: row.trigger_price ?? undefined,
  triggerOn: "last",
  reduceOnly: row.reduce_only === 1,
  status: row.status,
  filled: row.filled,
  filledQuote: row.filled_quote,
  locked: row.locked,
  triggered: row.triggered === 1,
  pending: row.pending === 1,
  placedAtMs: row.placed_ms,
  updatedAtMs: row.updated_ms,
})

export const venueOrderId = (id: number): VenueOrderId => String(id) as VenueOrderId

export const fillOf = (row: FillRow): Fill => ({
  tradeId: String(row.id),
  quantity: row.quantity,
  price: row.price,
  fee: row.fee,
  feeAsset: row.fee_asset,
  feeQuote: row.fee_quote,
  atMs: row.at_ms,
})

/** An order as the venue tells it, with its fills where they are at hand. */
export const venueOrderOf = (row: ToldOrder, fills?: readonly Fill[]): VenueOrder => ({
  symbol: row.symbol,
  clientOrderId: row.client_id,
  venueOrderId: venueOrderId(row.id),
  side: row.side,
  type: row.type,
  status: row.status,
  quantity: row.quantity,
  filledQuantity: row.filled,
  filledQuote: row.filled_quote,
  ...(row.price === null ? {} : { price: row.price }),
  ...(row.trigger_price === null ? {} : { triggerPrice: row.trigger_price }),
  ...(fills === undefined ? {} : { fills }),
  updatedAtMs: row.updated_ms,
})

/** The same of an order of the matching core: each event tells it, so every shape is written out, none is put together. */
export const asVenueOrder = (order: Order): VenueOrder => {
  const { price, triggerPrice } = order
  if (price === undefined && triggerPrice === undefined) {
    return {
      symbol: order.symbol,
      clientOrderId: order.clientOrderId,
      venueOrderId: venueOrderId(order.id),
      side: order.side,
      type: order.type,
      status: order.status,
      quantity: order.quantity,
      filledQuantity: order.filled,
      filledQuote: order.filledQuote,
      updatedAtMs: order.updatedAtMs,
    }
  }
  if (price === undefined && triggerPrice !== undefined) {
    return {
      symbol: order.symbol,
      clientOrderId: order.clientOrderId,
      venueOrderId: venueOrderId(order.id),
      side: order.side,
      type: order.type,
      status: order.status,
      quantity: order.quantity,
      filledQuantity: order.filled,
      filledQuote: order.filledQuote,
      triggerPrice,
      updatedAtMs: order.updatedAtMs,
    }
  }
  return {
    symbol: order.symbol,
    clientOrderId: order.clientOrderId,
    venueOrderId: venueOrderId(order.id),
    side: order.side,
    type: order.type,
    status: order.status,
    quantity: order.quantity,
    filledQuantity: order.filled,
    filledQuote: order.filledQuote,
    ...(price === undefined ? {} : { price }),
    ...(triggerPrice === undefined ? {} : { triggerPrice }),
    updatedAtMs: order.updatedAtMs,
  }
}
