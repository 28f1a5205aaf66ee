/** xstate's inspection protocol, heard with the package's own receiver, on the real service; and who may not attach. */
import { createServer, request as httpRequest } from "node:http"
import { type AddressInfo, connect } from "node:net"
import type { EventRecord } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"
import { SqliteEventStore } from "@petrosa/event-store"
import { orderMachine, REGIONS } from "@petrosa/lifecycle"
import { createWebSocketReceiver, type StatelyInspectionEvent } from "@statelyai/inspect"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { WebSocket } from "ws"
import { createInspector } from "../src/index.ts"
import { findChromium, launchChromium } from "./support/browser.ts"
import { type Service, startService } from "./support/service.ts"

const DEADLINE_MS = 20_000
const until = async (what: string, done: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + DEADLINE_MS; !done(); await new Promise((resolve) => setTimeout(resolve, 10)))
    if (Date.now() > deadline) throw new Error(`in vain waited for: ${what}`)
}

/** The status that an attempt to attach is answered with: 101 is a success. */
const attempt = (url: string, headers: Readonly<Record<string, string>>): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = httpRequest(`${url}/inspector/stately`, {
      agent: false,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        ...headers,
      },
    })
    asked.on("response", (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    asked.on("upgrade", (response, socket) => {
      socket.destroy()
      resolve(response.statusCode ?? 0)
    })
    asked.on("error", reject)
    asked.end()
  })

