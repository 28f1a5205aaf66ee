/** The invariants of docs/design.md section 10 that can be held against one order at a random venue. Empty: all hold. */
import { add, dec, gt, isZero, lt, str, sub } from "@petrosa/contracts"
import {
  entryPhase,
  fits,
  heldQuantity,
  isDone,
  legQuantity,
  OrderActor,
  openQuantity,
  protectionPhase,
  stopsCover,
} from "../../src/index.ts"
import { LEGS, type Manner, RandomWorld } from "./randomVenue.ts"
import { ORDER } from "./support.ts"

const FAULTY_STEPS = 60
const CALM_STEPS = 120

const liveExits = (world: RandomWorld): number =>
  [...world.venue.values()].filter(
    ({ request, status, pending }) => request.leg !== "entry" && !pending && (status === "new" || status === "partially_filled"),
  ).length

/** After every step: at most one entry, no id used twice, and nothing held that the protection clock does not watch. */
const duringFaults = (world: RandomWorld): readonly string[] => {
  const c = world.trail.context
  const open = openQuantity(c)
  const uncovered = sub(open, legQuantity(c, "stop", ["live"]))
  // On lists a rest that no leg may be for stays outside; single legs are merged until all of it is under them.
  const covered = world.manner.lists ? !fits(c, uncovered) : !gt(uncovered, dec("0"))
  const watched = covered || c.unprotectedSinceMs !== null
  const entries = [...world.venue.values()].filter(({ request }) => request.leg === "entry").length
  const { entry, protection } = world.trail.actor.regions
  return [
    ...(entries > 1 || world.entriesSent > (world.manner.armed ? 2 : 1) ? [`${world.entriesSent} entries were sent`] : []),
    ...(entry === entryPhase(c) ? [] : [`the entry region says ${entry}, it is ${entryPhase(c)}`]),
    ...(protection === protectionPhase(c) ? [] : [`the protection region says ${protection}, it is ${protectionPhase(c)}`]),
    // What was parked because more was given back than was held leaves nothing behind that may trade.
    ...(c.parked?.code === "OVER_CLOSED" && liveExits(world) > 0 ? [`over-closed and parked, and ${liveExits(world)} legs are live`] : []),
    ...world.placedTwice.map((id) => `${id} was used twice`),
    ...(c.parked === null && gt(open, dec("0")) && !c.lotClosed && !watched
      ? ["something is held, not under a live stop, and no clock runs"]
      : []),
  ]
}

/** When the faults have stopped: settled, our fills are the venue's, and flat without a leg, or covered whole. */
const afterCalm = (world: RandomWorld): readonly string[] => {
  const c = world.trail.context
  const live = liveExits(world)
  // What nobody can sell is outside the invariant.
  const rest = sub(world.position, dec(c.dust))
  const flat = !gt(rest, dec("0"))
  // Two exits may trade where other lots share the position: then it is said, in full, and nothing of it lives on.
  const excess = str(sub(dec("0"), rest))
  const told = c.parked?.code === "OVER_CLOSED" && c.excess === excess
  const phase = protectionPhase(c)
  return [
    ...(c.parked === null || (world.manner.shared && told) ? [] : [`parked: ${c.parked.detail}`]),
    ...(!lt(rest, dec("0")) || told ? [] : [`${excess} too much was given back, and that is not told`]),
    ...(c.settled === null ? [`not settled: ${JSON.stringify(world.trail.actor.regions)}`] : []),
    ...(isZero(sub(add(heldQuantity(c), dec(c.dust)), world.position))
      ? []
      : [`we hold ${str(heldQuantity(c))}, the venue says ${str(world.position)}`]),
    ...(flat && live > 0 ? [`flat, and ${live} legs are live`] : []),
    ...(flat && !isDone(c) ? ["flat, and not done"] : []),
    // An exit leg that has traded in part rests; the rest of the lot is still whole under its stop.
    ...(flat || phase === "covered" || phase === "exiting" ? [] : [`holding, and ${phase}`]),
    ...(flat || stopsCover(c) || (world.manner.lists && !fits(c, sub(openQuantity(c), legQuantity(c, "stop", ["live"]))))
      ? []
      : ["holding more than is under live stops"]),
  ]
}

/** Folding the events again, as JSON, gives the same states, commands and context at each step. */
const replayed = (world: RandomWorld): readonly string[] => {
  const again = new OrderActor(ORDER)
  for (const { event, version, atMs, state, commands } of world.trail.steps) {
    const taken = again.take(JSON.parse(JSON.stringify(event)) as typeof event, version, atMs)
    if (taken?.state !== state) return [`version ${version}: ${taken?.state ?? "refused"} instead of ${state}`]
    if (JSON.stringify(taken.commands) !== JSON.stringify(commands)) return [`version ${version}: other commands`]
  }
  return JSON.stringify(again.context) === JSON.stringify(world.trail.context) ? [] : ["another context"]
}

export interface Run {
  readonly world: RandomWorld
  readonly during: readonly string[]
  readonly after: readonly string[]
  readonly replay: readonly string[]
}

/** Lets a venue do whatever the choices say, then lets it calm down. */
export const run = (choices: readonly number[], manner: Manner = LEGS): Run => {
  const world = new RandomWorld(choices, manner)
  const during = new Set<string>()
  world.begin()
  for (let n = 0; n < FAULTY_STEPS; n++) {
    world.step(false)
    for (const violation of duringFaults(world)) during.add(violation)
  }
  world.passTimeout()
  for (let n = 0; n < CALM_STEPS; n++) {
    world.step(true)
    world.tellAll()
  }
  for (const violation of duringFaults(world)) during.add(violation)
  return { world, during: [...during], after: afterCalm(world), replay: replayed(world) }
}

/** The manner of a seed: every other one is of a venue with lists, half of those with entries that go with theirs. */
export const mannerOf = (seed: number, shared = false): Manner =>
  seed % 2 === 0 ? { ...LEGS, shared } : { lists: true, armed: seed % 4 === 1, feesInBase: seed % 8 < 4, shared }

/** The choices of a seed: the same on every machine. */
export const choicesOf = (seed: number, length = 250): readonly number[] => {
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) % 1000
  })
}
