/** `make setup`: everything that later commands need is fetched or built now. (They would do it by themselves.) */
import { findMongo } from "./servers/mongoServer.ts"
import { findNatsServer, NATS_ADVICE } from "./servers/natsBinary.ts"

const nats = await findNatsServer()
const mongo = await findMongo()
const lines = [
  `Node       ${process.version}`,
  `NATS       ${nats ?? NATS_ADVICE}`,
  `MongoDB    ${"skipped" in mongo ? `for tests: ${mongo.skipped}` : `for tests: ${mongo.kind}, ${mongo.binary}`}`,
  nats === undefined ? "" : "Ready: npm start runs the engine, npm test the tests.",
]
process.stdout.write(`${lines.filter((line) => line !== "").join("\n")}\n`)
process.exitCode = nats === undefined ? 1 : 0
