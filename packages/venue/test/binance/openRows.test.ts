/** Lists of open orders as evidence, and the life of a listen key. */
import { describe, expect, test } from "vitest"
import { listenKeyProtocol } from "../../src/binance-futures/listenKey.ts"
import { decodeOrder } from "../../src/binance-spot/orders.ts"
import type { FuturesConnector } from "../../src/binance/connectors.ts"
import { openRows } from "../../src/binance/openRows.ts"
import type { Session } from "../../src/binance/session.ts"
import { USER_STREAM_URL } from "../../src/index.ts"

const row = {
  symbol: "BTCUSDT",
  orderId: "1",
  clientOrderId: "ptTEST00000000000000000001E01",
  side: "BUY",
  type: "LIMIT",
  status: "NEW",
  origQty: "1",
  executedQty: "0",
  time: 1,
}
const idsOf = (rows: unknown): readonly string[] | undefined =>
  openRows(rows, "clientOrderId", decodeOrder)?.map((order) => order.clientOrderId)

describe("open orders", () => {
  test("given somebody else's order of an unknown kind, then it is left out; given one of ours that cannot be read, then there is no answer", () => {
    expect(idsOf([row, { ...row, clientOrderId: "web_abc", type: "TRAILING" }])).toEqual([row.clientOrderId])
    expect(idsOf([row, { ...row, type: "TRAILING" }])).toBeUndefined()
    expect(idsOf([row, { symbol: "BTCUSDT" }])).toBeUndefined()
    expect(idsOf([null])).toBeUndefined()
    expect(idsOf({})).toBeUndefined()
    expect(idsOf([])).toEqual([])
  })
})

describe("the listen key", () => {
  type Answer = Awaited<ReturnType<Session<FuturesConnector>["question"]>>
  const withAnswers = (...answers: readonly (Answer | string)[]) => {
    const asked: string[] = []
    const learned: string[] = []
    const waiting = [...answers]
    const client = {
      createListenKey: () => void asked.push("POST"),
      renewListenKey: (key: string) => void asked.push(`PUT ${key}`),
    }
    const session = {
      redactor: { learn: (secret: string) => learned.push(secret) },
      question: async (_weight: number, run: (connector: unknown) => unknown) => {
        run(client)
        const next = waiting.shift() ?? { _tag: "Unknown", reason: "TIMEOUT" }
        return typeof next === "string" ? { _tag: "Answer", answer: { body: { listenKey: next } } } : next
      },
    } as unknown as Session<FuturesConnector>
    return { protocol: listenKeyProtocol(session, "wss://host/", USER_STREAM_URL), asked, learned }
  }

  test("given a key, then it is asked for with each connection, is a secret, and stands in the address as the template says", async () => {
    const { protocol, asked, learned } = withAnswers("key1", "key2")
    expect(await protocol.url()).toMatch(/^wss:\/\/host\/private\/ws\?listenKey=key1&events=ORDER_TRADE_UPDATE\//)
    expect(await protocol.url()).toContain("listenKey=key2&")
    expect(asked).toEqual(["POST", "POST"])
    expect(learned).toEqual(["key1", "key2"])
    expect(await protocol.url()).toBeUndefined()
  })

  test("given a renewal, then only -1125 means that the key is dead; nothing is ever deleted", async () => {
    const alive: Answer = { _tag: "Unknown", reason: "TIMEOUT" }
    const { protocol, asked } = withAnswers("key1", "key1", alive, { _tag: "Unknown", reason: "-1125" })
    expect(await protocol.renew()).toBe(false)
    await protocol.url()
    expect([await protocol.renew(), await protocol.renew(), await protocol.renew()]).toEqual([true, true, false])
    expect(asked).toEqual(["POST", "PUT key1", "PUT key1", "PUT key1"])
  })
})
