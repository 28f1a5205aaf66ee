/**
 * Opens one market of Binance: the adapter with the settings' options, or a {@link StartRefused} that names the setting and
 * the way to mend it. An exchange that is away, or that asks for silence, is waited for, loudly; nothing is guessed.
 */
import { readFileSync } from "node:fs"
import type { DecimalString, Market, SettingName, Settings } from "@petrosa/contracts"
import type { VenueFacts } from "@petrosa/lifecycle"
import type { AccountFacts, Credentials, NotStarted, Trouble, Venue } from "@petrosa/venue"
import { openBinanceFutures, openBinanceSpot } from "@petrosa/venue"
import type { Logger } from "pino"
import type { MarketHosts } from "./binanceHosts.ts"
import { hostProblem, hostsOf, shownHost } from "./binanceHosts.ts"
import { StartRefused } from "./refused.ts"

export interface BinanceMarket {
  readonly market: Market
  readonly venue: Venue
  readonly facts: VenueFacts
  readonly account: AccountFacts
  /** Of REST. */
  readonly host: string
}

type Mode = "testnet" | "live"

const RETRY_FIRST_MS = 1_000
const PRICE_POLL_BESIDE_FEED_MS = 5_000
const RETRY_MAX_MS = 60_000
/** Binance accepts at most 60 s, and reckons with five. */
const RECEIVE_WINDOW_MAX_MS = 5_000

/** The markets that the settings ask for. */
export const wantedMarkets = (settings: Settings): readonly Market[] => {
  const named = settings.binanceMarkets.map((name) => name.toLowerCase())
  return (["spot", "futures"] as const).filter((market) => named.length === 0 || named.includes(market))
}

/** Which settings hold a market's key: they are named when it does not fit. */
const keyNames = (settings: Settings, market: Market): readonly [key: SettingName, secret: SettingName] => {
  if (market === "futures" && settings.binanceFuturesApiKey !== undefined) return ["BINANCE_FUTURES_API_KEY", "BINANCE_FUTURES_API_SECRET"]
  const byFile = market === "spot" && settings.binanceEd25519KeyFile !== undefined
  return ["BINANCE_API_KEY", byFile ? "BINANCE_ED25519_KEY_FILE" : "BINANCE_API_SECRET"]
}

const credentialsOf = (settings: Settings, market: Market): Credentials => {
  const { binanceApiKey, binanceApiSecret, binanceFuturesApiKey, binanceFuturesApiSecret, binanceEd25519KeyFile: file } = settings
  if (market === "spot" && file !== undefined) {
    try {
      return { kind: "ed25519", apiKey: binanceApiKey ?? "", privateKey: readFileSync(file, "utf8") }
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable"
      throw new StartRefused(`BINANCE_ED25519_KEY_FILE: the file cannot be read (${code}).`)
    }
  }
  const own = market === "futures" && binanceFuturesApiKey !== undefined
  const [apiKey = "", apiSecret = ""] = own ? [binanceFuturesApiKey, binanceFuturesApiSecret] : [binanceApiKey, binanceApiSecret]
  return { kind: "hmac", apiKey, apiSecret }
}

const TRIGGER = { mark: "MARK_PRICE", contract: "CONTRACT_PRICE" } as const

/** What is needed to open a market. */
export interface MarketPlan {
  readonly market: Market
  readonly mode: Mode
  readonly hosts: MarketHosts
  readonly credentials: Credentials
}

/**
 * What will be opened, without asking anybody: none in simulation, so that nothing of an exchange is touched. Throws
 * {@link StartRefused} for hosts that do not belong to the mode and keys that cannot be read.
 */
export const planBinance = (settings: Settings): readonly MarketPlan[] => {
  const { mode } = settings
  if (mode === "simulation") return []
  return wantedMarkets(settings).map((market) => {
    const wrong = hostProblem(settings, market, mode)
    if (wrong !== undefined) throw new StartRefused(`${wrong.setting}: ${wrong.problem}.`)
    return { market, mode, hosts: hostsOf(settings, market, mode), credentials: credentialsOf(settings, market) }
  })
}

