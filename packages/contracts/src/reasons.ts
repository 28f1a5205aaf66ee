/**
 * Reason codes: why an order was declined, refused or broken, and why a message was rejected. A closed list: docs and
 * metrics are generated from it, and an order's end always names one.
 */

/** `declined`: we chose not to. `refused`: the venue did. `broken`: something that should not happen did. */
export type FailureClass = "declined" | "refused" | "broken"

export const REASONS = {
  HOLD: ["declined", "The signal says hold: there is nothing to do."],
  LOW_CONFIDENCE: ["declined", "The confidence is below MIN_CONFIDENCE."],
  SIGNAL_TOO_OLD: ["declined", "The signal is older than MAX_SIGNAL_AGE_SECONDS."],
  SIGNAL_FROM_FUTURE: ["declined", "The signal's timestamp lies more than 5 s ahead."],
  SYMBOL_UNKNOWN: ["declined", "The venue's exchange information has no such symbol."],
  SYMBOL_NOT_TRADING: ["declined", "The symbol exists, but is not open for trading."],
  SYMBOL_NOT_ALLOWED: ["declined", "SYMBOLS_ALLOWED or SYMBOLS_DENIED rules the symbol out."],
  MARKET_NOT_AVAILABLE: ["declined", "No venue is configured for the signal's market."],
  ORDER_TYPE_NOT_SUPPORTED: ["declined", "The venue does not offer this order type for this symbol."],
  TIME_IN_FORCE_NOT_SUPPORTED: ["declined", "The venue or the order type does not offer this time in force."],
  ICEBERG_NOT_SUPPORTED: ["declined", "Iceberg quantity is for spot limit orders only."],
  SHORT_NOT_SUPPORTED: ["declined", "Spot cannot be sold short, and this strategy holds nothing to sell."],
  PRICE_DEVIATION: ["declined", "The signal's price is further than MAX_PRICE_DEVIATION_PCT from the live price."],
  PRICE_UNKNOWN: ["declined", "No price is known to decide with."],
  PRICE_STALE: ["declined", "The newest price of the market is older than MAX_PRICE_AGE_MS."],
  BALANCE_UNKNOWN: ["declined", "The account's balance is not known: no new risk is taken."],
  BALANCE_TOO_LOW: ["declined", "The free balance does not cover the order."],
  MIN_NOTIONAL: ["declined", "The order is worth less than the exchange's minimum."],
  MAX_NOTIONAL: ["declined", "The order is worth more than the exchange's maximum."],
  MIN_QUANTITY: ["declined", "The quantity is below the exchange's minimum."],
  MAX_QUANTITY: ["declined", "The quantity is above the exchange's maximum."],
  QUANTITY_STEP: ["declined", "Rounded down to the exchange's step, nothing of the quantity is left."],
  PRICE_FILTER: ["declined", "The price is outside the exchange's limits for this symbol."],
  PERCENT_PRICE: ["declined", "The price is further from the market than the exchange allows."],
  ICEBERG_PARTS: ["declined", "The iceberg would have more parts than the exchange allows."],
  MAX_POSITION_NOTIONAL: ["declined", "The order is worth more than MAX_POSITION_NOTIONAL."],
  MAX_OPEN_POSITIONS: ["declined", "MAX_OPEN_POSITIONS lots are open or on their way."],
  NO_ROOM_FOR_STOP: ["declined", "The exchange takes no more conditional orders: a lot that is opened now could not have its stop."],
  ALREADY_OPEN: ["declined", "This strategy already holds, or is about to hold, a lot of this symbol and side."],
  OPPOSITE_HELD: ["declined", "Another strategy holds the other side of this symbol (one-way mode)."],
  OPPOSITE_SIGNAL_REFUSED: ["declined", "This strategy holds the other side, and OPPOSITE_SIGNAL is refuse."],
  NOTHING_TO_CLOSE: ["declined", "This strategy holds nothing of this symbol, and nothing is on its way."],
  ONLY_CANCELLED: ["declined", "The entries on their way were cancelled; nothing of them was filled, so there was nothing to sell."],
  STOP_SIDE: ["declined", "The stop-loss is on the wrong side of the entry price."],
  TARGET_SIDE: ["declined", "The take-profit is on the wrong side of the entry price."],
  STOP_DISTANCE: ["declined", "The stop-loss is nearer than MIN_STOP_DISTANCE_PCT or further than MAX_STOP_DISTANCE_PCT."],
  TARGET_DISTANCE: ["declined", "The take-profit is nearer than the least distance allowed."],
  BRACKET_INFEASIBLE: ["declined", "No stop-loss or take-profit satisfies the house rules and the exchange's filters together."],
  EXIT_WOULD_BE_DUST: ["declined", "The exit would be worth less than the exchange's minimum: the position could not be closed."],
  TRIGGER_SIDE: ["declined", "The trigger price is on the wrong side of the market: the order would trigger at once."],
  INPUTS_CHANGED: ["declined", "The order was decided before a restart, and what it was decided on no longer holds."],
  SEND_DEADLINE_PASSED: ["declined", "The entry was not sent before its deadline."],
  ENTRY_TIMEOUT: ["declined", "The entry rested until its time-out and was cancelled unfilled."],
  CANCELLED_BY_USER: ["declined", "The entry was cancelled on request and nothing of it was filled."],
  CANCELLED_BY_OPPOSITE: ["declined", "An opposite signal or a close cancelled the entry before it filled."],
  PARTIAL_FILL: [
    "declined",
    "Its bracket waits for the whole fill: what is filled in part for longer than PARTIAL_GRACE_MS gets its own, and the rest is cancelled.",
  ],
  ENTRY_REFUSED: ["refused", "The venue refused the entry."],
  ENTRY_EXPIRED: ["refused", "The venue let the entry expire unfilled."],
  ENTRY_CANCELLED_AT_VENUE: ["refused", "The entry was cancelled at the venue by somebody else, unfilled."],
  NOT_PLACED: ["broken", "The outcome was unknown, and the venue has proven that the entry never reached it."],
  PROTECTION_FAILED: ["broken", "What was filled could not be protected in time and was closed at market."],
  OVER_CLOSED: [
    "broken",
    "It was closed, but a stop or target traded beside the close: more was given back than was held, and other lots of the symbol hold so much less.",
  ],
  PARKED: ["broken", "The order was parked: a human has to look."],
} as const satisfies Record<string, readonly [FailureClass, string]>

