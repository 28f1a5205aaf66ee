/**
 * The shapes that the HTTP API takes and gives, as Effect schemas: the queries are decoded with them, and the OpenAPI
 * document is made from them. Bodies of answers are built in `views.ts` (their numbers are exact, see `exactJson.ts`).
 */
import { MARKETS, ORDER_STATES, REASONS, STATUSES } from "@petrosa/contracts"
import * as Schema from "effect/Schema"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"

const money = Schema.Finite.annotate({ description: "An exact decimal, as a JSON number without an exponent." })
const moneyOrNull = Schema.NullOr(money)
const text = Schema.String
const when = Schema.String.annotate({ description: "ISO 8601, UTC.", examples: ["2026-11-23T10:00:00.000Z"] })

export const Market = Schema.Literals(MARKETS)

/** `true`, `false`, `1` or `0`. A value that is none of them is an error: `?dry_run=yse` must not trade. */
export const Flag = Schema.Literals(["true", "false", "1", "0"])
export const isOn = (flag: typeof Flag.Type | undefined): boolean => flag === "true" || flag === "1"

/** A symbol in a path: letters of any script (exchanges list such), digits, `_`; lower case and BTC-USDT are accepted, as in a signal. */
export const Symbol = Schema.String.check(Schema.isPattern(/^[\p{L}\p{N}_/-]{1,40}$/u, { expected: "a symbol such as BTCUSDT" }))
export const Id = Schema.String.check(Schema.isPattern(/^[^\p{Cc}]{1,300}$/u, { expected: "an id of 1 to 300 characters" }))

const isInstant = (value: string): boolean =>
  /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(value) && !Number.isNaN(Date.parse(value))
const Instant = Schema.String.check(
  Schema.makeFilter((value: string) =>
    isInstant(value) ? undefined : "Expected an ISO 8601 time with its zone, such as 2026-11-23T10:00:00Z",
  ),
)
const REASON_CODES = Object.keys(REASONS) as [keyof typeof REASONS, ...(keyof typeof REASONS)[]]

export const OrdersQuery = {
  state: Schema.optionalKey(Schema.Literals(ORDER_STATES)),
  status: Schema.optionalKey(Schema.Literals(STATUSES)),
  symbol: Schema.optionalKey(Symbol),
  strategy: Schema.optionalKey(Id),
  reason: Schema.optionalKey(Schema.Literals(REASON_CODES)),
  since: Schema.optionalKey(Instant),
  until: Schema.optionalKey(Instant),
  search: Schema.optionalKey(Id),
  limit: Schema.optionalKey(
    Schema.String.check(
      Schema.makeFilter((value: string) =>
        /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= 1000 ? undefined : "Expected a whole number from 1 to 1000",
      ),
    ),
  ),
  cursor: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(2000))),
}

/** A place for the signal's own JSON Schema in the OpenAPI document (`api.ts` puts it there); what decides is `decodeSignal`. */
export const SignalBody = Schema.Record(Schema.String, Schema.Unknown).annotate({ identifier: "Signal" })

export const FieldErrors = Schema.Struct({
  detail: Schema.Array(Schema.Struct({ field: text, expected: text, received: text })),
}).annotate({ identifier: "FieldErrors" })

const Message = Schema.Struct({ detail: text }).annotate({ identifier: "Problem" })
const described = <S extends Schema.Top>(schema: S, status: number, description: string) =>
  schema.annotate({ description, httpApiStatus: status }).pipe(HttpApiSchema.status(status))

export const BadRequest = described(FieldErrors, 400, "Which field is wrong, what was expected, what came.")
export const NotFound = described(Message, 404, "There is no such thing.")
export const Conflict = described(Message, 409, "It is too late for that, or this id belongs to other content.")
export const Forbidden = described(Message, 403, "Not here.")
export const Unavailable = described(
  Message,
  503,
  "A part that this needs is away. Nothing was taken on; Retry-After says when to try again.",
)
export const Declined = described(
  Schema.Struct({
    detail: Schema.Struct({
      code: text,
      class: Schema.Literals(["declined", "refused", "broken"]),
      message: text,
      observed: Schema.optionalKey(text),
      limit: Schema.optionalKey(text),
    }),
    order: text,
    signal_id: text,
  }).annotate({ identifier: "Declined" }),
  400,
  "The order ended without a position: we declined it, the venue refused it, or it broke.",
)
export const TooLarge = described(
  Schema.Struct({ detail: Schema.Struct({ message: text, limit_bytes: Schema.Finite, length_bytes: Schema.Finite, sha256: text }) }),
  413,
  "The body is larger than 1 MiB. Length and SHA-256 of what was refused.",
)

