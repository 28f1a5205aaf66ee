import { ONE, dec, div, mul, str } from "@petrosa/contracts"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { MemoryStore, NO_FUNDS, balanceOf, cancel, execute, isLive, marginOf, place, positionOf, sweep } from "../src/index.ts"
import type { Funds, Holding, MatchingEvent, NewOrder, PositionSide } from "../src/index.ts"
import { ACCOUNTS, checkInvariants, d, quoteOf, richStore, rules } from "./world.ts"

type Step =
  | { readonly do: "place"; readonly order: NewOrder; readonly part: string | undefined }
  | { readonly do: "cancel"; readonly nth: number }
  | { readonly do: "move"; readonly price: string; readonly size: string | undefined }

const price = fc.integer({ min: 96, max: 104 }).map(String)
const quantity = fc.integer({ min: 1, max: 50 }).map((tenths) => String(tenths / 10))

const orderArbitrary = (hedge: boolean): fc.Arbitrary<NewOrder> =>
  fc
    .record({
      account: fc.constantFrom(...ACCOUNTS),
      clientOrderId: fc.integer({ min: 1, max: 30 }).map((n) => `c${n}`),
      market: fc.constantFrom("spot" as const, "futures" as const, "futures" as const),
      side: fc.constantFrom("buy" as const, "sell" as const),
      hedgeSide: fc.constantFrom("long" as const, "short" as const),
      type: fc.constantFrom(
        "market" as const,
        "limit" as const,
        "stop" as const,
        "stop_limit" as const,
        "take_profit" as const,
        "take_profit_limit" as const,
      ),
      timeInForce: fc.constantFrom("GTC" as const, "GTC" as const, "IOC" as const, "FOK" as const, "GTX" as const),
      quantity,
      price,
      trigger: price,
      triggerOn: fc.constantFrom("last" as const, "mark" as const),
      reduceOnly: fc.boolean(),
    })
    .map(({ hedgeSide, price: limit, trigger, timeInForce, quantity: size, ...rest }) => ({
      ...rest,
      symbol: "BTCUSDT",
      quantity: d(size),
      positionSide: hedge ? hedgeSide : "both",
      timeInForce: rest.type === "market" || rest.type === "stop" || rest.type === "take_profit" ? "GTC" : timeInForce,
      price: rest.type.endsWith("limit") ? d(limit) : undefined,
      triggerPrice: rest.type === "market" || rest.type === "limit" ? undefined : d(trigger),
    }))

const stepArbitrary = (hedge: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("place" as const),
        order: orderArbitrary(hedge),
        part: fc.option(quantity, { nil: undefined }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), nth: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("move" as const), price, size: fc.option(quantity, { nil: undefined }) }) },
  )

const run = (store: MemoryStore, step: Step, nowMs: number, house = rules()): readonly MatchingEvent[] => {
  switch (step.do) {
    case "place": {
      const placed = place(store, house, step.order, nowMs)
      if (placed._tag === "Refused") return []
      const maxQuantity = step.part === undefined ? undefined : dec(step.part)
      const first = placed.order.pending ? execute(store, house, placed.order.id, nowMs, { maxQuantity }) : []
      // What a part left over trades on, so that no order stays pending for ever.
      const rest = store.order(placed.order.id)?.pending === true ? execute(store, house, placed.order.id, nowMs) : []
      return [...placed.events, ...first, ...rest]
    }
    case "cancel": {
      const live = store.orders().filter((order) => isLive(order.status))
      const order = live[step.nth % Math.max(live.length, 1)]
      if (order === undefined) return []
      const result = cancel(store, house, order.account, order.market, order.symbol, order.clientOrderId, nowMs)
      return result._tag === "Cancelled" ? [result.event] : []
    }
    case "move":
      return ["spot" as const, "futures" as const].flatMap((market) => [
        ...sweep(store, house, market, "BTCUSDT", quoteOf(step.price, step.size), nowMs),
      ])
  }
}

/** Money as the paper venue keeps it: numbers, never through text. */
class NumberStore extends MemoryStore {
  readonly #funds = new Map<string, Funds>()
  readonly #holdings = new Map<string, Holding>()

  override funds(wallet: string, asset: string): Funds {
    return this.#funds.get(`${wallet} ${asset}`) ?? super.funds(wallet, asset)
  }
  override putFunds(wallet: string, asset: string, funds: Funds): void {
    this.#funds.set(`${wallet} ${asset}`, funds)
  }
  override holding(account: string, symbol: string, side: PositionSide): Holding | undefined {
    return this.#holdings.get(`${account} ${symbol} ${side}`)
  }
  override putHolding(account: string, symbol: string, side: PositionSide, holding: Holding): void {
    this.#holdings.set(`${account} ${symbol} ${side}`, holding)
  }
}

