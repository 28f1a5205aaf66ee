/** Open lots: stop and target, profit to the last decimal, close and opposite signals, both sides, both markets. */
import { add, dec, mul, str, sub } from "@petrosa/contracts"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { quiet } from "../support/killing.ts"
import { checkWorld } from "../support/oracle.ts"
import { type SignalBody, signal } from "../support/signals.ts"
import { until } from "../support/until.ts"
import { World } from "../support/world.ts"

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start()
})
afterAll(() => world.close())

const MARKETS = ["futures", "spot"] as const
/** Buys on spot and futures, sells on futures. */
const SIDES = [
  { market: "futures", action: "buy" },
  { market: "futures", action: "sell" },
  { market: "spot", action: "buy" },
] as const

const open = async (change: SignalBody): Promise<{ readonly signal_id: string; readonly strategy_id: string }> => {
  const sell = change["action"] === "sell"
  const body = signal({
    symbol: "ETHUSDT",
    price: 2500,
    current_price: 2500,
    quantity: 0.3,
    stop_loss: sell ? 2550.55 : 2449.45,
    take_profit: sell ? 2399.95 : 2600.05,
    ...change,
  })
  world.publish(body)
  const row = await world.when(body.signal_id, (one) => one.settled)
  expect(row, JSON.stringify(await world.types(body.signal_id))).toMatchObject({ state: "filled", status: "filled", open_quantity: "0.3" })
  return body
}

/** (exit − entry) × quantity for a long, less 0.1 % of both. */
const profitOf = (action: string, entry: string, exit: string, quantity: string): string => {
  const bought = mul(dec(entry), dec(quantity))
  const sold = mul(dec(exit), dec(quantity))
  const gross = action === "buy" ? sub(sold, bought) : sub(bought, sold)
  return str(sub(gross, mul(add(bought, sold), dec("0.001"))))
}

