/** Starting the real process towards Binance: what is refused, with the setting and the way to mend it; and what simulation never does. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { EXAMPLE_KEY, EXAMPLE_SECRET, startSandbox } from "@petrosa/binance-sandbox"
import type { Sandbox } from "@petrosa/binance-sandbox"
import { afterEach, describe, expect, it, vi } from "vitest"
import { EngineProcess } from "../support/engineProcess.ts"
import { signal } from "../support/signals.ts"
import { TIME_FACTOR, until } from "../support/until.ts"
import { World } from "../support/world.ts"
import { addressesOf, KEYS, serviceWorld } from "./serviceWorld.ts"
import type { ServiceWorld } from "./serviceWorld.ts"

// A start takes a second; several times that where other things run.
vi.setConfig({ testTimeout: 30_000 * TIME_FACTOR })

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
const make = async (...args: Parameters<typeof serviceWorld>): Promise<ServiceWorld> => {
  const made = await serviceWorld(...args)
  closing.push(() => made.close())
  return made
}
const makeSandbox = async (...args: Parameters<typeof startSandbox>): Promise<Sandbox> => {
  const made = await startSandbox(...args)
  closing.push(() => made.close())
  return made
}
const makeWorld = async (...args: Parameters<typeof World.create>): Promise<World> => {
  const made = await World.create(...args)
  closing.push(() => made.close())
  return made
}

const refusal = async (engine: EngineProcess): Promise<string> => {
  const ended = await engine.ended
  expect(ended, engine.tail()).toEqual({ code: 2, signal: null })
  for (const secret of [EXAMPLE_KEY, EXAMPLE_SECRET]) expect(engine.stderr).not.toContain(secret)
  return engine.stderr
}

const LIVE = { SIMULATION_ENABLED: "false", BINANCE_TESTNET: "false", ...KEYS }
const TESTNET = { SIMULATION_ENABLED: "false", BINANCE_TESTNET: "true", ...KEYS }
const SQLITE = { AUDIT_STORE: "sqlite" }
const spotAt = (rest: string, socket: string) => ({ BINANCE_SPOT_URL: rest, BINANCE_SPOT_WS_URL: socket })
const futuresAt = (rest: string, socket: string) => ({ BINANCE_FUTURES_URL: rest, BINANCE_FUTURES_WS_URL: socket })
const NOBODY = { ...spotAt("http://127.0.0.1:1", "ws://127.0.0.1:1"), ...futuresAt("http://127.0.0.1:1", "ws://127.0.0.1:1") }

describe("given settings that do not belong together", () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ["live orders without a store", LIVE, /AUDIT_STORE/],
    ["live orders on SQLite", { ...LIVE, ...SQLITE }, /LIVE_ON_SQLITE=true/],
    ["no keys", { SIMULATION_ENABLED: "false", ...SQLITE }, /BINANCE_API_KEY[\s\S]*BINANCE_API_SECRET/],
    ["a secret that is missing", { ...TESTNET, ...SQLITE, BINANCE_API_SECRET: "" }, /BINANCE_API_SECRET/],
    ["REST at one exchange, streams at another", { ...TESTNET, ...SQLITE, BINANCE_SPOT_URL: "http://127.0.0.1:1" }, /BINANCE_SPOT_WS_URL/],
    ["a default market that is left out", { ...TESTNET, ...SQLITE, BINANCE_MARKETS: "spot" }, /DEFAULT_MARKET/],
    [
      "a live host in testnet mode",
      { ...TESTNET, ...SQLITE, ...spotAt("https://api.binance.com", "wss://ws-api.binance.com") },
      /BINANCE_SPOT_URL: api\.binance\.com is Binance's live exchange.*BINANCE_TESTNET=false/,
    ],
    [
      "a live host in testnet mode that is even allowed",
      { ...TESTNET, ...SQLITE, BINANCE_ALLOWED_HOSTS: "fapi.binance.com", ...NOBODY, BINANCE_FUTURES_URL: "https://fapi.binance.com" },
      /BINANCE_FUTURES_URL: fapi\.binance\.com is Binance's live exchange/,
    ],
    [
      "a test host in live mode",
      { ...LIVE, ...SQLITE, LIVE_ON_SQLITE: "true", ...spotAt("https://testnet.binance.vision", "wss://ws-api.testnet.binance.vision") },
      /BINANCE_SPOT_URL: testnet\.binance\.vision is no live exchange.*BINANCE_TESTNET=true/,
    ],
    [
      "the sandbox in live mode",
      { ...LIVE, ...SQLITE, LIVE_ON_SQLITE: "true", ...NOBODY },
      /BINANCE_SPOT_URL: 127\.0\.0\.1 is no live exchange/,
    ],
    [
      "a stranger",
      { ...TESTNET, ...SQLITE, ...NOBODY, ...spotAt("https://api.binance.com.evil.example", "wss://evil.example") },
      /BINANCE_SPOT_URL: .*evil\.example is no host of Binance.*BINANCE_ALLOWED_HOSTS/,
    ],
    [
      "a key that would travel in the clear",
      { ...TESTNET, ...SQLITE, ...spotAt("http://demo-api.binance.com", "wss://demo-ws-api.binance.com") },
      /BINANCE_SPOT_URL: http:\/\/ would send the key unencrypted/,
    ],
    [
      "an address that others reach, live and without a token",
      { ...LIVE, ...SQLITE, LIVE_ON_SQLITE: "true", HTTP_HOST: "0.0.0.0" },
      /HTTP_TOKEN/,
    ],
    [
      "a key file that is not there",
      {
        ...TESTNET,
        ...SQLITE,
        ...NOBODY,
        BINANCE_API_SECRET: "",
        BINANCE_ED25519_KEY_FILE: "/nowhere/key.pem",
        BINANCE_FUTURES_API_KEY: "k",
        BINANCE_FUTURES_API_SECRET: "s",
      },
      /BINANCE_ED25519_KEY_FILE: .*ENOENT/,
    ],
  ]
  it.each(cases)("%s: the engine ends with 2 and says how to mend it", async (_what, env, says) => {
    // No NATS, no store, no exchange: it is refused before anything is touched.
    const engine = new EngineProcess({ NATS_URL: "nats://127.0.0.1:1", HTTP_PORT: "0", ...env })
    expect(await refusal(engine)).toMatch(says)
    expect(engine.log.map((line) => line.msg)).not.toContain("MongoDB cannot be reached; waiting for it")
  })
})

describe("given a local Binance that does not fit the settings", () => {
  it.each([
    [
      "a clock that is 2 s off",
      {},
      (sandbox: Sandbox) => sandbox.setSkew(2_000),
      /clock of this machine is wrong: .*2\d\d\d ms|1\d\d\d ms behind/,
    ],
    [
      "a key that it does not know",
      { BINANCE_API_KEY: "k".repeat(64) },
      () => undefined,
      /BINANCE_API_KEY: .*-2015.*BINANCE_TESTNET is true/,
    ],
    ["a secret of another key", { BINANCE_API_SECRET: "x".repeat(64) }, () => undefined, /BINANCE_API_SECRET: .*-1022/],
    [
      "a futures key that it does not know",
      { BINANCE_FUTURES_API_KEY: "k".repeat(64), BINANCE_FUTURES_API_SECRET: "x".repeat(64) },
      () => undefined,
      /BINANCE_FUTURES_API_KEY: .*-2015.*BINANCE_MARKETS=spot/,
    ],
    [
      "a key without futures",
      {},
      (sandbox: Sandbox) => {
        sandbox.world.exchange.account("main").permissions = ["spot"]
      },
      /BINANCE_API_KEY: .*permission for futures.*BINANCE_MARKETS=spot/,
    ],
    [
      "an account that may not trade",
      {},
      (sandbox: Sandbox) => {
        sandbox.world.exchange.account("main").canTrade = false
      },
      /BINANCE_API_KEY: the account may not trade on spot/,
    ],
    [
      "a key that may only read",
      {},
      (sandbox: Sandbox) =>
        sandbox.addFaults({
          kind: "refuse",
          code: -2015,
          msg: "Invalid API-key, IP, or permissions for action.",
          status: 401,
          match: { op: "order.test" },
        }),
      /BINANCE_API_KEY: .*the key may not trade: -2015/,
    ],
    [
      "another position mode",
      { FUTURES_POSITION_MODE: "hedge" },
      () => undefined,
      /FUTURES_POSITION_MODE: the account is in oneWay mode, not in hedge mode/,
    ],
  ] as const)("%s: the start is refused", async (_what, env, unfit, says) => {
    const { world, sandbox } = await make({ env })
    unfit(sandbox)
    expect(await refusal(world.launch())).toMatch(says)
  })

  it("an exchange that is away, then the engine waits for it, says so, and starts when it comes", async () => {
    const { spotUrl, futuresUrl, ...away } = await makeSandbox()
    await away.close()
    const ports = [spotUrl, futuresUrl].map((url) => Number(new URL(url).port))
    const [spotPort = 0, futuresPort = 0] = ports
    const env = { ...spotAt(spotUrl, spotUrl.replace("http", "ws")), ...futuresAt(futuresUrl, futuresUrl.replace("http", "ws")) }
    const world = await makeWorld({ env: { ...TESTNET, ...SQLITE, ...env } })
    const engine = world.launch()
    await until(() => engine.complaints.some((line) => line.msg.includes("Binance cannot be reached")), {
      what: "a word on Binance",
      seen: () => engine.tail(),
      timeoutMs: 20_000,
    })
    await makeSandbox({ spotPort, futuresPort })
    world.url = await engine.ready()
    expect((await world.get("/readyz")).status).toBe(200)
  })

  it("an exchange that is away and SIGTERM, then the engine ends with 0", async () => {
    const world = await makeWorld({ env: { ...TESTNET, ...SQLITE, ...NOBODY } })
    const engine = world.launch()
    await until(() => engine.complaints.length > 0, { what: "a complaint", seen: () => engine.tail(), timeoutMs: 20_000 })
    expect(await engine.stop()).toEqual({ code: 0, signal: null })
  })
})

describe("given simulation", () => {
  it("when keys and addresses of an exchange are set, then not one request leaves for it", async () => {
    let requests = 0
    const server = createServer((_request, response) => {
      requests += 1
      response.end("{}")
    })
    server.on("upgrade", (_request, socket) => {
      requests += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const port = (server.address() as AddressInfo).port
    const at = [`http://127.0.0.1:${port}`, `ws://127.0.0.1:${port}`] as const
    const world = await makeWorld({ env: { ...KEYS, BINANCE_TESTNET: "false", ...spotAt(...at), ...futuresAt(...at) } })
    await world.start()
    for (const market of ["spot", "futures"]) expect((await world.trade(signal({ market }))).json.result.status).toBe("filled")
    expect((await world.get("/account?market=spot")).json.data.venue).toBe("paper")
    expect(requests).toBe(0)
  })
})

describe("given orders that are open at an exchange", () => {
  it("when the same store starts in simulation, or without their market, or elsewhere, then it is refused; as before, it goes on", async () => {
    const { world, sandbox } = await make()
    const first = await world.start()
    expect((await world.trade(signal())).json.result.status).toBe("filled")
    expect(await first.stop()).toMatchObject({ code: 0 })
    expect(await refusal(world.launch({ SIMULATION_ENABLED: "true" }))).toMatch(/1 order\(s\) .*the mode was testnet and is simulation now/)
    expect(await refusal(world.launch({ BINANCE_MARKETS: "spot", DEFAULT_MARKET: "spot" }))).toMatch(/futures is not traded now/)
    const other = await makeSandbox()
    expect(await refusal(world.launch(addressesOf(other)))).toMatch(/futures was 127\.0\.0\.1:\d+ and is 127\.0\.0\.1:\d+ now/)
    await world.start()
    expect((await world.get("/account")).json.data.lots).toHaveLength(1)
    expect(sandbox.ledger().algoOrders.filter((algo) => algo.status === "NEW")).toHaveLength(2)
  })
})

describe("given live mode (on a sandbox that is called live)", () => {
  it("when it starts, then it says whose money it is, and never with what key; faults are out of reach", async () => {
    const { world, sandbox } = await make({
      env: {
        BINANCE_TESTNET: "false",
        LIVE_ON_SQLITE: "true",
        BINANCE_ALLOWED_HOSTS: "127.0.0.1",
        PETROSA_FAULT_POINT: "venue.entry.before:crash",
      },
    })
    const engine = await world.start()
    const said = engine.log.find((line) => line.msg.startsWith("LIVE"))
    expect(said).toMatchObject({
      level: 40,
      mode: "live",
      accounts: [
        { market: "spot", host: new URL(sandbox.spotUrl).host, uid: "354937868", feeRate: "0.001", balances: { USDT: "100000" } },
        {
          market: "futures",
          host: new URL(sandbox.futuresUrl).host,
          positionMode: "one-way",
          feeRate: "0.0005",
          balances: { USDT: "100000" },
          positions: 0,
        },
      ],
    })
    expect((await world.trade(signal())).json.result.status).toBe("filled")
    for (const secret of [EXAMPLE_KEY, EXAMPLE_SECRET]) expect(engine.tail(10_000)).not.toContain(secret)
    expect((await world.http("POST", "/simulation/price", { symbol: "BTCUSDT", price: 1 })).status).toBe(403)
    expect((await world.http("POST", "/inspector/venue/faults", { slowMs: 1 })).status).toBe(403)
    expect((await world.get("/inspector/venue/faults")).status).not.toBe(200)
  })
})
