/** The paper venue on a file of its own, as the contract suite wants it. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Market } from "@petrosa/contracts"
import { NO_FAULTS, openPaperVenue } from "../src/index.ts"
import type { PaperOptions, PaperVenue } from "../src/index.ts"
import type { VenueFixture } from "../src/testing/index.ts"

export interface PaperFixture extends VenueFixture {
  readonly venue: PaperVenue
  readonly file: string
  another(): Promise<PaperVenue>
}

export const paperFixture = async (market: Market, options: Partial<PaperOptions> = {}): Promise<PaperFixture> => {
  const folder = mkdtempSync(join(tmpdir(), "petrosa-paper-"))
  const file = join(folder, "paper.sqlite")
  const open = (): PaperVenue => openPaperVenue({ file, pollMs: 5, sync: "off", ...options })
  const others: PaperVenue[] = []
  let venue = open()
  await venue.setPrice("BTCUSDT", market, "50000")
  return {
    get venue() {
      return venue
    },
    file,
    market,
    symbol: "BTCUSDT",
    quoteAsset: "USDT",
    setPrice: (price) => venue.setPrice("BTCUSDT", market, price),
    faults: {
      loseReply: (kind) => venue.setFaults({ loseReply: { count: 1, requests: [kind === "list" ? "entry" : kind] } }),
      dropRequest: (kind) => venue.setFaults({ dropRequest: { count: 1, requests: [kind === "list" ? "entry" : kind] } }),
      partialFills: (parts, everyMs) => venue.setFaults({ partialFills: { parts, everyMs } }),
      notFoundFor: (notFoundForMs) => venue.setFaults({ notFoundForMs }),
      duplicateEvents: () => venue.setFaults({ duplicateEvents: true }),
      none: () => venue.setFaults(NO_FAULTS),
    },
    allClientIds: async () => venue.ledger().orders.map((order) => order.clientOrderId),
    another: async () => {
      const other = open()
      others.push(other)
      return other
    },
    restart: async () => {
      await venue.close()
      venue = open()
      return venue
    },
    now: options.now ?? Date.now,
    close: async () => {
      for (const other of others) await other.close()
      await venue.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
