/**
 * What the decisions are made with, beside the signal: the house's settings and what a venue is able to do. Plain values:
 * the shell reads them from the environment, a test writes them down.
 *
 * The objects are compared by identity: make one per version of the settings (or of the venue's rules) and pass the same
 * one to every decision, so that its numbers are parsed once ({@link settingsNumbers}). Never change one in place.
 */
import type { Decimal, DecimalString, Market } from "@petrosa/contracts"
import { add, canonical, dec, div, isZero, ONE, sub, ZERO } from "@petrosa/contracts"
import { oncePer } from "./oncePer.ts"

/** Percentages end in `Pct` and are percent (2 = 2 %); `"0"` switches a limit off where its line says so. */
export interface DecisionSettings {
  /** The version that every record names. */
  readonly version: string
  /** MIN_CONFIDENCE, 0…1. */
  readonly minConfidence: DecimalString
  /** MAX_SIGNAL_AGE_SECONDS, in ms. */
  readonly maxSignalAgeMs: number
  /** SYMBOLS_ALLOWED; empty: all. */
  readonly symbolsAllowed: readonly string[]
  /** SYMBOLS_DENIED; wins over the former. */
  readonly symbolsDenied: readonly string[]
  /** MAX_PRICE_DEVIATION_PCT; `"0"`: off. */
  readonly maxPriceDeviationPct: DecimalString
  /** A live price older than this is not known any more. */
  readonly maxPriceAgeMs: number
  /** A feed of market data is there: an entry without a price of it, or with an old one, is declined. Absent: false. */
  readonly livePriceRequired?: boolean
  /** SIZING: `confidence` ignores the size that the signal asks for. */
  readonly sizing: "signal" | "confidence"
  /** POSITION_SIZE_PCT of the free balance, before it is multiplied by the confidence. */
  readonly positionSizePct: DecimalString
  /** SIZE_BELOW_MINIMUM. */
  readonly sizeBelowMinimum: "raise" | "refuse"
  /** MAX_POSITION_NOTIONAL, in quote; `"0"`: off. */
  readonly maxPositionNotional: DecimalString
  /** MAX_OPEN_POSITIONS: lots and entries on their way, per venue. */
  readonly maxOpenPositions: number
  /** MAX_LOTS_PER_STRATEGY_SYMBOL, per side. */
  readonly maxLotsPerStrategySymbol: number
  /** OPPOSITE_SIGNAL. */
  readonly oppositeSignal: "close" | "refuse"
  /** STOP_LOSS_DEFAULT and TAKE_PROFIT_DEFAULT. */
  readonly stopLossDefaultPct: DecimalString
  readonly takeProfitDefaultPct: DecimalString
  readonly atrStopMultiple: DecimalString
  readonly atrTargetMultiple: DecimalString
  /** House rules on the distance from the entry; `"0"`: off. */
  readonly minStopDistancePct: DecimalString
  readonly maxStopDistancePct: DecimalString
  readonly minTargetDistancePct: DecimalString
  /** ENTRY_TIMEOUT_SECONDS, in ms. */
  readonly entryTimeoutMs: number
  /** SEND_DEADLINE_MS: from the decision to the last moment at which the entry may leave. */
  readonly sendDeadlineMs: number
  /** PROTECTION_DEADLINE_MS. */
  readonly protectionDeadlineMs: number
  /** PARTIAL_GRACE_MS. */
  readonly partialGraceMs: number
}

