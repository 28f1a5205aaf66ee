/**
 * JSON as the exchange writes it: 64-bit ids are bare integers, also beyond 2^53. Inside they are `bigint`.
 * Reading is the plain `JSON.parse`: nothing that a client sends needs more.
 */
interface RawJson {
  readonly rawJSON: (text: string) => unknown
}

const raw = (JSON as unknown as RawJson).rawJSON

export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? raw(item.toString()) : item))

/** `undefined` when it is no JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

export type JsonObject = Readonly<Record<string, unknown>>
/** Text, number or truth value as text; anything else as nothing. */
export const textOf = (value: unknown): string =>
  typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" || typeof value === "bigint" ? `${value}` : ""

export const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null && !Array.isArray(value)
