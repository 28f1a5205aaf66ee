/**
 * Orders of USDⓈ-M futures: placing, cancelling, asking. Two services at Binance look like one here: ordinary orders
 * (`/fapi/v1/order`) and algo orders with their children (`/fapi/v1/algoOrder`).
 *
 * Promises: `place` sends at most one placement; a question about an order that may be in either service is "not there" only
 * when both said so; what a triggered algo order filled is what its child filled.
 */
import { accepted, dec, known, refused, str, sum, unknown } from "@petrosa/contracts"
import type { ClientOrderId, Fill, Outcome, Read, Refused, VenueOrderId } from "@petrosa/contracts"
import type { FuturesConnector } from "../binance/connectors.ts"
import { field, id, isObject, text } from "../binance/exactJson.ts"
import { FillBook, sortFills, withFills } from "../binance/fillBook.ts"
import { openRows } from "../binance/openRows.ts"
import { readTrades } from "../binance/readTrades.ts"
import type { Session } from "../binance/session.ts"
import { isOver } from "../venue.ts"
import type { Acknowledgement, PlaceRequest, VenueOrder } from "../venue.ts"
import { CANCEL, PLACE_ENTRY, PLACE_EXIT, WEIGHT } from "./endpoints.ts"
import { OrderMemory } from "./orderMemory.ts"
import { algoIdOf, algoOrderStatus, algoParams, decodeAlgo, decodeOrder, kindOf, orderParams, withChild } from "./orders.ts"
import type { AlgoView, OrderKind, PositionMode, TriggerSettings } from "./orders.ts"

const PLACE_WAIT_MAX_MS = 1_500
const CANCEL_WAIT_MS = 2_000
const ALGO_ORDER = "/fapi/v1/algoOrder"
const OPEN_ALGO_ORDERS = "/fapi/v1/openAlgoOrders"
const UNREADABLE = unknown("UNREADABLE_ANSWER")

/** `{code: "200"}` (also as a number), or the order itself; anything else says nothing. */
const saysCancelled = (body: unknown, clientAlgoId: string): boolean =>
  isObject(body) && (id(body, "code") === "200" || text(body, "clientAlgoId") === clientAlgoId)

export class FuturesDesk {
  readonly memory = new OrderMemory()
  readonly fills = new FillBook()
  readonly #session: Session<FuturesConnector>
  readonly #triggers: TriggerSettings
  readonly #mode: () => PositionMode

  constructor(session: Session<FuturesConnector>, triggers: TriggerSettings, mode: () => PositionMode) {
    this.#session = session
    this.#triggers = triggers
    this.#mode = mode
  }
  get #window(): string {
    return String(this.#session.receiveWindowMs)
  }

  // ---- placing

  async place(request: PlaceRequest): Promise<Outcome<Acknowledgement>> {
    const kind = kindOf(request.type)
    this.memory.placed(request.clientOrderId, kind)
    const params = kind === "order" ? orderParams(request, this.#mode()) : algoParams(request, this.#mode(), this.#triggers)
    const timestamp = this.#session.signedTime(request.timestampMs)
    const { result } = await this.#session.change(
      request.leg === "entry" ? PLACE_ENTRY : PLACE_EXIT,
      Math.min(PLACE_WAIT_MAX_MS, request.receiveWindowMs / 2),
      (client) =>
        kind === "order"
          ? client.newOrder(request.symbol, String(params["side"]), String(params["type"]), { ...params, timestamp })
          : client.signRequest("POST", ALGO_ORDER, { ...params, timestamp }),
    )
    if (result._tag === "Refused" || result._tag === "Unknown") return result
    if (result._tag !== "Success") return UNREADABLE
    const { body, text: reply } = result.answer
    if (!isObject(body)) return UNREADABLE
    if (kind === "order") {
      const order = decodeOrder(body, reply)
      return order === undefined
        ? UNREADABLE
        : accepted({ clientOrderId: request.clientOrderId, venueOrderId: order.venueOrderId, order, reply })
    }
    const view = decodeAlgo(body, reply)
    if (view === undefined) return UNREADABLE
    const { order } = this.memory.sawAlgo(view)
    return accepted({ clientOrderId: request.clientOrderId, venueOrderId: order.venueOrderId, order, reply })
  }

  // ---- cancelling

  async cancel(symbol: string, clientOrderId: ClientOrderId): Promise<Outcome<VenueOrder>> {
    let last: Outcome<VenueOrder> = refused("race", "-2011", "Unknown order sent.")
    for (const kind of this.memory.placesOf(clientOrderId)) {
      last =
        kind === "order"
          ? await this.#cancelOrder(symbol, { origClientOrderId: clientOrderId })
          : await this.#cancelAlgo(symbol, clientOrderId)
      // Only "there is no such order (any more)" sends us to the other service.
      if (last._tag !== "Refused" || last.class !== "race") return last
    }
    return last
  }

