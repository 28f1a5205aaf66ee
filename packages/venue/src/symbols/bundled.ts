/**
 * The bundled table of symbols: real answers of Binance, recorded (see `data/bundled.json`), corrected by `corrections.ts`.
 * It serves the paper venue and tests. A live venue asks the exchange: filters differ per environment and change.
 */
import type { Market, SymbolRules } from "@petrosa/contracts"
import bundle from "./data/bundled.json" with { type: "json" }
import { corrected } from "./corrections.ts"
import { decodeExchangeInfo } from "./exchangeInfo.ts"

const tables = new Map<Market, ReadonlyMap<string, SymbolRules>>()

/** Rules by symbol. Decoded once. */
export const bundledRules = (market: Market): ReadonlyMap<string, SymbolRules> => {
  const known = tables.get(market)
  if (known !== undefined) return known
  const decoded = decodeExchangeInfo(bundle[market], market)
  const table = new Map([...decoded.rules].map(([symbol, rules]) => [symbol, corrected(rules)]))
  tables.set(market, table)
  return table
}

/** When Binance gave the answer that the table was made from, ISO 8601. */
export const bundledAt = (market: Market): string => bundle[market].answeredAt
