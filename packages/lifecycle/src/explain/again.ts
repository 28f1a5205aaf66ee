/**
 * Deciding an order again: today's code with the inputs that the order recorded, and the first difference from what was
 * decided then. Pure.
 *
 * Promises: it never says "the same" of something that it did not decide again. What a decision read and its events do not
 * hold (the symbol's list of order types, say) is taken as it must have been for the recorded outcome, and is listed in
 * `assumed`. Where too much is missing the answer is `NotPossible`, with what is missing.
 */
import type {
  DecimalString,
  EventData,
  EventRecord,
  MarketPrice,
  OrderEvent,
  OrderId,
  Reason,
  Signal,
  SymbolRules,
} from "@petrosa/contracts"
import { canonical, isOrderId, ORDER_TYPES, parseClientOrderId, parseDecimal, TIMES_IN_FORCE } from "@petrosa/contracts"
import { decideEntry, type EntryInputs } from "../decisions/decide.ts"
import type { LotBookView, LotEntry } from "../decisions/lotBook.ts"
import { EMPTY_VIEW } from "../decisions/lotBook.ts"
import { DEFAULT_DECISION_SETTINGS, type DecisionSettings, type VenueFacts } from "../decisions/settings.ts"

export type Again =
  | { readonly _tag: "Same"; readonly decided: string; readonly assumed: readonly string[] }
  | {
      readonly _tag: "Different"
      /** Where the first difference is, as `OrderSized.quantity`. */
      readonly path: string
      readonly recorded: string
      readonly today: string
      readonly assumed: readonly string[]
    }
  | { readonly _tag: "NotPossible"; readonly why: string }

type Texts = Readonly<Record<string, string>>
const DECISION = new Set(["SignalValidated", "OrderSized", "EntryIntended", "CloseIntended", "OrderFailed"])

/** The decision that the order recorded: what follows SignalReceived before anything was asked of a venue. */
const recordedDecision = (records: readonly EventRecord[]): readonly EventRecord[] => {
  const found: EventRecord[] = []
  for (const record of records.slice(1)) {
    if (!DECISION.has(record.type)) break
    found.push(record)
    if (record.type === "EntryIntended" || record.type === "CloseIntended" || record.type === "OrderFailed") break
  }
  return found
}

const dataOf = <K extends keyof EventData>(records: readonly EventRecord[], type: K): EventData[K] | undefined =>
  records.find((record) => record.type === type)?.data as EventData[K] | undefined

/** What today's code decides with the recorded inputs, and the first difference from what was decided then. */
export const decideAgain = (records: readonly EventRecord[]): Again => {
  const [first] = records
  const received = first?.type === "SignalReceived" ? (first.data as unknown as EventData["SignalReceived"]) : undefined
  if (first === undefined || received === undefined) return notPossible("the first event is not SignalReceived")
  if (!isOrderId(first.order)) return notPossible("its order id cannot be read")
  const decision = recordedDecision(records)
  const last = decision.at(-1)
  if (last === undefined || !["EntryIntended", "CloseIntended", "OrderFailed"].includes(last.type))
    return notPossible("it was not decided before something else happened (a crash came between): the decision was taken with other inputs")
  if (new Set(decision.map(({ settings_version }) => settings_version)).size > 1)
    return notPossible("it was decided in two parts, under two versions of the settings")
  try {
    const inputs = inputsOf(first.order, received.signal, decision)
    if ("missing" in inputs) return notPossible(inputs.missing)
    const today = decideEntry(inputs.inputs)
    const difference = firstDifference(decision, today)
    const assumed = inputs.assumed
    return difference === undefined ? { _tag: "Same", decided: last.type, assumed } : { _tag: "Different", ...difference, assumed }
  } catch (error) {
    return notPossible(`what is recorded cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const notPossible = (why: string): Again => ({ _tag: "NotPossible", why })

type Rebuilt = { readonly inputs: EntryInputs; readonly assumed: readonly string[] } | { readonly missing: string }

/** Refusals that are found before a size is worked out, and need nothing that only OrderSized would hold. */
const NEEDS_NO_SIZE: ReadonlySet<string> = new Set([
  "HOLD",
  "LOW_CONFIDENCE",
  "SIGNAL_TOO_OLD",
  "SIGNAL_FROM_FUTURE",
  "SYMBOL_UNKNOWN",
  "NOTHING_TO_CLOSE",
])

const inputsOf = (order: OrderId, signal: Signal, decision: readonly EventRecord[]): Rebuilt => {
  const validated = dataOf(decision, "SignalValidated")
  const sized = dataOf(decision, "OrderSized")
  const intended = dataOf(decision, "EntryIntended")
  const why = dataOf(decision, "OrderFailed")?.reason
  if (sized === undefined && why !== undefined && !NEEDS_NO_SIZE.has(why.code))
    return {
      missing: `an order that ends with ${why.code} records the rule, what was observed and the limit, but not all that was read to get there`,
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
  return { symbol: signal.symbol, price: live.price, source: live.source as MarketPrice["source"], atMs: nowMs - live.ageMs }
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
    order,
    venue: "",
    strategyId: signal.strategyId,
    market: signal.market,
    symbol: signal.symbol,
    side,
    state: "open",
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

/** The first place at which two decisions differ, in the order in which the code writes their fields. */
const firstDifference = (
  recorded: readonly EventRecord[],
  today: readonly OrderEvent[],
): { readonly path: string; readonly recorded: string; readonly today: string } | undefined => {
  for (let n = 0; n < Math.max(recorded.length, today.length); n++) {
    const then = recorded[n]
    const now = today[n]
    if (then?.type !== now?.type) return { path: `event ${n + 2}`, recorded: nameOf(then), today: nameOf(now) }
    const found = differ(now?.type ?? "", then?.data, now?.data)
    if (found !== undefined) return found
  }
  return undefined
}

const nameOf = (event: { readonly type: string; readonly data: unknown } | undefined): string => {
  if (event === undefined) return "nothing"
  const why = (event.data as { readonly reason?: Reason }).reason
  return why === undefined ? event.type : `${event.type} ${why.code}`
}

const isNested = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null

const differ = (
  path: string,
  then: unknown,
  now: unknown,
): { readonly path: string; readonly recorded: string; readonly today: string } | undefined => {
  if (isNested(then) && isNested(now) && Array.isArray(then) === Array.isArray(now)) {
    for (const key of new Set([...Object.keys(now), ...Object.keys(then)])) {
      const found = differ(`${path}.${key}`, then[key], now[key])
      if (found !== undefined) return found
    }
    return undefined
  }
  const was = JSON.stringify(then) ?? "nothing"
  const is = JSON.stringify(now) ?? "nothing"
  return was === is ? undefined : { path, recorded: was, today: is }
}
