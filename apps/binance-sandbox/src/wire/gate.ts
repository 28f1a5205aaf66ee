/**
 * The gate of one market: every request, whether it came by REST or by the WebSocket API, passes here. In this order: bans and
 * weights, faults that keep it out, key, signature, timestamp, order counts, the way to the matching engine and the
 * timestamp again, the endpoint itself, unread parameters, and faults that spoil the answer.
 */
import type { Account } from "../core/accounts.ts"
import type { Exchange } from "../core/exchange.ts"
import type { Faults, RequestView } from "../faults/rules.ts"
import { lateness, readKey, readTiming } from "./auth.ts"
import type { Timing } from "./auth.ts"
import { ApiError, E, F } from "./errors.ts"
import type { Params } from "./params.ts"
import type { RateLimits } from "./rateLimits.ts"
import { Answer } from "./routes.ts"
import type { Route } from "./routes.ts"

export interface Incoming {
  readonly route: Route
  readonly params: Params
  readonly ip: string
  readonly apiKey: string | undefined
  /** Throws when it is not signed by this account. */
  readonly checkSignature: (account: Account) => void
}
export type Outgoing =
  | {
      readonly _tag: "Reply"
      readonly answer: Answer
      readonly headers: Readonly<Record<string, string>>
      readonly account: string | undefined
    }
  /** Nothing is sent. */
  | { readonly _tag: "Silence"; readonly closeSocket: boolean }

export class Gate {
  readonly market: "spot" | "futures"
  readonly exchange: Exchange
  readonly limits: RateLimits
  readonly #faults: Faults
  /** What has come, whatever became of it, by operation. */
  readonly tally = new Map<string, { requests: number; weight: number }>()

  constructor(market: "spot" | "futures", exchange: Exchange, limits: RateLimits, faults: Faults) {
    this.market = market
    this.exchange = exchange
    this.limits = limits
    this.#faults = faults
  }

  async pass(incoming: Incoming): Promise<Outgoing> {
    const { route, params, ip } = incoming
    const view = this.#view(incoming)
    let account: string | undefined
    const reply = (answer: Answer, headers: Readonly<Record<string, string>> = {}): Outgoing => ({
      _tag: "Reply",
      answer,
      headers: { ...this.limits.headers(ip, account), ...headers },
      account,
    })
    try {
      const weight = typeof route.weight === "number" ? route.weight : route.weight(params)
      const counted = this.tally.get(route.op) ?? { requests: 0, weight: 0 }
      this.tally.set(route.op, { requests: counted.requests + 1, weight: counted.weight + weight })
      this.limits.admit(ip, weight)
      const before = this.#keptOut(view)
      if (before !== undefined) return before
      const http = this.#faults.strike("http", view)
      if (http !== undefined && !http.executed) return reply(httpAnswer(http))
      const slow = this.#faults.strike("slow", view)
      // A refusal can be late, lost or covered by a 5xx just as well as an answer.
      const result = await this.#run(incoming, view, slow?.beforeMs ?? 0, (name) => {
        account = name
      }).catch((error: unknown) => {
        if (error instanceof ApiError) return error
        throw error
      })
      if (route.freeOnSuccess === true && !(result instanceof ApiError)) this.limits.refund(ip, weight)
      if (slow?.afterMs !== undefined) await this.#sleep(slow.afterMs)
      const lost = this.#faults.strike("loseReply", view)
      if (lost !== undefined) return { _tag: "Silence", closeSocket: lost.hang !== true }
      if (http !== undefined) return reply(httpAnswer(http))
      if (result instanceof ApiError) return reply(new Answer(result.status, result.body), result.headers)
      return reply(result instanceof Answer ? result : new Answer(200, result))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      return reply(new Answer(error.status, error.body), error.headers)
    }
  }

  async #run(incoming: Incoming, view: RequestView, beforeMs: number, identified: (account: string) => void): Promise<unknown> {
    const { route, params, ip } = incoming
    const timeout = this.#faults.strike("timeout", view)
    if (timeout !== undefined && !timeout.executed) throw E.timeout(this.market === "spot" ? 504 : 408)
    // Only requests that could be hit use a rule up.
    const fill = /cancel/i.test(route.op) ? this.#faults.strike("fillOnCancel", view) : undefined
    const denied = /place|batch|cancelReplace/i.test(route.op) ? this.#faults.strike("notFound", view) : undefined
    const call = {
      params,
      ip,
      fillAfterMs: timeout?.fillAfterMs,
      hideForMs: denied?.forMs ?? 0,
      fillOnCancel: fill === undefined ? undefined : fill.quantity === undefined ? ("all" as const) : { quantity: fill.quantity },
    }
    let result: unknown
    if (route.security === "none") {
      if (beforeMs > 0) await this.#sleep(beforeMs)
      result = await route.run(call)
    } else {
      if (incoming.apiKey === undefined) throw E.keyFormat()
      let timing: Timing | undefined
      if (route.security === "signed") {
        timing = readTiming(params.text("timestamp"), params.text("recvWindow"), this.market)
        params.ignore("signature")
        this.#inTime(timing, false)
      }
      const account = readKey(incoming.apiKey, this.exchange.accounts.values())
      identified(account.name)
      if (timing !== undefined) incoming.checkSignature(account)
      if (!account.permissions.includes(this.market)) throw E.key()
      if (route.orders !== undefined) this.limits.admitOrders(account.name, route.orders)
      if (beforeMs > 0) await this.#sleep(beforeMs)
      if (timing !== undefined && route.security === "signed" && route.engine === true) this.#inTime(timing, true)
      result = await route.run({ ...call, account })
    }
    if (timeout !== undefined) throw E.timeout(this.market === "spot" ? 504 : 408)
    return result
  }

  #inTime(timing: Timing, engine: boolean): void {
    const found = lateness(timing, this.exchange.nowMs())
    if (found === "fine") return
    if (found === "ahead") throw E.ahead()
    throw engine && this.market === "futures" ? F.engineWindow() : E.outsideWindow()
  }

  #keptOut(view: RequestView): Outgoing | undefined {
    const limit = this.#faults.strike("rateLimit", view)
    if (limit !== undefined) throw this.limits.forced(limit.status, limit.retryAfterS)
    const refuse = this.#faults.strike("refuse", view)
    if (refuse !== undefined) throw new ApiError(refuse.code, refuse.msg, refuse.status ?? 400)
    const drop = this.#faults.strike("dropRequest", view)
    if (drop !== undefined) return { _tag: "Silence", closeSocket: drop.hang !== true }
    return undefined
  }
  #view(incoming: Incoming): RequestView {
    const { route, params, apiKey } = incoming
    const first = (...names: readonly string[]): string => {
      for (const name of names) if (params.has(name)) return params.peek(name) ?? ""
      return ""
    }
    return {
      market: this.market,
      account: [...this.exchange.accounts.values()].find((account) => account.apiKey === apiKey)?.name ?? "",
      method: route.method,
      path: route.path,
      op: route.op,
      symbol: first("symbol"),
      clientId: first("newClientOrderId", "clientAlgoId", "origClientOrderId", "listClientOrderId"),
      type: first("type"),
    }
  }
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.exchange.clock.after(ms, resolve)
    })
  }
}

const httpAnswer = (fault: { readonly status: number; readonly body?: string }): Answer =>
  new Answer(
    fault.status,
    fault.body ?? "<html><body><h1>Service Unavailable</h1></body></html>",
    fault.body?.startsWith("{") === true ? "application/json" : "text/html",
  )
