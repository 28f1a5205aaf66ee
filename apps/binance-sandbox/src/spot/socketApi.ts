/**
 * Spot's WebSocket API (`/ws-api/v3`): the requests of a connection without a session, each signed on its own, and the user
 * data stream. Requests share gate, endpoints and limits with REST. Covered methods: see {@link METHODS} and the README.
 */
import type { Account } from "../core/accounts.ts"
import type { Connection } from "../streams/connection.ts"
import type { UserStreams } from "../streams/userStreams.ts"
import { isSignedBy, socketPayload } from "../wire/auth.ts"
import { ApiError, E, S } from "../wire/errors.ts"
import type { Gate, Outgoing } from "../wire/gate.ts"
import { isObject, parseJson, textOf } from "../wire/json.ts"
import type { JsonObject } from "../wire/json.ts"
import { Params } from "../wire/params.ts"
import type { Route } from "../wire/routes.ts"

/** Method of the WebSocket API → endpoint of REST. */
export const METHODS: Readonly<Record<string, string>> = {
  ping: "GET /api/v3/ping",
  time: "GET /api/v3/time",
  exchangeInfo: "GET /api/v3/exchangeInfo",
  depth: "GET /api/v3/depth",
  "ticker.price": "GET /api/v3/ticker/price",
  "ticker.book": "GET /api/v3/ticker/bookTicker",
  avgPrice: "GET /api/v3/avgPrice",
  "order.place": "POST /api/v3/order",
  "order.test": "POST /api/v3/order/test",
  "order.status": "GET /api/v3/order",
  "order.cancel": "DELETE /api/v3/order",
  "order.cancelReplace": "POST /api/v3/order/cancelReplace",
  "openOrders.status": "GET /api/v3/openOrders",
  "openOrders.cancelAll": "DELETE /api/v3/openOrders",
  "orderList.place.oco": "POST /api/v3/orderList/oco",
  "orderList.place.oto": "POST /api/v3/orderList/oto",
  "orderList.place.otoco": "POST /api/v3/orderList/otoco",
  "orderList.status": "GET /api/v3/orderList",
  "orderList.cancel": "DELETE /api/v3/orderList",
  "openOrderLists.status": "GET /api/v3/openOrderList",
  allOrders: "GET /api/v3/allOrders",
  allOrderLists: "GET /api/v3/allOrderList",
  myTrades: "GET /api/v3/myTrades",
  "account.status": "GET /api/v3/account",
  "account.rateLimits.orders": "GET /api/v3/rateLimit/order",
}

const subscribeRoute = (run: (account: Account) => unknown): Route => ({
  method: "POST",
  path: "userDataStream.subscribe.signature",
  op: "stream.subscribe",
  security: "signed",
  weight: 2,
  run: (call) => {
    call.params.done()
    return run(call.account)
  },
})

/** Parameters as texts: what is no text or number is refused, except lists, which are sent as JSON. */
const readParams = (value: unknown): ReadonlyMap<string, string> => {
  if (value === undefined) return new Map()
  if (!isObject(value)) throw new ApiError(-1135, "Invalid 'params' in JSON request; expected an object.")
  return new Map(Object.entries(value).map(([name, item]) => [name, typeof item === "object" ? JSON.stringify(item) : textOf(item)]))
}

export class SocketApi {
  readonly #gate: Gate
  readonly #streams: UserStreams
  readonly #routes: ReadonlyMap<string, Route>
  #nextSubscription = 0

  constructor(gate: Gate, streams: UserStreams, routes: readonly Route[]) {
    this.#gate = gate
    this.#streams = streams
    this.#routes = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]))
  }

  open(connection: Connection): void {
    const subscriptions = new Map<number, { readonly account: string; readonly end: () => void }>()
    connection.onClose(() => {
      for (const { end } of subscriptions.values()) end()
      subscriptions.clear()
    })
    const subscribe = (account: Account): unknown => {
      if ([...subscriptions.values()].some((one) => one.account === account.name)) throw S.alreadySubscribed()
      const id = this.#nextSubscription
      this.#nextSubscription += 1
      const end = this.#streams.subscribe({
        market: "spot",
        account: account.name,
        wants: () => true,
        send: (event) => connection.send({ subscriptionId: id, event }),
      })
      subscriptions.set(id, { account: account.name, end })
      return { subscriptionId: id }
    }
    const unsubscribe = (params: Params): unknown => {
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
    connection.onMessage((text) => {
      void this.#answer(connection, text, subscribe, unsubscribe)
    })
  }

  async #answer(
    connection: Connection,
    text: string,
    subscribe: (account: Account) => unknown,
    unsubscribe: (params: Params) => unknown,
  ): Promise<void> {
    const request = parseJson(text)
    const id: unknown = isObject(request) ? (request["id"] ?? null) : null
    const fail = (error: ApiError): void => connection.send({ id, status: error.status, error: error.body })
    try {
      if (!isObject(request)) throw new ApiError(-1135, "Invalid JSON Request")
      const method = textOf(request["method"]).replace(/^v3\//, "")
      const values = readParams(request["params"])
      const route = this.#route(method, subscribe, unsubscribe)
      // Dead since 2026-02-20, and unknown ones: both are answered alike.
      if (route === undefined) throw new ApiError(-1020, "This operation is not supported.")
      const outgoing = await this.#gate.pass({
        route,
        params: new Params(new Map([...values].filter(([name]) => name !== "apiKey" && name !== "returnRateLimits"))),
        ip: connection.ip,
        apiKey: values.get("apiKey"),
        checkSignature: (account) => checkSignature(account, values),
      })
      this.#reply(connection, request, id, outgoing)
    } catch (error) {
      if (error instanceof ApiError) fail(error)
      else throw error
    }
  }

  #route(method: string, subscribe: (account: Account) => unknown, unsubscribe: (params: Params) => unknown): Route | undefined {
    if (method === "userDataStream.subscribe.signature") return subscribeRoute(subscribe)
    if (method === "userDataStream.unsubscribe")
      return {
        method: "DELETE",
        path: method,
        op: "stream.unsubscribe",
        security: "none",
        weight: 2,
        run: ({ params }) => unsubscribe(params),
      }
    const endpoint = METHODS[method]
    return endpoint === undefined ? undefined : this.#routes.get(endpoint)
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

const checkSignature = (account: Account, values: ReadonlyMap<string, string>): void => {
  const signature = values.get("signature")
  if (signature === undefined || signature === "") throw E.mandatory("signature")
  if (!isSignedBy(account, socketPayload(values), signature)) throw E.signature()
}
