/** Futures: account, balances, positions, position mode, leverage, margin type, listen keys, the dead man's switch. */
import { ZERO, add, dec, isZero, max, sub } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import { leverageOf } from "../core/accounts.ts"
import type { Account } from "../core/accounts.ts"
import type { WirePositionSide } from "../core/orders.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { nextFunding } from "../streams/marketStreams.ts"
import type { UserStreams } from "../streams/userStreams.ts"
import { eight, places } from "../wire/decimals.ts"
import { E, F } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import type { Call, Route, SignedCall } from "../wire/routes.ts"
import type { AlgoService } from "./algo.ts"
import type { FuturesDesk } from "./desk.ts"
import type { ListenKeys } from "./listenKeys.ts"
import { marginTypeOf, positionRisk, wallet } from "./views.ts"

const DONE = { code: 200, msg: "success" } as const
const LEVERAGE_MAX = 125

export const sidesOf = (account: Pick<Account, "hedgeMode">): readonly WirePositionSide[] =>
  account.hedgeMode ? ["LONG", "SHORT"] : ["BOTH"]
const assetsOf = (desk: FuturesDesk): readonly string[] => [
  ...new Set([...desk.exchange.symbols.all("futures").map((info) => info.quote), "BNB"]),
]

export const futuresAccountRoutes = (
  desk: FuturesDesk,
  algos: AlgoService,
  keys: ListenKeys,
  streams: UserStreams,
  limits: RateLimits,
): readonly Route[] => {
  const { exchange } = desk
  const infos = (params: Params): readonly SymbolInfo[] => {
    const symbol = params.optionalSymbol()
    params.done()
    return symbol === undefined ? exchange.symbols.all("futures") : [desk.info(symbol)]
  }
  const holds = (account: Account, symbol?: string): boolean =>
    exchange.symbols
      .all("futures")
      .filter((info) => symbol === undefined || info.symbol === symbol)
      .some((info) => (["BOTH", "LONG", "SHORT"] as const).some((side) => !isZero(desk.position(account.name, info.symbol, side).quantity)))
  const waits = (account: Account, symbol?: string): boolean =>
    exchange.orders.open("futures", account.name, symbol).length + algos.open(account.name, symbol).length > 0

  const unrealised = (account: Account, asset: string): Decimal =>
    exchange.symbols
      .all("futures")
      .filter((info) => info.quote === asset)
      .flatMap((info) => (["BOTH", "LONG", "SHORT"] as const).map((side) => desk.position(account.name, info.symbol, side).unrealised))
      .reduce((total, one) => add(total, one), ZERO)
  const positionMargin = (account: Account, asset: string): Decimal =>
    exchange.symbols
      .all("futures")
      .filter((info) => info.quote === asset)
      .flatMap((info) => (["BOTH", "LONG", "SHORT"] as const).map((side) => desk.position(account.name, info.symbol, side).margin))
      .reduce((total, one) => add(total, one), ZERO)

  const balance = (call: SignedCall): unknown => {
    call.params.done()
    return assetsOf(desk).map((asset) => {
      const { total, free } = wallet(exchange, call.account.name, asset)
      return {
        accountAlias: "SgsR",
        asset,
        balance: eight(total),
        crossWalletBalance: eight(total),
        crossUnPnl: eight(unrealised(call.account, asset)),
        availableBalance: eight(free),
        maxWithdrawAmount: eight(free),
        marginAvailable: true,
        updateTime: exchange.nowMs(),
      }
    })
  }
  const positions = (call: SignedCall, onlyOpen: boolean): unknown => {
    const { account } = call
    return infos(call.params).flatMap((info) => {
      const busy = exchange.orders.open("futures", account.name, info.symbol).length > 0
      return sidesOf(account)
        .filter((side) => !onlyOpen || busy || !isZero(desk.position(account.name, info.symbol, side).quantity))
        .map((side) => positionRisk(desk, info, account.name, side, exchange.nowMs()))
    })
  }
  const accountView = (call: SignedCall): unknown => {
    call.params.done()
    const { account } = call
    const assets = assetsOf(desk).map((asset) => {
      const { total, locked, free } = wallet(exchange, account.name, asset)
      const profit = unrealised(account, asset)
      const held = positionMargin(account, asset)
      return {
        asset,
        walletBalance: eight(total),
        unrealizedProfit: eight(profit),
        marginBalance: eight(add(total, profit)),
        maintMargin: "0.00000000",
        initialMargin: eight(locked),
        positionInitialMargin: eight(held),
        openOrderInitialMargin: eight(max(ZERO, sub(locked, held))),
        crossWalletBalance: eight(total),
        crossUnPnl: eight(profit),
        availableBalance: eight(free),
        maxWithdrawAmount: eight(free),
        updateTime: exchange.nowMs(),
      }
    })
    const usdt = assets.find((asset) => asset.asset === "USDT") ?? assets[0]
    return {
      feeTier: 0,
      canTrade: account.canTrade,
      canDeposit: true,
      canWithdraw: false,
      multiAssetsMargin: false,
      totalInitialMargin: usdt?.initialMargin,
      totalMaintMargin: "0.00000000",
      totalWalletBalance: usdt?.walletBalance,
      totalUnrealizedProfit: usdt?.unrealizedProfit,
      totalMarginBalance: usdt?.marginBalance,
      totalPositionInitialMargin: usdt?.positionInitialMargin,
      totalOpenOrderInitialMargin: usdt?.openOrderInitialMargin,
      totalCrossWalletBalance: usdt?.crossWalletBalance,
      totalCrossUnPnl: usdt?.crossUnPnl,
      availableBalance: usdt?.availableBalance,
      maxWithdrawAmount: usdt?.maxWithdrawAmount,
      assets,
      positions: exchange.symbols.all("futures").flatMap((info) =>
        sidesOf(account)
          .filter((side) => !isZero(desk.position(account.name, info.symbol, side).quantity))
          .map((side) => positionRisk(desk, info, account.name, side, exchange.nowMs())),
      ),
    }
  }

  const deadMan = new Map<string, () => void>()
  const countdown = (call: SignedCall): unknown => {
    const symbol = call.params.symbol()
    const ms = call.params.integer("countdownTime")
    call.params.done()
    if (ms === undefined) throw E.mandatory("countdownTime")
    desk.info(symbol)
    const { name } = call.account
    const key = `${name} ${symbol}`
    deadMan.get(key)?.()
    deadMan.delete(key)
    if (ms > 0)
      deadMan.set(
        key,
        exchange.clock.after(ms, () => {
          for (const order of exchange.orders.open("futures", name, symbol)) exchange.end(order, "CANCELED")
        }),
      )
    return { symbol, countdownTime: String(ms) }
  }

  const get = (path: string, op: string, weight: number, run: (call: SignedCall) => unknown): Route => ({
    method: "GET",
    path,
    op,
    security: "signed",
    weight,
    run,
  })
  const post = (path: string, op: string, run: (call: SignedCall) => unknown): Route => ({
    method: "POST",
    path,
    op,
    security: "signed",
    weight: 1,
    run,
  })
  const key = (method: "POST" | "PUT" | "DELETE", run: (call: SignedCall) => unknown): Route => ({
    method,
    path: "/fapi/v1/listenKey",
    op: "listenKey",
    security: "key",
    weight: 1,
    run,
  })

  return [
    ...["/fapi/v2/account", "/fapi/v3/account"].map((path) => get(path, "account", 5, accountView)),
    ...["/fapi/v2/balance", "/fapi/v3/balance"].map((path) => get(path, "balance", 5, balance)),
    get("/fapi/v2/positionRisk", "positions", 5, (call) => positions(call, false)),
    get("/fapi/v3/positionRisk", "positions", 5, (call) => positions(call, true)),
    get("/fapi/v1/positionSide/dual", "positionMode", 30, (call) => {
      call.params.done()
      return { dualSidePosition: call.account.hedgeMode }
    }),
    post("/fapi/v1/positionSide/dual", "setPositionMode", (call) => {
      const hedge = call.params.flag("dualSidePosition")
      call.params.done()
      if (hedge === undefined) throw E.mandatory("dualSidePosition")
      if (hedge === call.account.hedgeMode) throw F.samePositionMode()
      if (waits(call.account)) throw F.modeOpenOrders()
      if (holds(call.account)) throw F.modePosition()
      call.account.hedgeMode = hedge
      return DONE
    }),
    post("/fapi/v1/leverage", "setLeverage", (call) => {
      const symbol = call.params.symbol()
      const leverage = call.params.integer("leverage")
      call.params.done()
      desk.info(symbol)
      if (leverage === undefined) throw E.mandatory("leverage")
      if (leverage < 1 || leverage > LEVERAGE_MAX) throw F.leverage(leverage)
      const changed = leverageOf(call.account, symbol) !== leverage
      call.account.leverage.set(symbol, leverage)
      const atMs = exchange.nowMs()
      if (changed)
        streams.publish("futures", call.account.name, { e: "ACCOUNT_CONFIG_UPDATE", E: atMs, T: atMs, ac: { s: symbol, l: leverage } })
      return { leverage, maxNotionalValue: "40000000", symbol }
    }),
    post("/fapi/v1/marginType", "setMarginType", (call) => {
      const symbol = call.params.symbol()
      const type = call.params.needOneOf("marginType", ["ISOLATED", "CROSSED"] as const)
      call.params.done()
      desk.info(symbol)
      if (marginTypeOf(exchange, call.account.name, symbol) === type) throw F.sameMarginType()
      if (waits(call.account, symbol)) throw F.marginOpenOrders()
      if (holds(call.account, symbol)) throw F.marginPosition()
      call.account.marginType.set(symbol, type)
      return DONE
    }),
    get("/fapi/v1/accountConfig", "accountConfig", 5, (call) => {
      call.params.done()
      return {
        feeTier: 0,
        canTrade: call.account.canTrade,
        canDeposit: true,
        canWithdraw: false,
        dualSidePosition: call.account.hedgeMode,
        updateTime: 0,
        multiAssetsMargin: false,
        tradeGroupId: -1,
      }
    }),
    get("/fapi/v1/symbolConfig", "symbolConfig", 5, (call) =>
      infos(call.params).map((info) => ({
        symbol: info.symbol,
        marginType: marginTypeOf(exchange, call.account.name, info.symbol),
        isAutoAddMargin: "false",
        leverage: leverageOf(call.account, info.symbol),
        maxNotionalValue: "40000000",
      })),
    ),
    get("/fapi/v1/multiAssetsMargin", "multiAssets", 30, (call) => {
      call.params.done()
      return { multiAssetsMargin: false }
    }),
    get("/fapi/v1/commissionRate", "commissionRate", 20, (call) => {
      const info = desk.info(call.params.symbol())
      call.params.done()
      return {
        symbol: info.symbol,
        makerCommissionRate: places(dec(exchange.fees.futures.maker), 6),
        takerCommissionRate: places(dec(exchange.fees.futures.taker), 6),
      }
    }),
    get("/fapi/v1/rateLimit/order", "rateLimit", 1, (call) => {
      call.params.done()
      return limits.view(undefined, call.account.name).map(({ count: _count, ...limit }) => limit)
    }),
    { ...post("/fapi/v1/countdownCancelAll", "countdown", countdown), weight: 10 },
    key("POST", (call) => ({ listenKey: keys.create(call.account.name) })),
    key("PUT", (call) => ({ listenKey: keys.renew(call.account.name) })),
    key("DELETE", (call) => {
      keys.close(call.account.name)
      return {}
    }),
    {
      method: "GET",
      path: "/fapi/v1/premiumIndex",
      op: "premiumIndex",
      security: "none",
      weight: (params) => (params.has("symbol") ? 1 : 10),
      run: ({ params }: Call) => {
        const symbol = params.optionalSymbol()
        const view = (info: SymbolInfo) => {
          const mark = places(exchange.price("futures", info.symbol)?.mark ?? ZERO, 8)
          return {
            symbol: info.symbol,
            markPrice: mark,
            indexPrice: mark,
            estimatedSettlePrice: mark,
            lastFundingRate: "0.00010000",
            interestRate: "0.00010000",
            nextFundingTime: nextFunding(exchange.nowMs()),
            time: exchange.nowMs(),
          }
        }
        return symbol === undefined ? exchange.symbols.all("futures").map(view) : view(desk.info(symbol))
      },
    },
  ]
}
