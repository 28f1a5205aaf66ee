/**
 * The JSON Schema (draft 2020-12) of a signal, for publishers: made from the table of `signalFields.ts`, so it says what the
 * decoder does about each field by itself. What only the engine can say is not in it: rules over several fields (trigger
 * prices, `side` against `action`), words that contradict the action or ask for a test, misspelt names (`stopLoss`), duplicate keys, and the size of a message.
 */
import { type JsonSchema, ASKS_NOTHING } from "./fieldKinds.ts"
import { REFUSED_FAMILIES, REFUSED_FIELDS, SIGNAL_FIELDS, type SignalField, SOMETIMES_FIELDS } from "./signalFields.ts"

const FIELDS = Object.entries(SIGNAL_FIELDS) as readonly [string, SignalField<unknown>][]

const property = (field: SignalField<unknown>): JsonSchema => {
  const { jsonSchema } = field.kind
  const description = field.effect === "recorded" ? `${field.meaning} Recorded; no effect on the trade.` : field.meaning
  if (field.needed) return { ...jsonSchema, description }
  return Object.keys(jsonSchema).length === 0 ? { description } : { anyOf: [jsonSchema, { type: "null" }], description }
}

/** Names that begin with a family's letters, in any case and with any separators, but for the fields that we know. */
const familyPattern = (family: string): string => {
  const letters = [...family].map((letter) => `[${letter}${letter.toUpperCase()}]`).join("[_\\-\\s.]*")
  const known = FIELDS.map(([name]) => name).filter((name) => name.replaceAll("_", "").startsWith(family))
  return known.length === 0 ? `^${letters}` : `^(?!(?:${known.join("|")})$)${letters}`
}

/** The flag of a signal that sends it to the paper venue, inside `meta` and `metadata`. */
const WITH_SIMULATE: JsonSchema = { properties: { simulate: { type: ["boolean", "null"] } } }

export const signalJsonSchema: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Signal",
  description:
    "A trading signal on signals.trading or POST /trade. Fields that are not listed are recorded without effect; null means absent. " +
    "A field that would change the trade has effect or is refused by name: it is never ignored.",
  type: "object",
  properties: {
    ...Object.fromEntries(FIELDS.map(([name, field]) => [name, property(field)])),
    meta: { ...property(SIGNAL_FIELDS.meta), ...WITH_SIMULATE },
    metadata: { ...property(SIGNAL_FIELDS.metadata), ...WITH_SIMULATE },
    ...Object.fromEntries(
      Object.entries(REFUSED_FIELDS).map(([name, instead]) => [
        name,
        { ...(SOMETIMES_FIELDS.has(name) ? {} : ASKS_NOTHING), description: `Refused when it asks for something; instead: ${instead}.` },
      ]),
    ),
  },
  patternProperties: Object.fromEntries(
    Object.entries(REFUSED_FAMILIES).map(([family, instead]) => [
      familyPattern(family),
      { ...ASKS_NOTHING, description: `Refused when it asks for something; instead: ${instead}.` },
    ]),
  ),
  required: FIELDS.filter(([, field]) => field.needed).map(([name]) => name),
  examples: [
    {
      strategy_id: "volume_surge_breakout",
      symbol: "BTCUSDT",
      action: "buy",
      confidence: 0.85,
      price: 50000,
      quantity: 0.001,
      current_price: 50000,
      timeframe: "15m",
      stop_loss: 49000,
      take_profit: 51500,
      indicators: { atr: 320.5 },
      metadata: {},
      timestamp: "2024-01-01T00:00:00.000Z",
    },
  ],
}
