/**
 * Differences of the order book, as local books are kept from them: each event follows the one before without a gap (spot:
 * `U` is the last `u` + 1; futures: `pu` is the last `u`), and REST's `lastUpdateId` lies in the same count.
 * A book is only compared while somebody has asked for it.
 */
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { bookSide, changes } from "../market/book.ts"
import type { Level } from "../market/book.ts"
import type { History } from "../market/history.ts"
import type { JsonObject } from "../wire/json.ts"

const LEVELS_MAX = 1000

interface Seen {
  readonly bids: readonly Level[]
  readonly asks: readonly Level[]
  readonly u: number
}

export class DepthDiffs {
  readonly #exchange: Exchange
  readonly #history: History
  readonly #seen = new Map<string, Seen>()

  constructor(exchange: Exchange, history: History) {
    this.#exchange = exchange
    this.#history = history
  }
  #now(info: SymbolInfo): Seen {
    return {
      bids: bookSide(this.#exchange, info, "bids", LEVELS_MAX),
      asks: bookSide(this.#exchange, info, "asks", LEVELS_MAX),
      u: this.#history.updates(info.market, info.symbol),
    }
  }
  /** Somebody listens from here on. */
  begin(info: SymbolInfo): void {
    if (!this.#seen.has(info.symbol)) this.#seen.set(info.symbol, this.#now(info))
  }
  /** The event of what has changed since the last one; `undefined`: nobody listens. */
  changed(info: SymbolInfo): JsonObject | undefined {
    const before = this.#seen.get(info.symbol)
    if (before === undefined) return undefined
    const now = this.#now(info)
    this.#seen.set(info.symbol, now)
    const atMs = this.#exchange.nowMs()
    const spot = info.market === "spot"
    return {
      e: "depthUpdate",
      E: atMs,
      ...(spot ? {} : { T: atMs }),
      s: info.symbol,
      U: before.u + 1,
      u: now.u,
      ...(spot ? {} : { pu: before.u }),
      b: changes(info, before.bids, now.bids),
      a: changes(info, before.asks, now.asks),
    }
  }
}
