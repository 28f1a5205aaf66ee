/** One trade of the account, as `myTrades` (spot) and `userTrades` (futures) tell it. PURE. */
import type { Fill } from "@petrosa/contracts"
import { decimal, decimalOrZero, id, isObject, millis, text } from "./exactJson.ts"
import { feeInQuote } from "./fillBook.ts"
import type { FeeAssets } from "./fillBook.ts"

/** `undefined` when it is no trade. */
export const decodeTrade = (row: unknown, assets: FeeAssets | undefined): Fill | undefined => {
  if (!isObject(row)) return undefined
  const tradeId = id(row, "id")
  const quantity = decimal(row, "qty")
  const price = decimal(row, "price")
  const atMs = millis(row, "time")
  if (tradeId === undefined || quantity === undefined || price === undefined || atMs === undefined) return undefined
  const fee = decimalOrZero(row, "commission")
  const feeAsset = text(row, "commissionAsset") ?? assets?.quoteAsset ?? ""
  return { tradeId, quantity, price, fee, feeAsset, feeQuote: feeInQuote(fee, feeAsset, price, assets), atMs }
}
