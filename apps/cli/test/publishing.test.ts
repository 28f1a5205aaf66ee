import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect, type NatsConnection } from "nats"
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { cli, startCli } from "./run.ts"
import { story } from "./story.ts"

const nats = await requireNats()
const dir = mkdtempSync(join(tmpdir(), "petrosa-publish-"))
const env = { NATS_URL: nats.url }
let nc: NatsConnection
let messages: string[] = []

const input = (name: string, text: string): string => {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}
const SIGNAL =
  '{"strategy_id": "test", "symbol": "BTCUSDT", "action": "buy", "confidence": 0.80, "price": 67000.0, "quantity": 0.00100000000000000000001}'

beforeAll(async () => {
  nc = await connect({ servers: nats.url })
  const manager = await nc.jetstreamManager()
  await manager.streams.add({ name: "SIGNALS", subjects: ["signals.trading", "signals.trading.>"] })
  nc.subscribe("signals.trading", { callback: (_error, message) => messages.push(message.string()) })
  await nc.flush()
})
afterAll(async () => {
  await nc.close()
  rmSync(dir, { recursive: true, force: true })
})
beforeEach(() => {
  messages = []
})
const arrived = (count: number) => expect.poll(() => messages.length, { timeout: 5000 }).toBe(count)

describe("petrosa publish", () => {
  it("given one object, when published, then its very bytes arrive on the signal subject", async () => {
    const { code, out, err } = await cli(["publish", input("one.json", `${SIGNAL}\n`)], env)
    expect([code, out, err]).toEqual([0, "Published 1 signal to signals.trading.\n", ""])
    await arrived(1)
    expect(messages).toEqual([SIGNAL])
  })

  it("given an array, when published, then each element, with every digit of its numbers", async () => {
    const { code } = await cli(["publish", input("array.json", `[${SIGNAL},\n${SIGNAL}]`)], env)
    expect(code).toBe(0)
    await arrived(2)
    expect(messages[1]).toBe(
      '{"strategy_id":"test","symbol":"BTCUSDT","action":"buy","confidence":0.80,"price":67000.0,"quantity":0.00100000000000000000001}',
    )
  })

  it("given NDJSON on stdin, when published, then line by line; --json says what was sent", async () => {
    const { code, out } = await cli(["publish", "-", "--json"], env, '{"strategy_id":"a","id":"x1"}\n\n{"strategy_id":"b"}\n')
    expect(code).toBe(0)
    await arrived(2)
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { n: 1, subject: "signals.trading", signal_id: "x1", bytes: 29 },
      { n: 2, subject: "signals.trading", signal_id: null, bytes: 19 },
    ])
  })

  it("given --count, when published, then each round has ids of its own; with --same they are identical", async () => {
    const path = input("count.json", '{"strategy_id":"a","signal_id":"x"}')
    await cli(["publish", path, "--count", "3"], env)
    await arrived(3)
    expect(messages.map((text) => JSON.parse(text).signal_id)).toEqual(["x-1", "x-2", "x-3"])
    messages = []
    await cli(["publish", path, "--count", "3", "--same"], env)
    await arrived(3)
    expect(new Set(messages)).toEqual(new Set(['{"strategy_id":"a","signal_id":"x"}']))
  })

  it("given --rate, when published, then not faster than that", async () => {
    const before = performance.now()
    await cli(["publish", input("rate.json", '{"strategy_id":"a"}'), "--count", "6", "--rate", "10"], env)
    expect(performance.now() - before).toBeGreaterThan(500)
    await arrived(6)
  })

  it("given --wait, when the engine answers on execution.events, then each answer is shown; else exit 1 and who is missing", async () => {
    const engine = nc.subscribe("signals.trading", {
      callback: (_error, message) => {
        const { strategy_id, signal_id, symbol } = JSON.parse(message.string())
        if (signal_id === "silent") return
        nc.publish(
          `execution.events.${encodeURIComponent(strategy_id)}`,
          JSON.stringify({
            signal_id,
            strategy_id,
            symbol,
            order: `order-${signal_id}`,
            status: "filled",
            quantity: 0.001,
            fill_price: 67000,
          }),
        )
      },
    })
    await nc.flush()
    try {
      const both = input(
        "wait.json",
        '[{"strategy_id":"Iceberg Order","symbol":"BTCUSDT","signal_id":"w1"},{"strategy_id":"b","symbol":"ETHUSDT"}]',
      )
      const answered = await cli(["publish", both, "--wait"], env)
      expect([answered.code, answered.err]).toEqual([0, ""])
      expect(answered.out).toContain("order-w1")
      expect(answered.out).toContain("ETHUSDT  filled  0.001 at 67000")
      expect(answered.out).toContain("2 of 2 orders answered")
      const silent = input("silent.json", '[{"strategy_id":"a","signal_id":"silent"},{"strategy_id":"a","signal_id":"w2"}]')
      const missing = await cli(["publish", silent, "--wait", "--timeout", "0.5", "--json"], env)
      expect(missing.code).toBe(1)
      expect(JSON.parse(missing.out)).toMatchObject({ signal_id: "w2", status: "filled" })
      expect(missing.err).toContain("silent")
      const valid = input("valid.json", SIGNAL.replace("{", '{"signal_id":"silent",'))
      expect((await cli(["publish", valid, "--wait", "--timeout", "0.3"], env)).err).toContain("It may have been settled before")
      const wrong = input("wrong.json", SIGNAL.replace("{", '{"signal_id":"silent",').replace("BTCUSDT", "BTCUSDT.P"))
      const refused = await cli(["publish", wrong, "--wait", "--timeout", "0.3"], env)
      expect(refused.code).toBe(1)
      expect(refused.err).toMatch(/silent is no signal that the engine takes: INVALID_FIELDS, symbol: expected .*; it is "BTCUSDT\.P"/)
      expect(refused.err).not.toContain("settled before")
    } finally {
      engine.unsubscribe()
    }
  })

  it("given input that cannot be sent, when published, then exit 2, why, and nothing is sent", async () => {
    for (const [text, why] of [
      ["", "empty"],
      ["{", "no JSON"],
      ["[1]", "Element 1"],
      ['"x"', "neither an object nor an array"],
      ["[]", "empty array"],
      ['{"strategy_id":"a"}\n{oops}\n', "Line 2"],
      ['{"a":1}\n[]\n', "Line 2"],
    ] as const) {
      const { code, err } = await cli(["publish", "-"], env, text)
      expect([text, code]).toEqual([text, 2])
      expect(err).toContain(why)
    }
    expect((await cli(["publish", join(dir, "none.json")], env)).err).toContain("There is no file")
    await nc.flush()
    expect(messages).toEqual([])
  })

  it("given a server that is not there, when published, then exit 2 within seconds, without the password", async () => {
    const { code, err } = await cli(["publish", "-"], { NATS_URL: "nats://user:s3cr3t@127.0.0.1:9" }, SIGNAL)
    expect(code).toBe(2)
    expect(err).toContain("127.0.0.1:9")
    expect(err).not.toContain("s3cr3t")
  })

  it("given a subject that no stream takes, when published, then a warning: nobody will see it", async () => {
    const { code, err } = await cli(["publish", "-", "--subject", "nobody.listens"], env, SIGNAL)
    expect(code).toBe(0)
    expect(err).toContain("no stream takes nobody.listens")
  })

  it("given a signal larger than the server takes, when published, then exit 2 and how many were sent", async () => {
    const big = `{"strategy_id":"a","x":"${"y".repeat(1_100_000)}"}`
    const { code, err } = await cli(["publish", "-"], env, `{"strategy_id":"a"}\n${big}\n`)
    expect(code).toBe(2)
    expect(err).toMatch(/Signal 2 has \d+ bytes.*1 of 2/)
  })
})

