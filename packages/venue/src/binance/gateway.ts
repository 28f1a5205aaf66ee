/**
 * The one door to an exchange's REST API: rate budget before, counts and bans after, nothing in between but the connector.
 *
 * A request that the budget holds waits here at most as long as its caller allows, then it is `Held`: certainly not sent.
 * What waits is bounded; protective requests do not wait behind entries (each asks for itself, the reserve is theirs).
 */
import type { Clock } from "./clock.ts"
import { pause } from "./clock.ts"
import type { RateBudget, Ask } from "./rateBudget.ts"
import { silenceOf, usageOf } from "./rateBudget.ts"
import type { Answered, Reply } from "./reply.ts"
import { errorOf } from "./reply.ts"

/** Requests that wait for the budget at the same time. */
export const WAITING_MAX = 5_000

export interface Gateway<C> {
  /** Asks; never rejects. `waitMs`: how long the budget may hold it back at most. */
  ask(ask: Ask, waitMs: number, run: (client: C) => Promise<unknown>): Promise<Reply>
  /** A limit was hit by another way (a WebSocket): the budget is one. `silentUntilMs`: by the exchange's clock. */
  limited(status: number, silentUntilMs: number | undefined): void
  readonly budget: RateBudget
}

export interface GatewayOptions<C> {
  readonly client: C
  readonly budget: RateBudget
  readonly clock: Clock
  readonly offsetMs: () => number
  /** A limit was hit, or a ban: for logs and alarms. */
  readonly onLimited: (status: number, untilMs: number) => void
}

export const gatewayOf = <C>({ client, budget, clock, offsetMs, onLimited }: GatewayOptions<C>): Gateway<C> => {
  let waiting = 0
  /** The exchange's clock: its windows are aligned to it. */
  const serverMs = (): number => clock.nowMs() + offsetMs()

  const settle = (ask: Ask, reply: Reply, admittedMs: number): void => {
    const answer = reply._tag === "Answered" ? reply : undefined
    const isLimited = answer !== undefined && isLimit(answer)
    budget.finished(ask, answer === undefined ? [] : usageOf(answer.headers), serverMs(), isLimited)
    if (answer === undefined || !isLimited) return
    const message = errorOf(answer)?.message ?? ""
    const untilMs = silenceOf(answer.headers["retry-after"], message, serverMs())
    // It left before the silence began: the refusal of a burst, not of somebody who does not listen.
    if (untilMs === undefined && answer.status !== 418 && budget.silentUntilMs > admittedMs) return
    limited(answer.status, untilMs)
  }
  const limited = (status: number, silentUntilMs: number | undefined): void =>
    onLimited(status, budget.limited(status, silentUntilMs, serverMs(), clock.random()) - offsetMs())

  return {
    budget,
    limited,
    ask: async (ask, waitMs, run) => {
      const untilMs = serverMs() + waitMs
      for (;;) {
        const admission = budget.admit(ask, serverMs())
        if (admission._tag === "Admitted") break
        if (admission.untilMs > untilMs || waiting >= WAITING_MAX)
          return { _tag: "Held", untilMs: admission.untilMs - offsetMs(), message: `held by ${admission.limit}` }
        waiting += 1
        // Those that waited together do not all knock in the same millisecond.
        await pause(clock, Math.max(1, admission.untilMs - serverMs() + clock.random() * 50))
        waiting -= 1
      }
      const admittedMs = serverMs()
      let reply: Reply = { _tag: "Unanswered", notSent: true, code: "BAD_CALL" }
      try {
        // A missing parameter is thrown by the connector before anything is sent, and is no Error (binance.md 1.3.9).
        const answer = await run(client)
        if (isReply(answer)) reply = answer
      } catch {
        reply = { _tag: "Unanswered", notSent: true, code: "BAD_CALL" }
      }
      settle(ask, reply, admittedMs)
      return reply
    },
  }
}

const isLimit = (answer: Answered): boolean =>
  answer.status === 429 || answer.status === 418 || (answer.status === 403 && errorOf(answer) === undefined)
const isReply = (value: unknown): value is Reply => typeof value === "object" && value !== null && "_tag" in value
