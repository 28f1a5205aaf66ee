/**
 * Makes `src/symbols/data/bundled.json` from recorded answers of Binance:
 *
 *     node packages/venue/scripts/bundle-symbols.ts <spot exchangeInfo.json> <futures exchangeInfo.json>
 *
 * The bundle holds what Binance answered, compact, of each symbol the fields that `exchangeInfo.ts` reads, with the time
 * of the answer by the exchange's clock. Nothing is corrected here: `src/symbols/corrections.ts` does that on reading.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { decodeExchangeInfo } from "../src/symbols/exchangeInfo.ts"

const FIELDS = [
  "symbol",
  "status",
  "baseAsset",
  "quoteAsset",
  "orderTypes",
  "timeInForce",
  "icebergAllowed",
  "isSpotTradingAllowed",
  "filters",
]

const compact = (path: string, market: "spot" | "futures"): object => {
  const answer: unknown = JSON.parse(readFileSync(path, "utf8"))
  const decoded = decodeExchangeInfo(answer, market)
  if (decoded.unreadable.length > 0) throw new Error(`${path}: unreadable symbols: ${JSON.stringify(decoded.unreadable)}`)
  const { serverTime, symbols } = answer as { serverTime: number; symbols: Record<string, unknown>[] }
  return {
    answeredAt: new Date(serverTime).toISOString(),
    serverTime,
    symbols: symbols.map((row) => Object.fromEntries(FIELDS.filter((field) => field in row).map((field) => [field, row[field]]))),
  }
}

const [spot, futures] = process.argv.slice(2)
if (spot === undefined || futures === undefined) {
  console.error("usage: bundle-symbols.ts <spot exchangeInfo.json> <futures exchangeInfo.json>")
  process.exit(2)
}
const target = fileURLToPath(new URL("../src/symbols/data/bundled.json", import.meta.url))
writeFileSync(target, `${JSON.stringify({ spot: compact(spot, "spot"), futures: compact(futures, "futures") })}\n`)
console.log(`wrote ${target}`)
