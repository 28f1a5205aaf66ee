/**
 * The parameters of one request: read one by one, each checked as Binance checks it, and counted, so that a parameter that
 * nobody read is refused (-1104). Reading the same name twice is fine. What can go wrong is thrown as `ApiError`.
 */
import { dec, isPositive, parseDecimal } from "@petrosa/contracts"
import type { Decimal } from "@petrosa/contracts"
import { E } from "./errors.ts"

const NUMBER = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
const NUMBER_PATTERN = new RegExp(NUMBER)
const SYMBOL = "^[A-Z0-9-_.]{1,20}$"
const INTEGER = "^[0-9]{1,20}$"
const INT64_MAX = 2n ** 63n - 1n

export class Params {
  readonly #values: ReadonlyMap<string, string>
  readonly #read = new Set<string>()

  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values
  }

  static of(values: Readonly<Record<string, string>>): Params {
    return new Params(new Map(Object.entries(values)))
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }
  /** A look without counting as read. */
  peek(name: string): string | undefined {
    return this.#values.get(name)
  }

  text(name: string): string | undefined {
    this.#read.add(name)
    const value = this.#values.get(name)
    if (value === "") throw E.empty(name)
    return value
  }
  needText(name: string): string {
    this.#read.add(name)
    const value = this.#values.get(name)
    if (value === undefined || value === "") throw E.mandatory(name)
    return value
  }

  symbol(): string {
    return this.#checkSymbol(this.needText("symbol"))
  }
  optionalSymbol(): string | undefined {
    const value = this.text("symbol")
    return value === undefined ? undefined : this.#checkSymbol(value)
  }
  #checkSymbol(value: string): string {
    if (!new RegExp(SYMBOL).test(value)) throw E.illegal("symbol", SYMBOL)
    return value
  }

  pattern(name: string, range: string): string | undefined {
    const value = this.text(name)
    if (value !== undefined && !new RegExp(range).test(value)) throw E.illegal(name, range)
    return value
  }

  oneOf<A extends string>(name: string, allowed: readonly A[], otherwise: () => Error = () => E.invalid(name)): A | undefined {
    const value = this.text(name)
    if (value === undefined) return undefined
    const found = allowed.find((item) => item === value)
    if (found === undefined) throw otherwise()
    return found
  }
  needOneOf<A extends string>(name: string, allowed: readonly A[], otherwise: () => Error = () => E.invalid(name)): A {
    this.needText(name)
    const found = this.oneOf(name, allowed, otherwise)
    if (found === undefined) throw E.mandatory(name)
    return found
  }

  /** The text as it was sent and its value; never negative, no exponent. */
  number(name: string): { readonly text: string; readonly value: Decimal } | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (!NUMBER_PATTERN.test(text)) throw E.illegal(name, NUMBER)
    const value = parseDecimal(text)
    if (value === undefined) throw E.overflow(name)
    return { text, value }
  }
  needNumber(name: string): { readonly text: string; readonly value: Decimal } {
    this.needText(name)
    const found = this.number(name)
    if (found === undefined) throw E.mandatory(name)
    return found
  }
  /** A number that counts as absent when it is zero. */
  positive(name: string): { readonly text: string; readonly value: Decimal } | undefined {
    const found = this.number(name)
    return found !== undefined && isPositive(found.value) ? found : undefined
  }

  id(name: string): bigint | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    if (!new RegExp(INTEGER).test(text)) throw E.illegal(name, INTEGER)
    const value = BigInt(text)
    if (value > INT64_MAX) throw E.overflow(name)
    return value
  }
  integer(name: string, range: { readonly min?: number; readonly max?: number } = {}): number | undefined {
    const value = this.id(name)
    if (value === undefined) return undefined
    const number = Number(value)
    if (number < (range.min ?? 0) || number > (range.max ?? Number.MAX_SAFE_INTEGER)) throw E.invalid(name)
    return number
  }
  /** `true`/`false` in any case. */
  flag(name: string): boolean | undefined {
    const value = this.text(name)?.toLowerCase()
    if (value === undefined) return undefined
    if (value !== "true" && value !== "false") throw E.illegal(name, "^(true|false|TRUE|FALSE)$")
    return value === "true"
  }

  /** Says that these are known to the endpoint, although it has no use for them here. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name)
  }
  /** Refuses what nobody read. */
  done(): void {
    const unread = [...this.#values.keys()].filter((name) => !this.#read.has(name))
    if (unread.length > 0) throw E.unread(this.#values.size - unread.length, this.#values.size)
  }
}

export const positiveOr = (text: string | undefined, otherwise: Decimal): Decimal => (text === undefined ? otherwise : dec(text))
