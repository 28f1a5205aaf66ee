/**
 * Names in the environment that nobody reads but that look like one of our settings: a typing error must not trade, so they
 * stop the start, with a suggestion.
 *
 * "Looks like" is one of {@link OWN_PREFIXES}, or at most two letters from a name of ours ({@link NEAR}). Prefixes that
 * other programs use too (`HTTP_PROXY`, `MAX_…`, `MIN_…`, `DEFAULT_…`, `LOG_…`, `ENTRY_…`, `ENGINE…`) are not in the list: for
 * them only the second rule holds. `PETROSA_` is not in it either: the start scripts use it. What Kubernetes injects for its
 * services is left alone.
 */
import { type SettingName, settingsTable } from "./settingsTable.ts"
import type { FieldError } from "./signal.ts"
import { printable } from "./strictJson.ts"

/** Names that begin so are ours. */
export const OWN_PREFIXES = [
  "ACK_WAIT",
  "ATR_",
  "AUDIT_",
  "BINANCE_",
  "FUTURES_",
  "INSPECTOR_",
  "LIVE_ON_",
  "MARKET_DATA",
  "MAX_LIVE_",
  "MAX_LOTS_",
  "MAX_OPEN_POS",
  "MAX_POSITION_",
  "MAX_PRICE_AGE",
  "MAX_PRICE_DEV",
  "MAX_SIGNAL_",
  "MAX_STOP_",
  "MIN_CONF",
  "MIN_STOP_",
  "MONGODB_",
  "NATS_",
  "OPPOSITE_",
  "PAPER_",
  "PARTIAL_GRACE",
  "POSITION_SIZE",
  "PROTECTION_",
  "RECEIVE_WINDOW",
  "REJECTED_MAX",
  "SEND_DEADLINE",
  "SIGNAL_MAX",
  "SIMULATION_",
  "SIZE_BELOW",
  "SQLITE_",
  "STOP_LOSS",
  "SYMBOLS_",
  "TAKE_PROFIT",
] as const
/** Other names are taken for a misspelt setting when this few letters are wrong, missing or too many, and long enough for that. */
export const NEAR = { letters: 2, minLength: 8 } as const

/** Kubernetes sets these for every service of the namespace (`nats`, `mongodb` …). */
const KUBERNETES = /_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/

const NAMES = Object.keys(settingsTable) as readonly SettingName[]

/** The error of a name that is not in the table, if it is one. */
export const strangerError = (name: string): FieldError | undefined => {
  if (Object.hasOwn(settingsTable, name) || KUBERNETES.test(name)) return undefined
  const [nearest, distance] = nearestName(name)
  const ours = OWN_PREFIXES.some((prefix) => name.startsWith(prefix))
  const near = name.length >= NEAR.minLength && distance <= NEAR.letters
  if (!ours && !near) return undefined
  const meant =
    NAMES.find((own) => own.startsWith(`${name}_`)) ?? (distance <= Math.max(NEAR.letters, name.length / 3) ? nearest : undefined)
  const hint = meant === undefined ? "" : `: did you mean ${meant}?`
  return { field: printable(name), expected: `the name of a setting${hint}`, received: "a name that nobody reads" }
}

const nearestName = (name: string): readonly [SettingName, number] => {
  let nearest: SettingName = "NATS_URL"
  let least = Number.POSITIVE_INFINITY
  if (name.length > 64) return [nearest, least]
  for (const candidate of NAMES) {
    if (Math.abs(candidate.length - name.length) >= least) continue
    const distance = editDistance(name.toUpperCase(), candidate)
    if (distance < least) [nearest, least] = [candidate, distance]
  }
  return [nearest, least]
}

/** Levenshtein's distance: letters to change, insert or remove. */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
