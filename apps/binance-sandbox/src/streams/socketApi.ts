/**
 * The WebSocket API of a market (`/ws-api/v3`, `/ws-fapi/v1`): requests that are signed each on their own, or sent in a session
 * (`session.logon`, Ed25519 keys only), and spot's user data stream. Requests share gate, endpoints and limits with REST.
 */
import type { Market } from "@petrosa/contracts"
import type { Account } from "../core/accounts.ts"
import { isSignedBy, readKey, socketPayload } from "../wire/auth.ts"
import { ApiError, E, S } from "../wire/errors.ts"
import type { Gate, Outgoing } from "../wire/gate.ts"
import { isObject, parseJson, textOf } from "../wire/json.ts"
import type { JsonObject } from "../wire/json.ts"
import { Params } from "../wire/params.ts"
import type { Route } from "../wire/routes.ts"
import type { Connection } from "./connection.ts"
import type { UserStreams } from "./userStreams.ts"

/** Who has logged on, and what a connection listens to. */
interface Session {
  readonly connectedAtMs: number
  account: Account | undefined
  authorizedAtMs: number | null
  readonly subscriptions: Map<number, { readonly account: string; readonly end: () => void }>
}

/** Parameters as texts: what is no text or number is refused, except lists, which are sent as JSON. */
const readParams = (value: unknown): ReadonlyMap<string, string> => {
  if (value === undefined || value === null) return new Map()
  if (!isObject(value)) throw new ApiError(-1135, "Invalid 'params' in JSON request; expected an object.")
  return new Map(Object.entries(value).map(([name, item]) => [name, typeof item === "object" ? JSON.stringify(item) : textOf(item)]))
}
/** Not what the endpoint is asked for, but how. */
const OF_THE_PROTOCOL = new Set(["apiKey", "returnRateLimits"])

export class SocketApi {
  readonly #market: Market
  readonly #gate: Gate
  readonly #streams: UserStreams
  readonly #routes: ReadonlyMap<string, Route>
  readonly #methods: Readonly<Record<string, string>>
  #nextSubscription = 0

  /** `methods`: method of the WebSocket API → endpoint of REST. */
  constructor(market: Market, gate: Gate, streams: UserStreams, routes: readonly Route[], methods: Readonly<Record<string, string>>) {
    this.#market = market
    this.#gate = gate
    this.#streams = streams
    this.#routes = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]))
    this.#methods = methods
  }

  open(connection: Connection): void {
    const session: Session = {
      connectedAtMs: this.#gate.exchange.nowMs(),
      account: undefined,
      authorizedAtMs: null,
      subscriptions: new Map(),
    }
    connection.onClose(() => {
      for (const { end } of session.subscriptions.values()) end()
      session.subscriptions.clear()
    })
    connection.onMessage((text) => {
      void this.#answer(connection, session, text)
    })
  }

