/** Who has a message after a crash, a stop, an outage: on a real server, with real processes. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { type Broker, ensureStreams, NatsIntake, NatsPublisher, type QueueKind, reclaim } from "../src/index.ts"
import { ackPending, connected, probe, ready, stored, testStreams, text, until, wipe } from "./support.ts"

const nats = await requireNats()
const open: Broker[] = []
const children: ChildProcess[] = []
const connect = async (name = "test"): Promise<Broker> => {
  const broker = await connected(nats.url, { name })
  open.push(broker)
  return broker
}

beforeEach(async () => {
  await wipe(await connect())
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
  for (const broker of open.splice(0)) await broker.close()
})

interface Holder {
  readonly child: ChildProcess
  /** All that it printed: how many it holds, and gaps. */
  readonly lines: string[]
}

/** Starts a process that holds, and waits until it holds `count`. */
const hold = async (count: number, ackWaitMs: number): Promise<Holder> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("./holder.ts", import.meta.url)), nats.url, String(ackWaitMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  children.push(child)
  const lines: string[] = []
  child.stdout.on("data", (chunk: Buffer) => lines.push(...String(chunk).trim().split("\n")))
  await until(`the child holds ${count}`, () => lines.some((line) => Number(line) >= count), 20_000)
  return { child, lines }
}

/** The same, and kills it. Answers when it is dead. */
const holdAndDie = async (count: number, ackWaitMs: number): Promise<void> => {
  const { child } = await hold(count, ackWaitMs)
  const dead = new Promise((resolve) => child.once("exit", resolve))
  child.kill("SIGKILL")
  await dead
}

