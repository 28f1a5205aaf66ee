import { createHash } from "node:crypto"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { canonicalJson, isOrderId, readJsonText } from "../src/index.ts"
import {
  BASE,
  CURL_LINE,
  decodeText,
  expectSignal,
  type Fields,
  HTTP_ARRIVAL,
  NATS_ARRIVAL,
  orderWith,
  SPECIFICATION_EXAMPLE,
  decodeWith,
} from "./helpers.ts"

const orderOf = (text: string) => expectSignal(decodeText(text)).order
const contentHash = (fields: Fields) => expectSignal(decodeWith(fields)).identity.contentHash

describe("fixtures: an identity never changes, or a redelivered signal would be traded again", () => {
  it("given the specification's example, the order is this one", () => {
    const { identity, order } = expectSignal(decodeText(SPECIFICATION_EXAMPLE))
    expect({ ...identity, order }).toMatchInlineSnapshot(`
      {
        "contentHash": "0e5ec58c5e0998de09c743bdfbdd0132967f73b65cebe121fe6b60f95adaf140",
        "hash": "dec23168cdc55473da53b5205ab1cc40b5b874b68cd7be0d49704c3034195156",
        "kind": "content",
        "order": "vv132t6drna77pjkpmg5",
      }
    `)
  })
  it("given a signal with an id, the order is this one", () => {
    const { identity, order } = expectSignal(decodeWith({ signal_id: "signal-1" }))
    expect({ ...identity, order }).toMatchInlineSnapshot(`
      {
        "contentHash": "e64f022a3d51a801c5ca809eb8c2534cdf812706ea7199f34d72348949319a6b",
        "hash": "792520f112f849adacbebaa29ace3291703f0b84f1dd6f5b13fb7b0a9dba8d8d",
        "kind": "id",
        "order": "f4jj1w8jz14tvb5yqah9",
      }
    `)
  })
  it("given neither id nor time, the order is this one", () => {
    const { identity, order } = expectSignal(decodeText(CURL_LINE))
    expect({ ...identity, order }).toMatchInlineSnapshot(`
      {
        "contentHash": "64ada96df3ba71110215ec5403a5ac76c8f51e4c111fefcaa822be6888df0a96",
        "hash": "7b1a246dfdc8bd0763143aaf53b0aa96179bb4211526bf091b071b34341eb46a",
        "kind": "arrival",
        "order": "fcd28vfxs2ygerrm7aqn",
      }
    `)
  })
})

describe("the formula", () => {
  const sha256 = (text: string) => createHash("sha256").update(text, "utf8").digest("hex")
  it("given an id, the identity is the SHA-256 of the JSON array [strategy, market, symbol, action, kind, id]", () => {
    const { identity } = expectSignal(
      decodeWith({ strategy_id: 'Iceberg "Ордер" ☕', signal_id: "a-1", action: "SELL", symbol: "btc/usdt" }),
    )
    expect(identity.hash).toBe(sha256(JSON.stringify(['Iceberg "Ордер" ☕', "futures", "BTCUSDT", "sell", "id", "a-1"])))
  })
  it("given no id, the content hash and the time stand in its place; given neither, the arrival", () => {
    const { identity } = expectSignal(decodeWith({}))
    const content = `${identity.contentHash}@${Date.parse(BASE.timestamp)}`
    expect(identity.hash).toBe(sha256(JSON.stringify(["s1", "futures", "BTCUSDT", "buy", "content", content])))
    const bare = expectSignal(decodeWith({ timestamp: null }))
    const arrival = `nats:${NATS_ARRIVAL.sequence}@${NATS_ARRIVAL.streamTimeMs}`
    expect(bare.identity.hash).toBe(sha256(JSON.stringify(["s1", "futures", "BTCUSDT", "buy", "arrival", arrival])))
    const called = expectSignal(decodeWith({ timestamp: null }, { arrival: HTTP_ARRIVAL }))
    expect(called.identity.hash).toBe(sha256(JSON.stringify(["s1", "futures", "BTCUSDT", "buy", "arrival", "http:call-1"])))
  })
})

