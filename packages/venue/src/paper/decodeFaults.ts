/**
 * Faults from outside (an admin endpoint, a script): everything is checked, because what is written into the file holds for
 * every process, and a delay that is no number would be a venue that never answers.
 */
import type { Leg, RefusalClass } from "@petrosa/contracts"
import type { Faults, ReplyFault, RequestKind } from "./faults.ts"

export type DecodedFaults =
  | { readonly _tag: "Faults"; readonly faults: Partial<Faults> }
  | { readonly _tag: "Wrong"; readonly problems: readonly string[] }

/** No wait is longer than a minute. */
const DELAY_MAX_MS = 60_000
const LEGS = ["entry", "stop", "target", "flatten"] as const satisfies readonly Leg[]
const KINDS = [...LEGS, "cancel", "query"] as const satisfies readonly RequestKind[]
const CLASSES = [
  "fatal",
  "balance",
  "wouldTrigger",
  "duplicate",
  "race",
  "rateLimit",
  "retry",
  "account",
] as const satisfies readonly RefusalClass[]

type Json = Readonly<Record<string, unknown>>
type Check = (value: unknown) => string | undefined
const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const integer =
  (low: number, high: number): Check =>
  (value) =>
    Number.isInteger(value) && Number(value) >= low && Number(value) <= high ? undefined : `an integer of ${low}…${high} is expected`
const fraction: Check = (value) => (typeof value === "number" && value >= 0 && value <= 1 ? undefined : "a number of 0…1 is expected")
const flag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false is expected")
const text: Check = (value) => (typeof value === "string" && value.length <= 200 ? undefined : "a text is expected")
const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.includes(String(value)) ? undefined : `one of ${words.join(", ")} is expected`
const listOf =
  (words: readonly string[]): Check =>
  (value) =>
    Array.isArray(value) && value.every((item) => words.includes(item)) ? undefined : `a list of ${words.join(", ")} is expected`
const nullOr =
  (fields: Readonly<Record<string, Check>>, required: readonly string[]): Check =>
  (value) => {
    if (value === null) return undefined
    if (!isObject(value)) return "an object or null is expected"
    const missing = required.filter((name) => !(name in value))
    if (missing.length > 0) return `${missing.join(", ")} missing`
    for (const [name, part] of Object.entries(value)) {
      const check = Object.hasOwn(fields, name) ? fields[name] : undefined
      const problem = check === undefined ? "not known" : check(part)
      if (problem !== undefined) return `${name}: ${problem}`
    }
    return undefined
  }

const reply = nullOr(
  { count: integer(1, 1_000_000), probability: fraction, requests: listOf(KINDS) } satisfies Record<keyof ReplyFault, Check>,
  [],
)
const CHECKS: Readonly<Record<keyof Faults, Check>> = {
  slowMs: integer(0, DELAY_MAX_MS),
  partialFills: nullOr({ parts: integer(1, 1_000), everyMs: integer(0, DELAY_MAX_MS) }, ["parts", "everyMs"]),
  rest: flag,
  loseReply: reply,
  dropRequest: reply,
  refuse: nullOr({ class: oneOf(CLASSES), code: text, message: text, count: integer(1, 1_000_000), leg: oneOf(LEGS) }, ["class", "code"]),
  notFoundForMs: integer(0, DELAY_MAX_MS),
  duplicateEvents: flag,
  lateEventsMs: integer(0, DELAY_MAX_MS),
  missEvents: fraction,
  seed: integer(0, 2 ** 31),
}

export const decodeFaults = (input: unknown): DecodedFaults => {
  if (!isObject(input)) return { _tag: "Wrong", problems: ["an object is expected"] }
  const problems: string[] = []
  for (const [name, value] of Object.entries(input)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof Faults] : undefined
    const problem = check === undefined ? "not known" : check(value)
    if (problem !== undefined) problems.push(`${name}: ${problem}`)
  }
  return problems.length > 0 ? { _tag: "Wrong", problems } : { _tag: "Faults", faults: input }
}
