/**
 * Why did this order do that? The causal walk from the signal's bytes through each decision, with the rule, what was
 * observed and the limit, to the venue's ids and fills: sentences that a person would write, each with the version of the
 * event that it comes from. Made from the events alone. Pure; an event that lacks something makes a shorter sentence.
 */
import type { Command, EventData, EventRecord, PriceRule } from "@petrosa/contracts"
import { dec, div, gt, isZero, mul, str, sub } from "@petrosa/contracts"
import { type Again, decideAgain } from "./again.ts"
import { describeEvent } from "./sentence.ts"
import { type Milestone, timings } from "./timings.ts"

export interface WhyLine {
  /** The event that says so. */
  readonly version: number
  /** ISO 8601, of that event. */
  readonly at: string
  readonly text: string
  /** A check: the rule by its name, what was observed, the limit, and whether it let the order through. */
  readonly rule?: { readonly name: string; readonly observed: string; readonly limit: string; readonly passed: boolean }
}

export interface WhyChapter {
  readonly title: string
  readonly lines: readonly WhyLine[]
}

export interface Why {
  readonly order: string
  /** What became of it and why, in one or two sentences. */
  readonly answer: string
  readonly chapters: readonly WhyChapter[]
  readonly timings: readonly Milestone[]
  /** What today's code decides with the recorded inputs. */
  readonly again: Again
}

/** `records`: the whole stream of one order, in order of version. */
export const explainOrder = (records: readonly EventRecord[]): Why => {
  const chapters: { title: string; lines: WhyLine[] }[] = []
  const signal = records[0]?.data["signal"] as { readonly confidence?: string } | undefined
  const confidence = signal?.confidence ?? "?"
  for (const record of records) {
    const title = chapterOf(record)
    let chapter = chapters.at(-1)
    if (chapter === undefined || chapter.title !== title) {
      chapter = { title, lines: [] }
      chapters.push(chapter)
    }
    chapter.lines.push(...linesOf(record, confidence))
  }
  return {
    order: records[0]?.order ?? "",
    answer: answerOf(records),
    chapters,
    timings: timings(records),
    again: decideAgain(records),
  }
}

const CHAPTERS: Readonly<Record<string, string>> = {
  SignalReceived: "The signal",
  SignalValidated: "May it trade?",
  OrderSized: "How much, and at what prices?",
  EntryIntended: "To the venue",
  CloseIntended: "To the lots",
  CloseReported: "To the lots",
  EntryPartlyFilled: "What was filled",
  EntryFilled: "What was filled",
  LateFillFound: "Late truth from the venue",
  EntryListRefused: "To the venue",
  StopAccepted: "Protection",
  TargetAccepted: "Protection",
  LegRefused: "Protection",
  LegUnknown: "Protection",
  LegNotPlaced: "Protection",
  LegEnded: "Protection",
  CloseRequested: "The way out",
  FlattenAccepted: "The way out",
  ExitFilled: "The way out",
  SiblingCancelled: "The way out",
  DustLeft: "The way out",
  LotClosed: "The way out",
  LotOverClosed: "The way out",
  PositionMissing: "The way out",
  OrderCompleted: "How it ended",
  OrderFailed: "How it ended",
  OrderAdopted: "A change of hands",
  StepFailed: "Trouble",
  OrderParked: "Trouble",
  OrderUnparked: "Trouble",
  DeadlinePassed: "A deadline",
}
const chapterOf = (record: EventRecord): string => CHAPTERS[record.type] ?? "To the venue"

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const sentence = (text: string): string => (/[.!?…}]$/.test(text) ? capital(text) : `${capital(text)}.`)

const linesOf = (record: EventRecord, confidence: string): readonly WhyLine[] => {
  const lines: WhyLine[] = []
  const say = (text: string, rule?: WhyLine["rule"]): void => {
    lines.push({ version: record.version, at: record.at, text: sentence(text), ...(rule === undefined ? {} : { rule }) })
  }
  try {
    tell(record, confidence, say)
  } catch {
    lines.length = 0
    say(describeEvent(record))
  }
  const asked = record.commands.map(askedText).join("; ")
  if (asked !== "") say(`so the engine was told to ${asked}`)
  return lines
}

type Say = (text: string, rule?: WhyLine["rule"]) => void
type Texts = Readonly<Record<string, string>>

