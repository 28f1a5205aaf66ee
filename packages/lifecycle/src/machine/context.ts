/**
 * What an order knows: the fold of its events, as plain JSON. Nothing in here is a cache of anything but the events.
 *
 * Quantities are in base, prices and quotes in quote, all decimal text; times are epoch milliseconds.
 */
import type {
  BracketPlan,
  ClientOrderId,
  Command,
  DecimalString,
  Leg,
  LotToClose,
  OrderId,
  OrderType,
  Reason,
  Side,
  TimeInForce,
  VenueOrderId,
} from "@petrosa/contracts"

/**
 * `pending`: it goes with the entry (OTOCO), and the venue arms it at the full fill. `sending`: its command is out.
 * `cancelling`: it is to go, and that is not proven yet.
 */
export type LegStatus = "pending" | "sending" | "unknown" | "live" | "cancelling" | "over"

export interface EntryLeg {
  readonly clientOrderId: ClientOrderId
  readonly venueOrderId: VenueOrderId | null
  readonly side: Side
  readonly type: OrderType
  readonly quantity: DecimalString
  readonly price: DecimalString | null
  readonly sendByMs: number
  readonly receiveWindowMs: number
  readonly expiresAtMs: number
  readonly status: Exclude<LegStatus, "pending">
  /** How it ended at the venue, once it is over. */
  readonly ended: "filled" | "cancelled" | "expired" | "rejected" | "refused" | "notSent" | "notPlaced" | null
  /** Why we want it gone, once we do. */
  readonly cancelReason: Reason | null
  readonly cancelBy: string | null
  /** The fold of its fills. */
  readonly filled: DecimalString
  readonly quote: DecimalString
  readonly feesQuote: DecimalString
  /** Fees that the venue took in the base asset: they were bought, and are not there to sell. */
  readonly feesBase: DecimalString
  /** When the request left and when the first answer came, as far as they are known. */
  readonly sentAtMs: number | null
}

export interface ExitLeg {
  readonly clientOrderId: ClientOrderId
  readonly venueOrderId: VenueOrderId | null
  readonly leg: Exclude<Leg, "entry">
  readonly attempt: number
  readonly quantity: DecimalString
  /** Trigger price (of a target in a list: its limit); null for a flatten. */
  readonly price: DecimalString | null
  readonly status: LegStatus
  readonly filled: DecimalString
}

/** Sums of the exits' fills. */
export interface ExitTotals {
  readonly quantity: DecimalString
  readonly quote: DecimalString
  readonly feesQuote: DecimalString
}

export interface Closing {
  readonly cause: "opposite" | "close" | "protection" | "stopPassed" | "targetPassed" | "lateFill" | "operator"
  readonly by: string
  readonly sinceMs: number
  /** The targets go at once; absent: they stay until the lot is flat. */
  readonly targets?: "cancelled"
  /** The flatten has waited for their end long enough. */
  readonly isUrgent?: boolean
}

/** A closing order: what it asked the lots for, and what they answered. */
export interface CloseJob {
  readonly cause: "opposite" | "close"
  readonly lots: readonly LotToClose[]
  readonly reported: readonly OrderId[]
  readonly quantity: DecimalString
  readonly quote: DecimalString
  readonly feesQuote: DecimalString
  readonly cancelledEntries: number
  /** Lots that were parked, and could not be asked to close. */
  readonly parkedLots: readonly OrderId[]
  /** Lots of which more was given back than they held, and how much: for people. */
  readonly overClosed: readonly string[]
}

export interface OrderContext {
  /** The version of the last event that was folded in; 0 before the first. */
  readonly version: number
  readonly order: OrderId | ""
  readonly signalId: string
  readonly strategyId: string
  readonly decisionId: string | null
  readonly symbol: string
  readonly market: "spot" | "futures"
  readonly action: string
  readonly side: Side
  readonly orderType: OrderType
  readonly timeInForce: TimeInForce | null
  readonly timestampMs: number
  readonly createdAtMs: number
  readonly venue: string
  readonly simulation: boolean
  readonly baseAsset: string
  readonly quoteAsset: string
  /** The signal's metadata, for the flat copy; `{}` when it has none or more than 4 KiB of it. */
  readonly metadata: Readonly<Record<string, unknown>>

  /** As sized; null before. */
  readonly quantity: DecimalString | null
  readonly price: DecimalString | null
  readonly stopPrice: DecimalString | null
  readonly targetPrice: DecimalString | null

