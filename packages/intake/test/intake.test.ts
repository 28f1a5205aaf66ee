import { afterAll, beforeEach, describe, expect, test } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { NatsPublisher } from "../src/index.ts"
import { ackPending, connected, probe, ready, stored, text, until, wipe } from "./support.ts"

const nats = await requireNats()
const broker = await connected(nats.url)
const other = await connected(nats.url, { name: "other" })

beforeEach(() => wipe(broker))
afterAll(async () => {
  await broker.close()
  await other.close()
})

describe("what comes in", () => {
  test("given plain publishers, when they publish to the subject, one and two tokens below it, then each is taken and its kind known", async () => {
    const streams = await ready(broker)
    const p = probe(broker, streams)
    p.intake.start()
    other.nc.publish("signals.trading", "bare")
    other.nc.publish("signals.trading.momentum", "one")
    other.nc.publish("signals.trading.desk.momentum", "two")
    await until("three messages", () => p.messages.length === 3)
    expect(p.messages.map((m) => [m.kind, m.subject, text(m), m.order])).toEqual([
      ["signal", "signals.trading", "bare", undefined],
      ["signal", "signals.trading.momentum", "one", undefined],
      ["signal", "signals.trading.desk.momentum", "two", undefined],
    ])
    expect(p.messages.map((m) => m.sequence)).toEqual([1, 2, 3])
    expect(Math.abs((p.messages[0]?.streamTimeMs ?? 0) - Date.now())).toBeLessThan(5000)
    for (const m of p.messages) m.ack()
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    await p.intake.stop()
  })

  test("given http, resume and lot messages, then each has its kind, its id and its order", async () => {
    const streams = await ready(broker)
    const p = probe(broker, streams)
    const lots = probe(broker, streams, { queue: streams.lots })
    p.intake.start()
    lots.intake.start()
    const publisher = new NatsPublisher({ broker: other, plan: streams.plan, signalStream: "SIGNALS", lotsStream: "LOTS" })
    const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await publisher.publishSignal("{}", { msgId: "key 1", headers: { traceparent: trace, "X-Body": "curl" } })
    await publisher.publishResume("abc", 7, "cancel", "user")
    await publisher.publishLot("abc", 9)
    await until("both", () => p.messages.length === 2 && lots.messages.length === 1)
    const [http, resume] = p.messages
    expect([http?.kind, http?.messageId, http?.traceparent, http?.header("x-body"), http?.header("absent")]).toEqual([
      "http",
      "key 1",
      trace,
      "curl",
      undefined,
    ])
    expect([resume?.kind, resume?.order, resume?.messageId, text(resume as never)]).toEqual([
      "resume",
      "abc",
      "abc:7:cancel",
      '{"request":"cancel","by":"user"}',
    ])
    expect([lots.messages[0]?.kind, lots.messages[0]?.order]).toEqual(["lot", "abc"])
    await p.intake.stop()
    await lots.intake.stop()
  })

  test("given no room, when 5,000 are published, then nothing is asked for until there is room, and never more than it", async () => {
    const streams = await ready(broker)
    let room = 0
    let most = 0
    const p = probe(broker, streams, { capacity: () => room - p.intake.held })
    p.intake.start()
    for (let i = 0; i < 5000; i++) other.nc.publish("signals.trading", `${i}`)
    await other.flush(5000)
    expect(p.messages).toHaveLength(0)
    room = 250
    p.intake.wake()
    await until("250 are held", () => p.intake.held === 250)
    // Answering makes room; what is held never exceeds it.
    let answered = 0
    await until("all answered", async () => {
      for (const m of p.messages.splice(0)) {
        most = Math.max(most, p.intake.held)
        m.ack()
        answered++
      }
      return answered === 5000
    })
    expect(most).toBeLessThanOrEqual(250)
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    await p.intake.stop()
  })

  test("given max_ack_pending 50, then no more than 50 are out, whatever room there is", async () => {
    const streams = await ready(broker, { signalsConsumer: { ackWaitMs: 1000, maxAckPending: 50 } })
    const p = probe(broker, streams)
    p.intake.start()
    for (let i = 0; i < 500; i++) other.nc.publish("signals.trading", `${i}`)
    await until("50 are held", () => p.intake.held === 50)
    expect(await ackPending(broker, streams)).toBe(50)
    await until("all 500", () => {
      expect(p.intake.held).toBeLessThanOrEqual(50)
      for (const m of p.messages) m.ack()
      return p.messages.length === 500
    })
    await p.intake.stop()
  })

  test("given a held message, when twice ack_wait passes, then it is not delivered again; when it is released, then it is", async () => {
    const streams = await ready(broker, { signalsConsumer: { ackWaitMs: 1000 } })
    const p = probe(broker, streams)
    p.intake.start()
    for (let i = 0; i < 200; i++) other.nc.publish("signals.trading", `${i}`)
    await until("200", () => p.messages.length === 200)
    const since = Date.now()
    await until("2 s have passed", () => Date.now() - since > 2000)
    expect(p.messages).toHaveLength(200)
    expect(p.events.filter((e) => e.type !== "gap")).toEqual([])
    p.messages[7]?.release()
    await until("the released one comes back", () => p.messages.length === 201)
    expect(p.messages[200]?.sequence).toBe(8)
    expect(p.messages[200]?.deliveryCount).toBe(2)
    await p.intake.stop()
  })

  test("given a nak, a delayed nak and a term, then it comes at once, later, and never", async () => {
    const streams = await ready(broker)
    const p = probe(broker, streams)
    p.intake.start()
    for (const body of ["now", "later", "never"]) other.nc.publish("signals.trading", body)
    await until("three", () => p.messages.length === 3)
    const start = Date.now()
    const [now, later, never] = p.messages
    now?.nak()
    later?.nak(300)
    never?.term()
    await until("the first is back", () => p.messages.length === 4)
    expect(Date.now() - start).toBeLessThan(250)
    await until("the second is back", () => p.messages.length === 5)
    expect(Date.now() - start).toBeGreaterThan(250)
    expect(p.messages.slice(3).map(text)).toEqual(["now", "later"])
    expect(await stored(broker, streams)).toBe(2)
    expect(now?.handle.held).toBe(false)
    await p.intake.stop()
  })

  test("given a handler that throws, then its batch comes back, the event says so, and the intake goes on", async () => {
    const streams = await ready(broker)
    let broken = true
    const taken: string[] = []
    const p = probe(broker, streams, {
      handler: (batch) => {
        if (broken) throw new Error("defect")
        taken.push(...batch.map(text))
      },
    })
    p.intake.start()
    other.nc.publish("signals.trading", "a")
    await until("it failed", () => p.events.some((e) => e.type === "handlerFailed"))
    expect(p.intake.held).toBe(0)
    broken = false
    await until("it is back", () => taken.length === 1)
    await p.intake.stop()
  })

  test("given a pause, then nothing comes; given resume, then it comes", async () => {
    const streams = await ready(broker)
    const p = probe(broker, streams)
    p.intake.start()
    other.nc.publish("signals.trading", "a")
    await until("a", () => p.messages.length === 1)
    await p.intake.pause()
    other.nc.publish("signals.trading", "b")
    await other.flush(1000)
    await broker.flush(1000)
    expect(await ackPending(broker, streams)).toBe(1)
    expect(p.messages).toHaveLength(1)
    p.intake.resume()
    await until("b", () => p.messages.length === 2)
    await p.intake.stop()
  })

  test("given 20,000 messages, then all are taken and acknowledged once, at more than 2,000/s", async () => {
    const streams = await ready(broker)
    const body = JSON.stringify({ strategy_id: "s", symbol: "BTCUSDT", action: "buy", pad: "x".repeat(230) })
    for (let i = 0; i < 20_000; i++) other.nc.publish("signals.trading", body)
    await until("all are stored", async () => (await stored(broker, streams)) === 20_000)
    const seen = new Set<number>()
    let largest = 0
    const p = probe(broker, streams, {
      handler: (batch) => {
        largest = Math.max(largest, batch.length)
        for (const m of batch) {
          seen.add(m.sequence)
          m.ack()
        }
      },
    })
    const start = performance.now()
    p.intake.start()
    await until("all", () => seen.size === 20_000, 20_000)
    const perSecond = Math.round(20_000 / ((performance.now() - start) / 1000))
    console.log(`intake: ${perSecond} messages/s, batches up to ${largest}`)
    expect(perSecond).toBeGreaterThan(2000)
    expect(largest).toBeLessThanOrEqual(500)
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    await p.intake.stop()
  })
})
