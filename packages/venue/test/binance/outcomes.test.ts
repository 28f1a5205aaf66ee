/** The outcome tables, row by row. Every row must be reachable: a row that an earlier one hides is a mistake. */
import { describe, expect, test } from "vitest"
import { FUTURES_OUTCOMES } from "../../src/binance-futures/outcomes.ts"
import { SPOT_OUTCOMES } from "../../src/binance-spot/outcomes.ts"
import { UNKNOWN_CODE, UNREADABLE, answerOf, judge, renderOutcomes, rowFor } from "../../src/binance/outcomeTable.ts"
import type { OutcomeRow, OutcomeTable } from "../../src/binance/outcomeTable.ts"
import { parseExact } from "../../src/binance/exactJson.ts"
import type { Reply } from "../../src/binance/reply.ts"

const answered = (status: number, body: string, headers: Record<string, string> = {}): Reply => ({
  _tag: "Answered",
  status,
  headers,
  text: body,
  body: parseExact(body),
  sentAtMs: 0,
  receivedAtMs: 1,
})
const error = (code: number, msg: string, status = 400): Reply => answered(status, JSON.stringify({ code, msg }))

/** Replies that a row is about: one per code. */
const repliesOf = (row: OutcomeRow): readonly Reply[] => {
  if (row.transport === "held") return [{ _tag: "Held", untilMs: 5, message: "held" }]
  if (row.transport !== undefined)
    return [{ _tag: "Unanswered", notSent: row.transport === "notSent", code: row.message?.toUpperCase() ?? "ECONNRESET" }]
  const status = row.status === "5xx" ? 502 : row.status === "4xx" ? 400 : (row.status ?? 400)
  const message = row.message ?? "Some words."
  return row.codes === undefined ? [answered(status, message)] : row.codes.map((code) => error(code, message, status))
}

describe.each([SPOT_OUTCOMES, FUTURES_OUTCOMES])("outcomes of $venue", (table: OutcomeTable) => {
  test.each(table.rows.map((row, n) => [n, row.meaning, row] as const))("row %i: %s", (_n, _meaning, row) => {
    for (const reply of repliesOf(row)) {
      const seen =
        reply._tag === "Answered"
          ? { status: reply.status, message: row.message ?? "Some words.", ...codeOf(reply) }
          : { transport: row.transport ?? "lost", message: row.message ?? "" }
      expect(rowFor(table, seen)).toBe(row)
      const { result } = judge(table, reply, 77)
      if (row.verdict === "unknown") expect(result._tag).toBe("Unknown")
      else if (row.verdict === "nothingToChange") expect(result._tag).toBe("NothingToChange")
      else expect(result).toMatchObject({ _tag: "Refused", class: row.verdict })
    }
  })

  test("no code stands in two rows without a text or a status that tells them apart", () => {
    const plain = table.rows.filter((row) => row.message === undefined && row.status === undefined).flatMap((row) => row.codes ?? [])
    expect(plain.filter((code, n) => plain.indexOf(code) !== n)).toEqual([])
  })

  test("given a code that nobody knows, then a 4xx was not executed and is told, and a 5xx is unknown", () => {
    expect(judge(table, error(-9999, "New."))).toMatchObject({ result: { _tag: "Refused", class: "fatal" }, effects: ["alarm"] })
    expect(judge(table, error(-9999, "New.", 500)).result._tag).toBe("Unknown")
  })

  test("given success with a body that cannot be read, or none, then it is unknown", () => {
    expect(judge(table, answered(200, "<html>")).result).toEqual({ _tag: "Unknown", reason: "UNREADABLE_ANSWER" })
    expect(judge(table, answered(200, "")).result._tag).toBe("Unknown")
    expect(judge(table, answered(404, "<html>")).result._tag).toBe("Unknown")
    expect(judge(table, answered(200, "{}")).result._tag).toBe("Success")
    expect(judge(table, answered(200, `{"code":200,"msg":"success"}`)).result._tag).toBe("Success")
    expect(judge(table, answered(200, `{"code":-9999,"msg":"no"}`)).result._tag).toBe("Unknown")
  })

  test("given a limit, then until when is told; given our own budget, then its time", () => {
    expect(judge(table, error(-1003, "Too many.", 429), 77).result).toMatchObject({ class: "rateLimit", retryAtMs: 77 })
    expect(judge(table, { _tag: "Held", untilMs: 5, message: "held" }).result).toMatchObject({ class: "rateLimit", retryAtMs: 5 })
  })

  test("given a question, then only the codes for it mean 'not there'; every other refusal is no answer", () => {
    expect(answerOf(table, error(-2013, "Order does not exist."))).toEqual({ _tag: "Absent" })
    expect(answerOf(table, error(-2013, "Order does not exist.", 503))._tag).toBe("Unknown")
    expect(answerOf(table, error(-1003, "Too many.", 429))).toEqual({ _tag: "Unknown", reason: "-1003" })
    expect(answerOf(table, error(-1021, "Timestamp."))).toEqual({ _tag: "Unknown", reason: "-1021" })
    expect(answerOf(table, { _tag: "Unanswered", notSent: true, code: "ECONNREFUSED" })).toEqual({
      _tag: "Unknown",
      reason: "ECONNREFUSED",
    })
    expect(answerOf(table, answered(200, "[]"))._tag).toBe("Answer")
  })
})