describe.each(SIDES)("given a filled $action on $market", ({ market, action }) => {
  it.each(["stop", "target"] as const)(
    "when the price passes the %s, then the lot closes, its sibling goes, and the profit is exact",
    async (leg) => {
      await world.setPrice("2500", "ETHUSDT", market)
      const body = await open({ market, action })
      const down = (leg === "stop") === (action === "buy")
      const price = down ? "2399" : "2601"
      await world.setPrice(price, "ETHUSDT", market)
      const row = await world.done(body.signal_id)
      const types = await world.types(body.signal_id)
      const ended = types.slice(types.indexOf("OrderCompleted"))
      // Of a list (spot) the exchange ends the other leg when one begins to trade: which of the two is told first is its business.
      const gone = market === "spot" ? "expired" : "cancelled"
      if (market === "spot") expect(ended.slice(1, 3).toSorted()).toEqual(["ExitFilled", "SiblingCancelled"])
      else expect(ended.slice(1, 3)).toEqual(["ExitFilled", "SiblingCancelled"])
      expect([ended[0], ...ended.slice(3)]).toEqual(["OrderCompleted", "LotClosed"])
      // Stop and target trade at market once triggered; the target of a list rests in the book, and trades at its own price.
      const exit = market === "spot" && leg === "target" ? "2600.05" : price
      expect(row).toMatchObject({ open_quantity: "0", profit: profitOf(action, "2500", exit, "0.3"), state: "filled" })
      const legs = world.paper.ledger().orders.filter((one) => one.clientOrderId.includes(row.order))
      expect(legs.map((one) => [one.leg, one.status]).toSorted()).toEqual(
        [
          ["entry", "filled"],
          ["stop", leg === "stop" ? "filled" : gone],
          ["target", leg === "target" ? "filled" : gone],
        ].toSorted(),
      )
      await world.setPrice("2500", "ETHUSDT", market)
    },
  )

  it("when POST /simulation/price passes the stop, then the lot closes", async () => {
    const body = await open({ market, action })
    const reply = await world.http("POST", "/simulation/price", { symbol: "ETHUSDT", price: action === "buy" ? 2440 : 2560, market })
    expect(reply.status, reply.text).toBe(200)
    expect((await world.done(body.signal_id)).open_quantity).toBe("0")
    await world.setPrice("2500", "ETHUSDT", market)
  })

  it("when another signal's price passes the target, then the lot closes", async () => {
    const body = await open({ market, action })
    const price = action === "buy" ? 2610 : 2390
    world.publish(signal({ symbol: "ETHUSDT", market, price, current_price: price, action: "hold" }))
    expect((await world.done(body.signal_id)).open_quantity).toBe("0")
    await world.setPrice("2500", "ETHUSDT", market)
  })

  it("when its strategy says close, then the lot is given back at market, and the close is filled with what it brought", async () => {
    const body = await open({ market, action })
    const close = signal({
      symbol: "ETHUSDT",
      market,
      action: "close",
      strategy_id: body.strategy_id,
      price: 2500,
      current_price: 2500,
      quantity: undefined,
    })
    const reply = await world.trade(close)
    expect(reply.status, reply.text).toBe(200)
    expect(reply.json.result).toMatchObject({ status: "filled", filled_quantity: 0.3, fill_price: 2500 })
    expect(await world.types(close.signal_id)).toEqual([
      "SignalReceived",
      "SignalValidated",
      "OrderSized",
      "CloseIntended",
      "CloseReported",
      "OrderCompleted",
    ])
    expect(await world.done(body.signal_id)).toMatchObject({ open_quantity: "0", profit: profitOf(action, "2500", "2500", "0.3") })
  })

  it("when an opposite signal of its strategy comes, then it closes the lot and opens nothing", async () => {
    const body = await open({ market, action })
    const opposite = signal({
      symbol: "ETHUSDT",
      market,
      action: action === "buy" ? "sell" : "buy",
      strategy_id: body.strategy_id,
      price: 2500,
      current_price: 2500,
      quantity: 0.7,
    })
    world.publish(opposite)
    expect(await world.settled(opposite.signal_id)).toMatchObject({ state: "filled", filled_quantity: 0.3, open_quantity: "0", done: true })
    expect(await world.done(body.signal_id)).toMatchObject({ open_quantity: "0" })
  })

  it("when the same strategy signals the same side again, then it is declined: ALREADY_OPEN", async () => {
    const body = await open({ market, action })
    const again = await world.trade(
      signal({ symbol: "ETHUSDT", market, action, strategy_id: body.strategy_id, price: 2500, current_price: 2500, quantity: 0.3 }),
    )
    expect(again.status).toBe(400)
    expect(again.json.detail).toMatchObject({ code: "ALREADY_OPEN", class: "declined" })
    world.publish(signal({ symbol: "ETHUSDT", market, action: "close", strategy_id: body.strategy_id, price: 2500, current_price: 2500 }))
    await world.done(body.signal_id)
  })
})

describe.each(MARKETS)("given nothing open on %s", (market) => {
  it("when a strategy says close, then it is declined: NOTHING_TO_CLOSE", async () => {
    const reply = await world.trade(signal({ market, action: "close" }))
    expect(reply.status, reply.text).toBe(400)
    expect(reply.json.detail).toMatchObject({ code: "NOTHING_TO_CLOSE" })
  })
  it("when a strategy says hold, then nothing is placed, and it is no error", async () => {
    const body = signal({ market, action: "hold" })
    const reply = await world.trade(body)
    expect(reply.status, reply.text).toBe(200)
    expect(await world.types(body.signal_id)).toEqual(["SignalReceived", "SignalValidated", "OrderFailed"])
    expect(await world.row(body.signal_id)).toMatchObject({ state: "failed", reason: "HOLD" })
  })
})

describe("given a stop that lies nearer than a price gap", () => {
  it("when the market jumps far through stop and target legs at once, then the lot closes once", async () => {
    await world.setPrice("2500", "ETHUSDT")
    const body = await open({ market: "futures", action: "buy" })
    await world.setPrice("1500", "ETHUSDT")
    await world.setPrice("3500", "ETHUSDT")
    await world.setPrice("2500", "ETHUSDT")
    await world.done(body.signal_id)
    const types = await world.types(body.signal_id)
    expect(types.filter((type) => type === "LotClosed")).toHaveLength(1)
  })

  it("and then nothing is wrong in the whole world", async () => {
    await until(async () => (await world.rows()).every((row) => row.settled), { what: "all settled" })
    await quiet(world, 1, 5000)
    const findings = await checkWorld(world)
    expect(findings.problems).toEqual([])
    expect(findings.openLots).toBe(0)
  })
})
