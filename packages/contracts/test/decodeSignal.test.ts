/** Every rule of docs/signals about single fields and their combinations. */
import { describe, expect, it } from "vitest"
import { FIELD_ERRORS_MAX, REFUSED_FIELDS, TRACE_MAX_LENGTH } from "../src/index.ts"
import {
  BASE,
  CURL_LINE,
  decodeText,
  decodeWith,
  errorOf,
  expectRejected,
  expectSignal,
  type Fields,
  HTTP_ARRIVAL,
  SPECIFICATION_EXAMPLE,
  signalWith,
  wrongFields,
} from "./helpers.ts"

describe("what publishers send", () => {
  it("given the specification's example, it is a signal with the document's defaults", () => {
    expect(expectSignal(decodeText(SPECIFICATION_EXAMPLE)).signal).toEqual({
      strategyId: "volume_surge_breakout",
      symbol: "BTCUSDT",
      market: "futures",
      action: "buy",
      confidence: "0.85",
      price: "50000",
      currentPrice: "50000",
      orderType: "limit",
      timeInForce: "GTC",
      quantity: "0.001",
      stopLoss: "49000",
      takeProfit: "51500",
      simulate: false,
      timestampMs: Date.UTC(2024, 0, 1),
      timestampFrom: "signal",
      extras: '{"timeframe":"15m","indicators":{"rsi":61.25},"metadata":{"note":"x"}}',
    })
  })

  it("given the specification's curl line, the time is that of the arrival", () => {
    const { signal, identity } = expectSignal(decodeText(CURL_LINE, { arrival: HTTP_ARRIVAL }))
    expect(signal).toMatchObject({ currentPrice: "50000", timestampMs: HTTP_ARRIVAL.streamTimeMs, timestampFrom: "arrival" })
    expect(identity.kind).toBe("arrival")
  })

  it("given the TA bot's shape, it is a signal: nulls, quantity 0.0, trace headers", () => {
    const { signal } = expectSignal(
      decodeText(`{"id": null, "signal_id": null, "intent_id": "i-1", "strategy_id": "ichimoku_cloud", "symbol": "ETHUSDT",
        "action": "sell", "confidence": 0.74, "price": 3012.5, "current_price": 3012.5, "quantity": 0.0, "source": "ta_bot",
        "strategy": "ichimoku_cloud", "strategy_mode": "deterministic", "strength": "medium", "timeframe": "15m",
        "order_type": "market", "time_in_force": "GTC", "stop_loss": 3072.75, "take_profit": 2892.0, "stop_loss_pct": null,
        "take_profit_pct": null, "position_size_pct": null, "target_price": null, "conditional_price": null,
        "recommended_leverage": 3, "indicators": {"atr": null, "rsi": 71.3}, "metadata": {}, "rationale": null,
        "timestamp": "2025-11-23T00:00:00.123456+00:00", "_otel_trace_headers": {"traceparent": "00-aa-bb-01"}}`),
    )
    expect(signal).toMatchObject({
      strategyId: "ichimoku_cloud",
      action: "sell",
      orderType: "market",
      timestampMs: Date.UTC(2025, 10, 23, 0, 0, 0, 123),
      trace: '{"traceparent":"00-aa-bb-01"}',
    })
    expect(signal.quantity).toBeUndefined()
    expect(signal.id).toBeUndefined()
    expect(JSON.parse(signal.extras ?? "{}")).toMatchObject({ intent_id: "i-1", recommended_leverage: 3, strength: "medium" })
  })

  it("given the realtime strategies' shape, it is a signal: a name with spaces, id and signal_id the same", () => {
    const { signal, identity } = expectSignal(
      decodeText(`{"id": "5f0c-1", "signal_id": "5f0c-1", "strategy_id": "Iceberg Order Detector", "strategy": "Iceberg Order Detector",
        "symbol": "BTCUSDT", "action": "buy", "confidence": 0.81, "price": 67000.0, "current_price": 67000.0, "quantity": 0.001492537,
        "stop_loss": 65660.0, "take_profit": 70350.0, "stop_loss_pct": 0.02, "take_profit_pct": 0.05, "timeframe": "1m",
        "order_type": "market", "source": "realtime", "strength": "strong", "metadata": {"timeframe": "tick"},
        "timestamp": "2025-11-23T00:00:00", "_otel_trace_context": {"traceparent": "00-cc-dd-01"}}`),
    )
    expect(signal).toMatchObject({ strategyId: "Iceberg Order Detector", id: "5f0c-1", trace: '{"traceparent":"00-cc-dd-01"}' })
    expect(signal).toMatchObject({ stopLoss: "65660", stopLossPct: "0.02", takeProfit: "70350", takeProfitPct: "0.05" })
    expect(identity.kind).toBe("id")
  })

  it("given petrosa-cio's shape, it is a signal: decision_id, unrounded quantity, prices and percentages that disagree", () => {
    const { signal } = expectSignal(
      decodeText(`{"strategy_id": "momentum_pulse", "decision_id": "0a1b2c", "symbol": "SOLUSDT", "action": "buy", "confidence": 0.9,
        "strength": "strong", "strategy_mode": "llm_reasoning", "price": 143.27, "current_price": 143.27,
        "quantity": 3.4898443498290639, "stop_loss": 139.0, "stop_loss_pct": 0.02, "take_profit": 150.4, "take_profit_pct": 0.04,
        "source": "petrosa-cio", "strategy": "momentum_pulse", "order_type": "market",
        "metadata": {"correlation_id": "c", "decision_id": "0a1b2c", "cio_justification": "j", "thought_trace": "t", "original_size_usd": 500},
        "timestamp": 1763856000.25}`),
    )
    expect(signal).toMatchObject({ id: "0a1b2c", decisionId: "0a1b2c", quantity: "3.4898443498290639", timestampMs: 1_763_856_000_250 })
  })
})

