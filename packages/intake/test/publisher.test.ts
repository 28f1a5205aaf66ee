import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { hasMessage, hasMessages, NatsPublisher, onAnnouncement, onJournal, queueStatus, type StreamsReady } from "../src/index.ts"
import { connected, probe, ready, text, until, wipe } from "./support.ts"

const nats = await requireNats({ config: "max_payload: 2MB" })
const broker = await connected(nats.url)
const reader = await connected(nats.url, { name: "reader" })

beforeEach(() => wipe(broker))
afterAll(async () => {
  await broker.close()
  await reader.close()
})

const publisherFor = (streams: StreamsReady, options: { timeoutMs?: number; maxInFlight?: number } = {}): NatsPublisher =>
  new NatsPublisher({ broker, plan: streams.plan, signalStream: "SIGNALS", lotsStream: "LOTS", ...options })

describe("into the streams", () => {
  test("given the same idempotency key twice, then it is stored once and the second is told which", async () => {
    const publisher = publisherFor(await ready(broker))
    expect(await publisher.publishSignal("{}", { msgId: "k" })).toEqual({
      _tag: "Published",
      stream: "SIGNALS",
      sequence: 1,
      duplicate: false,
    })
    expect(await publisher.publishSignal("{}", { msgId: "k" })).toEqual({
      _tag: "Published",
      stream: "SIGNALS",
      sequence: 1,
      duplicate: true,
    })
    expect(await publisher.publishSignal("{}", { msgId: "l" })).toMatchObject({ sequence: 2, duplicate: false })
  })

  test("given a publisher whose Nats-Msg-Id happens to be somebody's idempotency key, then neither is lost", async () => {
    const publisher = publisherFor(await ready(broker))
    await broker.nc.jetstream().publish("signals.trading", "a", { msgID: "1" })
    expect(await publisher.publishSignal("b", { msgId: "1" })).toMatchObject({ sequence: 2, duplicate: false })
  })

  test("given a resume that waits, then another of the same order is not stored; once it is answered, then it is", async () => {
    const streams = await ready(broker)
    const publisher = publisherFor(streams)
    const p = probe(reader, streams)
    expect(await publisher.publishResume("o1", 5, "sweep", "a")).toMatchObject({ _tag: "Published", duplicate: false })
    expect(await publisher.publishResume("o1", 5, "sweep", "a")).toEqual({ _tag: "Occupied" })
    expect(await publisher.publishResume("o1", 6, "sweep", "b")).toEqual({ _tag: "Occupied" })
    expect(await publisher.publishResume("o2", 6, "sweep", "a")).toMatchObject({ _tag: "Published", duplicate: false })
    p.intake.start()
    await until("both", () => p.messages.length === 2)
    for (const m of p.messages) m.ack()
    await until("it can be stored again", async () => (await publisher.publishResume("o1", 7, "sweep", "a"))._tag === "Published")
    await p.intake.stop()
  })

  test("given two different requests for one order at one version, then the second is not taken for a copy of the first", async () => {
    const streams = await ready(broker)
    const publisher = publisherFor(streams)
    const p = probe(reader, streams)
    p.intake.start()
    expect(await publisher.publishResume("o1", 5, "sweep", "a")).toMatchObject({ duplicate: false })
    await until("the sweep", () => p.messages.length === 1)
    p.messages[0]?.ack()
    await until("it is answered", async () => (await statusMessages()) === 0)
    expect(await publisher.publishResume("o1", 5, "close", "b")).toMatchObject({ duplicate: false })
    await p.intake.stop()
  })

  test("given a resume that is kept because it carries its order, then another request of the same order is stored beside it", async () => {
    const streams = await ready(broker)
    const publisher = publisherFor(streams)
    const p = probe(reader, streams)
    p.intake.start()
    await publisher.publishResume("o1", 5, "sweep", "a")
    await until("the sweep is held", () => p.messages.length === 1)
    expect(await publisher.publishResume("o1", 6, "cancel", "b")).toMatchObject({ _tag: "Published", duplicate: false })
    await until("the cancel", () => p.messages.length === 2)
    expect(p.messages.map((m) => [m.kind, m.order, text(m)])).toEqual([
      ["resume", "o1", '{"request":"sweep","by":"a"}'],
      ["resume", "o1", '{"request":"cancel","by":"b"}'],
    ])
    await p.intake.stop()
  })

  test("given the same lot twice, then it is stored once", async () => {
    const publisher = publisherFor(await ready(broker))
    expect(await publisher.publishLot("o1", 9)).toMatchObject({ _tag: "Published", stream: "LOTS" })
    expect(await publisher.publishLot("o1", 10)).toEqual({ _tag: "Occupied" })
  })

  test("given a full stream, a message that is too large, a header with a line break, no stream: then each is told apart", async () => {
    const streams = await ready(broker, { signals: { maxBytes: 1_500_000 } })
    const publisher = publisherFor(streams, { timeoutMs: 1000 })
    expect(await publisher.publishSignal("x".repeat(1_200_000), { msgId: "large" })).toMatchObject({ _tag: "Refused", code: "TOO_LARGE" })
    expect(await publisher.publishSignal("x".repeat(3_000_000), { msgId: "larger" })).toMatchObject({ _tag: "Refused", code: "TOO_LARGE" })
    expect(await publisher.publishSignal("x", { msgId: "a\r\nb: c" })).toMatchObject({ _tag: "Refused", code: "BAD_HEADER" })
    expect(await publisher.publishSignal("x".repeat(1_000_000), { msgId: "first" })).toMatchObject({ _tag: "Published" })
    expect(await publisher.publishSignal("x".repeat(1_000_000), { msgId: "second" })).toMatchObject({
      _tag: "Refused",
      code: "STREAM_FULL",
    })
    await wipe(broker)
    expect(await publisher.publishSignal("x", { msgId: "k" })).toMatchObject({
      _tag: "BrokerAway",
      code: "BROKER_AWAY",
      mayHaveArrived: false,
    })
  })

  test("given more in flight than is allowed, then the rest is refused at once", async () => {
    const publisher = publisherFor(await ready(broker), { maxInFlight: 5 })
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => publisher.publishSignal("{}", { msgId: `${i}` })))
    expect(results.filter((r) => r._tag === "Published")).toHaveLength(5)
    expect(results.filter((r) => r._tag === "Refused" && r.code === "TOO_MANY_IN_FLIGHT")).toHaveLength(3)
  })
})

