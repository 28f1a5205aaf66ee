/** MongoDB when things go wrong: replies lost, connections cut, the server gone, a crash between append and projection. */
import { MongoClient } from "mongodb"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { freshDatabase, requireMongo } from "../../../tools/servers/testing.ts"
import { AnchorWriter, GroupCommit, MongoEventStore, type MongoStoreOptions, StoreUnavailable, verifyAll } from "../src/index.ts"
import { appendOf, headOf, isoAt, LIFE, orderIdFor, startTcpProxy, streamFor, type TcpProxy } from "../src/testing/index.ts"

const mongo = await requireMongo()

describe.skipIf(mongo === undefined)("mongodb, when things go wrong", () => {
  let proxy: TcpProxy
  let database: string
  let direct: MongoClient
  const opened: MongoEventStore[] = []

  const open = async (options: Partial<MongoStoreOptions> = {}): Promise<MongoEventStore> => {
    const store = await MongoEventStore.open({ url: mongo?.url ?? "", database, ...options })
    opened.push(store)
    return store
  }
  const throughProxy = (): string => `mongodb://127.0.0.1:${proxy.port}/?directConnection=true`
  const count = (): Promise<number> => direct.db(database).collection("trade_audit_log").countDocuments()

  beforeEach(async () => {
    const { hostname, port } = new URL(mongo?.url ?? "")
    proxy = await startTcpProxy({ host: hostname, port: Number(port) })
    database = freshDatabase("petrosa_faults")
    direct = new MongoClient(mongo?.url ?? "")
  })
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close()
    await proxy.close()
    await direct.db(database).dropDatabase()
    await direct.close()
  })

  it("given a reply that is lost, when the very same is sent again, then it is appended, and nothing is there twice", async () => {
    const store = await open({ url: throughProxy() })
    await store.append([appendOf("first", [{}])])
    const batch = [appendOf(1, LIFE), appendOf(2, LIFE)]
    proxy.setMode("loseReplies")
    expect((await store.append(batch)).map(({ _tag }) => _tag)).toEqual(["Unavailable", "Unavailable"])
    proxy.setMode("pass")
    expect(await store.append(batch)).toEqual([{ _tag: "Appended" }, { _tag: "Appended" }])
    expect(await count()).toBe(1 + 2 * LIFE.length)
    expect(await verifyAll(store)).toMatchObject({ findings: [] })
  })

  it("given a connection that is cut within the request, then group commit gets it through, once", async () => {
    const store = await open({ url: throughProxy() })
    await store.append([appendOf("first", [{}])])
    const commit = new GroupCommit(store, { firstRetryMs: 10 })
    const states: string[] = []
    commit.onState((state) => {
      states.push(state._tag)
      if (state._tag === "Away") proxy.setMode("pass")
    })
    for (const bytes of [0, 20, 3000]) {
      proxy.cutAfterBytes = bytes
      proxy.setMode("cutRequests")
      expect(await Promise.all([1, 2, 3].map((seed) => commit.append(appendOf(`${bytes}-${seed}`, LIFE))))).toEqual(
        [1, 2, 3].map(() => ({ _tag: "Appended" })),
      )
    }
    expect(states.filter((state) => state === "Away").length).toBeGreaterThanOrEqual(3)
    expect(states.at(-1)).toBe("Back")
    expect(await count()).toBe(1 + 9 * LIFE.length)
    expect(await verifyAll(store)).toMatchObject({ findings: [] })
    await commit.close()
  })

  it("given a server that is away, then reads throw StoreUnavailable, and a close does not hang or fail", async () => {
    const store = await open({ url: throughProxy() })
    await store.append([appendOf(1, [{}])])
    proxy.setMode("refuse")
    await expect(store.readStreams([streamFor(1)])).rejects.toBeInstanceOf(StoreUnavailable)
    await expect(store.openOrders()).rejects.toBeInstanceOf(StoreUnavailable)
    await store.close()
    const again = await open()
    expect((await again.openOrders()).map((row) => row.order)).toEqual([orderIdFor(1)])
  })

  it("given nobody there at the start, then it waits, says why each time, and opens when the server comes", async () => {
    proxy.setMode("refuse")
    const reasons: string[] = []
    const store = await open({
      url: throughProxy(),
      onWaiting: (reason, attempt) => {
        reasons.push(reason)
        expect(attempt).toBe(reasons.length)
        if (attempt === 2) proxy.setMode("pass")
      },
    })
    expect(reasons.length).toBe(2)
    expect(reasons[0]).toMatch(/./)
    expect(await store.append([appendOf(1, [{}])])).toEqual([{ _tag: "Appended" }])
  })

  it("given a start that is called off, or an URL that is none, then it ends with that", async () => {
    proxy.setMode("refuse")
    const stop = new AbortController()
    await expect(open({ url: throughProxy(), signal: stop.signal, onWaiting: () => stop.abort() })).rejects.toMatchObject({
      name: "AbortError",
    })
    await expect(open({ url: "http://example.org" })).rejects.toBeInstanceOf(TypeError)
    await expect(open({ readOnly: true })).rejects.toBeInstanceOf(StoreUnavailable)
  })

  it("given a crash between append and projection, when the store opens again, then the rows are caught up", async () => {
    const killed = await open({ projectEveryMs: 3_600_000 })
    await killed.append([appendOf(1, LIFE.slice(0, 4)), appendOf(2, LIFE)])
    expect(await direct.db(database).collection("orders").countDocuments()).toBe(0)
    const next = await open()
    expect((await next.openOrders()).map((row) => row.order)).toEqual([orderIdFor(1)])
    // Time passes, and more is left behind: also what was decided long before (a clock set back, an append that waited).
    const old = LIFE.slice(4).map((fields) => ({ ...fields, at: isoAt(-86_400_000) }))
    await killed.append([appendOf(1, old, headOf(appendOf(1, LIFE.slice(0, 4)))), appendOf(3, [{ at: isoAt(3_600_000) }])])
    const third = await open()
    expect((await third.openOrders()).map((row) => row.order)).toEqual([orderIdFor(3)])
    expect((await third.findOrder(orderIdFor(1)))?.version).toBe(LIFE.length)
  })

  it("given rows of two engines for one order, then the newest version stays, whoever writes last", async () => {
    const one = await open({ projectEveryMs: 3_600_000 })
    const two = await open({ projectEveryMs: 3_600_000 })
    const first = appendOf(1, LIFE.slice(0, 4))
    await one.append([first])
    await two.append([appendOf(1, LIFE.slice(4), headOf(first))])
    expect((await two.findOrder(orderIdFor(1)))?.version).toBe(LIFE.length)
    expect((await one.findOrder(orderIdFor(1)))?.version).toBe(LIFE.length)
    expect(await one.openOrders()).toEqual([])
  })

  it("given a reader beside the engine, then it reads, and writes nothing", async () => {
    const engine = await open({ projectEveryMs: 10 })
    const reader = await open({ readOnly: true })
    await engine.append([appendOf(1, LIFE)])
    await engine.openOrders()
    expect(reader.storeId).toBe(engine.storeId)
    expect((await reader.listOrders({})).orders.map((row) => row.version)).toEqual([LIFE.length])
    expect(await reader.append([appendOf(2, [{}])])).toMatchObject([{ _tag: "Unavailable" }])
    await expect(reader.setMeta("a", "b")).rejects.toBeInstanceOf(StoreUnavailable)
    await expect(reader.rebuildProjections()).rejects.toBeInstanceOf(StoreUnavailable)
  })

  it("given documents that somebody changed, added a field to, removed at the end, or as a whole stream, then verify names each", async () => {
    const store = await open()
    await store.append([1, 2, 3, 4, 5].map((seed) => appendOf(seed, LIFE)))
    const anchors = new AnchorWriter({
      store,
      append: async (append) => (await store.append([append]))[0] ?? { _tag: "Unavailable", reason: "" },
      replica: "r1",
      startedAtMs: 0,
      nowMs: () => 0,
      engineVersion: "1",
      settingsVersion: "1",
      simulationMode: true,
    })
    await anchors.tick()
    expect(await verifyAll(store)).toMatchObject({ streams: 6, anchored: 5, findings: [] })
    const events = direct.db(database).collection<{ _id: string }>("trade_audit_log")
    await events.updateOne({ _id: `${streamFor(1)}:00000003` }, { $set: { "data.quantity": "0.01500001" } })
    await events.updateOne({ _id: `${streamFor(2)}:00000002` }, { $set: { remark: "nothing to see" } })
    await events.deleteOne({ _id: `${streamFor(3)}:00000007` })
    await events.deleteMany({ _id: { $in: LIFE.map((_, index) => `${streamFor(4)}:0000000${index + 1}`) } })
    await events.deleteOne({ _id: `${streamFor(5)}:00000004` })
    const { findings } = await verifyAll(store)
    const found = new Map(findings.map(({ stream, version, what }) => [stream, [version, what]]))
    expect(found).toEqual(
      new Map([
        [streamFor(1), [3, "changed"]],
        [streamFor(2), [2, "changed"]],
        [streamFor(3), [7, "tailMissing"]],
        [streamFor(4), [0, "streamMissing"]],
        [streamFor(5), [4, "missing"]],
      ]),
    )
  })
})

const own = await requireMongo({ own: true })

describe.skipIf(own === undefined)("mongodb, a server that is killed", () => {
  it("given a kill under load and a restart, then everything goes through in the end, once", async () => {
    if (own === undefined) return
    const store = await MongoEventStore.open({ url: own.url, database: freshDatabase("petrosa_kill") })
    const commit = new GroupCommit(store, { firstRetryMs: 20, maxDocuments: 20 })
    const away = new Promise<void>((resolve) => {
      commit.onState((state) => {
        if (state._tag === "Away") resolve()
      })
    })
    const first = await Promise.all(Array.from({ length: 10 }, (_, index) => commit.append(appendOf(`first${index}`, LIFE))))
    expect(first.every(({ _tag }) => _tag === "Appended")).toBe(true)
    const load = Promise.all(Array.from({ length: 60 }, (_, index) => commit.append(appendOf(index, LIFE))))
    await own.kill()
    await away
    await own.restart()
    expect((await load).every(({ _tag }) => _tag === "Appended")).toBe(true)
    expect(await verifyAll(store)).toMatchObject({ streams: 70, events: 70 * LIFE.length, findings: [] })
    expect(await store.openOrders()).toEqual([])
    await commit.close()
    await store.close()
  })
})
