/**
 * The decision: from a received signal to the intent of an entry (or of a close), in one go and without asking anybody.
 * What comes out is appended after SignalReceived in one append (docs/design.md section 4.1):
 *
 *     SignalValidated, OrderSized, EntryIntended     an entry
 *     SignalValidated, OrderSized, CloseIntended     an opposite signal or a close
 *     SignalValidated?, OrderFailed                  declined, with its reason
 *
 * Promises: pure, never throws for anything that a signal or the market says, and everything that the decision used is in
 * the events, so that it can be taken again. It reserves nothing: the caller takes the slot in the lot book in the same
 * synchronous step. What throws is what this program got wrong itself (settings or rules that hold no decimals).
 */
import type {
  BracketPlan,
  ClientOrderId,
  DecimalString,
  EventData,
  LegRequest,
  LotToClose,
  MarketPrice,
  OrderEvent,
  OrderId,
  Reason,
  Side,
  Signal,
  SymbolRules,
} from "@petrosa/contracts"
import { add, clientOrderId, dec, mul, reason, str, sum, ZERO } from "@petrosa/contracts"
import { armedBracket } from "./armed.ts"
import { type BracketDecision, solveBracket } from "./bracketSolver.ts"
import { declined, depthOfValidation } from "./declined.ts"
import { type Decision, hasLimitPrice, isRefused, rulesNumbers } from "./filters.ts"
import { exitSideOf } from "./geometry.ts"
import { decideAgainstLots, type LotBookView } from "./lotBook.ts"
import { type EntryPrices, entryPrices, type LivePrice, livePriceOf, noLivePrice } from "./pricing.ts"
import { type DecisionSettings, type FreeBalance, settingsNumbers, type VenueFacts } from "./settings.ts"
import { exitQuantity, type Size, sizeEntry } from "./sizing.ts"
import { textOf } from "./textOf.ts"
import { validate } from "./validate.ts"

/** More live stops (or targets) of one lot than this are merged, smallest first. */
export const MAX_LEGS_OF_A_KIND = 4

export interface EntryInputs {
  readonly order: OrderId
  readonly engineId: string
  readonly signal: Signal
  readonly nowMs: number
  readonly settings: DecisionSettings
  /** `undefined`: the venue knows no such symbol. */
  readonly rules: SymbolRules | undefined
  readonly venue: VenueFacts
  readonly freeBalance: FreeBalance
  /** The newest price of the market, where one is known: deviation, side of triggers, size of market orders. */
  readonly livePrice?: MarketPrice | undefined
  /** What the exchange itself holds PERCENT_PRICE and notionals against (futures: mark; spot: average), where it is known. */
  readonly marketPrice?: MarketPrice | undefined
  /** `LotBook.view(…, order)`: without this order itself. */
  readonly book: LotBookView
}

type Sized = EventData["OrderSized"]

/** The events that follow SignalReceived. Never empty. */
export const decideEntry = (inputs: EntryInputs): readonly OrderEvent[] => {
  const validation = validate(inputs.signal, inputs)
  if ("reason" in validation) {
    const end = declined(validation.reason, inputs, depthOfValidation(validation.reason))
    return validation.validated === undefined ? [end] : [{ type: "SignalValidated", data: validation.validated }, end]
  }
  const validated: OrderEvent = { type: "SignalValidated", data: validation.ok }
  const lots = decideAgainstLots(inputs.book, inputs.signal, inputs.settings, inputs.venue, inputs.rules)
  if ("reason" in lots) return [validated, declined(lots.reason, inputs, "book")]
  if (lots.kind === "close") return [validated, ...closing(inputs, lots.lots, lots.cause, validation.live)]
  const entry = entryOf(inputs, lots.side, validation.live)
  if (isRefused(entry)) return [validated, declined(entry.reason, inputs, "size")]
  const sized = entry.ok
  return [validated, { type: "OrderSized", data: sized }, intended(inputs, sized)]
}

