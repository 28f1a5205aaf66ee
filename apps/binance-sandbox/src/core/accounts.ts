/** The accounts of the sandbox: their keys, what they may do, and their settings. Money itself lies in the matching core's wallets. */
import type { Market } from "@petrosa/contracts"

export interface AccountOptions {
  readonly name: string
  /** 64 letters or digits. */
  readonly apiKey: string
  /** HMAC secret; absent for an Ed25519 key. */
  readonly apiSecret?: string
  /** Ed25519 or RSA public key, PEM. */
  readonly publicKey?: string
  readonly spot?: Readonly<Record<string, string>>
  readonly futures?: Readonly<Record<string, string>>
  /** Default: both. A request that needs a missing one is refused with -2015. */
  readonly permissions?: readonly Market[]
  readonly hedgeMode?: boolean
}

export interface Account {
  readonly name: string
  readonly apiKey: string
  readonly apiSecret: string | undefined
  readonly publicKey: string | undefined
  permissions: readonly Market[]
  /** False: -2010 "This account may not place or cancel orders." on spot, -2015 on futures. */
  canTrade: boolean
  hedgeMode: boolean
  readonly leverage: Map<string, number>
  readonly marginType: Map<string, "CROSSED" | "ISOLATED">
}

/** The example keys of Binance's own documentation: known to everybody, worth nothing anywhere. */
export const EXAMPLE_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
export const EXAMPLE_SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"

export const DEFAULT_ACCOUNT: AccountOptions = {
  name: "main",
  apiKey: EXAMPLE_KEY,
  apiSecret: EXAMPLE_SECRET,
  spot: { USDT: "1000000", BTC: "10", ETH: "100", BNB: "100" },
  futures: { USDT: "1000000", BNB: "100" },
}

/** Binance's default for a symbol that nobody touched. */
export const DEFAULT_LEVERAGE = 20

export const openAccount = (options: AccountOptions): Account => ({
  name: options.name,
  apiKey: options.apiKey,
  apiSecret: options.apiSecret,
  publicKey: options.publicKey,
  permissions: options.permissions ?? ["spot", "futures"],
  canTrade: true,
  hedgeMode: options.hedgeMode ?? false,
  leverage: new Map(),
  marginType: new Map(),
})

export const leverageOf = (account: Account, symbol: string): number => account.leverage.get(symbol) ?? DEFAULT_LEVERAGE
