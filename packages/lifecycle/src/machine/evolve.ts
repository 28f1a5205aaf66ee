/**
 * `evolve(context, event)`: what an order knows after an event. Pure and total: an event that says nothing new changes
 * nothing but the version. The commands that the event asks for are in `commands` of the result.
 *
 * The machine (machine.ts) says which events an order may take in which state; this says what they mean.
 */
import type { BracketList, ClientOrderId, DecimalString, EventOf, Fill, Leg, LegAccepted, LegRequest, OrderEvent } from "@petrosa/contracts"
import { dec, gte, isPositive, mul, parseClientOrderId, reason, str } from "@petrosa/contracts"
import type { ExitLeg, LegStatus, OrderContext } from "./context.ts"
import { changeEntry, changeLeg, command, type Draft, draftOf, legOf, NOUGHT, plus, replaceLeg } from "./draft.ts"
import { siblingOf, usesLists, waitsForEntry } from "./lists.ts"
import { openQuantity, stopsCover } from "./lot.ts"
import { metadataOf } from "./metadata.ts"
import { foldMissing } from "./missing.ts"
import { withAttempt } from "./placing.ts"
import { protect } from "./protect.ts"

/** An event with its place in the stream: what the machine is sent. */
export type Recorded<E extends OrderEvent = OrderEvent> = E & { readonly version: number; readonly atMs: number }

/** What a fill is worth. */
const worthOf = ({ price, quantity }: Fill): DecimalString => str(mul(dec(price), dec(quantity)))

const freshFills = (c: OrderContext, fills: readonly Fill[]): readonly Fill[] => fills.filter((fill) => !c.trades.includes(fill.tradeId))

const withTrades = (trades: readonly string[], fills: readonly Fill[]): readonly string[] =>
  fills.length === 0 ? trades : [...trades, ...fills.map((fill) => fill.tradeId)]

/** Asks for the cancel as soon as the entry is known to be at the venue. */
const cancelIfWanted = (d: Draft): void => {
  if (d.entry === null || d.entry.cancelReason === null || d.entry.status !== "live") return
  command(d, { type: "cancelEntry", clientOrderId: d.entry.clientOrderId })
  changeEntry(d, { status: "cancelling" })
}

const onReceived = (d: Draft, e: Recorded<EventOf<"SignalReceived">>): void => {
  const { signal } = e.data
  d.signalId = signal.id ?? signal.strategyId
  d.strategyId = signal.strategyId
  d.decisionId = signal.decisionId ?? null
  d.symbol = signal.symbol
  d.market = signal.market
  d.action = signal.action
  d.side = signal.action === "sell" ? "sell" : "buy"
  d.orderType = signal.orderType
  d.timeInForce = signal.timeInForce
  d.timestampMs = signal.timestampMs
  d.createdAtMs = e.atMs
  d.simulation = signal.simulate || e.data.mode === "simulation"
  d.quantity = signal.quantity ?? null
  d.price = signal.price
  d.stopPrice = signal.stopLoss ?? null
  d.targetPrice = signal.takeProfit ?? null
  d.metadata = metadataOf(signal.extras)
}

const NO_LEGS: readonly ExitLeg[] = []

/** The legs of a bracket that goes with the entry. */
const armedLegs = (armed: BracketList | undefined): readonly ExitLeg[] => {
  const leg = (request: LegRequest, kind: "stop" | "target"): ExitLeg => ({
    clientOrderId: request.clientOrderId,
    venueOrderId: null,
    leg: kind,
    attempt: parseClientOrderId(request.clientOrderId)?.attempt ?? 1,
    quantity: request.quantity,
    price: request.triggerPrice ?? request.price ?? null,
    status: "pending",
    filled: NOUGHT,
  })
  return armed === undefined ? NO_LEGS : [leg(armed.stop, "stop"), leg(armed.target, "target")]
}

/** The entry is over without all of its fill: a bracket that waited for it will never be armed. Forgotten, not over (as LegNotPlaced). */
const forgetPending = (d: Draft): void => {
  if (d.legs.some((leg) => leg.status === "pending")) d.legs = d.legs.filter((leg) => leg.status !== "pending")
}