/** The size, the prices and the bracket of an entry; with `recorded`, that very size is judged by today's inputs. */
const entryOf = (inputs: EntryInputs, side: Side, live: LivePrice | undefined, recorded?: Sized): Decision<Sized> => {
  const { signal, settings, venue } = inputs
  const rules = inputs.rules as SymbolRules // validate() has refused an unknown symbol
  // Only here: an opposite signal that closes is a way out, and nobody is kept from that by a feed.
  if (live === undefined && settings.livePriceRequired === true) return { reason: noLivePrice(inputs.livePrice, inputs.nowMs, settings) }
  const exchange = livePriceOf(inputs.marketPrice, inputs.nowMs, settings)
  if (isRefused(exchange)) return exchange
  const prices = entryPrices(signal, side, rules, live, exchange.ok)
  if (isRefused(prices)) return prices
  const bracket = solveBracket({ signal, entrySide: side, reference: prices.ok.reference, settings, rules })
  if (isRefused(bracket)) return bracket
  const size = sizeEntry({
    signal,
    side,
    prices: prices.ok,
    rules,
    settings,
    venue,
    freeBalance: inputs.freeBalance,
    exitPrices: [recorded?.stop?.price ?? bracket.ok.stop.price, recorded?.target?.price ?? bracket.ok.target.price],
    heldNotional: heldNotional(inputs.book, side),
    recorded,
  })
  return isRefused(size) ? size : { ok: sizedOf(inputs, side, prices.ok, bracket.ok, size.ok, rules) }
}

const heldNotional = (book: LotBookView, side: Side) =>
  book.own.length === 0 ? ZERO : sum(book.own.filter((lot) => lot.side === side).map((lot) => dec(lot.notional)))

const sizedOf = (inputs: EntryInputs, side: Side, prices: EntryPrices, bracket: BracketDecision, size: Size, rules: SymbolRules): Sized => {
  const { signal } = inputs
  const type = signal.orderType
  const { stop, target } = bracket
  const { basis } = size
  const quantity = str(size.quantity)
  const notional = str(size.notional)
  const referencePrice = textOf(prices.reference)
  const notes = notesOf(prices.notes, bracket.notes, size.notes)
  const recorded = sizingInputs(inputs, prices, rules)
  // Most entries have no price of their own: one shape, without parts that may be missing.
  if (type === "market" && size.icebergQuantity === undefined)
    return { side, quantity, notional, type, referencePrice, basis, stop, target, notes, inputs: recorded }
  return {
    side,
    quantity,
    notional,
    type,
    ...(prices.price === undefined ? {} : { price: str(prices.price) }),
    ...(prices.triggerPrice === undefined ? {} : { triggerPrice: str(prices.triggerPrice) }),
    ...(hasLimitPrice(type) ? { timeInForce: signal.timeInForce } : {}),
    ...(size.icebergQuantity === undefined ? {} : { icebergQuantity: str(size.icebergQuantity) }),
    referencePrice,
    basis,
    stop,
    target,
    notes,
    inputs: recorded,
  }
}

const notesOf = (a: readonly string[], b: readonly string[], c: readonly string[]): readonly string[] =>
  a.length + b.length + c.length === 0 ? [] : [...a, ...b, ...c]

/** Everything that a size and a bracket were decided on, as text. */
const sizingInputs = (inputs: EntryInputs, prices: EntryPrices, rules: SymbolRules): Readonly<Record<string, string>> => ({
  ...standingInputs(inputs, rules),
  free_balance: "known" in inputs.freeBalance ? `${inputs.freeBalance.known} ${rules.quoteAsset}` : "unknown",
  market_price: textOf(prices.market),
  exchange_reference: textOf(prices.exchangeReference),
  market_price_source: prices.marketSource,
  sized_by_price: textOf(prices.sizing),
  open_positions: String(inputs.book.openPositions),
  own_lots: String(inputs.book.own.length),
})

interface Standing {
  readonly settings: DecisionSettings
  readonly venue: VenueFacts
  readonly recorded: Readonly<Record<string, string>>
}

/** The last ones of these rules: settings and what a venue can do hardly ever change. */
const standing = new WeakMap<SymbolRules, Standing>()

/**
 * What settings, rules and venue say, and a place for all the rest: a copy of it has every name already, in the order in which
 * they are recorded.
 */
const standingInputs = ({ settings, venue }: EntryInputs, rules: SymbolRules): Standing["recorded"] => {
  const known = standing.get(rules)
  if (known !== undefined && known.settings === settings && known.venue === venue) return known.recorded
  const recorded = {
    ...settingsNumbers(settings).sizingInputs,
    ...rulesInputs(rules),
    free_balance: "",
    market_price: "",
    exchange_reference: "",
    market_price_source: "",
    sized_by_price: "",
    open_positions: "",
    own_lots: "",
    position_mode: venue.positionMode,
    fee_rate: venue.feeRate,
    base_fee_rate: venue.baseFeeRate,
  }
  standing.set(rules, { settings, venue, recorded })
  return recorded
}