export type ReasonCode = keyof typeof REASONS
export const reasonClass = (code: ReasonCode): FailureClass => REASONS[code][0]

/** Why an order ended (or was not begun): the rule, what was observed, and the limit it was held against. */
export interface Reason {
  readonly code: ReasonCode
  readonly class: FailureClass
  /** What was observed, as text, with its unit. */
  readonly observed?: string
  /** The limit it was held against, as text, with its unit. */
  readonly limit?: string
  /** One sentence for a person. */
  readonly message: string
}

export const reason = (code: ReasonCode, observed?: string, limit?: string, text?: string): Reason => {
  const failure = reasonClass(code)
  const message = text ?? REASONS[code][1]
  if (observed === undefined) return limit === undefined ? { code, class: failure, message } : { code, class: failure, limit, message }
  return limit === undefined ? { code, class: failure, observed, message } : { code, class: failure, observed, limit, message }
}

/** Why a message was not even an order. It is kept raw in a `rejected/…` stream. */
export const REJECTIONS = {
  EMPTY: "The message is empty.",
  TOO_LARGE: "The message is larger than is accepted.",
  NOT_UTF8: "The message is not valid UTF-8.",
  NOT_JSON: "The message is not one valid JSON value.",
  TOO_DEEP: "The JSON is nested too deeply.",
  DUPLICATE_KEY: "An object of the JSON has the same key twice.",
  NOT_AN_OBJECT: "The JSON is no object.",
  DOUBLE_ENCODED: "The JSON is a string that holds JSON: it was encoded twice.",
  FORBIDDEN_KEY: "An object of the JSON has a key that is never accepted (__proto__).",
  INVALID_FIELDS: "Fields are missing or wrong.",
  UNPROCESSABLE: "The engine failed on it several times: a defect, and an alarm.",
  IDENTITY_CONFLICT: "An order with this id exists, and its content is another.",
} as const
export type RejectionCode = keyof typeof REJECTIONS
