/**
 * One timer for all orders' deadlines: a binary heap of (due time, order). An order's newest entry counts; older ones are
 * skipped when they come up. Deadlines are data in the order's context; this only wakes whoever asked. What counts is the
 * time that has passed here since a deadline was set: a wall clock that is set back does not put off anybody's stop.
 */
import type { Clock } from "@petrosa/intake"

interface Due<K> {
  /** As it was asked for, wall clock: names the entry. */
  readonly atMs: number
  readonly monotonicMs: number
  readonly key: K
}

/** No sleep is longer: the clock may be set forward meanwhile. */
const LOOK_AT_LEAST_EVERY_MS = 1000

export class DeadlineScheduler<K> {
  readonly #clock: Clock
  readonly #wake: (key: K) => void
  readonly #heap: Due<K>[] = []
  readonly #due = new Map<K, number>()
  #cancel: (() => void) | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(clock: Clock, wake: (key: K) => void) {
    this.#clock = clock
    this.#wake = wake
  }

  get size(): number {
    return this.#due.size
  }

  /** Sets, moves or (with `undefined`) removes the deadline of one key. `nowMs`: now, in the time that `atMs` is given in. */
  set(key: K, atMs: number | undefined, nowMs = this.#clock.nowMs()): void {
    if (atMs === undefined) {
      this.#due.delete(key)
      return
    }
    if (this.#due.get(key) === atMs) return
    this.#due.set(key, atMs)
    this.#push({ atMs, key, monotonicMs: this.#clock.monotonicMs() + (atMs - nowMs) })
    // Stale entries are dropped when they outnumber the others, so that the heap stays as small as the orders are many.
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#due.size) this.#rebuild()
    this.#arm()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  #arm(): void {
    const first = this.#heap[0]
    if (first === undefined || this.#stopped) return
    const atMs = Math.min(first.monotonicMs, this.#clock.monotonicMs() + LOOK_AT_LEAST_EVERY_MS)
    if (this.#cancel !== undefined && this.#timerAtMs <= atMs) return
    this.#cancel?.()
    this.#timerAtMs = atMs
    this.#cancel = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => this.#fire())
  }

  #fire(): void {
    this.#cancel = undefined
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#clock.monotonicMs()
    for (let first = this.#heap[0]; first !== undefined && first.monotonicMs <= nowMs; first = this.#heap[0]) {
      this.#pop()
      if (this.#due.get(first.key) !== first.atMs) continue
      this.#due.delete(first.key)
      this.#wake(first.key)
    }
    this.#arm()
  }

  #rebuild(): void {
    const live = this.#heap.filter(({ key, atMs }) => this.#due.get(key) === atMs).sort((a, b) => a.monotonicMs - b.monotonicMs)
    this.#heap.length = 0
    for (const due of live) this.#heap.push(due)
  }

  #push(due: Due<K>): void {
    const heap = this.#heap
    let i = heap.push(due) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.monotonicMs <= due.monotonicMs) break
      heap[i] = above
      i = parent
    }
    heap[i] = due
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let i = 0
    for (;;) {
      const left = 2 * i + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && (heap[right]?.monotonicMs ?? 0) < (heap[left]?.monotonicMs ?? 0) ? right : left
      const below = heap[child]
      if (below === undefined || below.monotonicMs >= last.monotonicMs) break
      heap[i] = below
      i = child
    }
    heap[i] = last
  }
}
