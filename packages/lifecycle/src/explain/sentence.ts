/**
 * One sentence for each event, made from what the event recorded: what a person reads in `petrosa trail`, `petrosa watch`,
 * `petrosa why` and in the inspector. Pure. Data of an older or damaged record may lack anything: then the sentence says
 * less, never throws. Text from outside is not escaped here: that is for whoever shows it.
 */
import type { EventRecord, Fill, OrderEvent, Reason } from "@petrosa/contracts"
import { isOrderEventType } from "@petrosa/contracts"

export const describeEvent = (record: Pick<EventRecord, "type" | "data">): string => {
  if (!isOrderEventType(record.type)) return "an event that this version does not know"
  try {
    return sentence({ type: record.type, data: record.data } as unknown as OrderEvent)
  } catch {
    return "its data cannot be read"
  }
}

export const because = (why: Reason): string => {
  const numbers =
    why.observed === undefined ? "" : why.limit === undefined ? ` (${why.observed})` : ` (${why.observed}, limit ${why.limit})`
  return `${why.code}: ${why.message}${numbers}`
}
const at = (price: string | undefined): string => (price === undefined ? "at market" : `at ${price}`)
const took = (exchange: { readonly sentAtMs: number; readonly receivedAtMs: number }): string =>
  `after ${Math.max(0, exchange.receivedAtMs - exchange.sentAtMs)} ms`
export const fillsText = (fills: readonly Fill[]): string => {
  const shown = fills.slice(0, 3).map((fill) => `${fill.quantity} at ${fill.price} (fee ${fill.fee} ${fill.feeAsset})`)
  return shown.join(", ") + (fills.length > 3 ? ` and ${fills.length - 3} more fills` : "")
}
/** A leg, or the list that it is of. */
const whatOf = (data: { readonly leg: string; readonly sibling?: string }): string =>
  data.sibling === undefined ? `the ${data.leg}` : "stop and target (one list)"
const VIA = { reply: "", stream: ", told by the venue's stream", query: ", found by asking", trades: ", found in its trades" } as const

