/**
 * Environment → typed settings, or every error at once. Pure: the environment comes in as a value.
 *
 * - An empty or blank value counts as unset, and blanks around a value do not count (mounted secrets often end with a line feed).
 * - A name that nobody reads but that looks like one of ours is an error with a suggestion (`settingNames.ts`).
 * - Secrets, and user and password of URLs, are in no error, no version and no {@link shownSettings}.
 */
import { dec, type DecimalString, gt, gte, lt, parseDecimal, str } from "./decimal.ts"
import { strangerError } from "./settingNames.ts"
import { hexOf } from "./sha256.ts"
import type { FieldError } from "./signal.ts"
import { type SettingName, type SettingSpec, settingsTable } from "./settingsTable.ts"
import { printable } from "./strictJson.ts"
import { Utf8Text } from "./utf8Text.ts"

type Table = typeof settingsTable
type Parsed<S> = S extends { readonly type: "boolean" }
  ? boolean
  : S extends { readonly type: "integer" | "duration" }
    ? number
    : S extends { readonly type: "decimal" }
      ? DecimalString
      : S extends { readonly type: "enum"; readonly values: readonly (infer V)[] }
        ? V
        : S extends { readonly type: "list" }
          ? readonly string[]
          : string
/** `MAX_OPEN_POSITIONS` → `maxOpenPositions`. */
type Camel<S extends string> = S extends `${infer A}_${infer B}` ? `${Lowercase<A>}${Pascal<B>}` : Lowercase<S>
type Pascal<S extends string> = S extends `${infer A}_${infer B}` ? `${Capitalize<Lowercase<A>>}${Pascal<B>}` : Capitalize<Lowercase<S>>
type HasValue<S> = S extends { readonly default: unknown } | { readonly type: "list" } ? true : false

/** The settings of the table by their camelCase names; one without a default is `undefined` when it is unset. */
export type TableSettings = {
  readonly [N in SettingName as Camel<N>]: HasValue<Table[N]> extends true ? Parsed<Table[N]> : Parsed<Table[N]> | undefined
}

export type Mode = "simulation" | "testnet" | "live"

export interface Settings extends Omit<TableSettings, "auditStore" | "marketData"> {
  /** SIMULATION_ENABLED and BINANCE_TESTNET together. */
  readonly mode: Mode
  /** AUDIT_STORE, resolved. */
  readonly auditStore: "mongodb" | "sqlite"
  /** MARKET_DATA, resolved. */
  readonly marketData: "signals" | "nats" | "binance"
}

export type SettingsResult =
  | {
      readonly _tag: "Ok"
      readonly settings: Settings
      /** 12 hex digits of the hash of all values that are no secrets and not of one process only. */
      readonly version: string
    }
  | { readonly _tag: "Invalid"; readonly errors: readonly FieldError[] }

export type Environment = Readonly<Record<string, string | undefined>>

/** Where MongoDB is, when it is asked for and MONGODB_URL is unset (as in the specification). */
export const MONGODB_URL_DEFAULT = "mongodb://localhost:27017"

const NAMES = Object.keys(settingsTable) as readonly SettingName[]
const SPECS = Object.entries(settingsTable) as readonly [SettingName, SettingSpec][]

const camel = (name: string): string => name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())

/** Reads all settings from an environment. See the head of this file. */
export const parseSettings = (env: Environment): SettingsResult => {
  const errors: FieldError[] = []
  const values = new Map<SettingName, SettingValue>()
  for (const [name, spec] of SPECS) {
    const raw = env[name]
    const text = raw === undefined || raw.trim() === "" ? undefined : raw.trim()
    const value = text === undefined ? defaultOf(spec) : parseValue(spec, text)
    if (value instanceof Wrong) errors.push({ field: name, expected: value.expected, received: shownText(spec, text ?? "") })
    else if (value !== undefined) values.set(name, value)
  }
  for (const name of Object.keys(env)) {
    const error = env[name] === undefined ? undefined : strangerError(name)
    if (error !== undefined) errors.push(error)
  }
  if (errors.length > 0) return { _tag: "Invalid", errors }
  const table = Object.fromEntries(NAMES.map((name) => [camel(name), values.get(name)])) as unknown as TableSettings
  const settings = resolved(table)
  const impossible = [...contradictions(settings, table.auditStore !== undefined)]
  return impossible.length > 0 ? { _tag: "Invalid", errors: impossible } : { _tag: "Ok", settings, version: versionOf(settings) }
}

