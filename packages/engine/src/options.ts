/** What an engine is made of: everything from outside comes in here, so that a test or a simulation can bring its own. */
import type { Market, OrderType, Signal } from "@petrosa/contracts"
import type { EventStore } from "@petrosa/event-store"
import type { Clock, Intake } from "@petrosa/intake"
import type { DecisionSettings, VenueFacts } from "@petrosa/lifecycle"
import type { MarketData, Venue } from "@petrosa/venue"
import type { FaultPoints } from "./faultPoints.ts"

export interface EngineLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

/** A venue with what decisions need to know of it. */
export interface VenueSeat {
  readonly venue: Venue
  readonly facts: VenueFacts
  /** What the market of its symbols is now; absent: what the venue itself knows. */
  readonly prices?: MarketData
}

export interface EngineOptions {
  readonly engineId: string
  readonly replica: string
  readonly engineVersion: string
  readonly settingsVersion: string
  readonly mode: "simulation" | "testnet" | "live"
  readonly decision: DecisionSettings
  readonly defaultMarket: Market
  readonly defaultOrderType: OrderType
  readonly signalMaxBytes: number
  readonly rejectedMaxBytes: number
  readonly ackWaitMs: number
  readonly maxLiveOrders: number
  /** How long a protective command waits for its record to be durable before it leaves on the strength of the plan. */
  readonly protectionStoreWaitMs: number
  readonly receiveWindowMs: number
  readonly store: EventStore
  readonly intake: Intake
  /** Listens to the journals of the other processes on the same stream. */
  readonly onJournal?: (listener: (replica: string, batch: Uint8Array) => void) => () => void
  /** Which venue a signal goes to; `undefined`: none is configured for its market. */
  readonly seatFor: (signal: Pick<Signal, "market" | "simulate">) => VenueSeat | undefined
  readonly seats: readonly VenueSeat[]
  readonly clock: Clock
  /** A number in [0, 1), for jitter of back-offs only. */
  readonly random: () => number
  /** A new random id, for idempotency keys and streams of refused HTTP bodies. */
  readonly newId: () => string
  readonly log: EngineLog
  readonly faults?: FaultPoints
  /** No other process can be at work on this store and stream: un-acknowledged messages are taken back at once. */
  readonly alone: boolean
  /**
   * Names the program that folds events into orders: it is another one whenever that could come to anything else. Snapshots of
   * another program are not used. None: no snapshots are kept or used.
   */
  readonly snapshotForm?: string
}