const tell = (record: EventRecord, confidence: string, say: Say): void => {
  switch (record.type) {
    case "SignalReceived":
      return tellSignal(record, record.data as unknown as EventData["SignalReceived"], say)
    case "SignalValidated":
      return tellValidated(record.data as unknown as EventData["SignalValidated"], confidence, say)
    case "OrderSized":
      return tellSized(record.data as unknown as EventData["OrderSized"], say)
    case "EntryIntended":
      return tellIntended(record, record.data as unknown as EventData["EntryIntended"], say)
    case "OrderFailed": {
      const { reason } = record.data as unknown as EventData["OrderFailed"]
      const who =
        reason.class === "declined" ? "we chose not to trade" : reason.class === "refused" ? "the venue refused" : "something broke"
      const { code, observed, limit } = reason
      say(
        `the order ended as ${code}: ${who}. ${reason.message}`,
        observed === undefined || limit === undefined ? undefined : { name: code, observed, limit, passed: false },
      )
      return
    }
    default:
      say(describeEvent(record))
  }
}

const ageText = (ms: number): string => (Math.abs(ms) < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`)

const RAW_SHOWN = 400

const tellSignal = (record: EventRecord, data: EventData["SignalReceived"], say: Say): void => {
  const { signal, arrival, identity, raw, receivedAtMs } = data
  const asks = [
    signal.quantity === undefined ? "" : `quantity ${signal.quantity}`,
    signal.quoteQuantity === undefined ? "" : `worth ${signal.quoteQuantity}`,
    signal.positionSizePct === undefined ? "" : `share ${signal.positionSizePct} of the balance`,
    signal.stopLoss === undefined ? "" : `stop at ${signal.stopLoss}`,
    signal.stopLossPct === undefined ? "" : `stop ${signal.stopLossPct} away`,
    signal.takeProfit === undefined ? "" : `target at ${signal.takeProfit}`,
    signal.takeProfitPct === undefined ? "" : `target ${signal.takeProfitPct} away`,
  ].filter((text) => text !== "")
  say(
    `the strategy “${signal.strategyId}” said ${signal.action} ${signal.symbol} (${signal.market}) at ${signal.price}, confidence ${signal.confidence}${asks.length === 0 ? "" : `, with ${asks.join(", ")}`}`,
  )
  const from = arrival.transport === "http" ? "by HTTP (POST /trade)" : `over NATS on ${arrival.subject}`
  const place = arrival.stream === "" ? "" : `, message ${arrival.sequence} of the stream ${arrival.stream}`
  const made = signal.timestampFrom === "signal" ? `; it was made ${ageText(receivedAtMs - signal.timestampMs)} before that` : ""
  say(`it came ${from}${place}${made}`)
  say(`its bytes: ${raw.length > RAW_SHOWN ? `${raw.slice(0, RAW_SHOWN)}…` : raw}`)
  const why = {
    id: `its own id ${signal.id ?? ""}`,
    content: "its content (it has no id of its own, but a time)",
    arrival: "its arrival (it has neither an id nor a time)",
  }[identity.kind]
  say(`what makes it this order and no other is ${why}: ${record.order}`)
}

const tellValidated = (data: EventData["SignalValidated"], confidence: string, say: Say): void => {
  const { limits, ageMs, livePrice, venue, mode } = data
  const age = limits["MAX_SIGNAL_AGE_SECONDS"]
  if (age !== undefined)
    say(`it was ${ageText(ageMs)} old, and may be ${age} s`, {
      name: "MAX_SIGNAL_AGE_SECONDS",
      observed: `${ageMs / 1000} s`,
      limit: `${age} s`,
      passed: true,
    })
  const least = limits["MIN_CONFIDENCE"]
  if (least !== undefined)
    say(`its confidence is ${confidence}, and has to be ${least}`, {
      name: "MIN_CONFIDENCE",
      observed: confidence,
      limit: least,
      passed: true,
    })
  if (limits["SYMBOLS_ALLOWED"] !== undefined) say("its symbol is on the list of those that are allowed")
  if (limits["SYMBOLS_DENIED"] !== undefined) say("its symbol is not on the list of those that are denied")
  const most = limits["MAX_PRICE_DEVIATION_PCT"]
  if (livePrice === undefined) say("no price of the market was known at the time, so the signal's own price was not held against one")
  else if (most !== undefined)
    say(
      `the market stood at ${livePrice.price} (${livePrice.feed === undefined ? "" : `${livePrice.feed}, `}${livePrice.source}, ${ageText(livePrice.ageMs)} old), within ${most} % of the signal's prices`,
      {
        name: "MAX_PRICE_DEVIATION_PCT",
        observed: livePrice.price,
        limit: `${most} %`,
        passed: true,
      },
    )
  say(`so it may trade, at ${venue} (${mode})`)
}

