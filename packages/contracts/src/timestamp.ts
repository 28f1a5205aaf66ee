/**
 * When a signal was made: ISO 8601 with a zone, ISO without one (= UTC), epoch seconds, or epoch milliseconds; never
 * "now". Anything else is `undefined`, and with that a field error.
 *
 * Numbers (also as text) between 946684800 and 4102444800 (2000 to 2100) are seconds, a thousand times that milliseconds;
 * microseconds, nanoseconds and small numbers are refused. ISO: date and time with `T` or a space between them, seconds
 * and fraction optional, zone `Z`, `±hh:mm`, `±hhmm`, `±hh` or none. A date alone, a leap second, the 30th of February
 * and 24:00 are refused. Digits beyond the millisecond are cut off, not rounded.
 */
import { parseDecimal, quotientFloor, dec, ONE } from "./decimal.ts"

/** 2000-01-01T00:00:00Z. */
export const EARLIEST_S = 946_684_800
/** 2100-01-01T00:00:00Z. */
export const LATEST_S = 4_102_444_800

const ISO = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,12}))?)?(?:([Zz])|([+-])(\d{2})(?::?(\d{2}))?)?$/
/** As in {@link ISO}, without groups: for the JSON Schema. */
export const ISO_PATTERN = "^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,12})?)?([Zz]|[+-]\\d{2}(:?\\d{2})?)?$"

const THOUSANDTH = dec("0.001")

/** Epoch milliseconds of a number's source text, or `undefined`. */
export const epochMsOf = (text: string): number | undefined => {
  const value = parseDecimal(text)
  if (value === undefined) return undefined
  const whole = Number(quotientFloor(value, ONE))
  if (whole >= EARLIEST_S && whole <= LATEST_S) return Number(quotientFloor(value, THOUSANDTH))
  if (whole >= EARLIEST_S * 1000 && whole <= LATEST_S * 1000) return whole
  return undefined
}

/** Epoch milliseconds of ISO text or of a number as text, or `undefined`. */
export const timestampMsOf = (text: string): number | undefined => {
  const found = ISO.exec(text)
  if (found === null) return /^\d{9,13}(?:\.\d*)?$/.test(text) ? epochMsOf(text) : undefined
  const [, year, month, day, hour, minute, second = "0", fraction = "", , sign, zoneHour = "0", zoneMinute = "0"] = found
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59 || Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined
  const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day))
  const date = new Date(midnight)
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined
  const timeMs = ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000 + Number(fraction.padEnd(3, "0").slice(0, 3))
  const zoneMs = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000
  const epochMs = midnight + timeMs - (sign === "-" ? -zoneMs : zoneMs)
  return epochMs >= EARLIEST_S * 1000 && epochMs <= LATEST_S * 1000 ? epochMs : undefined
}
