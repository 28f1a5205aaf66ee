import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { epochMsOf, ISO_PATTERN, timestampMsOf } from "../src/index.ts"

const MS = Date.UTC(2025, 10, 23, 12, 34, 56, 789)

describe("timestamps", () => {
  it.each([
    ["UTC", "2025-11-23T12:34:56.789Z", MS],
    ["small letters", "2025-11-23t12:34:56.789z", MS],
    ["Python's isoformat", "2025-11-23T12:34:56.789123+00:00", MS],
    ["Python's str()", "2025-11-23 12:34:56.789123", MS],
    ["naive, which is UTC", "2025-11-23T12:34:56.789", MS],
    ["naive without fraction", "2025-11-23T12:34:56", MS - 789],
    ["without seconds", "2025-11-23T12:34Z", MS - 56_789],
    ["east of Greenwich", "2025-11-23T14:34:56.789+02:00", MS],
    ["west, with minutes, without colon", "2025-11-23T09:04:56.789-0330", MS],
    ["an offset of hours", "2025-11-23T07:34:56.789-05", MS],
    ["nanoseconds, cut off", "2025-11-23T12:34:56.789999999Z", MS],
    ["a tenth", "2025-11-23T12:34:56.7Z", MS - 89],
    ["the 29th of February of a leap year", "2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["seconds as text", String(MS / 1000), MS],
    ["milliseconds as text", String(MS), MS],
  ])("given %s, it is that time", (_, text, ms) => expect(timestampMsOf(text)).toBe(ms))

  it.each([
    ["epoch seconds", "1763901296", 1_763_901_296_000],
    ["epoch seconds with a fraction", "1763901296.789", MS],
    ["epoch seconds, Python's float", "1763901296.7891235", MS],
    ["epoch seconds with an exponent", "1.763901296789e9", MS],
    ["epoch milliseconds", "1763901296789", MS],
    ["epoch milliseconds with a fraction", "1763901296789.9", MS],
    ["the first second", "946684800", 946_684_800_000],
    ["the last second", "4102444800", 4_102_444_800_000],
  ])("given %s, it is that time", (_, text, ms) => expect(epochMsOf(text)).toBe(ms))

  it.each(["0", "-1763901296", "946684799", "4102444801", "1763901296789000", "1763901296789000000", "20251123", "NaN", "1e400"])(
    "given the number %s, it is none",
    (text) => expect(epochMsOf(text)).toBeUndefined(),
  )

  it.each([
    "",
    "now",
    "2025-11-23",
    "23.11.2025 12:34",
    "11/23/2025",
    "2025-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-00-01T00:00:00Z",
    "2025-11-00T00:00:00Z",
    "2025-11-23T24:00:00Z",
    "2025-11-23T12:60:00Z",
    "2025-11-23T23:59:60Z",
    "2025-11-23T12:34:56+24:00",
    "2025-11-23T12:34:56+02:60",
    "2025-11-23T12:34:56.Z",
    "2025-11-23T12:34:56 Z",
    " 2025-11-23T12:34:56Z",
    "2025-11-23T12:34:56Zx",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:01Z",
    "0025-11-23T12:34:56Z",
    "12025-11-23T12:34:56Z",
    "Sun, 23 Nov 2025 12:34:56 GMT",
    "1763901296789000",
    "17639",
  ])("given %j, it is none, never now", (text) => expect(timestampMsOf(text)).toBeUndefined())

  it("given any time of the century, JavaScript's and Python's spellings of it are one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 }), (ms) => {
        const iso = new Date(ms).toISOString()
        expect(timestampMsOf(iso)).toBe(ms)
        expect(timestampMsOf(`${iso.slice(0, -1)}000+00:00`)).toBe(ms)
        expect(epochMsOf(String(ms))).toBe(ms)
        expect(epochMsOf(`${Math.floor(ms / 1000)}.${String(ms % 1000).padStart(3, "0")}`)).toBe(ms)
        expect(iso).toMatch(new RegExp(ISO_PATTERN))
      }),
    )
  })
})
