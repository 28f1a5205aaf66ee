import { afterAll, describe, expect, test } from "vitest"
import { requireNats } from "../../../tools/servers/testing.ts"
import { inquiryOf } from "../src/index.ts"
import { connected, until } from "./support.ts"

const nats = await requireNats()
const one = await connected(nats.url)
const two = await connected(nats.url)
afterAll(async () => {
  await one.close()
  await two.close()
})

describe("an inquiry", () => {
  test("given processes on one store, when one asks, then each answers; those of another store, and nonsense, are not heard", async () => {
    const stops = [
      inquiryOf(one, "store a", "r1").answer(() => ({ held: 1 })),
      inquiryOf(two, "store a", "r2").answer(() => ({ held: 2 })),
      inquiryOf(two, "store b", "r3").answer(() => ({ held: 3 })),
    ]
    const nonsense = two.nc.subscribe("petrosa.inquiry.>", { callback: (_, message) => void message.respond("no json") })
    await two.flush(2000)
    const heard = new Map<string, unknown>()
    const asking = inquiryOf(one, "store a", "r1").ask((replica, answer) => heard.set(replica, answer))
    asking.again()
    await until("both answers", () => heard.size === 2)
    await two.flush(2000)
    await one.flush(2000)
    expect(Object.fromEntries(heard)).toEqual({ r1: { held: 1 }, r2: { held: 2 } })
    for (const stop of stops) stop()
    nonsense.unsubscribe()
    await two.flush(2000)
    heard.clear()
    asking.again()
    await one.flush(2000)
    await two.flush(2000)
    expect(heard.size).toBe(0)
    asking.stop()
  })
})
