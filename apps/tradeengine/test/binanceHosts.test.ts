/** Which hosts a mode may talk to: real money and test money never share one by mistake. */
import { parseSettings } from "@petrosa/contracts"
import type { Settings } from "@petrosa/contracts"
import { FUTURES_HOSTS, SPOT_HOSTS } from "@petrosa/venue"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { hostKind, hostProblem, hostsOf, shownHost } from "../src/binanceHosts.ts"

const settings = (env: Readonly<Record<string, string>> = {}): Settings => {
  const parsed = parseSettings(env)
  if (parsed._tag === "Invalid") throw new Error(JSON.stringify(parsed.errors))
  return parsed.settings
}
const spot = (url: string, more: Readonly<Record<string, string>> = {}) =>
  settings({ BINANCE_SPOT_URL: url, BINANCE_SPOT_WS_URL: "wss://127.0.0.1", ...more })

describe("hosts", () => {
  it.each([
    ["api.binance.com", "live"],
    ["api4.binance.com", "live"],
    ["fapi.binance.com", "live"],
    ["fapi.binance.com.", "live"],
    ["some-new-host.binance.com", "live"],
    ["demo.binance.com", "live"],
    ["ws-api.binance.com", "live"],
    ["api.binance.us", "live"],
    ["testnet.binance.vision", "test"],
    ["ws-api.testnet.binance.vision", "test"],
    ["demo-api.binance.com", "test"],
    ["demo-fapi.binance.com", "test"],
    ["testnet.binancefuture.com", "test"],
    ["localhost", "loopback"],
    ["127.0.0.1", "loopback"],
    ["[::1]", "loopback"],
    ["binance.com.evil.example", "other"],
    ["notbinance.com", "other"],
    ["xtestnet.binance.vision.example", "other"],
    ["127.0.0.1.example", "other"],
    ["10.0.0.1", "other"],
  ] as const)("given %s, it is %s", (host, kind) => expect(hostKind(host)).toBe(kind))

  it("given nothing set, then each mode's hosts are its own, and fit", () => {
    for (const mode of ["testnet", "live"] as const)
      for (const market of ["spot", "futures"] as const) {
        expect(hostsOf(settings(), market, mode)).toEqual(market === "spot" ? SPOT_HOSTS[mode] : FUTURES_HOSTS[mode])
        expect(hostProblem(settings(), market, mode)).toBeUndefined()
      }
  })

  it("given any host below binance.com, then testnet never goes there, whatever is allowed and however it is written", () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/).filter((name) => !name.startsWith("demo-"))
    fc.assert(
      fc.property(label, fc.constantFrom("", ".", ":443"), fc.boolean(), (name, end, upper) => {
        const host = `${name}.binance.com${end}`
        const shown = upper ? host.toUpperCase() : host
        const problem = hostProblem(spot(`https://${shown}`, { BINANCE_ALLOWED_HOSTS: host }), "spot", "testnet")
        expect(problem).toMatchObject({ setting: "BINANCE_SPOT_URL", problem: expect.stringContaining("live exchange") })
      }),
    )
  })

  it.each([
    ["https://proxy.example", "testnet", {}, /BINANCE_ALLOWED_HOSTS/],
    ["https://proxy.example", "testnet", { BINANCE_ALLOWED_HOSTS: "proxy.example" }, undefined],
    ["http://sandbox:9700", "testnet", { BINANCE_ALLOWED_HOSTS: "sandbox" }, undefined],
    ["http://sandbox:9700", "testnet", { BINANCE_ALLOWED_HOSTS: "sandbox:9700" }, undefined],
    ["http://sandbox:9700", "testnet", { BINANCE_ALLOWED_HOSTS: "sandbox:9701" }, /BINANCE_ALLOWED_HOSTS/],
    ["https://proxy.example", "live", { BINANCE_ALLOWED_HOSTS: "proxy.example" }, undefined],
    ["http://proxy.example", "live", { BINANCE_ALLOWED_HOSTS: "proxy.example" }, /unencrypted/],
    ["http://127.0.0.1:8080", "live", { BINANCE_ALLOWED_HOSTS: "127.0.0.1" }, undefined],
    ["https://testnet.binance.vision", "live", { BINANCE_ALLOWED_HOSTS: "testnet.binance.vision" }, /no live exchange/],
    ["https://key:secret@api.binance.com", "live", {}, /no user, no password/],
    ["https://api.binance.com?x=1", "live", {}, /no query/],
  ] as const)("given %s in %s mode and %o, then %s", (url, mode, more, says) => {
    const problem = hostProblem(
      spot(url, { ...(mode === "live" ? { BINANCE_SPOT_WS_URL: "wss://ws-api.binance.com" } : {}), ...more }),
      "spot",
      mode,
    )
    if (says === undefined) expect(problem).toBeUndefined()
    else expect(problem?.problem).toMatch(says)
  })

  it("given a URL with a password, then what is shown of it is its host", () => {
    expect(shownHost("https://user:hunter2@api.binance.com:8443/x?signature=1")).toBe("api.binance.com:8443")
  })
})