const TradeResult = Schema.Struct({
  order_id: Schema.NullOr(text).annotate({ description: "The venue's order id." }),
  status: Schema.Literals(STATUSES),
  fill_price: moneyOrNull,
  quantity: moneyOrNull.annotate({ description: "What was filled; while nothing is final yet, what was ordered." }),
  filled_quantity: money,
  fees: moneyOrNull.annotate({ description: "In quote." }),
  symbol: text,
  side: text,
  order_type: text,
  price: moneyOrNull,
  stop_loss: moneyOrNull,
  take_profit: moneyOrNull,
  simulated: Schema.Boolean,
})
export const Traded = Schema.Struct({
  message: text,
  signal_id: text,
  order: text.annotate({ description: "Our order id: see GET /orders/{id}." }),
  duplicate: Schema.optionalKey(Schema.Literal(true)).annotate({
    description: "This signal had been handed in before; this is its first result.",
  }),
  result: TradeResult,
}).annotate({ identifier: "Traded" })
export const TradeGoesOn = Schema.Struct({
  message: text,
  signal_id: text,
  order: text,
  duplicate: Schema.optionalKey(Schema.Literal(true)),
})
  .annotate({
    identifier: "TradeGoesOn",
    description: "Not settled within the time that a caller is kept waiting. It goes on: see GET /orders/{id}.",
  })
  .pipe(HttpApiSchema.status(202))
export const DryRun = Schema.Struct({
  message: text,
  dry_run: Schema.Literal(true),
  decision: Schema.Literals(["place", "close", "decline"]),
  order: text,
  signal_id: text,
  duplicate: Schema.optionalKey(Schema.Literal(true)),
  size: Schema.optionalKey(Schema.Unknown),
  entry: Schema.optionalKey(Schema.Unknown),
  reason: Schema.optionalKey(Schema.Unknown),
  events: Schema.Array(Schema.Unknown),
}).annotate({ identifier: "DryRun", description: "With dry_run: what would be done now. Nothing was recorded, nothing left." })

export const Price = Schema.Struct({
  symbol: text,
  price: money,
  timestamp: when,
  market: Market,
  source: text,
  feed: Schema.optionalKey(text),
  age_ms: Schema.optionalKey(Schema.Number),
  stale: Schema.optionalKey(Schema.Boolean),
  bid: Schema.optionalKey(money),
  ask: Schema.optionalKey(money),
  mark_price: Schema.optionalKey(money),
  last_price: Schema.optionalKey(money),
}).annotate({
  identifier: "Price",
  description: "`stale`: too old to decide with. `feed`: which feed of market data told it.",
})
export const Account = Schema.Struct({ message: text, data: Schema.Record(Schema.String, Schema.Unknown) }).annotate({
  identifier: "Account",
  description: "`data.<ASSET>.free` and `.locked` for every asset; beside them `balances`, `positions` and `lots` as lists.",
})
export const Cancelled = Schema.Struct({
  message: text,
  order_id: text,
  order: text,
  result: Schema.Record(Schema.String, Schema.Unknown),
}).annotate({
  identifier: "Cancelled",
})
export const Metrics = Schema.Struct({
  trades_total: Schema.Finite,
  trades_success: Schema.Finite,
  trades_failed: Schema.Finite,
  total_volume_usdt: money,
}).annotate({ identifier: "Metrics" })

export const Order = Schema.Struct({
  order: text,
  signal_id: text,
  strategy_id: text,
  symbol: text,
  market: text,
  side: text,
  order_type: text,
  state: text,
  status: text,
  reason: Schema.NullOr(text),
  quantity: moneyOrNull,
  filled_quantity: moneyOrNull,
  price: moneyOrNull,
  stop_loss: moneyOrNull,
  take_profit: moneyOrNull,
  fill_price: moneyOrNull,
  fees: moneyOrNull,
  open_quantity: money,
  profit: moneyOrNull,
  order_id: Schema.NullOr(text),
  settled: Schema.Boolean,
  done: Schema.Boolean,
  parked: Schema.Boolean,
  created_at: when,
  updated_at: when,
  timestamp: when,
  simulation_mode: Schema.Boolean,
  version: Schema.Finite,
  last_event: text,
  replica: text,
}).annotate({ identifier: "Order" })
export const Orders = Schema.Struct({ orders: Schema.Array(Order), next: Schema.NullOr(text) }).annotate({ identifier: "Orders" })
export const Events = Schema.Array(Schema.Record(Schema.String, Schema.Unknown)).annotate({
  description: "Every event of the order, in order of version: the documents of the audit log.",
})
export const HealthBody = Schema.Record(Schema.String, Schema.Unknown)
export const NotReady = described(HealthBody, 503, "The parts that are not well.")
export const SimulationPrice = Schema.Struct({ symbol: text, price: money, market: Schema.optionalKey(Market) }).annotate({
  identifier: "SimulationPrice",
})