/** One attempt. */
const open = (settings: Settings, { market, mode, hosts, credentials }: MarketPlan, onTrouble: (trouble: Trouble) => void) => {
  const common = {
    mode,
    credentials,
    restUrl: hosts.rest,
    socketUrl: hosts.socket,
    maxRequestsPerMinute: settings.binanceMaxRequestsPerMinute,
    receiveWindowMs: Math.min(RECEIVE_WINDOW_MAX_MS, settings.receiveWindowMs),
    // With a feed of the market the exchange's own answer is only what is left when the feed is gone; each one is counted.
    ...(settings.marketData === "signals" ? {} : { pricePollMs: PRICE_POLL_BESIDE_FEED_MS }),
    onTrouble,
  }
  if (market === "spot") return openBinanceSpot(common)
  const { futuresLeverage, futuresMarginType, futuresPositionMode, binanceFuturesUserStream } = settings
  return openBinanceFutures({
    ...common,
    triggers: { stop: TRIGGER[settings.futuresStopTrigger], target: TRIGGER[settings.futuresTargetTrigger] },
    ...(futuresLeverage === undefined ? {} : { leverage: futuresLeverage }),
    ...(futuresMarginType === undefined ? {} : { marginType: futuresMarginType }),
    ...(futuresPositionMode === undefined ? {} : { positionMode: futuresPositionMode === "hedge" ? "hedge" : "oneWay" }),
    ...(binanceFuturesUserStream === undefined ? {} : { userStreamUrl: binanceFuturesUserStream }),
  })
}

/** Opens a market, waiting for it if need be. */
export const openBinance = async (
  settings: Settings,
  plan: MarketPlan,
  log: Logger,
  signal: AbortSignal | undefined,
): Promise<BinanceMarket> => {
  const { market } = plan
  const host = shownHost(plan.hosts.rest)
  const onTrouble = ({ level, code, message }: Trouble): void => log[level]({ market, code, detail: message }, "Binance has trouble")
  for (let n = 0; ; n++) {
    const start = await open(settings, plan, onTrouble)
    if (start._tag === "Started") {
      const { venue, account } = start
      return { market, venue, account, host, facts: factsOf(venue, account, settings) }
    }
    if (!start.temporary) throw new StartRefused(remedy(settings, plan, start))
    const waitMs = Math.max(Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(n, 6)), (start.retryAtMs ?? 0) - Date.now())
    log.warn({ market, host, detail: start.message, againInMs: waitMs }, "Binance cannot be reached; waiting for it")
    if (!(await slept(waitMs, signal))) throw new StartRefused("stopped while waiting for Binance")
  }
}

/** False when the wait was broken off. */
const slept = (ms: number, signal: AbortSignal | undefined): Promise<boolean> =>
  new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve(false)
      return
    }
    const stop = (): void => {
      clearTimeout(timer)
      resolve(false)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop)
      resolve(true)
    }, ms)
    signal?.addEventListener("abort", stop, { once: true })
  })

const factsOf = (venue: Venue, account: AccountFacts, settings: Settings): VenueFacts => ({
  name: venue.name,
  mode: venue.mode,
  markets: venue.markets,
  bracketStyle: venue.bracketStyle,
  armsEntries: venue.placeOtoco !== undefined,
  shortMarkets: venue.markets.filter((market) => venue.canShort(market)),
  positionMode: account.positionMode,
  receiveWindowMs: Math.min(RECEIVE_WINDOW_MAX_MS, settings.receiveWindowMs),
  feeRate: account.feeRate,
  baseFeeRate: account.baseFeeRate satisfies DecimalString,
})

/** Which setting, what is wrong with it, and how it is mended. */
const remedy = (settings: Settings, { market, mode, hosts }: MarketPlan, { code, message, reason }: NotStarted): string => {
  const [key, secret] = keyNames(settings, market)
  const host = shownHost(hosts.rest)
  const leaveOut = `Or leave ${market} out: BINANCE_MARKETS=${market === "spot" ? "futures" : "spot"}.`
  switch (code) {
    case "CLOCK_OFFSET":
      return `The clock of this machine is wrong: ${message} (${host}). Set it by a time server (timedatectl set-ntp true; chronyc makestep) and start again.`
    case "POSITION_MODE":
      return `FUTURES_POSITION_MODE: ${message}. Change the account's position mode at Binance (it can be changed while nothing is open), or the setting.`
    case "CREDENTIALS":
      return `${secret}: ${market}: ${message}.`
    case "UNREACHABLE":
    case "UNREADABLE":
      return `${market} (${host}): ${message}.`
    case "PERMISSION":
      switch (reason) {
        case undefined:
          return `${key}: ${message} (${host}). Allow it at Binance. ${leaveOut}`
        case "-1022":
          return `${secret}: ${host} does not accept the signature (${message}): it is not the secret of ${key}.`
        case "HTTP_451":
          return `${host} does not serve this country (HTTP 451).`
        default:
          return (
            `${key}: ${host} does not accept this key for trading on ${market} (${message}). ` +
            (mode === "testnet"
              ? "BINANCE_TESTNET is true, so it has to be a key of the test network; a key of the live exchange works there as little as one of another test network. "
              : "BINANCE_TESTNET is false, so it has to be a key of the live exchange; a key of a test network does not work there. ") +
            `Else its permission for ${market}, or its list of IP addresses, does not let it. ${leaveOut}`
          )
      }
  }
}