describe("needed fields", () => {
  it("given an empty object, it names all five at once", () => {
    const rejected = expectRejected(decodeText("{}"))
    expect(rejected.code).toBe("INVALID_FIELDS")
    expect(rejected.fields.map((error) => error.field)).toEqual(["strategy_id", "symbol", "action", "confidence", "price"])
    expect(rejected.fields[0]).toMatchObject({ received: "nothing" })
  })
  it.each(["strategy_id", "symbol", "action", "confidence", "price"])("given %s null, it is missed once", (name) => {
    expect(expectRejected(decodeWith({ [name]: null })).fields).toEqual([expect.objectContaining({ field: name, received: "null" })])
  })
  it("given many wrong fields, it names every one, with what was expected and what came", () => {
    expect(expectRejected(decodeWith({ confidence: 85, price: -1, quantity: true, symbol: "B", market: "moon" })).fields).toEqual([
      { field: "symbol", expected: expect.stringContaining("BTCUSDT"), received: '"B"' },
      { field: "confidence", expected: expect.stringContaining("0 to 1"), received: "85" },
      { field: "price", expected: expect.stringContaining("above 0"), received: "-1" },
      { field: "quantity", expected: expect.stringContaining("above 0"), received: "true" },
      { field: "market", expected: "spot or futures", received: '"moon"' },
    ])
  })
  it("given a wrong value, what is shown of it is short and has no control characters", () => {
    const { received } = errorOf({ action: `buy\u001b[31m\n${"x".repeat(1000)}` }, "action")
    expect(received.length).toBeLessThanOrEqual(80)
    expect(received).not.toMatch(/\p{Cc}/u)
    expect(errorOf({ action: { a: 1 } }, "action").received).toBe("an object of 1")
  })
  it.each([
    ["BTCUSDT\u200b", '"BTCUSDT\\u200b"'],
    ["BTC\u00a0USDT", '"BTC\\u00a0USDT"'],
    ["\u0412\u0422\u0421USDT", '"\\u0412\\u0422\\u0421USDT"'],
    ["比特币", '"比特币"'],
  ])("given the symbol %j, what cannot be seen of it is shown", (symbol, received) => {
    expect(errorOf({ symbol }, "symbol").received).toBe(received)
  })
  it("given thousands of wrong fields, the list is bounded", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`trailing_${i}`, 1]))
    expect(wrongFields(many)).toHaveLength(FIELD_ERRORS_MAX)
  })
})

