/**
 * The routes that only read (and the one that cancels, and the one that moves the paper venue's price). A store or a
 * venue that does not answer is 503: an error is never "nothing there".
 */
import type { DecimalString, FieldError, Market } from "@petrosa/contracts"
import { canonical, isPositive, MARKETS, parseDecimal, symbolAsked } from "@petrosa/contracts"
import type { AccountView, EngineFace, PriceView } from "@petrosa/engine"
import type { OrderQuery, OrderRow } from "@petrosa/event-store"
import { BadCursor, recordFromText, StoreUnavailable } from "@petrosa/event-store"
import type { Answer } from "./answer.ts"
import { json, problem, shortened, unavailable, withoutSecrets, wrongFields } from "./answer.ts"
import { exact, parseExact } from "./exactJson.ts"
import { orderView } from "./views.ts"

export const price = async (engine: EngineFace, symbol: string, market: Market | undefined): Promise<Answer> => {
  const name = symbolAsked(symbol)
  const read = await engine.price(name, market)
  if (read._tag === "Unknown") return unavailable("price", read.reason)
  if (read.value === undefined) return problem(404, `No price of ${name} is known${market === undefined ? "" : ` on ${market}`}.`)
  return json({
    symbol: name,
    price: exact(read.value.price),
    timestamp: new Date(read.value.atMs).toISOString(),
    source: read.value.source,
    ...priceDetails(read.value),
    ...(market === undefined ? {} : { market }),
  })
}

/** Where it came by, how old it is, and what else is known; whether it is decided with. */
const priceDetails = ({ market, feed, ageMs, bid, ask, mark, last, refused }: PriceView): Readonly<Record<string, unknown>> => ({
  ...(market === undefined ? {} : { market }),
  ...(feed === undefined ? {} : { feed }),
  ...(ageMs === undefined ? {} : { age_ms: ageMs, stale: refused !== undefined }),
  ...(bid === undefined ? {} : { bid: exact(bid.price) }),
  ...(ask === undefined ? {} : { ask: exact(ask.price) }),
  ...(mark === undefined ? {} : { mark_price: exact(mark.price) }),
  ...(last === undefined ? {} : { last_price: exact(last.price) }),
})

export const account = async (engine: EngineFace, market: Market | undefined): Promise<Answer> => {
  const read = await engine.account(market)
  if (read._tag === "Unknown") return unavailable("account", read.reason)
  if (read.value === undefined) return problem(404, `This engine does not trade ${market ?? "its default market"}.`)
  return json({ message: "Account information retrieved", data: accountData(read.value) })
}

/** The specification's code reads `account.get("USDT").free`: every asset is a key of its own, beside the lists. */
const accountData = (view: AccountView): Readonly<Record<string, unknown>> => {
  const balances = view.balances.map((b) => ({ asset: b.asset, free: exact(b.free), locked: exact(b.locked) }))
  return {
    ...Object.fromEntries(balances.map(({ asset, free, locked }) => [asset, { free, locked }])),
    balances,
    positions: view.positions.map((p) => ({
      symbol: p.symbol,
      side: p.side,
      quantity: exact(p.quantity),
      entry_price: exact(p.entryPrice),
    })),
    lots: view.lots.map((lot) => ({
      order: lot.order,
      strategy_id: lot.strategyId,
      symbol: lot.symbol,
      market: lot.market,
      side: lot.side,
      quantity: exact(lot.quantity),
      state: lot.state,
    })),
    venue: view.venue,
    markets: view.markets,
    mode: view.mode,
  }
}

export const cancel = async (engine: EngineFace, symbol: string, id: string, by: string, market: Market | undefined): Promise<Answer> => {
  const answer = await engine.cancelEntry(symbolAsked(symbol), id, by, market)
  switch (answer._tag) {
    case "Cancelled":
      return json({ message: "Order cancelled", order_id: id, order: answer.row.order, result: orderView(answer.row) })
    case "Requested":
      return json({ message: "Cancellation requested", order_id: id, order: answer.row.order, result: orderView(answer.row) }, 202, {
        location: `/orders/${answer.row.order}`,
      })
    case "NotCancellable":
      return problem(409, answer.message, { order_id: id, order: answer.row.order, result: orderView(answer.row) })
    case "NotFound":
      return problem(404, `No order ${shortened(id)} of ${symbolAsked(symbol)} is known${market === undefined ? "" : ` on ${market}`}.`)
    case "Unavailable":
      return unavailable("venue", answer.reason)
  }
}

/** Reads of the store throw when it is away. */
const fromStore = async (read: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await read()
  } catch (error) {
    if (error instanceof StoreUnavailable) return unavailable("store", error.message)
    if (error instanceof BadCursor)
      return wrongFields([{ field: "cursor", expected: "`next` of the page before", received: "another text" }])
    throw error
  }
}

export interface OrdersFilter {
  readonly state?: string
  readonly status?: string
  readonly symbol?: string
  readonly strategy?: string
  readonly reason?: string
  readonly since?: string
  readonly until?: string
  readonly search?: string
  readonly limit?: string
  readonly cursor?: string
}

export const orders = (engine: EngineFace, filter: OrdersFilter): Promise<Answer> =>
  fromStore(async () => {
    const { strategy, limit, since, until, symbol, ...rest } = filter
    const query: OrderQuery = {
      ...rest,
      ...(symbol === undefined ? {} : { symbol: symbolAsked(symbol) }),
      ...(strategy === undefined ? {} : { strategyId: strategy }),
      ...(since === undefined ? {} : { since: new Date(since).toISOString() }),
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      ...(limit === undefined ? {} : { limit: Number(limit) }),
    }
    const page = await engine.store.listOrders(query)
    return json({ orders: page.orders.map(orderView), next: page.next ?? null })
  })

