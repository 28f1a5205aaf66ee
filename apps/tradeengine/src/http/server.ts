/**
 * The HTTP server: takes requests in, lets the guard look at them, hands them to the routes, and sends what they answer.
 *
 * Promises: a request never takes the process down (a defect is 500, with its details in the log only); every answer is
 * JSON with `{detail}` when it is an error, 404 and 405 included; memory is bounded (body size, connections, trades in
 * waiting). A caller that hangs up takes nothing back: its signal goes on.
 */
import { createServer, type Server } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { toIncomingMessage, toServerResponse } from "@effect/platform-node/NodeHttpServerRequest"
import type { FieldError } from "@petrosa/contracts"
import type { EngineFace } from "@petrosa/engine"
import type { Inspector } from "@petrosa/inspector"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import type { HttpApiSchemaError } from "effect/http-api/HttpApiError"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSwagger from "effect/http-api/HttpApiSwagger"
import * as HttpRouter from "effect/http/HttpRouter"
import { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import * as SchemaIssue from "effect/SchemaIssue"
import type { Answer } from "./answer.ts"
import { json, problem, shortened, wrongFields } from "./answer.ts"
import { Api, NamesTheField } from "./api.ts"
import type { TooLarge } from "./body.ts"
import { readBody, tooLarge } from "./body.ts"
import { makeGuard, securityHeaders } from "./guard.ts"
import * as reads from "./reads.ts"
import { isOn } from "./schemas.ts"
import { trade } from "./trade.ts"

/** pino, or anything that looks like it. */
export interface HttpLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface HttpOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Needed on every route but the probes, when set. */
  readonly token?: string
  readonly allowedHosts?: readonly string[]
  readonly engine: EngineFace
  readonly mode: "simulation" | "testnet" | "live"
  readonly log: HttpLog
  /** Answers everything below `/inspector` by itself, behind the guard; closed before the server is. */
  readonly inspector?: Inspector
  /** A body was refused for its size: for whoever keeps a record of what was refused. */
  readonly onTooLarge?: (refused: TooLarge & { readonly path: string }) => void
  /** Signals whose callers may be waiting at once, each with a body of up to 1 MiB; more get 503. Default 512. */
  readonly maxWaiting?: number
  /** How long `close` lets requests finish that are being answered, in ms. Default 2000. */
  readonly graceMs?: number
}

export interface RunningHttp {
  readonly url: string
  /** Takes no more requests, lets running ones finish for `graceMs`, then closes their connections. */
  close(): Promise<void>
}

/** The port is taken, or may not be bound. */
export class HttpStartFailed extends Error {
  override readonly name = "HttpStartFailed"
}

const MAX_CONNECTIONS = 2048
const MAX_WAITING = 512
const GRACE_MS = 2000

export const startHttp = async (options: HttpOptions): Promise<RunningHttp> => {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 })
  server.maxConnections = MAX_CONNECTIONS
  const graceMs = options.graceMs ?? GRACE_MS
  const serving = HttpRouter.serve(routes(options), { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(NodeHttpServer.layer(() => server, { host: options.host, port: options.port, gracefulShutdownTimeout: graceMs })),
  )
  const runtime = ManagedRuntime.make(serving)
  try {
    await runtime.context()
  } catch (error) {
    throw new HttpStartFailed(`The HTTP API cannot listen on ${options.host}:${options.port}: ${rootMessage(error)}`, { cause: error })
  }
  let closed: Promise<void> | undefined
  return {
    url: urlOf(server, options.host),
    close: () => {
      options.inspector?.close()
      return (closed ??= close(server, runtime, graceMs))
    },
  }
}

const close = async (server: Server, runtime: ManagedRuntime.ManagedRuntime<never, unknown>, graceMs: number): Promise<void> => {
  // A kept-alive connection becomes idle only after its last answer: without this, each would hold the stop for seconds.
  const idle = setInterval(() => server.closeIdleConnections(), 20)
  const force = setTimeout(() => server.closeAllConnections(), graceMs + 250)
  try {
    await runtime.dispose()
  } finally {
    clearInterval(idle)
    clearTimeout(force)
    server.closeAllConnections()
  }
}

