import { describe, expect, test } from "vitest"
import { CORRECTIONS, bundledAt, bundledRules, checkOrder, decodeExchangeInfo } from "../src/index.ts"
import type { DecimalString } from "@petrosa/contracts"
import { requestFor } from "../src/testing/index.ts"

const spotRow = (filters: readonly object[], more: object = {}): object => ({
  symbols: [{ symbol: "XUSDT", status: "TRADING", baseAsset: "X", quoteAsset: "USDT", orderTypes: ["LIMIT"], filters, ...more }],
})

describe("decoding exchangeInfo", () => {
  test("given real answers, then every symbol is read, and parts that are zero stay disabled", () => {
    for (const market of ["spot", "futures"] as const) {
      expect(bundledRules(market).size).toBe(22)
      for (const rules of bundledRules(market).values()) {
        expect(rules.trading).toBe(true)
        expect(rules.unknownFilters).toEqual([])
        expect(rules.price.tick).not.toBe("0")
      }
    }
    expect(bundledRules("spot").get("BTCUSDT")).toMatchObject({
      price: { min: "0.01", max: "1000000", tick: "0.01" },
      lot: { min: "0.00001", max: "9000", step: "0.00001" },
      marketLot: { min: "0", max: "129.84957276", step: "0" },
      notional: { min: "5", max: "9000000", minAppliesToMarket: true, maxAppliesToMarket: false, reduceOnlyExempt: false },
      percentPrice: { buyUp: "5", buyDown: "0.2", sellUp: "5", sellDown: "0.2" },
      maxOpenOrders: 200,
      maxAlgoOrders: 5,
      icebergParts: 10,
      timesInForce: ["GTC", "IOC", "FOK", "GTX"],
    })
    expect(bundledRules("futures").get("BTCUSDT")).toMatchObject({
      orderTypes: ["limit", "market", "stop_limit", "stop", "take_profit_limit", "take_profit"],
      timesInForce: ["GTC", "IOC", "FOK", "GTX"],
      percentPrice: { buyUp: "1.5", buyDown: "0", sellUp: "0", sellDown: "0.5" },
      notional: { reduceOnlyExempt: true },
      icebergAllowed: false,
    })
    expect([bundledAt("spot"), bundledAt("futures")]).toEqual(["2024-09-08T17:36:48.719Z", "2025-03-06T11:38:23.856Z"])
  })

  test("given what changed since, then the corrections are applied, and each of them is of use", () => {
    expect(bundledRules("futures").get("BTCUSDT")).toMatchObject({ notional: { min: "50" }, maxAlgoOrders: 200 })
    expect(bundledRules("spot").get("ETHUSDT")?.orderTypes).toContain("stop")
    const all = [...bundledRules("spot").values(), ...bundledRules("futures").values()]
    for (const correction of CORRECTIONS) expect(all.some((rules) => correction.appliesTo(rules))).toBe(false)
  })

  test("given filters that are not known, missing or of the older form, then they are tolerated", () => {
    const decoded = decodeExchangeInfo(
      spotRow([
        { filterType: "NEW_THING", x: 1 },
        { filterType: "MIN_NOTIONAL", minNotional: "10", applyToMarket: false },
      ]),
      "spot",
    )
    expect(decoded.rules.get("XUSDT")).toMatchObject({
      unknownFilters: ["NEW_THING"],
      notional: { min: "10", max: "0", minAppliesToMarket: false },
      price: { min: "0", max: "0", tick: "0" },
      maxOpenOrders: 0,
      timesInForce: ["GTC", "IOC", "FOK"],
    })
  })

  test("given a symbol that cannot be read, then it is named, and the others are there", () => {
    const good = (spotRow([]) as { symbols: object[] }).symbols
    const bad = (spotRow([{ filterType: "LOT_SIZE", minQty: "many" }], { symbol: "BAD" }) as { symbols: object[] }).symbols
    const decoded = decodeExchangeInfo({ symbols: [...bad, ...good] }, "spot")
    expect(decoded.unreadable).toEqual([{ symbol: "BAD", why: "minQty is no decimal" }])
    expect([...decoded.rules.keys()]).toEqual(["XUSDT"])
    expect(() => decodeExchangeInfo({ code: -1003 }, "spot")).toThrow(TypeError)
  })

  test("given a status other than TRADING, or spot trading switched off, then it does not trade", () => {
    expect(decodeExchangeInfo(spotRow([], { status: "BREAK" }), "spot").rules.get("XUSDT")?.trading).toBe(false)
    expect(decodeExchangeInfo(spotRow([], { isSpotTradingAllowed: false }), "spot").rules.get("XUSDT")?.trading).toBe(false)
  })
})

