/**
 * The connection to NATS: waited for, loudly, and then kept for ever.
 *
 * Promises: {@link connectBroker} answers when there is a connection, when it is told to stop, or when the settings can
 * never work (a file that cannot be read, two kinds of credentials). While it waits it says so on every attempt. Once
 * connected it reconnects without end, also after a refused login (an operator may mend the server's users meanwhile).
 * What is published while the connection is away is not kept: {@link Broker.connected} is asked first.
 */
import { readFileSync } from "node:fs"
import { type ConnectionOptions, connect, credsAuthenticator, Events, type NatsConnection, NatsError, type TlsOptions } from "nats"
import { type Clock, systemClock } from "./clock.ts"

export interface BrokerOptions {
  /** `nats://host:4222`, `tls://host:4222`, with or without `user:password@` (or `token@`); several of one cluster. */
  readonly servers: string | readonly string[]
  /** What the server's monitoring shows. */
  readonly name: string
  readonly user?: string
  readonly password?: string
  readonly token?: string
  /** Path of a credentials file (JWT and seed), as `nsc` makes it. */
  readonly credsFile?: string
  /** TLS: paths of PEM files. An empty object: TLS with the system's authorities. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string }
  /** False: what this connection publishes on plain NATS does not come back to its own subscriptions. Default true. */
  readonly echo?: boolean
  /** Called after every failed attempt at the first connection. */
  readonly onWaiting?: (attempt: number, problem: string) => void
  readonly signal?: AbortSignal
  /** Between two attempts, first and later. Default 1000 and 250. */
  readonly firstWaitMs?: number
  readonly reconnectWaitMs?: number
  /** A connection that does not answer two pings is given up. Default 5000. */
  readonly pingIntervalMs?: number
  /** Of one attempt. Default 5000. */
  readonly connectTimeoutMs?: number
  readonly clock?: Clock
}

export type BrokerEvent =
  | { readonly type: "connected"; readonly server: string; readonly awayMs: number }
  | { readonly type: "disconnected"; readonly server: string }
  | { readonly type: "closed"; readonly problem?: string }
  /** The server refused something (a permission, a login while reconnecting). */
  | { readonly type: "error"; readonly code: string }

export type ConnectResult =
  | { readonly _tag: "Connected"; readonly broker: Broker }
  | { readonly _tag: "Refused"; readonly code: "FILE_UNREADABLE" | "CREDENTIALS_AMBIGUOUS" | "BAD_ADDRESS"; readonly message: string }
  | { readonly _tag: "Aborted" }

export interface Broker {
  readonly nc: NatsConnection
  /** Whether what is published now can leave. */
  readonly connected: boolean
  readonly closed: boolean
  /** `2.15.2` */
  readonly serverVersion: string
  /** Every change of state, in order; the result ends it. A listener must not throw. */
  onEvent(listener: (event: BrokerEvent) => void): () => void
  /** Whether the server has read all that was published before, within `timeoutMs`. */
  flush(timeoutMs: number): Promise<boolean>
  /** Sends what is waiting (bounded), then closes. */
  close(timeoutMs?: number): Promise<void>
}

export const connectBroker = async (options: BrokerOptions): Promise<ConnectResult> => {
  const clock = options.clock ?? systemClock
  const settings = natsOptions(options)
  if ("_tag" in settings) return settings
  const aborted = (): boolean => options.signal?.aborted === true
  for (let attempt = 1; ; attempt++) {
    if (aborted()) return { _tag: "Aborted" }
    try {
      const nc = await connect(settings)
      if (aborted()) {
        await nc.close()
        return { _tag: "Aborted" }
      }
      return { _tag: "Connected", broker: new NatsBroker(nc, clock) }
    } catch (error) {
      options.onWaiting?.(attempt, problemOf(error))
      await wait(clock, options.firstWaitMs ?? 1000, options.signal)
    }
  }
}

/** One line for a person: the client's codes say little. */
export const problemOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const cause = error instanceof NatsError && error.chainedError !== undefined ? ` (${error.chainedError.message})` : ""
  const code = "code" in error && typeof error.code === "string" && error.code !== error.message ? `${error.code}: ` : ""
  return `${code}${error.message}${cause}`
}

const wait = (clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener("abort", done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener("abort", done, { once: true })
  })

