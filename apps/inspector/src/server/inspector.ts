/**
 * The inspector's routes, all below `/inspector`. It is handed requests that the HTTP guard has let through.
 *
 *     GET  /inspector, /inspector/orders/<id>          the page
 *     GET  /inspector/assets/<name>                    its files
 *     GET  /inspector/feed                             server-sent events
 *     GET  /inspector/data/about                       mode, version, words
 *     GET  /inspector/data/orders[?…]                  a list
 *     GET  /inspector/data/orders/<id>[/next?at=N][/events/<n>]
 *     POST /inspector/check, /inspector/publish        simulation only
 *     GET, POST /inspector/venue/faults                simulation only
 *     GET  /inspector/stately                          xstate's inspection protocol, where it is asked for (stately.ts)
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import type { EngineFace } from "@petrosa/engine"
import type { Regions } from "@petrosa/lifecycle"
import { Assets, isAssetName } from "./assets.ts"
import { changeFaults, check, publish, readFaults, SIGNAL_MAX_BYTES } from "./control.ts"
import { type DataAnswer, isStoreAway, listOrders, nextOf, oneOrder, rawEvent, vocabulary } from "./data.ts"
import { Feed } from "./feed.ts"
import type { Journals } from "./journals.ts"
import { cached, countRegions, type Replicas } from "./regionCounts.ts"
import { problem, readBody, sendJson } from "./reply.ts"
import { refusalOf, Stately, type StatelyRefusal } from "./stately.ts"

export interface InspectorOptions {
  readonly engine: EngineFace
  readonly mode: "simulation" | "testnet" | "live"
  /** The regions of every order that this process holds; default: none. */
  readonly held?: () => Iterable<Regions>
  readonly journals?: Journals
  /** How the replicas on one store ask each other what they hold; default: there is only this one. */
  readonly replicas?: Replicas
  /** Offers xstate's inspection protocol to this machine. The caller sees to it that the server listens on loopback only. */
  readonly stately?: boolean
  readonly log: { warn(fields: object, message: string): void; error(fields: object, message: string): void }
}

export interface Inspector {
  /** Answers a request below `/inspector`; resolves when it is answered (a feed: when its page has gone). Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Takes over the connection of a WebSocket; resolves when it is gone. A refusal: nothing was taken over. */
  upgrade(request: IncomingMessage): StatelyRefusal | Promise<void>
  /** Pages that look at the feed. */
  readonly feeds: number
  close(): void
}

/** Paths that hold no data: they may be fetched without a token, so that the page can ask for it. */
export const isOpenPath = (path: string): boolean =>
  path === "/inspector" || path === "/inspector/" || path.startsWith("/inspector/assets/") || /^\/inspector\/orders\/[^/]+$/.test(path)

export const createInspector = (options: InspectorOptions): Inspector => {
  const { engine, mode, log } = options
  const { store } = engine
  const assets = new Assets()
  const simulation = mode === "simulation"

  const about = () => {
    const health = engine.health()
    return {
      mode,
      replica: health.replica,
      version: health.version,
      store: store.kind,
      ready: health.ready,
      uptimeMs: health.uptimeMs,
      simulation,
      faults: simulation && engine.faults !== undefined,
      ...vocabulary,
    }
  }
  const { held } = options
  const regions = cached(() => countRegions(held === undefined ? [] : held()), Date.now)
  const stopAnswering = options.replicas?.answer(regions)
  const feed = new Feed({
    engine,
    regions,
    ...(options.replicas === undefined ? {} : { replicas: options.replicas }),
    ...(options.journals === undefined ? {} : { journals: options.journals }),
    hello: () => {
      const { mode: now, replica, version, ready } = about()
      return { mode: now, replica, version, ready }
    },
    log,
  })

  const stately =
    options.stately === true
      ? new Stately({ engine, log, ...(options.journals === undefined ? {} : { journals: options.journals }) })
      : undefined

  const reads = async (path: string, query: URLSearchParams): Promise<DataAnswer | undefined> => {
    if (path === "about") return { status: 200, body: about() }
    if (path === "orders") return listOrders(store, query)
    const [first, id = "", what, number = ""] = path.split("/")
    if (first !== "orders" || id === "") return undefined
    if (what === undefined) return oneOrder(store, id)
    if (what === "next" && number === "") return nextOf(store, id, Number(query.get("at") ?? Number.MAX_SAFE_INTEGER))
    return what === "events" && /^\d{1,8}$/.test(number) ? rawEvent(store, id, Number(number)) : undefined
  }

  const writes = async (path: string, request: IncomingMessage): Promise<DataAnswer | undefined> => {
    if (!["/inspector/check", "/inspector/publish", "/inspector/venue/faults"].includes(path)) return undefined
    if (!simulation) return { status: 403, body: { detail: `Only in simulation; this engine runs in mode ${mode}.` } }
    const bytes = await readBody(request, SIGNAL_MAX_BYTES)
    if (bytes === undefined) return { status: 413, body: { detail: `More than ${SIGNAL_MAX_BYTES} bytes.` } }
    if (path === "/inspector/check") return check(engine, bytes)
    return path === "/inspector/publish" ? publish(engine, bytes) : changeFaults(engine, bytes)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://x")
    const path = decodeURIComponent(url.pathname)
    const reading = request.method === "GET" || request.method === "HEAD"
    if (reading && path.startsWith("/inspector/assets/")) {
      const name = path.slice("/inspector/assets/".length)
      if (isAssetName(name)) return assets.send(request, response, name)
    } else if (reading && isOpenPath(path)) return assets.send(request, response, "index.html")
    if (stately !== undefined && reading && path === "/inspector/stately") {
      const refusal = refusalOf(request)
      if (refusal !== undefined) return problem(request, response, refusal.status, refusal.detail)
      return assets.send(request, response, "stately.html")
    }
    if (request.method === "GET" && path === "/inspector/feed") {
      if (!feed.open(request, response)) return problem(request, response, 503, "Too many pages look at this engine.")
      return new Promise((resolve) => response.once("close", resolve))
    }
    const found = reading
      ? path === "/inspector/venue/faults" && simulation
        ? readFaults(engine)
        : path.startsWith("/inspector/data/")
          ? await reads(path.slice("/inspector/data/".length), url.searchParams)
          : undefined
      : request.method === "POST"
        ? await writes(path, request)
        : undefined
    if (found === undefined) return problem(request, response, 404, "There is nothing here.")
    return sendJson(request, response, found.status, found.body)
  }

  return {
    handle: async (request, response) => {
      try {
        await answer(request, response)
      } catch (error) {
        if (isStoreAway(error)) return problem(request, response, 503, "The event store cannot be reached.")
        if (error instanceof URIError) return problem(request, response, 400, "The path cannot be read.")
        if (!response.destroyed) log.error({ path: request.url, error: String(error) }, "an inspector request failed")
        if (response.headersSent) response.destroy()
        else await problem(request, response, 500, "Internal error. The engine's log has the details.")
      }
    },
    upgrade: (request) =>
      stately !== undefined && request.method === "GET" && new URL(request.url ?? "/", "http://x").pathname === "/inspector/stately"
        ? stately.attach(request)
        : { status: 404, detail: "There is nothing here." },
    get feeds() {
      return feed.pages
    },
    close: () => {
      feed.close()
      stopAnswering?.()
      stately?.close()
    },
  }
}
