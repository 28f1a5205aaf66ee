/**
 * The venues of a mode, and which one an order goes to.
 *
 * Simulation: the paper venue, and nothing else is even opened, so that no signed request can leave. Testnet and live: the
 * markets of Binance that are asked for, and the paper venue beside them for signals that say `simulate`. An order for a
 * market that is left out goes nowhere (MARKET_NOT_AVAILABLE).
 */
import { mkdirSync } from "node:fs"
import { dirname } from "node:path"
import type { Settings } from "@petrosa/contracts"
import { dec, isZero } from "@petrosa/contracts"
import type { EngineOptions, VenueSeat } from "@petrosa/engine"
import type { PaperVenue } from "@petrosa/venue"
import { openPaperVenue } from "@petrosa/venue"
import type { Logger } from "pino"
import type { TradingAccount } from "./accountGuard.ts"
import { paperFacts } from "./decisionSettings.ts"
import type { BinanceMarket, MarketPlan } from "./openBinance.ts"
import { openBinance } from "./openBinance.ts"

export interface Venues {
  readonly seats: readonly VenueSeat[]
  readonly seatFor: EngineOptions["seatFor"]
  readonly paper: PaperVenue
  /** Whose money it is, for the guard of the store. */
  readonly account: TradingAccount
  close(): Promise<void>
}

const openPaper = (settings: Settings, log: Logger): PaperVenue => {
  mkdirSync(dirname(settings.paperVenueFile), { recursive: true })
  return openPaperVenue({
    file: settings.paperVenueFile,
    startingBalance: settings.simulationBalanceUsdt,
    feeRate: settings.paperFeeRate,
    latencyMs: settings.paperLatencyMs,
    // As Binance has it: what is tried in simulation is what happens there.
    spotLists: true,
    onTrouble: (error) => log.error({ error: String(error) }, "the paper venue has trouble"),
  })
}

export const openVenues = async (
  settings: Settings,
  plans: readonly MarketPlan[],
  log: Logger,
  signal: AbortSignal | undefined,
): Promise<Venues> => {
  const { mode } = settings
  const markets: BinanceMarket[] = []
  const closeMarkets = async (): Promise<void> => void (await Promise.all(markets.map(({ venue }) => venue.close())))
  try {
    if (mode !== "simulation") {
      // One after the other: each may be waited for, and what is refused is said of one thing at a time.
      for (const plan of plans) markets.push(await openBinance(settings, plan, log, signal))
      await sayWhoseMoney(markets, mode, log)
    }
    const paper = openPaper(settings, log)
    const paperSeat: VenueSeat = { venue: paper, facts: paperFacts(paper, settings) }
    const seats = markets.map(({ venue, facts }): VenueSeat => ({ venue, facts }))
    return {
      paper,
      seats: [...seats, paperSeat],
      seatFor:
        mode === "simulation"
          ? () => paperSeat
          : ({ market, simulate }) => (simulate ? paperSeat : seats.find(({ venue }) => venue.markets.includes(market))),
      account: { mode, accounts: Object.fromEntries(markets.map((one) => [one.market, accountName(one, mode)])) },
      close: async () => {
        await closeMarkets()
        await paper.close()
      },
    }
  } catch (error) {
    await closeMarkets()
    throw error
  }
}

/** All hosts of the live exchange are one exchange; each test network is one of its own. */
const accountName = ({ account, host }: BinanceMarket, mode: "testnet" | "live" | "simulation"): string =>
  [mode === "live" ? "live" : host, account.uid].filter((part) => part !== undefined).join(" ")

/** Before the first order: whose account, how much is in it, and where. Never a key. */
const sayWhoseMoney = async (markets: readonly BinanceMarket[], mode: "testnet" | "live", log: Logger): Promise<void> => {
  const accounts = await Promise.all(
    markets.map(async ({ market, venue, host, account }) => {
      const [balances, positions] = await Promise.all([venue.balances(), venue.positions()])
      return {
        market,
        host,
        ...(account.uid === undefined ? {} : { uid: account.uid }),
        ...(market === "futures" ? { positionMode: account.positionMode } : {}),
        feeRate: account.feeRate,
        balances:
          balances._tag === "Unknown"
            ? `not known (${balances.reason})`
            : Object.fromEntries(
                balances.value
                  .filter(({ free, locked }) => !isZero(dec(free)) || !isZero(dec(locked)))
                  .slice(0, BALANCES_SHOWN)
                  .map(({ asset, free, locked }) => [asset, isZero(dec(locked)) ? free : `${free} (+ ${locked} locked)`]),
              ),
        positions: positions._tag === "Unknown" ? `not known (${positions.reason})` : positions.value.length,
      }
    }),
  )
  const money = mode === "live" ? "LIVE: orders are real, and so is the money" : "test network: the money is not real"
  log[mode === "live" ? "warn" : "info"]({ mode, accounts }, money)
}

/** Enough to recognise an account by. */
const BALANCES_SHOWN = 20
