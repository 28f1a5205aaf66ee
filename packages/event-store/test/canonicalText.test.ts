import { canonicalText, type Envelope, type FlatFields, recordOf } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { ByteArena, CanonicalText, hashOf, Sealer } from "../src/index.ts"
import { NASTY } from "../src/testing/nasty.ts"

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", '"', "\\", "\u0000", "\u2028", "\ud800", "😀", "BTCUSDT", "é"))
const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 1e21, 1e-7, Number.NaN, Number.POSITIVE_INFINITY))
const maybe = <A>(of: fc.Arbitrary<A>): fc.Arbitrary<A | null> => fc.option(of)
const object = fc.oneof(
  fc.dictionary(fc.string(), fc.jsonValue()),
  fc.constantFrom<Record<string, unknown>>(...NASTY.map((value) => ({ value })), { nothing: undefined }),
)

const envelope = fc.record({
  _id: text,
  stream: text,
  version: fc.nat(),
  schema: fc.nat(),
  type: text,
  state: text,
  at: text,
  data: object,
  commands: fc.array(object, { maxLength: 2 }),
  settings_version: text,
  engine_version: text,
  replica: text,
  cause: text,
  trace: maybe(text),
}) as unknown as fc.Arbitrary<Envelope>

const flat = fc.record({
  order: text,
  signal_id: text,
  strategy_id: text,
  symbol: text,
  market: text,
  side: text,
  order_type: text,
  quantity: maybe(number),
  price: maybe(number),
  stop_loss: maybe(number),
  take_profit: maybe(number),
  binance_order_id: maybe(text),
  status: text,
  fill_price: maybe(number),
  filled_quantity: maybe(number),
  fees: maybe(number),
  open_quantity: text,
  profit: maybe(text),
  reason: maybe(text),
  settled: fc.boolean(),
  done: fc.boolean(),
  parked: fc.boolean(),
  timestamp: text,
  created_at: text,
  simulation_mode: fc.boolean(),
  metadata: object,
}) as unknown as fc.Arbitrary<FlatFields>

describe("the canonical text made of its parts", () => {
  it("given any records of one stream, then each text is that of the whole record, whatever the one before said", () => {
    // Some fields stay as they were from one event to the next, some change.
    const steps = fc.array(fc.tuple(envelope, flat, fc.array(fc.nat(25), { maxLength: 6 }), text), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(steps, (given) => {
        const arena = new ByteArena()
        const text = new CanonicalText()
        let before: FlatFields | undefined
        for (const [e, drawn, changed, prev] of given) {
          const names = Object.keys(drawn) as (keyof FlatFields)[]
          const f =
            before === undefined
              ? drawn
              : ({ ...before, ...Object.fromEntries(changed.map((i) => [names[i], drawn[names[i] as keyof FlatFields]])) } as FlatFields)
          expect(Buffer.from(text.write(arena, e, f, prev)).toString()).toBe(canonicalText(recordOf(e, f, prev)))
          before = f
        }
      }),
      { numRuns: 400 },
    )
  })

  it("given any record, when sealed, then bytes, text, record and hash say the same", () => {
    fc.assert(
      fc.property(envelope, flat, text, (e, f, prev) => {
        const sealed = new Sealer().seal(e, f, prev)
        const whole = canonicalText(recordOf(e, f, prev))
        expect(sealed.text).toBe(whole)
        expect(Buffer.from(sealed.bytes).toString()).toBe(whole)
        expect(sealed.hash).toBe(hashOf(whole))
        expect(sealed.record).toEqual({ ...recordOf(e, f, prev), hash: sealed.hash })
      }),
      { numRuns: 200 },
    )
  })

  it("given texts longer than a piece of the arena, and many short ones, then none runs into another", () => {
    const sealer = new Sealer()
    const [e] = fc.sample(envelope, 1)
    const [f] = fc.sample(flat, 1)
    if (e === undefined || f === undefined) throw new Error("nothing drawn")
    const sealed = Array.from({ length: 600 }, (_, i) =>
      sealer.seal({ ...e, version: i, data: { pad: "ä".repeat((i * 7919) % 40_000) } }, f, String(i)),
    )
    for (const [i, one] of sealed.entries()) {
      expect(one.text).toBe(canonicalText(recordOf({ ...e, version: i, data: { pad: "ä".repeat((i * 7919) % 40_000) } }, f, String(i))))
      expect(hashOf(one.text)).toBe(one.hash)
    }
  })
})
