import { describe, expect, it } from "vitest"
import { RejectionLog, rejectionNews } from "../src/rejectedNews.ts"

const why = {
  code: "INVALID_FIELDS",
  message: "One field is wrong.",
  fields: [{ field: "price", expected: "a price", received: "-1" }],
} as const
const news = (text: string | Uint8Array) => rejectionNews(typeof text === "string" ? Buffer.from(text) : text, why, Date.UTC(2026, 0, 5))

describe("who is told of a message that is no signal", () => {
  it("given a message that names its strategy, then its bot is told what is wrong, under the signal's own id or the strategy's", () => {
    const told = news('{"strategy_id":"momentum","signal_id":"s 1","price":-1}')
    expect(told?.strategyId).toBe("momentum")
    expect(JSON.parse(told?.body ?? "")).toEqual({
      signal_id: "s 1",
      strategy_id: "momentum",
      event: "rejected",
      state: "rejected",
      status: "rejected",
      reason: { class: "rejected", code: "INVALID_FIELDS", message: "One field is wrong." },
      fields: [{ field: "price", expected: "a price", received: "-1" }],
      at: "2026-01-05T00:00:00.000Z",
    })
    expect(JSON.parse(news('{"strategy_id":"momentum"}')?.body ?? "")).toMatchObject({ signal_id: "momentum" })
  })

  it("given a NaN in it, which is no JSON, then its bot is found all the same", () => {
    expect(news('{"strategy_id": "momentum", "price": NaN, "id": "s 2"}')?.strategyId).toBe("momentum")
    expect(JSON.parse(news('{"strategy_id": "momentum", "price": NaN, "id": "s 2"}')?.body ?? "")).toMatchObject({ signal_id: "s 2" })
  })

  it.each(["", "42", "null", "[]", "{}", '{"strategy_id":7}', '{"strategy_id":""}', `{"strategy_id":"${"x".repeat(201)}"}`])(
    "given %s, then there is nobody to tell",
    (text) => expect(news(text)).toBeUndefined(),
  )

  it("given bytes that are no text, or very many, then there is nobody to tell", () => {
    expect(news(Uint8Array.of(0xff, 0xfe, 0x00))).toBeUndefined()
    expect(news(`{"strategy_id":"a","note":"${"x".repeat(70_000)}"}`)).toBeUndefined()
  })

  it("given a flood of them, then there is one line a second, with how many there were", () => {
    const log = new RejectionLog()
    const lines: number[] = []
    for (let ms = 0; ms < 3000; ms += 10) {
      const count = log.next(ms)
      if (count !== undefined) lines.push(count)
    }
    expect(lines).toEqual([1, 100, 100])
  })
})
