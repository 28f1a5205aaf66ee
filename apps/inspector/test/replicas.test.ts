/** Several replicas on one store and one NATS are shown as one, whichever of them serves the page. */
import { setTimeout as sleep } from "node:timers/promises"
import { connect } from "nats"
import { describe, expect, it } from "vitest"
import { requireNats, freshDatabase, requireMongo } from "../../../tools/servers/testing.ts"
import { type Service, signal, startService } from "./support/service.ts"

const mongo = await requireMongo()
const nats = await requireNats()
const DEADLINE_MS = 30_000
const BURST = 20

interface Frame {
  readonly event: string
  readonly data: { readonly atWork?: Readonly<Record<string, Readonly<Record<string, number>>>>; readonly replicas?: readonly string[] }
}

/** What a page's feed says, until `done`. */
const watch = async (url: string, done: (frame: Frame) => boolean): Promise<Frame> => {
  const stop = AbortSignal.timeout(DEADLINE_MS)
  let rest = ""
  let last: Frame | undefined
  try {
    const response = await fetch(`${url}/inspector/feed`, { signal: stop })
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      const pieces = (rest + new TextDecoder().decode(part)).split("\n\n")
      rest = pieces.pop() ?? ""
      for (const piece of pieces) {
        const [, event = "", data = "{}"] = /^event: (\w+)\ndata: (.*)$/s.exec(piece) ?? []
        const frame: Frame = { event, data: JSON.parse(data) as Frame["data"] }
        if (done(frame)) return frame
        if (event === "counts") last = frame
      }
    }
  } catch (error) {
    throw new Error(`${String(error)}; last seen: ${JSON.stringify(last?.data)}`, { cause: error })
  }
  throw new Error("the feed ended")
}

describe.skipIf(mongo === undefined)("several replicas", { timeout: 120_000 }, () => {
  it("given orders held by two of them, then each one's page counts them all, in every region, and names both", async () => {
    const database = freshDatabase("petrosa_replicas")
    // A busy machine's store may take its time: an entry that misses its deadline would be settled, and held by nobody.
    const slow = { SEND_DEADLINE_MS: "30000", ACK_WAIT_MS: "15000" }
    const env = { ...slow, NATS_URL: nats.url, AUDIT_STORE: "mongodb", MONGODB_URL: mongo?.url ?? "", MONGODB_DATABASE: database }
    const services = [await startService({ ...env, REPLICA_ID: "one" }), await startService({ ...env, REPLICA_ID: "two" })]
    const nc = await connect({ servers: nats.url })
    try {
      const [one, two] = services
      // Whoever pulls a signal holds its order: bursts, until each has some.
      const taken = async (service: Service | undefined): Promise<number> => {
        const text = await (await fetch(`${service?.url}/metrics`)).text()
        return Number(/^petrosa_signals_total\{[^}]*outcome="taken"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0)
      }
      let orders = 0
      for (let held = [0, 0]; held.includes(0); ) {
        if (orders >= 5 * BURST) throw new Error(`all ${orders} orders went to one replica: ${held.join()}`)
        for (let n = 0; n < BURST; n++, orders++)
          nc.publish(
            "signals.trading",
            JSON.stringify(signal({ strategy_id: `s${orders}`, order_type: "limit", price: 49000, current_price: 50000 })),
          )
        for (const deadline = Date.now() + DEADLINE_MS; (held[0] ?? 0) + (held[1] ?? 0) < orders; await sleep(100)) {
          if (Date.now() > deadline) throw new Error(`of ${orders} signals ${held.join(" and ")} were taken`)
          held = [await taken(one), await taken(two)]
        }
      }
      for (const service of [one, two]) {
        const seen = await watch(
          service?.url ?? "",
          ({ event, data }) =>
            event === "counts" &&
            data.atWork?.["order"]?.["placed"] === orders &&
            data.atWork["entry"]?.["working"] === orders &&
            data.replicas?.length === 2,
        )
        expect(seen.data.replicas).toEqual(["one", "two"])
        expect(seen.data.atWork).toMatchObject({ order: { placed: orders }, protection: { none: orders } })
      }
    } finally {
      await nc.close()
      for (const service of services) await service.stop()
    }
  })
})
