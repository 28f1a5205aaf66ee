/** From the settings table to what the pure decisions read, and to what they need to know of a venue. */
import type { Settings } from "@petrosa/contracts"
import { canonical } from "@petrosa/contracts"
import type { DecisionSettings, VenueFacts } from "@petrosa/lifecycle"
import type { Venue } from "@petrosa/venue"

/** A target nearer than this to the entry is not worth its fees (two of 0.1 % on spot). */
const MIN_TARGET_DISTANCE_PCT = "0.1"

export const decisionSettings = (s: Settings, version: string): DecisionSettings => ({
  version,
  minConfidence: s.minConfidence,
  maxSignalAgeMs: s.maxSignalAgeSeconds * 1000,
  symbolsAllowed: s.symbolsAllowed,
  symbolsDenied: s.symbolsDenied,
  maxPriceDeviationPct: s.maxPriceDeviationPct,
  maxPriceAgeMs: s.maxPriceAgeMs,
  livePriceRequired: s.marketData !== "signals",
  sizing: s.sizing,
  positionSizePct: s.positionSizePct,
  sizeBelowMinimum: s.sizeBelowMinimum,
  maxPositionNotional: s.maxPositionNotional,
  maxOpenPositions: s.maxOpenPositions,
  maxLotsPerStrategySymbol: s.maxLotsPerStrategySymbol,
  oppositeSignal: s.oppositeSignal,
  stopLossDefaultPct: s.stopLossDefault,
  takeProfitDefaultPct: s.takeProfitDefault,
  atrStopMultiple: s.atrStopMultiple,
  atrTargetMultiple: s.atrTargetMultiple,
  minStopDistancePct: s.minStopDistancePct,
  maxStopDistancePct: s.maxStopDistancePct,
  minTargetDistancePct: canonical(MIN_TARGET_DISTANCE_PCT),
  entryTimeoutMs: s.entryTimeoutSeconds * 1000,
  sendDeadlineMs: s.sendDeadlineMs,
  protectionDeadlineMs: s.protectionDeadlineMs,
  partialGraceMs: s.partialGraceMs,
})

/** The paper venue keeps a long and a short side by side, and takes its fee in quote. */
export const paperFacts = (venue: Venue, s: Settings): VenueFacts => ({
  name: venue.name,
  mode: venue.mode,
  markets: venue.markets,
  bracketStyle: venue.bracketStyle,
  armsEntries: venue.placeOtoco !== undefined,
  shortMarkets: venue.markets.filter((market) => venue.canShort(market)),
  positionMode: "hedge",
  receiveWindowMs: s.receiveWindowMs,
  feeRate: s.paperFeeRate,
  baseFeeRate: canonical("0"),
})
