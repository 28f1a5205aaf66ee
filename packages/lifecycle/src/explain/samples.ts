/**
 * Plausible next events of an order: for each type that a venue, a clock or a person could bring about now, one event
 * that fits what the order knows (its own client ids, the quantities that are left). They are examples, for asking the
 * machine "what if": nothing of them is ever recorded. Pure.
 */
import type { EventData, Fill, OrderEvent, OrderEventType, OrderId, VenueOrderId } from "@petrosa/contracts"
import { canonical, clientOrderId, dec, div, gt, isOrderId, reason, str, sub, ZERO } from "@petrosa/contracts"
import type { OrderContext } from "../machine/context.ts"
import { hasFills } from "../machine/lot.ts"

const event = <K extends OrderEventType>(type: K, data: EventData[K]): OrderEvent => ({ type, data }) as unknown as OrderEvent
const venueId = (text: string): VenueOrderId => `example-${text}` as VenueOrderId

const TWO = dec("2")

const fill = (c: OrderContext, quantity: string, n: string, atMs: number): Fill => ({
  tradeId: `example-${c.version + 1}-${n}`,
  quantity: canonical(quantity),
  price: c.entry?.price ?? c.price ?? canonical("1"),
  fee: canonical("0"),
  feeAsset: c.quoteAsset,
  feeQuote: canonical("0"),
  atMs,
})

/**
 * What a venue, a clock, a person, or the decision that an order still waits for could bring about next. The events by
 * which the engine itself draws a conclusion (`followUp`) are not among them: they come at once, or not at all.
 *
 * @param order the state of the order region
 */
export const sampleEvents = (c: OrderContext, order: string, atMs: number): readonly OrderEvent[] => [
  ...decisionEvents(c, order, atMs),
  ...entryEvents(c, atMs),
  ...legEvents(c, atMs),
  ...lotEvents(c, atMs),
  ...atAnyTime(c, atMs),
]

/** An engine id for examples: four letters, as a real one has. */
const EXAMPLE_ENGINE = "xmpl"
const EXAMPLE_ORDER = "00000000000000000000" as OrderId
const MINUTE_MS = 60_000
const WINDOW_MS = 5_000

/** The decision, event by event, with a size where none is known yet. */
const decisionEvents = (c: OrderContext, state: string, atMs: number): readonly OrderEvent[] => {
  const wanted = DECISIONS[state]
  return wanted === undefined ? [] : decision(c, atMs).filter(({ type }) => wanted.includes(type))
}

const DECISIONS: Readonly<Record<string, readonly string[]>> = {
  new: ["SignalReceived"],
  received: ["SignalValidated", "OrderFailed"],
  validated: ["OrderSized", "OrderFailed"],
  sized: ["EntryIntended", "CloseIntended", "OrderFailed"],
}

