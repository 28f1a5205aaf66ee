/**
 * The admin endpoint, `/sandbox/…` on both ports: JSON in, JSON out, no key. It is there for tests and for people with curl;
 * it listens on loopback as all of the sandbox does. What it can do: the table in the README.
 */
import { parseDecimal } from "@petrosa/contracts"
import type { Market } from "@petrosa/contracts"
import { openAccount } from "../core/accounts.ts"
import type { AccountOptions } from "../core/accounts.ts"
import { readFaults } from "../faults/rules.ts"
import type { Connection } from "../streams/connection.ts"
import { E } from "../wire/errors.ts"
import { isObject, parseJson } from "../wire/json.ts"
import type { JsonObject } from "../wire/json.ts"
import type { RateLimit } from "../wire/rateLimits.ts"
import { Answer } from "../wire/routes.ts"
import { setBalance } from "../world.ts"
import type { World } from "../world.ts"
import { STREAM_ACTIONS, disturbStreams, fillOrder, forceClose, setPrice } from "./controls.ts"
import { readLedger } from "./ledger.ts"

export interface AdminContext {
  readonly world: () => World
  readonly connections: (market: Market) => ReadonlySet<Connection>
  readonly reset: () => void
}
type Body = JsonObject

const text = (body: Body, name: string): string => {
  const value = body[name]
  if (typeof value !== "string" || value === "") throw E.mandatory(name)
  return value
}
const optional = (body: Body, name: string): string | undefined => (typeof body[name] === "string" ? body[name] : undefined)
const decimal = (body: Body, name: string): string => {
  const value = text(body, name)
  if (parseDecimal(value) === undefined) throw E.invalid(name)
  return value
}
const market = (body: Body): Market => {
  const value = body["market"]
  if (value !== "spot" && value !== "futures") throw E.mandatory("market")
  return value
}
const optionalMarket = (body: Body): Market | undefined => (body["market"] === undefined ? undefined : market(body))
const balances = (value: unknown): readonly (readonly [string, string])[] =>
  isObject(value) ? Object.entries(value).map(([asset, total]) => [asset, String(total)] as const) : []

/** Makes an account, or changes one. */
const putAccount = (world: World, body: Body): unknown => {
  const { exchange } = world
  const name = text(body, "name")
  const known = exchange.accounts.get(name)
  if (known === undefined) {
    text(body, "apiKey")
    exchange.accounts.set(name, openAccount(body as unknown as AccountOptions))
  }
  const account = exchange.account(name)
  if (typeof body["canTrade"] === "boolean") account.canTrade = body["canTrade"]
  if (typeof body["hedgeMode"] === "boolean") account.hedgeMode = body["hedgeMode"]
  if (Array.isArray(body["permissions"]))
    account.permissions = body["permissions"].filter((one): one is Market => one === "spot" || one === "futures")
  for (const wallet of ["spot", "futures"] as const)
    for (const [asset, total] of balances(body[wallet])) setBalance(exchange, name, wallet, asset, total)
  return accounts(world)
}
const accounts = (world: World): unknown =>
  [...world.exchange.accounts.values()].map(({ name, permissions, canTrade, hedgeMode, leverage, marginType }) => ({
    name,
    permissions,
    canTrade,
    hedgeMode,
    leverage: Object.fromEntries(leverage),
    marginType: Object.fromEntries(marginType),
  }))

