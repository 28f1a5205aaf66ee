/**
 * The settings of mode, Binance and market data: part of THE table (`settingsTable.ts`).
 */
import type { SettingSpec } from "./settingsTable.ts"

const HOUR_MS = 3_600_000
const HTTP = ["http", "https"] as const
const WEB_SOCKET = ["ws", "wss"] as const

export const binanceSettings = {
  SIMULATION_ENABLED: {
    type: "boolean",
    default: true,
    group: "mode",
    meaning: "Orders go to the paper venue, and no signed request leaves for an exchange.",
  },
  BINANCE_TESTNET: {
    type: "boolean",
    default: true,
    group: "mode",
    meaning: "Binance's test network; false, with SIMULATION_ENABLED=false, is live: real money.",
  },
  BINANCE_API_KEY: { type: "secret", group: "binance", meaning: "API key; needed unless simulating." },
  BINANCE_API_SECRET: { type: "secret", group: "binance", meaning: "API secret; needed unless simulating." },
  BINANCE_FUTURES_API_KEY: { type: "secret", group: "binance", meaning: "API key for futures; unset: BINANCE_API_KEY." },
  BINANCE_FUTURES_API_SECRET: { type: "secret", group: "binance", meaning: "API secret for futures; unset: BINANCE_API_SECRET." },
  BINANCE_ED25519_KEY_FILE: {
    type: "string",
    group: "binance",
    meaning: "Spot only: file with an unencrypted Ed25519 private key (PEM), instead of BINANCE_API_SECRET.",
  },
  BINANCE_MARKETS: {
    type: "list",
    pattern: "SPOT|FUTURES",
    expected: "spot, futures or both",
    group: "binance",
    meaning: "Markets that are traded; unset: both. Signals for the other one are declined.",
  },
  BINANCE_ALLOWED_HOSTS: {
    type: "list",
    pattern: "[A-Z0-9.:_\\[\\]-]{1,253}",
    expected: "host names, separated by commas",
    group: "binance",
    meaning: "Hosts beside Binance's own that the URLs below may name (a proxy, a sandbox in another container).",
  },
  BINANCE_SPOT_URL: { type: "url", schemes: HTTP, group: "binance", meaning: "Base URL of the spot REST API; unset: Binance's own." },
  BINANCE_SPOT_WS_URL: {
    type: "url",
    schemes: WEB_SOCKET,
    group: "binance",
    meaning: "Base URL of spot's WebSockets; unset: Binance's own.",
  },
  BINANCE_FUTURES_URL: { type: "url", schemes: HTTP, group: "binance", meaning: "Base URL of the USDⓈ-M REST API; unset: Binance's own." },
  BINANCE_FUTURES_WS_URL: {
    type: "url",
    schemes: WEB_SOCKET,
    group: "binance",
    meaning: "Base URL of USDⓈ-M's WebSockets; unset: Binance's own.",
  },
  BINANCE_FUTURES_USER_STREAM: {
    type: "string",
    pattern: "\\{base\\}/\\S*\\{listenKey\\}\\S*",
    expected: "an address with {base} and {listenKey}",
    group: "binance",
    meaning: "Address of the futures user stream, with {base} and {listenKey}; unset: as Binance documents it.",
  },
  BINANCE_MAX_REQUESTS_PER_MINUTE: {
    type: "integer",
    default: 1200,
    min: 1,
    max: 100_000,
    unit: "requests/min",
    group: "binance",
    meaning: "A cap of our own for each market, below Binance's limits.",
  },
  FUTURES_LEVERAGE: {
    type: "integer",
    min: 1,
    max: 125,
    unit: "×",
    group: "binance",
    meaning: "Leverage, set per symbol before its first order; unset: left as it is on the account.",
  },
  FUTURES_MARGIN_TYPE: {
    type: "enum",
    values: ["isolated", "crossed"],
    group: "binance",
    meaning: "Margin type, set per symbol before its first order; unset: left as it is on the account.",
  },
  FUTURES_POSITION_MODE: {
    type: "enum",
    values: ["one-way", "hedge"],
    group: "binance",
    meaning: "The account's position mode must be this one, else the start is refused; unset: whatever it is. It is never changed.",
  },
  FUTURES_STOP_TRIGGER: {
    type: "enum",
    values: ["mark", "contract"],
    default: "mark",
    group: "binance",
    meaning: "The price that triggers a futures stop.",
  },
  FUTURES_TARGET_TRIGGER: {
    type: "enum",
    values: ["mark", "contract"],
    default: "contract",
    group: "binance",
    meaning: "The price that triggers a futures target.",
  },
  MARKET_DATA: {
    type: "enum",
    values: ["signals", "nats", "binance"],
    group: "binance",
    meaning:
      "Where prices come from: the last signal, the ecosystem's socket client over NATS, or Binance's public streams (no key). unset: signals in simulation, else binance. With nats or binance, entries without a fresh price are declined, and in simulation the paper venue's market follows.",
  },
  MAX_PRICE_AGE_MS: {
    type: "duration",
    default: 10_000,
    min: 100,
    max: HOUR_MS,
    unit: "ms",
    group: "limits",
    meaning: "An older price of the market is not decided with.",
  },
  MARKET_DATA_MAX_SYMBOLS: {
    type: "integer",
    default: 200,
    min: 1,
    max: 1000,
    unit: "symbols",
    group: "binance",
    meaning: "Symbols that are followed on Binance's streams at the same time; signals for more are declined.",
  },
  BINANCE_SPOT_STREAM_URL: {
    type: "url",
    schemes: WEB_SOCKET,
    group: "binance",
    meaning: "Base URL of spot's public streams; unset: BINANCE_SPOT_WS_URL where that is set, else Binance's own.",
  },
  NATS_MARKET_DATA_SUBJECT: {
    type: "string",
    default: "binance.websocket.data",
    pattern: "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*",
    expected: "a subject of letters, digits, _ and -, separated by dots, without wildcards",
    group: "nats",
    meaning: "Where the socket client publishes, for MARKET_DATA=nats.",
  },
  NATS_MARKET_DATA_MARKET: {
    type: "enum",
    values: ["spot", "futures", "both"],
    default: "both",
    group: "nats",
    meaning:
      "Whose prices that subject carries: its messages do not say. both: they count for either market (mark prices for futures only).",
  },
} as const satisfies Readonly<Record<string, SettingSpec>>
