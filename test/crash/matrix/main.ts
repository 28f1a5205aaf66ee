/** A process of many cells: plays one round of each, says what became of them, and is killed, or ends well. */
import { connectBroker } from "@petrosa/intake"
import type { FaultPoint } from "@petrosa/engine"
import { CellAtWork } from "./cell.ts"
import type { Cell, Said, Task } from "./cells.ts"

const task = JSON.parse(process.env["MATRIX_TASK"] ?? "") as Task
const say = (said: Said): void => void process.stdout.write(`${JSON.stringify(said)}\n`)

const connected = await connectBroker({ servers: task.natsUrl, name: "matrix" })
if (connected._tag !== "Connected") throw new Error(connected._tag)
const { broker } = connected

const attempt = async (atWork: CellAtWork, work: () => Promise<void>): Promise<void> => {
  try {
    if (!atWork.isOver) await work()
  } catch (error) {
    say({ _tag: "Problem", cell: atWork.cell.name, problem: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    atWork.end()
  }
}
const pointOf = (cell: Cell): FaultPoint | undefined => cell.deaths[task.round]

const cells = task.cells.map((cell) => new CellAtWork(cell, task.dir, broker))
for (const atWork of cells) {
  void atWork.reached.then((reached) => say({ _tag: "Reached", cell: atWork.cell.name, point: reached }))
  // One after the other, and only then the stories: a start takes its time, and entries have deadlines.
  await attempt(atWork, () => atWork.start(pointOf(atWork.cell)))
}
await Promise.all(
  cells.map((atWork) =>
    attempt(atWork, async () => {
      const lives = pointOf(atWork.cell) === undefined
      await atWork.story({ buy: task.round === 0, heal: lives })
      if (!lives) atWork.end()
      else for (const problem of await atWork.verdict()) say({ _tag: "Problem", cell: atWork.cell.name, problem })
    }),
  ),
)
say({ _tag: "Still" })
// Whoever started it kills it now, or waits for its end.
if (task.cells.every((cell) => cell.deaths[task.round] === undefined)) {
  await broker.close()
  process.exit(0)
}
