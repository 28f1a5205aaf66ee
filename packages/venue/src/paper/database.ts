/**
 * The paper venue's one SQLite file: opening it, its tables, its pragmas.
 *
 * Several processes of one machine may hold it open at once. WAL lets them read while one writes; every request that
 * changes something is (part of) one `BEGIN IMMEDIATE` transaction, so that writers take turns and a process that is killed
 * leaves whole requests behind or nothing. `synchronous=NORMAL`: no fsync per commit. What a killed process has written is
 * in the operating system's hands and is not lost; only a loss of power can take the newest commits (the file stays whole),
 * and simulated orders are not worth an fsync each. What remains are the fsyncs of a checkpoint, every some thousand pages:
 * they keep the file readable after a loss of power. `"off"` leaves those out, too (tests, measurements).
 *
 * What can go wrong: `SQLITE_BUSY` when another process holds the write lock longer than the busy time-out (callers retry);
 * a file of another schema version (refused on opening, with what to do).
 */
import { DatabaseSync } from "node:sqlite"

/** Raise it with every change of the tables. */
export const SCHEMA_VERSION = 1

/** Waiting on opening: another process may be creating the file. */
const OPEN_BUSY_MS = 5_000
/** Waiting for the write lock in a turn. Short, because it blocks this process's event loop; longer waits are retries. */
const TURN_BUSY_MS = 50

const TABLES = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Every order ever. Ids ascend and are never given twice, because no row is ever deleted.
CREATE TABLE IF NOT EXISTS orders (
  id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL,
  leg TEXT NOT NULL,
  market TEXT NOT NULL,
  symbol TEXT NOT NULL,
  side TEXT NOT NULL,
  position_side TEXT NOT NULL,
  type TEXT NOT NULL,
  time_in_force TEXT NOT NULL,
  quantity TEXT NOT NULL,
  price TEXT,
  trigger_price TEXT,
  reduce_only INTEGER NOT NULL,
  placed_ms INTEGER NOT NULL,
  status TEXT NOT NULL,
  filled TEXT NOT NULL,
  filled_quote TEXT NOT NULL,
  locked TEXT NOT NULL,
  triggered INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL,
  live INTEGER NOT NULL,
  -- A live order that is not pending acts when the price is at or below / at or above this. Rounded to a double: an index
  -- to find candidates with, never what decides.
  acts_below REAL,
  acts_above REAL
);
CREATE INDEX IF NOT EXISTS orders_client ON orders (client_id);
CREATE INDEX IF NOT EXISTS orders_live ON orders (live) WHERE live = 1;
CREATE INDEX IF NOT EXISTS orders_below ON orders (market, symbol, acts_below) WHERE acts_below IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_above ON orders (market, symbol, acts_above) WHERE acts_above IS NOT NULL;
CREATE TABLE IF NOT EXISTS fills (
  id INTEGER PRIMARY KEY,
  order_id INTEGER NOT NULL,
  market TEXT NOT NULL,
  symbol TEXT NOT NULL,
  side TEXT NOT NULL,
  quantity TEXT NOT NULL,
  price TEXT NOT NULL,
  fee TEXT NOT NULL,
  fee_asset TEXT NOT NULL,
  fee_quote TEXT NOT NULL,
  liquidity TEXT NOT NULL,
  realised TEXT NOT NULL,
  at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS fills_order ON fills (order_id);
CREATE TABLE IF NOT EXISTS balances (asset TEXT PRIMARY KEY, total TEXT NOT NULL, locked TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
  symbol TEXT NOT NULL, side TEXT NOT NULL, quantity TEXT NOT NULL, cost TEXT NOT NULL, margin TEXT NOT NULL, realised TEXT NOT NULL,
  PRIMARY KEY (symbol, side)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS prices (
  market TEXT NOT NULL, symbol TEXT NOT NULL, price TEXT NOT NULL, source TEXT NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY (market, symbol)
) WITHOUT ROWID;
-- Executions still to come. Whoever has the file open carries out what is due, in one transaction with deleting it: once.
-- due_ms NULL: held until the price moves (fault "rest").
CREATE TABLE IF NOT EXISTS work (
  order_id INTEGER PRIMARY KEY, due_ms INTEGER, at_price TEXT, parts INTEGER NOT NULL, maker INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS work_due ON work (due_ms) WHERE due_ms IS NOT NULL;
-- The user data stream. Old rows are removed; a reader that was too slow is told of a gap.
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY, order_id INTEGER NOT NULL, status TEXT NOT NULL, filled TEXT NOT NULL, filled_quote TEXT NOT NULL,
  fill_id INTEGER, at_ms INTEGER NOT NULL
);
`

/** Came later: a file of before has none, and gets them, empty. */
const LATER_TABLES = `
-- Which orders are of one list (spot), and what they are in it.
CREATE TABLE IF NOT EXISTS lists (
  order_id INTEGER PRIMARY KEY, list_id INTEGER NOT NULL, is_entry INTEGER NOT NULL, waits INTEGER NOT NULL, by_sibling INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS lists_list ON lists (list_id);
CREATE INDEX IF NOT EXISTS work_held ON work (order_id) WHERE due_ms IS NULL;
`

/** Opens (and if need be creates) the file. `:memory:` is a venue of this process alone. */
export const openDatabase = (
  file: string,
  sync: "normal" | "off",
  startingBalance: { readonly asset: string; readonly amount: string },
): DatabaseSync => {
  const db = new DatabaseSync(file, { timeout: OPEN_BUSY_MS })
  try {
    db.exec(`PRAGMA synchronous = ${sync}; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000; PRAGMA temp_store = MEMORY`)
    db.exec("BEGIN IMMEDIATE")
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number }
    if (version !== 0 && version !== SCHEMA_VERSION)
      throw new Error(
        `${file} was made by another version of the paper venue (schema ${version}, wanted ${SCHEMA_VERSION}): use another file`,
      )
    if (version === 0) {
      db.exec(TABLES)
      // Written once, at the creation of the file: a later setting does not make money.
      db.prepare("INSERT INTO balances (asset, total, locked) VALUES (?, ?, '0')").run(startingBalance.asset, startingBalance.amount)
      db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`)
    }
    db.exec(LATER_TABLES)
    db.exec("COMMIT")
    db.exec(`PRAGMA busy_timeout = ${TURN_BUSY_MS}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Whether an error says that another process holds the lock: nothing was done, and it may be tried again. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && typeof error.errcode === "number" && (error.errcode & 0xff) === 5
