/** ISO 8601 text of a time. An order says its times again in each of its events, and orders of one moment share theirs. Pure. */

const texts = new Map<number, string>()
/** Then it starts anew: a few hundred kB. */
const TEXTS_MAX = 4096

/** @param ms epoch milliseconds */
export const isoOf = (ms: number): string => {
  const known = texts.get(ms)
  if (known !== undefined) return known
  const text = new Date(ms).toISOString()
  if (texts.size >= TEXTS_MAX) texts.clear()
  texts.set(ms, text)
  return text
}
