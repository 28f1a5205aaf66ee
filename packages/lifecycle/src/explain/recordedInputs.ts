/**
 * The inputs of a decision, put together again from what its events recorded. Pure.
 *
 * A decline holds them as they were (`OrderFailed.inputs`), as far as they were read: what is not recorded throws
 * {@link GoesOn} when it is read, since a decision that gets there is another one. An entry or a close holds them as text in
 * its events; what those do not say is taken as it must have been, and listed in `assumed`.
 */
import type {
  DecimalString,
  DeclineInputs,
  EventData,
  EventRecord,
  MarketPrice,
  OrderId,
  Reason,
  Signal,
  SymbolRules,
} from "@petrosa/contracts"
import { canonical, ORDER_TYPES, parseClientOrderId, parseDecimal, TIMES_IN_FORCE } from "@petrosa/contracts"
import type { EntryInputs } from "../decisions/decide.ts"
import type { LotBookView, LotEntry } from "../decisions/lotBook.ts"
import { EMPTY_VIEW } from "../decisions/lotBook.ts"
import { DEFAULT_DECISION_SETTINGS, type DecisionSettings, type VenueFacts } from "../decisions/settings.ts"

type Texts = Readonly<Record<string, string>>

/** The decision got past the point at which it had been declined; `what`: what it would read next. */
export class GoesOn extends Error {
  override readonly name = "GoesOn"
  readonly what: string
  constructor(what: string) {
    super(`it goes on, to ${what}`)
    this.what = what
  }
}

export const dataOf = <K extends keyof EventData>(records: readonly EventRecord[], type: K): EventData[K] | undefined =>
  records.find((record) => record.type === type)?.data as EventData[K] | undefined

export type Rebuilt = { readonly inputs: EntryInputs; readonly assumed: readonly string[] } | { readonly missing: string }

/** Refusals that are found before a size is worked out, and need nothing that only OrderSized would hold. */
const NEEDS_NO_SIZE: ReadonlySet<string> = new Set([
  "HOLD",
  "LOW_CONFIDENCE",
  "SIGNAL_TOO_OLD",
  "SIGNAL_FROM_FUTURE",
  "SYMBOL_UNKNOWN",
  "NOTHING_TO_CLOSE",
])

/** The inputs of an entry, of a close, or of a decline without `inputs`. */
export const inputsOf = (order: OrderId, signal: Signal, decision: readonly EventRecord[]): Rebuilt => {
  const validated = dataOf(decision, "SignalValidated")
  const sized = dataOf(decision, "OrderSized")
  const intended = dataOf(decision, "EntryIntended")
  const why = dataOf(decision, "OrderFailed")?.reason
  if (sized === undefined && why !== undefined && !NEEDS_NO_SIZE.has(why.code))
    return {
      missing:
        why.code === "MARKET_NOT_AVAILABLE"
          ? "no venue was configured for its market, so that there was nothing to decide with"
          : `its ${why.code} was recorded by an earlier version: with the rule, what was observed and the limit, but not all that was read to get there`,
    }
  const assumed: string[] = []
  const nowMs = validated?.nowMs ?? Date.parse(decision[0]?.at ?? "")
  const settings = settingsOf(validated?.limits ?? {}, sized?.inputs ?? {}, intended, nowMs, why)
  if (validated === undefined) assumed.push("settings that are not named in the reason: their defaults")
  const sizedInputs = sized?.inputs ?? {}
  const rules = why?.code === "SYMBOL_UNKNOWN" ? undefined : rulesOf(signal, sizedInputs, intended)
  if (intended !== undefined) assumed.push("the symbol's order types, times in force and status: as they must have been")
  const live = livePriceOf(signal, validated, nowMs)
  return {
    inputs: {
      order,
      engineId: intended === undefined ? "0000" : (parseClientOrderId(intended.request.clientOrderId)?.engineId ?? "0000"),
      signal,
      nowMs,
      settings,
      rules,
      venue: venueOf(signal, validated, sizedInputs, intended),
      freeBalance: freeBalanceOf(sizedInputs),
      livePrice: live,
      marketPrice: exchangePriceOf(signal, sizedInputs, live, nowMs),
      book: bookOf(signal, sized, why, assumed),
    },
    assumed,
  }
}

/** The inputs of a decline that recorded them. */
export const declinedInputs = (order: OrderId, signal: Signal, read: DeclineInputs): EntryInputs => {
  const { nowMs, book } = read
  // One object: what is worked out of settings and rules is kept by identity.
  const settings = settingsOf(read.settings, read.settings, undefined, nowMs, undefined)
  const rules = read.rules === undefined || read.rules === null ? undefined : { ...rulesOf(signal, {}, undefined), ...read.rules }
  return {
    order,
    engineId: "0000",
    signal,
    nowMs,
    settings,
    venue: { ...read.venue, bracketStyle: "legs", receiveWindowMs: 0 },
    get rules() {
      return read.rules === undefined ? goesOn("the symbol") : rules
    },
    get livePrice() {
      return read.livePrice === undefined ? goesOn("the live price") : (read.livePrice ?? undefined)
    },
    get book(): LotBookView {
      if (book === undefined) return goesOn("what is held")
      return { ...book, own: book.own.map((lot) => ({ ...bare(signal), ...lot })) }
    },
    get marketPrice() {
      return read.marketPrice === undefined ? goesOn("prices and a size") : (read.marketPrice ?? undefined)
    },
    get freeBalance() {
      return read.freeBalance ?? goesOn("the balance")
    },
  }
}

