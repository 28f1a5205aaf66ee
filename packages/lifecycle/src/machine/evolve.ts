/**
 * `evolve(context, event)`: what an order knows after an event. Pure and total: an event that says nothing new changes
 * nothing but the version. The commands that the event asks for are in `commands` of the result.
 *
 * The machine (machine.ts) says which events an order may take in which state; this says what they mean.
 */
import type { BracketList, ClientOrderId, EventOf, Fill, LegAccepted, LegRequest, OrderEvent } from "@petrosa/contracts"
import { add, dec, gte, mul, parseClientOrderId, reason, str } from "@petrosa/contracts"
import type { EntryLeg, ExitLeg, LegStatus, OrderContext } from "./context.ts"
import { siblingOf, usesLists } from "./lists.ts"
import { openQuantity, stopsCover } from "./lot.ts"
import { metadataOf } from "./metadata.ts"
import { withAttempt } from "./placing.ts"
import { protect } from "./protect.ts"

/** An event with its place in the stream: what the machine is sent. */
export type Recorded<E extends OrderEvent = OrderEvent> = E & { readonly version: number; readonly atMs: number }

const plus = (a: string, b: string) => str(add(dec(a), dec(b)))

const freshFills = (c: OrderContext, fills: readonly Fill[]): readonly Fill[] => fills.filter((fill) => !c.trades.includes(fill.tradeId))

const addEntryFills = (
  c: OrderContext,
  entry: EntryLeg,
  all: readonly Fill[],
): { readonly entry: EntryLeg; readonly trades: readonly string[] } => {
  let next = entry
  const fills = freshFills(c, all)
  for (const fill of fills) {
    next = {
      ...next,
      filled: plus(next.filled, fill.quantity),
      quote: str(add(dec(next.quote), mul(dec(fill.price), dec(fill.quantity)))),
      feesQuote: plus(next.feesQuote, fill.feeQuote),
      feesBase: fill.feeAsset === c.baseAsset ? plus(next.feesBase, fill.fee) : next.feesBase,
    }
  }
  return { entry: next, trades: fills.length === 0 ? c.trades : [...c.trades, ...fills.map((fill) => fill.tradeId)] }
}

const withEntry = (c: OrderContext, change: Partial<EntryLeg>): OrderContext =>
  c.entry === null ? c : { ...c, entry: { ...c.entry, ...change } }

/** Asks for the cancel as soon as the entry is known to be at the venue. */
const cancelIfWanted = (c: OrderContext): OrderContext =>
  c.entry === null || c.entry.cancelReason === null || c.entry.status !== "live"
    ? c
    : {
        ...withEntry(c, { status: "cancelling" }),
        commands: [...c.commands, { type: "cancelEntry", clientOrderId: c.entry.clientOrderId }],
      }

const onReceived = (c: OrderContext, e: Recorded<EventOf<"SignalReceived">>): OrderContext => {
  const { signal } = e.data
  return {
    ...c,
    signalId: signal.id ?? signal.strategyId,
    strategyId: signal.strategyId,
    decisionId: signal.decisionId ?? null,
    symbol: signal.symbol,
    market: signal.market,
    action: signal.action,
    side: signal.action === "sell" ? "sell" : "buy",
    orderType: signal.orderType,
    timeInForce: signal.timeInForce,
    timestampMs: signal.timestampMs,
    createdAtMs: e.atMs,
    simulation: signal.simulate || e.data.mode === "simulation",
    quantity: signal.quantity ?? null,
    price: signal.price,
    stopPrice: signal.stopLoss ?? null,
    targetPrice: signal.takeProfit ?? null,
    metadata: metadataOf(signal.extras),
  }
}

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
    filled: str(dec("0")),
  })
  return armed === undefined ? [] : [leg(armed.stop, "stop"), leg(armed.target, "target")]
}

/** The entry is over without all of its fill: a bracket that waited for it will never be armed. Forgotten, not over (as LegNotPlaced). */
const withoutPending = (c: OrderContext): OrderContext =>
  c.legs.some((leg) => leg.status === "pending") ? { ...c, legs: c.legs.filter((leg) => leg.status !== "pending") } : c

