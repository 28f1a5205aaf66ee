import fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  CHAIN_START,
  hashOf,
  MAX_EVENT_LENGTH,
  makeUpcasters,
  readStream,
  recordFromText,
  type StoredEvent,
  seal,
  UPCASTERS,
  verifyChain,
} from "../src/index.ts"
import { LIFE, recordOf, sealedOf, streamFor } from "../src/testing/index.ts"

/**
 * A stream as an engine of the first days wrote it, byte by byte. It stays here for ever: every later version must read
 * it, through upcasters if need be, and its hashes must stay true.
 */
const FIRST_DAYS: readonly { readonly text: string; readonly hash: string }[] = [
  {
    text: '{"_id":"order/6v8vfx8p5hxkrp0f2c9g:00000001","stream":"order/6v8vfx8p5hxkrp0f2c9g","version":1,"schema":1,"type":"SignalReceived","state":"received","at":"2026-01-05T12:00:00.000Z","data":{"raw":"{}"},"commands":[],"settings_version":"s1","engine_version":"0.1.0","replica":"r1","cause":"signal","trace":null,"prev":"","order":"6v8vfx8p5hxkrp0f2c9g","signal_id":"a","strategy_id":"m","symbol":"BTCUSDT","market":"spot","side":"BUY","order_type":"market","quantity":0.5,"price":null,"stop_loss":null,"take_profit":null,"binance_order_id":null,"status":"pending","fill_price":null,"filled_quantity":null,"fees":null,"open_quantity":"0","profit":null,"reason":null,"settled":false,"done":false,"parked":false,"timestamp":"2026-01-05T12:00:00.000Z","created_at":"2026-01-05T12:00:00.000Z","simulation_mode":true,"metadata":{}}',
    hash: "6611385f01793c337cfb95d9386de47f559cc001c90858b1ed5a23a2a7c63960",
  },
]

const stored = (events = sealedOf(1, LIFE)): StoredEvent[] =>
  events.map(({ record, text }) => ({ stream: record.stream, version: record.version, hash: record.hash, text }))

describe("reading what is stored", () => {
  it("given a stream of the first days, then it is read as today's, and its chain is whole", () => {
    const stream = "order/6v8vfx8p5hxkrp0f2c9g"
    const events = FIRST_DAYS.map(({ text, hash }, index) => ({ stream, version: index + 1, text, hash }))
    expect(verifyChain(stream, events)).toMatchObject({ ok: true, version: FIRST_DAYS.length })
    const read = readStream(
      UPCASTERS,
      stream,
      events.map(({ version, text, hash }) => ({ version, hash, record: recordFromText(text, hash) })),
    )
    expect(read._tag).toBe("Readable")
    for (const event of read.events) expect(event.schema).toBe(UPCASTERS.schemas[event.type])
  })

  it("given upcasters with a step missing, left over, or for nobody, then they are refused at the start", () => {
    const step = (data: Readonly<Record<string, unknown>>) => data
    expect(() => makeUpcasters({ A: 2 }, {})).toThrow(RangeError)
    expect(() => makeUpcasters({ A: 1 }, { A: [step] })).toThrow(RangeError)
    expect(() => makeUpcasters({ A: 1 }, { B: [] })).toThrow(RangeError)
    expect(makeUpcasters({ A: 3 }, { A: [step, step] }).schemas).toEqual({ A: 3 })
  })

  it("given an upcaster that throws, a gap, a foreign text, or a broken link, then the stream is unreadable from there", () => {
    const all = sealedOf(1, LIFE)
    const events = all.map(({ record }) => ({ version: record.version, hash: record.hash, record }))
    const throwing = {
      ...UPCASTERS,
      schemas: { ...UPCASTERS.schemas, OrderSized: 2 },
      steps: {
        OrderSized: [
          () => {
            throw new Error("no")
          },
        ],
      },
    }
    expect(readStream(throwing, streamFor(1), events)).toMatchObject({ _tag: "Unreadable", version: 3, what: "notAnEvent" })
    expect(readStream(UPCASTERS, streamFor(1), events.toSpliced(2, 1))).toMatchObject({ version: 3, what: "missing" })
    expect(readStream(UPCASTERS, streamFor(1), events.with(1, { version: 2, hash: "x", record: undefined } as never))).toMatchObject({
      version: 2,
    })
    expect(readStream(UPCASTERS, streamFor(2), events)).toMatchObject({ version: 1, what: "notAnEvent" })
    expect(readStream(UPCASTERS, streamFor(1), events.with(0, { ...events[0], hash: "other" } as never))).toMatchObject({
      version: 2,
      what: "notAnEvent",
    })
  })

  it("given texts that are no events, then none is made of them", () => {
    for (const text of ["", "null", "[]", "1", "{}", '{"stream":"a","version":1,"type":"A","schema":1,"prev":"","data":[]}', "{"]) {
      expect(recordFromText(text, "h")).toBeUndefined()
    }
  })

  it("given an event that is too large for a store, then it is refused before it is sent", () => {
    expect(() => seal(recordOf(1, 1, { data: { pad: "x".repeat(MAX_EVENT_LENGTH) } }), CHAIN_START)).toThrow(RangeError)
  })

  it("given any single change of a stored stream, then its chain is broken", () => {
    const honest = stored()
    expect(verifyChain(streamFor(1), honest)).toMatchObject({ ok: true, version: LIFE.length })
    fc.assert(
      fc.property(fc.nat(honest.length - 1), fc.nat(2000), fc.constantFrom("byte", "drop", "double", "swap"), (index, at, how) => {
        const event = honest[index]
        if (event === undefined) return
        const place = at % event.text.length
        const flipped = event.text.charCodeAt(place) === 65 ? "B" : "A"
        const text = event.text.slice(0, place) + flipped + event.text.slice(place + 1)
        const changed =
          how === "byte"
            ? honest.with(index, { ...event, text })
            : how === "drop"
              ? honest.toSpliced(index, 1)
              : how === "double"
                ? honest.toSpliced(index, 0, event)
                : honest.with(index, { ...(honest[(index + 1) % honest.length] ?? event), version: event.version })
        const verdict = verifyChain(streamFor(1), changed)
        // Only the last event can go without the chain telling: that is what anchors are for.
        if (how === "drop" && index === honest.length - 1) expect(verdict).toMatchObject({ ok: true, version: LIFE.length - 1 })
        else expect(verdict.ok).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it("given an event put between two that follow each other, then it is the inserted one that is named", () => {
    const honest = stored()
    const false3 = seal(recordOf(1, 3, { data: { forged: true } }), "somewhere else")
    const shifted = [
      ...honest.slice(0, 2),
      { stream: streamFor(1), version: 3, hash: false3.record.hash, text: false3.text },
      ...honest.slice(2).map((event) => ({ ...event, version: event.version + 1 })),
    ]
    expect(verifyChain(streamFor(1), shifted)).toMatchObject({ ok: false, version: 3, what: "inserted" })
    const unreadable = { stream: streamFor(1), version: 1, text: "no event", hash: hashOf("no event") }
    expect(verifyChain(streamFor(1), [unreadable])).toMatchObject({ ok: false, version: 1, what: "unreadable" })
  })
})
