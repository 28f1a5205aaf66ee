/**
 * From what an exchange answered to what it means: tables as data, one per venue, and the one function that reads them. PURE.
 *
 * The first row that matches counts. What no row knows is decided by two rules (binance.md section 5): a 4xx with a code of
 * Binance was not executed (fatal, and somebody is to be told); everything else without a readable answer is Unknown.
 * `docs/binance-outcomes.md` is made from these tables ({@link renderOutcomes}).
 */
import { refused, unknown } from "@petrosa/contracts"
import type { RefusalClass, Refused, Unknown } from "@petrosa/contracts"
import type { Answered, Reply } from "./reply.ts"
import { errorOf, isSuccess } from "./reply.ts"

/** What the adapter does besides telling its caller. */
export type Effect = "refreshRules" | "syncClock" | "reloadPositionMode" | "newListenKey" | "alarm"

export type Verdict = RefusalClass | "unknown" | "nothingToChange"

export interface OutcomeRow {
  /** Without an answer: was the request certainly not sent, or is it lost? */
  readonly transport?: "notSent" | "lost" | "held"
  readonly status?: number | "4xx" | "5xx"
  /** Binance's codes; absent: any, also none. */
  readonly codes?: readonly number[]
  /** Part of Binance's text, in lower case. */
  readonly message?: string
  readonly verdict: Verdict
  readonly effects?: readonly Effect[]
  readonly meaning: string
}
export interface OutcomeTable {
  readonly venue: "binance-spot" | "binance-futures"
  readonly rows: readonly OutcomeRow[]
  /** Codes that answer a question with "there is no such order". */
  readonly absentCodes: readonly number[]
}

export const UNKNOWN_CODE: OutcomeRow = {
  status: "4xx",
  verdict: "fatal",
  effects: ["alarm"],
  meaning: "A 4xx with a code that no row knows: not executed (4xx means that the request is at fault).",
}
export const UNREADABLE: OutcomeRow = {
  verdict: "unknown",
  effects: ["alarm"],
  meaning: "Anything else, and any answer that cannot be read.",
}

/** A whole number range as a list of codes, both ends included: `codes(-1100, -1108)`. */
export const codes = (first: number, last: number): readonly number[] => {
  const [high, low] = first > last ? [first, last] : [last, first]
  return Array.from({ length: high - low + 1 }, (_, n) => high - n)
}

interface Seen {
  readonly transport?: "notSent" | "lost" | "held"
  readonly status?: number
  readonly code?: number
  readonly message: string
}

const matches = (row: OutcomeRow, seen: Seen): boolean => {
  if (row.transport !== seen.transport) return false
  if (row.status === "4xx" || row.status === "5xx") {
    const first = row.status === "4xx" ? 400 : 500
    if (seen.status === undefined || seen.status < first || seen.status >= first + 100) return false
  } else if (row.status !== undefined && row.status !== seen.status) return false
  if (row.codes !== undefined && (seen.code === undefined || !row.codes.includes(seen.code))) return false
  return row.message === undefined || seen.message.toLowerCase().includes(row.message)
}

/** The row that decides about what was seen. */
export const rowFor = (table: OutcomeTable, seen: Seen): OutcomeRow => {
  const row = table.rows.find((one) => matches(one, seen))
  if (row !== undefined) return row
  return seen.status !== undefined && seen.status >= 400 && seen.status < 500 && seen.code !== undefined ? UNKNOWN_CODE : UNREADABLE
}

const seenOf = (reply: Reply): Seen => {
  switch (reply._tag) {
    case "Held":
      return { transport: "held", message: reply.message }
    case "Unanswered":
      return { transport: reply.notSent ? "notSent" : "lost", message: reply.code }
    case "Answered": {
      const error = errorOf(reply)
      // A page is the word of something between us and the exchange, which does not know what became of the request.
      const isPage = error === undefined && reply.text.trimStart().startsWith("<")
      const base = { status: reply.status, message: error?.message ?? (isPage ? "" : reply.text.slice(0, 300)) }
      return error === undefined ? base : { ...base, code: error.code }
    }
  }
}

