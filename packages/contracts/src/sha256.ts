/**
 * SHA-256 (FIPS 180-4). Pure: no `node:` module, the same everywhere.
 *
 * Why not a library: the identity of a signal is two short hashes, and around the rounds themselves a library spends more
 * than half of its time on objects, views and copies (8 µs a signal against 4). A test holds it against two of them.
 */

/** Bytes of a block. */
const BLOCK = 64

// The first 32 bits of the fractional parts of the square roots of the first eight primes, and of the cube roots of the first 64.
const INITIAL = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19)
// biome-ignore format: a table
const K = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
)

const state = new Int32Array(8)
const w = new Int32Array(64)

/** One block of `bytes`, from `at` on, into the state. */
const compress = (bytes: Uint8Array, at: number): void => {
  for (let t = 0, i = at; t < 16; t++, i += 4) {
    w[t] = ((bytes[i] as number) << 24) | ((bytes[i + 1] as number) << 16) | ((bytes[i + 2] as number) << 8) | (bytes[i + 3] as number)
  }
  for (let t = 16; t < 64; t++) {
    const x = w[t - 15] as number
    const y = w[t - 2] as number
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    w[t] = ((w[t - 16] as number) + s0 + (w[t - 7] as number) + s1) | 0
  }
  let a = state[0] as number
  let b = state[1] as number
  let c = state[2] as number
  let d = state[3] as number
  let e = state[4] as number
  let f = state[5] as number
  let g = state[6] as number
  let h = state[7] as number
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[t] as number) + (w[t] as number)) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = (state[0] as number) + a
  state[1] = (state[1] as number) + b
  state[2] = (state[2] as number) + c
  state[3] = (state[3] as number) + d
  state[4] = (state[4] as number) + e
  state[5] = (state[5] as number) + f
  state[6] = (state[6] as number) + g
  state[7] = (state[7] as number) + h
}

/** The last block or two: the rest of the text, a one, zeros, and the length in bits. */
const tail = new Uint8Array(2 * BLOCK)

/** Writes the hash of the first `length` of `bytes` into `hash` (32 bytes). */
export const sha256Into = (bytes: Uint8Array, length: number, hash: Uint8Array): void => {
  state.set(INITIAL)
  let at = 0
  for (; at + BLOCK <= length; at += BLOCK) compress(bytes, at)
  const rest = length - at
  for (let i = 0; i < rest; i++) tail[i] = bytes[at + i] as number
  tail[rest] = 0x80
  const end = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK
  tail.fill(0, rest + 1, end)
  const upper = Math.floor(length / 0x2000_0000)
  const lower = length << 3
  for (let i = 0; i < 4; i++) {
    tail[end - 8 + i] = upper >>> (24 - 8 * i)
    tail[end - 4 + i] = lower >>> (24 - 8 * i)
  }
  compress(tail, 0)
  if (end > BLOCK) compress(tail, BLOCK)
  for (let i = 0; i < 32; i++) hash[i] = (state[i >> 2] as number) >>> (24 - 8 * (i & 3))
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