  async #cancelOrder(symbol: string, by: Readonly<Record<string, string>>): Promise<Outcome<VenueOrder>> {
    const { result } = await this.#session.change(CANCEL, CANCEL_WAIT_MS, (client) =>
      client.cancelOrder(symbol, { symbol, ...by, recvWindow: this.#window }),
    )
    if (result._tag === "Refused" || result._tag === "Unknown") return result
    if (result._tag !== "Success") return UNREADABLE
    const { body, text: raw } = result.answer
    const order = isObject(body) ? decodeOrder(body, raw) : undefined
    return order === undefined ? UNREADABLE : accepted(this.told(order))
  }

  async #cancelAlgo(symbol: string, clientAlgoId: string): Promise<Outcome<VenueOrder>> {
    const { result } = await this.#session.change(CANCEL, CANCEL_WAIT_MS, (client) =>
      client.signRequest("DELETE", ALGO_ORDER, { symbol, clientAlgoId, recvWindow: this.#window }),
    )
    if (result._tag === "Unknown") return result
    if (result._tag === "Refused") return result.class === "race" ? this.#cancelChild(symbol, clientAlgoId, result) : result
    // The answer is `{code: "200"}` or the order, depending on whom one asks (binance.md 2.1): what it is now is asked for.
    const seen = await this.#algo(symbol, clientAlgoId)
    const view = seen._tag === "Known" ? seen.value : undefined
    const order = view?.order ?? this.memory.algo(clientAlgoId)?.order
    if (order === undefined) return unknown("CANCELLED_BUT_NOT_SEEN")
    if (isOver(order.status)) return accepted(order)
    // A child that lives trades, whatever was said of the algo order.
    if (view?.childId !== undefined) return this.#cancelChildOf(symbol, view, view.childId)
    return result._tag === "Success" && saysCancelled(result.answer.body, clientAlgoId)
      ? accepted({ ...order, status: "cancelled" })
      : UNREADABLE
  }

