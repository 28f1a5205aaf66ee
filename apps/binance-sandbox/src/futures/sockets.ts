/**
 * WebSockets of the futures stream host: market streams, and user streams by listen key in every form that clients use
 * (binance.md 2.2): `/private/ws?listenKey=…&events=…`, `/private/stream?listenKey=…`, `/ws/<key>`, `/private/ws/<key>`,
 * `/stream?streams=<key>`, and SUBSCRIBE with a key.
 *
 * In production the path form under `/private` connects and delivers nothing, and without `events=` nothing comes; `strict`
 * does the same. A listen key that is unknown or dead: the socket opens, and nothing comes.
 */
import type { Connection } from "../streams/connection.ts"
import { speakMarketProtocol } from "../streams/marketProtocol.ts"
import type { MarketStreams } from "../streams/marketStreams.ts"
import type { UserStreams } from "../streams/userStreams.ts"
import type { ListenKeys } from "./listenKeys.ts"

export const FUTURES_SOCKET_PATHS = /^\/(ws-fapi\/v1$|((private|public|market)\/)?(ws(\/|$)|stream$))/
const KEY = /^[A-Za-z0-9]{40,80}$/

export class FuturesSockets {
  readonly #streams: UserStreams
  readonly #market: MarketStreams
  readonly #keys: ListenKeys
  readonly #byKey = new Map<string, Set<Connection>>()
  /** As production: see above. */
  strict: boolean

  constructor(streams: UserStreams, market: MarketStreams, keys: ListenKeys, strict: boolean) {
    this.#streams = streams
    this.#market = market
    this.#keys = keys
    this.strict = strict
  }

  /** `url`: one of {@link FUTURES_SOCKET_PATHS}. */
  open(connection: Connection, url: URL): void {
    const [first = "", ...others] = url.pathname.split("/").filter((part) => part !== "")
    const section = ["private", "public", "market"].includes(first) ? first : ""
    const [kind = "", ...names] = section === "" ? [first, ...others] : others
    const combined = kind === "stream"
    const asked = [...names, ...(url.searchParams.get("streams")?.split("/") ?? [])].filter((name) => name !== "")
    const events = url.searchParams.get("events")?.split("/")
    const inQuery = url.searchParams.get("listenKey")
    const inPath = asked.filter((name) => KEY.test(name))
    this.#market.open(
      connection,
      asked.filter((name) => !KEY.test(name)),
      combined,
    )
    if (inQuery !== null && !(this.strict && events === undefined)) this.#listen(connection, inQuery, events, combined)
    for (const key of inPath) if (!(this.strict && section === "private")) this.#listen(connection, key, events, combined)
    speakMarketProtocol(connection, this.#market, (name) => {
      if (!KEY.test(name)) return false
      this.#listen(connection, name, events, combined)
      return true
    })
  }

  #listen(connection: Connection, key: string, events: readonly string[] | undefined, combined: boolean): void {
    const account = this.#keys.accountOf(key)
    if (account === undefined) return
    const connections = this.#byKey.get(key) ?? new Set()
    this.#byKey.set(key, connections.add(connection))
    const end = this.#streams.subscribe({
      market: "futures",
      account,
      wants: (event) => (events === undefined || events.includes(event)) && this.#keys.accountOf(key) !== undefined,
      send: (event) => connection.send(combined ? { stream: key, data: event } : event),
    })
    connection.onClose(() => {
      end()
      connections.delete(connection)
      if (connections.size === 0) this.#byKey.delete(key)
    })
  }

  /** Tells those who listen with a key that it is over. */
  expired(key: string, atMs: number): void {
    for (const connection of this.#byKey.get(key) ?? []) connection.send({ e: "listenKeyExpired", E: String(atMs), listenKey: key })
  }
}
