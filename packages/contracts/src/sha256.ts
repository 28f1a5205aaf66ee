/** SHA-256 of bytes, and a hash as text. Pure: the library has no `node:` module in it, and is the same everywhere. */
import { sha256 } from "@noble/hashes/sha2.js"

/** Writes the hash of the first `length` of `bytes` into `hash` (32 bytes). */
export const sha256Into = (bytes: Uint8Array, length: number, hash: Uint8Array): void => {
  hash.set(sha256(bytes.subarray(0, length)))
}

const ascii = new TextDecoder()
const hexDigits = new Uint8Array(64)
/** The hash as hex, lower case. */
export const hexOf = (hash: Uint8Array): string => {
  for (let i = 0; i < 32; i++) {
    const byte = hash[i] as number
    const high = byte >> 4
    const low = byte & 15
    hexDigits[2 * i] = high + (high < 10 ? 0x30 : 0x57)
    hexDigits[2 * i + 1] = low + (low < 10 ? 0x30 : 0x57)
  }
  return ascii.decode(hexDigits)
}
