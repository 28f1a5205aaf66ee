/**
 * The tables of the embedded store, and why they are as they are.
 *
 * Order ids are hashes: an index on them touches a page at random for each entry, and with a million past orders each of
 * those is another page to write. So a stream gets a small number when it is first written (one random touch per order),
 * and everything else is keyed by that number, which grows with time: what is busy lies together at the end. Events are
 * an append-only rowid table (measured: 5.5 µs an event, against 20 µs clustered by hash), with a narrow index on (stream, version).
 *
 * `orders` is the projection: only what lists are filtered by, and the rowid of the order's last event, from which the
 * row is read. It is written in the transaction that writes the event, so it is never behind. Columns that change are
 * indexed only where `done = 1`: an order on its way moves in no index but that of the open ones.
 *
 * Signal ids come by chance too (UUIDs). Their index has the order's number in front, in groups: new ones go where the newest
 * ones are, and a look-up asks group by group (a million orders: 250 groups, one to three milliseconds). With a million past orders
 * one index over all of them cost a writer a page read, a page in the log and a page of the checkpoint for each order.
 */
import type { DatabaseSync } from "node:sqlite"

/** `PRAGMA application_id`: "PTES". */
const APPLICATION_ID = 0x50544553
/** `PRAGMA user_version`. A store with a higher one is refused. */
export const SCHEMA_VERSION = 1

/** Orders in one group of the index of signal ids. */
export const SIGNAL_GROUP = 4096

const PROJECTION = `
CREATE TABLE IF NOT EXISTS orders (
  no INTEGER PRIMARY KEY,
  event INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  signal_id TEXT NOT NULL,
  strategy_id TEXT NOT NULL,
  symbol TEXT NOT NULL,
  state TEXT NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  binance_order_id TEXT,
  done INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_created ON orders (created_at, no);
CREATE INDEX IF NOT EXISTS orders_symbol ON orders (symbol, created_at, no);
CREATE INDEX IF NOT EXISTS orders_strategy ON orders (strategy_id, created_at, no);
CREATE INDEX IF NOT EXISTS orders_signal_group ON orders (no / ${SIGNAL_GROUP}, signal_id);
-- What files of before had (made again by an older engine; harmless).
DROP INDEX IF EXISTS orders_signal;
CREATE INDEX IF NOT EXISTS orders_binance ON orders (binance_order_id, no) WHERE binance_order_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS orders_open ON orders (created_at, no) WHERE done = 0;
CREATE INDEX IF NOT EXISTS orders_state ON orders (state, created_at, no) WHERE done = 1;
CREATE INDEX IF NOT EXISTS orders_status ON orders (status, created_at, no) WHERE done = 1;
CREATE INDEX IF NOT EXISTS orders_reason ON orders (reason, created_at, no) WHERE done = 1 AND reason IS NOT NULL;
`

const TABLES = `
CREATE TABLE IF NOT EXISTS streams (no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY,
  stream INTEGER NOT NULL,
  version INTEGER NOT NULL,
  hash TEXT NOT NULL,
  text TEXT NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS events_stream ON events (stream, version);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
-- What orders on their way came to, so that a restart need not fold them from their first event. May be deleted at any time.
CREATE TABLE IF NOT EXISTS snapshots (
  stream INTEGER PRIMARY KEY, version INTEGER NOT NULL, hash TEXT NOT NULL, form TEXT NOT NULL, text TEXT NOT NULL
);
${PROJECTION}
-- For people with the sqlite3 shell: SELECT version, type, state, at FROM trade_audit_log WHERE stream = 'order/…'.
CREATE VIEW IF NOT EXISTS trade_audit_log AS
  SELECT s.name AS stream, e.version, json_extract(e.text, '$.type') AS type, json_extract(e.text, '$.state') AS state,
    json_extract(e.text, '$.at') AS at, json_extract(e.text, '$.symbol') AS symbol, json_extract(e.text, '$.status') AS status,
    json_extract(e.text, '$.data') AS data, e.hash, e.text
  FROM events e JOIN streams s ON s.no = e.stream;
`

const pragma = (db: DatabaseSync, name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0)

/** What is wrong with a file that is opened as a store, or `undefined`. */
export const whyNotOurs = (db: DatabaseSync): string | undefined => {
  const version = pragma(db, "user_version")
  if (version > SCHEMA_VERSION) return `it was written by a newer version of the engine (schema ${version}, known is ${SCHEMA_VERSION})`
  const application = pragma(db, "application_id")
  const tables = pragma(db, "schema_version") === 0 ? 0 : Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n)
  if (application !== APPLICATION_ID && tables > 0) return "it is an SQLite file of something else"
  return undefined
}

/** Settings of a connection that writes. `synchronous=FULL` makes each commit a flush to the disk. */
export const prepareWriter = (db: DatabaseSync): void => {
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA busy_timeout = 5000;
    PRAGMA cache_size = -8000;
    PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;
  `)
  db.exec("BEGIN IMMEDIATE")
  db.exec(TABLES)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`)
  db.exec("COMMIT")
}

export const prepareReader = (db: DatabaseSync): void => {
  db.exec("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -32000")
}

/** Order streams' last events, as rows of the projection. */
export const REBUILD = `
DROP TABLE IF EXISTS orders;
${PROJECTION}
INSERT INTO orders (no, event, created_at, signal_id, strategy_id, symbol, state, status, reason, binance_order_id, done)
SELECT e.stream, e.id, e.text ->> '$.created_at', e.text ->> '$.signal_id', e.text ->> '$.strategy_id', e.text ->> '$.symbol',
  e.text ->> '$.state', e.text ->> '$.status', e.text ->> '$.reason', e.text ->> '$.binance_order_id', e.text ->> '$.done'
FROM streams s JOIN events e ON e.stream = s.no AND e.version = (SELECT max(version) FROM events WHERE stream = s.no)
WHERE e.text ->> '$.order' <> '';
`