const strategyId = (value: unknown) => ({ strategy_id: value })
describe("strategy_id", () => {
  it.each(["s", "Iceberg Order Detector", "стратегия №1", "策略", "a/b.c*>", "🚀".repeat(200), " padded "])(
    "given %j, it is kept as it is",
    (name) => {
      expect(signalWith(strategyId(name)).strategyId).toBe(name)
    },
  )
  it.each([
    ["empty", ""],
    ["blank", " \u00a0 "],
    ["201 characters", "x".repeat(201)],
    ["201 characters outside the basic plane", "🚀".repeat(201)],
    ["a line feed", "a\nb"],
    ["a NUL", "a\u0000"],
    ["an escape", "\u001b[31m"],
    ["a C1 control", "a\u0085b"],
    ["a line separator", "a\u2028b"],
    ["a direction override", "a\u202eb"],
    ["a number", 7],
    ["a boolean", true],
    ["an array", ["a"]],
  ])("given %s, it is a field error", (_, value) => expect(wrongFields(strategyId(value))).toEqual(["strategy_id"]))
})

describe("symbol", () => {
  it.each([
    ["BTCUSDT", "BTCUSDT"],
    ["btcusdt", "BTCUSDT"],
    [" BtcUsdt\n", "BTCUSDT"],
    ["1000PEPEUSDT", "1000PEPEUSDT"],
    ["BTC/USDT", "BTCUSDT"],
    ["eth-usdt", "ETHUSDT"],
  ])("given %j, it is %s", (written, symbol) => expect(signalWith({ symbol: written }).symbol).toBe(symbol))
  it.each([
    "",
    "B",
    "BTC_USDT",
    "BTCUSDT_240329",
    "BINANCE:BTCUSDT",
    "BTC/USDT:USDT",
    "BTCUSDT.P",
    "BTC USDT",
    "BTC//USDT",
    "BTC-USDT-SWAP",
    "/USDT",
    "ßUSDT",
    "ıUSDT",
    "X".repeat(31),
    7,
    null,
  ])("given %j, it is a field error", (symbol) => expect(wrongFields({ symbol })).toEqual(["symbol"]))
})

describe("action", () => {
  it.each([
    ["buy", "buy"],
    ["BUY", "buy"],
    [" Buy ", "buy"],
    ["long", "buy"],
    ["OPEN_LONG", "buy"],
    ["open-long", "buy"],
    ["Enter Long", "buy"],
    ["go_long", "buy"],
    ["sell", "sell"],
    ["SELL", "sell"],
    ["short", "sell"],
    ["OPEN_SHORT", "sell"],
    ["enter_short", "sell"],
    ["go_short", "sell"],
    ["hold", "hold"],
    ["HOLD", "hold"],
    ["neutral", "hold"],
    ["no_action", "hold"],
    ["close", "close"],
    ["CLOSE", "close"],
    ["exit", "close"],
    ["flat", "close"],
    ["flatten", "close"],
    ["close_position", "close"],
    ["exit_position", "close"],
  ])("given %j, it is %s", (written, action) => expect(signalWith({ action: written }).action).toBe(action))
  it.each([
    "",
    "buyy",
    "bullish",
    "close_long",
    "CLOSE_SHORT",
    "exit_long",
    "strong_buy",
    "constructor",
    "__proto__",
    "toString",
    1,
    true,
    ["buy"],
  ])("given %j, it is a field error, never a guess", (action) => expect(wrongFields({ action })).toEqual(["action"]))
})