/** All of the entry is filled: the venue arms the bracket now, or refuses it. Which of the two is a question. */
const askForArmed = (c: OrderContext): OrderContext => {
  const waiting = c.legs.filter((leg) => leg.status === "pending")
  if (waiting.length === 0) return c
  const ids = waiting.map((leg) => leg.clientOrderId)
  const asked = { ...c, legs: c.legs.map((leg): ExitLeg => (leg.status === "pending" ? { ...leg, status: "unknown" } : leg)) }
  const [stop, target] = [waiting.find((leg) => leg.leg === "stop"), waiting.find((leg) => leg.leg === "target")]
  return {
    ...asked,
    commands: [
      ...c.commands,
      ...(stop !== undefined && target !== undefined
        ? [{ type: "resolveBracket", stop: stop.clientOrderId, target: target.clientOrderId } as const]
        : ids.map((clientOrderId) => ({ type: "resolveLeg", leg: stop === undefined ? "target" : "stop", clientOrderId }) as const)),
    ],
  }
}

const onIntended = (c: OrderContext, { data }: Recorded<EventOf<"EntryIntended">>): OrderContext => ({
  ...c,
  order: parseClientOrderId(data.request.clientOrderId)?.order ?? c.order,
  venue: data.venue,
  baseAsset: data.baseAsset,
  quoteAsset: data.quoteAsset,
  plan: data.plan,
  legs: armedLegs(data.plan.armed),
  attempts: data.plan.armed === undefined ? c.attempts : { ...c.attempts, stop: 1, target: 1 },
  entry: {
    clientOrderId: data.request.clientOrderId,
    venueOrderId: null,
    side: data.request.side,
    type: data.request.type,
    quantity: data.request.quantity,
    price: data.request.price ?? null,
    sendByMs: data.sendByMs,
    receiveWindowMs: data.receiveWindowMs,
    expiresAtMs: data.expiresAtMs,
    status: "sending",
    ended: null,
    cancelReason: null,
    cancelBy: null,
    filled: str(dec("0")),
    quote: str(dec("0")),
    feesQuote: str(dec("0")),
    feesBase: str(dec("0")),
    sentAtMs: null,
  },
  commands: [{ type: "placeEntry", request: data.request, ...(data.plan.armed === undefined ? {} : { bracket: data.plan.armed }) }],
})

/** It goes again by itself, under another id: the first request is certainly not there. */
const onEntryListRefused = (c: OrderContext, { data }: Recorded<EventOf<"EntryListRefused">>): OrderContext => ({
  ...withEntry(withoutPending(c), { clientOrderId: data.request.clientOrderId, status: "sending", sentAtMs: null }),
  commands: [{ type: "placeEntry", request: data.request }],
})

const onEntryFills = (c: OrderContext, e: Recorded<EventOf<"EntryPartlyFilled" | "EntryFilled" | "LateFillFound">>): OrderContext => {
  if (c.entry === null) return c
  const { entry, trades } = addEntryFills(c, c.entry, e.data.fills)
  const full = gte(dec(entry.filled), dec(entry.quantity))
  const status = full || entry.status === "over" ? "over" : entry.status === "cancelling" ? "cancelling" : "live"
  const next: OrderContext = {
    ...c,
    trades,
    lotClosed: false,
    entry: { ...entry, venueOrderId: e.data.venueOrderId, status, ended: full ? "filled" : entry.ended },
    ...(e.type === "LateFillFound" ? { settled: null, reason: null, wasCovered: false } : {}),
  }
  return protect(cancelIfWanted(full ? askForArmed(next) : status === "over" ? withoutPending(next) : next), e.atMs)
}

const changeLeg = (c: OrderContext, clientOrderId: string | undefined, change: Partial<ExitLeg>): OrderContext =>
  clientOrderId === undefined ? c : { ...c, legs: c.legs.map((leg) => (leg.clientOrderId === clientOrderId ? { ...leg, ...change } : leg)) }

const statusOf = (c: OrderContext, clientOrderId: string): LegStatus | undefined =>
  c.legs.find((leg) => leg.clientOrderId === clientOrderId)?.status

