/** Parameters that futures orders and algo orders share: client ids, position sides, times in force. */
import type { Decimal } from "@petrosa/contracts"
import type { Account } from "../core/accounts.ts"
import type { WirePositionSide, WireSide } from "../core/orders.ts"
import { E, F, ApiError } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"

const CLIENT_ID = /^[.A-Z:/a-z0-9_-]{1,36}$/
const STP_MODES = ["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"] as const

export const readClientId = (params: Params, name: string): string | undefined => {
  const id = params.text(name)
  if (id === undefined) return undefined
  if (id.length > 36) throw F.clientIdLength()
  if (!CLIENT_ID.test(id)) throw new ApiError(-4015, "Client order id is not valid.")
  return id
}

/** `positionSide` and `reduceOnly` under the account's position mode. */
export const readPosition = (
  params: Params,
  account: Account,
): { readonly positionSide: WirePositionSide; readonly reduceOnly: boolean } => {
  const positionSide =
    params.oneOf("positionSide", ["BOTH", "LONG", "SHORT"] as const, () => new ApiError(-4060, "Invalid position side.")) ?? "BOTH"
  if (account.hedgeMode !== (positionSide !== "BOTH")) throw F.positionSide()
  const reduceOnly = params.flag("reduceOnly")
  if (account.hedgeMode && reduceOnly !== undefined) throw E.notRequired("reduceOnly")
  return { positionSide, reduceOnly: reduceOnly ?? false }
}

/** Whether an order of this side and position side can only reduce. */
export const onlyReduces = (side: WireSide, positionSide: WirePositionSide, reduceOnly: boolean): boolean =>
  reduceOnly || (positionSide === "LONG" && side === "SELL") || (positionSide === "SHORT" && side === "BUY")

export const readSelfTradePrevention = (params: Params, otherwise: string): string =>
  params.oneOf("selfTradePreventionMode", STP_MODES) ?? otherwise

/** `priceMatch` is not covered here: only its neutral value is taken. */
export const refusePriceMatch = (params: Params): void => {
  const match = params.text("priceMatch")
  if (match !== undefined && match !== "NONE") throw E.unsupported()
}

const MATCHES: Readonly<Record<string, readonly [side: "own" | "other", level: number]>> = {
  OPPONENT: ["other", 1],
  OPPONENT_5: ["other", 5],
  QUEUE: ["own", 1],
  QUEUE_5: ["own", 5],
  QUEUE_10: ["own", 10],
  QUEUE_20: ["own", 20],
}
/** The price that a `priceMatch` stands for: a level of the book, on the order's own side or on the other one. */
export const readPriceMatch = (
  params: Params,
  level: (side: "own" | "other", depth: number) => Decimal | undefined,
): { readonly word: string; readonly price: Decimal | undefined } => {
  const word = params.text("priceMatch") ?? "NONE"
  if (word === "NONE") return { word, price: undefined }
  const match = MATCHES[word]
  if (match === undefined) throw E.invalid("priceMatch")
  if (params.has("price")) throw E.notRequired("price")
  const price = level(match[0], match[1])
  if (price === undefined) throw E.noDepth()
  return { word, price }
}
