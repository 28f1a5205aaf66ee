/** All trades of one order, page by page. A page that cannot be read makes the whole answer unknown: half is no answer. */
import { known, unknown } from "@petrosa/contracts"
import type { Fill, Read, Unknown } from "@petrosa/contracts"
import type { FeeAssets } from "./fillBook.ts"
import type { Answered } from "./reply.ts"
import { decodeTrade } from "./trades.ts"

const PAGE = 1_000
const PAGES_MAX = 20

type Page = { readonly _tag: "Answer"; readonly answer: Answered } | { readonly _tag: "Absent" } | Unknown

export const readTrades = async (
  assets: FeeAssets | undefined,
  ask: (fromId: string | undefined) => Promise<Page>,
): Promise<Read<readonly Fill[]>> => {
  const fills = new Map<string, Fill>()
  let fromId: string | undefined
  for (let n = 0; n < PAGES_MAX; n++) {
    const page = await ask(fromId)
    if (page._tag === "Absent") return known([...fills.values()])
    if (page._tag === "Unknown") return page
    const rows = page.answer.body
    if (!Array.isArray(rows)) return unknown("UNREADABLE_ANSWER")
    let last = "0"
    for (const row of rows) {
      const fill = decodeTrade(row, assets)
      if (fill === undefined) return unknown("UNREADABLE_ANSWER")
      fills.set(fill.tradeId, fill)
      if (BigInt(fill.tradeId) > BigInt(last)) last = fill.tradeId
    }
    if (rows.length < PAGE) return known([...fills.values()])
    fromId = String(BigInt(last) + 1n)
  }
  return unknown("TOO_MANY_TRADES")
}