  /** It may have fired meanwhile: then its child is what is to be cancelled. */
  async #cancelChild(symbol: string, clientAlgoId: string, answer: Refused): Promise<Outcome<VenueOrder>> {
    const view = await this.#algo(symbol, clientAlgoId)
    if (view._tag !== "Known" || view.value?.childId === undefined || isOver(view.value.order.status)) return answer
    return this.#cancelChildOf(symbol, view.value, view.value.childId)
  }
  async #cancelChildOf(symbol: string, view: AlgoView, childId: string): Promise<Outcome<VenueOrder>> {
    const child = await this.#cancelOrder(symbol, { orderId: childId })
    return child._tag === "Accepted" ? accepted(withChild(view.order, child.value)) : child
  }

  // ---- asking

  async query(symbol: string, clientOrderId: ClientOrderId): Promise<Read<VenueOrder | undefined>> {
    for (const kind of this.memory.placesOf(clientOrderId)) {
      const found = await this.#find(kind, symbol, clientOrderId)
      if (found._tag === "Unknown") return found
      if (found.value !== undefined) return this.#withItsFills(found.value)
    }
    return known(undefined)
  }

  async #find(kind: OrderKind, symbol: string, clientOrderId: string): Promise<Read<VenueOrder | undefined>> {
    if (kind === "order") return this.#order(symbol, { origClientOrderId: clientOrderId })
    const view = await this.#algo(symbol, clientOrderId)
    return view._tag === "Known" ? known(view.value?.order) : view
  }

  async #withItsFills(found: VenueOrder): Promise<Read<VenueOrder>> {
    const order = this.told(found)
    if (order.filledQuantity === "0" || order.fills !== undefined) return known(order)
    const trades = await this.#tradesOf(order)
    // Without them the order is known all the same; who needs the fills asks again.
    if (trades._tag !== "Known") return known(order)
    const complete = this.fills.complete(order)
    return known(complete === undefined ? order : withFills(order, complete))
  }

  async openOrders(symbol: string | undefined): Promise<Read<readonly VenueOrder[]>> {
    const weight = WEIGHT.openOrders(symbol)
    const [plain, algos] = await Promise.all([
      this.#session.question(weight, (client) => client.getCurrentAllOpenOrders({ symbol, recvWindow: this.#window })),
      this.#session.question(weight, (client) => client.signRequest("GET", OPEN_ALGO_ORDERS, { symbol, recvWindow: this.#window })),
    ])
    if (plain._tag !== "Answer") return plain._tag === "Unknown" ? plain : UNREADABLE
    if (algos._tag !== "Answer") return algos._tag === "Unknown" ? algos : UNREADABLE
    const algoBody = algos.answer.body
    // A list, or an object with a list: both are reported (binance.md section 8).
    const algoRows = Array.isArray(algoBody) ? algoBody : isObject(algoBody) ? field(algoBody, "algoOrders") : undefined
    const waiting = openRows(algoRows, "clientAlgoId", decodeAlgo)?.map((view) => this.memory.sawAlgo(view).order)
    const orders = openRows(plain.answer.body, "clientOrderId", decodeOrder)?.map((order) => this.told(order))
    if (waiting === undefined || orders === undefined) return UNREADABLE
    const listed = new Set(waiting.map((order) => order.clientOrderId))
    return known([...orders.filter((order) => !listed.has(order.clientOrderId)), ...waiting])
  }

  async fillsOf(
    symbol: string,
    order: { readonly clientOrderId: ClientOrderId; readonly venueOrderId?: VenueOrderId },
  ): Promise<Read<readonly Fill[]>> {
    if (order.venueOrderId !== undefined)
      return this.#tradesOf({ symbol, clientOrderId: order.clientOrderId, venueOrderId: order.venueOrderId })
    for (const kind of this.memory.placesOf(order.clientOrderId)) {
      const found = await this.#find(kind, symbol, order.clientOrderId)
      if (found._tag === "Unknown") return found
      if (found.value !== undefined) return this.#tradesOf(found.value)
    }
    return known([])
  }

  /** The trades of an order, or of the child of an algo order. */
  async #tradesOf(order: Pick<VenueOrder, "symbol" | "clientOrderId" | "venueOrderId">): Promise<Read<readonly Fill[]>> {
    let orderId: string = order.venueOrderId
    if (algoIdOf(order.venueOrderId) !== undefined) {
      const remembered = this.memory.algo(order.clientOrderId)
      let childId = remembered?.order.venueOrderId === order.venueOrderId ? remembered.childId : undefined
      if (childId === undefined) {
        const view = await this.#algo(order.symbol, order.clientOrderId)
        if (view._tag === "Unknown") return view
        childId = view.value?.childId
      }
      if (childId === undefined) return known([])
      orderId = childId
    }
    const read = await readTrades(this.#session.symbols.get(order.symbol), (fromId) =>
      this.#session.question(WEIGHT.trades, (client) =>
        client.getAccountTradeList(order.symbol, { symbol: order.symbol, orderId, fromId, limit: "1000", recvWindow: this.#window }),
      ),
    )
    if (read._tag !== "Known") return read
    this.fills.add(order.symbol, order.venueOrderId, read.value)
    return known(sortFills(read.value))
  }

  async #order(symbol: string, by: Readonly<Record<string, string>>): Promise<Read<VenueOrder | undefined>> {
    const answer = await this.#session.question(WEIGHT.query, (client) =>
      client.queryOrder(symbol, { symbol, ...by, recvWindow: this.#window }),
    )
    if (answer._tag === "Absent") return known(undefined)
    if (answer._tag === "Unknown") return answer
    const { body, text: raw } = answer.answer
    const order = isObject(body) ? decodeOrder(body, raw) : undefined
    return order === undefined ? UNREADABLE : known(this.told(order))
  }

  /** An algo order with what its child came to. */
  async #algo(symbol: string, clientAlgoId: string): Promise<Read<AlgoView | undefined>> {
    const answer = await this.#session.question(WEIGHT.algoQuery, (client) =>
      client.signRequest("GET", ALGO_ORDER, { symbol, clientAlgoId, recvWindow: this.#window }),
    )
    if (answer._tag === "Absent") return known(undefined)
    if (answer._tag === "Unknown") return answer
    const { body, text: raw } = answer.answer
    const decoded = isObject(body) ? decodeAlgo(body, raw) : undefined
    if (decoded === undefined) return UNREADABLE
    const view = this.memory.sawAlgo(decoded)
    if (view.childId === undefined) return known(view)
    const child = await this.#plainOrder(symbol, view.childId)
    if (child._tag === "Unknown") return child
    if (child.value !== undefined) return known({ ...view, order: withChild(view.order, child.value) })
    return view.algoStatus === "FINISHED" && view.order.filledQuantity === "0" ? this.#withoutChild(view) : known(view)
  }
  /**
   * It is over, says of itself that nothing was filled, or does not say, and its child is not there: not yet, or (after 3 days)
   * no longer. What the child traded remains.
   */
  async #withoutChild(view: AlgoView): Promise<Read<AlgoView>> {
    const trades = await this.#tradesOf(view.order)
    if (trades._tag === "Unknown") return trades
    if (trades.value.length === 0) return known(view)
    const { quantity } = view.order
    const filledQuantity = str(sum(trades.value.map((fill) => dec(fill.quantity))))
    const status = algoOrderStatus("FINISHED", quantity, filledQuantity)
    return known({ ...view, order: withFills({ ...view.order, status, filledQuantity }, trades.value) })
  }
  async #plainOrder(symbol: string, orderId: string): Promise<Read<VenueOrder | undefined>> {
    const answer = await this.#session.question(WEIGHT.query, (client) =>
      client.queryOrder(symbol, { symbol, orderId, recvWindow: this.#window }),
    )
    if (answer._tag === "Absent") return known(undefined)
    if (answer._tag === "Unknown") return answer
    const order = isObject(answer.answer.body) ? decodeOrder(answer.answer.body) : undefined
    return order === undefined ? UNREADABLE : known(order)
  }

  /** The order as the port tells it: a child as its algo order, and with its fills when all are known. */
  told(order: VenueOrder): VenueOrder {
    const parent = algoIdOf(order.venueOrderId) === undefined ? this.memory.parentOf(order) : undefined
    const whole = parent === undefined ? order : withChild(parent.order, order)
    const complete = whole.filledQuantity === "0" ? undefined : this.fills.complete(whole)
    return complete === undefined ? whole : withFills(whole, complete)
  }
}
