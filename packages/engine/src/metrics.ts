/** The engine's metrics. Names follow Prometheus' conventions: a unit at the end, `_total` for counters. */
import { Counter, Gauge, Histogram, Registry } from "prom-client"

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class EngineMetrics {
  readonly registry = new Registry()
  readonly #own = { registers: [this.registry] }

  readonly signals = new Counter({
    ...this.#own,
    name: "petrosa_signals_total",
    help: "Signals received, by what became of the message.",
    labelNames: ["outcome"],
  })
  readonly settled = new Counter({
    ...this.#own,
    name: "petrosa_orders_settled_total",
    help: "Orders settled, by state and reason code.",
    labelNames: ["state", "reason"],
  })
  readonly lotsClosed = new Counter({
    ...this.#own,
    name: "petrosa_lots_closed_total",
    help: "Lots closed, by what closed them.",
    labelNames: ["closed_by"],
  })
  readonly events = new Counter({ ...this.#own, name: "petrosa_events_total", help: "Events made durable." })
  readonly conflicts = new Counter({
    ...this.#own,
    name: "petrosa_ownership_lost_total",
    help: "Orders dropped because another process wrote their stream.",
  })
  readonly refusedEvents = new Counter({
    ...this.#own,
    name: "petrosa_refused_events_total",
    help: "Events that the machine did not take in the state it was in.",
    labelNames: ["type"],
  })
  readonly stepFailures = new Counter({ ...this.#own, name: "petrosa_step_failures_total", help: "Steps of an order that threw." })
  readonly parkedOrders = new Counter({
    ...this.#own,
    name: "petrosa_orders_parked_total",
    help: "Orders parked for a human.",
    labelNames: ["code"],
  })
  readonly requests = new Histogram({
    ...this.#own,
    name: "petrosa_venue_request_seconds",
    help: "Requests to the venue, until their answer.",
    labelNames: ["kind"],
    buckets: SECONDS,
  })
  readonly #requestsOf = new Map<string, Histogram.Internal<"kind">>()
  readonly signalToEntry = new Histogram({
    ...this.#own,
    name: "petrosa_signal_to_entry_seconds",
    help: "From the arrival of a signal until its entry request left.",
    buckets: SECONDS,
  })
  readonly fillToStop = new Histogram({
    ...this.#own,
    name: "petrosa_fill_to_stop_seconds",
    help: "From knowing of a fill until the stop request left.",
    buckets: SECONDS,
  })
  readonly unprotected = new Histogram({
    ...this.#own,
    name: "petrosa_unprotected_seconds",
    help: "How long something filled was without a live stop.",
    buckets: SECONDS,
  })
  readonly volume = new Counter({
    ...this.#own,
    name: "petrosa_entry_volume_quote_total",
    help: "Filled quantity times price of entries, in quote (approximate: a float).",
  })
  readonly liveOrders: Gauge
  readonly openLots: Gauge
  readonly storeAway: Gauge
  readonly pendingRecords: Gauge

  /** The child of {@link requests} for one kind: looking it up by its labels at each request is dear. */
  requestsOf(kind: string): Histogram.Internal<"kind"> {
    const known = this.#requestsOf.get(kind)
    if (known !== undefined) return known
    const child = this.requests.labels(kind)
    this.#requestsOf.set(kind, child)
    return child
  }

  constructor(read: {
    readonly liveOrders: () => number
    readonly openLots: () => number
    readonly storeAway: () => boolean
    readonly pendingRecords: () => number
  }) {
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        ...this.#own,
        name,
        help,
        collect() {
          this.set(value())
        },
      })
    this.liveOrders = gauge("petrosa_live_orders", "Orders that this process holds.", read.liveOrders)
    this.openLots = gauge("petrosa_open_lots", "Lots open or on their way, as the lot book has them.", read.openLots)
    this.storeAway = gauge("petrosa_store_away", "1 while the event store does not answer.", () => (read.storeAway() ? 1 : 0))
    this.pendingRecords = gauge("petrosa_pending_records", "Events that wait for the store.", read.pendingRecords)
  }
}
