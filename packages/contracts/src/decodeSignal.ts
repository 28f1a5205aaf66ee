/**
 * Bytes from outside become a {@link Signal} and the order that it is, or a typed rejection that names every wrong field
 * at once. Pure and total: no input throws, and the cost is linear in the length of the message.
 *
 * The fields are those of `signalFields.ts`; what only several fields together can say is here:
 * - trigger types need a trigger price, under exactly one meaning (`trigger_price`, `stop_price`, `conditional_price`);
 *   other types must not have one;
 * - `conditional_limit` / `conditional_stop` + `conditional_direction` become a trigger type (`aliases.ts`);
 * - a `close` with a trigger type would have to wait; closing does not, so it is refused;
 * - `indicators.atr` is looked at only where it has effect: an entry that lacks its own stop or target;
 * - `simulate`, `meta.simulate` and `metadata.simulate` must not contradict each other;
 * - a signal without `timestamp` but with another time (`ts`, `createdAt` …) is refused: it may be old;
 * - fields of other engines that contradict the action, or say that it is only a test, are refused (`contradictions.ts`).
 *
 * What depends on the venue, the account or the clock (filters, iceberg on futures, age …) is not decided here.
 */
import { directionOf, TRIGGER_TYPE_OF, TRIGGER_TYPES } from "./aliases.ts"
import { agreesWith, contradiction, isHarmlessType, onlyCloses } from "./contradictions.ts"
import type { DecimalString } from "./decimal.ts"
import { ABSENT, asks, exactDecimal, POSITIVE } from "./fieldKinds.ts"
import { contentHashOf, identityOf } from "./identity.ts"
import type { OrderId } from "./ids.ts"
import { REJECTIONS, type RejectionCode } from "./reasons.ts"
import type { Arrival, FieldError, Market, OrderType, Signal, SignalIdentity } from "./signal.ts"
import {
  type FieldValues,
  foldedName,
  isOtherTime,
  NAME_MAX_LENGTH,
  refusalOf,
  SIGNAL_FIELDS,
  type SignalField,
  type SignalFieldName,
  SOMETIMES_FIELDS,
} from "./signalFields.ts"
import { type Json, type JsonObject, JsonNumber, isJsonArray, isJsonObject, printable, readJsonObject, writeJson } from "./strictJson.ts"

export interface DecodeContext {
  readonly arrival: Arrival
  /** By our clock, epoch ms: the time of a signal without one that comes from no stream (a dry run, `streamTimeMs` 0). */
  readonly receivedAtMs: number
  readonly defaultMarket: Market
  readonly defaultOrderType: OrderType
  readonly maxBytes: number
}

export interface DecodedSignal {
  readonly _tag: "Signal"
  readonly signal: Signal
  readonly identity: SignalIdentity
  readonly order: OrderId
}
export interface RejectedSignal {
  readonly _tag: "Rejected"
  readonly code: RejectionCode
  readonly message: string
  /** Everything that is wrong, in the order of the message; empty unless the code is INVALID_FIELDS. */
  readonly fields: readonly FieldError[]
}

/** No rejection names more fields than this: a message may have a hundred thousand. */
export const FIELD_ERRORS_MAX = 50
/** Trace context longer than this, in characters, is left out of the signal (it stays in the raw message). */
export const TRACE_MAX_LENGTH = 4096

const ENTRIES = Object.entries(SIGNAL_FIELDS) as [SignalFieldName, SignalField<unknown>][]
interface Known {
  readonly name: SignalFieldName
  readonly field: SignalField<unknown>
  /** Its value has effect. */
  readonly isValue: boolean
  /** It is kept with the order as it came. */
  readonly isExtra: boolean
}
const FIELDS: ReadonlyMap<string, Known> = new Map(
  ENTRIES.map(([name, field]) => {
    const isValue = field.effect !== "recorded"
    return [name, { name, field, isValue, isExtra: !isValue || name === "indicators" || name === "meta" || name === "metadata" }]
  }),
)
const NEEDED = ENTRIES.filter(([, field]) => field.needed)
/** Each decoding starts with a copy: values that are there from the beginning are set several times cheaper than they are added. */
const NO_VALUES = Object.fromEntries(ENTRIES.filter(([, field]) => field.effect !== "recorded").map(([name]) => [name, undefined]))
const TRIGGER_FIELDS = ["trigger_price", "stop_price", "conditional_price"] as const satisfies readonly SignalFieldName[]
const ID_FIELDS = ["signal_id", "id", "decision_id", "client_order_id"] as const satisfies readonly SignalFieldName[]

