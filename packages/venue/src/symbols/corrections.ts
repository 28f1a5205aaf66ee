/**
 * What changed at Binance since the bundled answers were recorded (spot: 2024-09-08, futures: 2025-03-06). The bundle holds
 * what Binance answered, unchanged; this list is applied on reading it, and only to it: rules that were asked for live
 * are never corrected. Remove a line when the bundle is made anew.
 */
import type { DecimalString, SymbolRules } from "@petrosa/contracts"

export interface Correction {
  /** Why, and where it is known from. */
  readonly reason: string
  readonly appliesTo: (rules: SymbolRules) => boolean
  readonly apply: (rules: SymbolRules) => SymbolRules
}

export const CORRECTIONS: readonly Correction[] = [
  {
    reason: "Futures MIN_NOTIONAL of BTCUSDT is 50 USDT in late 2026 (binance.md section 4); the answer of March 2025 said 100.",
    appliesTo: (rules) => rules.market === "futures" && rules.symbol === "BTCUSDT" && rules.notional.min === "100",
    apply: (rules) => ({ ...rules, notional: { ...rules.notional, min: "50" as DecimalString } }),
  },
  {
    reason:
      "Futures: the filter MAX_NUM_ALGO_ORDERS was removed on 2025-12-29; since then 200 open conditional orders per account (-4045; binance.md 2.1).",
    appliesTo: (rules) => rules.market === "futures" && rules.maxAlgoOrders !== 200,
    apply: (rules) => ({ ...rules, maxAlgoOrders: 200 }),
  },
  {
    reason:
      "Spot offers STOP_LOSS and TAKE_PROFIT (which trade at market) since 2025 (BTCUSDT of 2025-08 lists all seven; binance.md 3.1); in 2024 no symbol did.",
    appliesTo: (rules) => rules.market === "spot" && rules.orderTypes.includes("stop_limit") && !rules.orderTypes.includes("stop"),
    apply: (rules) => ({ ...rules, orderTypes: [...rules.orderTypes, "stop", "take_profit"] }),
  },
]

export const corrected = (rules: SymbolRules): SymbolRules =>
  CORRECTIONS.reduce((current, correction) => (correction.appliesTo(current) ? correction.apply(current) : current), rules)
