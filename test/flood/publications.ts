/**
 * What a crowd of bots publishes: thousands of signals at once, mostly good ones. Deterministic: the same seed and the same
 * times give the same bytes. No two publications are equal but those that are meant to be.
 *
 * Of a hundred publications one is malformed, and one is an earlier one again, byte for byte.
 */
import { type SignalBody } from "../support/signals.ts"
import { seeded } from "../support/until.ts"

export interface Publication {
  readonly bytes: Uint8Array
  /** `copy`: published before, as a `signal`. `malformed`: no signal at all; it has to be kept with its reason. */
  readonly kind: "signal" | "copy" | "malformed"
}

export interface FloodSpec {
  readonly seed: number
  /** How many bots there are: each trades one symbol, in and out again. Default 5000. */
  readonly bots?: number
  /** Some bring stops and targets so near that the market reaches them, also while their bot closes the lot. Default false. */
  readonly tight?: boolean
}

const SYMBOLS: readonly (readonly [symbol: string, price: number, quantity: number])[] = [
  ["BTCUSDT", 50_000, 0.01],
  ["ETHUSDT", 3000, 0.17],
  ["BNBUSDT", 600, 0.9],
  ["SOLUSDT", 150, 3],
  ["LTCUSDT", 80, 6],
  ["LINKUSDT", 15, 33],
  ["XRPUSDT", 2, 250],
  ["ADAUSDT", 0.5, 1000],
]
const EVERY = 100
const MALFORMED_AT = 37
const COPY_AT = 73
/** Copies are of one of the first so many (long decided when they come), or of one of the last so many (perhaps on their way). */
const EARLY_KEPT = 50
const LATE_KEPT = 500
const SPOT_EVERY = 10
/** A price stays this close to where it began, percent, and moves by at most a tenth of it: the default stop (2 %) is out of its reach. */
const WALK_PCT = 0.5
const TIGHT_PCT = 0.004

/** What goes wrong in real publishers. The body has an id and a time, so that each is another message. */
const MALFORMED: readonly ((body: SignalBody) => Uint8Array)[] = [
  (body) => Buffer.from(JSON.stringify(body).slice(0, -9)),
  (body) => Buffer.from(JSON.stringify([body])),
  (body) => Buffer.from(JSON.stringify({ ...body, confidence: 85 })),
  (body) => Buffer.from(JSON.stringify({ ...body, action: "buyy" })),
  (body) => Buffer.from(JSON.stringify({ ...body, strategy_id: null })),
  (body) => Buffer.from(JSON.stringify({ ...body, stopLoss: 1 })),
  (body) => Buffer.from(JSON.stringify({ ...body, price: -1 })),
  (body) => Buffer.concat([Buffer.from(JSON.stringify(body)), Buffer.from([0xff, 0xfe])]),
]

/** Each call is the next publication, at that time. */
export const floodOf = ({ seed, bots = 5000, tight = false }: FloodSpec): ((nowMs: number) => Publication) => {
  const random = seeded(seed)
  const moved = SYMBOLS.map(() => 0)
  /** What each bot last asked for, and believes to hold. */
  const held = new Map<number, "buy" | "sell">()
  const early: Uint8Array[] = []
  const late: Uint8Array[] = []
  let lateAt = 0
  let malformed = 0
  let n = -1

  const hex = (): string =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0")

  const nextAction = (bot: number, spot: boolean): "buy" | "sell" | "close" | "hold" => {
    const holds = held.get(bot)
    const what = random()
    if (what < 0.02) return "hold"
    if (holds === undefined || what < 0.07) {
      const side = holds ?? (spot || random() < 0.6 ? "buy" : "sell")
      held.set(bot, side)
      return side
    }
    held.delete(bot)
    if (what < 0.4) return "close"
    return holds === "buy" ? "sell" : "buy"
  }

  const bodyOf = (nowMs: number, identity: "id" | "content" | "arrival"): SignalBody => {
    const bot = Math.floor(random() * bots)
    const index = bot % SYMBOLS.length
    const [symbol = "", first = 0, quantity = 0] = SYMBOLS[index] ?? []
    const walked = (moved[index] ?? 0) + ((random() * 2 - 1) * WALK_PCT) / 10
    moved[index] = Math.max(-WALK_PCT, Math.min(WALK_PCT, walked))
    const away = (pct: number): number => Number((first * (1 + ((moved[index] ?? 0) + pct) / 100)).toPrecision(5))
    const now = away(0)
    const spot = bot % SPOT_EVERY === SPOT_EVERY - 1
    const action = nextAction(bot, spot)
    const down = action === "buy" ? -1 : 1
    const entry = random()
    // Half are market orders; of the limit orders some fill at once, some soon, and some rest until their (short) time is up.
    const price = entry < 0.7 ? now : away(down * (entry < 0.85 ? 0.1 : 2))
    return {
      strategy_id: `bot_${bot}`,
      ...(identity === "id" ? { signal_id: `${hex()}-${hex()}-${n}` } : {}),
      symbol,
      ...(spot ? { market: "spot" } : {}),
      action,
      confidence: random() < 0.02 ? 0.3 : Number((0.6 + random() * 0.4).toFixed(2)),
      price,
      current_price: now,
      quantity,
      order_type: entry < 0.5 ? "market" : "limit",
      ...(entry < 0.5 ? {} : { conditional_timeout: 2 + Math.floor(random() * 4) }),
      ...(tight && random() < 0.2 ? { stop_loss_pct: TIGHT_PCT, take_profit_pct: TIGHT_PCT } : {}),
      timeframe: "15m",
      indicators: { volume_surge: 2.4, rsi: Number((random() * 100).toFixed(1)) },
      // Makes each another one, also where there is no id.
      metadata: { source: "ta-bot", n },
      ...(identity === "arrival" ? {} : { timestamp: new Date(nowMs).toISOString() }),
    }
  }

  return (nowMs) => {
    n += 1
    const at = n % EVERY
    if (at === MALFORMED_AT) {
      const spoil = MALFORMED[malformed++ % MALFORMED.length]
      if (spoil !== undefined) return { bytes: spoil(bodyOf(nowMs, "id")), kind: "malformed" }
    }
    if (at === COPY_AT) {
      const from = random() < 0.5 ? early : late
      const bytes = from[Math.floor(random() * from.length)]
      if (bytes !== undefined) return { bytes, kind: "copy" }
    }
    // Without an id and without a time each message is a signal of its own: such a one has no copies.
    const identity = n % 20 === 19 ? "arrival" : n % 4 === 3 ? "content" : "id"
    const bytes = Buffer.from(JSON.stringify(bodyOf(nowMs, identity)))
    if (identity !== "arrival") {
      if (early.length < EARLY_KEPT) early.push(bytes)
      late[lateAt++ % LATE_KEPT] = bytes
    }
    return { bytes, kind: "signal" }
  }
}
