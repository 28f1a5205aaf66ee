/**
 * What every event store must do: one suite, run on each adapter (contractOrders.ts has the part about order lists).
 */
import { canonicalText, type EventEnvelope, type SealedRecord } from "@petrosa/contracts"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Append, EventStore, StreamRead } from "../eventStore.ts"
import { hashOf, verifyChain } from "../hashChain.ts"
import { sealedAs } from "../sealing.ts"
import { makeUpcasters, type Upcasters } from "../upcasters.ts"
import { ordersContract } from "./contractOrders.ts"
import { FaultyStore, firstDocuments } from "./faultyStore.ts"
import { NASTY } from "./nasty.ts"
import { appendOf, headOf, LIFE, sealedOf, streamFor } from "./records.ts"

/** One place where events lie: it can be opened, closed, and opened again. */
export interface StoreFixture {
  open(options?: { readonly upcasters?: Upcasters }): Promise<EventStore>
  /** Whether two stores may have it open for writing. */
  readonly sharedByWriters: boolean
  /** Deletes the rows of the projection behind the store's back, while it is closed. */
  dropProjection(): Promise<void>
  dispose(): Promise<void>
}

export const eventsOf = (read: StreamRead | undefined): readonly SealedRecord[] =>
  read === undefined || read._tag === "Unreadable" ? [] : read.events.map((record) => sealedAs(record, canonicalText(record)))

/** Two events with something nasty in them, and with what looks like the end of an envelope. */
const nastyLife = (value: unknown, index: number): readonly SealedRecord[] => {
  const decoy = { value, text: '","prev":"","order":"', prev: "", order: "", inside: { prev: "", order: { prev: "", order: value } } }
  return sealedOf(`h${index}`, [
    { data: decoy, metadata: decoy },
    { type: "SignalValidated", data: decoy, metadata: decoy },
    { type: "OrderSized", data: decoy },
  ])
}

/** As text: JSON keeps no `undefined` and no -0. */
const envelopeOnly = (record: EventEnvelope): string => {
  const { _id, stream, version, schema, type, state, at, data, commands, cause, trace, prev, hash, ...rest } = record
  const { settings_version, engine_version, replica } = rest
  const writer = { settings_version, engine_version, replica }
  return JSON.stringify({ _id, stream, version, schema, type, state, at, data, commands, ...writer, cause, trace, prev, hash })
}