const withOrder = (engine: EngineFace, id: string, then: (row: OrderRow) => Promise<Answer>): Promise<Answer> =>
  fromStore(async () => {
    const row = await engine.store.findOrder(id)
    return row === undefined ? problem(404, `No order ${shortened(id)} is known.`) : then(row)
  })

export const order = (engine: EngineFace, id: string): Promise<Answer> => withOrder(engine, id, async (row) => json(orderView(row)))

/**
 * The documents as they are: whoever recomputes their hashes needs every number as it was written. An order that this
 * version cannot read (a newer one wrote it) is shown as it lies in the store: what is recorded is never hidden.
 */
export const events = (engine: EngineFace, id: string): Promise<Answer> =>
  withOrder(engine, id, async (row) => {
    const read = (await engine.store.readStreams([row.stream])).get(row.stream)
    if (read === undefined) return json([])
    if (read._tag === "Readable") return json(read.events)
    const stored = await engine.store.readRaw(row.stream)
    return json(
      stored.map(
        (event) => recordFromText(event.text, event.hash) ?? { stream: event.stream, version: event.version, unreadable: event.text },
      ),
    )
  })

/** Prometheus text, unless the caller prefers JSON: then the specification's four keys. */
export const metrics = async (engine: EngineFace, accept: string | undefined): Promise<Answer> => {
  if (prefersJson(accept)) {
    const { trades_total, trades_success, trades_failed, total_volume_usdt } = engine.totals()
    return json({ trades_total, trades_success, trades_failed, total_volume_usdt: exact(total_volume_usdt) })
  }
  return { status: 200, text: { value: await engine.metricsText(), contentType: "text/plain; version=0.0.4; charset=utf-8" } }
}

/** Whether `Accept` names JSON, and nothing textual before it (RFC 9110 section 12.5.1, as far as two kinds need it). */
export const prefersJson = (accept: string | undefined): boolean => {
  let ofJson = 0
  let ofText = 0
  for (const part of (accept ?? "").slice(0, 1000).split(",")) {
    const [type = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase())
    const q = Number(parameters.find((p) => p.startsWith("q="))?.slice(2) ?? 1)
    if (type === "application/json") ofJson = Math.max(ofJson, q)
    if (type === "text/plain" || type === "text/*" || type === "application/openmetrics-text") ofText = Math.max(ofText, q)
  }
  return ofJson > 0 && ofJson >= ofText
}

export const healthz = (engine: EngineFace): Answer => {
  const { replica, version, mode, uptimeMs } = engine.health()
  return json({ status: "ok", replica, version, mode, uptime_ms: uptimeMs })
}

export const readyz = (engine: EngineFace): Answer => {
  const health = engine.health()
  const parts = Object.fromEntries(
    Object.entries(health.parts).map(([name, part]) => [name, { ok: part.ok, detail: withoutSecrets(part.detail) }]),
  )
  const body = {
    status: health.status,
    ready: health.ready,
    parts,
    replica: health.replica,
    version: health.version,
    mode: health.mode,
    live_orders: health.liveOrders,
    open_lots: health.openLots,
    parked_orders: health.parkedOrders,
    uptime_ms: health.uptimeMs,
  }
  if (health.ready) return json(body)
  const bad = Object.entries(parts).filter(([, part]) => !part.ok)
  const detail =
    bad.length === 0 ? "The engine is not ready yet." : `Not ready: ${bad.map(([name, part]) => `${name} (${part.detail})`).join(", ")}.`
  return json({ detail, ...body }, 503, { "retry-after": "1" })
}

export const simulationPrice = async (engine: EngineFace, mode: string, bytes: Uint8Array): Promise<Answer> => {
  if (mode !== "simulation" || engine.setPrice === undefined) {
    return problem(403, `Prices are moved by hand in simulation only; this engine runs in mode ${mode}.`)
  }
  let body: unknown
  try {
    body = parseExact(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return wrongFields([
      {
        field: "body",
        expected: "a JSON object {symbol, price, market?}",
        received: shortened(new TextDecoder().decode(bytes.subarray(0, 200))),
      },
    ])
  }
  const wanted = typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {}
  const { symbol, price: asked, market } = wanted
  const wrong: FieldError[] = []
  const value = typeof asked === "string" ? parseDecimal(asked) : undefined
  if (typeof symbol !== "string" || !/^[\p{L}\p{N}_/-]{1,40}$/u.test(symbol))
    wrong.push({ field: "symbol", expected: "a symbol such as BTCUSDT", received: shortened(symbol) })
  if (value === undefined || !isPositive(value))
    wrong.push({ field: "price", expected: "a number greater than 0", received: shortened(asked) })
  if (market !== undefined && !MARKETS.some((known) => known === market))
    wrong.push({ field: "market", expected: MARKETS.join(" or "), received: shortened(market) })
  for (const key of Object.keys(wanted)) {
    if (!["symbol", "price", "market"].includes(key))
      wrong.push({ field: key, expected: "no such field", received: shortened(wanted[key]) })
  }
  if (wrong.length > 0 || typeof symbol !== "string" || typeof asked !== "string") return wrongFields(wrong)
  const name = symbolAsked(symbol)
  const exactPrice: DecimalString = canonical(asked)
  await engine.setPrice(name, (market as Market | undefined) ?? "futures", exactPrice)
  return json({ symbol: name, price: exact(exactPrice), market: market ?? "futures", source: "hand", timestamp: new Date().toISOString() })
}
