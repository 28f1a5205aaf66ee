/** Order ids by price, ascending: an index in memory. Finding is O(log n), adding and removing move a part of one array. */
export class SortedPrices {
  readonly #prices: number[] = []
  readonly #ids: number[] = []

  /** The first place whose (price, id) is not before this one. */
  #at(price: number, id: number): number {
    let low = 0
    let high = this.#prices.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#prices[middle] ?? 0
      if (other < price || (other === price && (this.#ids[middle] ?? 0) < id)) low = middle + 1
      else high = middle
    }
    return low
  }

  add(price: number, id: number): void {
    const at = this.#at(price, id)
    this.#prices.splice(at, 0, price)
    this.#ids.splice(at, 0, id)
  }

  remove(price: number, id: number): void {
    const at = this.#at(price, id)
    if (this.#ids[at] !== id) return
    this.#prices.splice(at, 1)
    this.#ids.splice(at, 1)
  }

  /** Ids at this price or above. */
  atLeast(price: number): readonly number[] {
    return this.#ids.slice(this.#at(price, -1))
  }

  /** Ids at this price or below. */
  atMost(price: number): readonly number[] {
    return this.#ids.slice(0, this.#at(price, Number.MAX_SAFE_INTEGER))
  }
}