describe("numbers", () => {
  it.each([
    ["0.81", "0.81"],
    ["0.810", "0.81"],
    ["8.1e-1", "0.81"],
    [".5", "0.5"],
    ["1", "1"],
    ["0", "0"],
  ])("given the confidence as text %j, it is %s", (confidence, exact) => expect(signalWith({ confidence }).confidence).toBe(exact))

  it("given 85, the field error says that it is a share", () => {
    expect(errorOf({ confidence: 85 }, "confidence")).toMatchObject({ expected: expect.stringContaining("85 % is 0.85"), received: "85" })
  })

  it.each([
    ["67000.0", "67000"],
    ["6.7e4", "67000"],
    ["0.00000001", "0.00000001"],
    ["1e-8", "0.00000001"],
    ["67000.123456789012345678", "67000.123456789012345678"],
    ["9007199254740993", "9007199254740993"],
  ])("given a price written %s, it is exactly %s", (written, exact) => {
    const text = JSON.stringify(BASE).replace('"price":50000', `"price":${written}`)
    expect(expectSignal(decodeText(text)).signal.price).toBe(exact)
    expect(signalWith({ price: written }).price).toBe(exact)
  })

  const WRONG = [
    true,
    false,
    "NaN",
    "Infinity",
    "-Infinity",
    "nan",
    "1,5",
    "0x10",
    "12abc",
    "",
    " 1",
    "1 ",
    [],
    {},
    [1],
    "1".repeat(65),
    "1e400",
  ]
  const fields: Readonly<Record<string, readonly unknown[]>> = {
    confidence: [...WRONG, -0.1, 1.0000000001, 85],
    price: [...WRONG, 0, -1, "0", "0.0", "-5"],
    current_price: [...WRONG, 0, -1],
    quantity: [...WRONG, -1, "-0.001"],
    quote_quantity: [...WRONG, -1],
    iceberg_quantity: [...WRONG, -1],
    position_size_pct: [...WRONG, -0.1, 1.1, 2],
    stop_loss: [...WRONG, 0, -1],
    take_profit: [...WRONG, 0, -1],
    stop_loss_pct: [...WRONG, 0, -0.1, 1.1, 2],
    take_profit_pct: [...WRONG, 0, -0.1, 1.1, 5],
    conditional_timeout: [...WRONG, 0, -1, 1.5, "1.5", 2_592_001],
  }
  for (const [field, values] of Object.entries(fields)) {
    it.each(values.map((value) => [value]))(`given ${field} %j, it is a field error`, (value) =>
      expect(wrongFields({ [field]: value })).toEqual([field]),
    )
    it(`given ${field} null, only a needed field is missed`, () => {
      const result = decodeWith({ [field]: null })
      expect(result._tag).toBe(field === "confidence" || field === "price" ? "Rejected" : "Signal")
    })
  }
  it.each(["NaN", "Infinity", "-Infinity"])("given the literal %s, it is no JSON", (literal) => {
    expect(expectRejected(decodeText(JSON.stringify(BASE).replace("50000", literal))).code).toBe("NOT_JSON")
  })
})

describe("defaults", () => {
  it("given no current_price, it is the price", () => {
    expect(signalWith({ price: "1.50" }).currentPrice).toBe("1.5")
    expect(signalWith({ current_price: 2 }).currentPrice).toBe("2")
  })
  it("given no market, it is DEFAULT_MARKET", () => {
    expect(signalWith({}).market).toBe("futures")
    expect(signalWith({}, { defaultMarket: "spot" }).market).toBe("spot")
    expect(signalWith({ market: "SPOT" }).market).toBe("spot")
    expect(signalWith({ market: "perp" }, { defaultMarket: "spot" }).market).toBe("futures")
    expect(wrongFields({ market: "margin" })).toEqual(["market"])
  })
  it("given no order_type, it is DEFAULT_ORDER_TYPE", () => {
    expect(signalWith({}).orderType).toBe("limit")
    expect(signalWith({ order_type: null }, { defaultOrderType: "market" }).orderType).toBe("market")
  })
  it.each([
    [null, "GTC"],
    ["GTC", "GTC"],
    ["ioc", "IOC"],
    ["FOK", "FOK"],
    ["gtx", "GTX"],
  ])("given time_in_force %j, it is %s", (written, timeInForce) =>
    expect(signalWith({ time_in_force: written }).timeInForce).toBe(timeInForce),
  )
  it.each(["GTD", "GTE_GTC", "", "day", 1])("given time_in_force %j, it is a field error", (tif) => {
    expect(wrongFields({ time_in_force: tif })).toEqual(["time_in_force"])
  })
})

