/**
 * What came of asking a venue: three values, never two. `Unknown` is not a failure: it is a question, to be answered by
 * asking the venue again, never by a guess (docs/design.md section 5).
 */

/**
 * Why a venue refused, as far as it matters for what to do next:
 * - `fatal`: this request is wrong and stays wrong (filter, parameter, type);
 * - `balance`: funds, margin or a position limit;
 * - `wouldTrigger`: a trigger price is already passed: a protective stop of this kind means "exit now";
 * - `duplicate`: the client order id is in use: an earlier attempt landed; ask for it;
 * - `race`: the order's state changed meanwhile (unknown order, position gone): read it again;
 * - `rateLimit`: not executed; wait (until `retryAtMs`, when given);
 * - `retry`: certainly not executed, and may be sent again (clock off, connection refused before sending);
 * - `account`: no order will pass until a human acts (key, permission, ban).
 */
export type RefusalClass = "fatal" | "balance" | "wouldTrigger" | "duplicate" | "race" | "rateLimit" | "retry" | "account"

export interface Accepted<A> {
  readonly _tag: "Accepted"
  readonly value: A
}
export interface Refused {
  readonly _tag: "Refused"
  readonly class: RefusalClass
  /** The venue's own code, e.g. `"-2010"`, or ours, in capitals. */
  readonly code: string
  readonly message: string
  readonly retryAtMs?: number
}
export interface Unknown {
  readonly _tag: "Unknown"
  /** Why it is not known: `TIMEOUT`, `CONNECTION_RESET`, `-1007` … */
  readonly reason: string
}
/** The answer to a request that changes something. */
export type Outcome<A> = Accepted<A> | Refused | Unknown

/** The answer to a question. An error is never "nothing there". */
export type Read<A> = { readonly _tag: "Known"; readonly value: A } | Unknown

export const accepted = <A>(value: A): Accepted<A> => ({ _tag: "Accepted", value })
export const refused = (cls: RefusalClass, code: string, message: string, retryAtMs?: number): Refused =>
  retryAtMs === undefined ? { _tag: "Refused", class: cls, code, message } : { _tag: "Refused", class: cls, code, message, retryAtMs }
export const unknown = (reason: string): Unknown => ({ _tag: "Unknown", reason })
export const known = <A>(value: A): Read<A> => ({ _tag: "Known", value })
