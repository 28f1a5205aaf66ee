/**
 * The settings of the engine, read from the same environment and by the same rules, as far as a command needs them. Keys
 * of an exchange are not needed to read a store, so here they may be absent in every mode.
 */
import { parseSettings } from "@petrosa/contracts"
import type { BrokerOptions } from "@petrosa/intake"
import { CliError } from "./exits.ts"

export interface CliSettings {
  readonly store: "sqlite" | "mongodb"
  readonly sqliteFile: string
  readonly mongodbUrl: string | undefined
  readonly mongodbDatabase: string
  readonly signalSubject: string
  readonly signalStream: string
  readonly lotsStream: string
  readonly signalMaxBytes: number
  readonly defaultMarket: "spot" | "futures"
  readonly defaultOrderType: "market" | "limit"
  readonly nats: Omit<BrokerOptions, "name">
  readonly httpUrl: string
  readonly httpToken: string | undefined
}

/** Where the engine looks, and where it starts a server of its own, when NATS_URL is unset. */
const NATS_URL_DEFAULT = "nats://127.0.0.1:4222"
const NOT_NEEDED = { BINANCE_API_KEY: "unset", BINANCE_API_SECRET: "unset", LIVE_ON_SQLITE: "true" }

const urlOf = (host: string, port: number): string => {
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.replaceAll(/^\[|\]$/g, "")
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`
}

/** `given` but for what is undefined. */
const present = <A extends object>(given: A): { [K in keyof A]?: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as { [K in keyof A]?: Exclude<A[K], undefined> }

export const readSettings = (env: NodeJS.ProcessEnv = process.env): CliSettings => {
  const filled = { ...env }
  for (const [name, value] of Object.entries(NOT_NEEDED))
    if ((filled[name] ?? "").trim() === "" || name === "LIVE_ON_SQLITE") filled[name] = value
  const parsed = parseSettings(filled)
  if (parsed._tag === "Invalid") {
    const lines = parsed.errors.map(({ field, expected, received }) => `  ${field}: expected ${expected}; it is ${received}`)
    throw new CliError(`The settings in the environment cannot be used:\n${lines.join("\n")}`)
  }
  const s = parsed.settings
  const tls = present({ caFile: s.natsTlsCa, certFile: s.natsTlsCert, keyFile: s.natsTlsKey })
  return {
    store: s.auditStore,
    sqliteFile: s.sqliteFile,
    mongodbUrl: s.mongodbUrl,
    mongodbDatabase: s.mongodbDatabase,
    signalSubject: s.natsSignalSubject,
    signalStream: s.natsStream,
    lotsStream: s.natsLotsStream,
    signalMaxBytes: s.signalMaxBytes,
    defaultMarket: s.defaultMarket,
    defaultOrderType: s.defaultOrderType,
    nats: {
      servers: s.natsUrl ?? NATS_URL_DEFAULT,
      ...present({ user: s.natsUser, password: s.natsPassword, token: s.natsToken, credsFile: s.natsCreds }),
      ...(Object.keys(tls).length === 0 ? {} : { tls }),
    },
    httpUrl: urlOf(s.httpHost, s.httpPort),
    httpToken: s.httpToken,
  }
}