describe("order types and triggers", () => {
  const trigger = { trigger_price: 51000 }
  it.each([
    ["market", {}, "market"],
    ["MARKET", {}, "market"],
    ["limit", {}, "limit"],
    ["stop", trigger, "stop"],
    ["STOP_MARKET", trigger, "stop"],
    ["stop_loss", trigger, "stop"],
    ["stop_limit", trigger, "stop_limit"],
    ["Stop-Limit", trigger, "stop_limit"],
    ["STOP_LOSS_LIMIT", trigger, "stop_limit"],
    ["take_profit", trigger, "take_profit"],
    ["TAKE_PROFIT_MARKET", trigger, "take_profit"],
    ["take_profit_limit", trigger, "take_profit_limit"],
  ])("given %s, it is %o %s", (order_type, more, type) => expect(signalWith({ order_type, ...more }).orderType).toBe(type))
  it.each(["", "limit_maker", "trailing_stop_market", "oco", "constructor", 1, true])(
    "given order_type %j, it is a field error",
    (order_type) => {
      expect(wrongFields({ order_type })).toEqual(["order_type"])
    },
  )

  for (const order_type of ["stop", "stop_limit", "take_profit", "take_profit_limit"]) {
    it(`given ${order_type} without a trigger price, it is refused; with any of its three names it is one`, () => {
      expect(wrongFields({ order_type })).toEqual(["trigger_price"])
      expect(wrongFields({ order_type, trigger_price: null })).toEqual(["trigger_price"])
      expect(wrongFields({ order_type, trigger_price: 0 })).toEqual(["trigger_price"])
      for (const name of ["trigger_price", "stop_price", "conditional_price"]) {
        expect(signalWith({ order_type, [name]: "51000.0" }).triggerPrice).toBe("51000")
      }
    })
  }
  for (const order_type of ["market", "limit", undefined]) {
    it.each(["trigger_price", "stop_price", "conditional_price"])(
      `given order_type ${order_type} and %s, it is refused unless null`,
      (name) => {
        expect(wrongFields({ order_type, [name]: 51000 })).toEqual([name])
        expect(signalWith({ order_type, [name]: null }).triggerPrice).toBeUndefined()
      },
    )
  }
  it("given two trigger prices, they must agree", () => {
    expect(signalWith({ order_type: "stop", trigger_price: 51000, stop_price: "51000.0" }).triggerPrice).toBe("51000")
    expect(wrongFields({ order_type: "stop", trigger_price: 51000, stop_price: 51001 })).toEqual(["stop_price"])
  })

  it.each([
    ["conditional_limit", "buy", "above", "stop_limit"],
    ["conditional_limit", "buy", "below", "take_profit_limit"],
    ["conditional_limit", "sell", "above", "take_profit_limit"],
    ["conditional_limit", "sell", "below", "stop_limit"],
    ["conditional_stop", "buy", "above", "stop"],
    ["conditional_stop", "buy", "below", "take_profit"],
    ["conditional_stop", "sell", "above", "take_profit"],
    ["CONDITIONAL_STOP", "SELL", "BELOW", "stop"],
  ])("given %s to %s when the price is %s, it is %s", (order_type, action, conditional_direction, type) => {
    const signal = signalWith({ order_type, action, conditional_direction, conditional_price: 51000 })
    expect(signal).toMatchObject({ orderType: type, triggerPrice: "51000" })
  })
  it("given a conditional type, it needs direction and price", () => {
    expect(wrongFields({ order_type: "conditional_limit", conditional_price: 1 })).toEqual(["conditional_direction"])
    expect(wrongFields({ order_type: "conditional_limit", conditional_price: 1, conditional_direction: null })).toEqual([
      "conditional_direction",
    ])
    expect(wrongFields({ order_type: "conditional_limit", conditional_price: 1, conditional_direction: "sideways" })).toEqual([
      "conditional_direction",
    ])
    expect(wrongFields({ order_type: "conditional_limit", conditional_direction: "above" })).toEqual(["trigger_price"])
  })
  it("given a direction with another type, it passes only when it is what the type means", () => {
    expect(signalWith({ order_type: "stop", trigger_price: 51000, conditional_direction: "above" }).orderType).toBe("stop")
    expect(wrongFields({ order_type: "stop", trigger_price: 51000, conditional_direction: "below" })).toEqual(["conditional_direction"])
    expect(wrongFields({ order_type: "limit", conditional_direction: "below" })).toEqual(["conditional_direction"])
  })
  it("given a close that would wait for a trigger, it is refused", () => {
    expect(wrongFields({ action: "close", order_type: "stop", trigger_price: 51000 })).toEqual(["order_type"])
    expect(signalWith({ action: "close", order_type: "market" }).action).toBe("close")
  })
  it.each([
    [60, 60],
    [60.0, 60],
    ["3600", 3600],
    ["3.6e3", 3600],
    [2_592_000, 2_592_000],
  ])("given conditional_timeout %j, the entry's time-out is %i s", (written, seconds) => {
    expect(signalWith({ conditional_timeout: written }).entryTimeoutS).toBe(seconds)
  })
})