const rulesInputs = ({ price, lot, marketLot, notional, percentPrice }: SymbolRules): Readonly<Record<string, string>> => ({
  filter_price: `${price.min} to ${price.max}, tick ${price.tick}`,
  filter_lot: `${lot.min} to ${lot.max}, step ${lot.step}`,
  filter_market_lot: `${marketLot.min} to ${marketLot.max}, step ${marketLot.step}`,
  filter_notional: `${notional.min} to ${notional.max}${notional.reduceOnlyExempt ? ", reduce-only exempt" : ""}`,
  filter_percent_price: `buy ${percentPrice.buyDown} to ${percentPrice.buyUp}, sell ${percentPrice.sellDown} to ${percentPrice.sellUp}`,
})

/** The intent of the entry: the request, its deadlines, and the plan of its bracket. */
const intended = (inputs: EntryInputs, sized: Sized): OrderEvent => {
  const { signal, settings, venue, nowMs } = inputs
  const rules = inputs.rules as SymbolRules
  const request = requestOf(clientOrderId(inputs.engineId, inputs.order, "entry", 1), sized)
  return {
    type: "EntryIntended",
    data: {
      request,
      venue: venue.name,
      market: signal.market,
      symbol: signal.symbol,
      quoteAsset: rules.quoteAsset,
      baseAsset: rules.baseAsset,
      sendByMs: nowMs + settings.sendDeadlineMs,
      receiveWindowMs: Math.min(venue.receiveWindowMs, settings.sendDeadlineMs),
      expiresAtMs: nowMs + (signal.entryTimeoutS === undefined ? settings.entryTimeoutMs : signal.entryTimeoutS * 1000),
      plan: planOf(inputs, sized, rules),
    },
  }
}

const requestOf = (id: ClientOrderId, sized: Sized): LegRequest => {
  const { side, type, quantity } = sized
  const plain =
    sized.price === undefined && sized.triggerPrice === undefined && sized.timeInForce === undefined && sized.icebergQuantity === undefined
  if (plain) return { clientOrderId: id, leg: "entry", side, type, quantity, reduceOnly: false }
  return {
    clientOrderId: id,
    leg: "entry",
    side,
    type,
    quantity,
    ...(sized.price === undefined ? {} : { price: sized.price }),
    ...(sized.triggerPrice === undefined ? {} : { triggerPrice: sized.triggerPrice }),
    ...(sized.timeInForce === undefined ? {} : { timeInForce: sized.timeInForce }),
    ...(sized.icebergQuantity === undefined ? {} : { icebergQuantity: sized.icebergQuantity }),
    reduceOnly: false,
  }
}

const planOf = (inputs: EntryInputs, sized: Sized, rules: SymbolRules): BracketPlan => {
  if (sized.stop === undefined || sized.target === undefined) throw new RangeError("an entry was sized without a stop or a target")
  const n = rulesNumbers(rules)
  const lists = inputs.venue.bracketStyle === "oco" && inputs.signal.market === "spot"
  const legs: BracketPlan = {
    style: lists ? "oco" : "legs",
    exitSide: exitSideOf(sized.side),
    stop: sized.stop.rule,
    target: sized.target.rule,
    maxQuantity: sized.quantity,
    tickSize: rules.price.tick,
    // Exits trade at market: their quantities obey both step filters.
    stepSize: n.marketStepText,
    minQuantity: n.marketMinText,
    protectionDeadlineMs: inputs.settings.protectionDeadlineMs,
    maxLegsOfAKind: MAX_LEGS_OF_A_KIND,
  }
  if (!lists) return legs
  const plan: BracketPlan = {
    ...legs,
    partialGraceMs: inputs.settings.partialGraceMs,
    ...(rules.notional.reduceOnlyExempt ? {} : { minNotional: rules.notional.min }),
  }
  if (inputs.venue.armsEntries !== true) return plan
  const { order, engineId } = inputs
  const quantity = exitQuantity(dec(sized.quantity), sized.side, rules, inputs.venue)
  const armed = armedBracket({ order, engineId, sized, plan, exitQuantity: quantity })
  return armed === undefined ? plan : { ...plan, armed }
}