const natsOptions = (o: BrokerOptions): ConnectionOptions | Extract<ConnectResult, { _tag: "Refused" }> => {
  const servers: string[] = []
  let user = o.user
  let password = o.password
  let token = o.token
  let tls = o.tls
  for (const address of typeof o.servers === "string" ? o.servers.split(",") : o.servers) {
    const text = address.trim()
    let url: URL
    try {
      url = new URL(text.includes("://") ? text : `nats://${text}`)
      // The address itself is not repeated: it may hold a password.
      if (!["nats:", "tls:"].includes(url.protocol) || url.hostname === "") throw new TypeError("not a NATS address")
    } catch {
      return { _tag: "Refused", code: "BAD_ADDRESS", message: "A NATS address must look like nats://host:4222 or tls://host:4222." }
    }
    if (url.protocol === "tls:") tls ??= {}
    if (url.username !== "" && url.password === "") token ??= decodeURIComponent(url.username)
    else if (url.username !== "") {
      user ??= decodeURIComponent(url.username)
      password ??= decodeURIComponent(url.password)
    }
    servers.push(`${url.hostname}:${url.port === "" ? "4222" : url.port}`)
  }
  const kinds = [user !== undefined && "user and password", token !== undefined && "token", o.credsFile !== undefined && "credentials file"]
  const given = kinds.filter((k) => k !== false)
  if (given.length > 1) {
    return {
      _tag: "Refused",
      code: "CREDENTIALS_AMBIGUOUS",
      message: `Only one way to log in to NATS can be used; given are: ${given.join(", ")}.`,
    }
  }
  let tlsOptions: TlsOptions | undefined
  let creds: Uint8Array | undefined
  for (const path of [o.credsFile, tls?.caFile, tls?.certFile, tls?.keyFile]) {
    if (path === undefined) continue
    try {
      const content = readFileSync(path)
      if (path === o.credsFile) creds = content
    } catch (error) {
      return { _tag: "Refused", code: "FILE_UNREADABLE", message: `A file for NATS cannot be read: ${problemOf(error)}` }
    }
  }
  if (tls !== undefined) {
    tlsOptions = {
      ...(tls.caFile === undefined ? {} : { caFile: tls.caFile }),
      ...(tls.certFile === undefined ? {} : { certFile: tls.certFile }),
      ...(tls.keyFile === undefined ? {} : { keyFile: tls.keyFile }),
    }
  }
  return {
    servers,
    name: o.name,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(token === undefined ? {} : { token }),
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(creds) }),
    ...(tlsOptions === undefined ? {} : { tls: tlsOptions }),
    reconnect: true,
    maxReconnectAttempts: -1,
    reconnectTimeWait: o.reconnectWaitMs ?? 250,
    ignoreAuthErrorAbort: true,
    pingInterval: o.pingIntervalMs ?? 5000,
    maxPingOut: 2,
    timeout: o.connectTimeoutMs ?? 5000,
    // An Error per request only for its stack is a third of the price of a request.
    noAsyncTraces: true,
    ...(o.echo === false ? { noEcho: true } : {}),
  }
}

class NatsBroker implements Broker {
  readonly nc: NatsConnection
  readonly #clock: Clock
  readonly #listeners = new Set<(event: BrokerEvent) => void>()
  #connected = true
  #closed = false
  #lostAtMs = 0

  constructor(nc: NatsConnection, clock: Clock) {
    this.nc = nc
    this.#clock = clock
    void this.#follow()
    void nc.closed().then((error) => {
      this.#connected = false
      this.#closed = true
      this.#emit(error === undefined ? { type: "closed" } : { type: "closed", problem: problemOf(error) })
    })
  }

  get connected(): boolean {
    return this.#connected
  }
  get closed(): boolean {
    return this.#closed
  }
  get serverVersion(): string {
    return this.nc.info?.version ?? "0.0.0"
  }

  onEvent(listener: (event: BrokerEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async flush(timeoutMs: number): Promise<boolean> {
    if (!this.#connected) return false
    let cancel = (): void => {}
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#clock.after(timeoutMs, () => resolve(false))
    })
    const flushed = this.nc.flush().then(
      () => true,
      () => false,
    )
    const result = await Promise.race([flushed, late])
    cancel()
    return result
  }

  async close(timeoutMs = 1000): Promise<void> {
    if (this.#closed) return
    await this.flush(timeoutMs)
    await this.nc.close()
  }

  /** One reader for the whole life: the client never forgets an iterator of its status. */
  async #follow(): Promise<void> {
    for await (const status of this.nc.status()) {
      switch (status.type) {
        case Events.Disconnect:
          if (!this.#connected) break
          this.#connected = false
          this.#lostAtMs = this.#clock.monotonicMs()
          this.#emit({ type: "disconnected", server: textOf(status.data) })
          break
        case Events.Reconnect:
          this.#connected = true
          this.#emit({ type: "connected", server: textOf(status.data), awayMs: this.#clock.monotonicMs() - this.#lostAtMs })
          break
        case Events.Error:
          this.#emit({ type: "error", code: textOf(status.data) })
          break
        default:
        // Pings, cluster updates and attempts to reconnect are of no interest here.
      }
    }
  }

  #emit(event: BrokerEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}

/** What the client tells of a change of state: nearly always text. */
const textOf = (data: unknown): string => (typeof data === "string" ? data : JSON.stringify(data))