type SettingValue = string | number | boolean | readonly string[]

/** A value that is not what the table asks for. */
class Wrong {
  readonly expected: string
  constructor(expected: string) {
    this.expected = expected
  }
}

const defaultOf = (spec: SettingSpec): SettingValue | undefined => {
  if (spec.type === "list") return []
  return "default" in spec ? spec.default : undefined
}

const CONTROL = /[\u0000-\u001f\u007f]/
const TRUE = new Set(["true", "1", "yes", "on"])
const FALSE = new Set(["false", "0", "no", "off"])

const parseValue = (spec: SettingSpec, text: string): SettingValue | Wrong => {
  switch (spec.type) {
    case "secret":
      return CONTROL.test(text) ? new Wrong("text without control characters") : text
    case "string":
      if (CONTROL.test(text)) return new Wrong("text without control characters")
      return spec.pattern === undefined || new RegExp(`^(?:${spec.pattern})$`).test(text)
        ? text
        : new Wrong(spec.expected ?? `text like ${spec.pattern}`)
    case "boolean": {
      const word = text.toLowerCase()
      return TRUE.has(word) ? true : FALSE.has(word) ? false : new Wrong("true or false")
    }
    case "integer":
    case "duration": {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
      const unit = spec.unit === undefined ? "" : ` (${spec.unit})`
      return value >= spec.min && value <= spec.max ? value : new Wrong(`a whole number from ${spec.min} to ${spec.max}${unit}`)
    }
    case "decimal": {
      const value = parseDecimal(text)
      const unit = spec.unit === undefined ? "" : ` (${spec.unit})`
      if (value === undefined || lt(value, dec(spec.min)) || gt(value, dec(spec.max))) {
        return new Wrong(`a number from ${spec.min} to ${spec.max}${unit}`)
      }
      return str(value)
    }
    case "enum": {
      const word = text.toLowerCase()
      return spec.values.includes(word) ? word : new Wrong(spec.values.join(", "))
    }
    case "url": {
      const urls = spec.several === true ? text.split(",").map((url) => url.trim()) : [text]
      return urls.every((url) => isUrl(url, spec.schemes))
        ? urls.join(",")
        : new Wrong(`a URL that begins with ${spec.schemes.join(":// or ")}://`)
    }
    case "list": {
      const parts = text
        .split(",")
        .map((part) => part.trim().toUpperCase())
        .filter((part) => part !== "")
      const pattern = new RegExp(`^(?:${spec.pattern})$`)
      return parts.every((part) => pattern.test(part)) ? [...new Set(parts)].sort() : new Wrong(spec.expected)
    }
  }
}

