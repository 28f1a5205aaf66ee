/**
 * When which order is looked at: one that has something live at a venue, and of which nothing was heard for a while. A stream
 * may miss something (binance.md 7.3); whoever was missed is found by asking.
 *
 * Promises: soon after an order's last news, then each time later; where an exchange counts questions, about
 * {@link LOOKS_PER_MINUTE} a minute, however many are watched; where nobody counts, those that have been quiet for long share
 * {@link QUIET_LOOKS_PER_SECOND}, so that thousands of resting lots do not take the processor from orders on their way. Looks
 * are spread: never more than a few at once.
 */
import type { OrderId } from "@petrosa/contracts"
import type { Clock } from "@petrosa/intake"
import { DeadlineScheduler } from "./scheduler.ts"

/** An order that has something live at the venue is looked at this long after its last news; each time later, up to the last. */
const LOOK_AFTER_MS = [400, 800, 1600, 3200, 5000] as const
const LAST_STEP = LOOK_AFTER_MS.length - 1
/**
 * An exchange counts every question. From so many orders of one symbol on, one list of what is open serves all of them;
 * what is left to be asked for one by one is looked at so seldom that it stays at about this many looks a minute.
 */
const CROWD = 4
const LOOKS_PER_MINUTE = 150
const QUIET_LOOKS_PER_SECOND = 50
/** 250 a second, and never more than a fraction of a millisecond's work at a time. */
const LOOKS_AT_ONCE = 5
const BETWEEN_MS = 20

interface Watch {
  /** Venue, market and symbol, at an exchange that counts questions; `undefined`: nobody counts. */
  readonly crowd: string | undefined
  /** Of the order, at its last news. */
  version: number
  lookAtMs: number
  /** The timer's entry. News move a look further away than this: then it comes up in vain, and is set anew. */
  wakeAtMs: number
  step: number
}

export class Looks {
  readonly #clock: Clock
  readonly #look: (order: OrderId, crowded: boolean) => void
  readonly #watches = new Map<OrderId, Watch>()
  /** Watches by {@link Watch.crowd}. */
  readonly #crowds = new Map<string, number>()
  /** Watches that nobody counts, at the last step. */
  #quiet = 0
  readonly #timer: DeadlineScheduler<OrderId>
  /** Their time has come; in this order. */
  readonly #due = new Set<OrderId>()
  #cancel: (() => void) | undefined
  #stopped = false

  /** @param look an order's turn; `crowded`: many orders of its symbol are watched, at an exchange that counts questions */
  constructor(clock: Clock, look: (order: OrderId, crowded: boolean) => void) {
    this.#clock = clock
    this.#look = look
    this.#timer = new DeadlineScheduler(clock, (order) => this.#wake(order))
  }

  stop(): void {
    this.#stopped = true
    this.#timer.stop()
    this.#cancel?.()
  }

  /** Something of it is live at the venue, and this is its version now. */
  watch(order: OrderId, version: number, crowd: string | undefined): void {
    const nowMs = this.#clock.monotonicMs()
    const lookAtMs = nowMs + LOOK_AFTER_MS[0]
    const known = this.#watches.get(order)
    if (known?.version === version) return
    if (known !== undefined && known.crowd === crowd) {
      if (this.#isQuiet(known)) this.#quiet -= 1
      known.version = version
      known.step = 0
      known.lookAtMs = lookAtMs
      this.#due.delete(order)
      if (known.wakeAtMs > lookAtMs || known.wakeAtMs <= nowMs) this.#set(order, known, nowMs)
      return
    }
    this.forget(order)
    const watch = { crowd, version, lookAtMs, wakeAtMs: lookAtMs, step: 0 }
    this.#watches.set(order, watch)
    if (crowd !== undefined) this.#crowds.set(crowd, (this.#crowds.get(crowd) ?? 0) + 1)
    this.#set(order, watch, nowMs)
  }

  /** Nothing of it is live any more, or it is somebody else's. */
  forget(order: OrderId): void {
    const watch = this.#watches.get(order)
    if (watch === undefined) return
    this.#watches.delete(order)
    this.#due.delete(order)
    this.#timer.set(order, undefined)
    if (this.#isQuiet(watch)) this.#quiet -= 1
    if (watch.crowd === undefined) return
    const left = (this.#crowds.get(watch.crowd) ?? 1) - 1
    if (left > 0) this.#crowds.set(watch.crowd, left)
    else this.#crowds.delete(watch.crowd)
  }

  /** Something may have been missed: everybody's turn comes as soon as it can. */
  all(): void {
    for (const order of this.#watches.keys()) this.#due.add(order)
    this.#drain()
  }

  #isQuiet(watch: Watch): boolean {
    return watch.crowd === undefined && watch.step === LAST_STEP
  }

  #isCrowded(watch: Watch): boolean {
    return watch.crowd !== undefined && (this.#crowds.get(watch.crowd) ?? 0) >= CROWD
  }

  /** How long an order that nothing is heard of is left alone. */
  #againAfterMs(watch: Watch): number {
    const stepMs = LOOK_AFTER_MS[watch.step] ?? 5000
    if (watch.step < LAST_STEP || this.#isCrowded(watch)) return stepMs
    if (watch.crowd === undefined) return Math.max(stepMs, (this.#quiet * 1000) / QUIET_LOOKS_PER_SECOND)
    let alone = 0
    for (const count of this.#crowds.values()) if (count < CROWD) alone += count
    return Math.max(stepMs, (alone * 60_000) / LOOKS_PER_MINUTE)
  }

  #set(order: OrderId, watch: Watch, nowMs: number): void {
    watch.wakeAtMs = watch.lookAtMs
    this.#timer.set(order, watch.lookAtMs, nowMs)
  }

  #wake(order: OrderId): void {
    const watch = this.#watches.get(order)
    if (watch === undefined) return
    const nowMs = this.#clock.monotonicMs()
    if (watch.lookAtMs > nowMs) {
      this.#set(order, watch, nowMs)
      return
    }
    this.#due.add(order)
    this.#drain()
  }

  #drain(): void {
    if (this.#cancel !== undefined || this.#stopped || this.#due.size === 0) return
    this.#cancel = this.#clock.after(0, () => this.#turn())
  }

  #turn(): void {
    this.#cancel = undefined
    if (this.#stopped) return
    let looks = 0
    for (const order of this.#due) {
      if (looks === LOOKS_AT_ONCE) break
      this.#due.delete(order)
      const watch = this.#watches.get(order)
      if (watch === undefined) continue
      looks += 1
      if (watch.step < LAST_STEP) {
        watch.step += 1
        if (this.#isQuiet(watch)) this.#quiet += 1
      }
      const nowMs = this.#clock.monotonicMs()
      watch.lookAtMs = nowMs + this.#againAfterMs(watch)
      this.#set(order, watch, nowMs)
      this.#look(order, this.#isCrowded(watch))
    }
    if (this.#due.size > 0) this.#cancel = this.#clock.after(BETWEEN_MS, () => this.#turn())
  }
}
