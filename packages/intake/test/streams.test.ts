import { DiscardPolicy, RetentionPolicy, StorageType } from "nats"
import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { ensureStreams, type StreamsOptions, type StreamsResult } from "../src/index.ts"
import { connected, ready, STORE, testStreams, wipe } from "./support.ts"

const nats = await requireNats()
const broker = await connected(nats.url)
const jsm = await broker.nc.jetstreamManager()

beforeEach(() => wipe(broker))
afterAll(() => broker.close())

const attempt = (options: Partial<StreamsOptions> = {}): Promise<StreamsResult> => ensureStreams(broker, testStreams(options))

describe("a first start", () => {
  test("given an empty server, then both streams and consumers are made as the design has them", async () => {
    const result = await ready(broker)
    expect(result.changes).toEqual([
      "made stream SIGNALS",
      "made stream LOTS",
      "made consumer SIGNALS/petrosa-engine",
      "made consumer LOTS/petrosa-engine",
    ])
    const { config } = await jsm.streams.info("SIGNALS")
    expect(config).toMatchObject({
      subjects: ["signals.trading", "signals.trading.>", "signals.http", "signals.resume.>"],
      retention: RetentionPolicy.Workqueue,
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      max_msg_size: 1024 * 1024,
      max_age: 0,
      metadata: { petrosa_store_id: STORE },
    })
    const consumer = (await jsm.consumers.info("SIGNALS", "petrosa-engine")).config
    expect(consumer).toMatchObject({
      ack_policy: "explicit",
      ack_wait: 1e9,
      max_ack_pending: 20_000,
      max_deliver: -1,
      metadata: { petrosa_store_id: STORE },
    })
    expect((await jsm.streams.info("LOTS")).config.subjects).toEqual(["lots.>"])
  })

  test("given it ran before, then nothing is changed; given other settings of the consumer, then it follows them", async () => {
    await ready(broker)
    expect((await ready(broker)).changes).toEqual([])
    const result = await ready(broker, { signalsConsumer: { ackWaitMs: 2500, maxAckPending: 77 } })
    expect(result.changes).toEqual(["changed consumer SIGNALS/petrosa-engine"])
    expect((await jsm.consumers.info("SIGNALS", "petrosa-engine")).config).toMatchObject({ ack_wait: 2.5e9, max_ack_pending: 77 })
  })

  test("given four processes that start at once, then all are ready on the same streams", async () => {
    const results = await Promise.all([attempt(), attempt(), attempt(), attempt()])
    expect(results.map((r) => r._tag)).toEqual(["Ready", "Ready", "Ready", "Ready"])
  })

  test("given two stores that start at once, then one has the streams, and the other is refused", async () => {
    const results = await Promise.all([attempt(), attempt({ storeId: "store-b" })])
    expect(results.filter((r) => r._tag === "Ready").length).toBeLessThanOrEqual(1)
    const winner = (await jsm.streams.info("SIGNALS")).config.metadata?.petrosa_store_id
    const again = await Promise.all([attempt(), attempt({ storeId: "store-b" })])
    expect(again[winner === STORE ? 1 : 0]).toMatchObject({ _tag: "Refused", code: "OTHER_STORE" })
  })

  test("given a plain publisher that asks, then it is told that its signal is stored; a repeated Nats-Msg-Id is stored once", async () => {
    await ready(broker)
    const reply = await broker.nc.request("signals.trading.x", "{}", { timeout: 1000 })
    expect(reply.json()).toMatchObject({ stream: "SIGNALS", seq: 1 })
    const js = broker.nc.jetstream()
    expect(await js.publish("signals.trading", "{}", { msgID: "a" })).toMatchObject({ seq: 2, duplicate: false })
    expect(await js.publish("signals.trading.y", "{}", { msgID: "a" })).toMatchObject({ seq: 2, duplicate: true })
  })
})