/** Both legs of a list are the same question; a leg by itself is one of its own. */
const askFor = (
  c: OrderContext,
  data: { readonly leg: ExitLeg["leg"] | "entry"; readonly clientOrderId: ClientOrderId; readonly sibling?: ClientOrderId },
): OrderContext => {
  const { leg, clientOrderId, sibling } = data
  const asked = changeLeg(c, clientOrderId, { status: "unknown" })
  if (sibling === undefined) return { ...asked, commands: [{ type: "resolveLeg", leg, clientOrderId }] }
  const [stop, target] = leg === "stop" ? [clientOrderId, sibling] : [sibling, clientOrderId]
  const other = statusOf(c, sibling)
  const both = other === "sending" || other === "unknown" ? changeLeg(asked, sibling, { status: "unknown" }) : asked
  return { ...both, commands: [{ type: "resolveBracket", stop, target }] }
}

/** A leg that the venue has and that our events do not know yet (it left on the strength of the plan before a crash). */
const adoptLeg = (c: OrderContext, data: LegAccepted): OrderContext => {
  const parts = parseClientOrderId(data.clientOrderId)
  if (parts === undefined || parts.leg === "entry" || c.legs.some((leg) => leg.clientOrderId === data.clientOrderId)) return c
  const { leg, attempt } = parts
  return {
    ...c,
    attempts: withAttempt(c, leg, Math.max(c.attempts[leg], attempt)),
    legs: [
      ...c.legs,
      {
        clientOrderId: data.clientOrderId,
        venueOrderId: data.venueOrderId,
        leg,
        attempt,
        quantity: data.quantity,
        price: data.price ?? null,
        status: "live",
        filled: str(dec("0")),
      },
    ],
  }
}

/** A leg that left before a crash, unknown to our events, and is over: its number is used. */
const withSeen = (c: OrderContext, clientOrderId: ClientOrderId): OrderContext => {
  const parts = parseClientOrderId(clientOrderId)
  if (parts === undefined || parts.leg === "entry") return c
  return { ...c, attempts: withAttempt(c, parts.leg, Math.max(c.attempts[parts.leg], parts.attempt)) }
}

const onLegAccepted = (c: OrderContext, e: Recorded<EventOf<"StopAccepted" | "TargetAccepted" | "FlattenAccepted">>): OrderContext => {
  const known = adoptLeg(c, e.data)
  const leg = known.legs.find((one) => one.clientOrderId === e.data.clientOrderId)
  const status = leg === undefined || leg.status === "over" || leg.status === "cancelling" ? leg?.status : "live"
  const live = changeLeg(known, e.data.clientOrderId, {
    venueOrderId: e.data.venueOrderId,
    ...(status === undefined ? {} : { status }),
    // What the venue has is what counts, should it ever differ from what was asked.
    quantity: e.data.quantity,
  })
  // A stop that is taken and ends again at once must not start the back-off anew: only a whole bracket does.
  return protect({ ...live, legRefusals: e.type === "TargetAccepted" ? 0 : live.legRefusals, retryAtMs: null }, e.atMs)
}

/**
 * How long to wait before the next try after the n-th refusal in a row that time may cure, in milliseconds. Attempts are
 * limited to 99: the last ones are far apart, so that they last for hours.
 */
const backOffMs = (n: number): number => Math.min(250 * 2 ** Math.min(20, Math.max(0, n - 1)), n > 40 ? 120_000 : 10_000)

const onLegRefused = (c: OrderContext, e: Recorded<EventOf<"LegRefused">>): OrderContext => {
  const { clientOrderId, leg } = e.data
  if (e.data.class === "duplicate") {
    // The id is in use: an earlier attempt landed. Ask for it.
    return askFor(c, e.data)
  }
  const refusals = c.legRefusals + 1
  const over = changeLeg(changeLeg(c, clientOrderId, { status: "over" }), e.data.sibling, { status: "over" })
  let next: OrderContext = { ...over, legRefusals: refusals }
  if (usesLists(c)) return protect(onListRefused(next, e, refusals), e.atMs)
  switch (e.data.class) {
    case "wouldTrigger":
      // The market is already past the price: what the leg was for has happened. Out at market.
      next = leg === "flatten" ? waitThenRetry(next, e, refusals) : { ...next, closeNeeded: leg === "stop" ? "stopPassed" : "targetPassed" }
      break
    case "fatal":
    case "balance":
      // It stays wrong. A target can be missed; a stop cannot: without one there is no position.
      if (leg === "target") next = { ...next, targetAbandoned: true }
      else if (leg === "stop") next = { ...next, closeNeeded: "protection" }
      else next = waitThenRetry(next, e, refusals)
      break
    case "rateLimit":
    case "retry":
    case "race":
    case "account":
      next = waitThenRetry(next, e, refusals)
      break
  }
  return protect(next, e.atMs)
}

