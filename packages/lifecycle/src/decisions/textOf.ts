import type { Decimal, DecimalString } from "@petrosa/contracts"
import { str, ZERO } from "@petrosa/contracts"

let last = ZERO
let text = str(ZERO)

/** As `str`. A decision writes one number several times, one after the other: of a market order all its prices are the market's. */
export const textOf = (value: Decimal): DecimalString => {
  if (value !== last) {
    text = str(value)
    last = value
  }
  return text
}
