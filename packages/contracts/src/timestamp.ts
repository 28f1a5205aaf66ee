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

/** What JavaScript writes: `2025-11-23T12:34:56.789Z`. */
const ISO_LENGTH = 24
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
/** The day of the month on which it ends. */
const lastDayOf = (year: number, month: number): number =>
  month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : (DAYS[month - 1] ?? 0)

/** The number in `text` from `start` to `end`; NaN when there is something else than digits. */
const digitsAt = (text: string, start: number, end: number): number => {
  let value = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return Number.NaN
    value = value * 10 + (code - 0x30)
  }
  return value
}

/** As {@link timestampMsOf}, of JavaScript's spelling only: nearly all signals have it, and it costs a fifth of the expression. */
const plainIsoMsOf = (text: string): number | undefined => {
  if (text.length !== ISO_LENGTH) return undefined
  if (text.charCodeAt(4) !== 0x2d || text.charCodeAt(7) !== 0x2d || text.charCodeAt(10) !== 0x54) return undefined
  if (text.charCodeAt(13) !== 0x3a || text.charCodeAt(16) !== 0x3a) return undefined
  if (text.charCodeAt(19) !== 0x2e || text.charCodeAt(23) !== 0x5a) return undefined
  const year = digitsAt(text, 0, 4)
  const month = digitsAt(text, 5, 7)
  const day = digitsAt(text, 8, 10)
  const hour = digitsAt(text, 11, 13)
  const minute = digitsAt(text, 14, 16)
  const second = digitsAt(text, 17, 19)
  const ms = digitsAt(text, 20, 23)
  // NaN fails each of them. Years from 2000 to 2099 are in range whatever else is said.
  if (!(year >= 2000 && year <= 2099 && month >= 1 && day >= 1 && day <= lastDayOf(year, month))) return undefined
  if (!(hour <= 23 && minute <= 59 && second <= 59 && ms <= 999)) return undefined
  return Date.UTC(year, month - 1, day, hour, minute, second, ms)
}

/** Epoch milliseconds of a number's source text, or `undefined`. */
export const epochMsOf = (text: string): number | undefined => {
  const whole13 = text.length === 13 ? digitsAt(text, 0, 13) : Number.NaN
  if (whole13 >= EARLIEST_S * 1000 && whole13 <= LATEST_S * 1000) return whole13
  const value = parseDecimal(text)
  if (value === undefined) return undefined
  const whole = Number(quotientFloor(value, ONE))
  if (whole >= EARLIEST_S && whole <= LATEST_S) return Number(quotientFloor(value, THOUSANDTH))
  if (whole >= EARLIEST_S * 1000 && whole <= LATEST_S * 1000) return whole
  return undefined
}

/** Epoch milliseconds of ISO text or of a number as text, or `undefined`. */
export const timestampMsOf = (text: string): number | undefined => {
  const plain = plainIsoMsOf(text)
  if (plain !== undefined) return plain
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
