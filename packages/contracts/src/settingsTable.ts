/**
 * THE table of settings: name, type, default, bounds, unit, meaning, group. `settings.ts` reads the environment with it,
 * and the docs are generated from it. The specification's names keep their meaning (docs/design.md section 12).
 *
 * Percentages are written as in the specification: 2.0 is 2 %. Times say their unit in the name.
 */

import { binanceSettings } from "./settingsBinance.ts"

export type SettingGroup =
  | "mode"
  | "binance"
  | "signals"
  | "sizing"
  | "bracket"
  | "limits"
  | "execution"
  | "nats"
  | "store"
  | "paper"
  | "http"
  | "process"

interface Common {
  readonly group: SettingGroup
  readonly meaning: string
  /** Different in every process: not part of the settings' version. */
  readonly perProcess?: true
}
export type SettingSpec = Common &
  (
    | {
        readonly type: "string"
        readonly default?: string
        /** A regular expression that the whole value matches. */
        readonly pattern?: string
        readonly expected?: string
      }
    /** Text that is never shown and is not part of the settings' version. */
    | { readonly type: "secret" }
    | { readonly type: "boolean"; readonly default: boolean }
    | { readonly type: "integer"; readonly default?: number; readonly min: number; readonly max: number; readonly unit?: string }
    /** A whole number of the unit that the name ends with. */
    | {
        readonly type: "duration"
        readonly default: number
        readonly min: number
        readonly max: number
        readonly unit: "ms" | "s"
      }
    /** An exact decimal. */
    | {
        readonly type: "decimal"
        readonly default: string
        readonly min: string
        readonly max: string
        readonly unit?: string
      }
    | { readonly type: "enum"; readonly values: readonly string[]; readonly default?: string }
    /** `schemes` without colon; user and password in it are never shown. `several`: a comma-separated list of servers. */
    | { readonly type: "url"; readonly schemes: readonly string[]; readonly default?: string; readonly several?: true }
    /** Comma-separated; blanks around the parts do not count. */
    | { readonly type: "list"; readonly pattern: string; readonly expected: string }
  )

const HOUR_MS = 3_600_000
const DAY_S = 86_400
const NAME_PATTERN = "[A-Za-z0-9_-]{1,64}"
const NAME_EXPECTED = "1 to 64 letters, digits, _ or -"

