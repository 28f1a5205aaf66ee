/**
 * @petrosa/lifecycle: PURE. The order-lifecycle machine and every decision of an order's life: validation, sizing, bracket
 * geometry, exchange filters, the lot book, recovery, replay.
 *
 * It imports only @petrosa/contracts and xstate: no `node:` module, no driver, no clock, no randomness. Time, ids, prices
 * and balances come in as values, and everything that a decision used is written into its event.
 */
export * from "./decisions/index.ts"
export * from "./explain/index.ts"
export * from "./machine/index.ts"
