/**
 * Text that is put together piece by piece in one buffer, in UTF-8, and then read as a whole or hashed.
 *
 * One buffer is used again and again: texts that are added up with `+` are a tree of small objects until somebody reads
 * them, and their bytes a copy for each hash. {@link Utf8Text.begin} forgets whatever became of the text before.
 */
import { sha256Into } from "./sha256.ts"

const utf8 = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Longer texts are left to the encoder: what it costs to call is more than the loop over a short one. */
const LONG = 100

const SIZE = 4096
/** A message of a mebibyte does not keep as much for ever. */
const KEPT_MAX = 65_536

export class Utf8Text {
  #bytes = new Uint8Array(SIZE)
  #length = 0

  begin(): this {
    if (this.#bytes.length > KEPT_MAX) this.#bytes = new Uint8Array(SIZE)
    this.#length = 0
    return this
  }

  /** A lone surrogate counts as U+FFFD. */
  put(text: string): this {
    if (this.#length + text.length * 3 > this.#bytes.length) this.#grow(this.#length + text.length * 3)
    const bytes = this.#bytes
    let at = this.#length
    if (text.length > LONG) {
      this.#length = at + utf8.encodeInto(text, bytes.subarray(at)).written
      return this
    }
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0x7f) {
        at += utf8.encodeInto(i === 0 ? text : text.slice(i), bytes.subarray(at)).written
        break
      }
      bytes[at++] = code
    }
    this.#length = at
    return this
  }

  /** JSON text of a text, or `null`. */
  putJson(text: string | undefined): this {
    if (text === undefined) return this.put("null")
    if (text.length > LONG) return this.put(JSON.stringify(text))
    const needed = this.#length + text.length + 2
    if (needed > this.#bytes.length) this.#grow(needed)
    const bytes = this.#bytes
    let at = this.#length
    bytes[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      // Nothing counts as written yet.
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return this.put(JSON.stringify(text))
      bytes[at++] = code
    }
    bytes[at++] = QUOTE
    this.#length = at
    return this
  }

  text(): string {
    return decoder.decode(this.#bytes.subarray(0, this.#length))
  }

  /** Writes the SHA-256 into `hash` (32 bytes). */
  hashInto(hash: Uint8Array): void {
    sha256Into(this.#bytes, this.#length, hash)
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(needed * 2)
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}
