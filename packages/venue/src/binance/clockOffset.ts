/**
 * How far the exchange's clock is from ours. PURE.
 *
 * Of several questions for the time the one with the shortest way counts: its error is at most half of that way. The
 * signed timestamp is our deadline check's time plus this offset, so that a wrong clock here neither gets requests refused
 * nor lets one live longer than its window.
 */
export interface TimeSample {
  readonly sentAtMs: number
  readonly serverMs: number
  readonly receivedAtMs: number
}
export interface ClockOffset {
  /** The exchange's clock minus ours. */
  readonly offsetMs: number
  /** The offset is right within this. */
  readonly uncertaintyMs: number
  readonly measuredAtMs: number
}

/** How many questions are asked for one measurement. */
export const SAMPLES = 3
/** A clock that is further off than this is refused at start (issue: Modes). */
export const MAX_OFFSET_MS = 500

const wayMs = (sample: TimeSample): number => Math.max(0, sample.receivedAtMs - sample.sentAtMs)

/** `undefined` without samples. */
export const offsetOf = (samples: readonly TimeSample[]): ClockOffset | undefined => {
  let best: TimeSample | undefined
  for (const sample of samples) if (best === undefined || wayMs(sample) < wayMs(best)) best = sample
  if (best === undefined) return undefined
  const way = wayMs(best)
  return {
    offsetMs: Math.round(best.serverMs - (best.sentAtMs + way / 2)),
    uncertaintyMs: Math.ceil(way / 2),
    measuredAtMs: best.receivedAtMs,
  }
}

/** Certainly off by more than the limit: what the way may have hidden does not count against the clock. */
export const isTooFarOff = (offset: ClockOffset, limitMs = MAX_OFFSET_MS): boolean =>
  Math.abs(offset.offsetMs) - offset.uncertaintyMs > limitMs
