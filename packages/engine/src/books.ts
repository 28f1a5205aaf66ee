/** Keeps the lot book in step with the orders: a slot is taken in the decision, and returned when nothing is left of it. */
import type { DecimalString, OrderId, Side } from "@petrosa/contracts"
import { dec, isZero, mul, str } from "@petrosa/contracts"
import type { OrderRow } from "@petrosa/event-store"
import type { LotBook, OrderContext } from "@petrosa/lifecycle"
import { averageFillPrice, entryIsOver, hasFills, heldQuantity } from "@petrosa/lifecycle"

/** Whether the order holds a slot: an entry that may still fill, or a lot that is not closed. */
const holdsSlot = (c: OrderContext): boolean => c.entry !== null && (!entryIsOver(c) || (hasFills(c) && !c.lotClosed))

export const bookOrder = (book: LotBook, order: OrderId, c: OrderContext): void => {
  if (c.entry === null) {
    // A closing order holds none; nor does one whose entry is not intended (any more).
    book.release(order)
    return
  }
  if (!holdsSlot(c)) {
    book.release(order)
    return
  }
  const filled = hasFills(c)
  const quantity = filled ? str(heldQuantity(c)) : ("0" as DecimalString)
  const known = book.get(order)
  const state = filled ? "open" : "onItsWay"
  // Most events change nothing of it.
  if (known !== undefined && known.state === state && known.quantity === quantity) return
  const price = averageFillPrice(c) ?? dec(c.entry.price ?? c.price ?? "0")
  const notional = str(mul(dec(c.entry.quantity), price))
  if (known !== undefined) {
    book.update(order, { state, quantity, notional })
    return
  }
  book.reserve({
    order,
    venue: c.venue,
    strategyId: c.strategyId,
    market: c.market,
    symbol: c.symbol,
    side: c.entry.side,
    state,
    quantity,
    notional,
  })
}

/** From a row of the store: at start, and for orders that other processes hold. */
export const bookRow = (book: LotBook, row: OrderRow, venue: string): void => {
  if (row.order === "") return
  const order = row.order as OrderId
  const isOpen = row.open_quantity !== "0" && !isZero(dec(row.open_quantity))
  // A closing order, and one whose entry came to nothing, hold no slot.
  const onItsWay = !row.settled && (row.side === "buy" || row.side === "sell") && row.state !== "received"
  if (row.done || (!isOpen && !onItsWay)) {
    book.release(order)
    return
  }
  const price = row.fill_price ?? row.price ?? 0
  book.reserve({
    order,
    venue,
    strategyId: row.strategy_id,
    market: row.market === "spot" ? "spot" : "futures",
    symbol: row.symbol,
    side: row.side as Side,
    state: isOpen ? "open" : "onItsWay",
    quantity: isOpen ? (row.open_quantity as DecimalString) : ("0" as DecimalString),
    notional: str(mul(dec(row.quantity ?? 0), dec(price))),
  })
}
