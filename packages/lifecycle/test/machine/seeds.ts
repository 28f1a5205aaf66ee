/** Many seeds of the random venue: `node seeds.ts [how many] [from] [shared]` (shared: other lots of the symbol are open). Prints what does not hold, and the ends by kind. */
import { protectionPhase } from "../../src/index.ts"
import { choicesOf, mannerOf, run } from "./violations.ts"

const count = Number(process.argv[2] ?? 1000)
const from = Number(process.argv[3] ?? 0)
const shared = process.argv[4] === "shared"
const ends = new Map<string, number>()
let bad = 0
for (let seed = from; seed < from + count; seed++) {
  const { world, during, after, replay } = run(choicesOf(seed), mannerOf(seed, shared))
  const violations = [...during, ...after, ...replay]
  if (violations.length > 0) {
    bad += 1
    process.stdout.write(`seed ${seed}: ${violations.join("; ")}\n  ${world.trail.types.join(" ")}\n`)
  }
  const end = `${world.trail.actor.state}, ${protectionPhase(world.trail.context)}, ${world.trail.context.parked?.code ?? world.trail.context.reason?.code ?? "no reason"}`
  ends.set(end, (ends.get(end) ?? 0) + 1)
}
process.stdout.write(`${bad} bad of ${count}\n${[...ends].map(([end, n]) => `${String(n).padStart(8)}  ${end}`).join("\n")}\n`)
process.exit(bad === 0 ? 0 : 1)