describe("identity by id", () => {
  const withId = { signal_id: "signal-1" }
  it("given the same id on another transport, at another time, it is the same order with the same content", () => {
    const first = expectSignal(decodeWith(withId))
    const again = expectSignal(
      decodeWith(
        { ...withId, timestamp: "2025-11-23T01:00:00Z", _otel_trace_context: { a: 1 } },
        { arrival: HTTP_ARRIVAL, receivedAtMs: 1 },
      ),
    )
    expect(again.order).toBe(first.order)
    expect(again.identity).toEqual(first.identity)
    expect(again.identity.kind).toBe("id")
  })
  it("given the same id and another content, it is the same order, and the content hash tells", () => {
    const first = expectSignal(decodeWith(withId))
    for (const other of [
      { price: 50001 },
      { quantity: 1 },
      { stop_loss: 49000 },
      { order_type: "market" },
      { confidence: 0.91 },
      { metadata: { a: 1 } },
      { simulate: true },
      { conditional_timeout: 5 },
    ]) {
      const second = expectSignal(decodeWith({ ...withId, ...other }))
      expect(second.order).toBe(first.order)
      expect(second.identity.contentHash, JSON.stringify(other)).not.toBe(first.identity.contentHash)
    }
  })
  it("given the same id of another strategy, market, symbol or action, it is another order", () => {
    const orders = [
      {},
      { strategy_id: "s2" },
      { market: "spot" },
      { symbol: "ETHUSDT" },
      { action: "sell" },
      { action: "close" },
      { signal_id: "signal-2" },
    ].map((other) => orderWith({ ...withId, ...other }))
    expect(new Set(orders).size).toBe(orders.length)
  })
  it("given the id under another of its names, it is the same order", () => {
    for (const name of ["id", "decision_id", "client_order_id"]) expect(orderWith({ [name]: "signal-1" })).toBe(orderWith(withId))
  })
  it("given an id that repeats the strategy's name, it does not count", () => {
    expect(orderWith({ signal_id: BASE.strategy_id })).toBe(orderWith({}))
    expect(expectSignal(decodeWith({ signal_id: BASE.strategy_id })).identity.kind).toBe("content")
  })
  it("given parts that could be put together in two ways, the orders differ", () => {
    expect(orderWith({ strategy_id: 'a","futures', signal_id: "x" })).not.toBe(orderWith({ strategy_id: "a", signal_id: 'futures","x' }))
  })
})

describe("identity by content", () => {
  it("given another spelling of the same, it is the same order", () => {
    const one = `{"strategy_id":"s1","symbol":"BTCUSDT","action":"buy","confidence":0.9,"price":67000.0,"quantity":0.0010,"timestamp":"2025-11-23T00:00:00.000000+00:00","metadata":{"b":1.0,"a":[1e2]}}`
    const other = `{"metadata":{"a":[100],"b":1},"timestamp":1763856000,"quantity":"1e-3","price":67000,"current_price":6.7e4,"confidence":"0.90","action":"BUY","symbol":"btc/usdt","strategy_id":"s1","market":"futures","order_type":"LIMIT","time_in_force":"gtc","stop_loss":null,"position_size_pct":0,"simulate":false,"note":null}`
    expect(orderOf(other)).toBe(orderOf(one))
  })
  it("given trace context, it does not count", () => {
    for (const name of ["_otel_trace_context", "_otel_trace_headers"])
      expect(orderWith({ [name]: { traceparent: "x" } })).toBe(orderWith({}))
  })
  it("given the other transport or another sequence, it is the same order", () => {
    expect(orderWith({}, { arrival: HTTP_ARRIVAL })).toBe(orderWith({}))
    expect(orderWith({}, { arrival: { ...NATS_ARRIVAL, sequence: 99, streamTimeMs: 1 } })).toBe(orderWith({}))
  })
  it("given any other field, or another millisecond, it is another order", () => {
    const others: readonly Fields[] = [
      {},
      { strategy_id: "s2" },
      { symbol: "ETHUSDT" },
      { action: "sell" },
      { market: "spot" },
      { confidence: 0.91 },
      { price: 50001 },
      { current_price: 50001 },
      { order_type: "market" },
      { order_type: "stop", trigger_price: 51000 },
      { order_type: "stop", trigger_price: 51001 },
      { time_in_force: "IOC" },
      { quantity: 1 },
      { quote_quantity: 1 },
      { position_size_pct: 1 },
      { iceberg_quantity: 1 },
      { stop_loss: 1 },
      { stop_loss_pct: 1 },
      { take_profit: 1 },
      { take_profit_pct: 1 },
      { indicators: { atr: 1 } },
      { conditional_timeout: 1 },
      { simulate: true },
      { timeframe: "1h" },
      { metadata: { a: 1 } },
      { timestamp: "2025-11-23T00:00:00.001Z" },
    ]
    expect(new Set(others.map((fields) => orderWith(fields))).size).toBe(others.length)
  })
  it("given stop and target exchanged, the orders differ: no field can stand for another", () => {
    expect(contentHash({ stop_loss: 1 })).not.toBe(contentHash({ take_profit: 1 }))
    expect(contentHash({ quantity: 1, quote_quantity: 2 })).not.toBe(contentHash({ quantity: 2, quote_quantity: 1 }))
  })

  const decimals = fc.record({
    whole: fc.integer({ min: 1, max: 999_999 }),
    places: fc.integer({ min: 0, max: 8 }),
    zeros: fc.integer({ min: 0, max: 4 }),
  })
  it("given any price, every way to write the number is the same order", () => {
    fc.assert(
      fc.property(decimals, ({ whole, places, zeros }) => {
        const plain =
          places === 0
            ? String(whole)
            : `${String(whole)
                .padStart(places + 1, "0")
                .slice(0, -places)}.${String(whole)
                .padStart(places + 1, "0")
                .slice(-places)}`
        const padded = plain.includes(".") ? plain + "0".repeat(zeros) : `${plain}.0${"0".repeat(zeros)}`
        const spellings = [
          plain,
          padded,
          `"${plain}"`,
          `"${padded}"`,
          `${whole}e-${places}`,
          `${whole}E-${places}`,
          `"${whole}e-${places}"`,
        ]
        const orders = spellings.map((price) =>
          orderOf(JSON.stringify({ ...BASE, extra: "#" }).replace('"price":50000', `"price":${price}`)),
        )
        expect(new Set(orders).size).toBe(1)
      }),
    )
  })
  it("given JavaScript's and Python's spelling of a float, it is the same order", () => {
    // Python writes 67000.0 and 1e-07 where JavaScript writes 67000 and 1e-7.
    const python = (n: number): string => (Number.isInteger(n) ? `${n}.0` : String(n).replace(/e-(\d)$/, "e-0$1"))
    fc.assert(
      fc.property(fc.double({ min: 1e-12, max: 1e15, noNaN: true }), (price) => {
        const text = JSON.stringify({ ...BASE, price: 1, seen: 2 })
        const write = (n: string) => text.replace('"price":1', `"price":${n}`).replace('"seen":2', `"seen":${n}`)
        expect(orderOf(write(python(price)))).toBe(orderOf(write(JSON.stringify(price))))
      }),
    )
  })
  it("given any extra fields in any order, the order of keys does not count, their values do", () => {
    // Prefixed, so that none is a field with a meaning.
    const extras = fc.dictionary(
      fc.string().map((key) => `x-${key}`),
      fc.jsonValue({ maxDepth: 3 }),
      { maxKeys: 5 },
    )
    const reversed = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(reversed)
        : value !== null && typeof value === "object"
          ? Object.fromEntries(
              Object.entries(value)
                .toReversed()
                .map(([key, member]) => [key, reversed(member)]),
            )
          : value
    fc.assert(
      fc.property(extras, (fields) => {
        const text = JSON.stringify({ ...BASE, ...fields })
        const first = decodeText(text)
        // Lone surrogates are refused.
        fc.pre(first._tag === "Signal")
        expect(expectSignal(decodeText(JSON.stringify(reversed(JSON.parse(text))))).order).toBe(expectSignal(first).order)
        expect(orderWith({ ...fields, "x-more": "y" })).not.toBe(expectSignal(first).order)
      }),
    )
  })
})