describe("size", () => {
  it.each(["quantity", "quote_quantity", "position_size_pct", "iceberg_quantity"])('given %s 0, 0.0, "0" or null, it is absent', (name) => {
    for (const value of [0, "0.0", "0", null]) {
      const { quantity, quoteQuantity, positionSizePct, icebergQuantity } = signalWith({ [name]: value })
      expect([quantity, quoteQuantity, positionSizePct, icebergQuantity]).toEqual([undefined, undefined, undefined, undefined])
    }
  })
  it("given all sizes, all are kept: which one counts is decided later", () => {
    expect(signalWith({ quantity: 0.1, quote_quantity: "250.50", position_size_pct: 1, iceberg_quantity: 0.05 })).toMatchObject({
      quantity: "0.1",
      quoteQuantity: "250.5",
      positionSizePct: "1",
      icebergQuantity: "0.05",
    })
  })
})

describe("indicators.atr", () => {
  it("given an entry without its own stop or target, it is taken, exactly", () => {
    expect(signalWith({ indicators: { atr: 320.5 } }).atr).toBe("320.5")
    expect(signalWith({ indicators: { atr: "320.50" }, stop_loss: 49000 }).atr).toBe("320.5")
    expect(signalWith({ indicators: { atr: null } }).atr).toBeUndefined()
  })
  it.each([0, -1, "NaN", true, {}, ""])("given %j where it has effect, it is refused", (atr) => {
    expect(wrongFields({ indicators: { atr } })).toEqual(["indicators.atr"])
    expect(wrongFields({ indicators: { atr }, take_profit_pct: 0.05 })).toEqual(["indicators.atr"])
  })
  it("given one where it has no effect, it is only recorded", () => {
    const own = { stop_loss: 49000, take_profit_pct: 0.05, indicators: { atr: 0 } }
    expect(signalWith(own)).toMatchObject({ extras: '{"indicators":{"atr":0}}' })
    expect(signalWith({ action: "hold", indicators: { atr: -1 } }).atr).toBeUndefined()
    expect(signalWith({ action: "close", indicators: { atr: -1 } }).atr).toBeUndefined()
  })
  it.each(["indicators", "meta", "metadata"])(
    "given %s that is no object, it is a field error: encoded twice, it would be ignored",
    (name) => {
      for (const value of ['{"atr":1}', [1], 1, true]) expect(wrongFields({ [name]: value })).toEqual([name])
      expect(decodeWith({ [name]: null })._tag).toBe("Signal")
    },
  )
})

describe("simulate", () => {
  it.each([
    [{}, false],
    [{ simulate: true }, true],
    [{ simulate: false }, false],
    [{ simulate: null }, false],
    [{ meta: { simulate: true } }, true],
    [{ metadata: { simulate: true } }, true],
    [{ meta: { simulate: null } }, false],
    [{ simulate: true, meta: { simulate: true } }, true],
  ])("given %j, it is %j", (fields, simulate) => expect(signalWith(fields).simulate).toBe(simulate))
  it.each([
    [{ simulate: "true" }, "simulate"],
    [{ simulate: 1 }, "simulate"],
    [{ meta: { simulate: "yes" } }, "meta.simulate"],
    [{ metadata: { simulate: 1 } }, "metadata.simulate"],
    [{ simulate: false, meta: { simulate: true } }, "meta.simulate"],
    [{ meta: { simulate: true }, metadata: { simulate: false } }, "metadata.simulate"],
  ])("given %j, it is refused: real money must not hang on a guess", (fields: Fields, name) => expect(wrongFields(fields)).toEqual([name]))
})

