import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import {
  type Environment,
  OWN_PREFIXES,
  parseSettings,
  type Settings,
  type SettingSpec,
  settingsTable,
  shownSettings,
} from "../src/index.ts"

const ok = (env: Environment): { readonly settings: Settings; readonly version: string } => {
  const result = parseSettings(env)
  if (result._tag === "Invalid") throw new Error(JSON.stringify(result.errors))
  return result
}
const errors = (env: Environment) => {
  const result = parseSettings(env)
  return result._tag === "Invalid" ? result.errors : []
}
const wrong = (env: Environment): readonly string[] => errors(env).map((error) => error.field)

const KEYS = { BINANCE_API_KEY: "key-7f3a", BINANCE_API_SECRET: "secret-9c1d" }
const LIVE = { ...KEYS, SIMULATION_ENABLED: "false", BINANCE_TESTNET: "false" }
const TESTNET = { ...KEYS, SIMULATION_ENABLED: "false" }
const MONGODB = { MONGODB_URL: "mongodb://127.0.0.1:27017" }

describe("settings", () => {
  it("given an empty environment, they are the specification's and the design's defaults", () => {
    expect(ok({}).settings).toMatchObject({
      mode: "simulation",
      auditStore: "sqlite",
      mongodbDatabase: "petrosa",
      natsSignalSubject: "signals.trading",
      natsStream: "SIGNALS",
      stopLossDefault: "2",
      takeProfitDefault: "5",
      minConfidence: "0.5",
      maxSignalAgeSeconds: 300,
      defaultMarket: "futures",
      defaultOrderType: "limit",
      positionSizePct: "2",
      maxOpenPositions: 10,
      httpHost: "127.0.0.1",
      httpPort: 8000,
      engineId: "eng1",
      symbolsAllowed: [],
      maxLiveOrders: 20_000,
    })
    expect(ok({}).settings.natsUrl).toBeUndefined()
  })

  it("given every default written out, nothing changes", () => {
    const env = Object.fromEntries(
      Object.entries(settingsTable as Readonly<Record<string, SettingSpec>>).flatMap(([name, spec]) =>
        "default" in spec && spec.default !== undefined ? [[name, String(spec.default)]] : [],
      ),
    )
    expect(ok(env)).toEqual(ok({}))
  })

  it("given empty and blank values, they are unset", () => {
    expect(ok({ MONGODB_URL: "", BINANCE_API_KEY: "  ", HTTP_PORT: "\n", SYMBOLS_ALLOWED: " " })).toEqual(ok({}))
  })

  it.each([
    ["MAX_OPEN_POSITIONS", "3", "maxOpenPositions", 3],
    ["POSITION_SIZE_PCT", "2.50", "positionSizePct", "2.5"],
    ["SIMULATION_ENABLED", "TRUE", "simulationEnabled", true],
    ["BINANCE_TESTNET", "0", "binanceTestnet", false],
    ["OPPOSITE_SIGNAL", "Refuse", "oppositeSignal", "refuse"],
    ["SYMBOLS_ALLOWED", " ethusdt, BTCUSDT,,ethusdt ", "symbolsAllowed", ["BTCUSDT", "ETHUSDT"]],
    ["NATS_URL", "nats://a:4222, nats://b:4222", "natsUrl", "nats://a:4222,nats://b:4222"],
    ["NATS_TOKEN", "t0ken\n", "natsToken", "t0ken"],
    ["FUTURES_LEVERAGE", "20", "futuresLeverage", 20],
    ["BINANCE_SPOT_URL", "http://127.0.0.1:9001", "binanceSpotUrl", "http://127.0.0.1:9001"],
  ])("given %s=%j, it is read", (name, text, key, value) => {
    expect((ok({ [name]: text }).settings as unknown as Record<string, unknown>)[key]).toEqual(value)
  })

  it.each([
    ["MAX_OPEN_POSITIONS", "ten"],
    ["MAX_OPEN_POSITIONS", "1.5"],
    ["MAX_OPEN_POSITIONS", "-1"],
    ["HTTP_PORT", "65536"],
    ["HTTP_PORT", "tcp://10.0.0.1:80"],
    ["MIN_CONFIDENCE", "1.01"],
    ["MIN_CONFIDENCE", "NaN"],
    ["MAX_POSITION_NOTIONAL", "10,000"],
    ["SIMULATION_ENABLED", "maybe"],
    ["DEFAULT_MARKET", "margin"],
    ["DEFAULT_ORDER_TYPE", "stop"],
    ["ENGINE_ID", "abc"],
    ["ENGINE_ID", "ab-1"],
    ["MONGODB_URL", "localhost:27017"],
    ["NATS_URL", "nats://a:4222,b:4222"],
    ["NATS_SIGNAL_SUBJECT", "signals.*"],
    ["NATS_SIGNAL_SUBJECT", "signals.>"],
    ["NATS_SIGNAL_SUBJECT", "signals trading"],
    ["NATS_SIGNAL_SUBJECT", ".signals"],
    ["NATS_STREAM", "SIG.NALS"],
    ["SYMBOLS_DENIED", "BTC/USDT"],
    ["REPLICA_ID", "a b"],
    ["SQLITE_FILE", "a\u0000b"],
    ["ACK_WAIT_MS", "10"],
  ])("given %s=%j, it is an error that names it", (name, text) => expect(wrong({ [name]: text })).toEqual([name]))

  it("given several errors, all come at once, with what was expected and what came", () => {
    expect(errors({ HTTP_PORT: "x", MIN_CONFIDENCE: "2" })).toEqual([
      { field: "MIN_CONFIDENCE", expected: "a number from 0 to 1", received: "2" },
      { field: "HTTP_PORT", expected: "a whole number from 0 to 65535", received: "x" },
    ])
  })
})