const urlOf = (server: Server, host: string): string => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`
}

const rootMessage = (error: unknown): string => {
  let at: unknown = error
  for (let depth = 0; depth < 8 && at instanceof Error; depth += 1) {
    if ("code" in at && at.code === "EADDRINUSE") return "the port is in use. Is another engine running? HTTP_PORT sets another one."
    if ("code" in at && at.code === "EACCES") return "no permission to bind it."
    if (at.cause === undefined) return at.message
    at = at.cause
  }
  return String(at)
}

const send = (answer: Answer): HttpServerResponse.HttpServerResponse =>
  answer.text !== undefined
    ? HttpServerResponse.text(answer.text.value, { status: answer.status, contentType: answer.text.contentType, headers: answer.headers })
    : HttpServerResponse.text(JSON.stringify(answer.body), {
        status: answer.status,
        contentType: "application/json",
        headers: answer.headers,
      })

const reply = (answer: () => Answer | Promise<Answer>) =>
  Effect.map(
    Effect.promise(async () => answer()),
    send,
  )

const routes = (options: HttpOptions) => {
  const { engine, maxWaiting = MAX_WAITING } = options
  let waiting = 0

  const withBody = (request: HttpServerRequest, then: (bytes: Uint8Array) => Promise<Answer>) =>
    Effect.flatMap(readBody(request), (body) => {
      if (body._tag === "Bytes") return reply(() => then(body.bytes))
      const refused = { ...body, path: request.url.split("?", 1)[0] ?? request.url }
      options.log.warn(refused, "a body was refused for its size")
      options.onTooLarge?.(refused)
      return Effect.succeed(send(tooLarge(body)))
    })

  const waitingTrade = async (call: Parameters<typeof trade>[1]): Promise<Answer> => {
    if (waiting >= maxWaiting) {
      return problem(503, `${maxWaiting} signals are being waited for already.`, {}, { "retry-after": "1" })
    }
    waiting += 1
    try {
      return await trade(engine, call)
    } finally {
      waiting -= 1
    }
  }

  const trading = HttpApiBuilder.group(Api, "trading", (handlers) =>
    handlers
      .handleRaw("trade", ({ request, query, headers }) =>
        withBody(request, (bytes) => {
          const key = headers["idempotency-key"]
          const trace = traceparent(request.headers["traceparent"])
          return waitingTrade({
            bytes,
            dryRun: isOn(query.dry_run),
            ...(key === undefined ? {} : { idempotencyKey: key }),
            ...(trace === undefined ? {} : { traceparent: trace }),
          })
        }),
      )
      .handleRaw("price", ({ params, query }) => reply(() => reads.price(engine, params.symbol, query.market)))
      .handleRaw("account", ({ query }) => reply(() => reads.account(engine, query.market)))
      .handleRaw("cancel", ({ params, query, request }) => {
        const by = `http ${Option.getOrElse(request.remoteAddress, () => "?")}`
        return reply(() => reads.cancel(engine, params.symbol, params.order_id, by, query.market))
      }),
  )
  const history = HttpApiBuilder.group(Api, "history", (handlers) =>
    handlers
      .handleRaw("orders", ({ query }) => reply(() => reads.orders(engine, query)))
      .handleRaw("order", ({ params }) => reply(() => reads.order(engine, params.id)))
      .handleRaw("events", ({ params }) => reply(() => reads.events(engine, params.id))),
  )
  const operation = HttpApiBuilder.group(Api, "operation", (handlers) =>
    handlers
      .handleRaw("metrics", ({ request }) => reply(() => reads.metrics(engine, request.headers["accept"])))
      .handleRaw("healthz", () => reply(() => reads.healthz(engine)))
      .handleRaw("readyz", () => reply(() => reads.readyz(engine)))
      .handleRaw("simulationPrice", ({ request }) => withBody(request, (bytes) => reads.simulationPrice(engine, options.mode, bytes))),
  )
  const described = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([trading, history, operation]),
    Layer.provide(namesTheField),
  )
  return Layer.mergeAll(described, HttpApiSwagger.layer(Api, { path: "/docs" }), wrongMethods, inspectorAt(options), frame(options))
}

/** The inspector answers on the socket itself: its feed has to know when a page cannot keep up. */
const inspectorAt = ({ inspector }: HttpOptions) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      if (inspector === undefined) return
      const handler = Effect.flatMap(HttpServerRequest, (request) => {
        const incoming = toIncomingMessage(request) as IncomingMessage
        // Of an upgrade there is no response to write to: the socket is the inspector's until it is gone.
        if (incoming.headers.upgrade !== undefined) {
          const taken = inspector.upgrade(incoming)
          return "status" in taken
            ? Effect.succeed(send(problem(taken.status, taken.detail)))
            : Effect.map(
                Effect.promise(() => taken),
                () => HttpServerResponse.empty(),
              )
        }
        return Effect.map(
          Effect.promise(() => inspector.handle(incoming, toServerResponse(request) as ServerResponse)),
          () => HttpServerResponse.empty(),
        )
      })
      // The pattern takes `/inspector` itself as well.
      yield* router.add("*", "/inspector/*", handler)
    }),
  )

/** W3C trace context; anything else is not passed on. */
const traceparent = (header: string | undefined): string | undefined =>
  header !== undefined && /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(header) ? header : undefined

/** What a schema refused, as the list of fields that every 400 of this API is. */
const namesTheField = HttpApiMiddleware.layerSchemaErrorTransform(NamesTheField, (error) =>
  Effect.map(HttpServerRequest, (request) => send(wrongFields(fieldsOf(error, request)))),
)

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

const fieldsOf = (error: HttpApiSchemaError, request: HttpServerRequest): readonly FieldError[] => {
  const query = new URL(request.url, "http://x").searchParams
  return issuesOf(error.cause.issue).issues.map((issue) => {
    const field = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".")
    const came =
      error.kind === "Query" ? query.getAll(field).join(", ") : error.kind === "Headers" ? (request.headers[field] ?? "") : request.url
    const unknown = issue.message.startsWith("Expected no excess property")
    return { field, expected: unknown ? "no such parameter" : issue.message.replace(/^Expected /, ""), received: shortened(came) }
  })
}

/** A known path with a method that it does not have: 405 instead of 404. */
const wrongMethods = HttpRouter.use((router) =>
  Effect.gen(function* () {
    const methods = new Map<HttpRouter.PathInput, Set<string>>([
      ["/openapi.json", new Set(["GET"])],
      ["/docs", new Set(["GET"])],
    ])
    for (const group of Object.values(Api.groups)) {
      for (const endpoint of Object.values(group.endpoints)) {
        const known = methods.get(endpoint.path) ?? new Set()
        methods.set(endpoint.path, known.add(endpoint.method))
      }
    }
    for (const [path, known] of methods) {
      const allow = [...known, ...(known.has("GET") ? ["HEAD"] : [])].join(", ")
      const answer = send(problem(405, `Only ${allow} here.`, {}, { allow }))
      for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const) {
        if (!known.has(method)) yield* router.add(method, path, answer)
      }
    }
  }),
)

/** Around everything: the guard, what was not found, defects, and the headers of every answer. */
const frame = (options: HttpOptions) => {
  const guard = makeGuard(options)
  return HttpRouter.middleware(
    (app) =>
      Effect.flatMap(HttpServerRequest, (request) => {
        const path = request.url.split("?", 1)[0] ?? request.url
        const refusal = guard({ method: request.method, url: request.url, headers: request.headers })
        const response =
          refusal === undefined
            ? Effect.catchCause(app, (cause) =>
                Cause.hasInterruptsOnly(cause) ? Effect.failCause(cause) : Effect.sync(() => send(failed(options.log, path, cause))),
              )
            : Effect.succeed(send(refusal))
        return Effect.map(response, HttpServerResponse.setHeaders(securityHeaders(path)))
      }),
    { global: true },
  )
}

const failed = (log: HttpLog, path: string, cause: Cause.Cause<unknown>): Answer => {
  const error: unknown = Cause.squash(cause)
  if (typeof error === "object" && error !== null && "reason" in error) {
    const reason = error.reason
    if (typeof reason === "object" && reason !== null && "_tag" in reason && reason._tag === "RouteNotFound") {
      return problem(404, `There is nothing at ${shortened(path)}. GET /docs shows what there is.`)
    }
  }
  log.error({ path, error: Cause.pretty(cause) }, "a request failed")
  return json({ detail: "Internal error. The engine's log has the details." }, 500)
}
