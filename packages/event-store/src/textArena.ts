/**
 * Where the canonical texts of events are written as bytes: one after the other into large pieces of memory outside the
 * heap, so that a text is encoded once for its hash, the store and the journal, and garbage collection never copies it.
 * A piece is free again when nothing of it is referred to any more.
 */

/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3
const PIECE = 256 * 1024
/** A longer text gets memory of its own: the rest of a piece would be lost for it. */
const UNITS_MAX = PIECE / 16

export class TextArena {
  #piece = Buffer.alloc(0)
  #used = 0

  write(text: string): Uint8Array {
    if (text.length > UNITS_MAX) return Buffer.from(text)
    if (this.#piece.length - this.#used < text.length * BYTES_PER_UNIT_MAX) {
      this.#piece = Buffer.allocUnsafeSlow(PIECE)
      this.#used = 0
    }
    const from = this.#used
    this.#used += this.#piece.write(text, from)
    return this.#piece.subarray(from, this.#used)
  }
}
