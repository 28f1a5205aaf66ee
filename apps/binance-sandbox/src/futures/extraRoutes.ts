/**
 * Futures, beside orders and the account: funding, open interest, leverage brackets, what was earned and paid (from the trades),
 * the settings that clients read at their start. Funding is never settled here, and nothing is liquidated by itself.
 */
import { ZERO, abs, add, isZero, neg } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import type { SandboxTrade } from "../core/orders.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { nextFunding } from "../streams/marketStreams.ts"
import { eight, places } from "../wire/decimals.ts"
import { E, F } from "../wire/errors.ts"
import type { Params } from "../wire/params.ts"
import { inWindow, limitOf, windowOf } from "../wire/routes.ts"
import type { Call, Route, SignedCall } from "../wire/routes.ts"
import { sidesOf } from "./accountRoutes.ts"
import type { FuturesDesk } from "./desk.ts"

const WEEK_HOURS = 7 * 24
const FUNDING_MS = 8 * 3_600_000
const FUNDINGS_KEPT = 1000
const RATE = "0.00010000"

/** Brackets as a large symbol has them: most leverage, notional from and to, maintenance margin rate, what is subtracted. */
const BRACKETS: readonly (readonly [leverage: number, floor: number, cap: number, rate: number, cumulated: number])[] = [
  [125, 0, 50_000, 0.004, 0],
  [100, 50_000, 500_000, 0.005, 50],
  [50, 500_000, 10_000_000, 0.01, 2550],
  [20, 10_000_000, 80_000_000, 0.025, 152_550],
  [10, 80_000_000, 150_000_000, 0.05, 2_152_550],
  [5, 150_000_000, 300_000_000, 0.1, 9_652_550],
  [4, 300_000_000, 450_000_000, 0.125, 17_152_550],
  [3, 450_000_000, 600_000_000, 0.15, 28_402_550],
  [2, 600_000_000, 800_000_000, 0.25, 88_402_550],
  [1, 800_000_000, 1_200_000_000, 0.5, 288_402_550],
]

const INCOMES = [
  "TRANSFER",
  "WELCOME_BONUS",
  "REALIZED_PNL",
  "FUNDING_FEE",
  "COMMISSION",
  "INSURANCE_CLEAR",
  "REFERRAL_KICKBACK",
  "COMMISSION_REBATE",
  "API_REBATE",
  "CONTEST_REWARD",
  "CROSS_COLLATERAL_TRANSFER",
  "OPTIONS_PREMIUM_FEE",
  "OPTIONS_SETTLE_PROFIT",
  "INTERNAL_TRANSFER",
  "AUTO_EXCHANGE",
  "DELIVERED_SETTELMENT",
  "COIN_SWAP_DEPOSIT",
  "COIN_SWAP_WITHDRAW",
  "POSITION_LIMIT_INCREASE_FEE",
] as const

/** What a trade earned or cost. */
const incomesOf = (
  trade: SandboxTrade,
  quote: string,
): readonly { readonly type: string; readonly amount: Decimal; readonly asset: string }[] => [
  ...(isZero(trade.realised) ? [] : [{ type: "REALIZED_PNL", amount: trade.realised, asset: quote }]),
  ...(isZero(trade.commission) ? [] : [{ type: "COMMISSION", amount: neg(trade.commission), asset: trade.commissionAsset }]),
]

