/** Waiting, once and not for long, for the first fresh price of a symbol. */
import type { Market } from "@petrosa/contracts"
import type { MarketClock } from "./clock.ts"
import type { QuoteBoard } from "./quoteBoard.ts"
import { boardKey } from "./quoteBoard.ts"

/** How long a decision may be held back for the first price of its symbol. */
export const PREPARE_MS = 2_000
/** A symbol whose price did not come is not waited for again so soon: its signals are answered at once. */
const IN_VAIN_MS = 5_000
/** Symbols that were waited for in vain, remembered at most. */
const IN_VAIN_MAX = 1_000

interface Waiting {
  readonly promise: Promise<void>
  readonly done: () => void
}

export class Waiters {
  readonly #clock: MarketClock
  readonly #board: QuoteBoard
  readonly #waiting = new Map<string, Waiting>()
  readonly #inVain = new Map<string, number>()

  constructor(board: QuoteBoard, clock: MarketClock) {
    this.#board = board
    this.#clock = clock
    board.onPrice((symbol, market) => {
      if (this.#waiting.size === 0) return
      const one = this.#waiting.get(boardKey(symbol, market))
      if (one !== undefined && board.read(symbol, market)._tag === "Fresh") one.done()
    })
  }

  wait(symbol: string, market: Market): Promise<void> | undefined {
    if (this.#board.read(symbol, market)._tag === "Fresh") return undefined
    const key = boardKey(symbol, market)
    const known = this.#waiting.get(key)
    if (known !== undefined) return known.promise
    const inVainAtMs = this.#inVain.get(key)
    if (inVainAtMs !== undefined && this.#clock.monotonicMs() - inVainAtMs < IN_VAIN_MS) return undefined
    this.#inVain.delete(key)
    let resolve = (): void => undefined
    const promise = new Promise<void>((settled) => {
      resolve = settled
    })
    const cancel = this.#clock.after(PREPARE_MS, () => {
      if (this.#inVain.size >= IN_VAIN_MAX) this.#inVain.clear()
      this.#inVain.set(key, this.#clock.monotonicMs())
      done()
    })
    const done = (): void => {
      cancel()
      this.#waiting.delete(key)
      resolve()
    }
    this.#waiting.set(key, { promise, done })
    return promise
  }

  close(): void {
    for (const one of this.#waiting.values()) one.done()
  }
}