/** `makeFixture` gives an empty place each time. */
export const eventStoreContract = (name: string, makeFixture: () => Promise<StoreFixture>): void => {
  describe(`event store contract: ${name}`, () => {
    let fixture: StoreFixture
    let store: EventStore
    const opened: EventStore[] = []

    const open = async (options?: { readonly upcasters?: Upcasters }): Promise<EventStore> => {
      const one = await fixture.open(options)
      opened.push(one)
      return one
    }
    const reopen = async (options?: { readonly upcasters?: Upcasters }): Promise<EventStore> => {
      await store.close()
      store = await open(options)
      return store
    }
    const must = async (...batch: readonly Append[]): Promise<void> => {
      const results = await store.append(batch)
      expect(results).toEqual(batch.map(() => ({ _tag: "Appended" })))
    }
    const read = async (stream: string): Promise<readonly SealedRecord[]> => eventsOf((await store.readStreams([stream])).get(stream))
    const texts = (records: readonly SealedRecord[]): readonly string[] => records.map((sealed) => sealed.text)

    beforeEach(async () => {
      fixture = await makeFixture()
      store = await open()
    })
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close()
      await fixture.dispose()
    })

    describe("appending", () => {
      it("given nothing, when a life is appended in two appends, then all its events are read in order, as they were", async () => {
        const all = sealedOf(1, LIFE)
        const stream = streamFor(1)
        await must({ stream, records: all.slice(0, 4) })
        await must({ stream, records: all.slice(4) })
        const found = await read(stream)
        expect(texts(found)).toEqual(texts(all))
        expect(found.map(({ record }) => record)).toEqual(all.map(({ record }) => record))
      })

      it("given many streams in one batch, when all are read at once, then each has its own events", async () => {
        const batch = Array.from({ length: 120 }, (_, index) => appendOf(index, LIFE.slice(0, 1 + (index % 4))))
        await must(...batch)
        const found = await store.readStreams([...batch.map(({ stream }) => stream), streamFor("nobody")])
        expect(found.size).toBe(120)
        for (const { stream, records } of batch) expect(texts(eventsOf(found.get(stream)))).toEqual(texts(records))
      })

      it("given an empty append or an empty batch, then nothing happens", async () => {
        expect(await store.append([])).toEqual([])
        expect(await store.append([{ stream: streamFor(1), records: [] }])).toEqual([{ _tag: "Appended" }])
        expect((await store.readStreams([])).size).toBe(0)
      })

      it("given a version that somebody else wrote, when it is appended, then it is a conflict and nothing changed", async () => {
        const theirs = appendOf(1, [{ type: "SignalReceived", replica: "theirs" }])
        const ours = appendOf(1, [{ type: "SignalReceived", replica: "ours" }, { type: "SignalValidated" }])
        await must(theirs)
        expect(await store.append([ours])).toEqual([{ _tag: "Conflict", stream: ours.stream, version: 1 }])
        expect(texts(await read(ours.stream))).toEqual(texts(theirs.records))
      })

      it("given a conflict in the middle of a batch, then the other streams are written, before and after it", async () => {
        await must(appendOf(2, [{ replica: "theirs" }]))
        const results = await store.append([appendOf(1, LIFE), appendOf(2, [{ replica: "ours" }, {}]), appendOf(3, LIFE)])
        expect(results.map(({ _tag }) => _tag)).toEqual(["Appended", "Conflict", "Appended"])
        expect((await read(streamFor(1))).length).toBe(LIFE.length)
        expect((await read(streamFor(2))).map(({ record }) => record.replica)).toEqual(["theirs"])
        expect((await read(streamFor(3))).length).toBe(LIFE.length)
      })

      it("given several conflicts in one batch, then each is told, with its own version", async () => {
        const theirs = appendOf(4, [{}, { replica: "theirs" }])
        await must(appendOf(2, [{ replica: "theirs" }]), theirs)
        const batch = [
          appendOf(1, [{}]),
          appendOf(2, [{ replica: "ours" }]),
          appendOf(3, [{}]),
          appendOf(4, [{}, { replica: "ours" }, {}]),
          appendOf(5, [{}]),
        ]
        const results = await store.append(batch)
        expect(results).toEqual([
          { _tag: "Appended" },
          { _tag: "Conflict", stream: streamFor(2), version: 1 },
          { _tag: "Appended" },
          { _tag: "Conflict", stream: streamFor(4), version: 2 },
          { _tag: "Appended" },
        ])
        expect(texts(await read(streamFor(4)))).toEqual(texts(theirs.records))
      })
    })

    describe("sending the same again", () => {
      it("given a lost reply, when the very same batch is sent again, then it is appended, and nothing is there twice", async () => {
        const faulty = new FaultyStore(store)
        const batch = [appendOf(1, LIFE), appendOf(2, LIFE.slice(0, 2))]
        faulty.next({ _tag: "LoseReply" })
        expect((await faulty.append(batch)).map(({ _tag }) => _tag)).toEqual(["Unavailable", "Unavailable"])
        expect(await faulty.append(batch)).toEqual([{ _tag: "Appended" }, { _tag: "Appended" }])
        expect((await store.readRaw(streamFor(1))).length).toBe(LIFE.length)
        expect((await store.readRaw(streamFor(2))).length).toBe(2)
      })

      it("given any prefix of a batch written before a crash, when it is sent again after reopening, then it is whole", async () => {
        const size = 6
        for (let documents = 0; documents <= size; documents += 1) {
          const batch = [appendOf(`a${documents}`, LIFE.slice(0, 3)), appendOf(`b${documents}`, LIFE.slice(0, 3))]
          await store.append(firstDocuments(batch, documents))
          if (documents % 3 === 1) await reopen()
          await must(...batch)
          for (const { stream, records } of batch) expect(texts(await read(stream))).toEqual(texts(records))
        }
      })

      it("given the same append twice in one batch, then both are appended, and it is there once", async () => {
        const append = appendOf(1, LIFE.slice(0, 3))
        await must(append, appendOf(2, [{}]), append)
        expect((await store.readRaw(append.stream)).length).toBe(3)
        expect((await store.readRaw(streamFor(2))).length).toBe(1)
      })

      it("given a half-written append whose rest somebody else wrote, when it is sent again, then the conflict is at that version", async () => {
        const ours = appendOf(1, [{}, { replica: "ours" }, {}])
        await must({ stream: ours.stream, records: ours.records.slice(0, 1) })
        const theirs = sealedOf(1, [{ replica: "theirs" }], headOf({ stream: ours.stream, records: ours.records.slice(0, 1) }))
        await must({ stream: ours.stream, records: theirs })
        expect(await store.append([ours])).toEqual([{ _tag: "Conflict", stream: ours.stream, version: 2 }])
        expect((await read(ours.stream)).map(({ record }) => record.replica)).toEqual(["r1", "theirs"])
      })
    })

    it("given two stores on one place, when both write the same version, then one wins and the other is told", async () => {
      if (!fixture.sharedByWriters) {
        await expect(fixture.open()).rejects.toThrow(/another engine/)
        return
      }
      const other = await open()
      expect(other.storeId).toBe(store.storeId)
      const rounds = Array.from({ length: 10 }, (_, index) => index)
      for (const round of rounds) {
        const mine = appendOf(round, [{ replica: "one" }, {}])
        const theirs = appendOf(round, [{ replica: "two" }, {}])
        const results = (await Promise.all([store.append([mine]), other.append([theirs])])).flat()
        expect(results.map(({ _tag }) => _tag).sort()).toEqual(["Appended", "Conflict"])
        const winner = results[0]?._tag === "Appended" ? mine : theirs
        expect(texts(await read(mine.stream))).toEqual(texts(winner.records))
      }
    })

    describe("reading", () => {
      it("given nasty JSON in data and metadata, then the very same text and hash are read, now and after reopening", async () => {
        const batch = NASTY.map((value, index) => appendOf(`n${index}`, [{ data: { value }, metadata: { value, beside: "plain" } }]))
        await must(...batch)
        for (const reopened of [false, true]) {
          if (reopened) await reopen()
          for (const { stream, records: wanted } of batch) {
            const [stored] = await store.readRaw(stream)
            expect(stored?.text).toBe(wanted[0]?.text)
            expect(hashOf(stored?.text ?? "")).toBe(wanted[0]?.record.hash)
            const found = (await store.readStreams([stream])).get(stream)
            expect(texts(eventsOf(found))).toEqual(texts(wanted))
          }
        }
      })

      it("given nasty objects as data and metadata themselves, then the very same text is read", async () => {
        const objects = NASTY.filter(
          (value): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value),
        )
        const batch = objects.map((value, index) =>
          appendOf(`o${index}`, [{ data: value, metadata: value, signal_id: "id\ud800\u0000'\"" }]),
        )
        await must(...batch)
        for (const { stream, records } of batch) expect((await store.readRaw(stream)).map(({ text }) => text)).toEqual(texts(records))
      })

      it("given a life, when its history is read, then it has the envelopes of all events, and the last event whole", async () => {
        const lives = [sealedOf(1, LIFE), sealedOf(2, LIFE.slice(0, 1)), ...NASTY.map((value, index) => nastyLife(value, index))]
        await must(...lives.map((records) => ({ stream: records[0]?.envelope.stream ?? "", records })))
        const found = await store.readHistories([...lives.map((records) => records[0]?.envelope.stream ?? ""), streamFor("nobody")])
        expect(found.size).toBe(lives.length)
        for (const records of lives) {
          const read = found.get(records[0]?.envelope.stream ?? "")
          if (read?._tag !== "Readable") throw new Error(`not readable: ${JSON.stringify(read)}`)
          expect(read.events.map(envelopeOnly)).toEqual(records.map(({ record }) => envelopeOnly(record)))
          expect(JSON.stringify(read.last)).toEqual(JSON.stringify(records.at(-1)?.record))
        }
      })

      it("given streams that cannot be read to their end, then their histories say where, as the streams do", async () => {
        const strange = appendOf(2, [{}, { type: "SignalValidated" }, { type: "OrderTeleported" }, {}])
        const newer = appendOf(3, [{}, { schema: 99 }])
        await must(strange, newer)
        const histories = await store.readHistories([strange.stream, newer.stream])
        for (const [stream, read] of await store.readStreams([strange.stream, newer.stream])) {
          const history = histories.get(stream)
          expect(read._tag).toBe("Unreadable")
          expect({ ...history, events: history?.events.map(envelopeOnly) }).toEqual({ ...read, events: read.events.map(envelopeOnly) })
        }
      })

      it("given an event type, or a schema, that is not known, then that stream is unreadable from there, and the others are not", async () => {
        const strange = appendOf(2, [{}, { type: "SignalValidated" }, { type: "OrderTeleported" }, {}])
        const newer = appendOf(3, [{ schema: 99 }])
        const plain = { ...appendOf(4, [{ stream: "rejected/x", order: "", type: "AnythingAtAll" }]) }
        await must(appendOf(1, LIFE), strange, newer, plain)
        const found = await store.readStreams([streamFor(1), strange.stream, newer.stream, plain.stream])
        expect(found.get(streamFor(1))?._tag).toBe("Readable")
        expect(found.get(plain.stream)?._tag).toBe("Readable")
        expect(found.get(strange.stream)).toMatchObject({
          _tag: "Unreadable",
          version: 3,
          what: "unknownType",
          head: { stream: strange.stream, version: 4, hash: headOf(strange).hash },
        })
        const read = found.get(strange.stream)
        expect(read?.events.map(({ version }) => version)).toEqual([1, 2])
        expect(found.get(newer.stream)).toMatchObject({ _tag: "Unreadable", version: 1, what: "newerSchema" })
      })

      it("given events of an old schema, when read by a version with upcasters, then they are today's, and what is stored is not touched", async () => {
        const old = appendOf(1, [{ schema: 1, data: { qty: "1" } }, { type: "SignalValidated" }])
        await must(old)
        const upcasters = makeUpcasters(
          { SignalReceived: 3, SignalValidated: 1 },
          { SignalReceived: [(data) => ({ quantity: data.qty }), (data) => ({ ...data, unit: "base" })] },
        )
        await reopen({ upcasters })
        const found = (await store.readStreams([old.stream])).get(old.stream)
        expect(found?.events[0]).toMatchObject({ schema: 3, data: { quantity: "1", unit: "base" }, hash: old.records[0]?.record.hash })
        expect((await store.readRaw(old.stream)).map(({ text }) => text)).toEqual(texts(old.records))
      })

      it("given many streams, then their heads, and all of them raw, are found by prefix", async () => {
        const batch = Array.from({ length: 30 }, (_, index) => appendOf(index, LIFE.slice(0, 1 + (index % 3))))
        const anchor = appendOf("x", [{ stream: "anchor/r1/2026", order: "", type: "HeadsAnchored" }])
        await must(...batch, anchor)
        const heads = new Map<string, number>()
        for await (const part of store.streams("order/")) for (const { stream, version } of part) heads.set(stream, version)
        expect([...heads].sort()).toEqual(batch.map(({ stream, records }) => [stream, records.length]).sort())
        const all = new Map<string, readonly string[]>()
        for await (const part of store.rawStreams("")) {
          for (const { stream, events } of part) {
            all.set(
              stream,
              events.map(({ text }) => text),
            )
            expect(verifyChain(stream, events)).toMatchObject({ ok: true, version: events.length })
          }
        }
        expect(all.size).toBe(31)
        for (const { stream, records } of [...batch, anchor]) expect(all.get(stream)).toEqual(texts(records))
        const anchors: string[] = []
        for await (const part of store.rawStreams("anchor/")) anchors.push(...part.map(({ stream }) => stream))
        expect(anchors).toEqual(["anchor/r1/2026"])
      })

      it("given a mark, then at least the streams that were written after it have their heads told", async () => {
        await must(appendOf(1, LIFE), appendOf(2, [{}]))
        const mark = await store.mark()
        const second = appendOf(2, [{ type: "SignalValidated" }], headOf(appendOf(2, [{}])))
        await must(second, appendOf(3, [{}]))
        const collect = async (from: string | undefined) => {
          const heads = new Map<string, number>()
          for await (const part of store.headsSince(from)) for (const { stream, version } of part) heads.set(stream, version)
          return heads
        }
        const since = await collect(mark)
        expect(since.get(streamFor(2))).toBe(2)
        expect(since.get(streamFor(3))).toBe(1)
        expect([...(await collect(undefined)).values()].sort()).toEqual([1, 2, LIFE.length].sort())
      })
    })

    describe("the store itself", () => {
      it("given a store, when it is closed and opened again, then its id and its named values are the same", async () => {
        const id = store.storeId
        expect(id).toMatch(/^[0-9a-f-]{36}$/)
        expect(await store.getMeta("stream")).toBeUndefined()
        await store.setMeta("stream", "a")
        await store.setMeta("stream", "b")
        await reopen()
        expect(store.storeId).toBe(id)
        expect(await store.getMeta("stream")).toBe("b")
      })

      it("given a closed store, then an append is unavailable and a read throws", async () => {
        await store.close()
        await store.close()
        expect(await store.append([appendOf(1, [{}])])).toMatchObject([{ _tag: "Unavailable" }])
        await expect(store.readStreams([streamFor(1)])).rejects.toMatchObject({ name: "StoreUnavailable" })
        await expect(store.openOrders()).rejects.toMatchObject({ name: "StoreUnavailable" })
      })
    })

    ordersContract({ store: () => store, must, reopen, dropProjection: () => fixture.dropProjection() })
  })
}