  async #answer(connection: Connection, session: Session, text: string): Promise<void> {
    const request = parseJson(text)
    const id: unknown = isObject(request) ? (request["id"] ?? null) : null
    const fail = (error: ApiError): void => connection.send({ id, status: error.status, error: error.body })
    try {
      if (!isObject(request)) throw new ApiError(-1135, "Invalid JSON Request")
      const method = textOf(request["method"]).replace(/^v3\//, "")
      const values = readParams(request["params"])
      const route = this.#route(connection, session, method)
      // Dead since 2026-02-20, and unknown ones: both are answered alike.
      if (route === undefined) throw new ApiError(-1020, "This operation is not supported.")
      const inSession = session.account !== undefined && !values.has("signature")
      const outgoing = await this.#gate.pass({
        route,
        params: new Params(new Map([...values].filter(([name]) => !OF_THE_PROTOCOL.has(name)))),
        ip: connection.ip,
        apiKey: values.get("apiKey") ?? session.account?.apiKey,
        checkSignature: (account) => {
          if (!inSession || account !== session.account) checkSignature(account, values)
        },
      })
      this.#reply(connection, request, id, outgoing)
    } catch (error) {
      if (error instanceof ApiError) fail(error)
      else throw error
    }
  }

  #route(connection: Connection, session: Session, method: string): Route | undefined {
    const { exchange } = this.#gate
    const common = { method: "POST", path: method, weight: 2 } as const
    switch (method) {
      case "session.logon":
        return {
          ...common,
          op: "session.logon",
          security: "signed",
          run: ({ params, account }) => {
            params.done()
            if (account.publicKey === undefined) throw new ApiError(-4056, "HMAC_SHA256 API key is not supported.")
            session.account = account
            session.authorizedAtMs = exchange.nowMs()
            return this.#status(session)
          },
        }
      case "session.status":
      case "session.logout":
        return {
          ...common,
          op: method,
          security: "none",
          run: () => {
            if (method === "session.logout") {
              session.account = undefined
              session.authorizedAtMs = null
            }
            return this.#status(session)
          },
        }
      default:
    }
    const endpoint = this.#methods[method]
    if (endpoint !== undefined) return this.#routes.get(endpoint)
    if (this.#market !== "spot") return undefined
    const subscribing = { ...common, op: "stream.subscribe" } as const
    switch (method) {
      case "userDataStream.subscribe.signature":
        return {
          ...subscribing,
          security: "signed",
          run: ({ params, account }) => {
            params.done()
            return this.#subscribe(connection, session, account)
          },
        }
      case "userDataStream.subscribe":
        return {
          ...subscribing,
          security: "none",
          run: () => {
            if (session.account === undefined) throw E.key()
            return this.#subscribe(connection, session, readKey(session.account.apiKey, exchange.accounts.values()))
          },
        }
      case "userDataStream.unsubscribe":
        return {
          ...common,
          method: "DELETE",
          op: "stream.unsubscribe",
          security: "none",
          run: ({ params }) => unsubscribe(session, params),
        }
      case "session.subscriptions":
        return {
          ...common,
          op: method,
          security: "none",
          run: () => [...session.subscriptions.keys()].map((subscriptionId) => ({ subscriptionId })),
        }
      default:
        return undefined
    }
  }
  #status(session: Session): JsonObject {
    return {
      apiKey: session.account?.apiKey ?? null,
      authorizedSince: session.authorizedAtMs,
      connectedSince: session.connectedAtMs,
      returnRateLimits: true,
      serverTime: this.#gate.exchange.nowMs(),
      ...(this.#market === "spot" ? { userDataStream: session.subscriptions.size > 0 } : {}),
    }
  }
  #subscribe(connection: Connection, session: Session, account: Account): JsonObject {
    if ([...session.subscriptions.values()].some((one) => one.account === account.name)) throw S.alreadySubscribed()
    const id = this.#nextSubscription
    this.#nextSubscription += 1
    const end = this.#streams.subscribe({
      market: "spot",
      account: account.name,
      wants: () => true,
      send: (event) => connection.send({ subscriptionId: id, event }),
    })
    session.subscriptions.set(id, { account: account.name, end })
    return { subscriptionId: id }
  }

  #reply(connection: Connection, request: JsonObject, id: unknown, outgoing: Outgoing): void {
    if (outgoing._tag === "Silence") {
      if (outgoing.closeSocket) connection.cut()
      return
    }
    const { answer, account } = outgoing
    const params = isObject(request["params"]) ? request["params"] : {}
    const rateLimits = params["returnRateLimits"] === false ? {} : { rateLimits: this.#gate.limits.view(connection.ip, account) }
    const body = answer.status === 200 ? { result: answer.body } : { error: answer.body }
    connection.send({ id, status: answer.status, ...body, ...rateLimits })
  }
}

const unsubscribe = ({ subscriptions }: Session, params: Params): JsonObject => {
  const id = params.integer("subscriptionId")
  if (id === undefined) {
    if (subscriptions.size === 0) throw S.notSubscribed()
    for (const one of subscriptions.values()) one.end()
    subscriptions.clear()
    return {}
  }
  const one = subscriptions.get(id)
  if (one === undefined) throw S.notSubscribed()
  one.end()
  subscriptions.delete(id)
  return {}
}

const checkSignature = (account: Account, values: ReadonlyMap<string, string>): void => {
  const signature = values.get("signature")
  if (signature === undefined || signature === "") throw E.mandatory("signature")
  if (!isSignedBy(account, socketPayload(values), signature)) throw E.signature()
}
