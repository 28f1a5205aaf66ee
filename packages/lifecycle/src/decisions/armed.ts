/**
 * Whether an entry goes to the venue as one list with its bracket (OTOCO), and the list's legs. Pure.
 *
 * Such a bracket is there before its entry fills: the venue arms it at the full fill, also while we are down. It is for
 * limit entries that may rest (a list's first order cannot be a market or a stop order, and one that is not to rest is
 * over before a bracket is of use). Its prices are those of a fill at the limit, and its quantity is what is left of the
 * entry after the worst commission in base: more could not be sold, and the whole list would be refused at the fill.
 */
import type { BracketList, BracketPlan, Decimal, EventData, LegRequest, OrderId } from "@petrosa/contracts"
import { clientOrderId, dec, gte, isPositive, listClientOrderId, min, mul, str } from "@petrosa/contracts"
import { bracketPrices } from "./geometry.ts"

export interface ArmedInputs {
  readonly order: OrderId
  readonly engineId: string
  readonly sized: EventData["OrderSized"]
  readonly plan: BracketPlan
  /** What is left to sell of the entry, in base. */
  readonly exitQuantity: Decimal
}

/** Undefined: the entry goes by itself, and its bracket follows the fill. */
export const armedBracket = ({ order, engineId, sized, plan, exitQuantity }: ArmedInputs): BracketList | undefined => {
  const rests = sized.timeInForce === undefined || sized.timeInForce === "GTC" || sized.timeInForce === "GTX"
  if (plan.style !== "oco" || sized.type !== "limit" || sized.price === undefined || !rests) return undefined
  const prices = bracketPrices(plan, dec(sized.price))
  const lowest = min(dec(prices.stop), dec(prices.target))
  const isDust = !isPositive(exitQuantity) || !gte(mul(exitQuantity, lowest), dec(plan.minNotional ?? "0"))
  if (prices.passed !== undefined || isDust) return undefined
  const quantity = str(exitQuantity)
  const stop: LegRequest = {
    clientOrderId: clientOrderId(engineId, order, "stop", 1),
    leg: "stop",
    side: plan.exitSide,
    type: "stop",
    quantity,
    triggerPrice: prices.stop,
    reduceOnly: true,
  }
  const target: LegRequest = {
    clientOrderId: clientOrderId(engineId, order, "target", 1),
    leg: "target",
    side: plan.exitSide,
    type: "limit",
    quantity,
    price: prices.target,
    timeInForce: "GTX",
    reduceOnly: true,
  }
  return { list: listClientOrderId(stop.clientOrderId), stop, target }
}

/** The request of an entry whose list was refused: the same by itself, under the next id. */
export const entryByItself = (request: LegRequest, order: OrderId, engineId: string): LegRequest => ({
  ...request,
  clientOrderId: clientOrderId(engineId, order, "entry", 2),
})
