/**
 * A strict reader of JSON from outside: bytes (or text) become a value whose numbers are still their source text, or a
 * typed rejection. It never throws, is linear in the length of the input, and recurses at most {@link MAX_DEPTH} levels.
 *
 * Why not a library. `JSON.parse` loses digits and silently lets the last of two equal keys win; lossless-json keeps the
 * digits, but accepts a key that comes twice with equal values, accepts `__proto__`, and recurses without a limit (10,000
 * nested arrays end in a `RangeError`). A signal that names its quantity twice is not one we may guess about.
 *
 * Decisions, each with a test:
 * - One byte order mark at the very beginning is ignored (RFC 8259 section 8.1 allows it); anywhere else it is no JSON.
 * - Strings that have no UTF-8 form (an escaped lone surrogate) are `NOT_UTF8`: stores would change them silently.
 * - `__proto__` as a key is refused everywhere, also when written with escapes. `constructor` and the like are plain
 *   keys: objects are `Map`s, so that no key means anything.
 * - `NaN`, `Infinity`, comments, trailing commas, single quotes: no JSON.
 */
import { REJECTIONS, type RejectionCode } from "./reasons.ts"
import { Utf8Text } from "./utf8Text.ts"

/** A number as it was written, e.g. `67000.0`, `1e-7`: exact, and valid JSON by itself. */
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** Keys in the order in which they came. */
export type JsonObject = ReadonlyMap<string, Json>
export type JsonArray = readonly Json[]
export type Json = null | boolean | string | JsonNumber | JsonArray | JsonObject

/** Objects and arrays inside one another, the outermost counted. */
export const MAX_DEPTH = 64
/** Values of all kinds in one text: more is `TOO_LARGE`. A mebibyte holds half a million, and each costs memory and time. */
export const MAX_VALUES = 20_000

export interface JsonRejected {
  readonly _tag: "Rejected"
  readonly code: RejectionCode
  /** One sentence for a person; holds nothing of the input but what is safe to print. */
  readonly message: string
}
export type JsonResult = { readonly _tag: "Json"; readonly value: Json } | JsonRejected
export type JsonObjectResult = { readonly _tag: "Json"; readonly value: JsonObject } | JsonRejected

export const isJsonObject = (value: Json | undefined): value is JsonObject => value instanceof Map
export const isJsonArray = (value: Json | undefined): value is JsonArray => Array.isArray(value)

const rejected = (code: RejectionCode, detail?: string): JsonRejected => ({
  _tag: "Rejected",
  code,
  message: detail === undefined ? REJECTIONS[code] : `${REJECTIONS[code]} ${detail}`,
})

const utf8 = new TextDecoder("utf-8", { fatal: true })
const BYTE_ORDER_MARK = 0xfeff

/** Reads one JSON value from bytes of at most `maxBytes`. Codes: EMPTY, TOO_LARGE, NOT_UTF8, and those of {@link readJsonText}. */
export const readJson = (bytes: Uint8Array, maxBytes: number): JsonResult => {
  if (bytes.length === 0) return rejected("EMPTY")
  if (bytes.length > maxBytes) return rejected("TOO_LARGE", `It has ${bytes.length} bytes; the limit is ${maxBytes}.`)
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return rejected("NOT_UTF8")
  }
  return new Reader(text).document()
}

/** Reads one JSON value from text. Codes: EMPTY, NOT_UTF8 (lone surrogate), NOT_JSON, TOO_DEEP, TOO_LARGE (too many values), DUPLICATE_KEY, FORBIDDEN_KEY. */
export const readJsonText = (text: string): JsonResult => {
  if (!text.isWellFormed()) return rejected("NOT_UTF8", "It has a lone surrogate.")
  return new Reader(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text).document()
}

/** As {@link readJson}, for messages that must be one object. Further codes: NOT_AN_OBJECT, DOUBLE_ENCODED. */
export const readJsonObject = (bytes: Uint8Array, maxBytes: number): JsonObjectResult => {
  const result = readJson(bytes, maxBytes)
  if (result._tag === "Rejected") return result
  const { value } = result
  if (isJsonObject(value)) return { _tag: "Json", value }
  if (typeof value === "string" && holdsJson(value)) return rejected("DOUBLE_ENCODED")
  return rejected("NOT_AN_OBJECT", `It is ${kindOf(value)}.`)
}

