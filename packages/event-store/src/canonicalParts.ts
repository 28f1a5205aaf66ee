/**
 * The canonical text of a record, put together from its parts: the same text as `canonicalText` (contracts), whose one
 * `JSON.stringify` of some forty fields was half of what an event cost. Only `data`, `commands` and `metadata` are of
 * unknown shape; an order's other fields are texts and numbers, most of which are those of its event before.
 *
 * Promise: `canonicalTextOf(e, f, prev)` is `canonicalText(recordOf(e, f, prev))`, whatever the values
 * (test/canonicalParts.test.ts). It must be: MongoDB keeps no text, and verify makes it anew from the document.
 */
import type { Envelope, FlatFields } from "@petrosa/contracts"

// What JSON.stringify would escape. Most strings have nothing of it, and then quotes around them are all there is to do.
const TO_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/
/** JSON text of a string. */
const quoted = (value: string): string => (TO_ESCAPE.test(value) ? JSON.stringify(value) : `"${value}"`)

const number = (value: number | null): string => (value !== null && Number.isFinite(value) ? `${value}` : "null")
const text = (value: string | null): string => (value === null ? "null" : quoted(value))

const isSameIdentity = (a: FlatFields, b: FlatFields): boolean =>
  a.order === b.order &&
  a.signal_id === b.signal_id &&
  a.strategy_id === b.strategy_id &&
  a.symbol === b.symbol &&
  a.market === b.market &&
  a.side === b.side &&
  a.order_type === b.order_type

const identityOf = (f: FlatFields): string =>
  [
    ',"order":',
    quoted(f.order),
    ',"signal_id":',
    quoted(f.signal_id),
    ',"strategy_id":',
    quoted(f.strategy_id),
    ',"symbol":',
    quoted(f.symbol),
    ',"market":',
    quoted(f.market),
    ',"side":',
    quoted(f.side),
    ',"order_type":',
    quoted(f.order_type),
    // Joined and not added up: what is kept is one flat text, not a tree of small ones.
  ].join("")

const isSameSize = (a: FlatFields, b: FlatFields): boolean =>
  a.quantity === b.quantity && a.price === b.price && a.stop_loss === b.stop_loss && a.take_profit === b.take_profit

const sizeOf = (f: FlatFields): string =>
  [
    ',"quantity":',
    number(f.quantity),
    ',"price":',
    number(f.price),
    ',"stop_loss":',
    number(f.stop_loss),
    ',"take_profit":',
    number(f.take_profit),
  ].join("")

const isSameWriter = (a: Envelope, b: Envelope): boolean =>
  a.settings_version === b.settings_version && a.engine_version === b.engine_version && a.replica === b.replica

const writerOf = (e: Envelope): string =>
  [
    ',"settings_version":',
    quoted(e.settings_version),
    ',"engine_version":',
    quoted(e.engine_version),
    ',"replica":',
    quoted(e.replica),
    ',"cause":',
  ].join("")

const isSameEnd = (a: FlatFields, b: FlatFields): boolean =>
  a.timestamp === b.timestamp &&
  a.created_at === b.created_at &&
  a.simulation_mode === b.simulation_mode &&
  // The same object: nobody changes it.
  a.metadata === b.metadata

const endOf = (f: FlatFields): string =>
  [
    ',"timestamp":',
    quoted(f.timestamp),
    ',"created_at":',
    quoted(f.created_at),
    `,"simulation_mode":${f.simulation_mode},"metadata":`,
    JSON.stringify(f.metadata),
    "}",
  ].join("")

/** Of all streams: one process writes them. */
let writer: Envelope | undefined
let writerText = ""

/** Makes the texts of one stream's records, and remembers of the last one what the next is likely to say again. */
export class CanonicalParts {
  #last: FlatFields | undefined
  #identity = ""
  #size = ""
  #end = ""

  textOf(e: Envelope, f: FlatFields, prev: string): string {
    const last = this.#last
    if (last === undefined || !isSameIdentity(last, f)) this.#identity = identityOf(f)
    if (last === undefined || !isSameSize(last, f)) this.#size = sizeOf(f)
    if (last === undefined || !isSameEnd(last, f)) this.#end = endOf(f)
    this.#last = f
    if (writer === undefined || !isSameWriter(writer, e)) {
      writerText = writerOf(e)
      writer = e
    }
    const commands = e.commands.length === 0 ? "[]" : JSON.stringify(e.commands)
    return `{"_id":${quoted(e._id)},"stream":${quoted(e.stream)},"version":${number(e.version)},"schema":${number(e.schema)},"type":${quoted(e.type)},"state":${quoted(e.state)},"at":${quoted(e.at)},"data":${JSON.stringify(e.data)},"commands":${commands}${writerText}${quoted(e.cause)},"trace":${text(e.trace)},"prev":${quoted(prev)}${this.#identity}${this.#size},"binance_order_id":${text(f.binance_order_id)},"status":${quoted(f.status)},"fill_price":${number(f.fill_price)},"filled_quantity":${number(f.filled_quantity)},"fees":${number(f.fees)},"open_quantity":${quoted(f.open_quantity)},"profit":${text(f.profit)},"reason":${text(f.reason)},"settled":${f.settled},"done":${f.done},"parked":${f.parked}${this.#end}`
  }
}