test("given no leverage, then margin is what the division would give, to the last digit", () => {
  const number = fc
    .tuple(fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), fc.integer({ min: 0, max: 14 }))
    .map(([digits, places]) => `${digits}e-${places}`)
  fc.assert(
    fc.property(number, number, fc.constantFrom(ONE, dec("1"), dec("3"), dec("20")), (a, b, leverage) => {
      const notional = mul(dec(a), dec(b))
      expect(str(marginOf(notional, leverage))).toBe(str(div(notional, leverage)))
    }),
    { numRuns: 1_000 },
  )
})

describe.each([
  ["hedge positions, accounts meet", true, true],
  ["hedge positions, outside market only", true, false],
  ["one-way positions, accounts meet", false, true],
  ["one-way positions, outside market only", false, false],
] as const)("matching, %s", (_name, hedge, meet) => {
  const steps = fc.array(stepArbitrary(hedge), { minLength: 20, maxLength: 60 })

  test("whatever is asked for, quantity and money are conserved, and no order trades more than it has or beyond its price", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const store = richStore(meet)
        list.forEach((step, index) => run(store, step, index))
        checkInvariants(store, meet)
      }),
      { numRuns: 150 },
    )
  })

  test("the same requests give the same bytes, also when the state went through JSON in the middle", () => {
    fc.assert(
      fc.property(steps, fc.nat(40), (list, cut) => {
        const first = richStore(meet)
        let second = richStore(meet)
        const events = list.map((step, index) => run(first, step, index))
        const again = list.map((step, index) => {
          if (index === cut) second = new MemoryStore({ accountsMeet: meet, state: JSON.parse(JSON.stringify(second.exportState())) })
          return run(second, step, index)
        })
        expect(JSON.stringify(again)).toBe(JSON.stringify(events))
        expect(JSON.stringify(second.exportState())).toBe(JSON.stringify(first.exportState()))
      }),
      { numRuns: 60 },
    )
  })

  test("money that stays a number between trades is the same, to the last digit, as money that goes through text", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom("1", "3"), (list, leverage) => {
        const house = rules({ leverage: () => (leverage === "1" ? ONE : dec(leverage)) })
        const text = richStore(meet)
        const numbers = richStore(meet, new NumberStore({ accountsMeet: meet }))
        const events = list.map((step, index) => run(text, step, index, house))
        expect(JSON.stringify(list.map((step, index) => run(numbers, step, index, house)))).toBe(JSON.stringify(events))
        for (const account of ACCOUNTS) {
          for (const [wallet, asset] of [
            ["spot", "USDT"],
            ["spot", "BTC"],
            ["futures", "USDT"],
          ] as const)
            expect(balanceOf(numbers.funds(`${account}:${wallet}`, asset) ?? NO_FUNDS)).toEqual(text.balance(`${account}:${wallet}`, asset))
          for (const side of ["long", "short", "both"] as const) {
            const holding = numbers.holding(account, "BTCUSDT", side)
            expect(holding === undefined ? undefined : positionOf(holding)).toEqual(text.position(account, "BTCUSDT", side))
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  test("a trigger fires at most once, and nothing happens to an order that is over", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const store = richStore(meet)
        const fired = new Set<number>()
        const over = new Set<number>()
        list.forEach((step, index) => {
          for (const event of run(store, step, index)) {
            expect(over.has(event.order.id)).toBe(false)
            if (event._tag === "Triggered") {
              expect(fired.has(event.order.id)).toBe(false)
              fired.add(event.order.id)
            }
            if (!isLive(event.order.status)) over.add(event.order.id)
          }
        })
      }),
      { numRuns: 100 },
    )
  })

  test("makers trade in order of price, then time", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ price, quantity }), { minLength: 2, maxLength: 12 }), quantity, (makers, size) => {
        const store = richStore(true)
        const house = rules()
        const base = {
          symbol: "BTCUSDT",
          market: "futures",
          triggerOn: "last",
          reduceOnly: false,
          type: "limit",
          timeInForce: "GTC",
        } as const
        makers.forEach((maker, index) =>
          place(
            store,
            house,
            {
              ...base,
              account: "bob",
              clientOrderId: `m${index}`,
              side: "sell",
              positionSide: "short",
              price: d(maker.price),
              quantity: d(maker.quantity),
            },
            index,
          ),
        )
        const expected = store.orders().toSorted((a, b) => Number(a.price) - Number(b.price) || a.id - b.id)
        const taker = place(
          store,
          house,
          { ...base, account: "ann", clientOrderId: "t", side: "buy", positionSide: "long", price: d("200"), quantity: d(size) },
          99,
        )
        if (taker._tag === "Refused") throw new Error(taker.reason)
        const hit = execute(store, house, taker.order.id, 99).flatMap((e) =>
          e._tag === "Traded" && e.trade.liquidity === "maker" ? [e.order.id] : [],
        )
        expect(hit).toEqual(expected.slice(0, hit.length).map((order) => order.id))
      }),
      { numRuns: 100 },
    )
  })
})