/** What a value is, in words. */
export const kindOf = (value: Json): string => {
  if (value === null) return "null"
  if (typeof value === "string") return "a string"
  if (typeof value === "boolean") return "a boolean"
  if (value instanceof JsonNumber) return "a number"
  return isJsonObject(value) ? "an object" : "an array"
}

/** Whether a string is itself the JSON text of an object, array or string (one beyond our limits counts as such). */
const holdsJson = (text: string): boolean => {
  if (!/^\s*["[{]/.test(text)) return false
  const inner = new Reader(text).document()
  return inner._tag === "Json" || inner.code !== "NOT_JSON"
}

/** Where values are written. Only {@link writeJson} begins, and what it calls only adds. */
const written = new Utf8Text()

const put = (value: Json): void => {
  if (value instanceof JsonNumber) written.put(value.text)
  else if (typeof value === "string") written.putJson(value)
  else if (isJsonArray(value)) {
    written.put("[")
    for (let i = 0; i < value.length; i++) {
      if (i > 0) written.put(",")
      put(value[i] as Json)
    }
    written.put("]")
  } else if (isJsonObject(value)) {
    let before = "{"
    for (const [key, member] of value) {
      written.put(before).putJson(key).put(":")
      put(member)
      before = ","
    }
    written.put(before === "{" ? "{}" : "}")
  } else written.put(String(value))
}

/** Compact JSON text of a value, numbers as they were written, keys in the order in which they came. */
export const writeJson = (value: Json): string => {
  written.begin()
  put(value)
  return written.text()
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** What people write instead of JSON, so that the message can name it. */
const NO_JSON = /NaN|-?Infinity|None|True|False|undefined|'|\/\/|\/\*/y

/**
 * Recursive descent, the depth checked before each descent. The first failure is kept in `failure`; every method then
 * returns `undefined` and its caller passes that on: no exceptions, so a flood of rubbish costs what good messages cost.
 */
class Reader {
  private readonly text: string
  private position = 0
  private values = 0
  private failure: JsonRejected | undefined
  /** The key whose value is being read, to be named when there is none. */
  private key: string | undefined

  constructor(text: string) {
    this.text = text
  }

  document(): JsonResult {
    this.skipSpace()
    if (this.position === this.text.length) return rejected("EMPTY")
    const value = this.value(0)
    if (value === undefined) return this.failure ?? rejected("NOT_JSON")
    this.skipSpace()
    if (this.position < this.text.length) return this.noJson("Something follows the value") ?? rejected("NOT_JSON")
    return { _tag: "Json", value }
  }

  private value(depth: number): Json | undefined {
    if (++this.values > MAX_VALUES) return void this.fail("TOO_LARGE", this.position, `It has more than ${MAX_VALUES} values.`)
    const code = this.text.charCodeAt(this.position)
    switch (code) {
      case QUOTE:
        return this.string()
      case OPEN_BRACE:
        return depth === MAX_DEPTH ? this.tooDeep() : this.object(depth + 1)
      case OPEN_BRACKET:
        return depth === MAX_DEPTH ? this.tooDeep() : this.array(depth + 1)
      case 0x74:
        return this.literal("true", true)
      case 0x66:
        return this.literal("false", false)
      case 0x6e:
        return this.literal("null", null)
      default:
        if (code === MINUS || (code >= ZERO && code <= NINE)) return this.number()
        return this.noValue()
    }
  }

  private object(depth: number): JsonObject | undefined {
    const members = new Map<string, Json>()
    const outer = this.key
    let count = 0
    this.position++
    this.skipSpace()
    if (this.eat(CLOSE_BRACE)) return members
    for (;;) {
      if (this.text.charCodeAt(this.position) !== QUOTE) return void this.noJson("A key in double quotes is expected")
      const at = this.position
      const key = this.string()
      if (key === undefined) return undefined
      if (key === "__proto__") return void this.fail("FORBIDDEN_KEY", at)
      this.key = key
      const member = this.member(depth)
      // A key that comes twice is what is wrong first, whatever is wrong behind it.
      if (member === undefined) return members.has(key) ? this.duplicate(key, at) : undefined
      members.set(key, member)
      count++
      if (members.size !== count) return this.duplicate(key, at)
      this.key = outer
      this.skipSpace()
      if (this.eat(CLOSE_BRACE)) return members
      if (!this.eat(COMMA)) return void this.noJson("A comma or } is expected")
      this.skipSpace()
    }
  }

  /** What follows a key. */
  private member(depth: number): Json | undefined {
    this.skipSpace()
    if (!this.eat(COLON)) return void this.noJson("A colon is expected")
    this.skipSpace()
    return this.value(depth)
  }

  private duplicate(key: string, at: number): undefined {
    this.failure = undefined
    this.fail("DUPLICATE_KEY", at, printable(key, 40))
  }

  private array(depth: number): JsonArray | undefined {
    const items: Json[] = []
    this.position++
    this.skipSpace()
    if (this.eat(CLOSE_BRACKET)) return items
    for (;;) {
      const item = this.value(depth)
      if (item === undefined) return undefined
      items.push(item)
      this.skipSpace()
      if (this.eat(CLOSE_BRACKET)) return items
      if (!this.eat(COMMA)) return void this.noJson("A comma or ] is expected")
      this.skipSpace()
    }
  }

  private string(): string | undefined {
    const { text } = this
    const start = this.position
    let escaped = false
    let i = start + 1
    for (; ; i++) {
      const code = text.charCodeAt(i)
      if (code === QUOTE) break
      if (code === BACKSLASH) {
        escaped = true
        i++
      } else if (!(code >= 0x20)) {
        this.position = i
        return void this.noJson(i < text.length ? "A string has an unescaped control character" : "A string does not end")
      }
    }
    this.position = i + 1
    if (!escaped) return text.slice(start + 1, i)
    let value: string
    try {
      value = JSON.parse(text.slice(start, i + 1)) as string
    } catch {
      return void this.fail("NOT_JSON", start, "A string has a wrong escape.")
    }
    return value.isWellFormed() ? value : void this.fail("NOT_UTF8", start, "A string has a lone surrogate.")
  }

  private number(): JsonNumber | undefined {
    const { text } = this
    const start = this.position
    if (text.charCodeAt(start) === MINUS) this.position++
    if (text.charCodeAt(this.position) === ZERO) this.position++
    else if (!this.digits()) return this.noValue(start)
    if (text.charCodeAt(this.position) === POINT) {
      this.position++
      if (!this.digits()) return void this.noJson("Digits are expected after the decimal point")
    }
    const exponent = text.charCodeAt(this.position)
    if (exponent === 0x65 || exponent === 0x45) {
      const sign = text.charCodeAt(++this.position)
      if (sign === PLUS || sign === MINUS) this.position++
      if (!this.digits()) return void this.noJson("Digits are expected in the exponent")
    }
    return new JsonNumber(text.slice(start, this.position))
  }

  /** Skips digits; whether there was one. */
  private digits(): boolean {
    const { text } = this
    const start = this.position
    let i = start
    for (let code = text.charCodeAt(i); code >= ZERO && code <= NINE; code = text.charCodeAt(i)) i++
    this.position = i
    return i > start
  }

  private literal<A extends boolean | null>(name: string, value: A): A | undefined {
    if (!this.text.startsWith(name, this.position)) return this.noValue()
    this.position += name.length
    return value
  }

  private eat(code: number): boolean {
    if (this.text.charCodeAt(this.position) !== code) return false
    this.position++
    return true
  }

  private skipSpace(): void {
    const { text } = this
    let i = this.position
    for (let code = text.charCodeAt(i); code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09; code = text.charCodeAt(i)) i++
    this.position = i
  }

  private tooDeep(): undefined {
    this.fail("TOO_DEEP", this.position, `The limit is ${MAX_DEPTH} levels.`)
  }

  private noValue(at?: number): undefined {
    this.noJson(this.key === undefined ? "A value is expected" : `The value of ${printable(JSON.stringify(this.key), 40)} is wanted`, at)
  }

  private noJson(what: string, at = this.position): JsonRejected {
    NO_JSON.lastIndex = at
    const found = NO_JSON.exec(this.text)?.[0]
    const end = at >= this.text.length ? ", and the text ends" : found === undefined ? "" : `, and ${found} is no JSON`
    return this.fail("NOT_JSON", at, `${what}${end}.`)
  }

  private fail(code: RejectionCode, at: number, detail = ""): JsonRejected {
    this.failure ??= rejected(code, `${detail}${detail === "" ? "At" : " At"} character ${at + 1}.`)
    return this.failure
  }
}

// Cc, lone surrogates, line and paragraph separators, and the controls that turn the direction of text.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu

/** Outside text made safe to print: at most `max` characters (a `…` says that there was more), control characters escaped. */
export const printable = (text: string, max = 80): string => {
  const short = text.length <= max ? text : `${text.slice(0, max - 1)}…`
  return short.replace(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
}
