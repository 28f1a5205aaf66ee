/**
 * @petrosa/venue: where orders go. The Venue port and its adapters, and what exchanges say about their symbols.
 *
 * It imports contracts and matching, and talks to files and networks; it decides nothing about orders.
 */
export * from "./paper/decodeFaults.ts"
export * from "./paper/faults.ts"
export * from "./paper/ledger.ts"
export { checkOrder } from "./paper/checks.ts"
export { openPaperVenue } from "./paper/paperVenue.ts"
export type { PaperOptions, PaperVenue } from "./paper/paperVenue.ts"
export { checkTime, refusalOf } from "./paper/refusals.ts"
export * from "./symbols/bundled.ts"
export * from "./symbols/corrections.ts"
export * from "./symbols/exchangeInfo.ts"
export * from "./venue.ts"
