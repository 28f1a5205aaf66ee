/**
 * The end of a declined signal, with what the decision had read up to there: so a decline can be taken again from its
 * events alone (explain/again.ts), as an entry can be from OrderSized.
 *
 * Kept small, since a bot that repeats its signal is declined again and again: nothing is recorded that was not read, and
 * settings are one object per version.
 */
import type { DeclineInputs, OrderEvent, Reason, SymbolRules } from "@petrosa/contracts"
import type { EntryInputs } from "./decide.ts"
import { settingsNumbers } from "./settings.ts"

/**
 * How far the decision had come. `signal`: the signal against settings and venue; `symbol`: its symbol and the live price;
 * `book`: the lot book; `size`: prices, bracket and balance.
 */
export type Depth = "signal" | "symbol" | "book" | "size"

/** Refusals of validation that come before the symbol is looked at. */
const OF_THE_SIGNAL: ReadonlySet<string> = new Set(["SIGNAL_TOO_OLD", "SIGNAL_FROM_FUTURE", "LOW_CONFIDENCE", "MARKET_NOT_AVAILABLE"])
export const depthOfValidation = (why: Reason): Depth => (OF_THE_SIGNAL.has(why.code) ? "signal" : "symbol")

/** `HOLD` reads nothing but the signal. */
export const declined = (why: Reason, inputs: EntryInputs, depth: Depth): OrderEvent => ({
  type: "OrderFailed",
  data: why.code === "HOLD" ? { reason: why } : { reason: why, inputs: inputsRead(inputs, depth) },
})

const inputsRead = (inputs: EntryInputs, depth: Depth): DeclineInputs => {
  // What was not read is not touched: at `decideAgain` it may not be there.
  const { nowMs, venue } = inputs
  const { name, mode, markets, shortMarkets, positionMode, feeRate, baseFeeRate } = venue
  const n = settingsNumbers(inputs.settings)
  const base = { nowMs, venue: { name, mode, markets, shortMarkets, positionMode, feeRate, baseFeeRate } }
  if (depth === "signal") return { ...base, settings: n.validationLimits }
  const { rules } = inputs
  const livePrice = inputs.livePrice ?? null
  if (depth === "symbol") return { ...base, settings: n.validationLimits, rules: headOf(rules), livePrice }
  const { book } = inputs
  const seen = {
    livePrice,
    book: {
      openPositions: book.openPositions,
      own: book.own.map(({ order, side, quantity, notional }) => ({ order, side, quantity, notional })),
      others: { buy: book.others.buy, sell: book.others.sell },
    },
  }
  if (depth === "book") return { ...base, settings: n.allInputs, rules: headOf(rules), ...seen }
  return {
    ...base,
    settings: n.allInputs,
    rules: rules ?? null,
    ...seen,
    marketPrice: inputs.marketPrice ?? null,
    freeBalance: inputs.freeBalance,
  }
}

/** What validation and the lot book read of the rules. */
const heads = new WeakMap<SymbolRules, Partial<SymbolRules>>()
const headOf = (rules: SymbolRules | undefined): Partial<SymbolRules> | null => {
  if (rules === undefined) return null
  const known = heads.get(rules)
  if (known !== undefined) return known
  const { status, trading, baseAsset, quoteAsset, orderTypes, timesInForce, icebergAllowed, maxAlgoOrders } = rules
  const fresh = Object.freeze({ status, trading, baseAsset, quoteAsset, orderTypes, timesInForce, icebergAllowed, maxAlgoOrders })
  heads.set(rules, fresh)
  return fresh
}
