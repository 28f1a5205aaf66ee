/** The columns of the list of orders, read out of a text where they stand, are those of the parsed text. */
import { canonicalText, type Envelope, type FlatFields, recordOf } from "@petrosa/contracts"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type OrderColumns, OrderColumnsReader } from "../src/sqlite/orderColumns.ts"

/** Keys and values that look like the ones that are looked for. */
const DECOYS = [
  ',"prev":"p","order":"x"',
  '","order":"x',
  '"state":"',
  ',"created_at":',
  "\\",
  '"',
  "",
  "null",
  "BTCUSDT",
  "filled",
  "é😀",
  "\ud800",
  "\u2028\u0000",
] as const
const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...DECOYS))
const name = fc.constantFrom("prev", "order", "state", "status", "signal_id", "done", "created_at", "metadata", "binance_order_id", "a")
const leaf = fc.oneof(text, fc.constant(null), fc.boolean(), fc.constantFrom("p", "x"))
const nested = fc.dictionary(
  name,
  fc.oneof(leaf, fc.dictionary(name, leaf), fc.constantFrom({ prev: "p", order: "x" }, { a: 1, prev: "p", order: "x", status: "y" })),
)
const maybe = <A>(of: fc.Arbitrary<A>): fc.Arbitrary<A | null> => fc.option(of)

const envelope = fc.record({
  _id: text,
  stream: text,
  version: fc.nat(),
  schema: fc.nat(),
  type: text,
  state: text,
  at: text,
  data: nested,
  commands: fc.array(nested, { maxLength: 2 }),
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
  quantity: maybe(fc.double()),
  price: maybe(fc.double()),
  stop_loss: maybe(fc.double()),
  take_profit: maybe(fc.double()),
  binance_order_id: maybe(text),
  status: text,
  fill_price: maybe(fc.double()),
  filled_quantity: maybe(fc.double()),
  fees: maybe(fc.double()),
  open_quantity: text,
  profit: maybe(text),
  reason: maybe(text),
  settled: fc.boolean(),
  done: fc.boolean(),
  parked: fc.boolean(),
  timestamp: text,
  created_at: text,
  simulation_mode: fc.boolean(),
  metadata: nested,
}) as unknown as fc.Arbitrary<FlatFields>

const hash = fc.constantFrom("", "p", "a1b2c3", '"odd')

const same = (whole: string, prev: string): void => {
  const parsed = JSON.parse(whole) as OrderColumns
  const reader = new OrderColumnsReader()
  expect(reader.read(whole, prev)).toBe(parsed.order !== "")
  expect(parsed).toMatchObject({ ...reader.fixed(), ...reader.moving() })
}

describe("columns of the list of orders", () => {
  it("given any event, also one whose data looks like the columns, then they are those of the parsed text", () => {
    fc.assert(
      fc.property(envelope, flat, hash, (e, f, prev) => same(canonicalText(recordOf(e, f, prev)), prev)),
      { numRuns: 600 },
    )
  })

  it("given keys in an order that is not ours, or another hash before it, then the text is parsed", () => {
    fc.assert(
      fc.property(envelope, flat, hash, hash, fc.array(fc.nat(), { minLength: 42, maxLength: 42 }), (e, f, prev, other, order) => {
        const record = recordOf({ ...e, data: {}, commands: [] }, { ...f, metadata: {} }, prev)
        const entries = Object.entries(record).map((entry, i) => ({ entry, at: order[i] ?? 0 }))
        const mixed = entries.sort((a, b) => a.at - b.at).map(({ entry }) => entry)
        same(JSON.stringify(Object.fromEntries(mixed)), prev)
        same(canonicalText(record), other)
      }),
      { numRuns: 200 },
    )
  })
})
