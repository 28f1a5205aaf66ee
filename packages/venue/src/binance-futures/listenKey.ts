/**
 * The futures user data stream's key: made (or prolonged: the same call), renewed every 25 minutes, never deleted, because
 * a DELETE would end the stream of every other process of the account (binance.md 7.2).
 */
import type { FuturesConnector } from "../binance/connectors.ts"
import { isBroken, isObject, text } from "../binance/exactJson.ts"
import type { Session } from "../binance/session.ts"
import type { StreamProtocol } from "../binance/supervisor.ts"
import { WEIGHT, userStreamUrl } from "./endpoints.ts"
import { readEvent } from "./events.ts"

/** A key lives 60 minutes from its last renewal. */
export const RENEW_EVERY_MS = 25 * 60_000

export interface KeyedProtocol extends StreamProtocol {
  /** Prolongs the key; false: it is dead, and the stream with it. */
  renew(): Promise<boolean>
}

export const listenKeyProtocol = (session: Session<FuturesConnector>, base: string, template: string): KeyedProtocol => {
  let key: string | undefined
  return {
    url: async () => {
      const answer = await session.question(WEIGHT.listenKey, (client) => client.createListenKey())
      if (answer._tag !== "Answer" || !isObject(answer.answer.body)) return undefined
      key = text(answer.answer.body, "listenKey")
      if (key === undefined) return undefined
      session.redactor.learn(key)
      return userStreamUrl(template, base, key)
    },
    greeting: () => undefined,
    classify: (message) => (readEvent(message) === undefined && !isBroken(message) ? "handled" : "event"),
    renew: async () => {
      const current = key
      if (current === undefined) return false
      const answer = await session.question(WEIGHT.listenKey, (client) => client.renewListenKey(current))
      // No answer is no proof that it is dead: it lives for another half hour, and is renewed again before.
      return answer._tag !== "Unknown" || answer.reason !== "-1125"
    },
  }
}