/** As {@link onLegRefused}, where stop and target are one list, and a sale needs the list gone. */
const onListRefused = (c: OrderContext, e: Recorded<EventOf<"LegRefused">>, refusals: number): OrderContext => {
  if (e.data.leg === "flatten") {
    const atMs = Math.max(e.data.retryAtMs ?? 0, e.atMs + backOffMs(Math.max(1, c.attempts.flatten)))
    return { ...c, saleRetryAtMs: atMs }
  }
  // It was put back because the sale was refused. It is not tried twice: the sale is next.
  if (c.saleRetryAtMs !== null) return { ...c, retryAtMs: Math.max(c.saleRetryAtMs, e.data.retryAtMs ?? 0) }
  switch (e.data.class) {
    case "wouldTrigger":
      return { ...c, closeNeeded: "stopPassed" }
    case "balance":
      // Something else has what it was to sell: a list of ours that was believed lost, and covers it after all?
      return stopsCover(c) ? c : { ...c, closeNeeded: "protection" }
    case "fatal":
      // Perhaps it was the target, perhaps it was the list: a stop by itself is tried before the lot is given up.
      return e.data.sibling === undefined ? { ...c, closeNeeded: "protection" } : { ...c, targetAbandoned: true }
    case "rateLimit":
    case "retry":
    case "race":
    case "account":
    case "duplicate":
      return waitThenRetry(c, e, refusals)
  }
}

const waitThenRetry = (c: OrderContext, e: Recorded<EventOf<"LegRefused">>, refusals: number): OrderContext => {
  const atMs = Math.max(e.data.retryAtMs ?? 0, e.atMs + backOffMs(refusals))
  return e.data.leg === "target" ? { ...c, targetRetryAtMs: atMs } : { ...c, retryAtMs: atMs }
}

const onExitFilled = (c: OrderContext, e: Recorded<EventOf<"ExitFilled">>): OrderContext => {
  const fills = freshFills(c, e.data.fills)
  let exit = c.exit
  let legFilled = c.legs.find((leg) => leg.clientOrderId === e.data.clientOrderId)?.filled ?? str(dec("0"))
  for (const fill of fills) {
    exit = {
      quantity: plus(exit.quantity, fill.quantity),
      quote: str(add(dec(exit.quote), mul(dec(fill.price), dec(fill.quantity)))),
      feesQuote: plus(exit.feesQuote, fill.feeQuote),
    }
    legFilled = plus(legFilled, fill.quantity)
  }
  const leg = c.legs.find((one) => one.clientOrderId === e.data.clientOrderId)
  const done = leg !== undefined && gte(dec(legFilled), dec(leg.quantity))
  const counted = changeLeg({ ...c, exit, trades: [...c.trades, ...fills.map((fill) => fill.tradeId)] }, e.data.clientOrderId, {
    filled: legFilled,
    ...(done ? { status: "over" as const } : leg?.status === "sending" || leg?.status === "unknown" ? { status: "live" as const } : {}),
  })
  return protect({ ...askForSibling(counted, leg), closedBy: e.data.leg }, e.atMs)
}

/** Of a list one leg trades: the other is over, and that is proven. It protects nothing any more. */
const askForSibling = (c: OrderContext, leg: ExitLeg | undefined): OrderContext => {
  const sibling = leg === undefined ? undefined : siblingOf(c, leg)
  if (sibling?.status !== "live") return c
  const asked = changeLeg(c, sibling.clientOrderId, { status: "unknown" })
  const { leg: kind, clientOrderId } = sibling
  return { ...asked, commands: [...c.commands, { type: "resolveLeg", leg: kind, clientOrderId }] }
}

const onLegOver = (c: OrderContext, clientOrderId: string, atMs: number): OrderContext =>
  protect(changeLeg(c, clientOrderId, { status: "over" }), atMs)