export const DEFAULT_DECISION_SETTINGS: DecisionSettings = {
  version: "default",
  minConfidence: canonical("0.5"),
  maxSignalAgeMs: 300_000,
  symbolsAllowed: [],
  symbolsDenied: [],
  maxPriceDeviationPct: canonical("5"),
  maxPriceAgeMs: 10_000,
  sizing: "signal",
  positionSizePct: canonical("2"),
  sizeBelowMinimum: "raise",
  maxPositionNotional: canonical("1000"),
  maxOpenPositions: 10,
  maxLotsPerStrategySymbol: 1,
  oppositeSignal: "close",
  stopLossDefaultPct: canonical("2"),
  takeProfitDefaultPct: canonical("5"),
  atrStopMultiple: canonical("1.5"),
  atrTargetMultiple: canonical("3"),
  minStopDistancePct: canonical("0.1"),
  maxStopDistancePct: canonical("20"),
  minTargetDistancePct: canonical("0.1"),
  entryTimeoutMs: 900_000,
  sendDeadlineMs: 5_000,
  protectionDeadlineMs: 5_000,
  partialGraceMs: 2_000,
}

/** What a venue is able to do, as far as a decision on one of its markets reads it. */
export interface VenueFacts {
  /** `paper`, `binance-spot`, `binance-futures`. */
  readonly name: string
  readonly mode: "simulation" | "testnet" | "live"
  readonly markets: readonly Market[]
  /** `oco`: stop and target are one list, on spot. Futures always have legs, each an order of its own. */
  readonly bracketStyle: "legs" | "oco"
  /** A resting entry can go as one list with its bracket (OTOCO). */
  readonly armsEntries?: boolean
  /** Markets on which a sell without a position is possible. */
  readonly shortMarkets: readonly Market[]
  /** `one-way`: one position per symbol; `hedge`: a long and a short side by side. */
  readonly positionMode: "one-way" | "hedge"
  readonly receiveWindowMs: number
  /** Worst commission of an entry, as a fraction of its notional: the balance has to cover it. */
  readonly feeRate: DecimalString
  /** Worst commission that is taken out of the base asset that was bought, as a fraction (spot); `"0"` elsewhere. */
  readonly baseFeeRate: DecimalString
}

/** The free balance of the quote asset, net of what entries that are about to leave will need; or why it is not known. */
export type FreeBalance = { readonly known: DecimalString } | { readonly unknown: string }

/**
 * What the entry's price is multiplied with for the nearest and the furthest price that the house lets a leg have, below it and
 * above it. `undefined`: the house has no such bound.
 */
export interface DistanceFactors {
  readonly below: { readonly low: Decimal | undefined; readonly high: Decimal | undefined }
  readonly above: { readonly low: Decimal | undefined; readonly high: Decimal | undefined }
}

/** At least and at most this far, as fractions. Zero switches a bound off. */
const distanceFactors = (least: Decimal, most: Decimal): DistanceFactors => {
  const below = (fraction: Decimal) => (isZero(fraction) ? undefined : sub(ONE, fraction))
  const above = (fraction: Decimal) => (isZero(fraction) ? undefined : add(ONE, fraction))
  return { below: { low: below(most), high: below(least) }, above: { low: above(least), high: above(most) } }
}

/** The numbers of {@link DecisionSettings}, parsed; percentages as fractions. */
export interface SettingsNumbers {
  readonly minConfidence: Decimal
  readonly maxPriceDeviation: Decimal
  readonly positionSize: Decimal
  readonly maxPositionNotional: Decimal
  readonly stopLossDefault: Decimal
  readonly takeProfitDefault: Decimal
  readonly atrStopMultiple: Decimal
  readonly atrTargetMultiple: Decimal
  readonly stopDistance: DistanceFactors
  readonly targetDistance: DistanceFactors
  readonly allowed: ReadonlySet<string> | undefined
  readonly denied: ReadonlySet<string>
  /** What SignalValidated records: one object for all decisions of this version. */
  readonly validationLimits: Readonly<Record<string, string>>
  /** The settings that a size and a bracket depend on, as OrderSized records them. */
  readonly sizingInputs: Readonly<Record<string, string>>
  /** Both. */
  readonly allInputs: Readonly<Record<string, string>>
}

const HUNDRED = dec("100")
const fraction = (percent: DecimalString): Decimal => div(dec(percent), HUNDRED, 40)