describe("the venue's own check of filters", () => {
  const spot = bundledRules("spot").get("BTCUSDT")
  const futures = bundledRules("futures").get("ETHUSDT")
  if (spot === undefined || futures === undefined) throw new Error("the bundle lacks a symbol")
  const on = { symbol: "BTCUSDT", now: () => 0 }
  const code = (market: "spot" | "futures", draft: Parameters<typeof requestFor>[1], price = "2000"): string | undefined =>
    checkOrder(requestFor({ ...on, market }, draft), market === "spot" ? spot : futures, price as DecimalString)?.code
  const limit = { type: "limit", timeInForce: "GTC" } as const

  test.each([
    ["a good order", "futures", { ...limit, price: "2000", quantity: "1" }, undefined],
    ["below the lowest price", "futures", { ...limit, price: "1", quantity: "100" }, "-4013"],
    ["above the highest price", "futures", { ...limit, price: "100000", quantity: "1" }, "-4002"],
    ["off the tick", "futures", { ...limit, price: "2000.001", quantity: "1" }, "-4014"],
    ["a trigger off the tick", "futures", { type: "stop", triggerPrice: "2100.001", quantity: "1" }, "-4014"],
    ["too small", "futures", { ...limit, price: "2000", quantity: "0.0001" }, "-4004"],
    ["too large", "futures", { ...limit, price: "2000", quantity: "10001" }, "-4005"],
    ["off the step", "futures", { ...limit, price: "2000", quantity: "1.0001" }, "-4023"],
    ["a buy above the cap", "futures", { ...limit, price: "2200.01", quantity: "1" }, "-4016"],
    ["a buy at the cap", "futures", { ...limit, price: "2200", quantity: "1" }, undefined],
    ["a buy far below: futures do not mind", "futures", { ...limit, price: "1000", quantity: "1" }, undefined],
    ["a sell below the floor", "futures", { ...limit, side: "sell", price: "1799.99", quantity: "1" }, "-4024"],
    ["less than the least notional", "futures", { ...limit, price: "1900", quantity: "0.01" }, "-4164"],
    ["the same, reduce-only", "futures", { ...limit, price: "1900", quantity: "0.01", reduceOnly: true }, undefined],
    ["a market order by the market's price", "futures", { quantity: "0.009" }, "-4164"],
    ["an iceberg on futures", "futures", { ...limit, price: "2000", quantity: "1", icebergQuantity: "0.1" as DecimalString }, "-1013"],
    ["a market order beyond MARKET_LOT_SIZE", "spot", { quantity: "130" }, "-1013"],
    ["a limit order of that size", "spot", { ...limit, price: "2000", quantity: "130" }, undefined],
    ["a spot buy below the band", "spot", { ...limit, price: "399", quantity: "1" }, "-1013"],
    [
      "a spot iceberg of eleven parts",
      "spot",
      { ...limit, price: "2000", quantity: "1", icebergQuantity: "0.095" as DecimalString },
      "-1013",
    ],
    ["a spot iceberg of ten parts", "spot", { ...limit, price: "2000", quantity: "1", icebergQuantity: "0.1" as DecimalString }, undefined],
    ["a time in force on a market order", "spot", { quantity: "1", timeInForce: "IOC" }, "-1106"],
    ["a price on a market order", "spot", { quantity: "1", price: "2000" }, "-1106"],
    ["a stop without a trigger", "spot", { type: "stop", quantity: "1" }, "-1102"],
    ["nothing", "spot", { quantity: "0" }, "-4003"],
  ] as const)("given %s (%s), then %o is answered with %s", (_what, market, draft, expected) => {
    expect(code(market, draft)).toBe(expected)
  })
})
