/**
 * THE table of a signal's fields: the decoder, the JSON Schema and the docs are made from it.
 *
 * The rule it serves: a field that would change the trade either has effect or is refused by name; it is never ignored.
 * So there are three lists: fields with a meaning ({@link SIGNAL_FIELDS}), fields that ask for something this engine does
 * not do ({@link REFUSED_FIELDS}, {@link REFUSED_FAMILIES}), and everything else, which is recorded as it came. A field of
 * the first two that is spelt differently (`stopLoss`, `Quantity`, `reduceOnly`) is refused too, with the right spelling.
 */
import {
  ACTION,
  AMOUNT,
  ANYTHING,
  BOOLEAN,
  DIRECTION,
  DISTANCE,
  type FieldKind,
  FRACTION,
  ID,
  MARKET,
  NAME,
  OBJECT,
  ORDER_TYPE,
  POSITIVE,
  SECONDS,
  SHARE,
  SYMBOL,
  TIME_IN_FORCE,
  TIMESTAMP,
} from "./fieldKinds.ts"

/**
 * - `trade`: changes what is traded;
 * - `identity`: tells signals apart;
 * - `trace`: trace context, outside the identity;
 * - `recorded`: no effect on the trade, kept with the order as it came.
 */
export type FieldEffect = "trade" | "identity" | "trace" | "recorded"

export interface SignalField<out A> {
  readonly kind: FieldKind<A>
  readonly needed: boolean
  readonly effect: FieldEffect
  readonly meaning: string
}

const needed = <A>(kind: FieldKind<A>, meaning: string): SignalField<A> => ({ kind, needed: true, effect: "trade", meaning })
const trade = <A>(kind: FieldKind<A>, meaning: string): SignalField<A> => ({ kind, needed: false, effect: "trade", meaning })
const identity = <A>(kind: FieldKind<A>, meaning: string): SignalField<A> => ({ kind, needed: false, effect: "identity", meaning })
const recorded = (meaning: string) => ({ kind: ANYTHING, needed: false, effect: "recorded", meaning }) as const
const trace = (meaning: string) => ({ kind: ANYTHING, needed: false, effect: "trace", meaning }) as const

/** `null` means "absent" for every field. */
export const SIGNAL_FIELDS = {
  strategy_id: needed(NAME, "The strategy that asks; limits, lots and answers are kept by it."),
  symbol: needed(SYMBOL, "What to trade, as the exchange writes it; any case."),
  action: needed(ACTION, "buy, sell, hold (nothing happens) or close (what this strategy holds of the symbol)."),
  confidence: needed(FRACTION, "0 to 1; below MIN_CONFIDENCE the signal is declined."),
  price: needed(POSITIVE, "The price of the entry, in quote."),
  current_price: trade(POSITIVE, "The market's price as the strategy saw it, in quote; default: price."),
  market: trade(MARKET, "spot or futures; default: DEFAULT_MARKET."),
  order_type: trade(ORDER_TYPE, "Type of the entry; default: DEFAULT_ORDER_TYPE. Stop and take-profit types need trigger_price."),
  time_in_force: trade(TIME_IN_FORCE, "GTC (default), IOC, FOK or GTX (post-only)."),
  trigger_price: trade(POSITIVE, "The price at which a stop or take-profit entry triggers, in quote."),
  stop_price: trade(POSITIVE, "Another name of trigger_price."),
  conditional_price: trade(POSITIVE, "Another name of trigger_price."),
  conditional_direction: trade(DIRECTION, "above or below: makes conditional_limit and conditional_stop the matching trigger type."),
  conditional_timeout: trade(SECONDS, "When the unfilled rest of the entry is cancelled, seconds; default: ENTRY_TIMEOUT_SECONDS."),
  quantity: trade(AMOUNT, "Size in base; 0 and null: not given."),
  quote_quantity: trade(AMOUNT, "Size in quote, when quantity is not given."),
  position_size_pct: trade(SHARE, "Size as a share of the free balance (0 to 1), when neither quantity is given."),
  iceberg_quantity: trade(AMOUNT, "The visible part of a spot limit order, in base."),
  stop_loss: trade(POSITIVE, "Stop price, in quote."),
  stop_loss_pct: trade(DISTANCE, "Stop as a share of the entry price (0 to 1), when stop_loss is not given."),
  take_profit: trade(POSITIVE, "Target price, in quote."),
  take_profit_pct: trade(DISTANCE, "Target as a share of the entry price (0 to 1), when take_profit is not given."),
  indicators: trade(OBJECT, "indicators.atr (in quote) gives stop and target where the signal names none; the rest is recorded."),
  simulate: trade(BOOLEAN, "true: this order goes to the paper venue, whatever the mode. Also meta.simulate and metadata.simulate."),
  meta: trade(OBJECT, "Recorded; meta.simulate has effect."),
  metadata: trade(OBJECT, "Recorded; metadata.simulate has effect."),
  timestamp: identity(
    TIMESTAMP,
    "When the strategy decided: ISO 8601 (without a zone: UTC), epoch seconds or milliseconds; absent: the time of arrival.",
  ),
  signal_id: identity(ID, "The signal's own id: the same id is the same order, for ever."),
  id: identity(ID, "Its id, when there is no signal_id."),
  decision_id: identity(ID, "Its id, when there is neither; recorded beside the order."),
  client_order_id: identity(ID, "Its id, when there is none of the three."),
  _otel_trace_context: trace("Trace context of OpenTelemetry."),
  _otel_trace_headers: trace("Trace context, older name."),
  strength: recorded("weak, medium, strong, extreme."),
  strategy_mode: recorded("deterministic, ml_light, llm_reasoning."),
  timeframe: recorded("The strategy's timeframe."),
  source: recorded("Who published."),
  strategy: recorded("The strategy's display name."),
  signal_type: recorded("Deprecated."),
  rationale: recorded("Why."),
  recommended_leverage: recorded("An opinion: leverage is set by FUTURES_LEVERAGE only."),
  intent_id: recorded("The publisher's own."),
  model_confidence: recorded("Of the strategy's model."),
  model_features: recorded("Of the strategy's model."),
  llm_reasoning: recorded("Of the strategy's model."),
  llm_alternatives: recorded("Of the strategy's model."),
} as const satisfies Readonly<Record<string, SignalField<unknown>>>

