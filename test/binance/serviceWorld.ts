/** The real engine process in testnet mode, pointed at the local Binance: what the service tests share. */
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import type { Sandbox, SandboxOptions } from "@petrosa/binance-sandbox"
import type { Market } from "@petrosa/contracts"
import { World } from "../support/world.ts"

export const KEYS = { BINANCE_API_KEY: EXAMPLE_KEY, BINANCE_API_SECRET: EXAMPLE_SECRET }

/** The settings that point an engine at a sandbox. */
export const addressesOf = (sandbox: Sandbox): Readonly<Record<string, string>> => ({
  BINANCE_SPOT_URL: sandbox.spotUrl,
  BINANCE_SPOT_WS_URL: sandbox.spotStreamUrl,
  BINANCE_FUTURES_URL: sandbox.futuresUrl,
  BINANCE_FUTURES_WS_URL: sandbox.futuresStreamUrl,
})

export interface ServiceWorld {
  readonly world: World
  readonly sandbox: Sandbox
  /** Moves both markets' price, mark price included. */
  setPrice(price: string): void
  /** Client ids of all orders that ever reached the exchange under an order's id: entries, legs, children and parents once. */
  placed(order: string, market: Market): readonly string[]
  close(): Promise<void>
}

export const PRICE = "50000"

export const serviceWorld = async (
  options: { readonly env?: Readonly<Record<string, string>>; readonly sandbox?: SandboxOptions } = {},
): Promise<ServiceWorld> => {
  const sandbox = await startSandbox({
    accounts: [{ name: "main", apiKey: EXAMPLE_KEY, apiSecret: EXAMPLE_SECRET, spot: { USDT: "100000" }, futures: { USDT: "100000" } }],
    prices: { BTCUSDT: PRICE },
    strictStreams: true,
    ...options.sandbox,
  })
  const world = await World.create({
    env: { SIMULATION_ENABLED: "false", ...KEYS, ...addressesOf(sandbox), AUDIT_STORE: "sqlite", ...options.env },
  })
  return {
    world,
    sandbox,
    setPrice: (price) => sandbox.setPrice("BTCUSDT", price, { mark: price }),
    placed: (order, market) => {
      const { orders, algoOrders } = sandbox.ledger()
      const ids = [
        ...orders.filter((one) => one.market === market).map((one) => one.clientId),
        ...(market === "futures" ? algoOrders.map((one) => one.clientAlgoId) : []),
      ]
      return [...new Set(ids)].filter((id) => id.includes(order)).sort()
    },
    close: async () => {
      await world.close()
      await sandbox.close()
    },
  }
}