export const futuresExtraRoutes = (desk: FuturesDesk): readonly Route[] => {
  const { exchange } = desk
  const open = (path: string, op: string, weight: number, run: (call: Call) => unknown): Route => ({
    method: "GET",
    path: `/fapi/v1/${path}`,
    op,
    security: "none",
    weight,
    run,
  })
  const get = (path: string, op: string, weight: number, run: (call: SignedCall) => unknown): Route => ({
    method: "GET",
    path: `/fapi/v1/${path}`,
    op,
    security: "signed",
    weight,
    run,
  })
  /** One symbol, or all. */
  const infos = (params: Params): readonly SymbolInfo[] => {
    const symbol = params.optionalSymbol()
    return symbol === undefined ? exchange.symbols.all("futures") : [desk.info(symbol)]
  }
  const fundingRate = ({ params }: Call): unknown => {
    const list = infos(params)
    const { startMs, endMs } = windowOf(params, WEEK_HOURS * 52)
    const limit = limitOf(params, 100, 1000)
    const lastMs = nextFunding(Math.min(endMs, exchange.nowMs())) - FUNDING_MS
    const times: number[] = []
    for (let atMs = lastMs; atMs >= startMs && times.length < Math.min(limit, FUNDINGS_KEPT); atMs -= FUNDING_MS) times.push(atMs)
    return times
      .reverse()
      .flatMap((fundingTime) =>
        list.map((info) => ({
          symbol: info.symbol,
          fundingTime,
          fundingRate: RATE,
          markPrice: eight(exchange.price("futures", info.symbol)?.mark ?? ZERO),
        })),
      )
      .slice(-limit)
  }
  const income = (call: SignedCall): unknown => {
    const { params, account } = call
    const symbol = params.optionalSymbol()
    const type = params.oneOf("incomeType", INCOMES)
    const window = windowOf(params, WEEK_HOURS * 52)
    const page = params.integer("page", { min: 1 }) ?? 1
    const limit = limitOf(params, 100, 1000)
    params.done()
    const all = exchange.orders
      .trades("futures", account.name, symbol)
      .filter((trade) => inWindow(window, trade.atMs))
      .flatMap((trade) =>
        incomesOf(trade, desk.info(trade.symbol).quote)
          .filter((one) => type === undefined || one.type === type)
          .map((one, index) => ({
            symbol: trade.symbol,
            incomeType: one.type,
            income: eight(one.amount),
            asset: one.asset,
            info: one.type === "COMMISSION" ? trade.id.toString() : "",
            time: trade.atMs,
            tranId: trade.id * 10n + BigInt(index),
            tradeId: trade.id.toString(),
          })),
      )
    return all.slice((page - 1) * limit, page * limit)
  }
  const openInterest = ({ params }: Call): unknown => {
    const info = desk.info(params.symbol())
    const held = [...exchange.accounts.values()]
      .flatMap((account) => (["BOTH", "LONG", "SHORT"] as const).map((side) => desk.position(account.name, info.symbol, side).quantity))
      .reduce((total, quantity) => add(total, abs(quantity)), ZERO)
    return { symbol: info.symbol, openInterest: places(held, info.quantityPlaces), time: exchange.nowMs() }
  }
  return [
    open("fundingRate", "funding", 1, fundingRate),
    open("fundingInfo", "funding", 1, () =>
      exchange.symbols.all("futures").map((info) => ({
        symbol: info.symbol,
        adjustedFundingRateCap: "0.02000000",
        adjustedFundingRateFloor: "-0.02000000",
        fundingIntervalHours: 8,
        disclaimer: false,
      })),
    ),
    open("openInterest", "openInterest", 1, openInterest),
    get("leverageBracket", "brackets", 1, ({ params }) => {
      const list = infos(params)
      params.done()
      return list.map((info) => ({
        symbol: info.symbol,
        notionalCoef: 1,
        brackets: BRACKETS.map(([initialLeverage, notionalFloor, notionalCap, maintMarginRatio, cum], index) => ({
          bracket: index + 1,
          initialLeverage,
          notionalCap,
          notionalFloor,
          maintMarginRatio,
          cum,
        })),
      }))
    }),
    get("income", "income", 30, income),
    get("adlQuantile", "adl", 5, ({ params, account }) => {
      const list = infos(params)
      params.done()
      return list
        .filter((info) => sidesOf(account).some((side) => !isZero(desk.position(account.name, info.symbol, side).quantity)))
        .map((info) => ({ symbol: info.symbol, adlQuantile: account.hedgeMode ? { LONG: 0, SHORT: 0, HEDGE: 0 } : { BOTH: 0 } }))
    }),
    get("forceOrders", "forceOrders", 20, ({ params, account }) => {
      const symbol = params.optionalSymbol()
      const type = params.oneOf("autoCloseType", ["LIQUIDATION", "ADL"] as const)
      const window = windowOf(params, WEEK_HOURS)
      const limit = limitOf(params, 50, 100)
      params.done()
      return exchange.orders
        .all("futures", account.name, symbol)
        .filter((order) => order.clientId.startsWith(type === "ADL" ? "adl_autoclose" : type === "LIQUIDATION" ? "autoclose-" : "a"))
        .filter((order) => /^(autoclose-|adl_autoclose)/.test(order.clientId) && inWindow(window, order.createdAtMs))
        .slice(-limit)
        .map((order) => ({
          orderId: order.id,
          symbol: order.symbol,
          status: order.status,
          clientOrderId: order.clientId,
          price: places(order.price, desk.info(order.symbol).pricePlaces),
          origQty: places(order.quantity, desk.info(order.symbol).quantityPlaces),
          executedQty: places(order.executed, desk.info(order.symbol).quantityPlaces),
          timeInForce: "IOC",
          type: order.type,
          side: order.side,
          positionSide: order.positionSide,
          time: order.createdAtMs,
          updateTime: order.updatedAtMs,
        }))
    }),
    get("positionMargin/history", "positionMargin", 1, ({ params }) => {
      desk.info(params.symbol())
      params.ignore("type", "startTime", "endTime", "limit")
      params.done()
      return []
    }),
    get("apiTradingStatus", "accountStatus", 1, ({ params }) => {
      params.ignore("symbol")
      params.done()
      return { indicators: {}, updateTime: exchange.nowMs() }
    }),
    get("feeBurn", "feeBurn", 30, ({ params }) => {
      params.done()
      return { feeBurn: exchange.fees.commission === "bnb" }
    }),
    {
      method: "POST",
      path: "/fapi/v1/multiAssetsMargin",
      op: "setMultiAssets",
      security: "signed",
      weight: 1,
      run: ({ params }: SignedCall) => {
        const on = params.flag("multiAssetsMargin")
        params.done()
        if (on === undefined) throw E.mandatory("multiAssetsMargin")
        // Single-asset mode is all there is here.
        throw on ? E.unsupported() : F.sameMultiAssets()
      },
    },
  ]
}