const goesOn = (what: string): never => {
  throw new GoesOn(what)
}

const bare = (signal: Signal): Omit<LotEntry, "order" | "side" | "quantity" | "notional"> => ({
  venue: "",
  strategyId: signal.strategyId,
  market: signal.market,
  symbol: signal.symbol,
  state: "open",
})

const pick = (name: string, ...from: readonly Texts[]): string | undefined => from.find((texts) => texts[name] !== undefined)?.[name]

/** Settings as the decision recorded them; those that no event names are the defaults, which then decided nothing. */
const settingsOf = (
  limits: Texts,
  sizing: Texts,
  intended: EventData["EntryIntended"] | undefined,
  nowMs: number,
  why: Reason | undefined,
): DecisionSettings => {
  const d = DEFAULT_DECISION_SETTINGS
  const decimal = (name: string, otherwise: DecimalString): DecimalString => {
    const text = pick(name, limits, sizing)
    return text === undefined ? otherwise : canonical(text)
  }
  const count = (name: string, otherwise: number): number => Number(pick(name, limits, sizing) ?? otherwise)
  const list = (name: string): readonly string[] => (limits[name] ?? "").split(",").filter((one) => one !== "")
  const named = (name: string): string | undefined =>
    why?.limit?.startsWith(`${name} `) === true ? why.limit.slice(name.length + 1) : undefined
  const maxAgeS = /^([\d.]+) s$/.exec(why?.code === "SIGNAL_TOO_OLD" ? (why.limit ?? "") : "")?.[1]
  return {
    version: pick("SETTINGS_VERSION", limits, sizing) ?? d.version,
    minConfidence: canonical(named("MIN_CONFIDENCE") ?? decimal("MIN_CONFIDENCE", d.minConfidence)),
    maxSignalAgeMs: maxAgeS === undefined ? count("MAX_SIGNAL_AGE_SECONDS", d.maxSignalAgeMs / 1000) * 1000 : Number(maxAgeS) * 1000,
    symbolsAllowed: list("SYMBOLS_ALLOWED"),
    symbolsDenied: list("SYMBOLS_DENIED"),
    maxPriceDeviationPct: decimal("MAX_PRICE_DEVIATION_PCT", d.maxPriceDeviationPct),
    maxPriceAgeMs: count("MAX_PRICE_AGE_MS", d.maxPriceAgeMs),
    livePriceRequired: pick("LIVE_PRICE_REQUIRED", limits) === "true",
    sizing: pick("SIZING", sizing) === "confidence" ? "confidence" : "signal",
    positionSizePct: decimal("POSITION_SIZE_PCT", d.positionSizePct),
    sizeBelowMinimum: pick("SIZE_BELOW_MINIMUM", sizing) === "refuse" ? "refuse" : "raise",
    maxPositionNotional: decimal("MAX_POSITION_NOTIONAL", d.maxPositionNotional),
    maxOpenPositions: count("MAX_OPEN_POSITIONS", d.maxOpenPositions),
    maxLotsPerStrategySymbol: count("MAX_LOTS_PER_STRATEGY_SYMBOL", d.maxLotsPerStrategySymbol),
    oppositeSignal: pick("OPPOSITE_SIGNAL", sizing) === "refuse" ? "refuse" : "close",
    stopLossDefaultPct: decimal("STOP_LOSS_DEFAULT", d.stopLossDefaultPct),
    takeProfitDefaultPct: decimal("TAKE_PROFIT_DEFAULT", d.takeProfitDefaultPct),
    atrStopMultiple: decimal("ATR_STOP_MULTIPLE", d.atrStopMultiple),
    atrTargetMultiple: decimal("ATR_TARGET_MULTIPLE", d.atrTargetMultiple),
    minStopDistancePct: decimal("MIN_STOP_DISTANCE_PCT", d.minStopDistancePct),
    maxStopDistancePct: decimal("MAX_STOP_DISTANCE_PCT", d.maxStopDistancePct),
    minTargetDistancePct: decimal("MIN_TARGET_DISTANCE_PCT", d.minTargetDistancePct),
    entryTimeoutMs: intended === undefined ? d.entryTimeoutMs : intended.expiresAtMs - nowMs,
    sendDeadlineMs: intended === undefined ? d.sendDeadlineMs : intended.sendByMs - nowMs,
    protectionDeadlineMs: intended?.plan.protectionDeadlineMs ?? d.protectionDeadlineMs,
    partialGraceMs: intended?.plan.partialGraceMs ?? d.partialGraceMs,
  }
}

const ANY = canonical("0")

