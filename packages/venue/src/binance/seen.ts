/** A bounded memory of keys: the oldest are forgotten first. For duplicates of stream events (binance.md 7.3). PURE. */
export class Seen {
  readonly #keys = new Set<string>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  /** True when the key is new; it is known from now on. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false
    this.#keys.add(key)
    if (this.#keys.size > this.#max) {
      const [oldest] = this.#keys
      if (oldest !== undefined) this.#keys.delete(oldest)
    }
    return true
  }
  get size(): number {
    return this.#keys.size
  }
}

/** A bounded map: the one that was written longest ago is forgotten first. */
export class BoundedMap<K, V> {
  readonly #entries = new Map<K, V>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }
  get(key: K): V | undefined {
    return this.#entries.get(key)
  }
  set(key: K, value: V): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#max) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
  }
  /** True when it was there. */
  delete(key: K): boolean {
    return this.#entries.delete(key)
  }
  get size(): number {
    return this.#entries.size
  }
}