/** All of the entry is filled: the venue arms the bracket now, or refuses it. Which of the two is a question. */
const askForArmed = (d: Draft): void => {
  if (!waitsForEntry(d)) return
  const waiting = d.legs.filter((leg) => leg.status === "pending")
  d.legs = d.legs.map((leg): ExitLeg => (leg.status === "pending" ? { ...leg, status: "unknown" } : leg))
  const [stop, target] = [waiting.find((leg) => leg.leg === "stop"), waiting.find((leg) => leg.leg === "target")]
  if (stop !== undefined && target !== undefined)
    return command(d, { type: "resolveBracket", stop: stop.clientOrderId, target: target.clientOrderId })
  for (const { clientOrderId } of waiting) command(d, { type: "resolveLeg", leg: stop === undefined ? "target" : "stop", clientOrderId })
}

const onIntended = (d: Draft, { data }: Recorded<EventOf<"EntryIntended">>): void => {
  const { request, plan } = data
  const { armed } = plan
  d.order = parseClientOrderId(request.clientOrderId)?.order ?? d.order
  d.venue = data.venue
  d.baseAsset = data.baseAsset
  d.quoteAsset = data.quoteAsset
  d.plan = plan
  d.legs = armedLegs(armed)
  if (armed !== undefined) d.attempts = { ...d.attempts, stop: 1, target: 1 }
  d.entry = {
    clientOrderId: request.clientOrderId,
    venueOrderId: null,
    side: request.side,
    type: request.type,
    quantity: request.quantity,
    price: request.price ?? null,
    sendByMs: data.sendByMs,
    receiveWindowMs: data.receiveWindowMs,
    expiresAtMs: data.expiresAtMs,
    status: "sending",
    ended: null,
    cancelReason: null,
    cancelBy: null,
    filled: NOUGHT,
    quote: NOUGHT,
    feesQuote: NOUGHT,
    feesBase: NOUGHT,
    sentAtMs: null,
  }
  d.commands = [armed === undefined ? { type: "placeEntry", request } : { type: "placeEntry", request, bracket: armed }]
}

/** It goes again by itself, under another id: the first request is certainly not there. */
const onEntryListRefused = (d: Draft, { data }: Recorded<EventOf<"EntryListRefused">>): void => {
  forgetPending(d)
  changeEntry(d, { clientOrderId: data.request.clientOrderId, status: "sending", sentAtMs: null })
  d.commands = [{ type: "placeEntry", request: data.request }]
}

const onEntryFills = (d: Draft, e: Recorded<EventOf<"EntryPartlyFilled" | "EntryFilled" | "LateFillFound">>): void => {
  const { entry } = d
  if (entry === null) return
  const fills = freshFills(d, e.data.fills)
  let { filled, quote, feesQuote, feesBase } = entry
  for (const fill of fills) {
    filled = plus(filled, fill.quantity)
    quote = plus(quote, worthOf(fill))
    feesQuote = plus(feesQuote, fill.feeQuote)
    if (fill.feeAsset === d.baseAsset) feesBase = plus(feesBase, fill.fee)
  }
  const full = gte(dec(filled), dec(entry.quantity))
  const status = full || entry.status === "over" ? "over" : entry.status === "cancelling" ? "cancelling" : "live"
  d.trades = withTrades(d.trades, fills)
  d.lotClosed = false
  d.entry = {
    ...entry,
    venueOrderId: e.data.venueOrderId,
    status,
    ended: full ? "filled" : entry.ended,
    filled,
    quote,
    feesQuote,
    feesBase,
  }
  if (e.type === "LateFillFound") {
    d.settled = null
    d.reason = null
    d.wasCovered = false
    // What was given back too much may have been this: it is reckoned anew.
    d.excess = NOUGHT
    d.excessTold = NOUGHT
  }
  if (full) askForArmed(d)
  else if (status === "over") forgetPending(d)
  cancelIfWanted(d)
  protect(d, e.atMs)
}

const statusOf = (c: OrderContext, clientOrderId: string): LegStatus | undefined => legOf(c, clientOrderId)?.status

/** Both legs of a list are the same question; a leg by itself is one of its own. */
const askFor = (
  d: Draft,
  data: { readonly leg: ExitLeg["leg"] | "entry"; readonly clientOrderId: ClientOrderId; readonly sibling?: ClientOrderId },
): void => {
  const { leg, clientOrderId, sibling } = data
  changeLeg(d, clientOrderId, { status: "unknown" })
  if (sibling === undefined) {
    d.commands = [{ type: "resolveLeg", leg, clientOrderId }]
    return
  }
  const [stop, target] = leg === "stop" ? [clientOrderId, sibling] : [sibling, clientOrderId]
  const other = statusOf(d, sibling)
  if (other === "sending" || other === "unknown") changeLeg(d, sibling, { status: "unknown" })
  d.commands = [{ type: "resolveBracket", stop, target }]
}