describe("after a crash", () => {
  test("given a process that is killed with 300 messages, then another has them within ack_wait and a little", async () => {
    const broker = await connect()
    const streams = await ready(broker)
    for (let i = 0; i < 300; i++) broker.nc.publish("signals.trading", `${i}`)
    await holdAndDie(300, 1000)
    const start = Date.now()
    const p = probe(broker, streams)
    p.intake.start()
    await until("all are back", () => p.messages.length === 300)
    const tookMs = Date.now() - start
    console.log(`after kill -9, ack_wait 1000 ms: all 300 back after ${tookMs} ms`)
    expect(tookMs).toBeLessThan(1500)
    expect(new Set(p.messages.map((m) => m.sequence)).size).toBe(300)
    expect(p.messages.every((m) => m.deliveryCount === 2)).toBe(true)
    await p.intake.stop()
  })

  test("given a process that is killed with scattered messages answered, when the next is alone and reclaims, then it has the rest at once, and each once", async () => {
    const broker = await connect()
    const streams = await ready(broker, { signalsConsumer: { ackWaitMs: 30_000 } })
    // Two out of three are acknowledged, so that the range has holes.
    for (let i = 0; i < 900; i++) broker.nc.publish("signals.trading", `${i}`)
    const first = probe(broker, streams)
    first.intake.start()
    await until("900", () => first.messages.length === 900)
    first.messages.forEach((m, i) => {
      if (i % 3 !== 0) m.ack()
    })
    await first.intake.stop()
    await holdAndDie(300, 30_000)
    expect(await ackPending(broker, streams)).toBe(300)
    const start = Date.now()
    const result = await reclaim(broker, "SIGNALS", "petrosa-engine")
    expect(result).toMatchObject({ _tag: "Reclaimed", pending: 300, complete: true })
    const p = probe(broker, streams)
    p.intake.start()
    await until("all are back", () => p.messages.length >= 300)
    const tookMs = Date.now() - start
    console.log(`after kill -9, reclaimed: all 300 back after ${tookMs} ms (ack_wait 30 s)`)
    expect(tookMs).toBeLessThan(1000)
    expect(p.messages.map((m) => Number(text(m))).sort((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i * 3))
    for (const m of p.messages) m.ack()
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    await p.intake.stop()
  })

  test("given nothing delivered, then reclaiming names nothing", async () => {
    const broker = await connect()
    await ready(broker)
    broker.nc.publish("signals.trading", "x")
    expect(await reclaim(broker, "SIGNALS", "petrosa-engine")).toEqual({ _tag: "Reclaimed", pending: 0, named: 0, complete: true })
  })
})

describe("a process that sleeps", () => {
  test("given it is stopped longer than ack_wait, then another has its messages; woken, it says that it slept, and takes nothing back", async () => {
    const broker = await connect()
    const streams = await ready(broker)
    for (let i = 0; i < 100; i++) broker.nc.publish("signals.trading", `${i}`)
    const { child, lines } = await hold(100, 1000)
    child.kill("SIGSTOP")
    const p = probe(broker, streams)
    p.intake.start()
    const start = Date.now()
    await until("another has all", () => p.messages.length === 100)
    const tookMs = Date.now() - start
    console.log(`SIGSTOP, ack_wait 1000 ms: another has all 100 after ${tookMs} ms`)
    // One ack_wait, and one request of the sleeper that the server may still have filled.
    expect(tookMs).toBeLessThan(3500)
    child.kill("SIGCONT")
    await until("it says that it slept", () => lines.some((line) => line.startsWith("gap clock")))
    const sleptMs = Number(lines.find((line) => line.startsWith("gap clock"))?.split(" ")[2])
    expect(sleptMs).toBeGreaterThan(700)
    // Its heartbeats go on for what it believes to hold: that does not hinder the owner.
    for (const m of p.messages) m.ack()
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    expect(p.messages).toHaveLength(100)
    await p.intake.stop()
  })
})

describe("a graceful stop", () => {
  test("given 500 held and more coming in, when one stops, then another has every one of them at once", async () => {
    const one = await connect("one")
    const two = await connect("two")
    const streams = await ready(one, { signalsConsumer: { ackWaitMs: 30_000 } })
    const a = probe(one, streams, { capacity: () => 500 - a.intake.held })
    const b = probe(two, streams, { capacity: () => 10_000 })
    a.intake.start()
    for (let i = 0; i < 500; i++) two.nc.publish("signals.trading", `${i}`)
    await until("a holds 500", () => a.intake.held === 500)
    // The second one stops in the middle of a stream of messages, with room to take them, so that some are on their way.
    const busy = probe(one, streams)
    busy.intake.start()
    let published = 500
    const flood = setInterval(() => {
      for (let i = 0; i < 50 && published < 3000; i++) two.nc.publish("signals.trading", `${published++}`)
    }, 1)
    await until("the second holds 500", () => busy.intake.held >= 500)
    const stopped = await Promise.all([a.intake.stop(), busy.intake.stop()])
    expect(stopped.every((s) => s.confirmed)).toBe(true)
    expect(stopped[0].handedBack).toBe(500)
    expect(stopped[1].handedBack).toBeGreaterThanOrEqual(500)
    await until("all are published", () => published === 3000)
    clearInterval(flood)
    await two.flush(1000)
    const start = Date.now()
    b.intake.start()
    await until("b has all 3000", () => b.messages.length === 3000)
    const tookMs = Date.now() - start
    console.log(
      `graceful stop: another process has 3000 messages (${stopped[0].handedBack + stopped[1].handedBack} handed back) after ${tookMs} ms`,
    )
    // A third of ack_wait: nothing waited for it. (60 to 300 ms for 3000 where the machine is quiet.)
    expect(tookMs).toBeLessThan(10_000)
    expect(new Set(b.messages.map((m) => text(m))).size).toBe(3000)
    expect(a.intake.held).toBe(0)
    await b.intake.stop()
  })

  test("given another process that waits, when 200 are handed back, then it has them at once", async () => {
    const one = await connect("one")
    const two = await connect("two")
    const streams = await ready(one, { signalsConsumer: { ackWaitMs: 30_000 } })
    const a = probe(one, streams)
    a.intake.start()
    for (let i = 0; i < 200; i++) two.nc.publish("signals.trading", `${i}`)
    await until("a holds 200", () => a.intake.held === 200)
    const b = probe(two, streams)
    b.intake.start()
    await two.flush(1000)
    const start = Date.now()
    await a.intake.stop()
    await until("b holds 200", () => b.intake.held === 200, 2000)
    const tookMs = Date.now() - start
    console.log(`graceful stop: a waiting process has all 200 after ${tookMs} ms (ack_wait 30 s)`)
    // 10 to 40 ms where the machine is quiet.
    expect(tookMs).toBeLessThan(500)
    await b.intake.stop()
  })

  test("given both queues, when the whole intake stops, then nothing is held, in either", async () => {
    const broker = await connect()
    const options = testStreams()
    const streams = await ready(broker)
    const intake = new NatsIntake({ broker, streams, ensure: () => ensureStreams(broker, options) })
    const seen: [QueueKind, string][] = []
    intake.start({
      capacity: () => 100,
      take: (batch) => seen.push(...batch.map((m): [QueueKind, string] => [m.kind === "lot" ? "lots" : "signals", m.kind])),
    })
    await intake.publishLot("o1", 3)
    await intake.publishSignal("{}", { msgId: "k" })
    await intake.publishResume("o2", 4, "sweep", "a")
    await until("three", () => seen.length === 3)
    expect(intake.held).toBe(3)
    expect(await intake.stop()).toEqual({ handedBack: 3, confirmed: true })
    expect(intake.held).toBe(0)
    expect(await intake.status("lots")).toMatchObject({ _tag: "Known", value: { messages: 1, waiting: 0 } })
  })
})

describe("the broker goes away and comes back", () => {
  test("given 500 held, when it is killed and restarted, then they are renewed and not handed over again, acks of the outage arrive, publishing fails typed, and new messages come", async () => {
    const broker = await connect()
    const streams = await ready(broker)
    const p = probe(broker, streams)
    p.intake.start()
    for (let i = 0; i < 500; i++) broker.nc.publish("signals.trading", `${i}`)
    await until("500 are held", () => p.intake.held === 500)
    const publisher = new NatsPublisher({ broker, plan: streams.plan, signalStream: "SIGNALS", lotsStream: "LOTS", timeoutMs: 500 })
    await nats.kill()
    await until("the loss is noticed", () => !broker.connected)
    expect(await publisher.publishSignal("{}", { msgId: "k" })).toMatchObject({
      _tag: "BrokerAway",
      code: "BROKER_AWAY",
      mayHaveArrived: false,
    })
    expect(publisher.announce("s", "x")).toBe(false)
    // 100 are settled while the broker is away.
    for (const m of p.messages.slice(0, 100)) m.ack()
    expect(p.intake.held).toBe(400)
    await nats.restart()
    await until("the connection is back", () => broker.connected)
    await until("the 100 are out of the stream", async () => (await stored(broker, streams)) === 400)
    await until("a signal can be published", async () => (await publisher.publishSignal("{}", { msgId: "k" }))._tag === "Published")
    await until("the new one is handed over", () => p.messages.length === 501)
    expect(p.messages[500]?.kind).toBe("http")
    expect(p.events.some((e) => e.type === "gap" && e.cause === "reconnect" && e.forMs > 0)).toBe(true)
    // Whatever the server delivers again is matched: nothing is handed over twice.
    const renewed = p.events.filter((e) => e.type === "renewed").length
    console.log(`broker restart with 400 held: ${renewed} renewed, none handed over again`)
    for (const m of p.messages.slice(100)) m.ack()
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    expect(p.messages).toHaveLength(501)
    expect(p.intake.held).toBe(0)
    await p.intake.stop()
  })

  test("given a consumer that is deleted under us, then it is made again, and what is held is renewed", async () => {
    const broker = await connect()
    const streams = await ready(broker)
    const p = probe(broker, streams, {
      ensure: () => ensureStreams(broker, testStreams()),
      pull: { expiresMs: 300 },
    })
    p.intake.start()
    broker.nc.publish("signals.trading", "a")
    await until("a", () => p.messages.length === 1)
    const jsm = await broker.nc.jetstreamManager()
    await jsm.consumers.delete("SIGNALS", "petrosa-engine")
    await until("it was noticed", () => p.events.some((e) => e.type === "trouble"))
    broker.nc.publish("signals.trading", "b")
    await until("b", () => p.messages.length === 2)
    await until("a is renewed", () => p.events.some((e) => e.type === "renewed"))
    expect(p.events.some((e) => e.type === "recovered")).toBe(true)
    for (const m of p.messages) m.ack()
    await until("the stream is empty", async () => (await stored(broker, streams)) === 0)
    await p.intake.stop()
  })

  test("given a stream that is made anew under us, then the old handle of the same sequence is gone, and the new message is handed over", async () => {
    const broker = await connect()
    const streams = await ready(broker)
    const p = probe(broker, streams, { ensure: () => ensureStreams(broker, testStreams()), pull: { expiresMs: 300 } })
    p.intake.start()
    broker.nc.publish("signals.trading", "old")
    await until("old", () => p.messages.length === 1)
    const jsm = await broker.nc.jetstreamManager()
    await jsm.streams.delete("SIGNALS")
    await ready(broker)
    broker.nc.publish("signals.trading", "new")
    await until("new", () => p.messages.length === 2)
    expect(p.messages[1]?.sequence).toBe(1)
    expect(p.messages[0]?.handle.held).toBe(false)
    expect(p.events.some((e) => e.type === "replaced")).toBe(true)
    p.messages[0]?.ack()
    await broker.flush(1000)
    expect(await stored(broker, streams)).toBe(1)
    await p.intake.stop()
  })
})
