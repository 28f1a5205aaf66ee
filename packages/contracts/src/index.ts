/**
 * @petrosa/contracts: PURE. What crosses an edge, and the words that every layer shares: signals, events, commands,
 * records, ids, exact decimals, outcomes and reason codes.
 *
 * It imports no `node:` module, no driver, no clock and no randomness; and no other package of this house.
 */
export * from "./aliases.ts"
export * from "./commands.ts"
export * from "./decimal.ts"
export { isoOf } from "./isoTime.ts"
export * from "./decodeSignal.ts"
export * from "./events.ts"
export { exactDecimal, type FieldKind, type JsonSchema, TEXT_MAX_LENGTH, TIMEOUT_MAX_S } from "./fieldKinds.ts"
export * from "./identity.ts"
export * from "./ids.ts"
export * from "./outcome.ts"
export * from "./reasons.ts"
export * from "./records.ts"
export { NEAR, OWN_PREFIXES } from "./settingNames.ts"
export * from "./settings.ts"
export * from "./settingsTable.ts"
export * from "./signal.ts"
export * from "./signalFields.ts"
export * from "./signalSchema.ts"
export * from "./strictJson.ts"
export * from "./symbolRules.ts"
export * from "./timestamp.ts"