describe("names that nobody reads", () => {
  it.each([
    ["NATS_URLS", "NATS_URL"],
    ["MONGODB_URI", "MONGODB_URL"],
    ["BINANCE_APIKEY", "BINANCE_API_KEY"],
    ["SIMULATION_ENABLE", "SIMULATION_ENABLED"],
    ["STOP_LOSS", "STOP_LOSS_DEFAULT"],
    ["MAX_OPEN_POSITION", "MAX_OPEN_POSITIONS"],
    ["MIN_CONFIDENCES", "MIN_CONFIDENCE"],
    ["DEFAULT_MARKTE", "DEFAULT_MARKET"],
    ["HTTP_HOSTS", "HTTP_HOST"],
    ["LOG_LEVLE", "LOG_LEVEL"],
    ["SENDDEADLINE_MS", "SEND_DEADLINE_MS"],
    ["nats_url", "NATS_URL"],
    ["OPPOSITE_SIGNALS", "OPPOSITE_SIGNAL"],
  ])("given %s, it is an error that suggests %s", (name, meant) => {
    expect(errors({ [name]: "x" })).toEqual([
      expect.objectContaining({ field: name, expected: expect.stringContaining(`did you mean ${meant}?`) }),
    ])
  })
  it("given one of our prefixes and nothing near, it is an error without a suggestion", () => {
    const [error] = errors({ NATS_SOMETHING_ELSE_ALTOGETHER: "x" })
    expect(error).toMatchObject({ field: "NATS_SOMETHING_ELSE_ALTOGETHER" })
    expect(error?.expected).not.toContain("did you mean")
  })
  it("given an unknown name, its value is not shown", () => {
    expect(JSON.stringify(errors({ BINANCE_API_SECRETS: "hunter2" }))).not.toContain("hunter2")
  })
  it("given what Kubernetes injects for its services, it is left alone", () => {
    const injected = [
      "NATS_SERVICE_HOST",
      "NATS_SERVICE_PORT",
      "NATS_SERVICE_PORT_CLIENT",
      "NATS_PORT",
      "NATS_PORT_4222_TCP",
      "NATS_PORT_4222_TCP_PROTO",
      "NATS_PORT_4222_TCP_PORT",
      "NATS_PORT_4222_TCP_ADDR",
      "MONGODB_SERVICE_HOST",
      "MONGODB_PORT_27017_TCP_ADDR",
      "MONGODB_PORT",
      "BINANCE_SANDBOX_SERVICE_HOST",
    ]
    expect(ok(Object.fromEntries(injected.map((name) => [name, "tcp://10.0.0.1:4222"])))).toEqual(ok({}))
  })
  it("given other programs' names, they are left alone", () => {
    const foreign = [
      "HTTP_PROXY",
      "HTTPS_PROXY",
      "http_proxy",
      "NO_PROXY",
      "PATH",
      "HOME",
      "HOSTNAME",
      "NODE_ENV",
      "NODE_OPTIONS",
      "CI",
      "LOG_FORMAT",
      "MAX_OLD_SPACE",
      "MAXMEMORY",
      "MIN_HEAP",
      "DEFAULT_REGION",
      "ENTRYPOINT",
      "KUBERNETES_PORT",
      "SYMBOL",
      "PORT",
      "TZ",
      "LIVE_RELOAD",
      "ENGINE",
      "MONGO_INITDB_DATABASE",
      "PETROSA_CACHE",
      "SIGNAL",
      "XDG_CACHE_HOME",
      "npm_config_cache",
    ]
    expect(ok(Object.fromEntries(foreign.map((name) => [name, "x"])))).toEqual(ok({}))
  })
  it("given our own names, each is ours by its prefix or one of the few generic ones", () => {
    const generic = Object.keys(settingsTable).filter((name) => !OWN_PREFIXES.some((prefix) => name.startsWith(prefix)))
    expect(generic).toEqual([
      "DEFAULT_MARKET",
      "DEFAULT_ORDER_TYPE",
      "SIZING",
      "ENTRY_TIMEOUT_SECONDS",
      "HTTP_HOST",
      "HTTP_PORT",
      "HTTP_TOKEN",
      "ENGINE_ID",
      "REPLICA_ID",
      "LOG_LEVEL",
    ])
  })
})