const limitsOf = (s: DecisionSettings): Readonly<Record<string, string>> => ({
  SETTINGS_VERSION: s.version,
  MIN_CONFIDENCE: s.minConfidence,
  MAX_SIGNAL_AGE_SECONDS: String(s.maxSignalAgeMs / 1000),
  MAX_PRICE_DEVIATION_PCT: s.maxPriceDeviationPct,
  MAX_PRICE_AGE_MS: String(s.maxPriceAgeMs),
  ...(s.livePriceRequired === true ? { LIVE_PRICE_REQUIRED: "true" } : {}),
  ...(s.symbolsAllowed.length === 0 ? {} : { SYMBOLS_ALLOWED: s.symbolsAllowed.join(",") }),
  ...(s.symbolsDenied.length === 0 ? {} : { SYMBOLS_DENIED: s.symbolsDenied.join(",") }),
})

const sizingOf = (s: DecisionSettings): Readonly<Record<string, string>> => ({
  SETTINGS_VERSION: s.version,
  SIZING: s.sizing,
  POSITION_SIZE_PCT: s.positionSizePct,
  SIZE_BELOW_MINIMUM: s.sizeBelowMinimum,
  MAX_POSITION_NOTIONAL: s.maxPositionNotional,
  MAX_OPEN_POSITIONS: String(s.maxOpenPositions),
  MAX_LOTS_PER_STRATEGY_SYMBOL: String(s.maxLotsPerStrategySymbol),
  OPPOSITE_SIGNAL: s.oppositeSignal,
  STOP_LOSS_DEFAULT: s.stopLossDefaultPct,
  TAKE_PROFIT_DEFAULT: s.takeProfitDefaultPct,
  ATR_STOP_MULTIPLE: s.atrStopMultiple,
  ATR_TARGET_MULTIPLE: s.atrTargetMultiple,
  MIN_STOP_DISTANCE_PCT: s.minStopDistancePct,
  MAX_STOP_DISTANCE_PCT: s.maxStopDistancePct,
  MIN_TARGET_DISTANCE_PCT: s.minTargetDistancePct,
})

const compile = (s: DecisionSettings): SettingsNumbers => ({
  minConfidence: dec(s.minConfidence),
  maxPriceDeviation: fraction(s.maxPriceDeviationPct),
  positionSize: fraction(s.positionSizePct),
  maxPositionNotional: dec(s.maxPositionNotional),
  stopLossDefault: fraction(s.stopLossDefaultPct),
  takeProfitDefault: fraction(s.takeProfitDefaultPct),
  atrStopMultiple: dec(s.atrStopMultiple),
  atrTargetMultiple: dec(s.atrTargetMultiple),
  stopDistance: distanceFactors(fraction(s.minStopDistancePct), fraction(s.maxStopDistancePct)),
  targetDistance: distanceFactors(fraction(s.minTargetDistancePct), ZERO),
  allowed: s.symbolsAllowed.length === 0 ? undefined : new Set(s.symbolsAllowed),
  denied: new Set(s.symbolsDenied),
  validationLimits: Object.freeze(limitsOf(s)),
  sizingInputs: Object.freeze(sizingOf(s)),
  allInputs: Object.freeze({ ...limitsOf(s), ...sizingOf(s) }),
})

/** The numbers of these settings, parsed once per object. Throws `RangeError` on settings that hold no decimals. */
export const settingsNumbers = oncePer(compile)

export interface VenueNumbers {
  /** 1 + feeRate: what one unit of notional costs. */
  readonly cost: Decimal
  /** 1 − baseFeeRate: what is left of one unit bought. */
  readonly net: Decimal
}
export const venueNumbers = oncePer((venue: VenueFacts): VenueNumbers => {
  const baseFee = dec(venue.baseFeeRate)
  return { cost: add(ONE, dec(venue.feeRate)), net: isZero(baseFee) ? ONE : sub(ONE, baseFee) }
})
