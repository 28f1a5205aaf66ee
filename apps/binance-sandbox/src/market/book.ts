/** The order book as it is shown: the outside market and the resting orders of accounts, best first. */
import { ZERO, add, cmp, dec, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { places } from "../wire/decimals.ts"

const price = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.pricePlaces)
const quantity = (info: SymbolInfo, value: Decimal): string => places(value, info.market === "spot" ? 8 : info.quantityPlaces)

export type Level = readonly [price: string, quantity: string]

/** Best bid and ask. */
export const bookTop = (
  exchange: Exchange,
  info: SymbolInfo,
): { readonly bidPrice: string; readonly bidQty: string; readonly askPrice: string; readonly askQty: string } => {
  const [bid] = bookSide(exchange, info, "bids", 1)
  const [ask] = bookSide(exchange, info, "asks", 1)
  const zero = price(info, ZERO)
  return { bidPrice: bid?.[0] ?? zero, bidQty: bid?.[1] ?? zero, askPrice: ask?.[0] ?? zero, askQty: ask?.[1] ?? zero }
}
/**
 * One side of the book. Orders on their way through it (about to trade, or delayed) are not shown: a book is never crossed.
 */
export const bookSide = (exchange: Exchange, info: SymbolInfo, side: "bids" | "asks", limit: number): readonly Level[] => {
  const [other] = exchange.levels(info.market, info.symbol, side === "bids" ? "asks" : "bids")
  const crosses = (at: Decimal): boolean => other !== undefined && (side === "bids" ? cmp(at, other.price) >= 0 : cmp(at, other.price) <= 0)
  const own = [...exchange.store.book(info.market, info.symbol, side === "bids" ? "buy" : "sell")]
    .filter((order) => !order.pending && !crosses(dec(order.price ?? "0")))
    .map((order) => ({ price: dec(order.price ?? "0"), quantity: dec(order.quantity), filled: dec(order.filled) }))
  const levels = new Map<string, Decimal>()
  const all = [...exchange.levels(info.market, info.symbol, side).map((level) => ({ ...level, filled: ZERO })), ...own].sort((a, b) =>
    side === "bids" ? cmp(b.price, a.price) : cmp(a.price, b.price),
  )
  for (const level of all) {
    const key = price(info, level.price)
    levels.set(key, add(levels.get(key) ?? ZERO, sub(level.quantity, level.filled)))
  }
  return [...levels].slice(0, limit).map(([at, amount]) => [at, quantity(info, amount)] as const)
}
/** What has to be said to turn one side into another: changed levels, and gone ones with a zero. */
export const changes = (info: SymbolInfo, before: readonly Level[], after: readonly Level[]): readonly Level[] => {
  const old = new Map(before)
  const now = new Map(after)
  const gone = before.filter(([at]) => !now.has(at)).map(([at]) => [at, quantity(info, ZERO)] as const)
  return [...after.filter(([at, amount]) => old.get(at) !== amount), ...gone]
}
