/**
 * The written tables of spellings: what publishers write for an action, an order type, a market, a symbol, and which of
 * our words it is. What is not in a table is a field error, never a guess. Every row has a test.
 *
 * Left out on purpose: `close_long`, `exit_short` and the like (a `close` closes whatever the strategy holds of the
 * symbol: a close of one side only would be ignored half-way), `bullish` (an opinion, not an order), `limit_maker` (write
 * `limit` with `time_in_force` GTX), and Binance's `TRAILING_STOP_MARKET`.
 */
import type { Action, Market, OrderType, TimeInForce } from "./signal.ts"

/** How words are compared: case, and `-`, space or `_` between words, do not matter. */
export const folded = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, "_")

export const ACTION_SPELLINGS: Readonly<Record<string, Action>> = {
  buy: "buy",
  long: "buy",
  open_long: "buy",
  enter_long: "buy",
  go_long: "buy",
  sell: "sell",
  short: "sell",
  open_short: "sell",
  enter_short: "sell",
  go_short: "sell",
  hold: "hold",
  neutral: "hold",
  no_action: "hold",
  close: "close",
  exit: "close",
  flat: "close",
  flatten: "close",
  close_position: "close",
  exit_position: "close",
}

/** `stop` is the stop-market order of the specification, also where it is written in capitals (Binance futures' `STOP` has a limit). */
export const ORDER_TYPE_SPELLINGS: Readonly<Record<string, OrderType>> = {
  market: "market",
  limit: "limit",
  stop: "stop",
  stop_market: "stop",
  stop_loss: "stop",
  stop_limit: "stop_limit",
  stop_loss_limit: "stop_limit",
  take_profit: "take_profit",
  take_profit_market: "take_profit",
  take_profit_limit: "take_profit_limit",
}

export type ConditionalType = "conditional_limit" | "conditional_stop"
export type Direction = "above" | "below"

/**
 * A conditional order waits until the price is `above` or `below` its trigger. Which trigger type that is depends on the
 * side: a buy above the market and a sell below it follow the price (stop), the other two wait for a better one (take profit).
 */
export const TRIGGER_TYPE_OF: Readonly<Record<ConditionalType, Readonly<Record<"buy" | "sell", Readonly<Record<Direction, OrderType>>>>>> =
  {
    conditional_limit: {
      buy: { above: "stop_limit", below: "take_profit_limit" },
      sell: { above: "take_profit_limit", below: "stop_limit" },
    },
    conditional_stop: {
      buy: { above: "stop", below: "take_profit" },
      sell: { above: "take_profit", below: "stop" },
    },
  }

/** The order types that rest until a trigger price is reached. */
export const TRIGGER_TYPES: ReadonlySet<OrderType> = new Set(["stop", "stop_limit", "take_profit", "take_profit_limit"])

/** Which way the price has to go for a trigger type to trigger. */
export const directionOf = (type: OrderType, side: "buy" | "sell"): Direction | undefined => {
  switch (type) {
    case "market":
    case "limit":
      return undefined
    case "stop":
    case "stop_limit":
      return side === "buy" ? "above" : "below"
    case "take_profit":
    case "take_profit_limit":
      return side === "buy" ? "below" : "above"
  }
}

export const MARKET_SPELLINGS: Readonly<Record<string, Market>> = {
  spot: "spot",
  futures: "futures",
  future: "futures",
  perp: "futures",
  perpetual: "futures",
  usdm: "futures",
  usds_m: "futures",
  usd_m: "futures",
}

export const TIME_IN_FORCE_SPELLINGS: Readonly<Record<string, TimeInForce>> = { gtc: "GTC", ioc: "IOC", fok: "FOK", gtx: "GTX" }

/** A word of a table, or `undefined`: also for `constructor` and other names that every object has. */
export const wordOf = <A>(table: Readonly<Record<string, A>>, text: string): A | undefined => {
  // Nearly all write a word as the table does, and a word of the table is its own folded form.
  if (Object.hasOwn(table, text)) return table[text]
  const key = folded(text)
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** `BTCUSDT` in any case, or base and quote with exactly one `/` or `-` between them (`btc/usdt`, `BTC-USDT`). */
export const SYMBOL_PATTERN = "^\\s*(?:[A-Za-z0-9]{2,30}|[A-Za-z0-9]{1,15}[/-][A-Za-z0-9]{1,15})\\s*$"
const SYMBOL = new RegExp(SYMBOL_PATTERN)

/** Whether a text is a symbol as exchanges write it already, as nearly all are. */
const isSymbol = (text: string): boolean => {
  if (text.length < 2 || text.length > 30) return false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (!((code >= 0x41 && code <= 0x5a) || (code >= 0x30 && code <= 0x39))) return false
  }
  return true
}

/**
 * The symbol as exchanges write it, or `undefined`. Refused: `BTC_USDT` (Binance's dated contracts have an underscore),
 * `BINANCE:BTCUSDT`, `BTC/USDT:USDT`, `BTCUSDT.P` (they name a market or exchange: say it in `market`), and anything that
 * is not ASCII (`ı` and `ß` turn into other letters in upper case).
 */
export const symbolOf = (text: string): string | undefined =>
  isSymbol(text) ? text : SYMBOL.test(text) ? text.trim().replace(/[/-]/, "").toUpperCase() : undefined

/** The symbol that somebody looks for: as in a signal, else (exchanges list other letters, too) the text itself in upper case. */
export const symbolAsked = (text: string): string => symbolOf(text) ?? text.toUpperCase()