/** Ended by us (merged), or by the venue: then the next one goes at once the first time, and more slowly each time after. */
const onLegEnded = (c: OrderContext, e: Recorded<EventOf<"LegEnded">>): OrderContext => {
  const leg = c.legs.find((one) => one.clientOrderId === e.data.clientOrderId)
  if (leg === undefined) return protect(withSeen(c, e.data.clientOrderId), e.atMs)
  if (leg.status === "cancelling" || e.data.how === "filled") return onLegOver(c, e.data.clientOrderId, e.atMs)
  // A list ends as one: it is counted once.
  if (usesLists(c) && leg.leg === "target") return onLegOver(c, e.data.clientOrderId, e.atMs)
  const refusals = c.legRefusals + 1
  const wait = refusals < 2 ? c.retryAtMs : e.atMs + backOffMs(refusals)
  return onLegOver({ ...c, legRefusals: refusals, retryAtMs: wait }, e.data.clientOrderId, e.atMs)
}

/** A time that is not due yet. */
const still = (atMs: number | null, dueAtMs: number): number | null => (atMs !== null && atMs > dueAtMs ? atMs : null)

const onDeadline = (c: OrderContext, e: Recorded<EventOf<"DeadlinePassed">>): OrderContext => {
  switch (e.data.deadline) {
    case "entry":
      return { ...c, entryTimedOut: true }
    case "protection":
      return protect(c.closing === null ? { ...c, closeNeeded: "protection" } : c, e.atMs)
    case "partial":
      return protect({ ...c, graceOver: true }, e.atMs)
    case "retry":
      return protect(
        {
          ...c,
          retryAtMs: still(c.retryAtMs, e.data.dueAtMs),
          targetRetryAtMs: still(c.targetRetryAtMs, e.data.dueAtMs),
          saleRetryAtMs: still(c.saleRetryAtMs, e.data.dueAtMs),
        },
        e.atMs,
      )
  }
}

const onCloseReported = (c: OrderContext, { data }: Recorded<EventOf<"CloseReported">>): OrderContext =>
  c.job === null || c.job.reported.includes(data.order)
    ? c
    : {
        ...c,
        job: {
          ...c.job,
          reported: [...c.job.reported, data.order],
          quantity: plus(c.job.quantity, data.quantity),
          quote: plus(c.job.quote, data.quote),
          feesQuote: plus(c.job.feesQuote, data.fees),
          cancelledEntries: c.job.cancelledEntries + (data.cancelledEntry ? 1 : 0),
          parkedLots: data.parked === true ? [...c.job.parkedLots, data.order] : c.job.parkedLots,
        },
      }

