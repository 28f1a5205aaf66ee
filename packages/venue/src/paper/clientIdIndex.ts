/**
 * The newest order of each client id, for a memory that keeps every order ever. A `Map` of texts grows to be the greatest object
 * of the venue: looking into it (mostly in vain: ids are new) goes through texts all over the heap, and so does collecting
 * garbage. Here are numbers only, in two flat arrays: 0.5 instead of 1.4 µs for each new id, of which a lot has three.
 */

const LEAST = 1024

/** FNV-1a. */
const hashOf = (text: string): number => {
  let hash = 0x811c9dc5
  for (let n = 0; n < text.length; n += 1) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193)
  return hash ^ (hash >>> 15)
}

export class ClientIdIndex {
  readonly #idOf: (order: number) => string | undefined
  /** Order ids, 0 where there is none, and the hashes of their client ids; at most half full. */
  #orders = new Int32Array(LEAST)
  #hashes = new Int32Array(LEAST)
  #size = 0
  /** An id is looked for right before it is put. */
  #last = ""
  #lastHash = hashOf("")

  /** @param idOf the client id of an order that was put */
  constructor(idOf: (order: number) => string | undefined) {
    this.#idOf = idOf
  }

  #hash(id: string): number {
    if (id !== this.#last) {
      this.#last = id
      this.#lastHash = hashOf(id)
    }
    return this.#lastHash
  }

  /** Where an id is, or would be. */
  #at(id: string, hash: number): number {
    const orders = this.#orders
    const mask = orders.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const order = orders[at]
      if (order === undefined || order === 0 || (this.#hashes[at] === hash && this.#idOf(order) === id)) return at
    }
  }

  newest(id: string): number | undefined {
    const order = this.#orders[this.#at(id, this.#hash(id))]
    return order === 0 ? undefined : order
  }

  /** Makes an order the newest of its id; the one that was it before. */
  put(id: string, order: number): number | undefined {
    const hash = this.#hash(id)
    const at = this.#at(id, hash)
    const before = this.#orders[at]
    this.#orders[at] = order
    this.#hashes[at] = hash
    if (before !== 0) return before
    this.#size += 1
    if (this.#size * 2 > this.#orders.length) this.#grow()
    return undefined
  }

  #grow(): void {
    const [orders, hashes] = [this.#orders, this.#hashes]
    const mask = orders.length * 2 - 1
    this.#orders = new Int32Array(mask + 1)
    this.#hashes = new Int32Array(mask + 1)
    orders.forEach((order, from) => {
      if (order === 0) return
      const hash = hashes[from] ?? 0
      let at = hash & mask
      while (this.#orders[at] !== 0) at = (at + 1) & mask
      this.#orders[at] = order
      this.#hashes[at] = hash
    })
  }
}
