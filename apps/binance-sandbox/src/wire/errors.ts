/**
 * Binance's refusals: code, text and HTTP status of everything that the sandbox enforces.
 *
 * Sources: errors.md of binance-spot-api-docs, the error-code page of the USDⓈ-M documentation, binance.md section 5. A
 * handler throws one; the transport is the only place that catches it. The same number means different things on spot and on
 * futures (-2021, -2022, -2026): they are different entries here.
 */
export class ApiError extends Error {
  readonly code: number
  readonly status: number
  /** Sent beside code and text (cancelReplace: `data`). */
  readonly extra: Readonly<Record<string, unknown>> | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: number,
    message: string,
    status = 400,
    more: { readonly extra?: Readonly<Record<string, unknown>>; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.code = code
    this.status = status
    this.extra = more.extra
    this.headers = more.headers ?? {}
  }
  get body(): Readonly<Record<string, unknown>> {
    return { code: this.code, msg: this.message, ...this.extra }
  }
}

const error = (code: number, message: string, status = 400): ApiError => new ApiError(code, message, status)

/** General, both markets. */
export const E = {
  unknown: () => error(-1000, "An unknown error occurred while processing the request."),
  unexpectedResponse: () => error(-1006, "An unexpected response was received from the message bus. Execution status unknown.", 500),
  timeout: (status: number) =>
    error(-1007, "Timeout waiting for response from backend server. Send status unknown; execution status unknown.", status),
  message: (text: string) => error(-1013, text),
  filter: (name: string) => error(-1013, `Filter failure: ${name}`),
  composition: () => error(-1014, "Unsupported order combination."),
  unsupported: () => error(-1020, "This operation is not supported."),
  outsideWindow: () => error(-1021, "Timestamp for this request is outside of the recvWindow."),
  ahead: () => error(-1021, "Timestamp for this request was 1000ms ahead of the server's time."),
  signature: () => error(-1022, "Signature for this request is not valid."),
  startAfterEnd: () => error(-1023, "Start time is greater than end time."),
  illegal: (name: string, range: string) => error(-1100, `Illegal characters found in parameter '${name}'; legal range is '${range}'.`),
  duplicateParameter: () => error(-1101, "Duplicate values for a parameter detected."),
  mandatory: (name: string) => error(-1102, `Mandatory parameter '${name}' was not sent, was empty/null, or malformed.`),
  oneOf: (a: string, b: string) => error(-1102, `Param '${a}' or '${b}' must be sent, but both were empty/null!`),
  unread: (read: number, sent: number) =>
    error(-1104, `Not all sent parameters were read; read '${read}' parameter(s) but was sent '${sent}'.`),
  empty: (name: string) => error(-1105, `Parameter '${name}' was empty.`),
  notRequired: (name: string) => error(-1106, `Parameter '${name}' sent when not required.`),
  overflow: (name: string) => error(-1108, `Parameter '${name}' overflowed.`),
  noDepth: () => error(-1112, "No orders on book for symbol."),
  timeInForce: () => error(-1115, "Invalid timeInForce."),
  orderType: () => error(-1116, "Invalid orderType."),
  side: () => error(-1117, "Invalid side."),
  symbol: () => error(-1121, "Invalid symbol."),
  listenKey: () => error(-1125, "This listenKey does not exist."),
  tooLong: (hours: number) => error(-1127, `More than ${hours} hours between startTime and endTime.`),
  badCombination: () => error(-1128, "Combination of optional parameters invalid."),
  invalid: (name: string) => error(-1130, `Data sent for parameter '${name}' is not valid.`),
  receiveWindow: () => error(-1131, "recvWindow must be less than 60000."),
  strategyType: () => error(-1134, "strategyType was less than 1000000."),
  json: (name: string) => error(-1135, `JSON sent for parameter '${name}' is not valid`),
  responseType: () => error(-1136, "Invalid newOrderRespType."),
  cancelRestrictions: () => error(-1145, "cancelRestrictions has to be either ONLY_NEW or ONLY_PARTIALLY_FILLED."),
  rejected: (text: string) => error(-2010, text),
  unknownOrder: () => error(-2011, "Unknown order sent."),
  noOrder: () => error(-2013, "Order does not exist."),
  keyFormat: () => error(-2014, "API-key format invalid.", 401),
  key: () => error(-2015, "Invalid API-key, IP, or permissions for action.", 401),
} as const