describe("modes and stores", () => {
  it.each([
    [{}, "simulation", "sqlite"],
    [MONGODB, "simulation", "mongodb"],
    [{ AUDIT_STORE: "sqlite", ...MONGODB }, "simulation", "sqlite"],
    [{ BINANCE_TESTNET: "false" }, "simulation", "sqlite"],
    [{ ...TESTNET, ...MONGODB }, "testnet", "mongodb"],
    [{ ...TESTNET, AUDIT_STORE: "sqlite" }, "testnet", "sqlite"],
    [{ ...LIVE, ...MONGODB }, "live", "mongodb"],
    [{ ...LIVE, AUDIT_STORE: "sqlite", LIVE_ON_SQLITE: "true" }, "live", "sqlite"],
  ])("given %o, the mode is %s on %s", (env: Environment, mode, auditStore) => expect(ok(env).settings).toMatchObject({ mode, auditStore }))

  it.each([
    [{}, "signals"],
    [{ MARKET_DATA: "binance" }, "binance"],
    [{ ...TESTNET, ...MONGODB }, "binance"],
    [{ ...LIVE, ...MONGODB }, "binance"],
    [{ ...LIVE, ...MONGODB, MARKET_DATA: "nats" }, "nats"],
    [{ ...TESTNET, ...MONGODB, MARKET_DATA: "signals" }, "signals"],
  ])("given %o, prices come from %s", (env: Environment, marketData) => expect(ok(env).settings).toMatchObject({ marketData }))

  it("given AUDIT_STORE=mongodb without a URL, it is the specification's", () => {
    expect(ok({ AUDIT_STORE: "mongodb" }).settings.mongodbUrl).toBe("mongodb://localhost:27017")
  })
  it.each([
    [{ SIMULATION_ENABLED: "false", ...MONGODB }, ["BINANCE_API_KEY", "BINANCE_API_SECRET"]],
    [{ ...LIVE, ...MONGODB, BINANCE_API_SECRET: "" }, ["BINANCE_API_SECRET"]],
    [LIVE, ["AUDIT_STORE"]],
    [TESTNET, ["AUDIT_STORE"]],
    [{ ...LIVE, AUDIT_STORE: "sqlite" }, ["AUDIT_STORE"]],
    [{ ...LIVE, ...MONGODB, AUDIT_STORE: "sqlite" }, ["AUDIT_STORE"]],
    [{ BINANCE_API_KEY: "k" }, ["BINANCE_API_KEY"]],
    [{ BINANCE_FUTURES_API_KEY: "k" }, ["BINANCE_FUTURES_API_KEY"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_MARKETS: "spot" }, ["DEFAULT_MARKET"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_MARKETS: "margin" }, ["BINANCE_MARKETS"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_ED25519_KEY_FILE: "key.pem" }, ["BINANCE_ED25519_KEY_FILE"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_ED25519_KEY_FILE: "key.pem", BINANCE_API_SECRET: "" }, ["BINANCE_API_SECRET"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_SPOT_URL: "http://127.0.0.1:1" }, ["BINANCE_SPOT_WS_URL"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_FUTURES_WS_URL: "ws://127.0.0.1:1" }, ["BINANCE_FUTURES_URL"]],
    [{ ...TESTNET, ...MONGODB, BINANCE_FUTURES_USER_STREAM: "wss://elsewhere/{listenKey}" }, ["BINANCE_FUTURES_USER_STREAM"]],
    [{ ...LIVE, ...MONGODB, HTTP_HOST: "0.0.0.0" }, ["HTTP_TOKEN"]],
  ])("given %o, it is refused: %j", (env: Environment, fields) => expect(wrong(env)).toEqual(fields))
})