const decision = (c: OrderContext, atMs: number): readonly OrderEvent[] => {
  const price = c.price ?? canonical("100")
  const quantity = c.quantity ?? canonical("1")
  const order = isOrderId(c.order) ? c.order : EXAMPLE_ORDER
  const side = c.side
  const rule = { kind: "fraction", fraction: canonical("0.02"), from: "default" } as const
  return [
    event("SignalReceived", {
      signal: {
        strategyId: "example",
        symbol: "BTCUSDT",
        market: "futures",
        action: "buy",
        confidence: canonical("0.8"),
        price,
        currentPrice: price,
        orderType: "limit",
        timeInForce: "GTC",
        quantity,
        simulate: true,
        timestampMs: atMs,
        timestampFrom: "signal",
      },
      identity: { hash: "", kind: "arrival", contentHash: "" },
      arrival: { transport: "nats", subject: "", stream: "", sequence: 1, streamTimeMs: atMs },
      raw: "{}",
      receivedAtMs: atMs,
    }),
    event("SignalValidated", { nowMs: atMs, ageMs: 0, venue: "paper", mode: "simulation", limits: {} }),
    event("OrderSized", {
      side,
      quantity,
      notional: price,
      type: c.orderType,
      price,
      referencePrice: price,
      basis: "quantity",
      stop: { price, rule },
      target: { price, rule },
      notes: [],
      inputs: {},
    }),
    event("EntryIntended", {
      request: {
        clientOrderId: clientOrderId(EXAMPLE_ENGINE, order, "entry", 1),
        leg: "entry",
        side,
        type: c.orderType,
        quantity,
        price,
        reduceOnly: false,
      },
      venue: "paper",
      market: c.market,
      symbol: c.symbol,
      quoteAsset: "USDT",
      baseAsset: "BTC",
      sendByMs: atMs + WINDOW_MS,
      receiveWindowMs: WINDOW_MS,
      expiresAtMs: atMs + MINUTE_MS,
      plan: {
        style: "legs",
        exitSide: side === "buy" ? "sell" : "buy",
        stop: rule,
        target: rule,
        maxQuantity: quantity,
        tickSize: canonical("0.1"),
        stepSize: canonical("0.0001"),
        minQuantity: canonical("0.0001"),
        protectionDeadlineMs: WINDOW_MS,
        maxLegsOfAKind: 4,
      },
    }),
    event("OrderFailed", { reason: reason("INPUTS_CHANGED") }),
    event("CloseIntended", { lots: [{ order: EXAMPLE_ORDER, quantity, side }], cause: "close" }),
  ]
}

const entryEvents = (c: OrderContext, atMs: number): readonly OrderEvent[] => {
  const { entry } = c
  if (entry === null) return []
  const { status } = entry
  const when = { sentAtMs: atMs, receivedAtMs: atMs }
  const venueOrderId = entry.venueOrderId ?? venueId("entry")
  const left = sub(dec(entry.quantity), dec(entry.filled))
  const whole = { fills: [fill(c, str(left), "b", atMs)], venueOrderId, via: "stream" } as const
  if (status === "over") return gt(left, ZERO) ? [event("LateFillFound", whole)] : []
  const found: OrderEvent[] = [
    event("EntryPartlyFilled", { fills: [fill(c, str(div(left, TWO)), "a", atMs)], venueOrderId, via: "stream" }),
    event("EntryFilled", whole),
    event("EntryEnded", { how: "cancelled", venueOrderId, via: "stream" }),
  ]
  const isOpenQuestion = status === "sending" || status === "unknown"
  if (isOpenQuestion)
    found.push(
      event("EntryAccepted", { clientOrderId: entry.clientOrderId, venueOrderId, via: "reply", ...when }),
      event("EntryRefused", { class: "fatal", code: "-2010", message: "refused", via: "reply", ...when }),
    )
  const armed = c.plan?.armed
  if (status === "sending" && armed !== undefined && c.legs.some((leg) => leg.status === "pending"))
    found.push(
      event("EntryListRefused", {
        class: "fatal",
        code: "-1013",
        message: "Filter failure: MAX_NUM_ORDER_LISTS",
        request: {
          clientOrderId: clientOrderId(EXAMPLE_ENGINE, isOrderId(c.order) ? c.order : EXAMPLE_ORDER, "entry", 2),
          leg: "entry",
          side: entry.side,
          type: entry.type,
          quantity: entry.quantity,
          reduceOnly: false,
        },
        ...when,
      }),
    )
  if (status === "sending") found.push(event("EntryNotSent", { reason: reason("SEND_DEADLINE_PASSED") }))
  if (status !== "unknown") found.push(event("EntryUnknown", { reason: "TIMEOUT", sentAtMs: atMs }))
  if (status === "unknown" || status === "cancelling") found.push(event("EntryNotPlaced", { evidence: {} }))
  if (entry.cancelReason === null) found.push(event("EntryCancelRequested", { reason: reason("CANCELLED_BY_USER"), by: "operator" }))
  if (entry.cancelReason === null && !c.entryTimedOut)
    found.push(event("DeadlinePassed", { deadline: "entry", dueAtMs: entry.expiresAtMs, nowMs: Math.max(atMs, entry.expiresAtMs) }))
  return found
}