/** `0.001 to 1000, step 0.001` and the like, as decide.ts writes them. */
const range = (text: string | undefined): { readonly min: DecimalString; readonly max: DecimalString; readonly step: DecimalString } => {
  const found = /^(\S+) to ([^\s,]+)(?:, (?:tick|step) (\S+))?/.exec(text ?? "")
  const part = (n: number): DecimalString => {
    const value = found?.[n]
    return value !== undefined && parseDecimal(value) !== undefined ? canonical(value) : ANY
  }
  return { min: part(1), max: part(2), step: part(3) }
}

const rulesOf = (signal: Signal, inputs: Texts, intended: EventData["EntryIntended"] | undefined): SymbolRules => {
  const price = range(inputs["filter_price"])
  const percent = /^buy (\S+) to (\S+), sell (\S+) to (\S+)$/.exec(inputs["filter_percent_price"] ?? "")
  const multiple = (n: number): DecimalString => canonical(percent?.[n] ?? "0")
  const notional = range(inputs["filter_notional"])
  return {
    symbol: signal.symbol,
    market: signal.market,
    status: "TRADING",
    trading: true,
    baseAsset: intended?.baseAsset ?? "",
    quoteAsset: intended?.quoteAsset ?? "",
    orderTypes: ORDER_TYPES,
    timesInForce: TIMES_IN_FORCE,
    icebergAllowed: true,
    price: { min: price.min, max: price.max, tick: price.step },
    lot: range(inputs["filter_lot"]),
    marketLot: range(inputs["filter_market_lot"]),
    notional: {
      min: notional.min,
      max: notional.max,
      minAppliesToMarket: true,
      maxAppliesToMarket: false,
      reduceOnlyExempt: (inputs["filter_notional"] ?? "").endsWith("reduce-only exempt"),
    },
    percentPrice: { buyDown: multiple(1), buyUp: multiple(2), sellDown: multiple(3), sellUp: multiple(4) },
    maxOpenOrders: 0,
    maxAlgoOrders: 0,
    icebergParts: 0,
    unknownFilters: [],
  }
}

const venueOf = (
  signal: Signal,
  validated: EventData["SignalValidated"] | undefined,
  inputs: Texts,
  intended: EventData["EntryIntended"] | undefined,
): VenueFacts => ({
  name: validated?.venue ?? "",
  mode: validated?.mode ?? "simulation",
  markets: [signal.market],
  bracketStyle: intended?.plan.style ?? "legs",
  armsEntries: intended?.plan.armed !== undefined,
  shortMarkets: ["futures"],
  positionMode: inputs["position_mode"] === "one-way" ? "one-way" : "hedge",
  receiveWindowMs: intended?.receiveWindowMs ?? 0,
  feeRate: canonical(inputs["fee_rate"] ?? "0"),
  baseFeeRate: canonical(inputs["base_fee_rate"] ?? "0"),
})

const freeBalanceOf = (inputs: Texts): EntryInputs["freeBalance"] => {
  const known = /^(\S+) \S+$/.exec(inputs["free_balance"] ?? "")?.[1]
  return known === undefined ? { unknown: "not recorded" } : { known: canonical(known) }
}

const livePriceOf = (signal: Signal, validated: EventData["SignalValidated"] | undefined, nowMs: number): MarketPrice | undefined => {
  const live = validated?.livePrice
  if (live === undefined) return undefined
  const { price, source, ageMs, feed } = live
  const from = feed === undefined ? {} : { feed: feed as NonNullable<MarketPrice["feed"]> }
  return { symbol: signal.symbol, price, source: source as MarketPrice["source"], atMs: nowMs - ageMs, ...from }
}

/** What the exchange holds prices against, where it was another one than the live price. */
const exchangePriceOf = (signal: Signal, inputs: Texts, live: MarketPrice | undefined, nowMs: number): MarketPrice | undefined => {
  const text = inputs["exchange_reference"]
  const source = inputs["market_price_source"]
  if (text === undefined || source === undefined || source === "signal") return undefined
  if (live !== undefined && live.price === text) return live
  return { symbol: signal.symbol, price: canonical(text), source: source as MarketPrice["source"], atMs: nowMs }
}

const bookOf = (signal: Signal, sized: EventData["OrderSized"] | undefined, why: Reason | undefined, assumed: string[]): LotBookView => {
  if (why?.code === "NOTHING_TO_CLOSE" || sized === undefined) return EMPTY_VIEW
  const entry = (order: OrderId, side: "buy" | "sell", quantity: DecimalString): LotEntry => ({
    ...bare(signal),
    order,
    side,
    quantity,
    notional: ANY,
  })
  if (sized.lots !== undefined) {
    const own = sized.lots.map((lot) => entry(lot.order, lot.side, lot.quantity))
    return { openPositions: own.length, own, others: { buy: 0, sell: 0 } }
  }
  const count = Number(sized.inputs["own_lots"] ?? 0)
  if (count > 0) assumed.push(`what the ${count} lot(s) that this strategy held were worth: nothing`)
  const own = Array.from({ length: count }, (_, n) => entry(`${n}` as OrderId, sized.side, ANY))
  return { openPositions: Number(sized.inputs["open_positions"] ?? 0), own, others: { buy: 0, sell: 0 } }
}