const step = (c: OrderContext, e: Recorded): OrderContext => {
  switch (e.type) {
    case "SignalReceived":
      return onReceived(c, e)
    case "SignalValidated":
      return { ...c, venue: e.data.venue, simulation: e.data.mode === "simulation" || c.simulation }
    case "OrderSized":
      return {
        ...c,
        side: e.data.side,
        orderType: e.data.type,
        quantity: e.data.quantity,
        price: e.data.price ?? e.data.triggerPrice ?? e.data.referencePrice,
        timeInForce: e.data.timeInForce ?? null,
        stopPrice: e.data.stop?.price ?? null,
        targetPrice: e.data.target?.price ?? null,
      }
    case "EntryIntended":
      return onIntended(c, e)
    case "EntryAccepted": {
      const live = withEntry(c, { status: "live", venueOrderId: e.data.venueOrderId, sentAtMs: e.data.sentAtMs })
      return protect(cancelIfWanted(live), e.atMs)
    }
    case "EntryRefused":
      // Kept until it is known that nothing was filled: what the venue said is why the order failed.
      return {
        ...withEntry(withoutPending(c), { status: "over", ended: "refused", sentAtMs: e.data.sentAtMs }),
        reason: reason("ENTRY_REFUSED", `${e.data.code} ${e.data.message}`.trim(), e.data.class),
      }
    case "EntryListRefused":
      return onEntryListRefused(c, e)
    case "EntryNotSent":
      return { ...withEntry(withoutPending(c), { status: "over", ended: "notSent" }), reason: e.data.reason }
    case "EntryUnknown":
      return c.entry === null
        ? c
        : {
            ...withEntry(c, { status: "unknown", sentAtMs: e.data.sentAtMs ?? c.entry.sentAtMs }),
            commands: [{ type: "resolveEntry", clientOrderId: c.entry.clientOrderId }],
          }
    case "EntryNotPlaced":
      return withEntry(withoutPending(c), { status: "over", ended: "notPlaced" })
    case "EntryPartlyFilled":
    case "EntryFilled":
    case "LateFillFound":
      return onEntryFills(c, e)
    case "EntryCancelRequested":
      return cancelIfWanted(withEntry(c, { cancelReason: e.data.reason, cancelBy: e.data.by }))
    case "EntryEnded":
      return protect(
        withEntry(withoutPending(c), {
          status: "over",
          ended: e.data.how,
          venueOrderId: e.data.venueOrderId ?? c.entry?.venueOrderId ?? null,
        }),
        e.atMs,
      )
    case "StopAccepted":
    case "TargetAccepted":
    case "FlattenAccepted":
      return onLegAccepted(c, e)
    case "LegRefused":
      return onLegRefused(c, e)
    case "LegUnknown": {
      // The stream may have told before the reply got lost: then there is nothing to ask.
      const status = statusOf(c, e.data.clientOrderId)
      return status === "sending" || status === "unknown" ? askFor(c, e.data) : c
    }
    case "LegNotPlaced":
      // Forgotten, not over: should the venue show it after all, it is taken in like any leg that is ours.
      return protect(
        { ...c, legs: c.legs.filter((leg) => leg.clientOrderId !== e.data.clientOrderId && leg.clientOrderId !== e.data.sibling) },
        e.atMs,
      )
    case "LegEnded":
      return onLegEnded(c, e)
    case "SiblingCancelled":
      return onLegOver(withSeen(c, e.data.clientOrderId), e.data.clientOrderId, e.atMs)
    case "CloseRequested":
      return protect(
        {
          ...c,
          closing: { cause: e.data.cause, by: e.data.by, sinceMs: e.atMs },
          closeNeeded: null,
          retryAtMs: null,
          saleRetryAtMs: null,
          exitBeforeClose: c.exit,
        },
        e.atMs,
      )
    case "ExitFilled":
      return onExitFilled(c, e)
    case "LotClosed":
      return {
        ...c,
        lotClosed: true,
        profit: e.data.profit,
        closedCause: c.closing?.cause ?? null,
        closing: null,
        closeNeeded: null,
        settledExit: c.exit,
        unprotectedSinceMs: null,
        graceSinceMs: null,
        graceOver: false,
        saleRetryAtMs: null,
      }
    case "DustLeft":
      return protect({ ...c, dust: plus(c.dust, e.data.quantity) }, e.atMs)
    case "CloseIntended":
      return {
        ...c,
        job: {
          cause: e.data.cause,
          lots: e.data.lots,
          reported: [],
          quantity: str(dec("0")),
          quote: str(dec("0")),
          feesQuote: str(dec("0")),
          cancelledEntries: 0,
          parkedLots: [],
        },
        commands: [{ type: "closeLots", lots: e.data.lots }],
      }
    case "CloseReported":
      return onCloseReported(c, e)
    case "OrderCompleted":
      return { ...c, settled: "filled" }
    case "OrderFailed":
      return { ...c, settled: "failed", reason: e.data.reason }
    case "DeadlinePassed":
      return onDeadline(c, e)
    case "OrderAdopted":
      // Time spent down is reported apart: the protection clock starts anew with whoever can act again.
      return {
        ...c,
        adoptedAtMs: [...c.adoptedAtMs, e.atMs].slice(-10),
        unprotectedSinceMs: c.unprotectedSinceMs === null ? null : e.atMs,
      }
    case "StepFailed":
      return { ...c, stepFailures: e.data.count }
    case "OrderParked":
      return { ...c, parked: { code: e.data.code, detail: e.data.detail } }
    case "OrderUnparked":
      // What it lacks is asked for at once, and its clock starts with whoever can act again.
      return protect({ ...c, parked: null, stepFailures: 0, adoptedAtMs: [], unprotectedSinceMs: null }, e.atMs)
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
  const cleared: OrderContext = { ...c, version: e.version, commands: [] }
  const stepped = step(cleared, e)
  const covered = !stepped.wasCovered && openQuantity(stepped).value > 0n && stopsCover(stepped)
  const after = covered ? { ...stepped, wasCovered: true } : stepped
  lastEvent = e
  lastBefore = c
  lastAfter = after
  return after
}
