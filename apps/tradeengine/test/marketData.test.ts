/** Which hosts public data is asked for at, in which mode. */
import { describe, expect, it } from "vitest"
import type { Environment } from "@petrosa/contracts"
import { parseSettings } from "@petrosa/contracts"
import { PUBLIC_HOSTS } from "@petrosa/venue"
import { publicHosts } from "../src/marketData.ts"

const KEYS = { BINANCE_API_KEY: "k".repeat(64), BINANCE_API_SECRET: "s".repeat(64), AUDIT_STORE: "sqlite", LIVE_ON_SQLITE: "true" }
const TESTNET = { ...KEYS, SIMULATION_ENABLED: "false" }
const LIVE = { ...TESTNET, BINANCE_TESTNET: "false" }
const hosts = (env: Environment) => {
  const parsed = parseSettings(env)
  if (parsed._tag === "Invalid") throw new Error(JSON.stringify(parsed.errors))
  return publicHosts(parsed.settings)
}
const local = (kind: "SPOT" | "FUTURES", path = "") => ({
  [`BINANCE_${kind}_URL`]: "http://127.0.0.1:9001",
  [`BINANCE_${kind}_WS_URL`]: `ws://127.0.0.1:9001${path}`,
})

describe("public hosts", () => {
  it("given simulation or live, then Binance's live market, whatever BINANCE_TESTNET says; given testnet, the test network's", () => {
    expect(hosts({})).toEqual(PUBLIC_HOSTS.live)
    expect(hosts({ BINANCE_TESTNET: "false" })).toEqual(PUBLIC_HOSTS.live)
    expect(hosts(LIVE)).toEqual(PUBLIC_HOSTS.live)
    expect(hosts(TESTNET)).toEqual(PUBLIC_HOSTS.testnet)
  })
  it("given a sandbox, then its streams are on the host of its WebSocket API, without that one's path", () => {
    const found = hosts({ ...TESTNET, ...local("SPOT", "/ws-api/v3"), ...local("FUTURES") })
    expect(found.spot).toEqual({ rest: "http://127.0.0.1:9001", stream: "ws://127.0.0.1:9001" })
    expect(found.futures).toEqual({ rest: "http://127.0.0.1:9001", stream: "ws://127.0.0.1:9001" })
  })
  it("given Binance's own WebSocket API by name, then the streams are where Binance has them: on another host", () => {
    const own = { BINANCE_SPOT_URL: "https://api.binance.com", BINANCE_SPOT_WS_URL: "wss://ws-api.binance.com:443/ws-api/v3" }
    expect(hosts({ ...LIVE, ...own }).spot.stream).toBe("wss://stream.binance.com:9443")
  })
  it("given BINANCE_SPOT_STREAM_URL, then that counts", () => {
    expect(hosts({ BINANCE_SPOT_STREAM_URL: "wss://data-stream.binance.vision" }).spot.stream).toBe("wss://data-stream.binance.vision")
  })
  it("given real orders, then prices of another market are refused, and so are live prices for test orders", () => {
    expect(() => hosts({ ...LIVE, BINANCE_SPOT_STREAM_URL: "wss://stream.testnet.binance.vision" })).toThrow(
      "is not the market of live mode",
    )
    expect(() => hosts({ ...LIVE, BINANCE_SPOT_STREAM_URL: "ws://127.0.0.1:9001" })).toThrow("is not the market of live mode")
    expect(() => hosts({ ...TESTNET, BINANCE_SPOT_STREAM_URL: "wss://stream.binance.com:9443" })).toThrow(
      "is not the market of testnet mode",
    )
    expect(() =>
      hosts({ ...LIVE, BINANCE_SPOT_STREAM_URL: "wss://prices.example.org", BINANCE_ALLOWED_HOSTS: "prices.example.org" }),
    ).not.toThrow()
  })
  it("given Binance's public data host (data-stream.binance.vision), then live may use it", () => {
    expect(hosts({ ...LIVE, BINANCE_SPOT_STREAM_URL: "wss://data-stream.binance.vision" }).spot.stream).toContain("binance.vision")
  })
})
