/** What waits for a price: triggers of stops, of algo orders, of trailing ones. Fired oldest first, each at most once. */
import type { Market } from "@petrosa/contracts"
import type { MarketPrice } from "./ladder.ts"

export interface Watch {
  /** Called at every price of the symbol; true: it fires. A trailing watch moves with the price here. */
  reached(price: MarketPrice): boolean
  fire(): void
}

export class Watches {
  readonly #watches = new Map<string, Set<Watch>>()

  #of(market: Market, symbol: string): Set<Watch> {
    const key = `${market} ${symbol}`
    const found = this.#watches.get(key) ?? new Set<Watch>()
    this.#watches.set(key, found)
    return found
  }
  add(market: Market, symbol: string, watch: Watch): () => void {
    const set = this.#of(market, symbol)
    set.add(watch)
    return () => {
      set.delete(watch)
    }
  }
  check(market: Market, symbol: string, price: MarketPrice): void {
    const set = this.#of(market, symbol)
    const fired = [...set].filter((watch) => watch.reached(price))
    for (const watch of fired) {
      // An earlier one may have taken it away (the other leg of a list).
      if (!set.delete(watch)) continue
      watch.fire()
    }
  }
  clear(): void {
    this.#watches.clear()
  }
}