/** An outside value, shortened and made safe to print. */
const shown = (value: Json | undefined): string => {
  if (value === undefined) return "nothing"
  if (isJsonObject(value)) return `an object of ${value.size}`
  if (isJsonArray(value)) return `an array of ${value.length}`
  return printable(
    value instanceof JsonNumber ? value.text : visible(JSON.stringify(typeof value === "string" ? value.slice(0, 100) : value)),
  )
}

/** What cannot be seen, or looks like a Latin letter and is none. */
const INVISIBLE = /(?! )[\p{Cf}\p{Zs}]/gu
/** Text in which nothing is hidden: escapes for invisible characters, and for whatever stands among Latin letters and is no ASCII. */
const visible = (text: string): string => {
  const hidden = /[A-Za-z0-9]/.test(text) ? /[^\u0000-\u007f]/gu : INVISIBLE
  return text.replace(hidden, (character) =>
    [...Array(character.length).keys()].map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`).join(""),
  )
}

/** Decodes one message. See the head of this file. */
export const decodeSignal = (bytes: Uint8Array, context: DecodeContext): DecodedSignal | RejectedSignal => {
  const json = readJsonObject(bytes, context.maxBytes)
  if (json._tag === "Rejected") return { ...json, fields: [] }
  return new Decoder(json.value, context).decode()
}

/** One decoding: what was read, what is only recorded, and what is wrong. */
class Decoder {
  private readonly body: JsonObject
  private readonly context: DecodeContext
  private readonly values = { ...NO_VALUES } as FieldValues
  private readonly extras = new Map<string, Json>()
  private readonly errors: FieldError[] = []

  constructor(body: JsonObject, context: DecodeContext) {
    this.body = body
    this.context = context
  }

  decode(): DecodedSignal | RejectedSignal {
    for (const [name, value] of this.body) {
      const known = FIELDS.get(name)
      if (known === undefined) this.unknown(name, value)
      else if (value !== null) this.known(known, value)
    }
    if (!this.hasNeeded()) {
      for (const [name, field] of NEEDED) if (this.isAbsent(name)) this.wrong(name, field.kind.expected, this.body.get(name))
    }
    const signal = this.assemble()
    if (signal === undefined || this.errors.length > 0) return this.rejection()
    const contentHash = contentHashOf(signal, this.extras)
    return { _tag: "Signal", signal, ...identityOf(signal, contentHash, this.context.arrival) }
  }

  private hasNeeded(): boolean {
    const { strategy_id, symbol, action, confidence, price } = this.values
    return strategy_id !== undefined && symbol !== undefined && action !== undefined && confidence !== undefined && price !== undefined
  }

  private wrong(field: string, expected: string, value: Json | undefined): void {
    if (this.errors.length < FIELD_ERRORS_MAX) this.errors.push({ field: printable(visible(field)), expected, received: shown(value) })
  }

  private rejection(): RejectedSignal {
    const names = this.errors.map((error) => error.field).join(", ")
    return {
      _tag: "Rejected",
      code: "INVALID_FIELDS",
      message: `${REJECTIONS.INVALID_FIELDS} (${printable(names, 200)})`,
      fields: this.errors,
    }
  }

  /** Not there, or null. */
  private isAbsent(name: SignalFieldName): boolean {
    return (this.body.get(name) ?? null) === null
  }

  private known({ name, field, isValue, isExtra }: Known, value: Json): void {
    const read = field.kind.read(value)
    if (read === undefined) return this.wrong(name, field.kind.expected, value)
    if (read === ABSENT) return
    if (isValue) (this.values as Record<string, unknown>)[name] = read
    if (isExtra) this.extras.set(name, value)
  }

  private unknown(name: string, value: Json): void {
    if (name.length <= NAME_MAX_LENGTH) {
      const fold = foldedName(name)
      const action = this.body.get("action")
      const instead = asks(value) ? this.insteadOf(name, fold, value, action) : undefined
      const wrong = instead ?? contradiction(fold, value, action)
      if (wrong !== undefined) return this.wrong(name, wrong, value)
    }
    this.extras.set(name, value)
  }

  /** What to write instead of a field that asks for something, or `undefined`. */
  private insteadOf(name: string, fold: string, value: Json, action: Json | undefined): string | undefined {
    const refusal = refusalOf(name, fold)
    if (refusal !== undefined) return this.saysWhatHappensAnyway(refusal.as, value, action) ? undefined : refusal.instead
    return isOtherTime(fold) && this.isAbsent("timestamp") ? "timestamp (the signal has none, and may be old)" : undefined
  }

  /** The exceptions that {@link SOMETIMES_FIELDS} lists. */
  private saysWhatHappensAnyway(name: string, value: Json, action: Json | undefined): boolean {
    switch (SOMETIMES_FIELDS.get(name)) {
      case "side":
        return agreesWith(value, action)
      case "close":
        return onlyCloses(value, action)
      case "price": {
        const price = exactDecimal(value)
        return price !== undefined && price === exactDecimal(this.body.get("price") ?? null)
      }
      case "type":
        return isHarmlessType(value, action)
      case "exchange":
        return typeof value === "string" && /^\s*binance\s*$/i.test(value)
      case "positionSide":
        return typeof value === "string" && /^\s*both\s*$/i.test(value)
      case undefined:
        return false
    }
  }

  private assemble(): Signal | undefined {
    const { values, context } = this
    const type = this.orderType()
    const triggerPrice = this.triggerPrice(type)
    const simulate = this.simulate()
    const atr = this.atr()
    const { strategy_id, symbol, action, confidence, price } = values
    const id = this.id()
    if (strategy_id === undefined || symbol === undefined || action === undefined || confidence === undefined || price === undefined)
      return undefined
    const trace = values._otel_trace_context ?? values._otel_trace_headers
    const traceText = trace === undefined ? undefined : writeJson(trace)
    // Stored as it is, so the order of its members stays as well: the later ones are set after those that may be missing.
    const signal = {
      strategyId: strategy_id,
      symbol,
      market: values.market ?? context.defaultMarket,
      action,
      confidence,
      price,
      currentPrice: values.current_price ?? price,
      orderType: type ?? context.defaultOrderType,
      timeInForce: values.time_in_force ?? "GTC",
    } as { -readonly [N in keyof Signal]: Signal[N] }
    if (triggerPrice !== undefined) signal.triggerPrice = triggerPrice
    if (values.quantity !== undefined) signal.quantity = values.quantity
    if (values.quote_quantity !== undefined) signal.quoteQuantity = values.quote_quantity
    if (values.position_size_pct !== undefined) signal.positionSizePct = values.position_size_pct
    if (values.iceberg_quantity !== undefined) signal.icebergQuantity = values.iceberg_quantity
    if (values.stop_loss !== undefined) signal.stopLoss = values.stop_loss
    if (values.stop_loss_pct !== undefined) signal.stopLossPct = values.stop_loss_pct
    if (values.take_profit !== undefined) signal.takeProfit = values.take_profit
    if (values.take_profit_pct !== undefined) signal.takeProfitPct = values.take_profit_pct
    if (atr !== undefined) signal.atr = atr
    if (values.conditional_timeout !== undefined) signal.entryTimeoutS = values.conditional_timeout
    signal.simulate = simulate
    signal.timestampMs = values.timestamp ?? (context.arrival.streamTimeMs || context.receivedAtMs)
    signal.timestampFrom = values.timestamp === undefined ? "arrival" : "signal"
    if (id !== undefined) signal.id = id
    if (values.decision_id !== undefined) signal.decisionId = values.decision_id
    if (traceText !== undefined && traceText.length <= TRACE_MAX_LENGTH) signal.trace = traceText
    if (this.extras.size > 0) signal.extras = writeJson(this.extras)
    return signal
  }

  /** The first id that counts; one that repeats the strategy's name is none. The others are recorded. */
  private id(): string | undefined {
    const { signal_id, id, decision_id, client_order_id, strategy_id } = this.values
    // Nearly all have one at most, under the first name.
    if (id === undefined && decision_id === undefined && client_order_id === undefined) {
      return signal_id === strategy_id ? undefined : signal_id
    }
    let first: string | undefined
    for (const name of ID_FIELDS) {
      const value = this.values[name]
      if (value === undefined || value === this.values.strategy_id) continue
      if (first === undefined) first = value
      else if (name !== "decision_id") this.extras.set(name, value)
    }
    return first
  }

  /** The order type with the conditional ones resolved; `undefined`: the default, or an error that is recorded. */
  private orderType(): OrderType | undefined {
    const { order_type: type, conditional_direction: direction, action } = this.values
    if (action === undefined) return undefined
    const side = action === "sell" ? "sell" : "buy"
    let resolved: OrderType
    if (type === "conditional_limit" || type === "conditional_stop") {
      if (direction === undefined) return void this.missingDirection(type)
      resolved = TRIGGER_TYPE_OF[type][side][direction]
    } else {
      resolved = type ?? this.context.defaultOrderType
      const expected = directionOf(resolved, side)
      if (direction !== undefined && direction !== expected) {
        this.wrong(
          "conditional_direction",
          expected === undefined ? `null: a ${resolved} order has no trigger` : `${expected}, which is what ${resolved} means for ${side}`,
          direction,
        )
      }
    }
    if (action === "close" && TRIGGER_TYPES.has(resolved)) {
      this.wrong("order_type", "market, limit or null: a close does not wait for a trigger", this.body.get("order_type"))
    }
    return resolved
  }

  private missingDirection(type: string): void {
    // A wrong word has its error already.
    if (this.isAbsent("conditional_direction")) this.wrong("conditional_direction", `above or below, with ${type}`, undefined)
  }

  private triggerPrice(type: OrderType | undefined): DecimalString | undefined {
    const { trigger_price, stop_price, conditional_price } = this.values
    const isGiven = trigger_price !== undefined || stop_price !== undefined || conditional_price !== undefined
    if (!isGiven && type !== undefined && !TRIGGER_TYPES.has(type)) return undefined
    const given = TRIGGER_FIELDS.filter((name) => this.values[name] !== undefined)
    const [first, ...others] = given
    const price = first === undefined ? undefined : this.values[first]
    for (const name of others) if (this.values[name] !== price) this.wrong(name, `the same price as ${first}`, this.body.get(name))
    if (type === undefined) return undefined
    if (TRIGGER_TYPES.has(type)) {
      if (TRIGGER_FIELDS.every((name) => this.isAbsent(name))) this.wrong("trigger_price", `${POSITIVE.expected}, with ${type}`, undefined)
      return price
    }
    for (const name of given) this.wrong(name, `null: a ${type} order has no trigger`, this.body.get(name))
    return undefined
  }

  private simulate(): boolean {
    const { simulate, meta, metadata } = this.values
    const withMeta = this.simulateOf("meta.simulate", meta, simulate)
    return this.simulateOf("metadata.simulate", metadata, withMeta) ?? false
  }

  private simulateOf(name: string, object: JsonObject | undefined, others: boolean | undefined): boolean | undefined {
    const value = object?.get("simulate") ?? null
    if (value === null) return others
    if (typeof value !== "boolean") this.wrong(name, "true, false or null", value)
    else if (others !== undefined && others !== value) this.wrong(name, "the same as the signal's other simulate", value)
    else return value
    return others
  }

  private atr(): DecimalString | undefined {
    const { values } = this
    const value = values.indicators?.get("atr") ?? null
    if (value === null) return undefined
    const entry = values.action === "buy" || values.action === "sell"
    const hasStop = values.stop_loss !== undefined || values.stop_loss_pct !== undefined
    const hasTarget = values.take_profit !== undefined || values.take_profit_pct !== undefined
    if (!entry || (hasStop && hasTarget)) return undefined
    const atr = POSITIVE.read(value)
    if (atr === undefined || atr === ABSENT)
      return void this.wrong("indicators.atr", `${POSITIVE.expected}: the stop or target hangs on it`, value)
    return atr
  }
}
