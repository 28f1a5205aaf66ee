/**
 * Time for the intake, as a service: tests and the simulation bring their own.
 *
 * {@link GapWatch} notices that this process slept (SIGSTOP, a suspended machine, a very long pause of the event loop):
 * while it slept its leases may have lapsed and somebody else may own what it holds (docs/design.md section 4.4).
 */

export interface Clock {
  /** Wall clock, epoch milliseconds. */
  nowMs(): number
  /** Never goes backwards, milliseconds from any origin. */
  monotonicMs(): number
  /** Calls `fn` once, after `delayMs`; the result cancels it. */
  after(delayMs: number, fn: () => void): () => void
  /** Calls `fn` once, after the input that is being read now; the result cancels it. */
  soon(fn: () => void): () => void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs)
    return () => clearTimeout(timer)
  },
  soon: (fn) => {
    const handle = setImmediate(fn)
    return () => clearImmediate(handle)
  },
}

/**
 * Reports gaps in its own clock. Both clocks are read: the monotonic one stands still while some machines are suspended,
 * and the wall clock may be set back. A wall clock that is set forward looks like a gap; that costs one needless re-read.
 */
export class GapWatch {
  readonly #clock: Clock
  readonly #thresholdMs: number
  #wallMs: number
  #monotonicMs: number

  constructor(clock: Clock, thresholdMs: number) {
    this.#clock = clock
    this.#thresholdMs = thresholdMs
    this.#wallMs = clock.nowMs()
    this.#monotonicMs = clock.monotonicMs()
  }

  /** How long the gap since the last look was, in ms, when it was longer than the threshold; else `undefined`. */
  look(): number | undefined {
    const wallMs = this.#clock.nowMs()
    const monotonicMs = this.#clock.monotonicMs()
    const gapMs = Math.max(wallMs - this.#wallMs, monotonicMs - this.#monotonicMs)
    this.#wallMs = wallMs
    this.#monotonicMs = monotonicMs
    return gapMs > this.#thresholdMs ? gapMs : undefined
  }
}