export type SignalFieldName = keyof typeof SIGNAL_FIELDS
export type FieldValue<N extends SignalFieldName> = (typeof SIGNAL_FIELDS)[N] extends SignalField<infer A> ? A : never
/** What was read: a field that is absent, null or asks for nothing has no entry. */
export type FieldValues = { -readonly [N in SignalFieldName]?: FieldValue<N> }

/**
 * Fields that would change the trade and that this engine does not follow: refused by name when they ask for something
 * (null, false, blank, 0, `[]` and `{}` do not). The text says what to write instead.
 *
 * A few pass when what they say is what happens anyway ({@link SOMETIMES_FIELDS}): `side`, `direction` and the like that
 * agree with the action (`market_position` flat with a close), `reduce_only` and the like with a close, `target_price`,
 * `entry_price`, `limit_price` and `order_price` equal to the price, `type` unless it names an order type or another action,
 * `exchange` and `venue` that say binance, `position_side` BOTH. Fields that are refused for some values only: `contradictions.ts`.
 */
export const REFUSED_FIELDS = {
  reduce_only: "the action close (it is reduce-only)",
  close_position: "the action close",
  close_only: "the action close",
  exit_only: "the action close",
  close_all: "the action close",
  is_close: "the action close",
  is_exit: "the action close",
  position_side: "no position_side (the action says the side)",
  position_id: "no position_id (close closes what the strategy holds of the symbol)",
  side: "the same side as the action",
  direction: "the same side as the action",
  market_position: "the same side as the action",
  order_side: "the same side as the action",
  trade_side: "the same side as the action",
  entry_side: "the same side as the action",
  signal_side: "the same side as the action",
  trade_direction: "the same side as the action",
  position_direction: "the same side as the action",
  order_action: "the same side as the action",
  signal_action: "the same side as the action",
  type: "order_type",
  ord_type: "order_type",
  post_only: "time_in_force GTX",
  maker_only: "time_in_force GTX",
  tif: "time_in_force",
  target_price: "the limit price in price",
  entry_price: "the entry price in price",
  limit_price: "the limit price in price",
  order_price: "the limit price in price",
  entry_zone: "one entry price in price",
  entry_range: "one entry price in price",
  entries: "one entry price in price",
  activation_price: "no activation_price (there are no trailing orders)",
  activate_price: "no activate_price (there are no trailing orders)",
  callback_rate: "no callback_rate (there are no trailing orders)",
  amount: "quantity (base) or quote_quantity (quote)",
  qty: "quantity",
  size: "quantity (base) or quote_quantity (quote)",
  volume_to_trade: "quantity",
  contracts: "quantity",
  order_contracts: "quantity",
  lots: "quantity",
  lot_size: "quantity",
  units: "quantity",
  base_quantity: "quantity",
  base_qty: "quantity",
  base_amount: "quantity",
  base_size: "quantity",
  order_size: "quantity (base) or quote_quantity (quote)",
  order_qty: "quantity (base) or quote_quantity (quote)",
  order_quantity: "quantity (base) or quote_quantity (quote)",
  order_amount: "quantity (base) or quote_quantity (quote)",
  trade_size: "quantity (base) or quote_quantity (quote)",
  trade_amount: "quantity (base) or quote_quantity (quote)",
  position_amount: "quantity (base) or quote_quantity (quote)",
  position_qty: "quantity (base) or quote_quantity (quote)",
  position_size: "quantity, quote_quantity or position_size_pct",
  position_size_usd: "quote_quantity",
  size_usd: "quote_quantity",
  notional: "quote_quantity",
  usd_amount: "quote_quantity",
  usdt_amount: "quote_quantity",
  amount_usd: "quote_quantity",
  amount_usdt: "quote_quantity",
  size_usdt: "quote_quantity",
  usd_size: "quote_quantity",
  usdt_size: "quote_quantity",
  notional_usd: "quote_quantity",
  notional_usdt: "quote_quantity",
  quantity_usd: "quote_quantity",
  quantity_usdt: "quote_quantity",
  position_size_usdt: "quote_quantity",
  position_value: "quote_quantity",
  order_value: "quote_quantity",
  quote_amount: "quote_quantity",
  quote_size: "quote_quantity",
  quote_qty: "quote_quantity",
  stake_amount: "quote_quantity",
  stake: "quote_quantity",
  quote_order_qty: "quote_quantity",
  max_notional: "no max_notional (limits are settings)",
  risk_pct: "position_size_pct",
  risk_per_trade: "position_size_pct",
  risk_percent: "position_size_pct",
  risk_percentage: "position_size_pct",
  size_pct: "position_size_pct",
  size_percent: "position_size_pct",
  quantity_pct: "position_size_pct",
  qty_pct: "position_size_pct",
  position_pct: "position_size_pct",
  equity_pct: "position_size_pct",
  allocation: "position_size_pct",
  allocation_pct: "position_size_pct",
  risk_amount: "quantity, quote_quantity or position_size_pct",
  risk_usd: "quantity, quote_quantity or position_size_pct",
  iceberg_qty: "iceberg_quantity",
  visible_quantity: "iceberg_quantity",
  iceberg: "iceberg_quantity",
  display_quantity: "iceberg_quantity",
  sl: "stop_loss",
  sl_pct: "stop_loss_pct",
  sl_price: "stop_loss",
  sls: "one stop_loss",
  sl1: "one stop_loss",
  sl2: "one stop_loss",
  initial_stop: "stop_loss",
  stop_level: "stop_loss, or trigger_price for a stop entry",
  stop_distance: "stop_loss or stop_loss_pct",
  break_even: "no break_even (the stop stays where it is)",
  trail: "no trailing orders (stop_loss and take_profit)",
  trail_offset: "no trailing orders (stop_loss and take_profit)",
  trail_price: "no trailing orders (stop_loss and take_profit)",
  trail_points: "no trailing orders (stop_loss and take_profit)",
  trail_pct: "no trailing orders (stop_loss and take_profit)",
  trail_percent: "no trailing orders (stop_loss and take_profit)",
  stop: "stop_loss, or trigger_price for a stop entry",
  tp: "take_profit",
  tp_pct: "take_profit_pct",
  tp_price: "take_profit",
  tps: "one take_profit",
  tp1: "one take_profit",
  tp2: "one take_profit",
  tp3: "one take_profit",
  tp_targets: "one take_profit",
  profit_target: "take_profit",
  target: "take_profit",
  targets: "one take_profit",
  target1: "one take_profit",
  target2: "one take_profit",
  target3: "one take_profit",
  target_pct: "take_profit_pct",
  oco: "stop_loss and take_profit",
  margin_type: "no margin_type (FUTURES_MARGIN_TYPE is a setting)",
  margin_mode: "no margin_mode (FUTURES_MARGIN_TYPE is a setting)",
  lever: "no leverage (FUTURES_LEVERAGE is a setting)",
  lev: "no leverage (FUTURES_LEVERAGE is a setting)",
  working_type: "no working_type (it is a setting)",
  trigger_by: "no trigger_by (it is a setting)",
  price_protect: "no price_protect",
  price_match: "a price",
  self_trade_prevention_mode: "no self_trade_prevention_mode",
  max_slippage: "a limit order at the worst price",
  max_slippage_pct: "a limit order at the worst price",
  slippage: "a limit order at the worst price",
  slippage_bps: "a limit order at the worst price",
  max_slippage_bps: "a limit order at the worst price",
  slippage_pct: "a limit order at the worst price",
  slippage_tolerance: "a limit order at the worst price",
  good_till_date: "conditional_timeout (seconds)",
  good_til_date: "conditional_timeout (seconds)",
  good_till: "conditional_timeout (seconds)",
  gtd: "conditional_timeout (seconds)",
  expires_at: "conditional_timeout (seconds)",
  expire_at: "conditional_timeout (seconds)",
  expire_time: "conditional_timeout (seconds)",
  expiration: "conditional_timeout (seconds)",
  expiration_time: "conditional_timeout (seconds)",
  expires: "conditional_timeout (seconds)",
  expires_in: "conditional_timeout (seconds)",
  expiry: "conditional_timeout (seconds)",
  entry_expiry: "conditional_timeout (seconds)",
  valid_for: "conditional_timeout (seconds)",
  valid_till: "conditional_timeout (seconds)",
  deadline: "conditional_timeout (seconds)",
  time_to_live: "conditional_timeout (seconds)",
  valid_until: "conditional_timeout (seconds)",
  ttl: "conditional_timeout (seconds)",
  ttl_seconds: "conditional_timeout (seconds)",
  ttl_ms: "conditional_timeout (seconds)",
  cancel_after: "conditional_timeout (seconds)",
  cancel_after_seconds: "conditional_timeout (seconds)",
  entry_timeout: "conditional_timeout (seconds)",
  entry_timeout_seconds: "conditional_timeout (seconds)",
  order_timeout: "conditional_timeout (seconds)",
  timeout_seconds: "conditional_timeout (seconds)",
  timeout: "conditional_timeout (seconds)",
  execute_at: "the signal when it is to be executed",
  not_before: "the signal when it is to be executed",
  execute_after: "the signal when it is to be executed",
  scheduled_at: "the signal when it is to be executed",
  delay: "the signal when it is to be executed",
  delay_seconds: "the signal when it is to be executed",
  delay_ms: "the signal when it is to be executed",
  execution_algo: "no execution_algo",
  market_type: "market (spot or futures)",
  contract_type: "market (spot or futures)",
  inst_type: "market (spot or futures)",
  product_type: "market (spot or futures)",
  is_spot: "market (spot or futures)",
  is_futures: "market (spot or futures)",
  exchange: "no exchange but binance",
  venue: "no venue but binance",
  account: "no account (an engine has one)",
  account_id: "no account_id (an engine has one)",
  sub_account: "no sub_account (an engine has one)",
  dry_run: "simulate true, or POST /trade?dry_run=true",
  paper: "simulate true",
  paper_trading: "simulate true",
  paper_trade: "simulate true",
  paper_mode: "simulate true",
  is_paper: "simulate true",
  is_dry_run: "simulate true",
  is_test: "simulate true",
  test_mode: "simulate true",
  is_demo: "simulate true",
  is_backtest: "simulate true",
  is_simulation: "simulate true",
  is_simulated: "simulate true",
  simulated: "simulate true",
  simulate_only: "simulate true",
  validate_only: "simulate true",
  no_execute: "simulate true",
  simulation: "simulate true",
  simulation_mode: "simulate true",
  testnet: "no testnet (the mode is a setting)",
} as const satisfies Readonly<Record<string, string>>
export type RefusedFieldName = keyof typeof REFUSED_FIELDS

