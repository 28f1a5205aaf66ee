/**
 * A run full of failures, of the real process: whatever it says (log, standard error, events, HTTP answers, the journal on
 * NATS, files) holds no key, no secret, no signature and no listen key.
 */
import { readFileSync, readdirSync } from "node:fs"
import { join } from "node:path"
import { EXAMPLE_KEY, EXAMPLE_SECRET } from "@petrosa/binance-sandbox"
import type { FaultRule } from "@petrosa/binance-sandbox"
import { afterEach, expect, it } from "vitest"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { serviceWorld } from "./serviceWorld.ts"
import type { ServiceWorld } from "./serviceWorld.ts"

let one: ServiceWorld
afterEach(() => one.close())

/** What a careless exchange (or a proxy in front of it) might echo. */
const ECHO = `no: X-MBX-APIKEY: ${EXAMPLE_KEY} signature=${"a1".repeat(32)} secret ${EXAMPLE_SECRET}`
/** A signature as HMAC makes it. Hashes of our own records are as long, so only where it is called one. */
const SIGNATURE = /signature["']?\s*[=:]\s*["']?[0-9a-f]{16,}/i
const LISTEN_KEY = /listenKey["']?\s*[=:]\s*["']?(?!\*)[A-Za-z0-9]{16,}/i

/** What a request to the exchange ends in, one way or the other. */
const STRUCK: ReadonlySet<string> = new Set(["EntryAccepted", "EntryRefused", "EntryUnknown", "EntryFilled", "OrderFailed"])

it(
  "given an exchange that fails in every way and echoes what it was sent, then nothing that leaves the process holds a secret",
  async () => {
    one = await serviceWorld()
    const { world, sandbox } = one
    const answers: string[] = []
    const published: string[] = []
    for (const subject of ["petrosa.journal.>", "execution.events.>"])
      world.nc.subscribe(subject, { callback: (_error, message) => published.push(new TextDecoder().decode(message.data)) })
    const waiting: Promise<void>[] = []
    /** Hands a signal in, and resolves when its request has struck on the exchange. */
    const trade = async (market: string): Promise<void> => {
      const body = signal({ market })
      waiting.push(world.trade(body).then((reply) => void answers.push(`${reply.text} ${JSON.stringify([...reply.headers])}`)))
      await until(async () => (await world.types(body.signal_id)).some((type) => STRUCK.has(type)), {
        what: `${body.signal_id} to have met the exchange`,
        seen: () => world.types(body.signal_id),
      })
    }
    const listenKeys = new Set<string>()
    /** The exchange gives the same key again while it lives. */
    const noteListenKey = (): void => void listenKeys.add(sandbox.world.futures.listenKeys.create("main"))
    const engine = await world.start({ LOG_LEVEL: "trace" })

    const rules: readonly FaultRule[] = [
      { kind: "refuse", code: -1022, msg: ECHO, match: { op: "order.place" } },
      { kind: "refuse", code: -2015, msg: ECHO, status: 401 },
      { kind: "http", status: 502, body: ECHO, executed: false },
      { kind: "http", status: 200, body: `{"code":-9999,"msg":"${ECHO}"}`, executed: false },
      { kind: "http", status: 200, body: `<html>${ECHO}</html>`, executed: true, match: { op: "order.place" }, count: 1 },
      { kind: "timeout", executed: true, match: { op: "order.place" }, count: 1 },
      { kind: "loseReply", match: { op: "order.place" }, count: 2 },
    ]
    for (const rule of rules) {
      sandbox.clearFaults()
      sandbox.addFaults(rule)
      await Promise.all([trade("futures"), trade("spot")])
      for (const path of ["/account?market=spot", "/account?market=futures", "/price/BTCUSDT?market=spot", "/readyz"])
        answers.push((await world.get(path)).text)
    }
    sandbox.clearFaults()
    sandbox.addFaults({ kind: "refuse", code: -2010, msg: ECHO, match: { op: "algo.place" }, count: 1 })
    await trade("futures")
    noteListenKey()
    sandbox.disturb("futures", "expireListenKey")
    sandbox.disturb("spot", "cut")
    await until(() => engine.complaints.some((line) => JSON.stringify(line).includes("STREAM_LOST")), {
      what: "a word on the streams",
      seen: () => engine.tail(),
    })
    await trade("futures")
    await until(() => sandbox.connections("futures") > 0, { what: "a new stream" })
    noteListenKey()
    await Promise.all(waiting)
    const orders = await world.get("/orders?limit=200")
    answers.push(orders.text)
    for (const { order } of orders.json.orders as readonly { readonly order: string }[])
      for (const path of [`/orders/${order}`, `/orders/${order}/events`, `/inspector/data/orders/${order}`])
        answers.push((await world.get(path)).text)
    for (const path of ["/metrics", "/openapi.json", "/healthz", "/inspector/data/about"]) answers.push((await world.get(path)).text)
    expect(await engine.stop()).toMatchObject({ code: 0 })
    const files = readdirSync(world.dir).map((name) => readFileSync(join(world.dir, name), "latin1"))

    // The run was full of failures, and all that is looked at is there.
    expect(new Set(engine.complaints.map((line) => line["code"])).size).toBeGreaterThan(2)
    expect(published.length).toBeGreaterThan(5)
    expect(listenKeys.size).toBe(2)
    const said = { log: engine.tail(1_000_000), answers: answers.join("\n"), published: published.join("\n"), files: files.join("\n") }
    expect(said.files).toContain("EntryIntended")
    expect(said.answers).toContain("-2015")
    for (const [where, text] of Object.entries(said)) {
      // What the exchange echoed is told, without what is secret in it.
      expect([where, text.includes("no: X-MBX-APIKEY: *** signature=***")]).toEqual([where, true])
      for (const secret of [EXAMPLE_KEY, EXAMPLE_SECRET, "a1".repeat(32)]) expect([where, text.includes(secret)]).toEqual([where, false])
      expect([where, SIGNATURE.exec(text)?.[0]]).toEqual([where, undefined])
      expect([where, LISTEN_KEY.exec(text)?.[0]]).toEqual([where, undefined])
      for (const key of listenKeys) expect([where, text.includes(key)]).toEqual([where, false])
    }
  },
  120_000 * TIME_FACTOR,
)