const codeOf = (reply: Extract<Reply, { readonly _tag: "Answered" }>): { code?: number } => {
  const { body } = reply
  return typeof body === "object" && body !== null && "code" in body && typeof body["code"] === "number" ? { code: body["code"] } : {}
}

/** Real texts (binance.md section 5; errors.md), and where the venues differ. */
describe("real answers", () => {
  test.each([
    ["spot", 400, -2010, "Duplicate order sent.", "duplicate"],
    ["spot", 400, -2010, "Account has insufficient balance for requested action.", "balance"],
    ["spot", 400, -2010, "Order would trigger immediately.", "wouldTrigger"],
    ["spot", 400, -2010, "Order would immediately match and take.", "fatal"],
    ["spot", 400, -2010, "Market is closed.", "retry"],
    ["spot", 400, -2010, "This action is disabled on this account.", "account"],
    ["spot", 400, -2011, "Unknown order sent.", "race"],
    ["spot", 400, -2021, "Order cancel-replace partially failed.", "race"],
    ["spot", 503, -1008, "Server is currently overloaded with other requests.", "unknown"],
    ["spot", 500, -1006, "An unexpected response was received from the message bus. Execution status unknown.", "unknown"],
    ["spot", 400, -1013, "Filter failure: NOTIONAL", "fatal"],
    ["futures", 400, -2021, "Order would immediately trigger.", "wouldTrigger"],
    ["futures", 400, -2022, "ReduceOnly Order is rejected.", "race"],
    ["futures", 400, -2019, "Margin is insufficient.", "balance"],
    ["futures", 400, -4116, "ClientOrderId is duplicated.", "duplicate"],
    ["futures", 400, -4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.", "fatal"],
    ["futures", 503, -1008, "Request throttled by system-level protection.", "retry"],
    ["futures", 408, -1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.", "unknown"],
    ["futures", 400, -5028, "The requests' timestamp is outside of the recvWindow of the matching engine.", "retry"],
    ["futures", 400, -1007, "Timeout waiting for response from backend server.", "unknown"],
  ] as const)("given %s %i %i %s, then %s", (venue, status, code, msg, expected) => {
    const { result } = judge(venue === "spot" ? SPOT_OUTCOMES : FUTURES_OUTCOMES, error(code, msg, status))
    expect(result._tag === "Refused" ? result.class : result._tag.toLowerCase()).toBe(expected)
  })

  test("given futures' two kinds of 503, then one is unknown and the other certainly failed", () => {
    const plain = (text: string): string => judge(FUTURES_OUTCOMES, answered(503, text)).result._tag
    expect(plain("Unknown error, please check your request or try again later.")).toBe("Unknown")
    expect(judge(FUTURES_OUTCOMES, answered(503, "Service Unavailable.")).result).toMatchObject({ _tag: "Refused", class: "retry" })
    expect(plain("<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>")).toBe("Unknown")
    expect(judge(SPOT_OUTCOMES, answered(503, "Service Unavailable.")).result._tag).toBe("Unknown")
  })

  test("given a page of something in between, whatever words are in it, then nobody knows what the exchange did", () => {
    const page = "\n<!DOCTYPE html><html><body><h2>Service Unavailable</h2><p>HTTP Error 503. Service Unavailable.</p></body></html>"
    for (const table of [SPOT_OUTCOMES, FUTURES_OUTCOMES]) {
      expect(judge(table, answered(503, page)).result).toEqual({ _tag: "Unknown", reason: "HTTP_503" })
      expect(judge(table, answered(502, "")).result).toEqual({ _tag: "Unknown", reason: "HTTP_502" })
      expect(judge(table, answered(403, page)).result).toEqual({ _tag: "Unknown", reason: "HTTP_403" })
    }
  })

  test("given a code that is written as text (the algo orders' service does that), then it is the same code", () => {
    for (const table of [SPOT_OUTCOMES, FUTURES_OUTCOMES]) {
      const reply = (status: number, code: string) => answered(status, JSON.stringify({ code, msg: "Some words." }))
      expect(judge(table, reply(200, "-2011")).result).toMatchObject({ _tag: "Refused", class: "race", code: "-2011" })
      expect(judge(table, reply(400, "-1007")).result).toEqual({ _tag: "Unknown", reason: "-1007" })
      expect(answerOf(table, reply(400, "-2013"))).toEqual({ _tag: "Absent" })
      expect(judge(table, reply(200, "200")).result._tag).toBe("Success")
    }
  })

  /** Every code of binance.md section 5, by venue. */
  const both = [
    -1000, -1001, -1002, -1003, -1006, -1007, -1008, -1013, -1014, -1015, -1016, -1020, -1021, -1022, -1034, -1099, -1100, -1101, -1102,
    -1103, -1104, -1105, -1106, -1108, -1111, -1112, -1114, -1115, -1116, -1117, -1118, -1119, -1121, -1125, -1128, -1130, -1134, -1135,
    -1145, -1158, -1160, -1165, -1166, -1168, -1196, -1197, -1198, -1199, -1220, -1222, -1225, -2010, -2011, -2013, -2014, -2015, -2017,
    -2021, -2022,
  ]
  const spotOnly = [-1010, -2026, -2035, -2036, -2038, -2039]
  const futuresOnly = [
    -2018, -2019, -2020, -2023, -2024, -2025, -2027, -2028, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4045, -4046,
    -4050, -4051, -4059, -4061, -4062, -4087, -4088, -4108, -4109, -4116, -4117, -4118, -4120, -4129, -4130, -4131, -4136, -4137, -4138,
    -4140, -4141, -4142, -4164, -4183, -4184, -4192, -4202, -4209, -4210, -4211, -4400, -4403, -4411, -4509, -4531, -5021, -5022, -5024,
    -5027, -5028, -5041,
  ]
  test.each([
    [SPOT_OUTCOMES, [...both, ...spotOnly]],
    [FUTURES_OUTCOMES, [...both, ...futuresOnly]],
  ] as const)("given the documented codes of $venue, then a row knows each", (table, known) => {
    const unknownCodes = known.filter((code) =>
      [UNKNOWN_CODE, UNREADABLE].includes(rowFor(table, { status: 400, code, message: "Some words." })),
    )
    expect(unknownCodes).toEqual([])
  })

  test("given the tables, then their page names every code once per venue, as a table", () => {
    const page = renderOutcomes([SPOT_OUTCOMES, FUTURES_OUTCOMES])
    for (const table of [SPOT_OUTCOMES, FUTURES_OUTCOMES])
      for (const code of table.rows.flatMap((row) => row.codes ?? [])) expect(page).toContain(String(code))
    expect(page.split("\n").filter((line) => line.startsWith("| ") && line.split(/(?<!\\)\|/).length !== 8)).toEqual([])
  })
})
