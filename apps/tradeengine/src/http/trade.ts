/**
 * POST /trade: a signal in, what became of it out. The body goes to the engine as bytes, so that numbers are read from
 * their source text there. The order of the answers is that of docs: settled, resting, still going on, rejected, away.
 */
import type { EventRecord, FieldError, RejectionCode } from "@petrosa/contracts"
import type { DryRunAnswer, EngineFace, TradeAnswer } from "@petrosa/engine"
import type { OrderRow } from "@petrosa/event-store"
import type { Answer } from "./answer.ts"
import { json, problem, shortened, unavailable } from "./answer.ts"
import { exact } from "./exactJson.ts"
import { reasonView, tradeResult } from "./views.ts"

export interface TradeCall {
  readonly bytes: Uint8Array
  readonly idempotencyKey?: string
  readonly traceparent?: string
  readonly dryRun: boolean
}

export const DONE = "Signal processed successfully"

export const trade = async (engine: EngineFace, call: TradeCall): Promise<Answer> => {
  if (call.dryRun) return dryRunAnswer(await engine.dryRun(call.bytes), call.bytes)
  const answer = await engine.trade(call.bytes, {
    ...(call.idempotencyKey === undefined ? {} : { idempotencyKey: call.idempotencyKey }),
    ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
  })
  return tradeAnswer(engine, answer, call.bytes)
}

const tradeAnswer = async (engine: EngineFace, answer: TradeAnswer, bytes: Uint8Array): Promise<Answer> => {
  switch (answer._tag) {
    case "Settled":
      return settled(answer, await eventsOf(engine, answer.row))
    case "Resting":
      return json({ ...head(DONE, answer.row, answer.duplicate), result: tradeResult(answer.row, await eventsOf(engine, answer.row)) })
    case "Pending":
      return json(
        {
          message: "Signal accepted, not settled yet",
          signal_id: answer.signalId,
          order: answer.order,
          ...(answer.duplicate ? { duplicate: true } : {}),
        },
        202,
        { location: `/orders/${answer.order}` },
      )
    case "Rejected":
      return rejected(answer.code, answer.message, answer.fields, bytes)
    case "Unavailable":
      return unavailable(answer.what, answer.reason)
  }
}

/**
 * A hold is no error: 200. Everything else that ended without a position is 400, also what the venue refused or what
 * broke: a 5xx would make a careful client send the signal again, and without an id that is a second order.
 */
const settled = (answer: Extract<TradeAnswer, { _tag: "Settled" }>, records: readonly EventRecord[]): Answer => {
  const { row, duplicate } = answer
  if (row.state !== "failed") return json({ ...head(DONE, row, duplicate), result: tradeResult(row, records) })
  const why = reasonView(row, answer.reason)
  if (why.code === "HOLD") return json({ ...head("Signal declined: hold", row, duplicate), result: tradeResult(row, records) })
  return problem(400, why, {
    order: row.order,
    signal_id: row.signal_id,
    ...(duplicate ? { duplicate: true } : {}),
    result: tradeResult(row, records),
  })
}

const head = (message: string, row: OrderRow, duplicate: boolean) => ({
  message,
  signal_id: row.signal_id,
  order: row.order,
  ...(duplicate ? { duplicate: true } : {}),
})

/** The exact numbers are a nicety of the answer: the trade has happened, so a store that is away now must not hide it. */
const eventsOf = async (engine: EngineFace, row: OrderRow): Promise<readonly EventRecord[]> => {
  try {
    return (await engine.store.readStreams([row.stream])).get(row.stream)?.events ?? []
  } catch {
    return []
  }
}

const rejected = (code: RejectionCode, message: string, fields: readonly FieldError[], bytes: Uint8Array): Answer => {
  const status = code === "IDENTITY_CONFLICT" ? 409 : code === "TOO_LARGE" ? 413 : 400
  const whole: FieldError = {
    field: "body",
    expected: `a signal as one JSON object. ${message}`,
    received: shortened(new TextDecoder().decode(bytes.subarray(0, 200))),
  }
  return problem(status, fields.length > 0 ? fields : [whole], { code, message })
}

const dryRunAnswer = (answer: DryRunAnswer, bytes: Uint8Array): Answer => {
  if (answer._tag === "Rejected") return rejected(answer.code, answer.message, answer.fields, bytes)
  const { order, signal, events, existing } = answer
  let decision: "place" | "close" | "decline" = "decline"
  const more: Record<string, unknown> = {}
  for (const event of events) {
    if (event.type === "OrderSized") {
      const { quantity, notional, type, price, referencePrice, basis, stop, target, notes } = event.data
      more["size"] = {
        quantity: exact(quantity),
        notional: exact(notional),
        basis,
        order_type: type,
        price: price === undefined ? null : exact(price),
        reference_price: exact(referencePrice),
        stop_loss: stop === undefined ? null : exact(stop.price),
        take_profit: target === undefined ? null : exact(target.price),
        notes,
      }
    } else if (event.type === "EntryIntended") {
      decision = "place"
      more["entry"] = { ...event.data.request, venue: event.data.venue, market: event.data.market }
    } else if (event.type === "CloseIntended") {
      decision = "close"
      more["entry"] = { lots: event.data.lots, cause: event.data.cause }
    } else if (event.type === "OrderFailed") {
      decision = "decline"
      more["reason"] = event.data.reason
    }
  }
  return json({
    message: "Dry run: nothing was recorded, nothing left",
    dry_run: true,
    decision,
    order,
    signal_id: signal.id ?? signal.strategyId,
    strategy_id: signal.strategyId,
    symbol: signal.symbol,
    action: signal.action,
    ...(existing === undefined
      ? {}
      : { duplicate: true, existing: { order: existing.order, state: existing.state, status: existing.status } }),
    ...more,
    events,
  })
}
