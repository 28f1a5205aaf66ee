/**
 * Which hosts a mode may talk to. PURE.
 *
 * The rule: real money and test money never share a host by mistake. Live goes to Binance's live hosts only, testnet never
 * goes to one. Loopback (the sandbox) is for testnet; any other host has to be named in BINANCE_ALLOWED_HOSTS, which opens the
 * way to a proxy or a sandbox elsewhere, and never to a live host in testnet mode. What is not loopback and not a test is
 * encrypted.
 */
import type { Market, SettingName, Settings } from "@petrosa/contracts"
import { FUTURES_HOSTS, SPOT_HOSTS } from "@petrosa/venue"

/** Hosts of Binance's test networks (binance.md 2.4). */
const TEST = /(^|\.)testnet\.binance\.vision$|(^|\.)binancefuture\.com$|^demo-[a-z-]+\.binance\.com$/
/** Any other host of Binance: what is not known to be a test is live. */
const LIVE = /(^|\.)binance\.(com|us)$/
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

export type HostKind = "live" | "test" | "loopback" | "other"
/** Of a host name as `URL` gives it: in lower case. */
export const hostKind = (hostname: string): HostKind => {
  const host = hostname.replace(/\.$/, "")
  return TEST.test(host) ? "test" : LIVE.test(host) ? "live" : LOOPBACK.test(host) ? "loopback" : "other"
}

export interface MarketHosts {
  /** Base URL of REST. */
  readonly rest: string
  readonly socket: string
}
export interface HostProblem {
  readonly setting: SettingName
  readonly problem: string
}

type Mode = "testnet" | "live"
const NAMES = {
  spot: { rest: "BINANCE_SPOT_URL", socket: "BINANCE_SPOT_WS_URL" },
  futures: { rest: "BINANCE_FUTURES_URL", socket: "BINANCE_FUTURES_WS_URL" },
} as const satisfies Record<Market, Record<keyof MarketHosts, SettingName>>

/** Where the requests of a market go: what is set, else Binance's own of the mode. */
export const hostsOf = (settings: Settings, market: Market, mode: Mode): MarketHosts => {
  const own = market === "spot" ? SPOT_HOSTS[mode] : FUTURES_HOSTS[mode]
  const { binanceSpotUrl, binanceSpotWsUrl, binanceFuturesUrl, binanceFuturesWsUrl } = settings
  return market === "spot"
    ? { rest: binanceSpotUrl ?? own.rest, socket: binanceSpotWsUrl ?? own.socket }
    : { rest: binanceFuturesUrl ?? own.rest, socket: binanceFuturesWsUrl ?? own.socket }
}

/** Host and port of a URL, in lower case; never its user, password, path or query. */
export const shownHost = (url: string): string => new URL(url).host

/** The first thing that is wrong with where a market's requests would go. */
export const hostProblem = (settings: Settings, market: Market, mode: Mode): HostProblem | undefined => {
  const hosts = hostsOf(settings, market, mode)
  for (const part of ["rest", "socket"] as const) {
    const problem = wrongHost(hosts[part], mode, settings.binanceAllowedHosts)
    if (problem !== undefined) return { setting: NAMES[market][part], problem }
  }
  return undefined
}

const wrongHost = (text: string, mode: Mode, allowedHosts: readonly string[]): string | undefined => {
  if (!URL.canParse(text)) return "this is no URL"
  const url = new URL(text)
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    return "a base URL has no user, no password, no query and no fragment"
  const { hostname: host, protocol } = url
  const kind = hostKind(host)
  const allowed = allowedHosts.includes(host.toUpperCase()) || allowedHosts.includes(url.host.toUpperCase())
  if (mode === "testnet" && kind === "live")
    return `${host} is Binance's live exchange, and BINANCE_TESTNET is true: orders there would be real. BINANCE_TESTNET=false trades live`
  if (mode === "live" && (kind === "test" || (kind === "loopback" && !allowed)))
    return `${host} is no live exchange, and BINANCE_TESTNET is false. BINANCE_TESTNET=true is for test networks and the sandbox`
  if (kind === "other" && !allowed) return `${host} is no host of Binance. If it is meant, name it in BINANCE_ALLOWED_HOSTS`
  const plain = protocol === "http:" || protocol === "ws:"
  if (plain && kind !== "loopback" && (mode === "live" || !allowed))
    return `${protocol}// would send the key unencrypted: use ${protocol.replace(":", "s:")}//`
  return undefined
}
