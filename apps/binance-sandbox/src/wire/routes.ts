/** What an endpoint is: where it lies, who may use it, what it weighs, and what it does. */
import type { Account } from "../core/accounts.ts"
import { E } from "./errors.ts"
import type { Params } from "./params.ts"

export interface Call {
  readonly params: Params
  readonly ip: string
  /** Of a fault: what can trade does so that much later. */
  readonly fillAfterMs: number | undefined
  /** Of a fault: for so long the exchange denies knowing what this call creates. */
  readonly hideForMs: number
  /** Of a fault: how much is filled between a cancel and its reply; `all`, or a quantity. */
  readonly fillOnCancel: "all" | { readonly quantity: string } | undefined
}
export interface SignedCall extends Call {
  readonly account: Account
}

interface Common {
  readonly method: "GET" | "POST" | "PUT" | "DELETE"
  readonly path: string
  /** For fault rules. */
  readonly op: string
  readonly weight: number | ((params: Params) => number)
  /** Spot orders weigh nothing when they succeed (2026-04-02). */
  readonly freeOnSuccess?: boolean
  /** How many orders it counts as. */
  readonly orders?: number
}
export type Route =
  | (Common & { readonly security: "none"; readonly run: (call: Call) => unknown })
  /** The API key alone. */
  | (Common & { readonly security: "key"; readonly run: (call: SignedCall) => unknown })
  /** Signed. `engine`: goes to the matching engine, where the timestamp is checked again. */
  | (Common & { readonly security: "signed"; readonly engine?: boolean; readonly run: (call: SignedCall) => unknown })

/** An answer with a status of its own (cancelReplace) or without a JSON body. */
export class Answer {
  readonly status: number
  readonly body: unknown
  readonly contentType: string
  constructor(status: number, body: unknown, contentType = "application/json;charset=UTF-8") {
    this.status = status
    this.body = body
    this.contentType = contentType
  }
}

export const limitOf = (params: Params, otherwise: number, most: number): number => {
  const limit = params.integer("limit", { min: 0 }) ?? otherwise
  return limit === 0 ? otherwise : Math.min(limit, most)
}

export interface Window {
  readonly startMs: number
  readonly endMs: number
  /** Neither end was given. */
  readonly open: boolean
}
/** `startTime` and `endTime`, at most so many hours apart. */
export const windowOf = (params: Params, mostHours: number): Window => {
  const start = params.integer("startTime")
  const end = params.integer("endTime")
  if (start !== undefined && end !== undefined) {
    if (start > end) throw E.startAfterEnd()
    if (end - start > mostHours * 3_600_000) throw E.tooLong(mostHours)
  }
  return { startMs: start ?? 0, endMs: end ?? Number.MAX_SAFE_INTEGER, open: start === undefined && end === undefined }
}
export const inWindow = (window: Window, atMs: number): boolean => atMs >= window.startMs && atMs <= window.endMs
