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
export * from "./market-data/index.ts"
export * from "./venue.ts"
export { openBinanceFutures } from "./binance-futures/futuresVenue.ts"
export type { FuturesOptions, FuturesStart } from "./binance-futures/futuresVenue.ts"
export { FUTURES_HOSTS, USER_STREAM_URL } from "./binance-futures/endpoints.ts"
export { FUTURES_OUTCOMES } from "./binance-futures/outcomes.ts"
export { openBinanceSpot } from "./binance-spot/spotVenue.ts"
export type { SpotOptions, SpotStart } from "./binance-spot/spotVenue.ts"
export { SPOT_HOSTS } from "./binance-spot/endpoints.ts"
export { SPOT_OUTCOMES } from "./binance-spot/outcomes.ts"
export type { AccountFacts } from "./binance/account.ts"
export { renderOutcomes } from "./binance/outcomeTable.ts"
export type { BinanceOptions, NotStarted, Trouble } from "./binance/session.ts"
export type { Credentials } from "./binance/signing.ts"
