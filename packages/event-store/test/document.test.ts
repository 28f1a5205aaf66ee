import { canonicalText } from "@petrosa/contracts"
import fc from "fast-check"
import { BSON } from "mongodb"
import { describe, expect, it } from "vitest"
import { seal } from "../src/index.ts"
import { type EventDocument, fromDocument, textOf, toDocument } from "../src/mongodb/document.ts"
import { NASTY, recordOf } from "../src/testing/index.ts"

/** There and back over the wire. */
const roundTrip = (document: EventDocument): EventDocument =>
  BSON.deserialize(BSON.serialize(document, { ignoreUndefined: true })) as EventDocument

const awkwardKey = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("$set", "a.b", "", "%json", "__proto__", "_bsontype", "a\u0000", "\ud800", "10", "toJSON"),
)

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({ unit: "binary" }),
    fc.constantFrom("\ud800", "\udfff!", "\u0000"),
    fc.double(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(awkwardKey, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}))

describe("an event as a MongoDB document", () => {
  it("given any JSON in data and metadata, then the text that comes back is the text that was hashed", () => {
    fc.assert(
      fc.property(json.object, json.object, (data, metadata) => {
        const sealed = seal(recordOf(1, 1, { data: data as Record<string, unknown>, metadata: metadata as Record<string, unknown> }), "")
        const back = fromDocument(roundTrip(toDocument(sealed.record)))
        expect(textOf(back)).toBe(sealed.text)
        expect(back.hash).toBe(sealed.record.hash)
      }),
      { numRuns: 1000 },
    )
  })

  it("given a record as it was sealed, then its document is, byte for byte, that of any copy of it, and the record is as it was", () => {
    fc.assert(
      fc.property(json.object, json.object, fc.string({ unit: "binary" }), (data, metadata, reason) => {
        const { record, text } = seal(
          recordOf(1, 1, { data: data as Record<string, unknown>, metadata: metadata as Record<string, unknown>, reason }),
          "",
        )
        // Neither the order of its keys nor what else lies in it is that of a sealed record: the general way.
        const other = { note: "not of an event", ...Object.fromEntries(Object.entries(record).reverse()) } as unknown as typeof record
        expect(BSON.serialize(toDocument(record), { ignoreUndefined: true })).toEqual(
          BSON.serialize(toDocument(other), { ignoreUndefined: true }),
        )
        expect(canonicalText(record)).toBe(text)
      }),
      { numRuns: 500 },
    )
    const { record } = seal(recordOf(1, 1), "")
    expect(toDocument(record)).toBe(record)
  })

  it("given more keys than are remembered, and long ones, then each is still looked at", () => {
    for (let n = 0; n < 3000; n += 1) {
      const metadata = { [`key${n}${"x".repeat(n % 100)}`]: 1, [`bad.${n}`]: 2 }
      expect(toDocument(seal(recordOf(1, 1, { metadata }), "").record).metadata).toEqual({ "%json": JSON.stringify(metadata) })
    }
  })

  it("given plain records, then the document is the record as it is, and nothing that a server refuses is ever in one", () => {
    const plain = seal(recordOf(1, 1), "").record
    expect(toDocument(plain)).toEqual({ ...plain })
    const check = (value: unknown, inArray: boolean, depth: number): void => {
      expect(depth).toBeLessThan(100)
      if (typeof value === "string") expect(value.isWellFormed()).toBe(true)
      if (Array.isArray(value)) {
        expect(inArray).toBe(false)
        for (const item of value) check(item, true, depth + 1)
      } else if (typeof value === "object" && value !== null) {
        for (const [key, item] of Object.entries(value)) {
          expect(key).not.toMatch(/^\$|[.\u0000]/)
          check(item, false, depth + 1)
        }
      }
    }
    for (const value of NASTY) check(toDocument(seal(recordOf(1, 1, { data: { value }, metadata: { value } }), "").record), false, 0)
  })

  it("given a document that somebody changed, added to or took from, then its text is another one", () => {
    const sealed = seal(recordOf(1, 1, { metadata: { "a.b": 1 } }), "")
    const document = toDocument(sealed.record)
    expect(canonicalText(fromDocument(document))).toBe(sealed.text)
    const { side, ...without } = document
    expect(side).toBe("BUY")
    for (const changed of [
      { ...document, note: "added" },
      without as EventDocument,
      { ...document, quantity: "0.015" },
      { ...document, metadata: { "%json": "{}" } },
      { ...document, metadata: { "%json": "not json" } },
      { ...document, data: null },
    ]) {
      expect(textOf(fromDocument(roundTrip(changed)))).not.toBe(sealed.text)
    }
  })
})