const BASIS: Readonly<Record<EventData["OrderSized"]["basis"], (i: Texts) => string>> = {
  quantity: () => "the signal names the quantity itself",
  quote_quantity: (i) => `the signal says what to spend, and one costs ${i["sized_by_price"] ?? "?"}`,
  position_size_pct: (i) =>
    `the signal asks for a share of the free balance (${i["free_balance"] ?? "?"}), at ${i["sized_by_price"] ?? "?"}`,
  confidence: (i) =>
    `the signal names no size: POSITION_SIZE_PCT ${i["POSITION_SIZE_PCT"] ?? "?"} % of the free balance (${i["free_balance"] ?? "?"}), times the confidence, at ${i["sized_by_price"] ?? "?"}`,
  raised_to_minimum: () => "what was asked for is below the exchange's minimum, and SIZE_BELOW_MINIMUM says to raise it",
  lots: () => "it closes what this strategy holds",
}

/** A bound of 0 is a bound that the exchange does not have. */
const rangeText = (range: string): string => range.replace(/^(\S+) to 0(?=,|$)/, "at least $1")

const percent = (part: string, whole: string): string => {
  const base = dec(whole)
  if (isZero(base)) return "?"
  const gap = gt(dec(part), base) ? sub(dec(part), base) : sub(base, dec(part))
  return `${str(mul(div(gap, base, 6), dec("100")))} %`
}
const ruleText = (rule: PriceRule): string => {
  const from = /^[A-Z_]+$/.test(rule.from) ? `the setting ${rule.from}` : `the signal's ${rule.from}`
  switch (rule.kind) {
    case "price":
      return `${from}, a price`
    case "fraction":
      return `${from}, ${str(mul(dec(rule.fraction), dec("100")))} % from the fill`
    case "distance":
      return `${from}, ${rule.distance} from the fill`
  }
}

const tellSized = (data: EventData["OrderSized"], say: Say): void => {
  const { inputs, side, quantity, notional, basis, referencePrice, stop, target, lots, notes } = data
  say(`${side} ${quantity}, worth ${notional}: ${BASIS[basis](inputs)}`)
  for (const lot of lots ?? []) say(`of the order ${lot.order}, a ${lot.side} of ${lot.quantity}`)
  const limit = (name: string, observed: string | undefined, words: string, off = "0"): void => {
    const most = inputs[name]
    if (most === undefined || most === off || observed === undefined) return
    say(`${words} ${observed}, and ${name} allows ${most}`, { name, observed, limit: most, passed: true })
  }
  if (lots === undefined) {
    limit("MAX_POSITION_NOTIONAL", notional, "it is worth")
    limit("MAX_OPEN_POSITIONS", inputs["open_positions"], "lots open or on their way before it:", "")
    limit("MAX_LOTS_PER_STRATEGY_SYMBOL", inputs["own_lots"], "of them this strategy's own, of this symbol:", "")
    if (inputs["free_balance"] !== undefined)
      say(`the free balance was ${inputs["free_balance"]}, which covers it with a commission of ${inputs["fee_rate"] ?? "?"}`)
    if (inputs["filter_lot"] !== undefined)
      say(`the exchange takes quantities of ${rangeText(inputs["filter_lot"])}, worth ${rangeText(inputs["filter_notional"] ?? "?")}`)
  }
  say(
    `it was expected to fill near ${referencePrice}${inputs["market_price_source"] === undefined ? "" : ` (the market as told by the ${inputs["market_price_source"]})`}`,
  )
  if (stop !== undefined)
    say(`the stop is planned at ${stop.price}, ${percent(stop.price, referencePrice)} away: ${ruleText(stop.rule)}`, {
      name: "MIN_STOP_DISTANCE_PCT … MAX_STOP_DISTANCE_PCT",
      observed: percent(stop.price, referencePrice),
      limit: `${inputs["MIN_STOP_DISTANCE_PCT"] ?? "?"} … ${inputs["MAX_STOP_DISTANCE_PCT"] ?? "?"} %`,
      passed: true,
    })
  if (target !== undefined)
    say(`the target is planned at ${target.price}, ${percent(target.price, referencePrice)} away: ${ruleText(target.rule)}`)
  for (const note of notes) say(note)
}