const sentence = (event: OrderEvent): string => {
  switch (event.type) {
    case "SignalReceived": {
      const { signal, arrival } = event.data
      const size = signal.quantity === undefined ? "" : ` ${signal.quantity}`
      return `${signal.strategyId} says ${signal.action}${size} ${signal.symbol} at ${signal.price}, confidence ${signal.confidence}; came by ${arrival.transport === "http" ? "HTTP" : "NATS"}`
    }
    case "SignalValidated": {
      const { venue, mode, ageMs, livePrice } = event.data
      return `complete and allowed, ${(ageMs / 1000).toFixed(1)} s old; goes to ${venue} (${mode})${livePrice === undefined ? "" : `, price there ${livePrice.price}`}`
    }
    case "OrderSized": {
      const { side, quantity, notional, type, price, triggerPrice, stop, target, basis, lots, notes } = event.data
      if (lots !== undefined)
        return `closes ${lots.map((lot) => lot.quantity).join(" + ")} of ${lots.length === 1 ? "one lot" : `${lots.length} lots`}`
      const trigger = triggerPrice === undefined ? "" : `, triggered at ${triggerPrice}`
      const exits = stop === undefined || target === undefined ? "" : `; stop ${stop.price}, target ${target.price}`
      return `${side} ${quantity} (worth ${notional}, by ${basis.replaceAll("_", " ")}) as ${type.replaceAll("_", " ")} ${at(price)}${trigger}${exits}${notes.length === 0 ? "" : `. ${notes.join(" ")}`}`
    }
    case "EntryIntended": {
      const { request, venue, plan } = event.data
      const { armed } = plan
      const bracket =
        armed === undefined
          ? ""
          : `, with its bracket as one list: stop ${at(armed.stop.triggerPrice)}, target ${at(armed.target.price)}, armed at the full fill`
      return `may leave to ${venue}: ${request.side} ${request.quantity} ${at(request.price)} as ${request.clientOrderId}${bracket}`
    }
    case "EntryAccepted":
      return `the venue took it as ${event.data.venueOrderId} ${took(event.data)}${VIA[event.data.via]}`
    case "EntryRefused":
      return `the venue refused it: ${event.data.code} ${event.data.message}`
    case "EntryListRefused":
      return `the venue refused entry and bracket as one list: ${event.data.code} ${event.data.message}; the entry goes by itself as ${event.data.request.clientOrderId}, its bracket follows the fill`
    case "EntryNotSent":
      return `it did not leave: ${because(event.data.reason)}`
    case "EntryUnknown":
      return `no answer (${event.data.reason}): the venue is asked what became of it`
    case "EntryNotPlaced":
      return `the venue never had it: ${Object.entries(event.data.evidence)
        .map(([key, value]) => `${key} ${value}`)
        .join(", ")}`
    case "EntryPartlyFilled":
      return `filled in part: ${fillsText(event.data.fills)}${VIA[event.data.via]}`
    case "EntryFilled":
      return `filled: ${fillsText(event.data.fills)}${VIA[event.data.via]}`
    case "EntryCancelRequested":
      return `is to be cancelled (${event.data.reason.code}), asked by ${event.data.by}`
    case "EntryEnded":
      return `over at the venue: ${event.data.how}${event.data.detail === undefined ? "" : ` (${event.data.detail})`}${VIA[event.data.via]}`
    case "StopAccepted":
      return `stop for ${event.data.quantity} ${at(event.data.price)} is live as ${event.data.venueOrderId}, ${took(event.data)}`
    case "TargetAccepted":
      return `target for ${event.data.quantity} ${at(event.data.price)} is live as ${event.data.venueOrderId}, ${took(event.data)}`
    case "FlattenAccepted":
      return `closing ${event.data.quantity} at market was taken as ${event.data.venueOrderId}, ${took(event.data)}`
    case "LegRefused":
      return `the venue refused ${whatOf(event.data)}: ${event.data.code} ${event.data.message}`
    case "LegUnknown":
      return `no answer about ${whatOf(event.data)} (${event.data.reason}): the venue is asked`
    case "LegNotPlaced":
      return `${whatOf(event.data)} ${event.data.clientOrderId} never reached the venue`
    case "LegEnded":
      return `the ${event.data.leg} is over at the venue: ${event.data.how}${VIA[event.data.via]}`
    case "CloseRequested":
      return `is to be closed (${event.data.cause}) by ${event.data.by}${event.data.detail === undefined ? "" : `: ${event.data.detail}`}`
    case "ExitFilled":
      return `the ${event.data.leg} closed ${fillsText(event.data.fills)}${VIA[event.data.via]}`
    case "SiblingCancelled":
      return `the ${event.data.leg} that is no longer needed is proven gone`
    case "LotClosed": {
      const { quantity, entryPrice, exitPrice, profit, fees, closedBy, excess, missing } = event.data
      const beyond = excess === undefined ? "" : `; ${excess} more than was held were given back, at the same average price`
      const gone = missing === undefined ? "" : `; ${missing} were not at the venue any more, at a price that is not known`
      return `${quantity} closed by ${closedBy}: in at ${entryPrice}, out at ${exitPrice}, profit ${profit} after fees of ${fees}${beyond}${gone}`
    }
    case "LotOverClosed":
      return `two exits traded: ${event.data.excess} ${event.data.asset} more than was held were given back; what is left of its legs goes`
    case "PositionMissing":
      return `${event.data.quantity} ${event.data.asset} of it are proven not to be at the venue any more, and no leg of ours closed them (${Object.entries(
        event.data.evidence,
      )
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")})`
    case "DustLeft":
      return `${event.data.quantity} ${event.data.asset} is too small to be sold and stays`
    case "CloseIntended":
      return `asks ${event.data.lots.length === 1 ? "one order" : `${event.data.lots.length} orders`} to close (${event.data.cause}): ${event.data.lots.map((lot) => lot.order).join(", ")}`
    case "CloseReported":
      return `order ${event.data.order} closed ${event.data.quantity} for ${event.data.quote}${event.data.cancelledEntry ? ", and its entry was cancelled" : ""}${event.data.excess === undefined ? "" : `, ${event.data.excess} of it beyond what it held`}`
    case "OrderCompleted":
      return `done: ${event.data.quantity} at ${event.data.fillPrice}, fees ${event.data.fees}`
    case "OrderFailed":
      return `over, ${event.data.reason.class}: ${because(event.data.reason)}`
    case "LateFillFound":
      return `the venue filled it after all: ${fillsText(event.data.fills)}${VIA[event.data.via]}`
    case "DeadlinePassed":
      return `the ${event.data.deadline} deadline passed ${Math.max(0, event.data.nowMs - event.data.dueAtMs)} ms ago`
    case "OrderAdopted":
      return `taken over by ${event.data.replica} (${event.data.cause}, delivery ${event.data.delivery}) after ${event.data.downMs} ms`
    case "StepFailed":
      return `a step failed (${event.data.count}): ${event.data.error}`
    case "OrderParked":
      return `parked, a human has to look: ${event.data.code} ${event.data.detail}`
    case "OrderUnparked":
      return `put back to work by ${event.data.by}`
  }
}
