/** The part of the event store's contract that is about orders: lists, filters, pages, look-ups, rebuilding. */
import { describe, expect, it } from "vitest"
import type { Append, EventStore, OrderQuery } from "../eventStore.ts"
import { appendOf, headOf, isoAt, LIFE, orderIdFor, type RecordFields } from "./records.ts"

export interface OrdersContractWorld {
  readonly store: () => EventStore
  readonly must: (...batch: readonly Append[]) => Promise<void>
  readonly reopen: () => Promise<EventStore>
  readonly dropProjection: () => Promise<void>
}

const COUNT = 25
const SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]

const sameOf = (index: number): RecordFields => ({
  created_at: isoAt(index * 1000),
  symbol: SYMBOLS[index % 3] ?? "BTCUSDT",
  strategy_id: index % 2 === 0 ? "even" : "odd",
  signal_id: index < 20 ? `sig-${index}` : "shared",
})

/** 25 orders, one a second; every third ends failed, every third filled, every third is open. */
const crowd = (): readonly Append[] =>
  Array.from({ length: COUNT }, (_, index) => {
    const same = sameOf(index)
    const ends: readonly RecordFields[] =
      index % 3 === 0
        ? [{ state: "failed", status: "rejected", reason: "HOLD", settled: true, done: true, type: "OrderFailed" }]
        : index % 3 === 1
          ? [
              { type: "EntryIntended", state: "placed" },
              {
                state: "filled",
                status: "filled",
                settled: true,
                done: true,
                type: "OrderCompleted",
                binance_order_id: `90${index}`,
                fill_price: 1.5,
              },
            ]
          : [{ state: "placed", type: "EntryIntended" }]
    return appendOf(index, [{ ...same }, ...ends.map((end) => ({ ...same, ...end }))])
  })

const nth = (index: number): Append => crowd()[index] ?? appendOf(index, [])

const indexes = (from: readonly number[]): readonly string[] => from.map(orderIdFor)
const newestFirst = (keep: (index: number) => boolean): readonly string[] =>
  indexes(
    Array.from({ length: COUNT }, (_, index) => index)
      .filter(keep)
      .reverse(),
  )

