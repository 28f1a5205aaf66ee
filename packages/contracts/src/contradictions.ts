/**
 * Fields without an effect of their own that may still contradict the trade: what they say decides whether they are
 * recorded or refused (the tables of `signalFields.ts` go by names alone). Publishers of other engines say with them that a
 * `buy` is the exit of a short, or that a signal is only a test.
 *
 * Promises: pure; only plain words and booleans count, everything else (a number, an object, a word of nobody's table) is
 * the publisher's own and passes.
 */
import { ACTION_SPELLINGS, folded, ORDER_TYPE_SPELLINGS, wordOf } from "./aliases.ts"
import type { Action } from "./signal.ts"
import { exactDecimal } from "./fieldKinds.ts"
import { type Json, JsonNumber } from "./strictJson.ts"

const SAME_SIDE = "the same side as the action"
const PAPER = "simulate true"

/** `true`, `false`, or `undefined` for what is neither: also as text, and 1 and 0. */
const truth = (value: Json): boolean | undefined => {
  if (typeof value === "boolean") return value
  const text = value instanceof JsonNumber ? exactDecimal(value) : typeof value === "string" ? folded(value) : undefined
  if (text === "1" || text === "true" || text === "yes" || text === "on") return true
  return text === "0" || text === "false" || text === "no" || text === "off" ? false : undefined
}

/** The action that a word stands for; `undefined` when it is none. */
const actionOf = (value: Json | undefined): Action | undefined => (typeof value === "string" ? wordOf(ACTION_SPELLINGS, value) : undefined)

/** A field that says the side in a word: it has to be that of the action. */
export const agreesWith = (value: Json, action: Json | undefined): boolean => {
  const said = actionOf(value)
  return said !== undefined && said === actionOf(action)
}

/** A field that asks for an order that only closes is what a close is. */
export const onlyCloses = (value: Json, action: Json | undefined): boolean => actionOf(action) === "close" && truth(value) === true

/** `type` names many things: only an order type, or an action that is another one, contradicts. */
export const isHarmlessType = (value: Json, action: Json | undefined): boolean =>
  typeof value === "string" &&
  wordOf(ORDER_TYPE_SPELLINGS, value) === undefined &&
  !/conditional|trailing/i.test(value) &&
  (actionOf(value) === undefined || agreesWith(value, action))

type Rule = (value: Json, action: Json | undefined) => string | undefined

const word: Rule = (value, action) => (actionOf(value) === undefined || agreesWith(value, action) ? undefined : SAME_SIDE)
const sideIs =
  (other: Action): Rule =>
  (value, action) =>
    truth(value) === true && actionOf(action) === other ? SAME_SIDE : undefined
const isLong = sideIs("sell")
const isShort = sideIs("buy")
const isTest: Rule = (value) => (truth(value) === true ? PAPER : undefined)
const isReal: Rule = (value) => (truth(value) === false ? PAPER : undefined)

const NOT_REAL = new Set(["paper", "paper_trading", "simulation", "simulated", "simulate", "sim", "backtest", "backtesting"])
for (const more of ["test", "testing", "testnet", "dry_run", "dryrun", "demo", "sandbox"]) NOT_REAL.add(more)
const mode: Rule = (value) => (typeof value === "string" && NOT_REAL.has(folded(value)) ? PAPER : undefined)

/** By the folded name (`foldedName`). */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...["signal", "intent", "operation", "command", "cmd"].map((name) => [name, word] as const),
  ...["long", "islong"].map((name) => [name, isLong] as const),
  ...["short", "isshort"].map((name) => [name, isShort] as const),
  ...["test", "demo", "sandbox", "backtest", "dry", "shadow"].map((name) => [name, isTest] as const),
  ...["live", "islive"].map((name) => [name, isReal] as const),
  ...["mode", "tradingmode", "environment", "env"].map((name) => [name, mode] as const),
])

/** What to write instead, when a field of this (folded) name contradicts the trade with this value. */
export const contradiction = (fold: string, value: Json, action: Json | undefined): string | undefined => RULES.get(fold)?.(value, action)