describe("keys of two markets", () => {
  const FUTURES = { BINANCE_FUTURES_API_KEY: "fk", BINANCE_FUTURES_API_SECRET: "fs" }
  it.each([
    [{ ...TESTNET, ...FUTURES }],
    [{ SIMULATION_ENABLED: "false", BINANCE_MARKETS: "futures", ...FUTURES }],
    [{ SIMULATION_ENABLED: "false", BINANCE_API_KEY: "ed", BINANCE_ED25519_KEY_FILE: "key.pem", ...FUTURES }],
    [
      {
        SIMULATION_ENABLED: "false",
        BINANCE_API_KEY: "ed",
        BINANCE_ED25519_KEY_FILE: "key.pem",
        BINANCE_MARKETS: "spot",
        DEFAULT_MARKET: "spot",
      },
    ],
    [{ ...LIVE, HTTP_HOST: "0.0.0.0", HTTP_TOKEN: "t" }],
    [{ ...TESTNET, HTTP_HOST: "0.0.0.0" }],
  ])("given %o, they can be used", (env: Environment) => expect(wrong({ ...env, ...MONGODB })).toEqual([]))
})

describe("impossible combinations", () => {
  it.each([
    [{ MIN_STOP_DISTANCE_PCT: "10", MAX_STOP_DISTANCE_PCT: "5" }, "MIN_STOP_DISTANCE_PCT"],
    [{ STOP_LOSS_DEFAULT: "60" }, "STOP_LOSS_DEFAULT"],
    [{ STOP_LOSS_DEFAULT: "0.05" }, "STOP_LOSS_DEFAULT"],
    [{ TAKE_PROFIT_DEFAULT: "0.05" }, "TAKE_PROFIT_DEFAULT"],
    [{ RECEIVE_WINDOW_MS: "5000" }, "RECEIVE_WINDOW_MS"],
    [{ SEND_DEADLINE_MS: "1500" }, "RECEIVE_WINDOW_MS"],
    [{ PROTECTION_STORE_WAIT_MS: "5000" }, "PROTECTION_STORE_WAIT_MS"],
    [{ PARTIAL_GRACE_MS: "5000" }, "PARTIAL_GRACE_MS"],
    [{ SYMBOLS_ALLOWED: "BTCUSDT", SYMBOLS_DENIED: "ETHUSDT,BTCUSDT" }, "SYMBOLS_DENIED"],
    [{ NATS_LOTS_STREAM: "SIGNALS" }, "NATS_LOTS_STREAM"],
    [{ NATS_SIGNAL_SUBJECT: "signals" }, "NATS_SIGNAL_SUBJECT"],
    [{ NATS_SIGNAL_SUBJECT: "signals.http" }, "NATS_SIGNAL_SUBJECT"],
    [{ NATS_SIGNAL_SUBJECT: "signals.resume.x" }, "NATS_SIGNAL_SUBJECT"],
    [{ NATS_SIGNAL_SUBJECT: "execution.events" }, "NATS_SIGNAL_SUBJECT"],
    [{ NATS_USER: "u" }, "NATS_PASSWORD"],
    [{ NATS_USER: "u", NATS_PASSWORD: "p", NATS_TOKEN: "t" }, "NATS_USER"],
    [{ NATS_TOKEN: "t", NATS_CREDS: "f" }, "NATS_USER"],
    [{ NATS_TLS_CERT: "c" }, "NATS_TLS_KEY"],
  ])("given %o, it is an error of %s", (env: Environment, field) => expect(wrong(env)).toContain(field))
})