/** The names of the same meaning, of {@link REFUSED_FIELDS}, that pass with what happens anyway. */
const SIDES = [
  "side",
  "direction",
  "market_position",
  "order_side",
  "trade_side",
  "entry_side",
  "signal_side",
  "trade_direction",
  "position_direction",
  "order_action",
  "signal_action",
] as const satisfies readonly RefusedFieldName[]
const CLOSES = [
  "reduce_only",
  "close_position",
  "close_only",
  "exit_only",
  "close_all",
  "is_close",
  "is_exit",
] as const satisfies readonly RefusedFieldName[]
const ENTRY_PRICES = ["target_price", "entry_price", "limit_price", "order_price"] as const satisfies readonly RefusedFieldName[]
type Sometimes = "side" | "close" | "price" | "type" | "exchange" | "positionSide"
/** What a field of {@link REFUSED_FIELDS} passes with. */
export const SOMETIMES_FIELDS: ReadonlyMap<string, Sometimes> = new Map<string, Sometimes>([
  ...SIDES.map((name) => [name, "side"] as const),
  ...CLOSES.map((name) => [name, "close"] as const),
  ...ENTRY_PRICES.map((name) => [name, "price"] as const),
  ["type", "type"],
  ["exchange", "exchange"],
  ["venue", "exchange"],
  ["position_side", "positionSide"],
])