describe("news", () => {
  test("given any strategy's name, then its announcement arrives on one safe token, which reads back", async () => {
    const publisher = publisherFor(await ready(broker))
    const heard: [string, string][] = []
    const end = onAnnouncement(reader, (m) => heard.push([m.strategyId, text(m)]))
    await reader.flush(1000)
    const names = ["momentum", "Iceberg Order Detector", "a.b.*.>", "", "策略 🚀"]
    for (const name of names) expect(publisher.announce(name, `to ${name}`)).toBe(true)
    await until("all", () => heard.length === names.length)
    expect(heard).toEqual(names.map((n) => [n, `to ${n}`]))
    end()
  })

  test("given journals of two replicas, then both are heard with their names; one that is too large is dropped and counted", async () => {
    const publisher = publisherFor(await ready(broker))
    const heard: string[] = []
    const end = onJournal(reader, (m) => heard.push(`${m.replica}: ${text(m)}`))
    await reader.flush(1000)
    publisher.journal("one", 3, () => "[1]")
    publisher.journal("pod two.0", 3, () => "[2]")
    expect(publisher.journal("one", 3, () => "x".repeat(3_000_000))).toBe(false)
    expect(publisher.dropped).toBe(1)
    await until("both", () => heard.length === 2)
    expect(heard).toEqual(["one: [1]", "pod two.0: [2]"])
    end()
  })
})

describe("a journal that nobody hears", () => {
  test("given much of it, then it is not sent; when somebody listens, it is again, within a second or so", async () => {
    const publisher = publisherFor(await ready(broker))
    const batch = "x".repeat(100_000)
    const journal = (): boolean => publisher.journal("one", batch.length, () => batch)
    await until("it stays at home", () => !journal())
    let heard = 0
    const end = onJournal(reader, () => heard++)
    await reader.flush(1000)
    await until("all of it is heard", async () => {
      const before = heard
      const sent = journal() && journal()
      await broker.flush(1000)
      await reader.flush(1000)
      return sent && heard - before === 2
    })
    end()
  })
})

describe("is it still there", () => {
  test("given messages there, answered, never there, and of another time, then each is told; without the broker it is not known", async () => {
    const streams = await ready(broker)
    const p = probe(reader, streams)
    p.intake.start()
    for (let i = 0; i < 100; i++) broker.nc.publish("signals.trading", `${i}`)
    await until("all", () => p.messages.length === 100)
    for (const m of p.messages.slice(0, 50)) m.ack()
    await until("half are gone", async () => (await statusMessages()) === 50)
    const answers = await hasMessages(broker, "SIGNALS", p.messages)
    expect(answers).toEqual(p.messages.map((_, i) => ({ _tag: "Known", value: i >= 50 })))
    const last = p.messages[99] as (typeof p.messages)[number]
    expect(await hasMessage(broker, "SIGNALS", { sequence: last.sequence, streamTimeMs: last.streamTimeMs + 1 })).toEqual({
      _tag: "Known",
      value: false,
    })
    expect(await hasMessage(broker, "SIGNALS", { sequence: 1000, streamTimeMs: 1 })).toEqual({ _tag: "Known", value: false })
    expect(await hasMessage(broker, "NO_SUCH_STREAM", { sequence: 1, streamTimeMs: 1 })).toMatchObject({ _tag: "Unknown" })
    await p.intake.stop()
    const gone = await connected(nats.url)
    await gone.close()
    expect(await hasMessage(gone, "SIGNALS", last)).toEqual({ _tag: "Unknown", reason: "BROKER_AWAY" })
  })
})

const statusMessages = async (): Promise<number> => {
  const status = await queueStatus(broker, "SIGNALS", "petrosa-engine")
  return status._tag === "Known" ? status.value.messages : -1
}