describe("secrets", () => {
  const env = {
    ...LIVE,
    NATS_URL: "nats://nuser:npass@10.0.0.1:4222,nats://10.0.0.2:4222",
    MONGODB_URL: "mongodb://muser:m/p@ss@10.0.0.3:27017/?tlsCertificateKeyFilePassword=mquery",
    NATS_TOKEN: "ntoken",
    HTTP_TOKEN: "htoken",
  }
  const SECRETS = ["key-7f3a", "secret-9c1d", "nuser", "npass", "muser", "m/p", "ss@", "mquery", "ntoken", "htoken"]
  it("given secrets, and passwords in URLs, none is shown", () => {
    const shown = JSON.stringify(shownSettings(ok(env).settings))
    for (const secret of SECRETS) expect(shown).not.toContain(secret)
    expect(shown).toContain("(secret)")
    expect(shown).toContain("10.0.0.3:27017")
  })
  it("given errors, none is shown", () => {
    const broken = {
      NATS_URL: "npass@",
      MONGODB_URL: "https://muser:m/p@ss@x",
      BINANCE_API_KEY: "key-7f3a\u0007x",
      NATS_TOKEN: "ntoken\u0000x",
      HTTP_PORT: "x",
    }
    const shown = JSON.stringify(errors(broken))
    expect(wrong(broken)).toHaveLength(5)
    for (const secret of SECRETS) expect(shown).not.toContain(secret)
  })
  it("given another secret, the version stays; given another value, it changes", () => {
    const { version } = ok(env)
    expect(version).toMatch(/^[0-9a-f]{12}$/)
    expect(ok({ ...env, BINANCE_API_SECRET: "other", HTTP_TOKEN: "", REPLICA_ID: "r2" }).version).toBe(version)
    expect(ok({ ...env, MONGODB_URL: "mongodb://u2:p2@10.0.0.3:27017/?x=y" }).version).toBe(version)
    expect(ok({ ...env, MAX_OPEN_POSITIONS: "11" }).version).not.toBe(version)
    expect(ok({ ...env, MAX_OPEN_POSITIONS: "10" }).version).toBe(version)
    expect(ok({ ...env, BINANCE_TESTNET: "true" }).version).not.toBe(version)
  })
})

describe("the table", () => {
  it("given any environment, it never throws", () => {
    const names = fc.oneof(
      fc.constantFrom(...Object.keys(settingsTable)),
      fc.string(),
      fc.constantFrom("__proto__", "NATS_X", "x".repeat(1000)),
    )
    fc.assert(
      fc.property(fc.dictionary(names, fc.string(), { maxKeys: 10 }), (env) => {
        expect(["Ok", "Invalid"]).toContain(parseSettings(env)._tag)
      }),
      { numRuns: 500 },
    )
  })
  it("given the table, every setting says what it means, and every default is within its bounds", () => {
    for (const [name, spec] of Object.entries(settingsTable as Readonly<Record<string, SettingSpec>>)) {
      expect(spec.meaning, name).toMatch(/\.$/)
      expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/)
    }
    // A time says its unit in its name.
    const durations = Object.entries(settingsTable as Readonly<Record<string, SettingSpec>>).filter(([, spec]) => spec.type === "duration")
    expect(durations.length).toBeGreaterThan(5)
    for (const [name, spec] of durations) {
      expect(name).toMatch("unit" in spec && spec.unit === "ms" ? /_MS$/ : /_SECONDS$/)
    }
  })
})