/** Unknown fields that begin so (folded, see {@link foldedName}) are refused like {@link REFUSED_FIELDS}: there are too many to list. */
export const REFUSED_FAMILIES: Readonly<Record<string, string>> = {
  trailing: "no trailing orders (stop_loss and take_profit)",
  takeprofit: "one take_profit or take_profit_pct",
  stoploss: "one stop_loss or stop_loss_pct",
  conditional: "conditional_price, conditional_direction, conditional_timeout",
  leverage: "no leverage (FUTURES_LEVERAGE is a setting)",
}

/**
 * Other names of a time, folded. With a `timestamp` they are only recorded; without one they are refused, so that an old
 * signal is not taken for a fresh one.
 */
const OTHER_TIMES: ReadonlySet<string> = new Set(
  [
    "ts t_s ts_ms ts_us ts_ns time time_ms time_utc utc utc_time timenow iso_time datetime date unix unix_time unix_timestamp unix_ms",
    "epoch epoch_ms epoch_seconds timestamp_s timestamp_ms timestamp_us timestamp_ns timestamp_utc timestamp_iso timestamp_unix",
    "signal_time signal_ts signal_date signal_timestamp signal_created_at signal_generated_at event_time event_ts event_timestamp",
    "generated generated_at generated_time created created_at created_time created_ts creation_time published published_at updated_at",
    "sent_at sent_time emitted_at issued_at fired_at triggered_at posted_at detected_at decided_at decision_time alert_time alert_timestamp",
    "bar_time bar_timestamp bar_close_time candle_time candle_timestamp candle_close_time kline_time kline_close_time open_time close_time",
  ].flatMap((line) => line.split(" ").map((name) => name.replaceAll("_", ""))),
)
/** Whether a name, folded, is another one of the time of the signal. */
export const isOtherTime = (fold: string): boolean => OTHER_TIMES.has(fold)

