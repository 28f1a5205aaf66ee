/**
 * What the list of orders needs of an event, read out of the event's canonical text.
 *
 * Promises: the same as `JSON.parse` of the text, which is also what is done when the text is not plain enough. Reading the few
 * values where they stand costs a fifth of parsing all of them (five times an order, in the thread that writes).
 *
 * Why that is exact: the keys stand in one fixed order (`recordOf`, packages/contracts). In a JSON text a `"` inside of a string
 * is `\"`, so `,"key":` can only be a key. Keys before `data` are the envelope's own. Between `data` and the flat fields a nested
 * object could have keys of any name; so the flat fields are found by `,"prev":"<the hash before>","order":"`, and when that
 * stands there twice the text is parsed (data of ours cannot name its own event's hash; this does not rest on that). From there to `metadata`, which is the last key, nothing is nested.
 */

/** What never changes in an order's life. */
export interface FixedColumns {
  readonly order: string
  readonly created_at: string
  readonly signal_id: string
  readonly strategy_id: string
  readonly symbol: string
}

export interface MovingColumns {
  readonly state: string
  readonly status: string
  readonly reason: string | null
  readonly binance_order_id: string | null
  readonly done: boolean
}

export interface OrderColumns extends FixedColumns, MovingColumns {}

/** Where a value begins, after `key` (`,"key":`); 0 when it is not there. */
const after = (text: string, key: string, from: number): number => {
  const at = text.indexOf(key, from)
  return at < 0 ? 0 : at + key.length
}

/** The string or `null` that begins at `at`. `undefined`: not plain. */
const textAt = (text: string, at: number): string | null | undefined => {
  if (text.charCodeAt(at) !== 0x22) return text.startsWith("null", at) ? null : undefined
  const end = text.indexOf('"', at + 1)
  if (end < 0) return undefined
  const value = text.slice(at + 1, end)
  return value.includes("\\") ? undefined : value
}

const parsed = (text: string): OrderColumns => JSON.parse(text) as OrderColumns

/** Reads the columns of one event after the other. */
export class OrderColumnsReader {
  #text = ""
  /** Where the flat fields begin, at the value of `order`; 0 when the text must be parsed. */
  #flat = 0

  /** Whether it is an event of an order at all. */
  read(text: string, prev: string): boolean {
    const key = `,"prev":"${prev}","order":`
    this.#text = text
    this.#flat = after(text, key, 0)
    if (this.#flat > 0 && text.includes(key, this.#flat)) this.#flat = 0
    const order = this.#flat === 0 ? undefined : textAt(text, this.#flat)
    return (order === undefined ? parsed(text).order : order) !== ""
  }

  fixed(): FixedColumns {
    const text = this.#text
    if (this.#flat === 0) return parsed(text)
    const signalAt = after(text, ',"signal_id":', this.#flat)
    const strategyAt = after(text, ',"strategy_id":', signalAt)
    const symbolAt = after(text, ',"symbol":', strategyAt)
    const createdAt = after(text, ',"created_at":', symbolAt)
    const order = textAt(text, this.#flat)
    const signal_id = textAt(text, signalAt)
    const strategy_id = textAt(text, strategyAt)
    const symbol = textAt(text, symbolAt)
    const created_at = textAt(text, createdAt)
    return typeof order === "string" &&
      typeof signal_id === "string" &&
      typeof strategy_id === "string" &&
      typeof symbol === "string" &&
      typeof created_at === "string"
      ? { order, signal_id, strategy_id, symbol, created_at }
      : parsed(text)
  }

  moving(): MovingColumns {
    const text = this.#text
    if (this.#flat === 0) return parsed(text)
    const stateAt = after(text, ',"state":', 0)
    const venueAt = after(text, ',"binance_order_id":', this.#flat)
    const statusAt = after(text, ',"status":', venueAt)
    const reasonAt = after(text, ',"reason":', statusAt)
    const doneAt = after(text, ',"done":', reasonAt)
    const state = textAt(text, stateAt)
    const status = textAt(text, statusAt)
    const reason = textAt(text, reasonAt)
    const binance_order_id = textAt(text, venueAt)
    return typeof state === "string" && typeof status === "string" && reason !== undefined && binance_order_id !== undefined && doneAt > 0
      ? { state, status, reason, binance_order_id, done: text.startsWith("true", doneAt) }
      : parsed(text)
  }
}