export const ordersContract = ({ store, must, reopen, dropProjection }: OrdersContractWorld): void => {
  const pages = async (query: OrderQuery, limit: number): Promise<readonly string[]> => {
    const found: string[] = []
    let cursor: string | undefined
    for (let page = 0; page < COUNT + 1; page += 1) {
      const { orders, next } = await store().listOrders({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) })
      expect(orders.length).toBeLessThanOrEqual(limit)
      found.push(...orders.map((row) => row.order))
      if (next === undefined) return found
      cursor = next
    }
    throw new Error("the pages do not end")
  }

  describe("orders", () => {
    it("given an order on its way, then its row has the flat fields and the head of its last event", async () => {
      const first = appendOf(1, LIFE.slice(0, 4))
      await must(first)
      expect(await store().findOrder(orderIdFor(1))).toMatchObject({
        version: 4,
        hash: headOf(first).hash,
        state: "placed",
        done: false,
        quantity: 0.015,
      })
      const rest = appendOf(1, LIFE.slice(4), headOf(first))
      await must(rest)
      const { record } = rest.records.at(-1) ?? {}
      const row = await store().findOrder(orderIdFor(1))
      expect(row).toEqual(Object.fromEntries(Object.keys(row ?? {}).map((key) => [key, record?.[key as keyof typeof record]])))
      expect(row).toMatchObject({ version: 7, type: "OrderCompleted", state: "filled", fill_price: 67_000.1, binance_order_id: "4711" })
    })

    it("given many orders, then every filter lists the right ones, newest first, whatever the size of the page", async () => {
      await must(...crowd())
      const cases: readonly (readonly [OrderQuery, (index: number) => boolean])[] = [
        [{}, () => true],
        [{ state: "failed" }, (index) => index % 3 === 0],
        [{ state: "placed" }, (index) => index % 3 === 2],
        [{ status: "filled" }, (index) => index % 3 === 1],
        [{ status: "pending" }, (index) => index % 3 === 2],
        [{ reason: "HOLD" }, (index) => index % 3 === 0],
        [{ symbol: "ETHUSDT" }, (index) => index % 3 === 1],
        [{ strategyId: "even" }, (index) => index % 2 === 0],
        [{ strategyId: "even", symbol: "SOLUSDT", state: "placed" }, (index) => index % 2 === 0 && index % 3 === 2],
        [{ since: isoAt(5000) }, (index) => index >= 5],
        [{ until: isoAt(5000) }, (index) => index < 5],
        [{ since: isoAt(5000), until: isoAt(9000), strategyId: "odd" }, (index) => index === 5 || index === 7],
        [{ since: isoAt(5000), until: isoAt(9000), state: "failed" }, (index) => index === 6],
        [{ search: "SIG-1" }, (index) => index === 1 || (index >= 10 && index < 20)],
        [{ search: "shar" }, (index) => index >= 20],
        [{ search: orderIdFor(7).slice(3, 15).toUpperCase() }, (index) => index === 7],
        [{ search: "9013" }, (index) => index === 13],
        [{ search: "%" }, () => false],
        [{ search: ".*" }, () => false],
        [{ search: "sig-1", state: "failed" }, (index) => [12, 15, 18].includes(index)],
        [{ symbol: "NONE" }, () => false],
      ]
      for (const [query, keep] of cases) {
        const wanted = newestFirst(keep)
        expect({ query, found: await pages(query, 4) }).toEqual({ query, found: wanted })
        expect({ query, found: await pages(query, 1000) }).toEqual({ query, found: wanted })
      }
    })

    it("given orders of the same moment, then pages neither skip nor repeat one", async () => {
      await must(...Array.from({ length: 9 }, (_, index) => appendOf(index, [{}])))
      const found = await pages({}, 2)
      expect(new Set(found).size).toBe(9)
      expect(found.length).toBe(9)
      expect(await pages({ symbol: "BTCUSDT" }, 4)).toEqual(found)
    })

    it("given silly limits and cursors, then limits are brought to bounds and a foreign cursor is refused", async () => {
      await must(...crowd())
      expect((await store().listOrders({ limit: 0 })).orders.length).toBe(1)
      expect((await store().listOrders({ limit: 1e9 })).orders.length).toBe(COUNT)
      await expect(store().listOrders({ cursor: "rubbish" })).rejects.toMatchObject({ name: "BadCursor" })
    })

    it("given open, done and re-opened orders, then openOrders has those that are not done, parked ones too", async () => {
      await must(...crowd())
      const open = async (): Promise<readonly string[]> => (await store().openOrders()).map((row) => row.order).sort()
      const wanted = Array.from({ length: COUNT }, (_, index) => index).filter((index) => index % 3 === 2)
      expect(await open()).toEqual([...indexes(wanted)].sort())
      await reopen()
      expect(await open()).toEqual([...indexes(wanted)].sort())
      const late: RecordFields = { ...sameOf(3), type: "LateFillFound", state: "placed", status: "filled", done: false, parked: true }
      await must(appendOf(3, [late], headOf(nth(3))))
      expect(await open()).toEqual([...indexes([3, ...wanted])].sort())
      const row = (await store().openOrders()).find((one) => one.order === orderIdFor(3))
      expect(row).toMatchObject({ parked: true, state: "placed", version: 3 })
    })

    it("given more open orders than are read at once, many of them of one moment, then each is there once", async () => {
      const many = Array.from({ length: 350 }, (_, index) => index)
      await must(...many.map((index) => appendOf(index, [{ ...sameOf(index), created_at: isoAt(Math.floor(index / 150) * 1000) }])))
      const open = (await store().openOrders()).map((row) => row.order)
      expect(open.toSorted()).toEqual(indexes(many).toSorted())
      const wanted = new Set(indexes([7, 149, 150, 349]))
      expect((await store().openOrders((order) => wanted.has(order))).map((row) => row.order).toSorted()).toEqual([...wanted].toSorted())
    })

    it("given open, done and parked orders, then openOrderIds has those that are not done, what is filled first", async () => {
      const many = Array.from({ length: 1100 }, (_, index) => index)
      const statusOf = (index: number): NonNullable<RecordFields["status"]> =>
        (["pending", "filled", "partially_filled", "expired"] as const)[Math.max(0, (index % 250) - 4)] ?? "pending"
      await must(
        ...many.map((index) =>
          appendOf(index, [
            {
              ...sameOf(index),
              created_at: isoAt(Math.floor(index / 150) * 1000),
              done: index % 100 === 3,
              parked: index % 100 === 4,
              status: statusOf(index),
            },
          ]),
        ),
      )
      const ids = await store().openOrderIds()
      const filled = many.filter((index) => statusOf(index) !== "pending" && index % 100 !== 3)
      expect(filled.length).toBeGreaterThan(9)
      expect(ids.slice(0, filled.length).toSorted()).toEqual(indexes(filled).toSorted())
      expect(ids.toSorted()).toEqual(indexes(many.filter((index) => index % 100 !== 3)).toSorted())
    })

    it("given an order's id, its signal's id or the venue's id, then the order is found, the newest of several", async () => {
      await must(...crowd())
      const find = async (id: string): Promise<string | undefined> => (await store().findOrder(id))?.order
      expect(await find(orderIdFor(4))).toBe(orderIdFor(4))
      expect(await find("sig-4")).toBe(orderIdFor(4))
      expect(await find("904")).toBe(orderIdFor(4))
      expect(await find("shared")).toBe(orderIdFor(24))
      expect(await find("nobody")).toBeUndefined()
      expect(await find("")).toBeUndefined()
    })

    it("given streams that are no orders, then they are in no list", async () => {
      await must(appendOf("r", [{ stream: "rejected/1", order: "", type: "MessageRejected" }]), appendOf(1, [{}]))
      expect((await store().listOrders({})).orders.map((row) => row.order)).toEqual([orderIdFor(1)])
      expect((await store().openOrders()).length).toBe(1)
    })

    it("given a projection that was deleted, or is rebuilt, then it is as it was", async () => {
      await must(...crowd())
      const before = await store().listOrders({ limit: 1000 })
      const openBefore = await store().openOrders()
      expect(await store().rebuildProjections()).toBe(COUNT)
      expect(await store().listOrders({ limit: 1000 })).toEqual(before)
      await store().close()
      await dropProjection()
      await reopen()
      expect(await store().listOrders({ limit: 1000 })).toEqual(before)
      expect(await store().openOrders()).toEqual(openBefore)
      const next = appendOf(2, [{ ...sameOf(2), type: "OrderFailed", state: "failed", done: true }], headOf(nth(2)))
      await must(next)
      expect((await store().openOrders()).length).toBe(openBefore.length - 1)
    })
  })
}
