/**
 * The outside market of a symbol: a price, and an order book of so many levels on both sides of it. The matching core knows
 * one level at a time; this file says what the next one is. A level that was taken is gone until the price is set again.
 */
import { add, dec, floorTo, isZero, max, mul, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import { ratio } from "../wire/decimals.ts"
import type { SymbolInfo } from "./symbols.ts"

export interface Liquidity {
  /** Levels on each side. */
  readonly levels: number
  /** What each level holds: in base (`quantity`) or in quote (`notional`). */
  readonly quantity?: string
  readonly notional?: string
  /** Ticks between best bid and best ask (at least 1), and from level to level. */
  readonly spreadTicks: number
  readonly stepTicks: number
}

export const DEEP: Liquidity = { levels: 20, notional: "1000000", spreadTicks: 1, stepTicks: 1 }

export interface Level {
  readonly price: Decimal
  readonly quantity: Decimal
}

export interface MarketPrice {
  last: Decimal
  mark: Decimal
  /** Levels from the best on; the first may be partly taken (the matching core knows how much of it is left). */
  bids: Level[]
  asks: Level[]
}

const sizeOf = (info: SymbolInfo, liquidity: Liquidity, price: Decimal): Decimal => {
  if (liquidity.quantity !== undefined) return dec(liquidity.quantity)
  const size = floorTo(ratio(dec(liquidity.notional ?? "1000000"), price), info.step)
  return isZero(size) ? info.step : size
}

/** The book around a last price. The best bid is the last price itself, rounded down to the tick; the ask lies above it. */
export const ladderAround = (info: SymbolInfo, liquidity: Liquidity, last: Decimal): { readonly bids: Level[]; readonly asks: Level[] } => {
  const bid = max(floorTo(last, info.tick), info.tick)
  const ask = add(bid, mul(info.tick, dec(Math.max(1, liquidity.spreadTicks))))
  const quantity = sizeOf(info, liquidity, last)
  const bids: Level[] = []
  const asks: Level[] = []
  for (let level = 0; level < liquidity.levels; level += 1) {
    const away = mul(info.tick, dec(level * Math.max(1, liquidity.stepTicks)))
    const below = sub(bid, away)
    if (level === 0 || below.value > 0n) bids.push({ price: below, quantity })
    asks.push({ price: add(ask, away), quantity })
  }
  return { bids, asks }
}
