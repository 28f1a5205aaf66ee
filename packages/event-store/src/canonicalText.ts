/**
 * The canonical text of a record, written straight into memory: the same bytes as `canonicalText` (contracts) in UTF-8.
 *
 * Why not `JSON.stringify` of the record, or texts added up: forty fields looked at by name, or a tree of fifty small
 * strings that is made flat and then copied, were a third of what an order cost and half of its garbage. Only `data`,
 * `commands` and `metadata` are of unknown shape. Of the other fields most say what they said in the event before.
 *
 * Promise: what is written of (e, f, prev) is `canonicalText(recordOf(e, f, prev))`, whatever the values
 * (test/canonicalText.test.ts). It must be: MongoDB keeps no text, and verify makes it anew from the document.
 */
import type { Envelope, FlatFields } from "@petrosa/contracts"
import type { ByteArena } from "./byteArena.ts"

const isSameIdentity = (a: FlatFields, b: FlatFields): boolean =>
  a.order === b.order &&
  a.signal_id === b.signal_id &&
  a.strategy_id === b.strategy_id &&
  a.symbol === b.symbol &&
  a.market === b.market &&
  a.side === b.side &&
  a.order_type === b.order_type &&
  a.quantity === b.quantity &&
  a.price === b.price &&
  a.stop_loss === b.stop_loss &&
  a.take_profit === b.take_profit

const putIdentity = (out: ByteArena, f: FlatFields): void => {
  out.put(',"order":').putJson(f.order)
  out.put(',"signal_id":').putJson(f.signal_id)
  out.put(',"strategy_id":').putJson(f.strategy_id)
  out.put(',"symbol":').putJson(f.symbol)
  out.put(',"market":').putJson(f.market)
  out.put(',"side":').putJson(f.side)
  out.put(',"order_type":').putJson(f.order_type)
  out.put(',"quantity":').putNumber(f.quantity)
  out.put(',"price":').putNumber(f.price)
  out.put(',"stop_loss":').putNumber(f.stop_loss)
  out.put(',"take_profit":').putNumber(f.take_profit)
}

const isSameWriter = (a: Envelope, b: Envelope): boolean =>
  a.settings_version === b.settings_version && a.engine_version === b.engine_version && a.replica === b.replica

const putWriter = (out: ByteArena, e: Envelope): void => {
  out.put(',"settings_version":').putJson(e.settings_version)
  out.put(',"engine_version":').putJson(e.engine_version)
  out.put(',"replica":').putJson(e.replica)
}

const isSameEnd = (a: FlatFields, b: FlatFields): boolean =>
  a.timestamp === b.timestamp && a.created_at === b.created_at && a.simulation_mode === b.simulation_mode

const putEnd = (out: ByteArena, f: FlatFields): void => {
  out.put(',"timestamp":').putJson(f.timestamp)
  out.put(',"created_at":').putJson(f.created_at)
  out.put(f.simulation_mode ? ',"simulation_mode":true,"metadata":' : ',"simulation_mode":false,"metadata":')
}

const isEmpty = (object: Readonly<Record<string, unknown>>): boolean => {
  for (const _ in object) return false
  return true
}

/** Of all streams: one process writes them. */
let writer: Envelope | undefined
let writerBytes: Uint8Array

/** Writes the texts of one stream's records, and remembers of the last one what the next is likely to say again, and where. */
export class CanonicalText {
  #last: FlatFields | undefined
  #lastText: Uint8Array | undefined
  #identityFrom = 0
  #identityTo = 0
  #endFrom = 0
  #endTo = 0
  /** The last that was not empty: the same object says the same, nobody changes it. */
  #metadata: FlatFields["metadata"] | undefined
  #metadataText = ""

  /** The bytes are the arena's, and stay as they are. */
  write(out: ByteArena, e: Envelope, f: FlatFields, prev: string): Uint8Array {
    const last = this.#last
    const lastText = this.#lastText
    out.begin()
    out.put('{"_id":').putJson(e._id)
    out.put(',"stream":').putJson(e.stream)
    out.put(',"version":').putNumber(e.version)
    out.put(',"schema":').putNumber(e.schema)
    out.put(',"type":').putJson(e.type)
    out.put(',"state":').putJson(e.state)
    out.put(',"at":').putJson(e.at)
    out.put(',"data":').putText(JSON.stringify(e.data))
    if (e.commands.length === 0) out.put(',"commands":[]')
    else out.put(',"commands":').putText(JSON.stringify(e.commands))
    if (writer === undefined || !isSameWriter(writer, e)) {
      writerBytes = out.copyOf(() => putWriter(out, e))
      writer = e
    } else out.putBytes(writerBytes)
    out.put(',"cause":').putJson(e.cause)
    out.put(',"trace":').putJson(e.trace)
    out.put(',"prev":').putJson(prev)
    const identityFrom = out.length
    if (last === undefined || lastText === undefined || !isSameIdentity(last, f)) putIdentity(out, f)
    else out.putAgain(lastText, this.#identityFrom, this.#identityTo)
    const identityTo = out.length
    out.put(',"binance_order_id":').putJson(f.binance_order_id)
    out.put(',"status":').putJson(f.status)
    out.put(',"fill_price":').putNumber(f.fill_price)
    out.put(',"filled_quantity":').putNumber(f.filled_quantity)
    out.put(',"fees":').putNumber(f.fees)
    out.put(',"open_quantity":').putJson(f.open_quantity)
    out.put(',"profit":').putJson(f.profit)
    out.put(',"reason":').putJson(f.reason)
    out.put(f.settled ? ',"settled":true' : ',"settled":false')
    out.put(f.done ? ',"done":true' : ',"done":false')
    out.put(f.parked ? ',"parked":true' : ',"parked":false')
    const endFrom = out.length
    if (last === undefined || lastText === undefined || !isSameEnd(last, f)) putEnd(out, f)
    else out.putAgain(lastText, this.#endFrom, this.#endTo)
    const endTo = out.length
    this.#putMetadata(out, f.metadata)
    out.put("}")
    this.#last = f
    this.#lastText = out.end()
    this.#identityFrom = identityFrom
    this.#identityTo = identityTo
    this.#endFrom = endFrom
    this.#endTo = endTo
    return this.#lastText
  }

  #putMetadata(out: ByteArena, metadata: FlatFields["metadata"]): void {
    if (metadata !== this.#metadata) {
      if (isEmpty(metadata)) {
        out.put("{}")
        return
      }
      this.#metadata = metadata
      this.#metadataText = JSON.stringify(metadata)
    }
    out.putText(this.#metadataText)
  }
}
