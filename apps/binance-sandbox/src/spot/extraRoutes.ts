/**
 * Spot, beside orders: commissions, filters of the account, what never happens here (prevented matches, allocations), the
 * retired way to place an OCO, and the few calls of `/sapi` that clients make at their start.
 */
import { dec, isZero } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { SymbolInfo } from "../core/symbols.ts"
import { eight } from "../wire/decimals.ts"
import { Params } from "../wire/params.ts"
import { limitOf, windowOf } from "../wire/routes.ts"
import type { Call, Route, SignedCall } from "../wire/routes.ts"
import { assetsOf } from "./accountRoutes.ts"
import type { SpotDesk } from "./desk.ts"
import { balances } from "./views.ts"

const CREATED_MS = 1_577_836_800_000

/**
 * The old `POST /api/v3/order/oco` in the words of `orderList/oco`: `price` is the limit leg's, `stopPrice` and `stopLimitPrice`
 * the stop's; the side says which of them lies above.
 */
export const oldOco = (params: Params): Params => {
  const side = params.needText("side")
  const stopLimit = params.text("stopLimitPrice")
  const limit = side === "BUY" ? "below" : "above"
  const stop = side === "BUY" ? "above" : "below"
  const renamed: readonly (readonly [string, string])[] = [
    ["symbol", "symbol"],
    ["side", "side"],
    ["quantity", "quantity"],
    ["listClientOrderId", "listClientOrderId"],
    ["newOrderRespType", "newOrderRespType"],
    ["selfTradePreventionMode", "selfTradePreventionMode"],
    ["price", `${limit}Price`],
    ["limitClientOrderId", `${limit}ClientOrderId`],
    ["limitIcebergQty", `${limit}IcebergQty`],
    ["limitStrategyId", `${limit}StrategyId`],
    ["limitStrategyType", `${limit}StrategyType`],
    ["stopPrice", `${stop}StopPrice`],
    ["stopLimitPrice", `${stop}Price`],
    ["stopLimitTimeInForce", `${stop}TimeInForce`],
    ["stopClientOrderId", `${stop}ClientOrderId`],
    ["stopIcebergQty", `${stop}IcebergQty`],
    ["stopStrategyId", `${stop}StrategyId`],
    ["stopStrategyType", `${stop}StrategyType`],
    ["trailingDelta", `${stop}TrailingDelta`],
  ]
  const values = new Map<string, string>([
    [`${limit}Type`, "LIMIT_MAKER"],
    [`${stop}Type`, stopLimit === undefined ? "STOP_LOSS" : "STOP_LOSS_LIMIT"],
  ])
  for (const [from, to] of renamed) {
    const value = params.text(from)
    if (value !== undefined) values.set(to, value)
  }
  params.done()
  return new Params(values)
}

export const spotExtraRoutes = (desk: SpotDesk): readonly Route[] => {
  const { exchange } = desk
  const get = (path: string, op: string, weight: number, run: (call: SignedCall) => unknown): Route => ({
    method: "GET",
    path,
    op,
    security: "signed",
    weight,
    run,
  })
  /** Nothing of that kind ever happens here. */
  const none = (path: string, op: string, weight: number): Route =>
    get(path, op, weight, ({ params }) => {
      desk.info(params.symbol())
      params.ignore("orderId", "preventedMatchId", "fromPreventedMatchId", "fromAllocationId", "fromExecutionId")
      windowOf(params, 24)
      limitOf(params, 500, 1000)
      params.done()
      return []
    })
  const zero = { maker: "0.00000000", taker: "0.00000000", buyer: "0.00000000", seller: "0.00000000" }
  return [
    get("/api/v3/account/commission", "commission", 20, ({ params }) => {
      const info = desk.info(params.symbol())
      params.done()
      const { maker, taker } = exchange.fees.spot
      return {
        symbol: info.symbol,
        standardCommission: { ...zero, maker: eight(dec(maker)), taker: eight(dec(taker)) },
        specialCommission: zero,
        taxCommission: zero,
        discount: { enabledForAccount: true, enabledForSymbol: true, discountAsset: "BNB", discount: "0.75000000" },
      }
    }),
    get("/api/v3/myFilters", "myFilters", 40, ({ params }) => {
      const info = desk.info(params.symbol())
      params.done()
      return { exchangeFilters: [], symbolFilters: info.filters, assetFilters: [] }
    }),
    none("/api/v3/myPreventedMatches", "preventedMatches", 20),
    none("/api/v3/myAllocations", "allocations", 20),
    none("/api/v3/order/amendments", "amendments", 4),
    ...sapiRoutes(exchange, get),
  ]
}

