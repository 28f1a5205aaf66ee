/** What publishers of other engines write beside, or instead of, the fields of a signal: it must not be ignored. */
import { describe, expect, it } from "vitest"
import { decodeWith, errorOf, type Fields, signalWith, wrongFields } from "./helpers.ts"

describe("words of other engines", () => {
  it.each([
    [{ market_position: "flat" }, "buy"],
    [{ market_position: "short" }, "buy"],
    [{ market_position: "long" }, "sell"],
    [{ order_side: "SELL" }, "buy"],
    [{ trade_direction: "short" }, "buy"],
    [{ is_short: true }, "buy"],
    [{ long: true }, "sell"],
    [{ signal: "EXIT" }, "sell"],
    [{ intent: "close" }, "sell"],
    [{ type: "exit" }, "sell"],
    [{ type: "Sell" }, "buy"],
    [{ close_only: true }, "sell"],
    [{ isExit: true }, "sell"],
  ])("given %j with the action %s, it is refused: what only closes must not open", (fields: Fields, action) =>
    expect(wrongFields({ ...fields, action })).toEqual(Object.keys(fields)),
  )
  it.each([
    [{ market_position: "long", prev_market_position: "flat" }, "buy"],
    [{ market_position: "flat" }, "close"],
    [{ market_position: "short" }, "sell"],
    [{ order_side: "BUY", is_long: true, short: false }, "buy"],
    [{ is_short: true }, "close"],
    [{ signal: "buy" }, "buy"],
    [{ signal: "ema_cross", intent: "momentum", command: 7 }, "buy"],
    [{ signal: { name: "rsi" } }, "buy"],
    [{ type: "entry" }, "buy"],
    [{ reduce_only: true }, "close"],
    [{ reduceOnly: true, close_position: "true", close_only: 1 }, "close"],
  ])("given %j with the action %s, which says what happens anyway, it is recorded", (fields: Fields, action) =>
    expect(JSON.parse(signalWith({ ...fields, action }).extras ?? "{}")).toEqual(fields),
  )
  it.each([
    { is_test: true },
    { test: true },
    { test: "true" },
    { demo: 1 },
    { backtest: true },
    { paperTrade: true },
    { is_dry_run: "yes" },
    { live: false },
    { isLive: "false" },
    { mode: "paper" },
    { trading_mode: "Dry-Run" },
    { environment: "backtest" },
    { env: "testnet" },
  ])("given %j, it is refused: real money must not follow a test", (fields: Fields) => {
    const name = Object.keys(fields)[0] ?? ""
    expect(errorOf(fields, name).expected).toContain("simulate true")
  })
  it.each([
    { test: "walk-forward" },
    { test: false },
    { backtest: { sharpe: 1.4 } },
    { live: true },
    { mode: "live" },
    { mode: "ml_light" },
    { environment: "production" },
    { trading_mode: "futures" },
  ])("given %j, it is recorded", (fields: Fields) => expect(JSON.parse(signalWith(fields).extras ?? "{}")).toEqual(fields))
  it.each([
    "contracts",
    "stake_amount",
    "lots",
    "order_qty",
    "orderSize",
    "base_amount",
    "quote_amount",
    "amount_usdt",
    "size_pct",
    "risk_percent",
    "tp1",
    "TP 2",
    "sl_price",
    "tp-price",
    "target_1",
    "trail_offset",
    "breakeven",
    "order_price",
    "entry_zone",
    "ord_type",
    "maker_only",
    "inst_type",
    "expiry",
    "expires_in",
    "valid_for",
    "cancel_after_seconds",
    "goodTilDate",
    "ttl_ms",
    "delay_seconds",
    "slippage_tolerance",
    "lever",
    "trigger_by",
    "iceberg",
  ])("given %s, as other programs write a size, stop, price or time-out, it is refused by name", (name) =>
    expect(wrongFields({ [name]: 7 })).toEqual([name]),
  )
  it.each(["quantity\u200b", "\ufeffquantity", "ｑｕａｎｔｉｔｙ", "stop_lоss", "stop loss %", "$price", "SL%"])(
    "given %j, which only looks like a field or is decorated, it is refused",
    (name) => expect(decodeWith({ [name]: 7 })._tag).toBe("Rejected"),
  )
  it.each([
    "ts",
    "time",
    "createdAt",
    "created_at",
    "Time",
    "DateTime",
    "signalTimestamp",
    "timestamp_ms",
    "timestampMs",
    "unix_time",
    "epoch",
    "sent_at",
    "timenow",
    "bar_time",
    "timestamp_utc",
  ])("given %s instead of a timestamp, it is refused: an old signal must not be taken for a fresh one", (name) => {
    expect(wrongFields({ timestamp: undefined, [name]: 1_763_856_000 })).toEqual([name])
    expect(wrongFields({ timestamp: null, [name]: "2025-11-23T00:00:00Z" })).toEqual([name])
    expect(decodeWith({ [name]: 1_763_856_000 })._tag).toBe("Signal")
  })
})