/** Letters of other scripts that look like Latin ones: `stop_lоss` with a Cyrillic о would be recorded, and ignored. */
const LOOKS_LIKE: ReadonlyMap<string, string> = new Map(
  [..."аaеeоoрpсcуyхxіiјjѕsԁdһhοoαaνvιiρpτtυuκk"].flatMap((c, i, all) => (i % 2 === 0 ? [[c, all[i + 1] ?? c]] : [])),
)
const SNAKE = /^[a-z0-9_]+$/
const NOT_ASCII = /[^\u0000-\u007f]/

/** A field name without case and without anything but letters and digits: how different spellings of one name are found. */
export const foldedName = (name: string): string => {
  // Most names are written so; a message may have twenty thousand.
  if (SNAKE.test(name)) return name.includes("_") ? name.replaceAll("_", "") : name
  const lower = name.toLowerCase()
  if (!NOT_ASCII.test(lower)) return lower.replace(/[^a-z0-9]+/g, "")
  const latin = lower.normalize("NFKC").replace(/[^\u0000-\u007f]/gu, (letter) => LOOKS_LIKE.get(letter) ?? letter)
  return latin.replace(/[^\p{L}\p{N}]+/gu, "")
}

const FOLDED: ReadonlyMap<string, string> = new Map(
  [
    ...Object.entries(SIGNAL_FIELDS)
      .filter(([, field]) => field.effect === "trade" || field.effect === "identity")
      .map(([name]) => name),
    ...Object.keys(REFUSED_FIELDS),
  ].map((name) => [foldedName(name), name]),
)

const FAMILIES = Object.keys(REFUSED_FAMILIES)

const isRefused = (name: string): name is RefusedFieldName => Object.hasOwn(REFUSED_FIELDS, name)

/** Longer names are nobody's spelling of ours. */
export const NAME_MAX_LENGTH = 64

/** What a field that is not in {@link SIGNAL_FIELDS} is refused as (a name of {@link REFUSED_FIELDS}, or itself), and what to write instead. */
export interface Refusal {
  readonly as: string
  readonly instead: string
}

/** `undefined`: the field may be recorded. `fold`: its folded name. */
export const refusalOf = (name: string, fold: string): Refusal | undefined => {
  if (isRefused(name)) return { as: name, instead: REFUSED_FIELDS[name] }
  const right = FOLDED.get(fold)
  if (right !== undefined) return { as: right, instead: isRefused(right) ? REFUSED_FIELDS[right] : `to be written ${right}` }
  for (const family of FAMILIES) if (fold.startsWith(family)) return { as: name, instead: REFUSED_FAMILIES[family] ?? "" }
  return undefined
}
