/**
 * @petrosa/binance-sandbox: a local Binance (spot and USDⓈ-M futures, REST and WebSocket) on the matching core, for tests and
 * for trying things out. `startSandbox()` is all that a test needs; `npm run sandbox` is the same as a process.
 *
 * It imports contracts and matching. It is no part of the engine, and the engine never imports it.
 */
export { STREAM_ACTIONS, type StreamAction } from "./admin/controls.ts"
export type { Ledger, LedgerAlgo, LedgerOrder, LedgerPosition, LedgerTrade } from "./admin/ledger.ts"
export { type AccountOptions, DEFAULT_ACCOUNT, EXAMPLE_KEY, EXAMPLE_SECRET } from "./core/accounts.ts"
export { type Clock, ManualClock, systemClock } from "./core/clock.ts"
export type { CommissionMode, FeeRates, Fees } from "./core/commission.ts"
export { DEEP, type Liquidity } from "./core/ladder.ts"
export { type FaultKind, type FaultName, type FaultRule, type Match, readFaults } from "./faults/rules.ts"
export { type FeedOptions, type Tick, readRecording } from "./market/feed.ts"
export { type Sandbox, type SandboxOptions, startSandbox } from "./sandbox.ts"
export { sign } from "./wire/auth.ts"
export { FUTURES_LIMITS, type RateLimit, type RateLimitOptions, SPOT_LIMITS } from "./wire/rateLimits.ts"
export type { World, WorldOptions } from "./world.ts"