export const settingsTable = {
  ...binanceSettings,

  DEFAULT_MARKET: {
    type: "enum",
    values: ["spot", "futures"],
    default: "futures",
    group: "signals",
    meaning: "Market of a signal that names none.",
  },
  DEFAULT_ORDER_TYPE: {
    type: "enum",
    values: ["market", "limit"],
    default: "limit",
    group: "signals",
    meaning: "Order type of a signal that names none.",
  },
  MIN_CONFIDENCE: { type: "decimal", default: "0.5", min: "0", max: "1", group: "signals", meaning: "Signals below are declined." },
  MAX_SIGNAL_AGE_SECONDS: {
    type: "duration",
    default: 300,
    min: 1,
    max: 30 * DAY_S,
    unit: "s",
    group: "signals",
    meaning: "Older signals are declined, at intake and again before the entry leaves.",
  },
  SYMBOLS_ALLOWED: {
    type: "list",
    pattern: "[A-Z0-9]{2,30}",
    expected: "symbols such as BTCUSDT,ETHUSDT",
    group: "signals",
    meaning: "Only these symbols are traded; unset: all.",
  },
  SYMBOLS_DENIED: {
    type: "list",
    pattern: "[A-Z0-9]{2,30}",
    expected: "symbols such as BTCUSDT,ETHUSDT",
    group: "signals",
    meaning: "These symbols are never traded.",
  },
  SIGNAL_MAX_BYTES: {
    type: "integer",
    default: 1_048_576,
    min: 1024,
    max: 8_388_608,
    unit: "bytes",
    group: "signals",
    meaning: "Larger messages are rejected.",
  },
  REJECTED_MAX_BYTES: {
    type: "integer",
    default: 1_073_741_824,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: "bytes",
    group: "signals",
    meaning: "Of rejected messages, in all, this much is kept raw; beyond it only length and hash.",
  },

  SIZING: {
    type: "enum",
    values: ["signal", "confidence"],
    default: "signal",
    group: "sizing",
    meaning: "signal: the size that the signal names counts first. confidence: always POSITION_SIZE_PCT × confidence.",
  },
  POSITION_SIZE_PCT: {
    type: "decimal",
    default: "2",
    min: "0.0001",
    max: "100",
    unit: "%",
    group: "sizing",
    meaning: "Of the free balance, times the confidence, where the signal names no size.",
  },
  SIZE_BELOW_MINIMUM: {
    type: "enum",
    values: ["raise", "refuse"],
    default: "raise",
    group: "sizing",
    meaning: "What becomes of a computed size below the exchange's minimum. A signal's own quantity is never raised.",
  },

  STOP_LOSS_DEFAULT: {
    type: "decimal",
    default: "2",
    min: "0.001",
    max: "99",
    unit: "%",
    group: "bracket",
    meaning: "Stop distance where nothing else gives one.",
  },
  TAKE_PROFIT_DEFAULT: {
    type: "decimal",
    default: "5",
    min: "0.001",
    max: "99",
    unit: "%",
    group: "bracket",
    meaning: "Target distance where nothing else gives one.",
  },
  ATR_STOP_MULTIPLE: {
    type: "decimal",
    default: "1.5",
    min: "0.01",
    max: "100",
    unit: "× ATR",
    group: "bracket",
    meaning: "Stop distance from indicators.atr.",
  },
  ATR_TARGET_MULTIPLE: {
    type: "decimal",
    default: "3",
    min: "0.01",
    max: "100",
    unit: "× ATR",
    group: "bracket",
    meaning: "Target distance from indicators.atr.",
  },
  MIN_STOP_DISTANCE_PCT: {
    type: "decimal",
    default: "0.1",
    min: "0",
    max: "99",
    unit: "%",
    group: "bracket",
    meaning: "Nearest stop and target that are accepted.",
  },
  MAX_STOP_DISTANCE_PCT: {
    type: "decimal",
    default: "50",
    min: "0.001",
    max: "100",
    unit: "%",
    group: "bracket",
    meaning: "Furthest stop that is accepted.",
  },
  PROTECTION_DEADLINE_MS: {
    type: "duration",
    default: 5000,
    min: 200,
    max: 10 * 60_000,
    unit: "ms",
    group: "bracket",
    meaning: "What is filled has a live stop within this time, or is closed at market.",
  },
  PROTECTION_STORE_WAIT_MS: {
    type: "duration",
    default: 250,
    min: 0,
    max: 60_000,
    unit: "ms",
    group: "bracket",
    meaning: "Protective orders wait this long for their record, then leave on the plan that is durable already.",
  },
  PARTIAL_GRACE_MS: {
    type: "duration",
    default: 2000,
    min: 0,
    max: 60_000,
    unit: "ms",
    group: "bracket",
    meaning: "Spot: how long a partly filled entry may go on before its rest is cancelled and what is held gets its own bracket.",
  },

  MAX_POSITION_NOTIONAL: {
    type: "decimal",
    default: "10000",
    min: "0",
    max: "1000000000000",
    unit: "quote",
    group: "limits",
    meaning: "Most that one order may be worth.",
  },
  MAX_OPEN_POSITIONS: {
    type: "integer",
    default: 10,
    min: 0,
    max: 100_000,
    unit: "lots",
    group: "limits",
    meaning: "Lots that are open or on their way.",
  },
  MAX_LOTS_PER_STRATEGY_SYMBOL: {
    type: "integer",
    default: 1,
    min: 1,
    max: 1000,
    unit: "lots",
    group: "limits",
    meaning: "Lots of one strategy, symbol and side.",
  },
  OPPOSITE_SIGNAL: {
    type: "enum",
    values: ["close", "refuse"],
    default: "close",
    group: "limits",
    meaning: "What a signal does while its strategy holds the other side.",
  },
  MAX_PRICE_DEVIATION_PCT: {
    type: "decimal",
    default: "5",
    min: "0.001",
    max: "100",
    unit: "%",
    group: "limits",
    meaning: "A signal whose price is further from a known live price is declined.",
  },

  ENTRY_TIMEOUT_SECONDS: {
    type: "duration",
    default: 900,
    min: 1,
    max: 30 * DAY_S,
    unit: "s",
    group: "execution",
    meaning: "When the unfilled rest of an entry is cancelled.",
  },
  SEND_DEADLINE_MS: {
    type: "duration",
    default: 5000,
    min: 100,
    max: 60_000,
    unit: "ms",
    group: "execution",
    meaning: "An entry that has not left by then, from its decision, never does.",
  },
  RECEIVE_WINDOW_MS: {
    type: "duration",
    default: 2000,
    min: 50,
    max: 60_000,
    unit: "ms",
    group: "execution",
    meaning: "How long after its signature the venue accepts a request; ends before the send deadline.",
  },
  MAX_LIVE_ORDERS: {
    type: "integer",
    default: 20_000,
    min: 1,
    max: 1_000_000,
    unit: "orders",
    group: "execution",
    meaning: "Orders that are not settled, at most.",
  },

  NATS_URL: {
    type: "url",
    schemes: ["nats", "tls", "ws", "wss"],
    several: true,
    group: "nats",
    meaning: "NATS servers, separated by commas; unset: nats://127.0.0.1:4222, or one that is found or started.",
  },
  NATS_USER: { type: "string", group: "nats", meaning: "User." },
  NATS_PASSWORD: { type: "secret", group: "nats", meaning: "Password of the user." },
  NATS_TOKEN: { type: "secret", group: "nats", meaning: "Token, instead of a user." },
  NATS_CREDS: { type: "string", group: "nats", meaning: "Credentials file (JWT and seed), instead of a user." },
  NATS_TLS_CA: { type: "string", group: "nats", meaning: "File with the CA's certificate." },
  NATS_TLS_CERT: { type: "string", group: "nats", meaning: "File with the client's certificate." },
  NATS_TLS_KEY: { type: "string", group: "nats", meaning: "File with the client's key." },
  NATS_SIGNAL_SUBJECT: {
    type: "string",
    default: "signals.trading",
    pattern: "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*",
    expected: "a subject of letters, digits, _ and -, separated by dots, without wildcards",
    group: "nats",
    meaning: "Where signals are published; everything below it belongs to it.",
  },
  NATS_STREAM: {
    type: "string",
    default: "SIGNALS",
    pattern: NAME_PATTERN,
    expected: NAME_EXPECTED,
    group: "nats",
    meaning: "JetStream stream of the signals.",
  },
  NATS_LOTS_STREAM: {
    type: "string",
    default: "LOTS",
    pattern: NAME_PATTERN,
    expected: NAME_EXPECTED,
    group: "nats",
    meaning: "JetStream stream of the open lots.",
  },
  ACK_WAIT_MS: {
    type: "duration",
    default: 5000,
    min: 1000,
    max: HOUR_MS,
    unit: "ms",
    group: "nats",
    meaning: "When a silent process loses its orders to another one.",
  },

  AUDIT_STORE: {
    type: "enum",
    values: ["mongodb", "sqlite"],
    group: "store",
    meaning: "Where events are kept; unset: mongodb if MONGODB_URL is set, else sqlite (in simulation only).",
  },
  MONGODB_URL: {
    type: "url",
    schemes: ["mongodb", "mongodb+srv"],
    group: "store",
    meaning: "MongoDB; unset: mongodb://localhost:27017, where AUDIT_STORE asks for it.",
  },
  MONGODB_DATABASE: {
    type: "string",
    default: "petrosa",
    pattern: "[A-Za-z0-9_-]{1,63}",
    expected: "1 to 63 letters, digits, _ or -",
    group: "store",
    meaning: "Database; the collection is trade_audit_log.",
  },
  SQLITE_FILE: { type: "string", default: "./data/audit.sqlite", group: "store", meaning: "File of the embedded store." },
  LIVE_ON_SQLITE: { type: "boolean", default: false, group: "store", meaning: "Allows live trading on the embedded store." },

  PAPER_VENUE_FILE: { type: "string", default: "./data/paper.sqlite", group: "paper", meaning: "File of the paper venue." },
  SIMULATION_BALANCE_USDT: {
    type: "decimal",
    default: "10000",
    min: "0",
    max: "1000000000000",
    unit: "USDT",
    group: "paper",
    meaning: "Balance of a new paper venue.",
  },
  PAPER_FEE_RATE: {
    type: "decimal",
    default: "0.001",
    min: "0",
    max: "0.1",
    group: "paper",
    meaning: "Fee of a fill, as a share of its worth: 0.001 is 0.1 %.",
  },
  PAPER_LATENCY_MS: {
    type: "duration",
    default: 0,
    min: 0,
    max: 60_000,
    unit: "ms",
    group: "paper",
    meaning: "How long the paper venue takes to answer.",
  },

  HTTP_HOST: {
    type: "string",
    default: "127.0.0.1",
    pattern: "[A-Za-z0-9.:_\\[\\]-]{1,253}",
    expected: "a host name or address",
    group: "http",
    meaning: "Address to listen on.",
  },
  HTTP_PORT: { type: "integer", default: 8000, min: 0, max: 65_535, group: "http", meaning: "Port to listen on; 0: any free one." },
  HTTP_TOKEN: { type: "secret", group: "http", meaning: "Bearer token that requests need; unset: none." },
  INSPECTOR_STATELY: {
    type: "boolean",
    default: false,
    group: "http",
    perProcess: true,
    meaning:
      "Offers live orders in xstate's inspection protocol at /inspector/stately, to this machine only (HTTP_HOST has to be loopback).",
  },

  ENGINE_ID: {
    type: "string",
    default: "eng1",
    pattern: "[A-Za-z0-9]{4}",
    expected: "four letters or digits",
    group: "process",
    meaning: "Part of every client order id: engines that share an account need different ones. Never change it while orders are open.",
  },
  REPLICA_ID: {
    type: "string",
    pattern: NAME_PATTERN,
    expected: NAME_EXPECTED,
    perProcess: true,
    group: "process",
    meaning: "Name of this process; unset: host name and a random part.",
  },
  LOG_LEVEL: {
    type: "enum",
    values: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    default: "info",
    group: "process",
    meaning: "Least severity that is logged.",
  },
} as const satisfies Readonly<Record<string, SettingSpec>>

export type SettingName = keyof typeof settingsTable
