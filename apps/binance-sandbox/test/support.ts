/** What the tests share: a sandbox, hand-signed requests over plain `fetch` and `ws`, and the two connectors as clients use them. */
import { createRequire } from "node:module"
import { WebSocket } from "ws"
import { EXAMPLE_KEY, EXAMPLE_SECRET, sign, startSandbox } from "../src/index.ts"
import type { Sandbox, SandboxOptions } from "../src/index.ts"

export type Json = Readonly<Record<string, unknown>>
export interface Reply {
  readonly status: number
  // biome-ignore lint: answers of an HTTP API
  readonly body: Json & { readonly code?: number; readonly msg?: string }
  readonly list: readonly Json[]
  readonly text: string
  readonly headers: Headers
}

/** A connector's method: what the packages export has no types. */
export type Connector = Readonly<
  Record<string, (...args: readonly unknown[]) => Promise<{ readonly data: Json; readonly status: number; readonly headers: Json }>>
>
const require = createRequire(import.meta.url)
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, log: () => undefined }

export const spotConnector = (sandbox: Sandbox): Connector => {
  const { Spot } = require("@binance/connector") as { Spot: new (key: string, secret: string, options: object) => Connector }
  return new Spot(EXAMPLE_KEY, EXAMPLE_SECRET, { baseURL: sandbox.spotUrl, timeout: 5000, logger: quiet })
}
export const futuresConnector = (sandbox: Sandbox): Connector => {
  const { UMFutures } = require("@binance/futures-connector") as {
    UMFutures: new (key: string, secret: string, options: object) => Connector
  }
  return new UMFutures(EXAMPLE_KEY, EXAMPLE_SECRET, { baseURL: sandbox.futuresUrl, timeout: 5000, logger: quiet })
}

export interface Client {
  /** Signed, parameters in the query. */
  call(method: string, path: string, params?: Readonly<Record<string, string | number>>, more?: CallOptions): Promise<Reply>
  /** With the key only, or with nothing. */
  plain(method: string, path: string, params?: Readonly<Record<string, string | number>>, withKey?: boolean): Promise<Reply>
}
export interface CallOptions {
  readonly timestamp?: number
  readonly key?: string
  readonly secret?: string
  readonly body?: boolean
}

export const client = (sandbox: Sandbox, market: "spot" | "futures"): Client => {
  const base = market === "spot" ? sandbox.spotUrl : sandbox.futuresUrl
  const query = (params: Readonly<Record<string, string | number>>): string =>
    Object.entries(params)
      .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
      .join("&")
  return {
    call: async (method, path, params = {}, more = {}) => {
      const text = query({ ...params, timestamp: more.timestamp ?? sandbox.world.exchange.nowMs() })
      const signed = `${text}&signature=${sign(more.secret ?? EXAMPLE_SECRET, text)}`
      const headers = {
        "X-MBX-APIKEY": more.key ?? EXAMPLE_KEY,
        ...(more.body === true ? { "content-type": "application/x-www-form-urlencoded" } : {}),
      }
      return more.body === true
        ? read(await fetch(`${base}${path}`, { method, headers, body: signed }))
        : read(await fetch(`${base}${path}?${signed}`, { method, headers }))
    },
    plain: async (method, path, params = {}, withKey = false) =>
      read(await fetch(`${base}${path}?${query(params)}`, { method, headers: withKey ? { "X-MBX-APIKEY": EXAMPLE_KEY } : {} })),
  }
}

/** Ids of 64 bits come as texts: `JSON.parse` would round them. */
export const parseWide = (text: string): unknown => JSON.parse(text.replace(/([:[,])\s*(\d{16,})(?=[,}\]])/g, '$1"$2"')) as unknown

export const read = async (response: Response): Promise<Reply> => {
  const text = await response.text()
  const parsed = response.headers.get("content-type")?.startsWith("application/json") === true ? parseWide(text) : {}
  return {
    status: response.status,
    body: (Array.isArray(parsed) ? {} : parsed) as Reply["body"],
    list: (Array.isArray(parsed) ? parsed : []) as readonly Json[],
    text,
    headers: response.headers,
  }
}

/** Waits until something holds; fails after a deadline with what was last seen. */
export const until = async <A>(look: () => A | undefined | false, what: string, withinMs = 5000): Promise<A> => {
  const endMs = Date.now() + withinMs
  for (;;) {
    const found = look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
  }
}

export interface Socket {
  readonly frames: Json[]
  /** How the socket ended, once it has. */
  closed: number | undefined
  pings: number
  send(value: unknown): void
  close(): void
  /** The first frame that matches. */
  next(matches: (frame: Json) => boolean, what: string): Promise<Json>
}

export const openSocket = async (url: string): Promise<Socket> => {
  const socket = new WebSocket(url)
  const frames: Json[] = []
  const own: Socket = {
    frames,
    closed: undefined,
    pings: 0,
    send: (value) => socket.send(JSON.stringify(value)),
    close: () => socket.terminate(),
    next: (matches, what) => until(() => frames.find(matches), what),
  }
  socket.on("message", (data: Buffer) => frames.push(parseWide(data.toString()) as Json))
  socket.on("ping", () => {
    own.pings += 1
  })
  socket.on("close", (code) => {
    own.closed = code
  })
  await new Promise<void>((resolve, reject) => {
    socket.once("open", () => resolve())
    socket.once("error", reject)
  })
  return own
}

/** A spot user data stream by hand; `events` are the unwrapped events. */
export const openSpotUserStream = async (sandbox: Sandbox): Promise<Socket & { readonly events: () => readonly Json[] }> => {
  const socket = await openSocket(sandbox.spotApiSocketUrl)
  const params = { apiKey: EXAMPLE_KEY, timestamp: sandbox.world.exchange.nowMs() }
  const payload = `apiKey=${params.apiKey}&timestamp=${params.timestamp}`
  socket.send({ id: "sub", method: "userDataStream.subscribe.signature", params: { ...params, signature: sign(EXAMPLE_SECRET, payload) } })
  await socket.next((frame) => frame["id"] === "sub" && frame["status"] === 200, "the subscription")
  return Object.assign(socket, {
    events: () => socket.frames.flatMap((frame) => (frame["event"] === undefined ? [] : [frame["event"] as Json])),
  })
}
/** A futures user stream by hand. */
export const openFuturesUserStream = async (
  sandbox: Sandbox,
  path?: (key: string) => string,
): Promise<Socket & { readonly key: string }> => {
  const { body } = await client(sandbox, "futures").plain("POST", "/fapi/v1/listenKey", {}, true)
  const key = String(body["listenKey"])
  const socket = await openSocket(
    `${sandbox.futuresStreamUrl}${path === undefined ? `/private/ws?listenKey=${key}&events=${EVENTS}` : path(key)}`,
  )
  return Object.assign(socket, { key })
}
export const EVENTS = "ORDER_TRADE_UPDATE/ACCOUNT_UPDATE/ALGO_UPDATE/TRADE_LITE/ACCOUNT_CONFIG_UPDATE/MARGIN_CALL/listenKeyExpired"

/** The order inside a futures event. */
export const inner = (event: Json | undefined): Json => (event?.["o"] ?? {}) as Json

export const withSandbox = async (options: SandboxOptions, run: (sandbox: Sandbox) => Promise<void>): Promise<void> => {
  const sandbox = await startSandbox(options)
  try {
    await run(sandbox)
  } finally {
    await sandbox.close()
  }
}