/** A leg that the venue has and that our events do not know yet (it left on the strength of the plan before a crash). */
const adoptLeg = (d: Draft, data: LegAccepted): void => {
  const parts = parseClientOrderId(data.clientOrderId)
  if (parts === undefined || parts.leg === "entry") return
  const { leg, attempt } = parts
  const { clientOrderId, venueOrderId, quantity } = data
  d.attempts = withAttempt(d, leg, Math.max(d.attempts[leg], attempt))
  d.legs = [...d.legs, { clientOrderId, venueOrderId, leg, attempt, quantity, price: data.price ?? null, status: "live", filled: NOUGHT }]
}

/** A leg that left before a crash, unknown to our events, and is over: its number is used. */
const markSeen = (d: Draft, clientOrderId: ClientOrderId): void => {
  const parts = parseClientOrderId(clientOrderId)
  if (parts === undefined || parts.leg === "entry") return
  d.attempts = withAttempt(d, parts.leg, Math.max(d.attempts[parts.leg], parts.attempt))
}

const onLegAccepted = (d: Draft, e: Recorded<EventOf<"StopAccepted" | "TargetAccepted" | "FlattenAccepted">>): void => {
  const { clientOrderId, venueOrderId, quantity } = e.data
  const leg = legOf(d, clientOrderId)
  if (leg === undefined) adoptLeg(d, e.data)
  else {
    const status = leg.status === "over" || leg.status === "cancelling" ? leg.status : "live"
    // What the venue has is what counts, should it ever differ from what was asked.
    replaceLeg(d, leg, { ...leg, venueOrderId, quantity, status })
  }
  // A stop that is taken and ends again at once must not start the back-off anew: only a whole bracket does.
  if (e.type === "TargetAccepted") d.legRefusals = 0
  d.retryAtMs = null
  protect(d, e.atMs)
}

/**
 * How long to wait before the next try after the n-th refusal in a row that time may cure, in milliseconds. Attempts are
 * limited to 99: the last ones are far apart, so that they last for hours.
 */
const backOffMs = (n: number): number => Math.min(250 * 2 ** Math.min(20, Math.max(0, n - 1)), n > 40 ? 120_000 : 10_000)

const onLegRefused = (d: Draft, e: Recorded<EventOf<"LegRefused">>): void => {
  const { clientOrderId, leg, sibling } = e.data
  // The id is in use: an earlier attempt landed. Ask for it.
  if (e.data.class === "duplicate") return askFor(d, e.data)
  const refusals = d.legRefusals + 1
  changeLeg(d, clientOrderId, { status: "over" })
  if (sibling !== undefined) changeLeg(d, sibling, { status: "over" })
  d.legRefusals = refusals
  if (usesLists(d)) onListRefused(d, e, refusals)
  else onSingleRefused(d, e, leg, refusals)
  protect(d, e.atMs)
}

const onSingleRefused = (d: Draft, e: Recorded<EventOf<"LegRefused">>, leg: Leg, refusals: number): void => {
  switch (e.data.class) {
    case "wouldTrigger":
      // The market is already past the price: what the leg was for has happened. Out at market.
      if (leg === "flatten") waitThenRetry(d, e, refusals)
      else d.closeNeeded = leg === "stop" ? "stopPassed" : "targetPassed"
      break
    case "fatal":
    case "balance":
      // It stays wrong. A target can be missed; a stop cannot: without one there is no position.
      if (leg === "target") d.targetAbandoned = true
      else if (leg === "stop") d.closeNeeded = "protection"
      else waitThenRetry(d, e, refusals)
      break
    case "rateLimit":
    case "retry":
    case "race":
    case "account":
    case "duplicate":
      waitThenRetry(d, e, refusals)
      break
  }
}