/** Spot only. */
export const S = {
  precision: (name: string) => error(-1111, `Parameter '${name}' has too much precision.`),
  ocoType: () => error(-1158, "Order type not supported in OCO."),
  buyLimitBelow: () => error(-1165, "A limit order in a buy OCO must be below."),
  sellLimitAbove: () => error(-1166, "A limit order in a sell OCO must be above."),
  bothLimit: () => error(-1168, "At least one OCO order must be contingent."),
  buyStopAbove: () => error(-1196, "A stop loss order in a buy OCO must be above."),
  sellStopBelow: () => error(-1197, "A stop loss order in a sell OCO must be below."),
  buyTakeProfitBelow: () => error(-1198, "A take profit order in a buy OCO must be below."),
  sellTakeProfitAbove: () => error(-1199, "A take profit order in a sell OCO must be above."),
  duplicate: () => error(-2010, "Duplicate order sent."),
  balance: () => error(-2010, "Account has insufficient balance for requested action."),
  closed: () => error(-2010, "Market is closed."),
  wouldTrigger: () => error(-2010, "Order would trigger immediately."),
  wouldMatch: () => error(-2010, "Order would immediately match and take."),
  prices: () => error(-2010, "The relationship of the prices for the orders is not correct."),
  disabled: () => error(-2010, "This account may not place or cancel orders."),
  restrictions: () => error(-2011, "Order was not canceled due to cancel restrictions."),
  noList: () => error(-2018, "Order list does not exist."),
  alreadySubscribed: () => error(-2035, "User Data Stream subscription already active."),
  notSubscribed: () => error(-2036, "User Data Stream subscription not active."),
  idMismatch: () => error(-2039, "Client order ID is not correct for this order ID."),
} as const

/** USDⓈ-M futures only. */
export const F = {
  engineWindow: () => error(-5028, "The requests' timestamp is outside of the recvWindow of the matching engine."),
  precision: () => error(-1111, "Precision is over the maximum defined for this asset."),
  margin: () => error(-2019, "Margin is insufficient."),
  wouldTrigger: () => error(-2021, "Order would immediately trigger."),
  reduceOnly: () => error(-2022, "ReduceOnly Order is rejected."),
  maxOrders: () => error(-2025, "Reach max open order limit."),
  priceAboveMax: () => error(-4002, "Price greater than max price."),
  quantityZero: () => error(-4003, "Quantity less than or equal to zero."),
  quantityBelowMin: () => error(-4004, "Quantity less than min quantity."),
  quantityAboveMax: () => error(-4005, "Quantity greater than max quantity."),
  priceBelowMin: () => error(-4013, "Price less than min price."),
  tick: () => error(-4014, "Price not increased by tick size."),
  clientIdLength: () => error(-4015, "Client order id length should be less than 36 chars"),
  capped: (limit: string) => error(-4016, `Limit price can't be higher than ${limit}.`),
  step: () => error(-4023, "Qty not increased by step size."),
  floored: (limit: string) => error(-4024, `Limit price can't be lower than ${limit}.`),
  leverage: (value: number) => error(-4028, `Leverage ${value} is not valid`),
  workingType: () => error(-4031, "Invalid parameter working type"),
  maxStopOrders: () => error(-4045, "Reach max stop order limit."),
  sameMarginType: () => error(-4046, "No need to change margin type."),
  marginOpenOrders: () => error(-4047, "Margin type cannot be changed if there exists open orders."),
  marginPosition: () => error(-4048, "Margin type cannot be changed if there exists position."),
  samePositionMode: () => error(-4059, "No need to change position side."),
  positionSide: () => error(-4061, "Order's position side does not match user's setting."),
  modeOpenOrders: () => error(-4067, "Position side cannot be changed if there exists open orders."),
  modePosition: () => error(-4068, "Position side cannot be changed if there exists position."),
  batchSize: () => error(-4082, "Invalid number of batch place orders."),
  duplicate: () => error(-4116, "ClientOrderId is duplicated."),
  useAlgo: () => error(-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead."),
  closePositionExists: () => error(-4130, "An open stop or take profit order with GTE and closePosition in the direction is existing."),
  marketRejected: () => error(-4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
  activation: () => error(-4135, "Invalid activation price"),
  closeWithQuantity: () => error(-4137, "Quantity must be zero with closePosition equals true"),
  closeWithReduceOnly: () => error(-4138, "Reduce only must be true with closePosition equals true"),
  status: () => error(-4140, "Invalid symbol status for opening position."),
  callbackRate: () => error(-4020, "Invalid callback rate."),
  notional: (least: string) => error(-4164, `Order's notional must be no smaller than ${least} (unless you choose reduce only).`),
  gteNeedsPosition: () =>
    error(-4509, "Time in Force (TIF) GTE can only be used with open positions. Please ensure that positions are available."),
  sameMultiAssets: () => error(-4171, "No need to change Multi-Assets Mode."),
  goodTill: () => error(-4180, "Invalid goodTillDate."),
  fillOrKill: () =>
    error(
      -5021,
      "Due to the order could not be filled immediately, the FOK order has been rejected. The order will not be recorded in the order history",
    ),
  postOnly: () =>
    error(
      -5022,
      "Due to the order could not be executed as maker, the Post Only order will be rejected. The order will not be recorded in the order history",
    ),
  modifyLimit: () => error(-5026, "Exceed maximum modify order limit."),
  unchanged: () => error(-5027, "No need to modify the order."),
} as const