describe("what is refused, and how it is mended", () => {
  test("given a subject with a wildcard, then nothing is made", async () => {
    expect(await attempt({ signalSubject: "signals.>" })).toMatchObject({
      _tag: "Refused",
      code: "SUBJECT_INVALID",
      message: expect.stringContaining("wildcard"),
      remedy: expect.stringContaining("NATS_SIGNAL_SUBJECT"),
    })
    expect(await jsm.streams.names().next()).toEqual([])
  })

  test.each([["signals.trading.>"], ["signals.http"], ["signals.*"], ["lots.x"]])(
    "given another stream on %s, then its name is told, and nothing is made",
    async (subject) => {
      await jsm.streams.add({ name: "OLD", subjects: [subject] })
      expect(await attempt()).toMatchObject({ _tag: "Refused", code: "SUBJECT_TAKEN", message: expect.stringContaining("OLD") })
      expect(await jsm.streams.names().next()).toEqual(["OLD"])
    },
  )

  test("given another store's id, then it is refused with the ways out, and nothing changes", async () => {
    await ready(broker)
    const result = await attempt({ storeId: "store-b" })
    expect(result).toMatchObject({
      _tag: "Refused",
      code: "OTHER_STORE",
      message: expect.stringMatching(/store-a.*store-b/),
      remedy: expect.stringContaining("petrosa_store_id=store-b"),
    })
    expect((await jsm.streams.info("SIGNALS")).config.metadata?.petrosa_store_id).toBe(STORE)
  })

  test("given our stream without an id, then it is claimed", async () => {
    await ready(broker)
    const { config } = await jsm.streams.info("SIGNALS")
    await jsm.streams.update("SIGNALS", { ...config, metadata: {} })
    expect((await ready(broker)).changes).toEqual(["claimed stream SIGNALS"])
    expect((await jsm.streams.info("SIGNALS")).config.metadata?.petrosa_store_id).toBe(STORE)
  })

  test.each([
    [{ max_age: 600e9 }, "max_age", "600000000000", "--max-age=-1"],
    [{ discard: DiscardPolicy.Old }, "discard", "old", "--discard=new"],
    [{ max_bytes: 1_000_000 }, "max_bytes", "1000000", "--max-bytes=268435456"],
    [
      { subjects: ["signals.trading"] },
      "subjects",
      "signals.trading",
      "--subjects='signals.trading,signals.trading.>,signals.http,signals.resume.>'",
    ],
    [{ retention: RetentionPolicy.Limits }, "retention", "limits", "nats stream rm SIGNALS"],
    [{ storage: StorageType.Memory }, "storage", "memory", "nats stream rm SIGNALS"],
  ])(
    "given a stream with %j, then the setting, what was found and the command are told, and the stream is left alone",
    async (change, setting, found, command) => {
      await ready(broker)
      const { config } = await jsm.streams.info("SIGNALS")
      await jsm.streams.delete("SIGNALS")
      const theirs = { ...config, ...change, metadata: {} }
      await jsm.streams.add(theirs)
      const result = await attempt()
      expect(result).toMatchObject({
        _tag: "Refused",
        code: "STREAM_DIFFERS",
        differences: [{ setting, found }],
        remedy: expect.stringContaining(command),
      })
      expect((await jsm.streams.info("SIGNALS")).config).toMatchObject(change)
    },
  )

  test("given somebody else's consumer on our stream, then its name is told", async () => {
    await ready(broker)
    await jsm.consumers.delete("SIGNALS", "petrosa-engine")
    await jsm.consumers.add("SIGNALS", { durable_name: "curious", ack_policy: "explicit" as never })
    expect(await attempt()).toMatchObject({ _tag: "Refused", code: "CONSUMER_TAKEN", message: expect.stringContaining("curious") })
  })

  test("given a consumer of our name made otherwise, then it is refused with the command", async () => {
    await ready(broker)
    await jsm.consumers.delete("SIGNALS", "petrosa-engine")
    await jsm.consumers.add("SIGNALS", {
      durable_name: "petrosa-engine",
      ack_policy: "explicit" as never,
      filter_subject: "signals.trading",
    })
    expect(await attempt()).toMatchObject({
      _tag: "Refused",
      code: "CONSUMER_DIFFERS",
      message: expect.stringContaining("filter_subject"),
      remedy: expect.stringContaining("nats consumer rm SIGNALS petrosa-engine"),
    })
  })

  test("given a byte limit that the server does not grant, then it is told", async () => {
    expect(await attempt({ signals: { maxBytes: 2 ** 50 } })).toMatchObject({
      _tag: "Refused",
      code: "STORAGE_TOO_SMALL",
      remedy: expect.stringContaining("max_file_store"),
    })
  })
})