/** As {@link onSingleRefused}, where stop and target are one list, and a sale needs the list gone. */
const onListRefused = (d: Draft, e: Recorded<EventOf<"LegRefused">>, refusals: number): void => {
  if (e.data.leg === "flatten") {
    d.saleRetryAtMs = Math.max(e.data.retryAtMs ?? 0, e.atMs + backOffMs(Math.max(1, d.attempts.flatten)))
    return
  }
  // It was put back because the sale was refused. It is not tried twice: the sale is next.
  if (d.saleRetryAtMs !== null) {
    d.retryAtMs = Math.max(d.saleRetryAtMs, e.data.retryAtMs ?? 0)
    return
  }
  switch (e.data.class) {
    case "wouldTrigger":
      d.closeNeeded = "stopPassed"
      break
    case "balance":
      // Something else has what it was to sell: a list of ours that was believed lost, and covers it after all?
      if (!stopsCover(d)) d.closeNeeded = "protection"
      break
    case "fatal":
      // Perhaps it was the target, perhaps it was the list: a stop by itself is tried before the lot is given up.
      if (e.data.sibling === undefined) d.closeNeeded = "protection"
      else d.targetAbandoned = true
      break
    case "rateLimit":
    case "retry":
    case "race":
    case "account":
    case "duplicate":
      waitThenRetry(d, e, refusals)
      break
  }
}

const waitThenRetry = (d: Draft, e: Recorded<EventOf<"LegRefused">>, refusals: number): void => {
  const atMs = Math.max(e.data.retryAtMs ?? 0, e.atMs + backOffMs(refusals))
  if (e.data.leg === "target") d.targetRetryAtMs = atMs
  else d.retryAtMs = atMs
}

const onExitFilled = (d: Draft, e: Recorded<EventOf<"ExitFilled">>): void => {
  const fills = freshFills(d, e.data.fills)
  const leg = legOf(d, e.data.clientOrderId)
  let { quantity, quote, feesQuote } = d.exit
  let filled = leg?.filled ?? NOUGHT
  for (const fill of fills) {
    quantity = plus(quantity, fill.quantity)
    quote = plus(quote, worthOf(fill))
    feesQuote = plus(feesQuote, fill.feeQuote)
    filled = plus(filled, fill.quantity)
  }
  if (fills.length > 0) d.exit = { quantity, quote, feesQuote }
  d.trades = withTrades(d.trades, fills)
  if (leg !== undefined) {
    const done = gte(dec(filled), dec(leg.quantity))
    const status = done ? "over" : leg.status === "sending" || leg.status === "unknown" ? "live" : leg.status
    replaceLeg(d, leg, { ...leg, status, filled })
  }
  askForSibling(d, leg)
  d.closedBy = e.data.leg
  protect(d, e.atMs)
}

/** Of a list one leg trades: the other is over, and that is proven. It protects nothing any more. */
const askForSibling = (d: Draft, leg: ExitLeg | undefined): void => {
  const sibling = leg === undefined ? undefined : siblingOf(d, leg)
  if (sibling?.status !== "live") return
  replaceLeg(d, sibling, { ...sibling, status: "unknown" })
  command(d, { type: "resolveLeg", leg: sibling.leg, clientOrderId: sibling.clientOrderId })
}

const onLegOver = (d: Draft, clientOrderId: string, atMs: number): void => {
  changeLeg(d, clientOrderId, { status: "over" })
  protect(d, atMs)
}

/** Ended by us (merged), or by the venue: then the next one goes at once the first time, and more slowly each time after. */
const onLegEnded = (d: Draft, e: Recorded<EventOf<"LegEnded">>): void => {
  const { clientOrderId, how } = e.data
  const leg = legOf(d, clientOrderId)
  if (leg === undefined) {
    markSeen(d, clientOrderId)
    return protect(d, e.atMs)
  }
  const expected = leg.status === "cancelling" || how === "filled"
  // A list ends as one: it is counted once.
  if (!expected && !(usesLists(d) && leg.leg === "target")) {
    d.legRefusals += 1
    if (d.legRefusals >= 2) d.retryAtMs = e.atMs + backOffMs(d.legRefusals)
  }
  onLegOver(d, clientOrderId, e.atMs)
}

/** A time that is not due yet. */
const still = (atMs: number | null, dueAtMs: number): number | null => (atMs !== null && atMs > dueAtMs ? atMs : null)

const onDeadline = (d: Draft, e: Recorded<EventOf<"DeadlinePassed">>): void => {
  const { deadline, dueAtMs } = e.data
  switch (deadline) {
    case "entry":
      d.entryTimedOut = true
      return
    case "protection":
      if (d.closing === null) d.closeNeeded = "protection"
      break
    case "partial":
      d.graceOver = true
      break
    case "close":
      if (d.closing !== null) d.closing = { ...d.closing, isUrgent: true }
      break
    case "retry":
      d.retryAtMs = still(d.retryAtMs, dueAtMs)
      d.targetRetryAtMs = still(d.targetRetryAtMs, dueAtMs)
      d.saleRetryAtMs = still(d.saleRetryAtMs, dueAtMs)
      break
  }
  protect(d, e.atMs)
}

