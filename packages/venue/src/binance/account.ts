/**
 * The account that a key belongs to, as the exchange describes it at start: whose it is, what its fills cost, and whether the
 * key may trade.
 *
 * Whether a key may trade is found out with a test order (`order/test`: checked as an order, never sent to the matching
 * engine), because a key that may only read is told from one that may trade by nothing else.
 */
import type { DecimalString, SymbolRules, Unknown } from "@petrosa/contracts"
import type { ConnectorBase } from "./connectors.ts"
import type { NotStarted, Session } from "./session.ts"
import { notStarted } from "./session.ts"

/** What decisions and a person need to know of an account. */
export interface AccountFacts {
  /** The exchange's number of the account, where it tells it (spot). */
  readonly uid?: string
  /** Worst commission of a fill, as a fraction of its worth. */
  readonly feeRate: DecimalString
  /** Worst commission that is taken out of the asset that was bought, as a fraction; `"0"`: taken in quote. */
  readonly baseFeeRate: DecimalString
  readonly positionMode: "one-way" | "hedge"
}

/** Codes about key, signature, address or permission: waiting does not mend them (binance.md section 5). */
const KEY_CODES: ReadonlySet<string> = new Set(["-1002", "-1022", "-1099", "-2008", "-2014", "-2015", "-2017"])
/** Served to countries that Binance does not serve. */
const NOT_SERVED = "HTTP_451"

/** Why a question about the account was not answered, and whether it is worth asking again. */
export const accountProblem = <C extends ConnectorBase>(session: Session<C>, what: string, answer: Unknown): NotStarted => {
  const { reason } = answer
  return KEY_CODES.has(reason) || reason === NOT_SERVED
    ? notStarted("PERMISSION", `${what}: ${reason}`, { reason })
    : { ...session.away(what, reason), code: "PERMISSION" }
}

/** A symbol to ask with: one that everybody has, else the first that is open. */
const symbolToAskWith = (symbols: ReadonlyMap<string, SymbolRules>): SymbolRules | undefined =>
  symbols.get("BTCUSDT") ?? [...symbols.values()].find((rules) => rules.trading)

/** The key may trade. Whatever else the exchange finds wrong with the test order says that it got past the key. */
export const mayTrade = async <C extends ConnectorBase>(session: Session<C>, path: string): Promise<NotStarted | undefined> => {
  const rules = symbolToAskWith(session.symbols)
  if (rules === undefined) return undefined
  const answer = await session.question(1, (client) =>
    client.signRequest("POST", path, {
      symbol: rules.symbol,
      side: "BUY",
      type: "MARKET",
      quantity: rules.lot.min,
      recvWindow: String(session.receiveWindowMs),
    }),
  )
  if (answer._tag !== "Unknown" || /^-(?!1000$|1001$|1003$|1006$|1007$|1008$|1015$|1021$)\d+$/.test(answer.reason)) {
    if (answer._tag === "Unknown" && KEY_CODES.has(answer.reason)) return accountProblem(session, "the key may not trade", answer)
    return undefined
  }
  return accountProblem(session, "whether the key may trade cannot be found out", answer)
}
