/** Decimals as Binance writes them: spot always with eight places, futures with the places of the symbol. */
import { div, isZero, str } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"

/** With exactly so many places; digits beyond them are cut off. */
export const places = (value: Decimal, count: number): string => {
  const text = str(value)
  const [whole = "0", rest = ""] = text.split(".")
  return count === 0 ? whole : `${whole}.${rest.padEnd(count, "0").slice(0, count)}`
}

export const eight = (value: Decimal): string => places(value, 8)

/** How many places a text has, trailing zeros of a number that a client sent left out. */
export const placesOf = (text: string): number => {
  const [, rest = ""] = text.split(".")
  return rest.replace(/0+$/, "").length
}

/** The quotient, or zero when there is nothing to divide by. */
export const ratio = (a: Decimal, b: Decimal): Decimal => (isZero(b) ? b : div(a, b))
