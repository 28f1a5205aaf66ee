import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  kindOf,
  planSubjects,
  readToken,
  type SubjectPlan,
  safeToken,
  subjectProblem,
  subjectsOverlap,
  TOKEN_MAX_LENGTH,
} from "../src/index.ts"

const plan = (subject: string): SubjectPlan => {
  const result = planSubjects(subject)
  if (result._tag === "Bad") throw new Error(result.problem)
  return result.plan
}

describe("safe tokens", () => {
  test.each([
    ["momentum_v2-x", "momentum_v2-x"],
    ["Iceberg Order Detector", "Iceberg%20Order%20Detector"],
    ["a.b", "a%2Eb"],
    ["*", "%2A"],
    [">", "%3E"],
    ["", "%"],
    ["%", "%25"],
    ["a~b", "a%7Eb"],
    ["Größe", "Gr%C3%B6%C3%9Fe"],
    ["策略", "%E7%AD%96%E7%95%A5"],
    ["🚀", "%F0%9F%9A%80"],
    ["tab\tnl\n", "tab%09nl%0A"],
  ])("given %j, then the token is %s, and reads back", (text, token) => {
    expect(safeToken(text)).toBe(token)
    expect(readToken(token)).toBe(text)
  })

  test("given any text, then the token is one legal token of at most 200 characters, and reads back unless it was shortened", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 300 }), (text) => {
        const token = safeToken(text)
        expect(token).toMatch(/^[A-Za-z0-9_%~-]+$/)
        expect(token.length).toBeLessThanOrEqual(TOKEN_MAX_LENGTH)
        const read = readToken(token)
        expect(token.includes("~") ? text.startsWith(read.replace(/�+$/, "")) : read === text).toBe(true)
      }),
    )
  })

  test("given long texts that differ at the end, then the tokens differ", () => {
    const long = "策".repeat(200)
    expect(safeToken(`${long}1`)).not.toBe(safeToken(`${long}2`))
    expect(safeToken("a".repeat(200))).toBe("a".repeat(200))
    expect(safeToken("a".repeat(201))).toMatch(/^a{183}~[0-9a-f]{16}$/)
  })

  test("given two different texts, then never the same token", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
        expect(safeToken(a) === safeToken(b)).toBe(a === b)
      }),
    )
  })
})

describe("subjects", () => {
  test.each([
    ["a.b", "a.b", true],
    ["a.b", "a.c", false],
    ["a.b", "a", false],
    ["a.>", "a", false],
    ["a.>", "a.b.c", true],
    ["a.*", "a.b.c", false],
    ["a.*.c", "a.b.>", true],
    ["*.b", "a.*", true],
    [">", "a", true],
  ])("given %s and %s, then they overlap: %s", (a, b, overlap) => {
    expect(subjectsOverlap(a, b)).toBe(overlap)
    expect(subjectsOverlap(b, a)).toBe(overlap)
  })

  test.each(["", "a..b", ".a", "a.", "a.*", "a.>", "a b", "a\tb", "$JS.x", "_INBOX.x", "a*b", "x".repeat(201)])(
    "given %j, then it cannot be used, and why is said",
    (subject) => {
      expect(subjectProblem(subject)).toEqual(expect.any(String))
      expect(planSubjects(subject)._tag).toBe("Bad")
    },
  )

  test("given signals.trading, then ours are its siblings", () => {
    expect(plan("signals.trading").signalSubjects).toEqual(["signals.trading", "signals.trading.>", "signals.http", "signals.resume.>"])
    expect(plan("desk.one.orders").http).toBe("desk.one.http")
  })

  test.each(["signals", "signals.http", "signals.resume", "a.resume"])(
    "given %s, whose siblings would overlap, then ours go elsewhere",
    (subject) => {
      const p = plan(subject)
      expect(p.http).toBe(`petrosa-intake.${subject}.http`)
      expect(p.signalSubjects.some((a, i) => p.signalSubjects.some((b, j) => i !== j && subjectsOverlap(a, b)))).toBe(false)
    },
  )

  test.each(["lots", "lots.a", "execution.events", "execution", "petrosa.journal.x", "petrosa"])(
    "given %s, which the engine publishes on itself, then it is refused",
    (subject) => {
      expect(planSubjects(subject)).toMatchObject({ _tag: "Bad", problem: expect.stringContaining("the engine uses itself") })
    },
  )

  test("given the root of the engine's own subjects, then it is refused", () => {
    expect(planSubjects("petrosa-intake")).toMatchObject({ _tag: "Bad", problem: expect.stringContaining("no room") })
  })

  test("given any usable subject, then no two subjects of its stream overlap, and every kind is told apart", () => {
    const token = fc.constantFrom("signals", "trading", "http", "resume", "x1")
    fc.assert(
      fc.property(fc.array(token, { minLength: 1, maxLength: 4 }), (tokens) => {
        const p = plan(tokens.join("."))
        for (const [i, a] of p.signalSubjects.entries())
          for (const b of p.signalSubjects.slice(i + 1)) expect(subjectsOverlap(a, b)).toBe(false)
        expect(kindOf(p, p.signal)).toEqual({ kind: "signal" })
        expect(kindOf(p, `${p.signal}.http`)).toEqual({ kind: "signal" })
        expect(kindOf(p, p.http)).toEqual({ kind: "http" })
        expect(kindOf(p, `${p.resumePrefix}.o1.close`)).toEqual({ kind: "resume", order: "o1" })
        expect(kindOf(p, `${p.resumePrefix}.o1`)).toEqual({ kind: "resume", order: "o1" })
        expect(kindOf(p, `${p.lotsPrefix}.o1`)).toEqual({ kind: "lot", order: "o1" })
      }),
    )
  })
})