const tellIntended = (record: EventRecord, data: EventData["EntryIntended"], say: Say): void => {
  const { request, venue, sendByMs, plan } = data
  const price = request.price === undefined ? "at market" : `at ${request.price}`
  const trigger = request.triggerPrice === undefined ? "" : `, once the market reaches ${request.triggerPrice}`
  say(
    `the intent was made durable first: ${request.side} ${request.quantity} ${price}${trigger} at ${venue}, under the client id ${request.clientOrderId}`,
  )
  say(
    `it had to leave within ${Math.max(0, sendByMs - Date.parse(record.at))} ms, and the plan of its protection was recorded with it: ${plan.exitSide} at the stop, or flat at market after ${plan.protectionDeadlineMs} ms without one`,
  )
}

const askedText = (command: Command): string => {
  switch (command.type) {
    case "placeEntry":
      return `send the entry ${command.request.clientOrderId}, once${command.bracket === undefined ? "" : ", as one list with its bracket"}`
    case "resolveEntry":
      return `ask the venue what became of the entry ${command.clientOrderId}`
    case "cancelEntry":
      return `cancel the entry ${command.clientOrderId}`
    case "placeStop":
    case "placeTarget":
      return `place the ${command.request.leg} for ${command.request.quantity}${command.request.triggerPrice === undefined ? "" : ` at ${command.request.triggerPrice}`}`
    case "placeBracket": {
      const { stop, target } = command.bracket
      return `place stop and target as one list for ${stop.quantity}, at ${stop.triggerPrice ?? "market"} and ${target.price ?? "market"}`
    }
    case "flatten":
      return `close ${command.request.quantity} at market`
    case "resolveLeg":
      return `ask the venue what became of the ${command.leg} ${command.clientOrderId}`
    case "cancelLeg":
      return `cancel the ${command.leg} ${command.clientOrderId}, until it is proven gone`
    case "resolveBracket":
      return `ask the venue what became of the list of ${command.stop} and ${command.target}`
    case "cancelBracket":
      return `cancel the list of ${command.stop} and ${command.target}, until both are proven gone`
    case "closeLots":
      return `ask ${command.lots.length === 1 ? "one order" : `${command.lots.length} orders`} to close`
  }
}

/** What became of it, and why, in one or two sentences. */
const answerOf = (records: readonly EventRecord[]): string => {
  const last = records.at(-1)
  if (last === undefined) return "Nothing is recorded of this order."
  const of = <K extends keyof EventData>(type: K): EventData[K] | undefined =>
    records.findLast((record) => record.type === type)?.data as EventData[K] | undefined
  const signal = of("SignalReceived")?.signal
  const who = signal === undefined ? "the signal" : `“${signal.strategyId}” said ${signal.action} with a confidence of ${signal.confidence}`
  const parts: string[] = []
  const failed = last.state === "failed" ? of("OrderFailed") : undefined
  const closed = of("LotClosed")
  const done = of("OrderCompleted")
  try {
    if (failed !== undefined) {
      const { reason } = failed
      const numbers =
        reason.observed === undefined ? "" : ` (${reason.observed}${reason.limit === undefined ? "" : `; the limit is ${reason.limit}`})`
      parts.push(`Nothing was ${closed === undefined ? "bought or sold" : "kept"}: ${reason.code}. ${reason.message}${numbers}`)
    } else if (done !== undefined) {
      parts.push(`${last.side === "sell" ? "Sold" : "Bought"} ${done.quantity} ${last.symbol} at ${done.fillPrice}, because ${who}.`)
    } else parts.push(`It is ${last.state} (${last.status}) since ${last.at}: ${describeEvent(last)}.`)
    if (closed !== undefined)
      parts.push(
        `It is over: the ${closed.closedBy} closed ${closed.quantity} at ${closed.exitPrice}, with a profit of ${closed.profit} after fees of ${closed.fees}.${
          closed.excess === undefined
            ? ""
            : ` But two exits traded: ${closed.excess} more than it held were given back, which other lots now lack.`
        }${closed.missing === undefined ? "" : ` And ${closed.missing} of it were not at the venue any more: what they brought is not known.`}`,
      )
    else if (last.open_quantity !== "0") {
      const stop = of("StopAccepted")
      const target = of("TargetAccepted")
      parts.push(
        `${last.open_quantity} is held${stop?.price === undefined ? ", without a stop so far" : `, under a stop at ${stop.price}${target?.price === undefined ? "" : ` and a target at ${target.price}`}`}.`,
      )
    }
    if (last.parked) parts.push("It is parked: a human has to look.")
  } catch {
    parts.push("Its last events cannot be read.")
  }
  return parts.join(" ")
}
