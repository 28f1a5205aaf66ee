/** Explaining an order from its events alone: in sentences, in milliseconds, and by deciding it again. */
export * from "./again.ts"
export * from "./foldable.ts"
export * from "./next.ts"
export * from "./samples.ts"
export * from "./sentence.ts"
export * from "./timings.ts"
export * from "./why.ts"
