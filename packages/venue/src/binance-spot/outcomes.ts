/** What spot's answers mean (binance.md section 5). Any 5xx is Unknown by Binance's own definition, whatever its code. */
import { COMMON_ROWS, STATUS_ROWS, TRANSPORT_ROWS, UNKNOWN_ROWS } from "../binance/commonOutcomes.ts"
import type { OutcomeTable } from "../binance/outcomeTable.ts"

/** Codes of the matching engine: their text says what happened. */
const ENGINE = [-1010, -2010, -2011, -2038]

export const SPOT_OUTCOMES: OutcomeTable = {
  venue: "binance-spot",
  absentCodes: [-2013, -2026],
  rows: [
    ...TRANSPORT_ROWS,
    ...STATUS_ROWS,
    { status: "5xx", verdict: "unknown", meaning: "UNKNOWN by definition (rest-api.md, HTTP return codes), also -1008 SERVER_BUSY." },
    ...UNKNOWN_ROWS,
    { codes: [-1008], verdict: "unknown", meaning: "SERVER_BUSY: not promised to be unexecuted on spot." },
    {
      codes: ENGINE,
      message: "duplicate order sent",
      verdict: "duplicate",
      meaning: "The client id is in use: an earlier attempt landed.",
    },
    { codes: ENGINE, message: "insufficient balance", verdict: "balance", meaning: "Not enough free balance." },
    { codes: ENGINE, message: "would trigger immediately", verdict: "wouldTrigger", meaning: "The trigger price is already passed." },
    { codes: ENGINE, message: "would immediately match and take", verdict: "fatal", meaning: "Post-only would have taken." },
    { codes: ENGINE, message: "market is closed", verdict: "retry", effects: ["refreshRules"], meaning: "The symbol is halted." },
    {
      codes: ENGINE,
      message: "may not place or cancel orders",
      verdict: "account",
      effects: ["alarm"],
      meaning: "The account may not trade.",
    },
    {
      codes: ENGINE,
      message: "action is disabled",
      verdict: "account",
      effects: ["alarm"],
      meaning: "Trading is disabled on the account.",
    },
    { codes: ENGINE, message: "unknown order sent", verdict: "race", meaning: "Already filled, cancelled, or never there: ask." },
    {
      codes: ENGINE,
      message: "relationship of the prices",
      verdict: "wouldTrigger",
      meaning: "The market is not between the prices of the list (ours fit each other): one of them is passed.",
    },
    { codes: [-2011], verdict: "race", meaning: "The cancel was refused: ask what the order is." },
    { codes: [-2010, -1010, -2038], verdict: "fatal", meaning: "The matching engine refused the order." },
    { codes: [-2013], verdict: "race", meaning: "NO_SUCH_ORDER; may lag behind (binance.md 6.1)." },
    { codes: [-2017], verdict: "account", effects: ["alarm"], meaning: "API keys are locked." },
    { codes: [-2021, -2022], verdict: "race", meaning: "cancelReplace: one half or both failed." },
    { codes: [-2026], verdict: "race", meaning: "ORDER_ARCHIVED: ended without a fill more than 90 days ago." },
    { codes: [-2035, -2036], verdict: "retry", meaning: "User data subscription already active, or not active." },
    { codes: [-2039], verdict: "fatal", effects: ["alarm"], meaning: "Order id and client id do not belong together: a bug of ours." },
    { status: 409, verdict: "unknown", effects: ["alarm"], meaning: "cancelReplace, partly done; this adapter does not use it." },
    ...COMMON_ROWS,
  ],
}
