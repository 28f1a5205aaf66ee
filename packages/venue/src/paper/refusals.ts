/**
 * How Binance says no: code, text and class of each reason for which the matching core refuses (binance.md section 5).
 * The tables are per market: the same reason has another code on spot and on futures.
 */
import { refused } from "@petrosa/contracts"
import type { Market, RefusalClass, Refused } from "@petrosa/contracts"
import type { RefusalReason } from "@petrosa/matching"

type Row = readonly [RefusalClass, code: string, message: string]

const FUTURES: Readonly<Record<RefusalReason, Row>> = {
  duplicate: ["duplicate", "-4116", "ClientOrderId is duplicated."],
  wouldTrigger: ["wouldTrigger", "-2021", "Order would immediately trigger."],
  wouldMatch: ["fatal", "-5022", "Due to the order could not be executed as maker, the Post Only order will be rejected."],
  nothingToReduce: ["race", "-2022", "ReduceOnly Order is rejected."],
  balance: ["balance", "-2019", "Margin is insufficient."],
  noPrice: ["fatal", "-1112", "No orders on book for symbol."],
  unknownOrder: ["race", "-2011", "Unknown order sent."],
}

const SPOT: Readonly<Record<RefusalReason, Row>> = {
  ...FUTURES,
  duplicate: ["duplicate", "-2010", "Duplicate order sent."],
  wouldTrigger: ["wouldTrigger", "-2010", "Order would trigger immediately."],
  wouldMatch: ["fatal", "-2010", "Order would immediately match and take."],
  balance: ["balance", "-2010", "Account has insufficient balance for requested action."],
}

export const refusalOf = (market: Market, reason: RefusalReason): Refused => {
  const [cls, code, message] = (market === "spot" ? SPOT : FUTURES)[reason]
  return refused(cls, code, message)
}

export const tooOld = (): Refused => refused("retry", "-1021", "Timestamp for this request is outside of the recvWindow.")
export const tooEarly = (): Refused => refused("retry", "-1021", "Timestamp for this request was 1000ms ahead of the server's time.")
export const badSymbol = (): Refused => refused("fatal", "-1121", "Invalid symbol.")
export const notTrading = (market: Market): Refused =>
  market === "spot"
    ? refused("fatal", "-2010", "Market is closed.")
    : refused("fatal", "-4140", "Invalid symbol status for opening position.")

/** Binance's own check of a request's time: not 1 s or more ahead of the server's clock, and within its receive window. */
export const checkTime = (timestampMs: number, receiveWindowMs: number, serverMs: number): Refused | undefined => {
  if (timestampMs >= serverMs + 1000) return tooEarly()
  return serverMs - timestampMs <= receiveWindowMs ? undefined : tooOld()
}
