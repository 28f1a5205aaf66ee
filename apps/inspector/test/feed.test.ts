/** The live feed over real HTTP, with a journal that the test writes: what a page gets, and what a stalled page costs. */
import { createServer, type Server } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import type { EventRecord } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { createInspector, type Inspector } from "../src/index.ts"

const DEADLINE_MS = 20_000

class Journal {
  readonly listeners = new Set<(records: readonly EventRecord[]) => void>()
  #n = 0

  /** So many orders, each with its first event; `pad`: characters of ballast. */
  write(count: number, pad = 0): void {
    const records = Array.from({ length: count }, () => {
      this.#n += 1
      return {
        order: String(this.#n).padStart(20, "0"),
        version: 1,
        type: "SignalReceived",
        state: "received",
        at: new Date().toISOString(),
        symbol: "BTCUSDT",
        strategy_id: "s".repeat(pad),
        replica: "here",
        reason: null,
        done: false,
        data: {},
        commands: [],
      } as unknown as EventRecord
    })
    for (const listener of this.listeners) listener(records)
  }
}

let journal: Journal
let inspector: Inspector
let server: Server
let others: ((replica: string, batch: Uint8Array) => void)[]
let port: number
/** Another replica, as the exchange between replicas sees it. */
let tell: ((replica: string, answer: unknown) => void) | undefined
let asked = 0
let answer: (() => unknown) | undefined

beforeEach(async () => {
  journal = new Journal()
  others = []
  const engine = {
    store: {
      kind: "sqlite",
      listOrders: () => Promise.resolve({ orders: [] }),
      openOrders: () => Promise.resolve([{ order: "old", state: "filled", done: false, reason: null, version: 9 }]),
      readStreams: () => Promise.resolve(new Map()),
    },
    health: () => ({ replica: "here", version: "0", ready: true, uptimeMs: 1 }),
    onJournal: (listener: (records: readonly EventRecord[]) => void) => {
      journal.listeners.add(listener)
      return () => journal.listeners.delete(listener)
    },
  } as unknown as EngineFace
  inspector = createInspector({
    engine,
    mode: "simulation",
    held: () => [{ order: "filled", entry: "over", protection: "covered" }],
    journals: (listener) => {
      others.push(listener)
      return () => others.splice(others.indexOf(listener), 1)
    },
    replicas: {
      answer: (make) => {
        answer = make
        return () => {
          answer = undefined
        }
      },
      ask: (onAnswer) => {
        tell = onAnswer
        return {
          again: () => {
            asked += 1
          },
          stop: () => {
            tell = undefined
          },
        }
      },
    },
    log: { warn: () => undefined, error: () => undefined },
  })
  server = createServer((request, response) => void inspector.handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  inspector.close()
  server.closeAllConnections()
  server.close()
})

interface Reader {
  readonly frames: { readonly event: string; readonly data: Readonly<Record<string, unknown>> }[]
  stop(): void
}
const open = async (): Promise<Reader> => {
  const stopping = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/inspector/feed`, { signal: stopping.signal })
  const frames: Reader["frames"] = []
  void (async () => {
    let rest = ""
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      const pieces = (rest + new TextDecoder().decode(part)).split("\n\n")
      rest = pieces.pop() ?? ""
      for (const piece of pieces) {
        const [, event = "", data = "{}"] = /^event: (\w+)\ndata: (.*)$/s.exec(piece) ?? []
        frames.push({ event, data: JSON.parse(data) as Record<string, unknown> })
      }
    }
  })().catch(() => undefined)
  return { frames, stop: () => stopping.abort() }
}
const until = async (what: string, done: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + DEADLINE_MS; !done(); ) {
    if (Date.now() > deadline) throw new Error(`in vain waited for: ${what}`)
    await sleep(20)
  }
}
const of = (reader: Reader, event: string) => reader.frames.filter((frame) => frame.event === event).map(({ data }) => data)

describe("the feed", () => {
  it("given a page that looks, when events become durable, then it gets them with their arrows, and counts", async () => {
    const page = await open()
    await until("the first counts", () =>
      of(page, "counts").some((data) => (data["atWork"] as Record<string, object>)["order"] !== undefined),
    )
    journal.write(2)
    await until("a batch", () => of(page, "batch").length > 0)
    const [batch] = of(page, "batch")
    expect(batch?.["transitions"]).toMatchObject([{ type: "SignalReceived", to: "received" }, { to: "received" }])
    expect(batch?.["rows"]).toHaveLength(2)
    await until("counts with them", () =>
      of(page, "counts").some(
        ({ atWork }) =>
          JSON.stringify(atWork) === JSON.stringify({ order: { filled: 1, received: 2 }, entry: { over: 1 }, protection: { covered: 1 } }),
      ),
    )
    page.stop()
  })

  it("given nobody looks, then nobody listens to the journal, and a page that left is forgotten", async () => {
    expect(journal.listeners.size).toBe(0)
    const page = await open()
    await until("listening", () => journal.listeners.size === 1 && others.length === 1)
    page.stop()
    await until("rest", () => journal.listeners.size === 0 && others.length === 0 && inspector.feeds === 0)
  })

  it("given another replica's journal, then its orders are shown as well, and what is no journal is passed over", async () => {
    const page = await open()
    await until("listening", () => others.length === 1)
    const tell = others[0] as (replica: string, batch: Uint8Array) => void
    tell("there", new TextEncoder().encode("no json"))
    tell(
      "there",
      new TextEncoder().encode(
        JSON.stringify([{ order: "x".repeat(20), version: 3, type: "EntryFilled", state: "placed", replica: "there", done: false }]),
      ),
    )
    tell("here", new TextEncoder().encode(JSON.stringify([{ order: "own", version: 1 }])))
    await until("its order", () => of(page, "batch").length > 0)
    expect(of(page, "batch").flatMap(({ transitions }) => transitions as readonly { readonly order: string }[])).toMatchObject([
      { order: "x".repeat(20), to: "placed" },
    ])
    page.stop()
  })

  it("given other replicas, when a page looks, then what they hold is added to what this one holds, and nobody is asked otherwise", async () => {
    expect(answer?.()).toEqual({ entry: { over: 1 }, protection: { covered: 1 } })
    expect(tell).toBeUndefined()
    const page = await open()
    await until("asking", () => tell !== undefined)
    tell?.("there", { entry: { working: 3, over: 1, invented: 5 }, protection: { covered: -1, none: 4 }, order: { placed: 9 } })
    tell?.("here", { entry: { working: 100 } })
    tell?.("nonsense", "no object")
    await until("their counts", () => of(page, "counts").some(({ replicas }) => JSON.stringify(replicas) === '["here","there"]'))
    const { atWork } = of(page, "counts").at(-1) as { readonly atWork: Readonly<Record<string, unknown>> }
    expect(atWork).toMatchObject({ entry: { over: 2, working: 3 }, protection: { covered: 1, none: 4 } })
    const before = asked
    await until("being asked each second", () => asked > before + 1)
    page.stop()
    await until("rest", () => tell === undefined)
  })

  it("given more events than can be shown, then the others are only counted", async () => {
    const page = await open()
    await until("listening", () => journal.listeners.size === 1)
    journal.write(1000)
    await until("a batch", () => of(page, "batch").length > 0)
    const [batch] = of(page, "batch")
    expect(batch?.["transitions"]).toHaveLength(60)
    expect(batch?.["more"]).toBe(940)
    expect(batch?.["rows"]).toHaveLength(100)
    page.stop()
  })

  it("given a page that reads nothing, then what is sent to it is bounded, the other page misses nothing, and afterwards it is told to reload", {
    timeout: 60_000,
  }, async () => {
    const stalled = connect(port, "127.0.0.1")
    stalled.pause()
    stalled.write("GET /inspector/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    const page = await open()
    await until("two pages", () => inspector.feeds === 2)
    const rounds = 60
    for (let n = 0; n < rounds; n++) {
      const before = of(page, "batch").length
      journal.write(200, 6000)
      await until("the batch at the other page", () => of(page, "batch").length > before)
    }
    // About 0.9 MB a round: the stalled one holds what its socket takes, not 50 MB.
    let heard = ""
    let bytes = 0
    stalled.on("data", (part: Buffer) => {
      bytes += part.length
      heard = (heard + part.toString()).slice(-200_000)
    })
    stalled.resume()
    await until("reload", () => heard.includes("event: reload"))
    expect(bytes).toBeLessThan(30_000_000)
    expect(of(page, "batch").length).toBeGreaterThanOrEqual(rounds)
    expect(of(page, "reload")).toHaveLength(0)
    stalled.destroy()
    page.stop()
  })
})