export const adminEndpoint = (context: AdminContext) => {
  const table: Readonly<Record<string, (body: Body, world: World, url: URL) => unknown>> = {
    "GET /sandbox": (_body, world) => ({
      serverTime: world.exchange.nowMs(),
      skewMs: world.exchange.skewMs,
      symbols: { spot: world.exchange.symbols.all("spot").length, futures: world.exchange.symbols.all("futures").length },
      connections: { spot: context.connections("spot").size, futures: context.connections("futures").size },
      userStreams: { spot: world.streams.count("spot"), futures: world.streams.count("futures") },
    }),
    "GET /sandbox/ledger": (_body, world, url) => readLedger(world, url.searchParams.get("account") ?? undefined),
    "POST /sandbox/price": (body, world) =>
      setPrice(
        world,
        optionalMarket(body),
        text(body, "symbol"),
        decimal(body, "price"),
        body["mark"] === undefined ? undefined : decimal(body, "mark"),
      ),
    "POST /sandbox/liquidity": (body, world) => {
      const before = world.exchange.liquidity(market(body), text(body, "symbol"))
      const next = { ...before, ...(body as object) }
      // A quantity replaces a notional, and the other way round.
      const { quantity, notional, ...rest } = next
      const own = body["quantity"] === undefined ? (body["notional"] === undefined ? { quantity, notional } : { notional }) : { quantity }
      world.exchange.setLiquidity(market(body), text(body, "symbol"), {
        ...rest,
        ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
      })
    },
    "GET /sandbox/faults": (_body, world) => world.faults.list(),
    "POST /sandbox/faults": (body, world) => ({ ids: world.faults.add(readFaults(Array.isArray(body["faults"]) ? body["faults"] : body)) }),
    "DELETE /sandbox/faults": (_body, world, url) => {
      const id = url.searchParams.get("id")
      if (id === null) world.faults.clear()
      else world.faults.remove(Number(id))
    },
    "POST /sandbox/clock": (body, world) => {
      if (typeof body["skewMs"] !== "number") throw E.mandatory("skewMs")
      world.exchange.skewMs = body["skewMs"]
    },
    "POST /sandbox/execution": (body, world) => {
      if (typeof body["delayMs"] !== "number") throw E.mandatory("delayMs")
      world.exchange.executionDelayMs = body["delayMs"]
    },
    "GET /sandbox/accounts": (_body, world) => accounts(world),
    "POST /sandbox/accounts": (body, world) => putAccount(world, body),
    "POST /sandbox/symbols": (body, world) => {
      if (!isObject(body["change"])) throw E.mandatory("change")
      if (world.exchange.symbols.get(market(body), text(body, "symbol")) === undefined) throw E.symbol()
      return world.exchange.symbols.patch(market(body), text(body, "symbol"), body["change"]).row
    },
    "POST /sandbox/fees": (body, world) => {
      const mode = optional(body, "commission")
      if (mode !== undefined && mode !== "quote" && mode !== "received" && mode !== "bnb") throw E.invalid("commission")
      const before = world.exchange.fees
      world.exchange.fees = {
        spot: isObject(body["spot"]) ? { ...before.spot, ...(body["spot"] as object) } : before.spot,
        futures: isObject(body["futures"]) ? { ...before.futures, ...(body["futures"] as object) } : before.futures,
        commission: mode ?? before.commission,
      }
    },
    "POST /sandbox/limits": (body, world) => {
      const limits = world.limits[market(body)]
      limits.options = {
        limits: Array.isArray(body["limits"]) ? (body["limits"] as readonly RateLimit[]) : limits.options.limits,
        banAfter: typeof body["banAfter"] === "number" ? body["banAfter"] : limits.options.banAfter,
        firstBanMs: typeof body["firstBanMs"] === "number" ? body["firstBanMs"] : limits.options.firstBanMs,
      }
      if (body["reset"] === true) limits.reset()
      return limits.options
    },
    "POST /sandbox/streams": (body, world) => {
      const action = STREAM_ACTIONS.find((one) => one === body["action"])
      if (action === undefined) throw E.invalid("action")
      disturbStreams(
        world,
        context.connections(market(body)),
        action,
        optional(body, "account") ?? [...world.exchange.accounts.keys()][0] ?? "",
      )
    },
    "POST /sandbox/fill": (body, world) => fillOrder(world, market(body), text(body, "clientId"), optional(body, "quantity")),
    "POST /sandbox/liquidate": (body, world) => {
      const side = optional(body, "positionSide") ?? "BOTH"
      if (side !== "BOTH" && side !== "LONG" && side !== "SHORT") throw E.invalid("positionSide")
      forceClose(world, text(body, "account"), text(body, "symbol"), side, body["adl"] === true)
    },
    "POST /sandbox/reset": () => context.reset(),
  }
  return async (method: string, url: URL, raw: string): Promise<Answer | undefined> => {
    const run = table[`${method} ${url.pathname.replace(/\/$/, "")}`]
    if (run === undefined) return undefined
    const body = raw === "" ? {} : parseJson(raw)
    const given = Array.isArray(body) ? { faults: body } : body
    if (!isObject(given)) throw E.json("body")
    return new Answer(200, run(given, context.world(), url) ?? {})
  }
}