const isUrl = (text: string, schemes: readonly string[]): boolean =>
  schemes.some((scheme) => text.toLowerCase().startsWith(`${scheme}://`)) && /^[a-z+]+:\/\/[^\s/?#]+[^\s]*$/i.test(text)

/**
 * `nats://user:password@host` → `nats://***@host`. Everything up to the last `@` goes, and the query too: a password may
 * itself hold `/`, `,` or `@`, and what is shown of a broken URL must be safe as well.
 */
const withoutCredentials = (url: string): string => url.replace(/^((?:[^:/@]*:\/\/)?).*@/s, "$1***@").replace(/\?.*$/s, "?***")

const shownText = (spec: SettingSpec, text: string): string => {
  if (spec.type === "secret") return "(secret)"
  return printable(spec.type === "url" ? withoutCredentials(text) : text)
}

const resolved = (table: TableSettings): Settings => {
  const mode: Mode = table.simulationEnabled ? "simulation" : table.binanceTestnet ? "testnet" : "live"
  const auditStore = table.auditStore ?? (table.mongodbUrl === undefined && mode === "simulation" ? "sqlite" : "mongodb")
  const mongodbUrl =
    auditStore === "mongodb" && table.auditStore !== undefined ? (table.mongodbUrl ?? MONGODB_URL_DEFAULT) : table.mongodbUrl
  const marketData = table.marketData ?? (mode === "simulation" ? "signals" : "binance")
  return { ...table, mode, auditStore, mongodbUrl, marketData }
}

/** Subjects that this engine uses itself. */
const OWN_SUBJECTS = ["signals.http", "signals.resume", "execution.events", "petrosa.journal", "petrosa.inquiry", "petrosa.lots"] as const

/** Whether one subject is the other, or lies below it. */
const overlaps = (a: string, b: string): boolean => a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`)

/** A market's REST and its WebSockets belong to the same exchange: what is set for one is set for the other. */
function* urlPairs(s: Settings): Generator<FieldError> {
  const pairs = [
    ["BINANCE_SPOT_URL", s.binanceSpotUrl, "BINANCE_SPOT_WS_URL", s.binanceSpotWsUrl],
    ["BINANCE_FUTURES_URL", s.binanceFuturesUrl, "BINANCE_FUTURES_WS_URL", s.binanceFuturesWsUrl],
  ] as const
  for (const [rest, restUrl, socket, socketUrl] of pairs) {
    if ((restUrl === undefined) === (socketUrl === undefined)) continue
    const [missing, given] = restUrl === undefined ? [rest, socket] : [socket, rest]
    yield { field: missing, expected: `with ${given}, or neither: both belong to one exchange`, received: "unset" }
  }
}

/** Combinations that cannot be meant. */
function* contradictions(s: Settings, storeIsNamed: boolean): Generator<FieldError> {
  const error = (field: SettingName, expected: string, received: string): FieldError => ({ field, expected, received })
  const given = (value: string | undefined): string => (value === undefined ? "unset" : "set")

  if (s.mode !== "simulation") {
    const own = s.binanceFuturesApiKey !== undefined || s.binanceFuturesApiSecret !== undefined
    const trades = (market: string): boolean => s.binanceMarkets.length === 0 || s.binanceMarkets.includes(market)
    const shared = trades("SPOT") || !own
    if (shared && s.binanceApiKey === undefined) yield error("BINANCE_API_KEY", `a key, in ${s.mode} mode`, "unset")
    const byFile = s.binanceEd25519KeyFile !== undefined && trades("SPOT") && (own || !trades("FUTURES"))
    if (shared && s.binanceApiSecret === undefined && !byFile) {
      const why =
        s.binanceEd25519KeyFile === undefined
          ? ""
          : " (futures take no Ed25519 keys: BINANCE_FUTURES_API_KEY and BINANCE_FUTURES_API_SECRET, or BINANCE_MARKETS=spot)"
      yield error("BINANCE_API_SECRET", `a secret, in ${s.mode} mode${why}`, "unset")
    }
    if (s.binanceEd25519KeyFile !== undefined && s.binanceApiSecret !== undefined)
      yield error("BINANCE_ED25519_KEY_FILE", "the file or BINANCE_API_SECRET: a key has one of them", "both")
    if (!trades(s.defaultMarket.toUpperCase())) yield error("DEFAULT_MARKET", "a market of BINANCE_MARKETS", s.defaultMarket)
    yield* urlPairs(s)
    if (!storeIsNamed && s.mongodbUrl === undefined) {
      yield error("AUDIT_STORE", `mongodb (with MONGODB_URL) or sqlite, in ${s.mode} mode`, "unset, and MONGODB_URL too")
    }
  } else if (s.binanceEd25519KeyFile === undefined && (s.binanceApiKey === undefined) !== (s.binanceApiSecret === undefined)) {
    yield error("BINANCE_API_KEY", "key and secret, or neither", `key ${given(s.binanceApiKey)}, secret ${given(s.binanceApiSecret)}`)
  }
  if (s.mode === "live" && s.auditStore === "sqlite" && !s.liveOnSqlite) {
    yield error("AUDIT_STORE", "mongodb in live mode, unless LIVE_ON_SQLITE=true", "sqlite")
  }

  if ((s.binanceFuturesApiKey === undefined) !== (s.binanceFuturesApiSecret === undefined)) {
    const received = `key ${given(s.binanceFuturesApiKey)}, secret ${given(s.binanceFuturesApiSecret)}`
    yield error("BINANCE_FUTURES_API_KEY", "key and secret, or neither", received)
  }
  if (s.mode === "live" && s.httpToken === undefined && !/^(127\.[\d.]+|localhost|\[?::1\]?)$/i.test(s.httpHost)) {
    yield error("HTTP_TOKEN", "a token, in live mode with an address that others can reach (HTTP_HOST)", "unset")
  }

  if (gte(dec(s.minStopDistancePct), dec(s.maxStopDistancePct))) {
    yield error("MIN_STOP_DISTANCE_PCT", `less than MAX_STOP_DISTANCE_PCT (${s.maxStopDistancePct})`, s.minStopDistancePct)
  }
  if (lt(dec(s.stopLossDefault), dec(s.minStopDistancePct)) || gt(dec(s.stopLossDefault), dec(s.maxStopDistancePct))) {
    yield error(
      "STOP_LOSS_DEFAULT",
      `MIN_STOP_DISTANCE_PCT to MAX_STOP_DISTANCE_PCT (${s.minStopDistancePct} to ${s.maxStopDistancePct})`,
      s.stopLossDefault,
    )
  }
  if (lt(dec(s.takeProfitDefault), dec(s.minStopDistancePct))) {
    yield error("TAKE_PROFIT_DEFAULT", `at least MIN_STOP_DISTANCE_PCT (${s.minStopDistancePct})`, s.takeProfitDefault)
  }
  if (s.receiveWindowMs >= s.sendDeadlineMs) {
    yield error(
      "RECEIVE_WINDOW_MS",
      `less than SEND_DEADLINE_MS (${s.sendDeadlineMs}): it ends before the deadline`,
      String(s.receiveWindowMs),
    )
  }
  if (s.protectionStoreWaitMs >= s.protectionDeadlineMs) {
    yield error("PROTECTION_STORE_WAIT_MS", `less than PROTECTION_DEADLINE_MS (${s.protectionDeadlineMs})`, String(s.protectionStoreWaitMs))
  }
  if (s.partialGraceMs >= s.protectionDeadlineMs) {
    yield error("PARTIAL_GRACE_MS", `less than PROTECTION_DEADLINE_MS (${s.protectionDeadlineMs})`, String(s.partialGraceMs))
  }
  const both = s.symbolsAllowed.filter((symbol) => s.symbolsDenied.includes(symbol))
  if (both.length > 0) yield error("SYMBOLS_DENIED", "no symbol of SYMBOLS_ALLOWED", printable(both.join(",")))

  if (s.natsStream === s.natsLotsStream) yield error("NATS_LOTS_STREAM", "another name than NATS_STREAM", s.natsLotsStream)
  const own = OWN_SUBJECTS.find((subject) => overlaps(subject, s.natsSignalSubject))
  if (own !== undefined) yield error("NATS_SIGNAL_SUBJECT", `a subject that does not overlap our own ${own}`, s.natsSignalSubject)
  if ((s.natsUser === undefined) !== (s.natsPassword === undefined)) {
    yield error("NATS_PASSWORD", "with NATS_USER, or neither", `user ${given(s.natsUser)}, password ${given(s.natsPassword)}`)
  }
  const logins = [s.natsUser, s.natsToken, s.natsCreds].filter((login) => login !== undefined).length
  if (logins > 1) yield error("NATS_USER", "one of NATS_USER, NATS_TOKEN and NATS_CREDS", `${logins} of them`)
  if ((s.natsTlsCert === undefined) !== (s.natsTlsKey === undefined)) {
    yield error("NATS_TLS_KEY", "with NATS_TLS_CERT, or neither", `certificate ${given(s.natsTlsCert)}, key ${given(s.natsTlsKey)}`)
  }
}

export interface ShownSetting {
  readonly name: SettingName
  /** As text; `(secret)` for a secret that is set, `""` for what is unset. */
  readonly value: string
}

/** All settings as they are, safe to log. */
export const shownSettings = (settings: Settings): readonly ShownSetting[] =>
  SPECS.map(([name, spec]) => {
    const value = (settings as unknown as Readonly<Record<string, SettingValue | undefined>>)[camel(name)]
    return { name, value: value === undefined ? "" : shownText(spec, String(value)) }
  })

const versionOf = (settings: Settings): string => {
  const counted = shownSettings(settings).filter(({ name }) => {
    const spec: SettingSpec = settingsTable[name]
    return spec.type !== "secret" && spec.perProcess !== true
  })
  const text = JSON.stringify(counted.map(({ name, value }) => [name, value]))
  const hash = new Uint8Array(32)
  new Utf8Text().put(text).hashInto(hash)
  return hexOf(hash).slice(0, 12)
}