/** A close: what the lots hold, at market. Entries on their way are cancelled, and what filled of them is closed. */
const closing = (
  inputs: EntryInputs,
  lots: readonly LotToClose[],
  cause: "opposite" | "close",
  live: LivePrice | undefined,
): readonly OrderEvent[] => {
  const { signal, settings } = inputs
  const market = live?.price ?? dec(signal.currentPrice)
  let quantity = ZERO
  for (const lot of lots) quantity = add(quantity, dec(lot.quantity))
  const sides = new Set(lots.map((lot) => lot.side))
  const notes = [
    ...(cause === "opposite" && signal.orderType !== "market"
      ? [`a close trades at market: order_type ${signal.orderType} at ${signal.price} has no effect`]
      : []),
    ...(cause === "opposite" && signal.quantity !== undefined
      ? [`a close takes whole lots: quantity ${signal.quantity} has no effect`]
      : []),
    ...(sides.size > 1 ? ["lots of both sides are closed"] : []),
  ]
  const sized: Sized = {
    side: exitSideOf(lots[0]?.side ?? "buy"),
    quantity: str(quantity),
    notional: str(mul(quantity, market)),
    type: "market",
    referencePrice: str(market),
    basis: "lots",
    notes,
    lots,
    inputs: {
      SETTINGS_VERSION: settings.version,
      OPPOSITE_SIGNAL: settings.oppositeSignal,
      market_price: str(market),
      market_price_source: live?.source ?? "signal",
      own_lots: String(inputs.book.own.length),
    },
  }
  return [
    { type: "OrderSized", data: sized },
    { type: "CloseIntended", data: { lots, cause } },
  ]
}

/**
 * Recovery from a prefix of that append (`recorded`: what the stream holds after SignalReceived). The missing decisions
 * are taken with today's inputs, and all checks are made again: a signal that grew too old, a slot that is taken, a price
 * that ran away fail with their own reason. A recorded size is kept as it is; when it no longer holds the order ends with
 * INPUTS_CHANGED. Empty when nothing is missing.
 */
export const redecide = (inputs: EntryInputs, recorded: readonly OrderEvent[]): readonly OrderEvent[] => {
  let hasValidated = false
  let sized: Sized | undefined
  for (const event of recorded) {
    if (event.type === "SignalValidated") hasValidated = true
    else if (event.type === "OrderSized") sized = event.data
    else if (event.type === "EntryIntended" || event.type === "CloseIntended" || event.type === "OrderFailed") return []
  }
  if (sized === undefined) {
    const events = decideEntry(inputs)
    return hasValidated ? events.filter((event) => event.type !== "SignalValidated") : events
  }
  const validation = validate(inputs.signal, inputs)
  const failed = (why: Reason): OrderEvent => declined(why, inputs, "size")
  if ("reason" in validation) return [failed(validation.reason)]
  const lots = decideAgainstLots(inputs.book, inputs.signal, inputs.settings, inputs.venue, inputs.rules)
  if ("reason" in lots) return [failed(lots.reason)]
  if (lots.kind === "close")
    // What a close closes is what is held today; a recorded entry must not become a close, nor the other way round.
    return sized.basis === "lots"
      ? [{ type: "CloseIntended", data: { lots: lots.lots, cause: lots.cause } }]
      : [failed(reason("INPUTS_CHANGED", "this strategy now holds the other side", "nothing of the other side held"))]
  if (sized.basis === "lots") return [failed(reason("INPUTS_CHANGED", "nothing is left to close", `${sized.quantity} to close`))]
  return [stillHolds(inputs, lots.side, validation.live, sized)]
}

const stillHolds = (inputs: EntryInputs, side: Side, live: LivePrice | undefined, recorded: Sized): OrderEvent => {
  const again = entryOf(inputs, side, live, recorded)
  if (isRefused(again)) {
    const { code, observed, limit } = again.reason
    return declined(reason("INPUTS_CHANGED", `${code}: ${observed ?? again.reason.message}`, limit), inputs, "size")
  }
  const differing = (["quantity", "price", "triggerPrice", "icebergQuantity"] as const).find((name) => again.ok[name] !== recorded[name])
  return differing === undefined
    ? intended(inputs, recorded)
    : declined(
        reason("INPUTS_CHANGED", `${differing} ${shown(again.ok[differing])}`, `${differing} ${shown(recorded[differing])}, as recorded`),
        inputs,
        "size",
      )
}

const shown = (value: DecimalString | undefined): string => value ?? "none"
