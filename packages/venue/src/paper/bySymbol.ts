/**
 * One value per symbol and market. Two maps instead of one with a composed key: a text that was just put together is hashed
 * anew at every look, the symbol of a request is not.
 */
import type { Market } from "@petrosa/contracts"

export class BySymbol<A> {
  readonly #spot = new Map<string, A>()
  readonly #futures = new Map<string, A>()

  #of(market: Market): Map<string, A> {
    return market === "spot" ? this.#spot : this.#futures
  }

  get(market: Market, symbol: string): A | undefined {
    return this.#of(market).get(symbol)
  }
  set(market: Market, symbol: string, value: A): void {
    this.#of(market).set(symbol, value)
  }
  /** The value, made when there is none. */
  need(market: Market, symbol: string, make: () => A): A {
    const known = this.#of(market).get(symbol)
    if (known !== undefined) return known
    const fresh = make()
    this.#of(market).set(symbol, fresh)
    return fresh
  }
  clear(): void {
    this.#spot.clear()
    this.#futures.clear()
  }
  /** All values of one market or of both. */
  *values(market?: Market): Generator<A> {
    if (market !== "futures") yield* this.#spot.values()
    if (market !== "spot") yield* this.#futures.values()
  }
}
