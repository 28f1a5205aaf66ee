/** Requests of the port as Binance's parameters: six order types, both sides, both markets, both position modes. */
import type { ClientOrderId, DecimalString, OrderType, SymbolRules } from "@petrosa/contracts"
import { describe, expect, test } from "vitest"
import { algoParams, kindOf, orderParams as futuresParams } from "../../src/binance-futures/orders.ts"
import { asAsked, ocoParams, otocoParams, orderParams as spotParams, wideLimit, withEmulated } from "../../src/binance-spot/orders.ts"
import { bundledRules } from "../../src/index.ts"
import type { PlaceRequest, VenueOrder } from "../../src/index.ts"

const request = (type: OrderType, more: Partial<PlaceRequest> = {}): PlaceRequest => ({
  clientOrderId: "ptTEST00000000000000000001E01" as ClientOrderId,
  leg: "entry",
  side: "buy",
  type,
  quantity: "0.01" as DecimalString,
  reduceOnly: false,
  symbol: "BTCUSDT",
  market: "futures",
  positionSide: "long",
  timestampMs: 1,
  receiveWindowMs: 2_500,
  ...(type.endsWith("limit") ? { price: "49900" as DecimalString } : {}),
  ...(type === "market" || type === "limit" ? {} : { triggerPrice: "50000" as DecimalString }),
  ...more,
})
const TRIGGERS = { stop: "MARK_PRICE", target: "CONTRACT_PRICE" } as const
const sent = (params: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))
const rules = bundledRules("spot").get("BTCUSDT") as SymbolRules

describe("futures", () => {
  test.each([
    ["market", "order", { type: "MARKET", newClientOrderId: "ptTEST00000000000000000001E01", newOrderRespType: "ACK" }],
    ["limit", "order", { type: "LIMIT", timeInForce: "GTC", price: "49900" }],
    ["stop", "algo", { type: "STOP_MARKET", triggerPrice: "50000", workingType: "MARK_PRICE", algoType: "CONDITIONAL" }],
    ["stop_limit", "algo", { type: "STOP", triggerPrice: "50000", price: "49900", timeInForce: "GTC", workingType: "MARK_PRICE" }],
    ["take_profit", "algo", { type: "TAKE_PROFIT_MARKET", triggerPrice: "50000", workingType: "CONTRACT_PRICE" }],
    ["take_profit_limit", "algo", { type: "TAKE_PROFIT", triggerPrice: "50000", price: "49900", workingType: "CONTRACT_PRICE" }],
  ] as const)("given %s, then it goes to the %s endpoint as Binance wants it", (type, kind, expected) => {
    expect(kindOf(type)).toBe(kind)
    const params = sent(kind === "order" ? futuresParams(request(type), "oneWay") : algoParams(request(type), "oneWay", TRIGGERS))
    expect(params).toMatchObject({ symbol: "BTCUSDT", side: "BUY", quantity: "0.01", recvWindow: "2500", ...expected })
    // Only limit forms have a time in force and a price; conditional orders have no stopPrice there.
    expect("timeInForce" in params).toBe(type.endsWith("limit"))
    expect("price" in params).toBe(type.endsWith("limit"))
    expect(params).not.toHaveProperty("stopPrice")
  })

  test.each(["market", "stop"] as const)(
    "given %s that reduces, then one-way says reduceOnly, hedge says the position side, never both",
    (type) => {
      const exit = request(type, { side: "sell", reduceOnly: true })
      const params = (mode: "oneWay" | "hedge") => sent(type === "market" ? futuresParams(exit, mode) : algoParams(exit, mode, TRIGGERS))
      expect(params("oneWay")).toMatchObject({ reduceOnly: "true" })
      expect(params("oneWay")).not.toHaveProperty("positionSide")
      expect(params("hedge")).toMatchObject({ positionSide: "LONG" })
      expect(params("hedge")).not.toHaveProperty("reduceOnly")
    },
  )
})