const onCloseIntended = (d: Draft, { data }: Recorded<EventOf<"CloseIntended">>): void => {
  d.job = {
    cause: data.cause,
    lots: data.lots,
    reported: [],
    quantity: NOUGHT,
    quote: NOUGHT,
    feesQuote: NOUGHT,
    cancelledEntries: 0,
    parkedLots: [],
    overClosed: [],
  }
  d.commands = [{ type: "closeLots", lots: data.lots }]
}

const onCloseReported = (d: Draft, { data }: Recorded<EventOf<"CloseReported">>): void => {
  const { job } = d
  if (job === null || job.reported.includes(data.order)) return
  d.job = {
    ...job,
    reported: [...job.reported, data.order],
    quantity: plus(job.quantity, data.quantity),
    quote: plus(job.quote, data.quote),
    feesQuote: plus(job.feesQuote, data.fees),
    cancelledEntries: job.cancelledEntries + (data.cancelledEntry ? 1 : 0),
    parkedLots: data.parked === true ? [...job.parkedLots, data.order] : job.parkedLots,
    overClosed: data.excess === undefined ? job.overClosed : [...job.overClosed, `${data.order} by ${data.excess}`],
  }
}

const onCloseRequested = (d: Draft, e: Recorded<EventOf<"CloseRequested">>): void => {
  const { cause, by, targets } = e.data
  d.closing = targets === undefined ? { cause, by, sinceMs: e.atMs } : { cause, by, sinceMs: e.atMs, targets }
  d.closeNeeded = null
  d.retryAtMs = null
  d.saleRetryAtMs = null
  d.exitBeforeClose = d.exit
  protect(d, e.atMs)
}

const onLotClosed = (d: Draft, { data }: Recorded<EventOf<"LotClosed">>): void => {
  d.lotClosed = true
  d.profit = data.profit
  d.closedCause = d.closing?.cause ?? null
  d.closing = null
  d.closeNeeded = null
  d.settledExit = d.exit
  d.unprotectedSinceMs = null
  d.graceSinceMs = null
  d.graceOver = false
  d.saleRetryAtMs = null
}

/** It is open again, in a way: until nothing of it is live any more, and what came of it in all is known. */
const onOverClosed = (d: Draft, e: Recorded<EventOf<"LotOverClosed">>): void => {
  d.excess = e.data.excess
  d.lotClosed = false
  d.closeNeeded = null
  d.retryAtMs = null
  d.targetRetryAtMs = null
  d.saleRetryAtMs = null
  protect(d, e.atMs)
}

const onSized = (d: Draft, { data }: Recorded<EventOf<"OrderSized">>): void => {
  d.side = data.side
  d.orderType = data.type
  d.quantity = data.quantity
  d.price = data.price ?? data.triggerPrice ?? data.referencePrice
  d.timeInForce = data.timeInForce ?? null
  d.stopPrice = data.stop?.price ?? null
  d.targetPrice = data.target?.price ?? null
}

