/**
 * Fees. The matching core books them in quote, or in what is received; in BNB it books none, and this file does: from the
 * BNB wallet, at the BNB price of the quote asset, with Binance's discount; what the wallet cannot pay is taken from what is
 * received, without one, as on Binance.
 */
import { ZERO, dec, isZero, lt, mul, str, sub } from "@petrosa/contracts"
import type { Decimal, Market } from "@petrosa/contracts"
import type { MemoryStore, Trade } from "@petrosa/matching"
import { ratio } from "../wire/decimals.ts"

export interface FeeRates {
  readonly maker: string
  readonly taker: string
}
export type CommissionMode = "quote" | "received" | "bnb"
export interface Fees {
  readonly spot: FeeRates
  readonly futures: FeeRates
  /** Futures: `received` is the quote asset. */
  readonly commission: CommissionMode
}

/** The rates of a new Binance account. */
export const DEFAULT_FEES: Fees = {
  spot: { maker: "0.001", taker: "0.001" },
  futures: { maker: "0.0002", taker: "0.0005" },
  commission: "received",
}
const BNB_DISCOUNT: Readonly<Record<Market, string>> = { spot: "0.75", futures: "0.9" }

export interface Commission {
  readonly amount: Decimal
  readonly asset: string
}

const pay = (store: MemoryStore, wallet: string, asset: string, amount: Decimal): boolean => {
  const balance = store.balance(wallet, asset)
  if (lt(sub(dec(balance.total), dec(balance.locked)), amount)) return false
  store.putBalance(wallet, asset, { total: str(sub(dec(balance.total), amount)), locked: balance.locked })
  return true
}

/** The fee of one trade; in BNB mode it is paid here. */
export const commissionOf = (
  store: MemoryStore,
  fees: Fees,
  trade: Trade,
  assets: { readonly base: string; readonly quote: string },
  bnbPrice: Decimal | undefined,
): Commission => {
  if (fees.commission !== "bnb") return { amount: dec(trade.fee), asset: trade.feeAsset }
  const wallet = `${trade.account}:${trade.market}`
  const rate = dec(fees[trade.market][trade.liquidity])
  const notional = mul(dec(trade.price), dec(trade.quantity))
  if (bnbPrice !== undefined && !isZero(bnbPrice)) {
    const amount = ratio(mul(mul(notional, rate), dec(BNB_DISCOUNT[trade.market])), bnbPrice)
    if (pay(store, wallet, "BNB", amount)) return { amount, asset: "BNB" }
  }
  const inBase = trade.market === "spot" && trade.side === "buy"
  const amount = mul(inBase ? dec(trade.quantity) : notional, rate)
  const asset = inBase ? assets.base : assets.quote
  return pay(store, wallet, asset, amount) ? { amount, asset } : { amount: ZERO, asset }
}
