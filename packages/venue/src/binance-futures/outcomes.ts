/**
 * What USDⓈ-M futures' answers mean (binance.md section 5). Unlike spot, some 503 are certain failures; and a placement is
 * refused here with codes that mean something else on spot (-2021, -2022, -2026).
 */
import { COMMON_ROWS, STATUS_ROWS, TRANSPORT_ROWS, UNKNOWN_ROWS } from "../binance/commonOutcomes.ts"
import { codes } from "../binance/outcomeTable.ts"
import type { OutcomeTable } from "../binance/outcomeTable.ts"

export const FUTURES_OUTCOMES: OutcomeTable = {
  venue: "binance-futures",
  absentCodes: [-2013],
  rows: [
    ...TRANSPORT_ROWS,
    ...STATUS_ROWS,
    { status: 408, verdict: "unknown", meaning: "Timeout of the backend server." },
    { codes: [-1008], verdict: "retry", meaning: "Throttled by system-level protection: 100 % failed (exits are exempt)." },
    // Both sentences speak of "service"/"unknown": the more careful one is looked for first.
    { status: 503, message: "unknown error", verdict: "unknown", meaning: "503 Unknown error: executed or not, nobody says." },
    { status: 503, message: "service unavailable.", verdict: "retry", meaning: "503 Service Unavailable.: 100 % failed." },
    { status: "5xx", verdict: "unknown", meaning: "Any other server error." },
    ...UNKNOWN_ROWS,
    { codes: [-2010], message: "insufficient balance", verdict: "balance", meaning: "Not enough margin." },
    { codes: [-2010], verdict: "fatal", meaning: "NEW_ORDER_REJECTED." },
    { codes: [-2011], verdict: "race", meaning: "CANCEL_REJECTED: already filled, cancelled, or never there: ask." },
    { codes: [-2013], verdict: "race", meaning: "NO_SUCH_ORDER; may lag behind (binance.md 6.1)." },
    {
      codes: [-2017, -2023, ...codes(-4400, -4403), -4087, -4088, -4109],
      verdict: "account",
      effects: ["alarm"],
      meaning: "Keys locked, liquidation, restricted or inactive account: entries are blocked, exits may pass.",
    },
    { codes: [-2018, -2019, -2028, -4050, -4051], verdict: "balance", meaning: "Balance or margin is insufficient." },
    { codes: [-2020], verdict: "fatal", meaning: "UNABLE_TO_FILL (FOK, market)." },
    { codes: [-2021, -4142], verdict: "wouldTrigger", meaning: "The trigger price is already passed." },
    { codes: [-2022], verdict: "race", meaning: "REDUCE_ONLY_REJECT: the position is gone or opposite: ask." },
    {
      codes: [-2024, -2025, -4045, -2027],
      verdict: "balance",
      meaning: "Position not sufficient, too many open (stop) orders, or the leverage's largest position.",
    },
    {
      codes: [...codes(-4001, -4005), -4013, -4014, -4023, -4164],
      verdict: "fatal",
      effects: ["refreshRules"],
      meaning: "Price, quantity, tick, step or notional against the symbol's filters.",
    },
    { codes: [-4015], verdict: "fatal", effects: ["alarm"], meaning: "Client id too long or with other characters: a bug of ours." },
    { codes: [-4016, -4024, -4131], verdict: "fatal", meaning: "Price beyond the percent bound; or the market is." },
    { codes: [-4046, -4059], verdict: "nothingToChange", meaning: "Margin type or position mode is as asked." },
    {
      codes: [-4061],
      verdict: "retry",
      effects: ["reloadPositionMode", "alarm"],
      meaning: "The position side does not match the account's position mode: it was changed.",
    },
    { codes: [-4062], verdict: "fatal", effects: ["reloadPositionMode", "alarm"], meaning: "reduceOnly in hedge mode: a bug of ours." },
    {
      codes: [-4108, -4140, -4141],
      verdict: "fatal",
      effects: ["refreshRules"],
      meaning: "The symbol's status does not allow this order.",
    },
    { codes: [-4116], verdict: "duplicate", meaning: "DUPLICATED_CLIENT_ORDER_ID: an earlier attempt landed, and is open." },
    { codes: [-4117], verdict: "race", meaning: "STOP_ORDER_TRIGGERING: in flight; ask again shortly." },
    { codes: [-4118], verdict: "race", meaning: "REDUCE_ONLY_MARGIN_CHECK_FAILED: ask for position and open orders." },
    { codes: [-4120], verdict: "fatal", effects: ["alarm"], meaning: "This type belongs to the Algo Order API: a bug of ours." },
    { codes: [-4129, -4509], verdict: "race", meaning: "GTE or closePosition needs an open position: ask for it." },
    { codes: [-4130], verdict: "race", meaning: "A closePosition stop of that direction exists." },
    { codes: codes(-4136, -4138), verdict: "fatal", effects: ["alarm"], meaning: "closePosition with other parameters: a bug of ours." },
    { codes: [-4183, -4184, -4210, -4211], verdict: "fatal", meaning: "Limit or trigger price beyond the stop multipliers." },
    {
      codes: [-4192, ...codes(-4202, -4209)],
      verdict: "account",
      effects: ["alarm"],
      meaning: "Cooling-off period; leverage or verification limits of the account.",
    },
    { codes: [-4411], verdict: "account", effects: ["alarm"], meaning: "The agreement for this kind of contract is not signed." },
    { codes: [-4531], verdict: "account", effects: ["alarm"], meaning: "Position mode of USDⓈ-M and COIN-M in conflict." },
    {
      codes: [-5021, -5022],
      verdict: "fatal",
      meaning: "FOK could not be filled; post-only would have taken. Never in the order history.",
    },
    { codes: [...codes(-5024, -5027), -5041], verdict: "fatal", meaning: "A modification without a change, or too many of them." },
    {
      codes: [-5028],
      verdict: "retry",
      effects: ["syncClock"],
      meaning: "Outside of the receive window at the matching engine: not executed.",
    },
    ...COMMON_ROWS,
  ],
}