/** What the event says, put into the draft. */
const step = (d: Draft, e: Recorded): void => {
  switch (e.type) {
    case "SignalReceived":
      return onReceived(d, e)
    case "SignalValidated":
      d.venue = e.data.venue
      d.simulation = e.data.mode === "simulation" || d.simulation
      return
    case "OrderSized":
      return onSized(d, e)
    case "EntryIntended":
      return onIntended(d, e)
    case "EntryAccepted":
      if (d.entry !== null) d.entry = { ...d.entry, venueOrderId: e.data.venueOrderId, status: "live", sentAtMs: e.data.sentAtMs }
      cancelIfWanted(d)
      return protect(d, e.atMs)
    case "EntryRefused":
      forgetPending(d)
      changeEntry(d, { status: "over", ended: "refused", sentAtMs: e.data.sentAtMs })
      // Kept until it is known that nothing was filled: what the venue said is why the order failed.
      d.reason = reason("ENTRY_REFUSED", `${e.data.code} ${e.data.message}`.trim(), e.data.class)
      return
    case "EntryListRefused":
      return onEntryListRefused(d, e)
    case "EntryNotSent":
      forgetPending(d)
      changeEntry(d, { status: "over", ended: "notSent" })
      d.reason = e.data.reason
      return
    case "EntryUnknown":
      if (d.entry === null) return
      changeEntry(d, { status: "unknown", sentAtMs: e.data.sentAtMs ?? d.entry.sentAtMs })
      d.commands = [{ type: "resolveEntry", clientOrderId: d.entry.clientOrderId }]
      return
    case "EntryNotPlaced":
      forgetPending(d)
      return changeEntry(d, { status: "over", ended: "notPlaced" })
    case "EntryPartlyFilled":
    case "EntryFilled":
    case "LateFillFound":
      return onEntryFills(d, e)
    case "EntryCancelRequested":
      changeEntry(d, { cancelReason: e.data.reason, cancelBy: e.data.by })
      return cancelIfWanted(d)
    case "EntryEnded":
      forgetPending(d)
      changeEntry(d, { status: "over", ended: e.data.how, venueOrderId: e.data.venueOrderId ?? d.entry?.venueOrderId ?? null })
      return protect(d, e.atMs)
    case "StopAccepted":
    case "TargetAccepted":
    case "FlattenAccepted":
      return onLegAccepted(d, e)
    case "LegRefused":
      return onLegRefused(d, e)
    case "LegUnknown": {
      // The stream may have told before the reply got lost: then there is nothing to ask.
      const status = statusOf(d, e.data.clientOrderId)
      if (status === "sending" || status === "unknown") askFor(d, e.data)
      return
    }
    case "LegNotPlaced":
      // Forgotten, not over: should the venue show it after all, it is taken in like any leg that is ours.
      d.legs = d.legs.filter((leg) => leg.clientOrderId !== e.data.clientOrderId && leg.clientOrderId !== e.data.sibling)
      return protect(d, e.atMs)
    case "LegEnded":
      return onLegEnded(d, e)
    case "SiblingCancelled":
      markSeen(d, e.data.clientOrderId)
      return onLegOver(d, e.data.clientOrderId, e.atMs)
    case "CloseRequested":
      return onCloseRequested(d, e)
    case "ExitFilled":
      return onExitFilled(d, e)
    case "LotClosed":
      return onLotClosed(d, e)
    case "LotOverClosed":
      return onOverClosed(d, e)
    case "PositionMissing":
      foldMissing(d, e.data)
      return protect(d, e.atMs)
    case "DustLeft":
      d.dust = plus(d.dust, e.data.quantity)
      return protect(d, e.atMs)
    case "CloseIntended":
      return onCloseIntended(d, e)
    case "CloseReported":
      return onCloseReported(d, e)
    case "OrderCompleted":
      d.settled = "filled"
      return
    case "OrderFailed":
      d.settled = "failed"
      d.reason = e.data.reason
      return
    case "DeadlinePassed":
      return onDeadline(d, e)
    case "OrderAdopted":
      // Time spent down is reported apart: the protection clock starts anew with whoever can act again.
      d.adoptedAtMs = [...d.adoptedAtMs, e.atMs].slice(-10)
      if (d.unprotectedSinceMs !== null) d.unprotectedSinceMs = e.atMs
      return
    case "StepFailed":
      d.stepFailures = e.data.count
      return
    case "OrderParked":
      d.parked = { code: e.data.code, detail: e.data.detail }
      if (e.data.code === "OVER_CLOSED") d.excessTold = d.excess
      if (e.data.code === "POSITION_MISSING") d.missingTold = d.missing
      return
    case "OrderUnparked":
      // What it lacks is asked for at once, and its clock starts with whoever can act again.
      d.parked = null
      d.stepFailures = 0
      d.adoptedAtMs = []
      d.unprotectedSinceMs = null
      return protect(d, e.atMs)
  }
}

/** The last event and what came of it: guards and actions of one transition all ask for the same. */
let lastEvent: Recorded | undefined
let lastBefore: OrderContext | undefined
let lastAfter: OrderContext | undefined

/** What the order knows after this event. The same for an event that is folded in already (its version is not newer). */
export const evolve = (c: OrderContext, e: Recorded): OrderContext => {
  if (e.version <= c.version) return c
  if (lastEvent === e && lastBefore === c && lastAfter !== undefined) return lastAfter
  const draft = draftOf(c, e.version)
  step(draft, e)
  if (!draft.wasCovered && isPositive(openQuantity(draft)) && stopsCover(draft)) draft.wasCovered = true
  lastEvent = e
  lastBefore = c
  lastAfter = draft
  return draft
}
