/**
 * @petrosa/matching: PURE. A small price-time matching core with exact money, shared by the paper venue, the local
 * Binance and the simulation. It imports contracts only: no clock, no chance, no input or output.
 */
export * from "./ledger.ts"
export * from "./matching.ts"
export * from "./memoryStore.ts"
export * from "./store.ts"
export * from "./triggers.ts"
export * from "./types.ts"
