import { describe, expect, it } from "vitest"
import { HttpStartFailed } from "../../src/http/index.ts"
import { row } from "./fakeEngine.ts"
import { CURL_BODY, engine, JSON_TYPE, raw, serveForThisFile, start, url } from "./harness.ts"

serveForThisFile()

describe("who may ask", () => {
  it("given a foreign name in Host, when bound to loopback, then 421; loopback names pass", async () => {
    expect((await raw({ path: "/account", headers: { host: "evil.example" } })).status).toBe(421)
    expect((await raw({ path: "/account", headers: { host: "127.0.0.1.evil.example:8000" } })).status).toBe(421)
    expect((await raw({ path: "/account", headers: { host: "localhost@evil.example" } })).status).toBe(421)
    for (const host of ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"]) {
      expect((await raw({ path: "/account", headers: { host } })).status).toBe(200)
    }
  })

  it("given a page of another origin, when it posts or deletes, then 403 and nothing happens", async () => {
    const host = new URL(url()).host
    for (const origin of ["http://evil.example", "null", `http://${host}.evil.example`]) {
      expect((await raw({ path: "/order/BTCUSDT/1", method: "DELETE", headers: { host, origin } })).status).toBe(403)
    }
    expect(engine.calls).toEqual([])
    expect((await raw({ path: "/order/BTCUSDT/1", method: "DELETE", headers: { host, origin: `http://${host}` } })).status).toBe(404)
  })

  it("given a token, when it is missing or wrong, then 401 everywhere but at the probes; right: it passes", async () => {
    const guarded = await start({ token: "t0k3n-of-some-length" })
    try {
      const ask = (path: string, authorization?: string) =>
        fetch(guarded.url + path, { headers: authorization === undefined ? {} : { authorization } })
      for (const path of ["/account", "/orders", "/metrics", "/docs", "/openapi.json", "/nothing", "//healthz", "/healthz/"]) {
        const response = await ask(path)
        expect([path, response.status]).toEqual([path, 401])
        expect(response.headers.get("www-authenticate")).toContain("Bearer")
      }
      for (const bad of ["Bearer nope", "Basic t0k3n-of-some-length", "t0k3n-of-some-length", "Bearer t0k3n-of-some-length x"]) {
        const response = await ask("/account", bad)
        expect(response.status).toBe(401)
        expect(await response.text()).not.toContain("t0k3n")
      }
      expect((await ask("/account", "Bearer t0k3n-of-some-length")).status).toBe(200)
      expect((await ask("/healthz")).status).toBe(200)
      expect((await ask("/readyz?verbose=1")).status).toBe(200)
    } finally {
      await guarded.close()
    }
  })
})

describe("starting and stopping", () => {
  it("given a port in use, when started, then an error that says so", async () => {
    await expect(start({ port: Number(new URL(url()).port) })).rejects.toThrow(HttpStartFailed)
    await expect(start({ port: Number(new URL(url()).port) })).rejects.toThrow(/in use/)
  })

  it("given a request that is being answered, when closed, then it is answered, and later ones are refused", async () => {
    const own = await start({ graceMs: 2000 })
    let release: () => void = () => undefined
    engine.answers.trade = () =>
      new Promise((resolve) => {
        release = () => resolve({ _tag: "Settled", row: row(), duplicate: false })
      })
    const call = fetch(`${own.url}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY })
    await expect.poll(() => engine.calls.length).toBe(1)
    const closing = own.close()
    release()
    expect((await call).status).toBe(200)
    const answered = performance.now()
    await closing
    expect(performance.now() - answered).toBeLessThan(1000)
    await expect(fetch(`${own.url}/healthz`)).rejects.toThrow()
    await own.close()
  })

  it("given a request that never ends, when closed, then close returns after its grace", async () => {
    const own = await start({ graceMs: 100 })
    engine.answers.trade = () => new Promise(() => undefined)
    const call = fetch(`${own.url}/trade`, { method: "POST", headers: JSON_TYPE, body: CURL_BODY }).then(
      (response) => response.status,
      () => "cut",
    )
    await expect.poll(() => engine.calls.length).toBe(1)
    const before = performance.now()
    await own.close()
    expect(performance.now() - before).toBeLessThan(2000)
    expect(["cut", 503]).toContain(await call)
  })

  it("given a host that is not loopback, when bound to all interfaces, then any Host is answered", async () => {
    const open = await start({ host: "0.0.0.0" })
    expect((await raw({ path: "/healthz", url: open.url, headers: { host: "tradeengine.petrosa.svc" } })).status).toBe(200)
    await open.close()
    const named = await start({ host: "0.0.0.0", allowedHosts: ["engine.example"] })
    expect((await raw({ path: "/healthz", url: named.url, headers: { host: "engine.example:80" } })).status).toBe(200)
    expect((await raw({ path: "/healthz", url: named.url, headers: { host: "evil.example" } })).status).toBe(421)
    await named.close()
  })
})
