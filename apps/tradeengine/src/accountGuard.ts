/**
 * Orders belong to the account on which they were placed. Before a store is used with another mode or account, nothing of
 * the former one may be open in it: a stop that rests on one exchange cannot be watched on another, and an order that is not
 * settled could be decided again with other money.
 *
 * What can go wrong: the store is away (waited for by whoever opens it; here it throws). Two processes that start at the same
 * time with different settings both read the former account; the second write wins, and the next start says so.
 */
import type { EventStore, OrderRow } from "@petrosa/event-store"
import { StartRefused } from "./refused.ts"

const KEY = "trading_account"

/** `{"mode":"testnet","spot":"demo-api.binance.com 123"}`: what an account is known by. Hosts of the live exchange count as one. */
export interface TradingAccount {
  readonly mode: "simulation" | "testnet" | "live"
  /** Per market that is traded; what the paper venue holds is not in it. */
  readonly accounts: Readonly<Record<string, string>>
}

const parse = (text: string): TradingAccount | undefined => {
  try {
    const value = JSON.parse(text) as Partial<TradingAccount> | null
    return typeof value?.mode === "string" && typeof value.accounts === "object" ? (value as TradingAccount) : undefined
  } catch {
    return undefined
  }
}

/** A store that nobody has traded with yet, or that is older than this guard, which was simulation. */
const SIMULATION: TradingAccount = { mode: "simulation", accounts: {} }

interface Difference {
  readonly says: string
  concerns(row: OrderRow): boolean
}

function* differences(before: TradingAccount, now: TradingAccount): Generator<Difference> {
  if (before.mode !== now.mode) {
    // Open lots of the paper venue go on there in every mode; what is not settled could be decided anew.
    yield {
      says: `the mode was ${before.mode} and is ${now.mode} now`,
      concerns: (row) => !row.settled || !row.simulation_mode,
    }
    return
  }
  for (const [market, account] of Object.entries(before.accounts)) {
    const here = now.accounts[market]
    if (here === account) continue
    yield {
      says: here === undefined ? `${market} is not traded now` : `${market} was ${account} and is ${here} now`,
      concerns: (row) => !row.simulation_mode && row.market === market,
    }
  }
}

/** Throws {@link StartRefused} when orders of another account are open; else remembers this one. */
export const guardAccount = async (store: EventStore, now: TradingAccount): Promise<void> => {
  const text = await store.getMeta(KEY)
  const before = (text === undefined ? undefined : parse(text)) ?? SIMULATION
  const found = [...differences(before, now)]
  if (found.length > 0) {
    const open = (await store.openOrders()).filter((row) => found.some((one) => one.concerns(row)))
    if (open.length > 0) {
      const examples = open.slice(0, 3).map((row) => `${row.order} (${row.symbol} ${row.market}, ${row.state})`)
      throw new StartRefused(
        `${open.length} order(s) of this store are not over, and belong elsewhere: ${found.map((one) => one.says).join("; ")}. ` +
          `First: ${examples.join(", ")}. Start with the former settings until they are over (petrosa orders), ` +
          "or give these settings a store and streams of their own (SQLITE_FILE or MONGODB_DATABASE; NATS_STREAM, NATS_LOTS_STREAM and NATS_SIGNAL_SUBJECT).",
      )
    }
  }
  // A market that is left out for a while keeps its account: its orders are not forgotten.
  const accounts = before.mode === now.mode ? { ...before.accounts, ...now.accounts } : now.accounts
  const next = JSON.stringify({ mode: now.mode, accounts } satisfies TradingAccount)
  if (next !== text) await store.setMeta(KEY, next)
}
