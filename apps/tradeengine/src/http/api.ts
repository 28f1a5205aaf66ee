/**
 * The routes of the HTTP API: the one list from which the router, the OpenAPI document (`/openapi.json`) and the page at
 * `/docs` are made. A query that is not in the list is an error: `?dryrun=true` must not trade.
 */
import { signalJsonSchema } from "@petrosa/contracts"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as S from "./schemas.ts"

/** Answers what a schema refused with the list of fields, instead of an empty 400. */
export class NamesTheField extends HttpApiMiddleware.Service<NamesTheField>()("petrosa/http/NamesTheField", { error: S.BadRequest }) {}

const says = (summary: string, description?: string) =>
  OpenApi.annotations(description === undefined ? { summary } : { summary, description })

const trade = HttpApiEndpoint.post("trade", "/trade", {
  query: { dry_run: Schema.optionalKey(S.Flag) },
  headers: {
    "idempotency-key": Schema.optionalKey(
      Schema.String.check(Schema.isPattern(/^[\x21-\x7e]{1,255}$/, { expected: "1 to 255 visible ASCII characters" })),
    ),
  },
  payload: S.SignalBody,
  success: [S.Traded, S.TradeGoesOn, S.DryRun],
  error: [S.Declined, S.BadRequest, S.Conflict, S.TooLarge, S.Unavailable],
}).annotateMerge(
  says(
    "Hand in a signal",
    "It takes the same way as a signal from NATS. The answer comes when the order is settled, or rests on the venue, or after ten seconds (202). " +
      "The same signal again is the same order (`duplicate: true`). A signal without an id and without a timestamp is a new order with every call, unless the header Idempotency-Key says which one it is. " +
      "An order that ended without a position answers 400, also where the venue or we are to blame: a 5xx would invite a client to send it again. 503 means that nothing was taken on.",
  ),
)
const price = HttpApiEndpoint.get("price", "/price/:symbol", {
  params: { symbol: S.Symbol },
  query: { market: Schema.optionalKey(S.Market) },
  success: S.Price,
  error: [S.NotFound, S.Unavailable],
}).annotateMerge(says("The newest price at hand"))
const account = HttpApiEndpoint.get("account", "/account", {
  query: { market: Schema.optionalKey(S.Market) },
  success: S.Account,
  error: [S.NotFound, S.Unavailable],
}).annotateMerge(
  says(
    "Balances, positions and lots",
    "Of the venue of `market`; without it, of DEFAULT_MARKET's. `lots` are those of every market. 404: the market is not traded by this engine.",
  ),
)
const cancel = HttpApiEndpoint.delete("cancel", "/order/:symbol/:order_id", {
  params: { symbol: S.Symbol, order_id: S.Id },
  query: { market: Schema.optionalKey(S.Market) },
  success: [S.Cancelled, S.Cancelled.pipe(HttpApiSchema.status(202))],
  error: [S.NotFound, S.Conflict, S.Unavailable],
}).annotateMerge(
  says(
    "Cancel what is left of an entry",
    "By the venue's order id, our order id or our client order id; with `market`, an order of that market only (the venue may number each market on its own). " +
      "What was filled stays, under its stop. 202: asked for, not yet proven by the venue.",
  ),
)

const orders = HttpApiEndpoint.get("orders", "/orders", { query: S.OrdersQuery, success: S.Orders, error: S.Unavailable }).annotateMerge(
  says("Orders, newest first", "`next` is the `cursor` of the next page, or null."),
)
const byId = { params: { id: S.Id }, query: {} }
const order = HttpApiEndpoint.get("order", "/orders/:id", { ...byId, success: S.Order, error: [S.NotFound, S.Unavailable] }).annotateMerge(
  says("One order", "By our order id, the signal's id or the venue's order id (the newest, where several share one)."),
)
const events = HttpApiEndpoint.get("events", "/orders/:id/events", {
  ...byId,
  success: S.Events,
  error: [S.NotFound, S.Unavailable],
}).annotateMerge(says("The events of one order"))

const metrics = HttpApiEndpoint.get("metrics", "/metrics", {
  query: {},
  success: [Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })), S.Metrics],
}).annotateMerge(says("Metrics", "Prometheus text; four totals with `Accept: application/json`."))
const healthz = HttpApiEndpoint.get("healthz", "/healthz", { query: {}, success: S.HealthBody }).annotateMerge(says("The process lives"))
const readyz = HttpApiEndpoint.get("readyz", "/readyz", { query: {}, success: S.HealthBody, error: S.NotReady }).annotateMerge(
  says("The engine takes signals"),
)
const simulationPrice = HttpApiEndpoint.post("simulationPrice", "/simulation/price", {
  query: {},
  payload: S.SimulationPrice,
  success: S.Price,
  error: [S.BadRequest, S.Forbidden, S.TooLarge],
}).annotateMerge(says("Move the paper venue's price by hand", "In simulation only. Stops and targets that it passes trigger."))

/** The signal's JSON Schema is made from the decoder's own table: documentation that cannot lag behind. */
const withSignalSchema = (document: Record<string, unknown>): Record<string, unknown> => {
  const { $schema: _draft, ...Signal } = signalJsonSchema
  const components = document["components"] as { readonly schemas?: object } | undefined
  return { ...document, components: { ...components, schemas: { ...components?.schemas, Signal } } }
}

export class Api extends HttpApi.make("petrosa")
  .add(HttpApiGroup.make("trading").add(trade, price, account, cancel).annotate(OpenApi.Description, "Signals in, positions out."))
  .add(HttpApiGroup.make("history").add(orders, order, events).annotate(OpenApi.Description, "What became of them, and why."))
  .add(HttpApiGroup.make("operation").add(metrics, healthz, readyz, simulationPrice).annotate(OpenApi.Description, "How the engine is."))
  .middleware(NamesTheField)
  .annotate(HttpApi.ParseOptions, { errors: "all" })
  .annotate(HttpApi.QueryParseOptions, { errors: "all", onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Petrosa Trade Engine",
      version: "0.1.0",
      transform: withSignalSchema,
      description:
        "A signal becomes an order; an order is the fold of its events. Money is exact: JSON numbers here carry every digit, so read them with a decimal parser where it matters.",
    }),
  ) {}
