/** A store that holds open orders of one account is not used with another. */
import type { EventStore, OrderRow } from "@petrosa/event-store"
import { describe, expect, it } from "vitest"
import { guardAccount } from "../src/accountGuard.ts"
import type { TradingAccount } from "../src/accountGuard.ts"

const row = (change: Partial<OrderRow>): OrderRow =>
  ({ order: "o1", symbol: "BTCUSDT", market: "futures", state: "filled", settled: true, simulation_mode: false, ...change }) as OrderRow
const SETTLED_PAPER = row({ simulation_mode: true })
const UNSETTLED_PAPER = row({ simulation_mode: true, settled: false, state: "placed" })
const REAL = row({})

const storeWith = (rows: readonly OrderRow[], meta = new Map<string, string>()) => {
  const store = {
    getMeta: async (key: string) => meta.get(key),
    setMeta: async (key: string, value: string) => void meta.set(key, value),
    openOrders: async () => rows,
  }
  return { store: store as unknown as EventStore, meta }
}
const SIMULATION: TradingAccount = { mode: "simulation", accounts: {} }
const TESTNET: TradingAccount = { mode: "testnet", accounts: { spot: "demo-api.binance.com 1", futures: "demo-fapi.binance.com" } }
const FUTURES_ONLY: TradingAccount = { mode: "testnet", accounts: { futures: "demo-fapi.binance.com" } }
const SANDBOX: TradingAccount = { mode: "testnet", accounts: { ...TESTNET.accounts, futures: "127.0.0.1:9701" } }
const OTHER_UID: TradingAccount = { mode: "testnet", accounts: { ...TESTNET.accounts, spot: "demo-api.binance.com 2" } }
const LIVE: TradingAccount = { mode: "live", accounts: { spot: "live 1", futures: "live" } }

describe("the guard of the store", () => {
  it.each([
    ["an empty store", SIMULATION, LIVE, []],
    ["the same account", TESTNET, TESTNET, [REAL, UNSETTLED_PAPER]],
    ["open paper lots, which go on there", SIMULATION, TESTNET, [SETTLED_PAPER]],
    ["a market that is left out, without orders of its own", TESTNET, FUTURES_ONLY, [REAL]],
    ["another account on the other market", TESTNET, OTHER_UID, [REAL]],
  ] as const)("given %s, it lets the start go on, and remembers", async (_what, before, now, rows) => {
    const { store, meta } = storeWith([])
    await guardAccount(store, before)
    const later = storeWith(rows, meta)
    await guardAccount(later.store, now)
    await guardAccount(later.store, now)
  })

  it.each([
    ["orders of an exchange, now in simulation", TESTNET, SIMULATION, [REAL], /1 order\(s\).*the mode was testnet and is simulation now/],
    ["orders of the test network, now live", TESTNET, LIVE, [REAL], /mode was testnet and is live now/],
    ["paper orders that are not settled, now live: they could be decided anew", SIMULATION, LIVE, [UNSETTLED_PAPER], /simulation/],
    [
      "their market is left out",
      TESTNET,
      { mode: "testnet", accounts: { spot: "demo-api.binance.com 1" } },
      [REAL],
      /futures is not traded now/,
    ],
    ["their exchange is another", TESTNET, SANDBOX, [REAL], /futures was demo-fapi\.binance\.com and is 127\.0\.0\.1:9701 now/],
    ["their account is another", TESTNET, OTHER_UID, [row({ market: "spot" })], /spot was demo-api\.binance\.com 1 and is .* 2 now/],
  ] as const)("given %s, it is refused, and nothing is changed", async (_what, before, now, rows, says) => {
    const { store, meta } = storeWith([])
    await guardAccount(store, before as TradingAccount)
    const remembered = new Map(meta)
    const later = storeWith(rows, meta)
    await expect(guardAccount(later.store, now as TradingAccount)).rejects.toThrow(says)
    expect(meta).toEqual(remembered)
    await guardAccount(later.store, before as TradingAccount)
  })

  it("given a market that was left out for a while, then its account is still remembered", async () => {
    const { store, meta } = storeWith([])
    await guardAccount(store, TESTNET)
    await guardAccount(store, FUTURES_ONLY)
    await expect(guardAccount(storeWith([row({ market: "spot" })], meta).store, OTHER_UID)).rejects.toThrow(/spot was/)
  })

  it("given a store that is older than the guard and has unsettled orders, then it was simulation, and live is refused", async () => {
    await expect(guardAccount(storeWith([UNSETTLED_PAPER]).store, LIVE)).rejects.toThrow(/simulation/)
    await guardAccount(storeWith([UNSETTLED_PAPER]).store, SIMULATION)
  })
})
