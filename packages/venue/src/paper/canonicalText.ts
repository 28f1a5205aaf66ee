/** The canonical text of a decimal. Nearly every text that comes is canonical: it is recognised, not parsed and printed anew. */
import { canonical } from "@petrosa/contracts"
import type { DecimalString } from "@petrosa/contracts"

const CANONICAL = /^(?:0|[1-9]\d{0,30})(?:\.\d{0,30}[1-9])?$/

/** As `canonical`: throws `RangeError` on what is no decimal. */
export const canonicalText = (text: string): DecimalString => (CANONICAL.test(text) ? (text as DecimalString) : canonical(text))
