/** Which symbols are wanted, bounded: one that nobody has asked for lately makes room for another. PURE: time comes in. */
import type { Market } from "@petrosa/contracts"
import { boardKey } from "./quoteBoard.ts"

export interface Wanted {
  readonly symbol: string
  readonly market: Market
}

/** A symbol that was asked for within this time is not given up for another one. */
const KEPT_FOR_MS = 60_000
/** A symbol that nobody has asked for so long is no longer followed. */
export const INTEREST_MS = 900_000

export class Interest {
  readonly #max: number
  /** In order of the last time that they were asked for. */
  readonly #wanted = new Map<string, Wanted & { readonly atMs: number }>()

  constructor(max: number) {
    this.#max = max
  }
  get size(): number {
    return this.#wanted.size
  }
  has(symbol: string, market: Market): boolean {
    return this.#wanted.has(boardKey(symbol, market))
  }
  all(): readonly Wanted[] {
    return [...this.#wanted.values()]
  }

  /** `refused`: all places are taken by symbols in use. `gone`: what had to make room. */
  want(symbol: string, market: Market, nowMs: number): { readonly added: boolean; readonly refused: boolean; readonly gone?: Wanted } {
    const key = boardKey(symbol, market)
    const known = this.#wanted.delete(key)
    let gone: Wanted | undefined
    if (!known && this.#wanted.size >= this.#max) {
      const [oldestKey, oldest] = this.#wanted.entries().next().value ?? []
      if (oldestKey === undefined || oldest === undefined || nowMs - oldest.atMs < KEPT_FOR_MS) return { added: false, refused: true }
      this.#wanted.delete(oldestKey)
      gone = oldest
    }
    this.#wanted.set(key, { symbol, market, atMs: nowMs })
    return gone === undefined ? { added: !known, refused: false } : { added: true, refused: false, gone }
  }

  /** Gives up what nobody has asked for lately. */
  expire(nowMs: number): readonly Wanted[] {
    const old = [...this.#wanted].filter(([, one]) => nowMs - one.atMs > INTEREST_MS)
    for (const [key] of old) this.#wanted.delete(key)
    return old.map(([, one]) => one)
  }
}