const ACCEPTED = { stop: "StopAccepted", target: "TargetAccepted", flatten: "FlattenAccepted" } as const

const legEvents = (c: OrderContext, atMs: number): readonly OrderEvent[] => {
  const found: OrderEvent[] = []
  const when = { sentAtMs: atMs, receivedAtMs: atMs }
  for (const { leg, clientOrderId: id, quantity, price, status, filled } of c.legs) {
    if (status === "over") continue
    const left = str(sub(dec(quantity), dec(filled)))
    if (status === "sending" || status === "unknown") {
      found.push(
        event(ACCEPTED[leg], {
          clientOrderId: id,
          venueOrderId: venueId(id),
          quantity,
          ...(price === null ? {} : { price }),
          via: "reply",
          ...when,
        }),
        event("LegRefused", { leg, clientOrderId: id, class: "retry", code: "-1001", message: "try again", ...when }),
        event("LegUnknown", { leg, clientOrderId: id, reason: "TIMEOUT" }),
        event("LegNotPlaced", { leg, clientOrderId: id, evidence: {} }),
      )
    } else {
      found.push(
        event("LegEnded", { leg, clientOrderId: id, how: "cancelled", via: "stream" }),
        event("SiblingCancelled", { leg, clientOrderId: id, via: "reply" }),
      )
    }
    if (gt(dec(left), ZERO))
      found.push(event("ExitFilled", { leg, clientOrderId: id, fills: [fill(c, left, `x${leg}`, atMs)], via: "stream" }))
  }
  return found
}

const lotEvents = (c: OrderContext, atMs: number): readonly OrderEvent[] => {
  const found: OrderEvent[] = []
  if (hasFills(c) && !c.lotClosed && c.closing === null) {
    found.push(event("CloseRequested", { cause: "operator", by: "operator" }))
    if (c.unprotectedSinceMs !== null && c.closeNeeded === null && c.plan !== null) {
      const dueAtMs = c.unprotectedSinceMs + c.plan.protectionDeadlineMs
      found.push(event("DeadlinePassed", { deadline: "protection", dueAtMs, nowMs: Math.max(atMs, dueAtMs) }))
    }
  }
  if (c.retryAtMs !== null)
    found.push(event("DeadlinePassed", { deadline: "retry", dueAtMs: c.retryAtMs, nowMs: Math.max(atMs, c.retryAtMs) }))
  if (c.graceSinceMs !== null && !c.graceOver && c.plan?.partialGraceMs !== undefined) {
    const dueAtMs = c.graceSinceMs + c.plan.partialGraceMs
    found.push(event("DeadlinePassed", { deadline: "partial", dueAtMs, nowMs: Math.max(atMs, dueAtMs) }))
  }
  for (const lot of c.job?.lots ?? []) {
    if (c.job?.reported.includes(lot.order) === true) continue
    const { order, quantity } = lot
    found.push(event("CloseReported", { order, quantity, quote: canonical("0"), fees: canonical("0"), cancelledEntry: false }))
  }
  return found
}

/** What may happen whatever the state is, once there is an order. */
const atAnyTime = (c: OrderContext, atMs: number): readonly OrderEvent[] =>
  c.version === 0
    ? []
    : [
        event("OrderAdopted", { replica: "another", delivery: 2, cause: "redelivery", downMs: 0 }),
        event("StepFailed", { error: "an error", input: "reply", count: c.stepFailures + 1 }),
        c.parked === null
          ? event("OrderParked", { code: "OPERATOR", detail: `at ${new Date(atMs).toISOString()}` })
          : event("OrderUnparked", { by: "operator" }),
      ]
