/** Spot: the account, its order counts, and what became of listen keys. */
import { dec, isZero } from "@petrosa/contracts"
import type { Exchange } from "../core/exchange.ts"
import type { RateLimits } from "../wire/rateLimits.ts"
import { Answer } from "../wire/routes.ts"
import type { Route } from "../wire/routes.ts"
import { eight } from "../wire/decimals.ts"
import { balances } from "./views.ts"

const GONE = `<html>\r\n<head><title>410 Gone</title></head>\r\n<body>\r\n<center><h1>410 Gone</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`

/** Every asset that the symbols know, or that the account holds. */
export const assetsOf = (exchange: Exchange, market: "spot" | "futures"): readonly string[] => [
  ...new Set(exchange.symbols.all(market).flatMap((info) => (market === "spot" ? [info.base, info.quote] : [info.quote, "BNB"]))),
]

export const spotAccountRoutes = (exchange: Exchange, limits: RateLimits): readonly Route[] => [
  {
    method: "GET",
    path: "/api/v3/account",
    op: "account",
    security: "signed",
    weight: 20,
    run: (call) => {
      const onlyHeld = call.params.flag("omitZeroBalances") ?? false
      call.params.done()
      const { maker, taker } = exchange.fees.spot
      const rows = balances(exchange, call.account.name, assetsOf(exchange, "spot"))
      return {
        makerCommission: Math.round(Number(maker) * 10_000),
        takerCommission: Math.round(Number(taker) * 10_000),
        buyerCommission: 0,
        sellerCommission: 0,
        commissionRates: { maker: eight(dec(maker)), taker: eight(dec(taker)), buyer: "0.00000000", seller: "0.00000000" },
        canTrade: call.account.canTrade,
        canWithdraw: false,
        canDeposit: false,
        brokered: false,
        requireSelfTradePrevention: false,
        preventSor: false,
        updateTime: exchange.nowMs(),
        accountType: "SPOT",
        balances: onlyHeld ? rows.filter((row) => !isZero(dec(row.free)) || !isZero(dec(row.locked))) : rows,
        permissions: ["SPOT"],
        uid: 354_937_868,
      }
    },
  },
  {
    method: "GET",
    path: "/api/v3/rateLimit/order",
    op: "rateLimit",
    security: "signed",
    weight: 40,
    run: (call) => {
      call.params.done()
      return limits.view(undefined, call.account.name)
    },
  },
  // Dead since 2026-02-20 07:00 UTC; the web server in front of the API answers.
  ...(["POST", "PUT", "DELETE"] as const).map(
    (method): Route => ({
      method,
      path: "/api/v3/userDataStream",
      op: "listenKey",
      security: "none",
      weight: 2,
      run: () => new Answer(410, GONE, "text/html"),
    }),
  ),
]
