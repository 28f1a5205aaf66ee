/**
 * Order ids by price, ascending: an index in memory. It is kept in pieces of bounded length, so that adding and removing cost
 * the same whether a symbol has ten open stops or a hundred thousand, at one price or at many.
 */

/** A piece that has grown to so many entries is divided into two. */
const PIECE_MAX = 256

interface Piece {
  readonly prices: number[]
  readonly ids: number[]
}

/** Where (price, id) is, or would be, in a piece: the first place that is not before it. */
const placeIn = ({ prices, ids }: Piece, price: number, id: number): number => {
  let low = 0
  let high = prices.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = prices[middle] ?? 0
    if (other < price || (other === price && (ids[middle] ?? 0) < id)) low = middle + 1
    else high = middle
  }
  return low
}

const isBefore = ({ prices, ids }: Piece, price: number, id: number): boolean => {
  const last = prices.length - 1
  const other = prices[last] ?? 0
  return other < price || (other === price && (ids[last] ?? 0) < id)
}

export class SortedPrices {
  /** None is empty, but the only one may be. */
  readonly #pieces: Piece[] = [{ prices: [], ids: [] }]

  /** The first piece that does not end before (price, id); else the last. */
  #pieceOf(price: number, id: number): number {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      const piece = this.#pieces[middle]
      if (piece !== undefined && isBefore(piece, price, id)) low = middle + 1
      else high = middle
    }
    return low
  }

  add(price: number, id: number): void {
    const index = this.#pieceOf(price, id)
    const piece = this.#pieces[index]
    if (piece === undefined) return
    const at = placeIn(piece, price, id)
    const { prices, ids } = piece
    if (at === prices.length) {
      prices.push(price)
      ids.push(id)
    } else {
      prices.splice(at, 0, price)
      ids.splice(at, 0, id)
    }
    if (prices.length < PIECE_MAX) return
    // New orders at one price come at the end, in order: there, only what comes next goes into a new piece.
    const keep = index === this.#pieces.length - 1 && at === prices.length - 1 ? prices.length - 1 : prices.length >> 1
    this.#pieces.splice(index + 1, 0, { prices: prices.splice(keep), ids: ids.splice(keep) })
  }

  remove(price: number, id: number): void {
    const index = this.#pieceOf(price, id)
    const piece = this.#pieces[index]
    if (piece === undefined) return
    const at = placeIn(piece, price, id)
    if (piece.ids[at] !== id) return
    piece.prices.splice(at, 1)
    piece.ids.splice(at, 1)
    if (piece.ids.length === 0 && this.#pieces.length > 1) this.#pieces.splice(index, 1)
  }

  /** Ids at this price or above. */
  atLeast(price: number): readonly number[] {
    const index = this.#pieceOf(price, -1)
    const found: number[] = []
    this.#pieces.slice(index).forEach((piece, n) => {
      const from = n === 0 ? placeIn(piece, price, -1) : 0
      for (let at = from; at < piece.ids.length; at += 1) found.push(piece.ids[at] ?? 0)
    })
    return found
  }

  /** Ids at this price or below. */
  atMost(price: number): readonly number[] {
    const found: number[] = []
    for (const piece of this.#pieces) {
      const to = placeIn(piece, price, Number.MAX_SAFE_INTEGER)
      for (let at = 0; at < to; at += 1) found.push(piece.ids[at] ?? 0)
      if (to < piece.ids.length) break
    }
    return found
  }
}
