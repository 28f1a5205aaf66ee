/**
 * @petrosa/cli: `petrosa`. Publishes signals and explains orders. Reads the event store itself; asks the engine only for a
 * dry run. `main.ts` is the program; this face is for tests and tools that want the sentences.
 */
export { describe } from "./describe.ts"
export { makeProgram } from "./program.ts"