const sapiRoutes = (
  exchange: Exchange,
  get: (path: string, op: string, weight: number, run: (call: SignedCall) => unknown) => Route,
): readonly Route[] => {
  const rows = (account: string) => balances(exchange, account, assetsOf(exchange, "spot"))
  return [
    {
      method: "GET",
      path: "/sapi/v1/system/status",
      op: "system",
      security: "none",
      weight: 1,
      run: (_call: Call) => ({ status: 0, msg: "normal" }),
    },
    // Nothing is traded on margin here.
    ...["allPairs", "isolated/allPairs", "allAssets"].map(
      (path): Route => ({ method: "GET", path: `/sapi/v1/margin/${path}`, op: "margin", security: "key", weight: 1, run: () => [] }),
    ),
    get("/sapi/v1/capital/config/getall", "coins", 10, ({ params, account }) => {
      params.done()
      return rows(account.name).map((row) => coin(exchange, row))
    }),
    get("/sapi/v1/asset/tradeFee", "commission", 1, ({ params }) => {
      const symbol = params.optionalSymbol()
      params.done()
      const { maker, taker } = exchange.fees.spot
      return exchange.symbols
        .all("spot")
        .filter((info: SymbolInfo) => symbol === undefined || info.symbol === symbol)
        .map((info: SymbolInfo) => ({ symbol: info.symbol, makerCommission: maker, takerCommission: taker }))
    }),
    get("/sapi/v1/account/status", "accountStatus", 1, ({ params }) => {
      params.done()
      return { data: "Normal" }
    }),
    get("/sapi/v1/account/apiTradingStatus", "accountStatus", 1, ({ params, account }) => {
      params.done()
      return {
        data: {
          isLocked: !account.canTrade,
          plannedRecoverTime: 0,
          triggerCondition: { GCR: 150, IFER: 150, UFR: 300 },
          updateTime: 0,
        },
      }
    }),
    get("/sapi/v1/account/apiRestrictions", "restrictions", 1, ({ params, account }) => {
      params.done()
      return {
        ipRestrict: false,
        createTime: CREATED_MS,
        enableReading: true,
        enableSpotAndMarginTrading: account.permissions.includes("spot") && account.canTrade,
        enableFutures: account.permissions.includes("futures") && account.canTrade,
        enableWithdrawals: false,
        enableInternalTransfer: false,
        permitsUniversalTransfer: false,
        enableMargin: false,
        enableVanillaOptions: false,
        enablePortfolioMarginTrading: false,
        enableFixApiTrade: false,
        enableFixReadOnly: false,
      }
    }),
    get("/sapi/v1/bnbBurn", "bnbBurn", 1, ({ params }) => {
      params.done()
      return { spotBNBBurn: exchange.fees.commission === "bnb", interestBNBBurn: false }
    }),
    {
      method: "POST",
      path: "/sapi/v3/asset/getUserAsset",
      op: "balance",
      security: "signed",
      weight: 5,
      run: ({ params, account }: SignedCall) => {
        const asset = params.text("asset")
        params.ignore("needBtcValuation")
        params.done()
        return rows(account.name)
          .filter((row) => (asset === undefined ? !isZero(dec(row.free)) || !isZero(dec(row.locked)) : row.asset === asset))
          .map((row) => ({ ...row, freeze: "0", withdrawing: "0", ipoable: "0", btcValuation: "0" }))
      },
    },
  ]
}
/** A coin that can neither be paid in nor out. */
const coin = (exchange: Exchange, row: { readonly asset: string; readonly free: string; readonly locked: string }): unknown => ({
  coin: row.asset,
  name: row.asset,
  depositAllEnable: false,
  withdrawAllEnable: false,
  free: row.free,
  locked: row.locked,
  freeze: "0",
  storage: "0",
  withdrawing: "0",
  ipoable: "0",
  ipoing: "0",
  isLegalMoney: false,
  trading: exchange.symbols.all("spot").some((info) => info.base === row.asset || info.quote === row.asset),
  networkList: [
    {
      network: row.asset,
      coin: row.asset,
      name: row.asset,
      isDefault: true,
      depositEnable: false,
      withdrawEnable: false,
      withdrawFee: "0",
      withdrawMin: "0",
      withdrawMax: "0",
      withdrawIntegerMultiple: "0.00000001",
      minConfirm: 1,
      unLockConfirm: 0,
      busy: false,
      sameAddress: false,
    },
  ],
})