describe("the protocol", { timeout: 120_000 }, () => {
  let service: Service
  let browser: Browser | undefined
  beforeAll(async () => {
    service = await startService({ INSPECTOR_STATELY: "true" })
  }, 120_000)
  afterAll(async () => {
    await browser?.close()
    await service.stop()
  })

  const attach = () => {
    const heard: StatelyInspectionEvent[] = []
    const receiver = createWebSocketReceiver({ server: `${service.url.replace("http", "ws")}/inspector/stately` })
    receiver.subscribe((event) => heard.push(event))
    return heard
  }
  const of = <K extends StatelyInspectionEvent["type"]>(heard: readonly StatelyInspectionEvent[], type: K, order: string) =>
    heard.filter((event): event is Extract<StatelyInspectionEvent, { type: K }> => event.type === type && event.sessionId === order)
  const value = (snapshot: unknown): unknown => (snapshot as { readonly value: unknown }).value

  it("given the package's own receiver, then it hears of the orders that live, and of each step as it becomes durable", async () => {
    const resting = await service.trade({ strategy_id: "rests", order_type: "limit", price: 49000, current_price: 50000 })
    const declined = await service.trade({ strategy_id: "declined", confidence: 0.1 })
    const heard = attach()
    await until("the order that rests", () => of(heard, "@xstate.actor", resting).length > 0)
    const [actor] = of(heard, "@xstate.actor", resting)
    expect(actor).toMatchObject({ _version: "0.7.2", rootId: resting, id: null, snapshot: { status: "active" } })
    expect(actor?.name).toContain("rests buy BTCUSDT")
    expect(value(actor?.snapshot)).toEqual({ order: "placed", entry: "working", protection: "none" })
    expect(of(heard, "@xstate.actor", declined)).toEqual([])

    const filled = await service.trade({ strategy_id: "fills" })
    await until("its steps", () => of(heard, "@xstate.snapshot", filled).some(({ event }) => event.type === "OrderCompleted"))
    const own = heard.filter(({ sessionId }) => sessionId === filled)
    expect(own[0]?.type).toBe("@xstate.actor")
    expect(own.slice(1).map(({ type }) => type)).toEqual(own.slice(1).map((_, n) => (n % 2 === 0 ? "@xstate.event" : "@xstate.snapshot")))
    const events = of(heard, "@xstate.event", filled)
    expect(events.map(({ event }) => event.type).slice(0, 4)).toEqual(["SignalReceived", "SignalValidated", "OrderSized", "EntryIntended"])
    expect(value(of(heard, "@xstate.snapshot", filled).at(-1)?.snapshot)).toEqual({ order: "filled", entry: "over", protection: "covered" })
    // The signal's raw bytes and the venue's replies stay here.
    expect(JSON.stringify(own)).not.toMatch(/"raw":|"reply":/)
  })

  it("given an actor's definition, then its states and arrows are the machine's", async () => {
    const order = await service.trade({ strategy_id: "defines" })
    const heard = attach()
    await until("the order", () => of(heard, "@xstate.actor", order).length > 0)
    const told = JSON.parse(of(heard, "@xstate.actor", order)[0]?.definition ?? "{}") as typeof orderMachine.config
    expect(told.type).toBe("parallel")
    for (const region of REGIONS) {
      const states = (told.states?.[region]?.states ?? {}) as Readonly<Record<string, { readonly on?: object }>>
      const real = orderMachine.config.states?.[region]?.states as Readonly<Record<string, { readonly on?: object }>>
      expect(Object.keys(states)).toEqual(Object.keys(real))
      for (const [name, { on }] of Object.entries(real)) expect(Object.keys(states[name]?.on ?? {}), name).toEqual(Object.keys(on ?? {}))
    }
  })

  it("given a page of another origin, another name, or a proxy, then it may not attach", async () => {
    const { host } = new URL(service.url)
    expect(await attempt(service.url, {})).toBe(101)
    expect(await attempt(service.url, { origin: service.url })).toBe(101)
    expect(await attempt(service.url, { host: `localhost:${new URL(service.url).port}` })).toBe(101)
    expect(await attempt(service.url, { origin: "https://stately.ai" })).toBe(403)
    expect(await attempt(service.url, { origin: "http://localhost:3000" })).toBe(403)
    expect(await attempt(service.url, { origin: "null" })).toBe(403)
    expect(await attempt(service.url, { host: "evil.example" })).toBe(421)
    expect(await attempt(service.url, { host: "127.0.0.1.evil.example", origin: "http://127.0.0.1.evil.example" })).toBe(421)
    expect(await attempt(service.url, { "x-forwarded-for": "10.0.0.1" })).toBe(403)
    expect(await attempt(service.url, { host, forwarded: "for=10.0.0.1" })).toBe(403)
  })

  it("given more than four clients, then the fifth is told so, and one that left makes room", async () => {
    const open = async (): Promise<WebSocket> => {
      const socket = new WebSocket(`${service.url.replace("http", "ws")}/inspector/stately`)
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject))
      return socket
    }
    const before = await attempt(service.url, {})
    const sockets: WebSocket[] = []
    // Receivers of the tests before are attached still: they have no end.
    while ((await attempt(service.url, {})) === 101) sockets.push(await open())
    expect(before).toBe(101)
    expect(sockets.length).toBeLessThanOrEqual(4)
    expect(await attempt(service.url, {})).toBe(503)
    sockets[0]?.close()
    for (const deadline = Date.now() + DEADLINE_MS; (await attempt(service.url, {})) !== 101; )
      if (Date.now() > deadline) throw new Error("no room was made")
    for (const socket of sockets) socket.terminate()
  })

  it.skipIf(findChromium() === undefined)(
    "given the page, then nothing is loaded from elsewhere before it is asked for, and then it hands on what it hears",
    async () => {
      browser = await launchChromium(findChromium() ?? "")
      const page = await browser.newPage()
      const outside: string[] = []
      page.on("request", (request) => {
        if (!request.url().startsWith(service.url)) outside.push(request.url())
      })
      // Stands for stately.ai: says that it is there, as its page does, and shows what it is handed.
      await page.route("https://stately.ai/**", (route) =>
        route.fulfill({
          contentType: "text/html",
          body: `<body><script>
          addEventListener("message", ({ data }) => document.body.append(data.type + " " + (data.name ?? "")))
          parent.postMessage({ type: "@statelyai.connected" }, "*")
        </script></body>`,
        }),
      )
      await page.goto(`${service.url}/inspector/stately`)
      await page.locator("#address", { hasText: "ws://127.0.0.1" }).waitFor()
      expect(outside).toEqual([])
      await page.locator("#open").click()
      await page.frameLocator("iframe").locator("body", { hasText: "@xstate.actor rests buy BTCUSDT" }).waitFor()
      await page.locator("#status", { hasText: "attached" }).waitFor()
    },
  )
})

