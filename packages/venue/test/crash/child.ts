/** A process that trades on a paper venue's file as fast as it can, until it is killed: from the
 * first byte on its standard input. Writes a line before and after each request. */
import { once } from "node:events"
import { writeSync } from "node:fs"
import type { ClientOrderId, DecimalString, Leg } from "@petrosa/contracts"
import { openPaperVenue } from "../../src/index.ts"
import type { PlaceRequest } from "../../src/index.ts"

const [file, name] = process.argv.slice(2)
if (file === undefined || name === undefined) throw new Error("child.ts <file> <name>")
const venue = openPaperVenue({ file, sync: "off", fillDelayMs: 3 })

const say = (line: string): void => void writeSync(1, `${line}\n`)
let count = 0
const send = async (leg: Leg, draft: Partial<PlaceRequest>): Promise<void> => {
  count += 1
  const clientOrderId = `${name}-${count}-${leg}` as ClientOrderId
  say(`sent ${clientOrderId}`)
  const outcome = await venue.place({
    clientOrderId,
    leg,
    side: "buy",
    type: "market",
    quantity: "0.001" as DecimalString,
    reduceOnly: false,
    symbol: "BTCUSDT",
    market: "futures",
    positionSide: "long",
    timestampMs: Date.now(),
    receiveWindowMs: 60_000,
    ...draft,
  })
  say(`${outcome._tag === "Accepted" ? "acked" : `no:${JSON.stringify(outcome)}`} ${clientOrderId}`)
}
const one = async (): Promise<void> => {
  await send("entry", {})
  await send("flatten", { side: "sell", reduceOnly: true })
}
say("ready")
await once(process.stdin, "data")
for (;;) await Promise.all(Array.from({ length: 8 }, one))
