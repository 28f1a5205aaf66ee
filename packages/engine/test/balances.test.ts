import type { DecimalString, OrderId, Read } from "@petrosa/contracts"
import { canonical, known, unknown } from "@petrosa/contracts"
import type { Balance, Venue } from "@petrosa/venue"
import { describe, expect, it } from "vitest"
import { BalanceKeeper } from "../src/balances.ts"
import { ManualClock } from "./manualClock.ts"

const usdt = (free: string): Read<readonly Balance[]> => known([{ asset: "USDT", free: canonical(free), locked: canonical("0") }])
const order = (name: string): OrderId => name as OrderId
const amount = (text: string): DecimalString => canonical(text)

const world = (first: Read<readonly Balance[]>, mode: Venue["mode"] = "simulation") => {
  const clock = new ManualClock()
  const state = { answer: first, asked: 0 }
  const venue = {
    mode,
    balances: () => {
      state.asked += 1
      return Promise.resolve(state.answer)
    },
  } as unknown as Venue
  return { clock, state, keeper: new BalanceKeeper(venue, clock) }
}

describe("the free balance at hand", () => {
  it("given a venue that does not answer, when the keeper starts, then it waits, says so, and is known as soon as the answer comes", async () => {
    const { clock, state, keeper } = world(unknown("TIMEOUT"))
    const said: string[] = []
    let started = false
    void keeper
      .start((problem) => said.push(problem))
      .then(() => {
        started = true
      })
    await clock.pass(1000)
    expect(started).toBe(false)
    expect(said).toEqual(["TIMEOUT"])
    expect(keeper.free("USDT")).toEqual({ unknown: "TIMEOUT" })
    state.answer = usdt("100")
    await clock.pass(5000)
    expect(started).toBe(true)
    expect(keeper.free("USDT")).toEqual({ known: "100" })
    keeper.stop()
  })

  it("given entries decided since the last answer, when another is decided, then their notional is not spent twice", async () => {
    const { keeper } = world(usdt("100"))
    await keeper.start(() => {})
    keeper.reserve(order("a"), "USDT", amount("60"))
    expect(keeper.free("USDT")).toEqual({ known: "40" })
    keeper.reserve(order("b"), "USDT", amount("60"))
    // Never below nothing.
    expect(keeper.free("USDT")).toEqual({ known: "0" })
    keeper.stop()
  })

  it("given an entry whose outcome is known, when an answer that was asked for later comes, then its reservation goes, and not before", async () => {
    const { clock, state, keeper } = world(usdt("100"))
    await keeper.start(() => {})
    keeper.reserve(order("a"), "USDT", amount("60"))
    state.answer = usdt("40")
    await clock.pass(5000)
    // The venue may or may not have it yet: both count, on the safe side.
    expect(keeper.free("USDT")).toEqual({ known: "0" })
    keeper.settled(order("a"))
    expect(keeper.free("USDT")).toEqual({ known: "0" })
    await clock.pass(200)
    expect(keeper.free("USDT")).toEqual({ known: "40" })
    keeper.stop()
  })

  it("given answers that stop, when the last one is a minute old, then the balance is not known any more", async () => {
    const { clock, state, keeper } = world(usdt("100"))
    await keeper.start(() => {})
    state.answer = unknown("BANNED")
    await clock.pass(61_000)
    expect(keeper.free("USDT")).toMatchObject({ unknown: expect.stringContaining("BANNED") })
    keeper.stop()
  })

  it("given an exchange that counts questions, when fill comes after fill, then it is asked every five seconds at most, and once in twenty when nothing happens", async () => {
    const { clock, state, keeper } = world(usdt("100"), "testnet")
    await keeper.start(() => {})
    expect(state.asked).toBe(1)
    for (let n = 0; n < 100; n++) {
      keeper.soon()
      await clock.pass(100)
    }
    expect(state.asked).toBeGreaterThanOrEqual(2)
    expect(state.asked).toBeLessThanOrEqual(4)
    await clock.pass(6000)
    const before = state.asked
    await clock.pass(40_000)
    expect(state.asked - before).toBeLessThanOrEqual(2)
    expect(keeper.free("USDT")).toEqual({ known: "100" })
    keeper.stop()
  })
})
