/** What the feed of market data does, as metrics. */
import type { MarketData } from "@petrosa/venue"
import type { Registry } from "prom-client"
import { Gauge } from "prom-client"

/** Registers the counts of a feed; they are read when somebody asks for the metrics. */
export const measureMarketData = (registry: Registry, data: MarketData): void => {
  new Gauge({
    registers: [registry],
    name: "petrosa_market_data",
    help: "Messages of the feed of market data by what became of them, connections lost, and symbols followed.",
    labelNames: ["what"],
    collect() {
      const { understood, notUnderstood, unknownSymbols, outdated, lost, symbols } = data.counts()
      this.set({ what: "understood" }, understood)
      this.set({ what: "not_understood" }, notUnderstood)
      this.set({ what: "unknown_symbols" }, unknownSymbols)
      this.set({ what: "outdated" }, outdated)
      this.set({ what: "connections_lost" }, lost)
      this.set({ what: "symbols" }, symbols)
    },
  })
}