export interface Judgement {
  readonly result: { readonly _tag: "Success"; readonly answer: Answered } | { readonly _tag: "NothingToChange" } | Refused | Unknown
  readonly effects: readonly Effect[]
  /** Binance's code, when it gave one. */
  readonly code: number | undefined
}

/** What a reply to a request that changes something means. `retryAtMs`: until when the rate budget is silent, by our clock. */
export const judge = (table: OutcomeTable, reply: Reply, retryAtMs?: number): Judgement => {
  if (reply._tag === "Answered" && isSuccess(reply) && reply.body !== undefined && errorOf(reply) === undefined)
    return { result: { _tag: "Success", answer: reply }, effects: [], code: undefined }
  const seen = seenOf(reply)
  const row = rowFor(table, seen)
  const effects = row.effects ?? []
  const name = nameOf(reply, seen)
  if (row.verdict === "unknown") return { result: unknown(name), effects, code: seen.code }
  if (row.verdict === "nothingToChange") return { result: { _tag: "NothingToChange" }, effects, code: seen.code }
  const untilMs = reply._tag === "Held" ? reply.untilMs : row.verdict === "rateLimit" ? retryAtMs : undefined
  return { result: refused(row.verdict, name, seen.message === "" ? row.meaning : seen.message, untilMs), effects, code: seen.code }
}

const nameOf = (reply: Reply, seen: Seen): string => {
  if (seen.code !== undefined) return String(seen.code)
  switch (reply._tag) {
    case "Held":
      return "RATE_BUDGET"
    case "Unanswered":
      return reply.code
    case "Answered":
      return isSuccess(reply) ? "UNREADABLE_ANSWER" : `HTTP_${reply.status}`
  }
}

/** What a reply to a question means: an answer, "no such order", or nothing known. */
export const answerOf = (
  table: OutcomeTable,
  reply: Reply,
): { readonly _tag: "Answer"; readonly answer: Answered } | { readonly _tag: "Absent" } | Unknown => {
  const { result, code } = judge(table, reply)
  if (result._tag === "Success") return { _tag: "Answer", answer: result.answer }
  // Only a plain refusal of the request says "not there"; a 5xx with the same code says nothing.
  if (code !== undefined && table.absentCodes.includes(code) && reply._tag === "Answered" && reply.status < 500) return { _tag: "Absent" }
  if (result._tag === "Unknown") return result
  return unknown(result._tag === "Refused" ? result.code : "UNREADABLE_ANSWER")
}

const cell = (value: string): string => value.replaceAll("|", "\\|")
const EFFECTS: Readonly<Record<Effect, string>> = {
  refreshRules: "exchangeInfo is read again",
  syncClock: "the clock offset is measured again",
  reloadPositionMode: "the position mode is read again",
  newListenKey: "a new listen key is made",
  alarm: "logged as an error",
}

/** The tables as Markdown: `docs/binance-outcomes.md`. */
export const renderOutcomes = (tables: readonly OutcomeTable[]): string => {
  const lines: string[] = [
    "# What Binance's answers mean",
    "",
    "Made from the tables in `packages/venue/src/binance-*/outcomes.ts`. The first row that matches counts.",
    "`unknown`: it may have been executed, so the exchange is asked; every other word is a refusal of that class (not executed).",
    "",
  ]
  for (const table of tables) {
    lines.push(`## ${table.venue}`, "", "| answer | code | text | outcome | besides | meaning |", "| --- | --- | --- | --- | --- | --- |")
    for (const row of [...table.rows, UNKNOWN_CODE, UNREADABLE]) {
      const answer = row.transport ?? (row.status === undefined ? "any" : `HTTP ${row.status}`)
      const list = row.codes === undefined ? "" : row.codes.join(", ")
      const besides = (row.effects ?? []).map((effect) => EFFECTS[effect]).join("; ")
      lines.push(`| ${answer} | ${list} | ${cell(row.message ?? "")} | ${row.verdict} | ${besides} | ${cell(row.meaning)} |`)
    }
    lines.push("", `"No such order", when asked: ${table.absentCodes.join(", ")}.`, "")
  }
  return lines.join("\n")
}
