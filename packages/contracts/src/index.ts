/**
 * @petrosa/contracts: PURE. What crosses an edge, and the words that every layer shares: signals, events, commands,
 * records, ids, exact decimals, outcomes and reason codes.
 *
 * It imports no `node:` module, no driver, no clock and no randomness; and no other package of this house.
 */
export * from "./commands.ts"
export * from "./decimal.ts"
export * from "./events.ts"
export * from "./ids.ts"
export * from "./outcome.ts"
export * from "./reasons.ts"
export * from "./records.ts"
export * from "./signal.ts"
export * from "./symbolRules.ts"