describe("petrosa watch", () => {
  it("given the engine's journal, when a batch comes, then one line for each event; other symbols are left out", async () => {
    const watching = startCli(["watch", "--symbol", "btcusdt"], env)
    await expect.poll(() => watching.output().err, { timeout: 10_000 }).toContain("Watching petrosa.journal.>")
    const one = story({ id: "j1" })
    const other = story({ id: "j2", symbol: "ETHUSDT" })
    nc.publish("petrosa.journal.test-1", "not json")
    nc.publish("petrosa.journal.test-1", JSON.stringify([...one.append.records, ...other.append.records].map((sealed) => sealed.record)))
    await expect.poll(() => watching.output().out, { timeout: 5000 }).toContain("LotClosed")
    watching.stop()
    const { code, out } = await watching.ended
    expect(code).toBe(0)
    expect(out.trimEnd().split("\n")).toHaveLength(12)
    expect(out).toContain("EntryFilled → placed  filled: 0.001 at 50000")
    expect(out).not.toContain("ETHUSDT")
  })

  it("given no NATS and no store, when watching, then exit 2 with both reasons", async () => {
    const { code, err } = await cli(["watch"], { NATS_URL: "nats://127.0.0.1:9", SQLITE_FILE: join(dir, "none.sqlite") })
    expect(code).toBe(2)
    expect(err).toContain("cannot be reached")
    expect(err).toContain("There is no event store")
  })
})

