/** All orders and trades ever, found by id, by client id among the open ones, and by their number in the matching core. */
import type { Market } from "@petrosa/contracts"
import { isOpen } from "./orders.ts"
import type { SandboxOrder, SandboxTrade } from "./orders.ts"

const key = (market: Market, id: bigint): string => `${market} ${id}`
const clientKey = (order: Pick<SandboxOrder, "market" | "account" | "symbol" | "clientId">): string =>
  `${order.market} ${order.account} ${order.symbol} ${order.clientId}`

export class OrderBook {
  readonly #nextId: Record<Market, bigint>
  readonly #nextTradeId: Record<Market, bigint> = { spot: 1001n, futures: 500_001n }
  readonly #orders = new Map<string, SandboxOrder>()
  readonly #byCore = new Map<number, SandboxOrder>()
  readonly #open = new Map<string, SandboxOrder>()
  /** Latest last: an id that was used again finds the newer order. */
  readonly #byClientId = new Map<string, SandboxOrder>()
  readonly #trades: SandboxTrade[] = []

  constructor(firstId: Readonly<Record<Market, bigint>>) {
    this.#nextId = { ...firstId }
  }

  nextId(market: Market): bigint {
    const id = this.#nextId[market]
    this.#nextId[market] = id + 1n
    return id
  }
  nextTradeId(market: Market): bigint {
    const id = this.#nextTradeId[market]
    this.#nextTradeId[market] = id + 1n
    return id
  }

  add(order: SandboxOrder): void {
    this.#orders.set(key(order.market, order.id), order)
    this.#byClientId.set(clientKey(order), order)
    if (isOpen(order.status)) this.#open.set(key(order.market, order.id), order)
  }
  /** An order has reached the matching core. */
  join(order: SandboxOrder, coreId: number): void {
    order.coreId = coreId
    this.#byCore.set(coreId, order)
    if (!this.has(order)) this.add(order)
  }
  /** It is over. */
  settle(order: SandboxOrder): void {
    this.#open.delete(key(order.market, order.id))
  }
  has(order: SandboxOrder): boolean {
    return this.#orders.has(key(order.market, order.id))
  }
  isOpen(order: SandboxOrder): boolean {
    return this.#open.has(key(order.market, order.id))
  }
  byCore(coreId: number): SandboxOrder | undefined {
    return this.#byCore.get(coreId)
  }
  byId(market: Market, account: string, symbol: string, id: bigint): SandboxOrder | undefined {
    const order = this.#orders.get(key(market, id))
    return order?.account === account && order.symbol === symbol ? order : undefined
  }
  byClientId(market: Market, account: string, symbol: string, clientId: string): SandboxOrder | undefined {
    return this.#byClientId.get(clientKey({ market, account, symbol, clientId }))
  }
  isTaken(market: Market, account: string, symbol: string, clientId: string): boolean {
    const order = this.byClientId(market, account, symbol, clientId)
    return order !== undefined && this.isOpen(order)
  }
  open(market: Market, account: string, symbol?: string): readonly SandboxOrder[] {
    return [...this.#open.values()].filter(
      (order) => order.market === market && order.account === account && (symbol === undefined || order.symbol === symbol),
    )
  }
  all(market?: Market, account?: string, symbol?: string): readonly SandboxOrder[] {
    return [...this.#orders.values()].filter(
      (order) =>
        (market === undefined || order.market === market) &&
        (account === undefined || order.account === account) &&
        (symbol === undefined || order.symbol === symbol),
    )
  }
  record(trade: SandboxTrade): void {
    this.#trades.push(trade)
  }
  trades(market?: Market, account?: string, symbol?: string): readonly SandboxTrade[] {
    return this.#trades.filter(
      (trade) =>
        (market === undefined || trade.market === market) &&
        (account === undefined || trade.account === account) &&
        (symbol === undefined || trade.symbol === symbol),
    )
  }
}