describe("identity by arrival", () => {
  const bare = { timestamp: undefined }
  it("given neither id nor timestamp, each message of the stream is a new order, and a redelivery is not", () => {
    const at = (sequence: number, streamTimeMs: number) => orderWith(bare, { arrival: { ...NATS_ARRIVAL, sequence, streamTimeMs } })
    expect(at(7, 1000)).toBe(at(7, 1000))
    expect(at(8, 1000)).not.toBe(at(7, 1000))
    // A stream that was made anew starts at 1 again.
    expect(at(7, 1001)).not.toBe(at(7, 1000))
  })
  it("given an idempotency key, the same key is the same order, whatever the sequence", () => {
    const keyed = (idempotencyKey: string, sequence: number) => orderWith(bare, { arrival: { ...HTTP_ARRIVAL, idempotencyKey, sequence } })
    expect(keyed("k", 1)).toBe(keyed("k", 2))
    expect(keyed("l", 1)).not.toBe(keyed("k", 1))
  })
})

describe("canonical JSON", () => {
  const canonical = (text: string) => {
    const result = readJsonText(text)
    return result._tag === "Json" ? canonicalJson(result.value) : result.code
  }
  it.each([
    ['{"b":1.0,"a":{"d":1e2,"c":-0.0}}', '{"a":{"c":0,"d":100},"b":1}'],
    ["[1,[2.50,null],true]", "[1,[2.5,null],true]"],
    ['"\\u00e9"', '"é"'],
    [`[1e400,${"9".repeat(70)}]`, `[1e400,${"9".repeat(70)}]`],
    ['{"\\ud83d\\ude80":1,"\ufb01":2}', '{"🚀":1,"ﬁ":2}'],
  ])("given %s, it is %s", (text, expected) => expect(canonical(text)).toBe(expected))

  it("given any signal, its order id is one", () => expect(isOrderId(orderWith({}))).toBe(true))
})
