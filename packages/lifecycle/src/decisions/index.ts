/**
 * The pure decisions: filters, bracket geometry, sizing, validation, the lot book, and their composition. Values in,
 * values out: no clock, no environment, no randomness; exact decimals only.
 */
export * from "./armed.ts"
export * from "./bracketSolver.ts"
export * from "./decide.ts"
export * from "./filters.ts"
export * from "./geometry.ts"
export * from "./lotBook.ts"
export * from "./pricing.ts"
export * from "./settings.ts"
export * from "./sizing.ts"
export * from "./validate.ts"