describe("petrosa check", () => {
  let engine: Server
  let url: string
  let answers: { status: number; body: unknown }[]
  let asked: { url: string | undefined; authorization: string | undefined; body: string }[]

  beforeAll(async () => {
    engine = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on("end", () => {
        asked.push({ url: request.url, authorization: request.headers.authorization, body })
        const answer = answers.shift() ?? { status: 500, body: {} }
        response.writeHead(answer.status, { "content-type": "application/json" }).end(JSON.stringify(answer.body))
      })
    })
    await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve))
    url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`
  })
  afterAll(() => engine.close())
  beforeEach(() => {
    answers = []
    asked = []
  })

  const decided = {
    dry_run: true,
    decision: "place",
    strategy_id: "test",
    action: "buy",
    symbol: "BTCUSDT",
    size: { quantity: 0.001, price: 50000, stop_loss: 49000, take_profit: 52500 },
  }

  it("given a running engine, when checked, then what it would do; only exit 0 when all would do", async () => {
    answers = [{ status: 200, body: decided }]
    const { code, out } = await cli(["check", "-", "--url", url], { HTTP_TOKEN: "tok" }, SIGNAL)
    expect([code, out]).toEqual([0, "ok  1  test buy BTCUSDT: would be placed, 0.001 at 50000, stop 49000, target 52500\n"])
    expect(asked).toEqual([{ url: "/trade?dry_run=true", authorization: "Bearer tok", body: SIGNAL }])
  })

  it("given a declined and a rejected signal, when checked, then exit 1 and why", async () => {
    answers = [
      {
        status: 200,
        body: { ...decided, decision: "decline", reason: { code: "MIN_NOTIONAL", message: "Too small.", observed: "5", limit: "10" } },
      },
      { status: 400, body: { detail: [{ field: "confidence", expected: "0..1", received: "85" }] } },
    ]
    const { code, out } = await cli(["check", "-", "--url", url], {}, `[${SIGNAL},${SIGNAL}]`)
    expect(code).toBe(1)
    expect(out).toContain("would be declined, MIN_NOTIONAL: Too small. (5, limit 10)")
    expect(out).toContain("would be rejected: confidence: expected 0..1; it is 85")
    expect(out).toContain("0 of 2 signals would do.")
  })

  it("given an engine that asks for a token, or is none, when checked, then exit 2", async () => {
    answers = [{ status: 401, body: { detail: "no" } }]
    expect((await cli(["check", "-", "--url", url], {}, SIGNAL)).err).toContain("HTTP_TOKEN")
    answers = [{ status: 503, body: { detail: "The store cannot be reached" } }]
    const away = await cli(["check", "-", "--url", url], {}, SIGNAL)
    expect([away.code, away.err]).toEqual([2, expect.stringContaining("503")])
    expect((await cli(["check", "-", "--url", "http://127.0.0.1:9"], {}, SIGNAL)).code).toBe(2)
  })

  it("given no engine, when checked, then only the signal is, and that is said", async () => {
    const good = await cli(["check", "-"], { HTTP_PORT: "9" }, SIGNAL)
    expect(good.code).toBe(0)
    expect(good.err).toContain("only the signals themselves are checked")
    expect(good.out).toContain("a valid signal (futures, limit")
    const bad = await cli(["check", "-", "--json"], { HTTP_PORT: "9" }, SIGNAL.replace("0.80", "85"))
    expect(bad.code).toBe(1)
    expect(JSON.parse(bad.out)).toMatchObject({ n: 1, checked_by: "signal only", decision: "reject", detail: [{ field: "confidence" }] })
  })
})