describe("fields that would change the trade", () => {
  it.each(Object.keys(REFUSED_FIELDS).map((name) => [name]))(
    "given %s that asks for something, it is refused by name; null, false, blank and 0 pass",
    (name) => {
      const asking = name === "type" ? "stop_limit" : "7"
      expect(wrongFields({ [name]: asking })).toEqual([name])
      for (const value of [null, false, "", 0, [], {}]) expect(decodeWith({ [name]: value })._tag).toBe("Signal")
    },
  )
  it.each([
    { reduce_only: true },
    { position_side: "LONG" },
    { leverage: 20 },
    { close_position: true },
    { trailing_stop_pct: 0.01 },
    { take_profit_2: 53000 },
    { stop_loss_type: "trailing" },
  ])("given %j, it is refused by name", (fields) => expect(wrongFields(fields)).toEqual(Object.keys(fields)))
  it.each([
    ["stopLoss", 49000, "stop_loss"],
    ["Stop-Loss", 49000, "stop_loss"],
    ["takeProfit", 51000, "take_profit"],
    ["Quantity", 1, "quantity"],
    ["orderType", "market", "order_type"],
    ["timeInForce", "IOC", "time_in_force"],
    ["signalId", "abc", "signal_id"],
    ["Market", "spot", "market"],
    ["Simulate", true, "simulate"],
  ])("given %s, it is refused with the right spelling", (name, value, right) => {
    expect(errorOf({ [name]: value }, name).expected).toBe(`to be written ${right}`)
    expect(decodeWith({ [name]: null })._tag).toBe("Signal")
  })
  it("given another spelling of a refused field, it is refused too", () => {
    expect(wrongFields({ reduceOnly: true, PositionSide: "SHORT" })).toEqual(["reduceOnly", "PositionSide"])
  })
  it.each([
    { side: "BUY" },
    { side: "long" },
    { direction: "long" },
    { target_price: 50000.0 },
    { target_price: "5e4" },
    { entry_price: 50000 },
    { limit_price: "50000.00" },
    { type: "signal" },
    { type: "trading_signal" },
    { exchange: "Binance" },
    { venue: "binance" },
    { position_side: "BOTH" },
    { recommended_leverage: 10 },
  ])("given %j, which says what happens anyway, it is recorded", (fields) => {
    expect(JSON.parse(signalWith(fields).extras ?? "{}")).toEqual(fields)
  })
  it.each([
    { side: "sell" },
    { side: "both" },
    { direction: "short" },
    { direction: "above" },
    { target_price: 50001 },
    { type: "market" },
    { type: "CONDITIONAL_STOP" },
    { exchange: "kraken" },
  ])("given %j, which says something else, it is refused", (fields) => expect(wrongFields(fields)).toEqual(Object.keys(fields)))
})

describe("everything else", () => {
  it("given unknown fields, they are kept as they came, numbers exact, in their order", () => {
    const text = JSON.stringify(BASE).replace("}", ',"zeta":1.10,"alpha":{"b":[1e-7,null,"é\\n"],"a":12345678901234567890.0}}')
    expect(expectSignal(decodeText(text)).signal.extras).toBe('{"zeta":1.10,"alpha":{"b":[1e-7,null,"é\\n"],"a":12345678901234567890.0}}')
  })
  it("given what is recorded without effect, nothing of it is checked", () => {
    const recorded = {
      strength: "high",
      strategy_mode: 7,
      timeframe: "5y",
      source: [],
      strategy: {},
      signal_type: 1,
      rationale: "r",
      model_confidence: 99,
      model_features: 1,
      llm_reasoning: 1,
      llm_alternatives: "x",
      recommended_leverage: 100,
    }
    expect(JSON.parse(signalWith(recorded).extras ?? "{}")).toEqual(recorded)
  })
  it("given no such fields, there are no extras", () => expect(signalWith({}).extras).toBeUndefined())
  it("given trace context, it is kept apart, and left out when it is too long", () => {
    expect(signalWith({ _otel_trace_context: { traceparent: "a" }, _otel_trace_headers: { traceparent: "b" } })).toMatchObject({
      trace: '{"traceparent":"a"}',
    })
    expect(signalWith({ _otel_trace_context: "x".repeat(TRACE_MAX_LENGTH) }).trace).toBeUndefined()
    expect(signalWith({ _otel_trace_context: { a: 1 } }).extras).toBeUndefined()
  })
})