describe("spot", () => {
  test.each([
    ["market", { type: "MARKET" }],
    ["limit", { type: "LIMIT", timeInForce: "GTC", price: "49900" }],
    ["stop_limit", { type: "STOP_LOSS_LIMIT", timeInForce: "GTC", price: "49900", stopPrice: "50000" }],
    ["take_profit_limit", { type: "TAKE_PROFIT_LIMIT", timeInForce: "GTC", price: "49900", stopPrice: "50000" }],
    ["stop", { type: "STOP_LOSS", stopPrice: "50000" }],
    ["take_profit", { type: "TAKE_PROFIT", stopPrice: "50000" }],
  ] as const)("given %s, then it is as Binance wants it, with a full answer", (type, expected) => {
    const params = sent(spotParams(request(type, { market: "spot" }), rules))
    expect(params).toMatchObject({ ...expected, newOrderRespType: "FULL", recvWindow: "2500" })
    expect(params).not.toHaveProperty("reduceOnly")
    expect(params).not.toHaveProperty("positionSide")
    expect("timeInForce" in params).toBe(type.endsWith("limit"))
  })

  test("given post-only, then it is LIMIT_MAKER without a time in force", () => {
    const params = sent(spotParams(request("limit", { timeInForce: "GTX" }), rules))
    expect(params).toMatchObject({ type: "LIMIT_MAKER", price: "49900" })
    expect(params).not.toHaveProperty("timeInForce")
  })

  test("given a symbol without stops at market, then they are offered, and sent as stops with a limit far beyond, on the tick", () => {
    const poor: SymbolRules = { ...rules, orderTypes: ["limit", "market", "stop_limit", "take_profit_limit"] }
    expect(withEmulated(poor).orderTypes).toEqual(expect.arrayContaining(["stop", "take_profit"]))
    expect(withEmulated(rules)).toBe(rules)
    const exit = request("stop", { side: "sell", triggerPrice: "50000.01" as DecimalString })
    expect(sent(spotParams(exit, poor))).toMatchObject({
      type: "STOP_LOSS_LIMIT",
      timeInForce: "GTC",
      stopPrice: "50000.01",
      price: "47500.01",
    })
    expect(wideLimit("50000.01" as DecimalString, "buy", poor)).toBe("52500.01")
    const order = { type: "stop_limit", price: "47500.01" } as VenueOrder
    expect(asAsked(order, "stop")).toEqual({ type: "stop" })
    expect(asAsked(order, undefined)).toBe(order)
    expect(asAsked(order, "market")).toBe(order)
  })

  test("given stop and target as one list, then they stand on the right sides of the market", () => {
    const oco = (side: "sell" | "buy") =>
      sent(
        ocoParams(
          {
            symbol: "BTCUSDT",
            market: "spot",
            side,
            quantity: "0.01" as DecimalString,
            listClientOrderId: "list",
            stop: { clientOrderId: "s" as ClientOrderId, triggerPrice: (side === "sell" ? "49000" : "52000") as DecimalString },
            target: { clientOrderId: "t" as ClientOrderId, price: (side === "sell" ? "52000" : "49000") as DecimalString },
            timestampMs: 1,
            receiveWindowMs: 5_000,
          },
          rules,
        ),
      )
    expect(oco("sell")).toMatchObject({
      aboveType: "LIMIT_MAKER",
      abovePrice: "52000",
      aboveClientOrderId: "t",
      belowType: "STOP_LOSS",
      belowStopPrice: "49000",
      belowClientOrderId: "s",
    })
    expect(oco("buy")).toMatchObject({ aboveType: "STOP_LOSS", aboveStopPrice: "52000", belowType: "LIMIT_MAKER", belowPrice: "49000" })
  })

  test("given an entry with its bracket, then the entry works and the pair is pending, in Binance's words", () => {
    const request = (timeInForce: "GTC" | "GTX") =>
      sent(
        otocoParams(
          {
            entry: {
              clientOrderId: "e" as ClientOrderId,
              leg: "entry",
              side: "buy",
              type: "limit",
              timeInForce,
              quantity: "0.01" as DecimalString,
              price: "49500" as DecimalString,
              reduceOnly: false,
              symbol: "BTCUSDT",
              market: "spot",
              positionSide: "long",
              timestampMs: 1,
              receiveWindowMs: 5_000,
            },
            side: "sell",
            quantity: "0.00999" as DecimalString,
            listClientOrderId: "list",
            stop: { clientOrderId: "s" as ClientOrderId, triggerPrice: "48500" as DecimalString },
            target: { clientOrderId: "t" as ClientOrderId, price: "51000" as DecimalString },
          },
          rules,
        ),
      )
    expect(request("GTC")).toEqual({
      symbol: "BTCUSDT",
      listClientOrderId: "list",
      newOrderRespType: "FULL",
      workingType: "LIMIT",
      workingSide: "BUY",
      workingClientOrderId: "e",
      workingPrice: "49500",
      workingQuantity: "0.01",
      workingTimeInForce: "GTC",
      pendingSide: "SELL",
      pendingQuantity: "0.00999",
      pendingAboveType: "LIMIT_MAKER",
      pendingAboveClientOrderId: "t",
      pendingAbovePrice: "51000",
      pendingBelowType: "STOP_LOSS",
      pendingBelowClientOrderId: "s",
      pendingBelowStopPrice: "48500",
      recvWindow: "5000",
    })
    const postOnly = request("GTX")
    expect(postOnly).toMatchObject({ workingType: "LIMIT_MAKER" })
    expect(postOnly).not.toHaveProperty("workingTimeInForce")
  })
})
