/** The inspector's routes, on the real service with orders of all kinds of ends. */
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { OrderId } from "@petrosa/contracts"
import { SqliteEventStore } from "@petrosa/event-store"
import { explainOrder, replay } from "@petrosa/lifecycle"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { contextAt } from "../page/context.ts"
import type { NextEvent, OrderDoc, RawEvent, Row } from "../page/types.ts"
import { type Service, signal, startService } from "./support/service.ts"
import { everyKindOfOrder, type Story } from "./support/story.ts"

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url))
interface List {
  readonly orders: readonly Row[]
  readonly next: string | null
}

let service: Service
let story: Story
beforeAll(async () => {
  service = await startService()
  story = await everyKindOfOrder(service)
})
afterAll(() => service.stop())

describe("the page", () => {
  it("given any of its addresses, then it is served with a strict policy, and its files are kept by their hash", async () => {
    for (const path of ["/inspector", `/inspector/orders/${story.filled}?at=5`]) {
      const response = await fetch(`${service.url}${path}`)
      expect(response.status).toBe(200)
      expect(response.headers.get("content-security-policy")).toContain("script-src 'self'")
      expect(response.headers.get("content-security-policy")).not.toContain("unsafe")
      expect(await response.text()).not.toMatch(/<script(?![^>]*src=)|style=|https?:\/\//)
    }
    const script = await fetch(`${service.url}/inspector/assets/page.js`)
    const again = await fetch(`${service.url}/inspector/assets/page.js`, { headers: { "if-none-match": script.headers.get("etag") ?? "" } })
    expect([script.status, again.status]).toEqual([200, 304])
    expect(Number(script.headers.get("content-length"))).toBeLessThan(300_000)
  })

  it("given what is not there, then it is 404, and no path leads out of its files", async () => {
    for (const path of [
      "/inspector/assets/..%2f..%2fpackage.json",
      "/inspector/assets/toString",
      "/inspector/nothing",
      "/inspector/data/orders/nope",
    ])
      expect((await fetch(`${service.url}${path}`)).status, path).toBe(404)
    expect((await service.post("/inspector/nothing", {})).status).toBe(404)
  })
})

describe("the list", () => {
  it("given filters and pages, then it has what they ask for, each order once", async () => {
    const all = await service.get<List>("/inspector/data/orders")
    expect(all.orders.length).toBeGreaterThanOrEqual(11)
    const seen: string[] = []
    for (let path = "/inspector/data/orders?limit=4"; ; ) {
      const page: List = await service.get(path)
      seen.push(...page.orders.map(({ order }) => order))
      if (page.next === null) break
      path = `/inspector/data/orders?limit=4&cursor=${encodeURIComponent(page.next)}`
    }
    expect(seen).toEqual(all.orders.map(({ order }) => order))
    const low = await service.get<List>("/inspector/data/orders?reason=LOW_CONFIDENCE")
    expect(low.orders.map(({ order }) => order)).toEqual([story.declined])
    const eth = await service.get<List>("/inspector/data/orders?symbol=ethusdt&state=filled")
    expect(eth.orders.map(({ order }) => order)).toEqual([story.closedByTarget])
  })

  it("given a parameter that it does not know, or that is no number or time, then it says so", async () => {
    for (const query of ["stat=filled", "limit=0", "limit=9999", "since=yesterday", "cursor=x"])
      expect((await fetch(`${service.url}/inspector/data/orders?${query}`)).status, query).toBe(400)
  })
})

describe("one order", () => {
  it("given every order, then the page, `petrosa why`, and a replay of the store agree", { timeout: 120_000 }, async () => {
    const store = SqliteEventStore.open({ file: service.env["SQLITE_FILE"] ?? "", readOnly: true })
    try {
      for (const { order } of (await service.get<List>("/inspector/data/orders")).orders) {
        const doc = await service.get<OrderDoc>(`/inspector/data/orders/${order}`)
        const events = (await store.readStreams([`order/${order}`])).get(`order/${order}`)?.events ?? []
        const folded = replay(order as OrderId, events)
        expect(doc.difference).toBeNull()
        expect(folded.difference).toBeUndefined()
        expect(doc.chain).toMatchObject({ ok: true, version: events.length })
        expect(doc.steps.map(({ version, state, regions }) => [version, state, regions])).toEqual(
          folded.steps.map(({ version, state, regions }) => [version, state, regions]),
        )
        for (const step of folded.steps) expect(contextAt(doc.steps, step.version)).toEqual(step.context)
        expect(doc.why).toEqual(JSON.parse(JSON.stringify(explainOrder(events))))
        // Declines too: what they were decided on is in their events.
        expect(doc.why.again._tag, JSON.stringify(doc.why.again)).toBe("Same")
      }
    } finally {
      await store.close()
    }
    const told = await promisify(execFile)(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", CLI, "why", story.lostReply, "--json"],
      {
        env: { PATH: process.env["PATH"] ?? "", ...service.env },
      },
    )
    expect(JSON.parse(told.stdout)).toEqual((await service.get<OrderDoc>(`/inspector/data/orders/${story.lostReply}`)).why)
  })

  it("given a step, then it says what could happen next, and a resting entry could be filled or cancelled", async () => {
    const { next } = await service.get<{ next: readonly NextEvent[] }>(`/inspector/data/orders/${story.resting}/next`)
    const possible = next.filter((one) => one.possible).map(({ type }) => type)
    expect(possible).toEqual(expect.arrayContaining(["EntryFilled", "EntryCancelRequested", "EntryPartlyFilled"]))
    expect(possible).not.toContain("OrderCompleted")
    expect(next.find(({ type }) => type === "EntryFilled")).toMatchObject({
      leadsTo: { entry: "over", protection: "placing" },
      commands: ["placeStop"],
    })
    const first = await service.get<{ next: readonly NextEvent[] }>(`/inspector/data/orders/${story.resting}/next?at=1`)
    expect(first.next.filter((one) => one.possible && one.regions.length > 0).map(({ type }) => type)).toEqual([
      "SignalValidated",
      "OrderFailed",
    ])
  })

  it("given an event, then its text and its hash are what is stored, and they hold", async () => {
    const raw = await service.get<RawEvent>(`/inspector/data/orders/${story.filled}/events/4`)
    expect(raw).toMatchObject({ version: 4, hashHolds: true, chainHolds: true })
    expect(JSON.parse(raw.text)).toMatchObject({ type: "EntryIntended", prev: raw.prev })
    expect((await fetch(`${service.url}/inspector/data/orders/${story.filled}/events/99`)).status).toBe(404)
  })
})

describe("the development forms", () => {
  it("given a signal, when it is checked, then what it would become is told and nothing is recorded", async () => {
    const body = signal({ strategy_id: "only-checked" })
    const answer = (await (await service.post("/inspector/check", body)).json()) as {
      readonly events: readonly { readonly type: string }[]
    }
    expect(answer.events.map(({ type }) => type)).toEqual(["SignalValidated", "OrderSized", "EntryIntended"])
    expect((await service.get<List>(`/inspector/data/orders?search=${String(body["signal_id"])}`)).orders).toEqual([])
  })

  it("given a signal, when it is published, then it becomes an order; what is no signal is refused with its reason", async () => {
    const answer = (await (await service.post("/inspector/publish", signal())).json()) as { readonly _tag: string; readonly row: Row }
    expect(answer).toMatchObject({ _tag: "Settled", row: { state: "filled" } })
    const bad = await service.post("/inspector/publish", { strategy_id: "x" })
    expect(await bad.json()).toMatchObject({ _tag: "Rejected", code: "INVALID_FIELDS" })
  })

  it("given the venue's switches, then what is wrong with them is said, and a foreign page may not touch them", async () => {
    expect((await service.post("/inspector/venue/faults", { slowMs: -1 })).status).toBe(400)
    expect((await service.post("/inspector/venue/faults", { duplicateEvents: true })).status).toBe(200)
    expect(await service.get("/inspector/venue/faults")).toMatchObject({ duplicateEvents: true })
    await service.post("/inspector/venue/faults", { duplicateEvents: false })
    const foreign = await fetch(`${service.url}/inspector/publish`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: "http://elsewhere.example" },
      body: "{}",
    })
    expect(foreign.status).toBe(403)
  })
})

describe("a token", () => {
  it("given HTTP_TOKEN, then the empty page may be fetched without it, and no data", async () => {
    const guarded = await startService({ HTTP_TOKEN: "s3cret" })
    try {
      expect((await fetch(`${guarded.url}/inspector`)).status).toBe(200)
      expect((await fetch(`${guarded.url}/inspector/assets/page.js`)).status).toBe(200)
      for (const path of ["/inspector/data/about", "/inspector/feed", "/inspector/data/orders", "/inspector/venue/faults"])
        expect((await fetch(`${guarded.url}${path}`)).status, path).toBe(401)
      const allowed = await fetch(`${guarded.url}/inspector/data/about`, { headers: { authorization: "Bearer s3cret" } })
      expect(allowed.status).toBe(200)
    } finally {
      await guarded.stop()
    }
  })
})
