/**
 * When a price makes an order act. Source: binance.md 3.1, 3.4.
 *
 * | type | fires when |
 * | --- | --- |
 * | stop, stop_limit | buy: price ≥ trigger; sell: price ≤ trigger |
 * | take_profit, take_profit_limit | buy: price ≤ trigger; sell: price ≥ trigger |
 */
import { dec, gte, lte } from "@petrosa/contracts"
import type { Decimal, OrderType } from "@petrosa/contracts"
import type { NewOrder, Order, Quote } from "./types.ts"

export const hasTrigger = (type: OrderType): boolean => type !== "market" && type !== "limit"
export const hasLimit = (type: OrderType): boolean => type === "limit" || type === "stop_limit" || type === "take_profit_limit"

/** Whether the order waits for a price at or below (`down`) or at or above (`up`) its own. */
export const waitsFor = (order: Pick<NewOrder, "type" | "side">, triggered: boolean): "up" | "down" => {
  const stop = order.type === "stop" || order.type === "stop_limit"
  if (!triggered && stop) return order.side === "buy" ? "up" : "down"
  return order.side === "buy" ? "down" : "up"
}

/** Whether the trigger price is reached. */
export const triggerReached = (order: NewOrder, quote: Quote): boolean => {
  if (!hasTrigger(order.type) || order.triggerPrice === undefined) return false
  const price = dec(order.triggerOn === "mark" ? quote.mark : quote.last)
  const trigger = dec(order.triggerPrice)
  return waitsFor(order, false) === "up" ? gte(price, trigger) : lte(price, trigger)
}

/** Whether a price is acceptable to an order: always, without a limit price. */
export const acceptable = (order: NewOrder, price: Decimal): boolean => {
  if (!hasLimit(order.type) || order.price === undefined) return true
  return order.side === "buy" ? lte(price, dec(order.price)) : gte(price, dec(order.price))
}

/** Whether it is (or would be) on the book, not waiting for its trigger. */
export const isActive = (order: Pick<Order, "type" | "triggered">): boolean => !hasTrigger(order.type) || order.triggered