  readonly entry: EntryLeg | null
  readonly plan: BracketPlan | null
  readonly legs: readonly ExitLeg[]
  /** Highest attempt so far, of each kind of leg. */
  readonly attempts: { readonly stop: number; readonly target: number; readonly flatten: number }
  /** Trade ids that are folded in: (symbol, trade id) counts once, for ever. */
  readonly trades: readonly string[]
  readonly exit: ExitTotals
  /** Exits folded in since the lot was last closed: what {@link LotClosed} settled before is in here. */
  readonly settledExit: ExitTotals
  readonly profit: DecimalString | null
  /** Declared too small to be sold: outside the invariant. */
  readonly dust: DecimalString
  /** Given back beyond what was held, as it was last recorded: two exits traded. Zero for almost every order. */
  readonly excess: DecimalString
  /** The excess that a human was told of. */
  readonly excessTold: DecimalString
  /** Not at the venue any more, and closed by no leg of ours, as it was recorded in all. Zero for almost every order. */
  readonly missing: DecimalString
  /** That of it whose price nobody knows: the rest is in {@link exit}. */
  readonly missingUnpriced: DecimalString
  /** What of {@link missing} a human was told of. */
  readonly missingTold: DecimalString
  readonly lotClosed: boolean
  readonly closedBy: Leg | "close" | "venue" | null
  /** Why the lot was closed on request, when it was. */
  readonly closedCause: Closing["cause"] | null
  /** All that was filled was once under live stops (and targets). */
  readonly wasCovered: boolean
  /** Since when something filled has been without a live stop; null when nothing is. The protection clock. */
  readonly unprotectedSinceMs: number | null
  /** As {@link unprotectedSinceMs}, and not begun anew by whoever adopts the order. */
  readonly graceSinceMs: number | null
  /** What is filled has waited long enough for a bracket that was about to come by itself. */
  readonly graceOver: boolean
  readonly targetAbandoned: boolean
  /** No new leg before this time (the venue asked us to wait); null: at once. */
  readonly retryAtMs: number | null
  /** The same for targets alone: a refused target never holds a stop back. */
  readonly targetRetryAtMs: number | null
  /** Lists: the sale that was to close the lot was refused, and is tried again then; until then the bracket is put back. */
  readonly saleRetryAtMs: number | null
  readonly legRefusals: number
  readonly closing: Closing | null
  /** A close that the events make necessary, not yet requested. */
  readonly closeNeeded: Closing["cause"] | null
  /** The exits that were folded in when the lot was last asked to close: what comes after them was sold for that request. */
  readonly exitBeforeClose: ExitTotals | null
  readonly entryTimedOut: boolean

  readonly job: CloseJob | null

  readonly reason: Reason | null
  readonly settled: "filled" | "failed" | null
  readonly parked: { readonly code: string; readonly detail: string } | null
  readonly stepFailures: number
  /** When it was adopted, newest last, at most the last ten. */
  readonly adoptedAtMs: readonly number[]

  /** Commands that the event of {@link version} asked for. */
  readonly commands: readonly Command[]
}

const NONE: ExitTotals = { quantity: "0" as DecimalString, quote: "0" as DecimalString, feesQuote: "0" as DecimalString }

export const initialContext: OrderContext = {
  version: 0,
  order: "",
  signalId: "",
  strategyId: "",
  decisionId: null,
  symbol: "",
  market: "futures",
  action: "",
  side: "buy",
  orderType: "market",
  timeInForce: null,
  timestampMs: 0,
  createdAtMs: 0,
  venue: "",
  simulation: true,
  baseAsset: "",
  quoteAsset: "",
  metadata: {},
  quantity: null,
  price: null,
  stopPrice: null,
  targetPrice: null,
  entry: null,
  plan: null,
  legs: [],
  attempts: { stop: 0, target: 0, flatten: 0 },
  trades: [],
  exit: NONE,
  settledExit: NONE,
  profit: null,
  dust: "0" as DecimalString,
  excess: "0" as DecimalString,
  excessTold: "0" as DecimalString,
  missing: "0" as DecimalString,
  missingUnpriced: "0" as DecimalString,
  missingTold: "0" as DecimalString,
  lotClosed: false,
  closedBy: null,
  closedCause: null,
  wasCovered: false,
  unprotectedSinceMs: null,
  graceSinceMs: null,
  graceOver: false,
  targetAbandoned: false,
  retryAtMs: null,
  targetRetryAtMs: null,
  saleRetryAtMs: null,
  legRefusals: 0,
  closing: null,
  closeNeeded: null,
  exitBeforeClose: null,
  entryTimedOut: false,
  job: null,
  reason: null,
  settled: null,
  parked: null,
  stepFailures: 0,
  adoptedAtMs: [],
  commands: [],
}
