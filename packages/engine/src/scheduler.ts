/**
 * One timer for all orders' deadlines: a binary heap of (due time, order). An order's newest entry counts; older ones are
 * skipped when they come up. Deadlines are data in the order's context; this only wakes whoever asked.
 */
import type { Clock } from "@petrosa/intake"

interface Due<K> {
  readonly atMs: number
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

  /** Sets, moves or (with `undefined`) removes the deadline of one key. */
  set(key: K, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.#due.delete(key)
      return
    }
    if (this.#due.get(key) === atMs) return
    this.#due.set(key, atMs)
    this.#push({ atMs, key })
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
    const atMs = Math.min(first.atMs, this.#clock.nowMs() + LOOK_AT_LEAST_EVERY_MS)
    if (this.#cancel !== undefined && this.#timerAtMs <= atMs) return
    this.#cancel?.()
    this.#timerAtMs = atMs
    this.#cancel = this.#clock.after(Math.max(0, atMs - this.#clock.nowMs()), () => this.#fire())
  }

  #fire(): void {
    this.#cancel = undefined
    this.#timerAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#clock.nowMs()
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= nowMs; first = this.#heap[0]) {
      this.#pop()
      if (this.#due.get(first.key) !== first.atMs) continue
      this.#due.delete(first.key)
      this.#wake(first.key)
    }
    this.#arm()
  }

  #rebuild(): void {
    const live = [...this.#due].map(([key, atMs]) => ({ key, atMs })).sort((a, b) => a.atMs - b.atMs)
    this.#heap.length = 0
    this.#heap.push(...live)
  }

  #push(due: Due<K>): void {
    const heap = this.#heap
    let i = heap.push(due) - 1
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.atMs <= due.atMs) break
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
      const child = right < heap.length && (heap[right]?.atMs ?? 0) < (heap[left]?.atMs ?? 0) ? right : left
      const below = heap[child]
      if (below === undefined || below.atMs >= last.atMs) break
      heap[i] = below
      i = child
    }
    heap[i] = last
  }
}
