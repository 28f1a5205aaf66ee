/** An order as the matching core wants it: what is left of it, as a plain market or limit order. */
import { ZERO, max, str } from "@petrosa/contracts"
import type { NewOrder } from "@petrosa/matching"
import { leftOf } from "./orders.ts"
import type { SandboxOrder } from "./orders.ts"

/** Spot's conditional types are here once they have fired. */
const limitTypes = new Set(["LIMIT", "LIMIT_MAKER", "STOP_LOSS_LIMIT", "TAKE_PROFIT_LIMIT"])

export const coreDraft = (order: SandboxOrder): NewOrder => {
  const limit = limitTypes.has(order.type)
  const postOnly = order.type === "LIMIT_MAKER" || order.timeInForce === "GTX"
  return {
    account: order.account,
    clientOrderId: order.id.toString(),
    market: order.market,
    symbol: order.symbol,
    side: order.side === "BUY" ? "buy" : "sell",
    positionSide: order.positionSide === "BOTH" ? "both" : order.positionSide === "LONG" ? "long" : "short",
    type: limit ? "limit" : "market",
    // Fill or kill is decided over all levels, here: the core sees one of them at a time.
    timeInForce: !limit || order.timeInForce === "IOC" || order.timeInForce === "FOK" ? "IOC" : postOnly ? "GTX" : "GTC",
    quantity: str(max(leftOf(order), ZERO)),
    price: limit ? str(order.price) : undefined,
    triggerOn: "last",
    reduceOnly: order.reduceOnly,
  }
}
