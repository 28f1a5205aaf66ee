/**
 * Branded identifiers, and how one is made from another. Pure: an id never depends on time or chance.
 *
 * Source of the rules: docs/design.md section 5. On Binance a client order id is unique only among OPEN orders, so ours
 * is a look-up key, never an idempotency key, and no id is ever used twice.
 */

/** 20 characters of `[0-9a-z]` (Crockford base 32, lower case): the first 100 bits of the signal's identity hash. */
export type OrderId = string & { readonly __brand: "OrderId" }
/** `order/<OrderId>`, `rejected/…`, `anchor/…`: the name of an event stream. */
export type StreamId = string & { readonly __brand: "StreamId" }
/** What we call one of our orders at a venue: see {@link clientOrderId}. */
export type ClientOrderId = string & { readonly __brand: "ClientOrderId" }
/** What a venue calls an order. Always text: Binance's ids exceed 2^53. */
export type VenueOrderId = string & { readonly __brand: "VenueOrderId" }

export type Leg = "entry" | "stop" | "target" | "flatten"

const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
export const ORDER_ID_LENGTH = 20
/** The same as character codes, and where an order id is written with them. */
const CODES = Uint8Array.from(CROCKFORD, (character) => character.charCodeAt(0))
const written = new Uint8Array(ORDER_ID_LENGTH)
const ascii = new TextDecoder()

/** The order id of an identity hash (at least 100 bits, as bytes). */
export const orderIdOf = (hash: Uint8Array): OrderId => {
  let length = 0
  let bits = 0
  let held = 0
  for (const byte of hash) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5 && length < ORDER_ID_LENGTH) {
      bits -= 5
      written[length++] = CODES[(held >> bits) & 31] as number
    }
    held &= (1 << bits) - 1
  }
  if (length < ORDER_ID_LENGTH) throw new RangeError("an identity hash has at least 100 bits")
  return ascii.decode(written) as OrderId
}

/** Which character codes an order id consists of. */
const IS_CODE = new Uint8Array(128)
for (const code of CODES) IS_CODE[code] = 1
const isOrderIdAt = (text: string, start: number): boolean => {
  for (let i = start; i < start + ORDER_ID_LENGTH; i++) if (IS_CODE[text.charCodeAt(i)] !== 1) return false
  return true
}

export const isOrderId = (text: string): text is OrderId => text.length === ORDER_ID_LENGTH && isOrderIdAt(text, 0)

export const ORDER_STREAM_PREFIX = "order/"
export const REJECTED_STREAM_PREFIX = "rejected/"
export const ANCHOR_STREAM_PREFIX = "anchor/"

export const orderStream = (order: OrderId): StreamId => `${ORDER_STREAM_PREFIX}${order}` as StreamId
export const orderOfStream = (stream: string): OrderId | undefined => {
  if (!stream.startsWith(ORDER_STREAM_PREFIX)) return undefined
  const id = stream.slice(ORDER_STREAM_PREFIX.length)
  return isOrderId(id) ? id : undefined
}

/** All our client order ids start so; others are never touched. */
export const CLIENT_ID_PREFIX = "pt"
const ENGINE_ID_LENGTH = 4
const isLetterOrDigit = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
const isEngineIdAt = (text: string, start: number): boolean => {
  for (let i = start; i < start + ENGINE_ID_LENGTH; i++) if (!isLetterOrDigit(text.charCodeAt(i))) return false
  return true
}
export const isEngineId = (text: string): boolean => text.length === ENGINE_ID_LENGTH && isEngineIdAt(text, 0)

const LEG_LETTER: Readonly<Record<Leg, string>> = { entry: "E", stop: "S", target: "T", flatten: "X" }
const legOf = (letter: number): Leg | undefined => {
  switch (letter) {
    case 0x45:
      return "entry"
    case 0x53:
      return "stop"
    case 0x54:
      return "target"
    case 0x58:
      return "flatten"
    default:
      return undefined
  }
}

/** Attempts 1…99 of a leg are reserved by EntryIntended. */
export const ATTEMPT_MAX = 99

const TWO_DIGITS: readonly string[] = Array.from({ length: ATTEMPT_MAX + 1 }, (_, n) => String(n).padStart(2, "0"))

/**
 * `<prefix 2><ENGINE_ID 4><order 20><leg 1><attempt 2>` = 29 characters of `[A-Za-z0-9]`, within Binance's
 * `^[A-Za-z0-9_-]{1,36}$`. Plain ASCII on purpose: WebSocket API signatures are not percent-encoded (binance.md 2.3).
 */
export const clientOrderId = (engineId: string, order: OrderId, leg: Leg, attempt: number): ClientOrderId => {
  if (!isEngineId(engineId)) throw new RangeError("ENGINE_ID is four letters or digits")
  if (!Number.isInteger(attempt) || attempt < 1 || attempt > ATTEMPT_MAX) throw new RangeError(`attempt ${attempt} of 1…${ATTEMPT_MAX}`)
  return `${CLIENT_ID_PREFIX}${engineId}${order}${LEG_LETTER[leg]}${TWO_DIGITS[attempt]}` as ClientOrderId
}

/** The letter of an order list: not a leg, so that {@link parseClientOrderId} does not take a list for an order. */
const LIST_LETTER = "L"

/** What we call a list (OCO, OTOCO) at a venue: as its stop, with another letter. */
export const listClientOrderId = (stop: ClientOrderId): string => `${stop.slice(0, 26)}${LIST_LETTER}${stop.slice(27)}`

export interface ClientOrderIdParts {
  readonly engineId: string
  readonly order: OrderId
  readonly leg: Leg
  readonly attempt: number
}

/** What a client order id says, or `undefined` when it is not one of ours (then it is not ours to touch). */
export const parseClientOrderId = (text: string): ClientOrderIdParts | undefined => {
  if (text.length !== 29 || !text.startsWith(CLIENT_ID_PREFIX)) return undefined
  // Every event of a venue names one, some of them several times: looked at in place, and cut only when it is ours.
  const leg = legOf(text.charCodeAt(26))
  if (leg === undefined || !isEngineIdAt(text, 2) || !isOrderIdAt(text, 6)) return undefined
  const attempt = Number(text.slice(27))
  if (!Number.isInteger(attempt) || attempt < 1) return undefined
  return { engineId: text.slice(2, 6), order: text.slice(6, 26) as OrderId, leg, attempt }
}

/** Most orders have fewer events. */
const EIGHT_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(8, "0"))

/** `<stream>:<version, eight digits>`: the unique `_id` of an event, which makes the store refuse a second version N. */
export const eventId = (stream: string, version: number): string => `${stream}:${EIGHT_DIGITS[version] ?? String(version).padStart(8, "0")}`
