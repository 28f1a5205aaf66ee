/** One public stream connection, with time and sockets held. */
import { describe, expect, test } from "vitest"
import { StreamSet } from "../../src/market-data/streamSet.ts"
import type { StreamSetOptions } from "../../src/market-data/streamSet.ts"
import { settle } from "../binance/fakeClock.ts"
import { marketClock, sockets } from "./given.ts"

const DAY_MS = 24 * 3_600_000

const world = (more: Partial<StreamSetOptions> = {}) => {
  const clock = marketClock()
  const { opened, openSocket, at } = sockets()
  const heard: string[] = []
  const set = new StreamSet({
    url: "wss://x/ws",
    clock,
    openSocket,
    silenceMs: 60_000,
    rotateAfterMs: 23 * 3_600_000,
    onEvent: (event) => heard.push(JSON.stringify(event)),
    onGarbage: () => heard.push("garbage"),
    onLost: (reason) => heard.push(`lost: ${reason}`),
    onRefused: (detail) => heard.push(`refused: ${detail}`),
    ...more,
  })
  const ready = (n: number): void => {
    at(n).handlers.opened()
    at(n).handlers.message('{"result":null,"id":1}')
  }
  const subscribed = (n: number): string[] =>
    at(n).sent.flatMap((text) => {
      const { method, params } = JSON.parse(text) as { method: string; params: string[] }
      return method === "SUBSCRIBE" ? params : []
    })
  return { clock, opened, at, heard, set, ready, subscribed }
}

describe("subscriptions", () => {
  test("given nothing wanted, then nothing connects; the first wanted stream connects and is the greeting", async () => {
    const { clock, opened, set, ready, at, subscribed } = world()
    await clock.advance(60_000)
    expect(opened).toHaveLength(0)
    set.subscribe(["btcusdt@bookTicker"])
    await settle()
    ready(0)
    expect(at(0).url).toBe("wss://x/ws")
    expect(subscribed(0)).toEqual(["btcusdt@bookTicker"])
  })
  test("given more later, then they follow in few, spaced messages; what is not wanted any more is unsubscribed", async () => {
    const { clock, set, ready, at, subscribed } = world()
    set.subscribe(["a@bookTicker"])
    await settle()
    ready(0)
    for (let n = 0; n < 120; n++) set.subscribe([`s${n}@bookTicker`])
    set.unsubscribe(["a@bookTicker"])
    expect(at(0).sent).toHaveLength(1)
    await clock.advance(300)
    expect(at(0).sent).toHaveLength(2)
    await clock.advance(900)
    // 120 streams in three messages of at most 50, one that unsubscribes, and the greeting.
    expect(at(0).sent).toHaveLength(5)
    expect(subscribed(0)).toHaveLength(121)
    expect(JSON.parse(at(0).sent[4] ?? "")).toMatchObject({ method: "UNSUBSCRIBE", params: ["a@bookTicker"] })
  })
})

describe("the life of the connection", () => {
  test("given a cut, then another follows after a pause, with all that is wanted; what comes of the old one is not heard", async () => {
    const { clock, set, ready, at, subscribed, heard, opened } = world()
    set.subscribe(["a@bookTicker", "b@bookTicker"])
    await settle()
    ready(0)
    at(0).handlers.message('{"u":1,"s":"A"}')
    at(0).handlers.closed("closed (1006)")
    expect(opened).toHaveLength(1)
    await clock.advance(500)
    ready(1)
    at(0).handlers.message('{"u":2,"s":"A"}')
    at(1).handlers.message('{"u":3,"s":"A"}')
    expect(subscribed(1)).toEqual(["a@bookTicker", "b@bookTicker"])
    expect(heard).toEqual(['{"u":1,"s":"A"}', "lost: closed (1006)", '{"u":3,"s":"A"}'])
  })
  test("given 23 hours, then its successor takes over with overlap: the old one is heard until the new one stands, and the exchange's 24 h never come", async () => {
    const { clock, set, ready, at, heard, opened, subscribed } = world({ silenceMs: 2 * DAY_MS })
    set.subscribe(["a@bookTicker"])
    await settle()
    ready(0)
    await clock.advance(23 * 3_600_000)
    expect(opened).toHaveLength(2)
    at(1).handlers.opened()
    at(0).handlers.message('{"u":1,"s":"A"}')
    expect(at(0).terminated).toBe(false)
    // What is wanted in between is wanted of both.
    set.subscribe(["b@bookTicker"])
    await clock.advance(300)
    at(1).handlers.message('{"result":null,"id":2}')
    expect(at(0).terminated).toBe(true)
    at(1).handlers.message('{"u":2,"s":"A"}')
    expect(heard).toEqual(['{"u":1,"s":"A"}', '{"u":2,"s":"A"}'])
    expect(subscribed(1)).toEqual(["a@bookTicker", "b@bookTicker"])
  })
  test("given silence, pings included, then it is given up", async () => {
    const { clock, set, ready, at, heard } = world()
    set.subscribe(["a@bookTicker"])
    await settle()
    ready(0)
    await clock.advance(40_000)
    at(0).handlers.alive()
    await clock.advance(59_000)
    expect(at(0).terminated).toBe(false)
    await clock.advance(1_000)
    expect(at(0).terminated).toBe(true)
    expect(heard).toEqual(["lost: silent for 60000 ms"])
  })
  test("given a refused first subscription, then another connection; a refused later one is told and costs nothing else", async () => {
    const { clock, set, ready, at, heard, opened } = world()
    set.subscribe(["a@bookTicker"])
    await settle()
    at(0).handlers.opened()
    at(0).handlers.message('{"error":{"code":2,"msg":"Invalid request: too many subscriptions"},"id":1}')
    await clock.advance(500)
    expect(opened).toHaveLength(2)
    ready(1)
    at(1).handlers.message('{"error":{"code":2,"msg":"no"},"id":3}')
    expect(at(1).terminated).toBe(false)
    expect(heard.filter((line) => line.startsWith("refused"))).toHaveLength(2)
  })
  test("given the announcement of a shutdown, then a successor is made at once", async () => {
    const { set, ready, at, opened } = world()
    set.subscribe(["a@bookTicker"])
    await settle()
    ready(0)
    at(0).handlers.message('{"e":"serverShutdown","E":1}')
    await settle()
    expect(opened).toHaveLength(2)
  })
  test("given garbage and envelopes, then the one is counted and the other opened", async () => {
    const { set, ready, at, heard } = world()
    set.subscribe(["a@bookTicker"])
    await settle()
    ready(0)
    for (const text of ["", "[]", "{", '"x"', '{"stream":"a@bookTicker","data":{"u":5,"s":"A"}}']) at(0).handlers.message(text)
    expect(heard).toEqual(["garbage", "garbage", "garbage", "garbage", '{"u":5,"s":"A"}'])
  })
})
