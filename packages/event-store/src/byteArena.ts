/**
 * Where the canonical texts of events are written as bytes, one after the other, into large pieces of memory outside the
 * heap: a text is encoded once, for its hash, the store and the journal, and garbage collection never copies it. A piece is
 * free again when nothing of it is referred to any more.
 *
 * One text at a time: `begin`, any number of `put…`, `end`.
 */

/** UTF-8 needs at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT_MAX = 3
const PIECE = 256 * 1024
/** Longer texts are left to the encoder: what it costs to call is more than the loop over a short one. */
const LONG = 48

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const LAST_ASCII = 0x7e

export class ByteArena {
  #piece = Buffer.alloc(0)
  /** Where the text that is being written begins, and how far it is. */
  #from = 0
  #at = 0

  begin(): void {
    this.#from = this.#at
  }

  /** What was written since `begin`. */
  end(): Uint8Array {
    return new Uint8Array(this.#piece.buffer, this.#piece.byteOffset + this.#from, this.#at - this.#from)
  }

  /** Plain ASCII, of this program's own. */
  put(ascii: string): this {
    const { length } = ascii
    this.#room(length)
    const piece = this.#piece
    let at = this.#at
    for (let i = 0; i < length; i++) piece[at++] = ascii.charCodeAt(i)
    this.#at = at
    return this
  }

  /** Any text, as it is. */
  putText(text: string): this {
    this.#room(text.length * BYTES_PER_UNIT_MAX)
    this.#at += this.#piece.write(text, this.#at)
    return this
  }

  putBytes(bytes: Uint8Array): this {
    this.#room(bytes.length)
    this.#piece.set(bytes, this.#at)
    this.#at += bytes.length
    return this
  }

  /** JSON of a text, or `null`. */
  putJson(text: string | null): this {
    if (text === null) return this.put("null")
    const { length } = text
    if (length > LONG) return this.putText(JSON.stringify(text))
    this.#room(length + 2)
    const piece = this.#piece
    let at = this.#at
    piece[at++] = QUOTE
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      // Nothing counts as written yet.
      if (code < SPACE || code > LAST_ASCII || code === QUOTE || code === BACKSLASH) return this.putText(JSON.stringify(text))
      piece[at++] = code
    }
    piece[at++] = QUOTE
    this.#at = at
    return this
  }

  /** JSON of a number, or `null`. */
  putNumber(value: number | null): this {
    return this.put(value !== null && Number.isFinite(value) ? `${value}` : "null")
  }

  /** How much of the text is there. */
  get length(): number {
    return this.#at - this.#from
  }

  /** A part of a text that was written before, here as a rule. Within one piece nothing is allocated for it. */
  putAgain(text: Uint8Array, from: number, to: number): this {
    this.#room(to - from)
    const piece = this.#piece
    if (text.buffer === piece.buffer) {
      const start = text.byteOffset - piece.byteOffset
      piece.copyWithin(this.#at, start + from, start + to)
    } else piece.set(text.subarray(from, to), this.#at)
    this.#at += to - from
    return this
  }

  /** A copy of what `write` puts, to be put again. */
  copyOf(write: () => void): Uint8Array {
    const length = this.#at - this.#from
    write()
    return this.end().slice(length)
  }

  /** There is room for so many bytes more: a text that does not fit into the rest of a piece is taken over into a new one. */
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#piece.length) return
    const begun = this.#piece.subarray(this.#from, this.#at)
    const piece = Buffer.allocUnsafeSlow(Math.max(PIECE, 2 * (begun.length + bytes)))
    piece.set(begun)
    this.#piece = piece
    this.#from = 0
    this.#at = begun.length
  }
}
