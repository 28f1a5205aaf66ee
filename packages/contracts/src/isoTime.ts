/** ISO 8601 text of a time. An order says its times again in each of its events, and orders of one moment share theirs. Pure. */

/** Times that were written lately, each in the slot of its last bits: the seconds around now, and nothing to clear. */
const SLOTS = 4096
const times = new Float64Array(SLOTS).fill(Number.NaN)
const texts: string[] = Array.from({ length: SLOTS }, () => "")

const MINUTE_MS = 60_000
/** When the minute of the time that was written last began: within it only the last digits differ. */
let minute = Number.NaN
/** That time, as it was written. */
const characters = new Uint8Array("2025-11-23T12:34:56.789Z".length)
const SECONDS_AT = "2025-11-23T12:34:".length
const ascii = new TextDecoder()

const digit = (n: number, of: number): number => 0x30 + (Math.floor(n / of) % 10)

const written = (ms: number): string => {
  const since = ms - minute
  if (since >= 0 && since < MINUTE_MS && Number.isInteger(since)) {
    characters[SECONDS_AT] = digit(since, 10_000)
    characters[SECONDS_AT + 1] = digit(since, 1000)
    characters[SECONDS_AT + 3] = digit(since, 100)
    characters[SECONDS_AT + 4] = digit(since, 10)
    characters[SECONDS_AT + 5] = digit(since, 1)
    return ascii.decode(characters)
  }
  const text = new Date(ms).toISOString()
  // Years of more than four digits are longer, and fractions of a millisecond belong to another time.
  if (text.length === characters.length && Number.isInteger(ms)) {
    minute = Math.floor(ms / MINUTE_MS) * MINUTE_MS
    for (let i = 0; i < text.length; i++) characters[i] = text.charCodeAt(i)
  }
  return text
}

/** @param ms epoch milliseconds */
export const isoOf = (ms: number): string => {
  const slot = ms & (SLOTS - 1)
  if (times[slot] === ms) return texts[slot] as string
  const text = written(ms)
  times[slot] = ms
  texts[slot] = text
  return text
}
