import { RandomWorld } from "/work/main/packages/lifecycle/test/machine/randomVenue.ts"
import { dec, gt, gte, isZero, str, sub } from "/work/main/packages/contracts/src/index.ts"
import { heldQuantity, isDone, legQuantity, openQuantity, protectionPhase } from "/work/main/packages/lifecycle/src/index.ts"
let bad = 0
const N = Number(process.argv[2] ?? 1000), from = Number(process.argv[3] ?? 0)
const kinds: Record<string, number> = {}
for (let seed = from; seed < from + N; seed++) {
  let s = seed * 2654435761 + 12345
  const choices = Array.from({ length: 250 }, () => { s = (Math.imul(s, 1664525) + 1013904223) >>> 0; return (s >>> 8) % 1000 })
  const w = new RandomWorld(choices)
  const fail = (what: string) => { bad++; if (bad < 6) { console.log("SEED", seed, what, JSON.stringify(w.trail.actor.regions), w.trail.types.join(" ")); console.log(JSON.stringify({ e: w.trail.context.entry, l: w.trail.context.legs, v: [...w.venue].map(([k, v]) => [k.slice(-3), v.status, v.request.quantity, v.fills.length]) })) } }
  try {
    w.begin()
    let f: string | undefined
    for (let n = 0; n < 60; n++) { w.step(false); const c = w.trail.context; const open = openQuantity(c); if (c.parked === null && gt(open, dec("0")) && !c.lotClosed && !(gte(legQuantity(c, "stop", ["live"]), open) || c.unprotectedSinceMs !== null)) f ??= "clock" }
    for (let n = 0; n < 120; n++) { w.step(true); w.tellAll() }
    const c = w.trail.context
    if (f) fail(f)
    else if (w.entriesSent > 1) fail("entries")
    else if (w.placedTwice.length) fail("twice")
    else if (c.parked) fail("parked " + JSON.stringify(c.parked))
    else if (c.settled === null) fail("unsettled")
    else if (!isZero(sub(heldQuantity(c), w.position))) fail("fills " + str(heldQuantity(c)) + " " + str(w.position))
    else if (isZero(w.position) && !isDone(c)) fail("flat not done")
    else if (isZero(w.position) && [...w.venue.values()].some(({ request, status }) => request.leg !== "entry" && (status === "new" || status === "partially_filled"))) fail("live leg when flat")
    else if (!isZero(w.position) && !["covered", "exiting"].includes(protectionPhase(c))) fail("phase " + protectionPhase(c))
    else if (!isZero(w.position) && !gte(legQuantity(c, "stop", ["live"]), openQuantity(c))) fail("stops")
    const k = `${w.trail.actor.state}/${protectionPhase(c)}/${c.reason?.code ?? ""}`; kinds[k] = (kinds[k] ?? 0) + 1
  } catch (e) { fail("threw " + (e as Error).message) }
}
console.log(bad, "bad of", N, kinds)