describe("where it is not asked for", { timeout: 60_000 }, () => {
  it("given the default, or a listener that is not loopback, then it is not there, and the log says why", async () => {
    const service = await startService()
    try {
      expect(await attempt(service.url, {})).toBe(404)
      expect((await fetch(`${service.url}/inspector/stately`)).status).toBe(404)
    } finally {
      await service.stop()
    }
    const open = await startService({ INSPECTOR_STATELY: "true", HTTP_HOST: "0.0.0.0" })
    try {
      expect(await attempt(open.url, {})).toBe(404)
    } finally {
      await open.stop()
    }
  })
})

describe("a client that does not read", { timeout: 60_000 }, () => {
  it("given more than is kept for it, then it is dropped, and the other hears on", async () => {
    const service = await startService()
    let first: EventRecord | undefined
    try {
      const order = await service.trade({ confidence: 0.1 })
      const store = SqliteEventStore.open({ file: service.env["SQLITE_FILE"] ?? "", readOnly: true })
      const read = (await store.readStreams([`order/${order}`])).get(`order/${order}`)
      first = read?.events[0]
      await store.close()
    } finally {
      await service.stop()
    }
    const record = first as EventRecord
    const listeners = new Set<(records: readonly EventRecord[]) => void>()
    const inspector = createInspector({
      engine: {
        store: { kind: "sqlite", openOrders: () => Promise.resolve([]), readStreams: () => Promise.resolve(new Map()) },
        health: () => ({ replica: "here", version: "0", ready: true, uptimeMs: 1 }),
        onJournal: (listener: (records: readonly EventRecord[]) => void) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      } as unknown as EngineFace,
      mode: "simulation",
      stately: true,
      log: { warn: () => undefined, error: () => undefined },
    })
    const server = createServer()
    const gone: string[] = []
    server.on("upgrade", (request) => {
      const taken = inspector.upgrade(request)
      const name = String(request.headers["x-name"])
      if (!("status" in taken)) void taken.then(() => gone.push(name))
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    try {
      const stalled = connect(port, "127.0.0.1")
      stalled.pause()
      stalled.write(
        `GET /inspector/stately HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Name: stalled\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      )
      stalled.on("error", () => undefined)
      let bytes = 0
      const reader = new WebSocket(`ws://127.0.0.1:${port}/inspector/stately`, { headers: { "x-name": "reader" } })
      reader.on("message", (data: Buffer) => {
        bytes += data.length
      })
      await until("both", () => listeners.size === 1 && reader.readyState === reader.OPEN)
      const data = {
        ...(record.data as object),
        signal: { ...(record.data["signal"] as object), metadata: { ballast: "x".repeat(100_000) } },
      }
      let n = 0
      const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
      const write = (): void => {
        n += 1
        const order = `${"0".repeat(17)}${alphabet[(n >> 10) & 31]}${alphabet[(n >> 5) & 31]}${alphabet[n & 31]}`
        for (const listener of listeners) listener([{ ...record, order, stream: `order/${order}`, data } as EventRecord])
      }
      for (const deadline = Date.now() + DEADLINE_MS; gone.length === 0; await new Promise((resolve) => setTimeout(resolve, 5))) {
        if (Date.now() > deadline) throw new Error(`it is not dropped, after ${n} orders`)
        write()
      }
      expect(gone).toEqual(["stalled"])
      const heard = bytes
      write()
      await until("the reader to hear on", () => bytes > heard)
      reader.terminate()
      await until("rest", () => listeners.size === 0)
    } finally {
      inspector.close()
      server.closeAllConnections()
      server.close()
    }
  })
})
