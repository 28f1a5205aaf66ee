/** SUBSCRIBE, UNSUBSCRIBE and LIST_SUBSCRIPTIONS of the stream hosts, both markets. */
import { isObject, parseJson } from "../wire/json.ts"
import type { Connection } from "./connection.ts"
import type { MarketStreams } from "./marketStreams.ts"

/** `others`: names that are no market streams (listen keys); true: it was taken. */
export const speakMarketProtocol = (
  connection: Connection,
  streams: MarketStreams,
  others: (name: string) => boolean = () => false,
): void => {
  connection.onMessage((text) => {
    const request = parseJson(text)
    if (!isObject(request)) {
      connection.send({ error: { code: 3, msg: "Invalid JSON: expected value at line 1 column 1" } })
      return
    }
    const id = request["id"] ?? null
    const names = Array.isArray(request["params"]) ? request["params"].filter((name): name is string => typeof name === "string") : []
    switch (request["method"]) {
      case "SUBSCRIBE": {
        const market = names.filter((name) => !others(name))
        if (streams.subscribe(connection, market)) connection.send({ result: null, id })
        else connection.send({ error: { code: 2, msg: "Invalid request: too many subscriptions" }, id })
        break
      }
      case "UNSUBSCRIBE":
        streams.unsubscribe(connection, names)
        connection.send({ result: null, id })
        break
      case "LIST_SUBSCRIPTIONS":
        connection.send({ result: streams.names(connection), id })
        break
      default:
        connection.send({ error: { code: 2, msg: `Invalid request: unknown variant \`${String(request["method"])}\`` }, id })
    }
  })
}
