/**
 * @petrosa/inspector: the state-machine inspector, a web page that the engine itself serves: the machine live, orders,
 * timelines, time travel, and why. It reads the store and the journal through `EngineFace`, and never decides anything.
 */
export { createInspector, type Inspector, type InspectorOptions, isOpenPath } from "./server/inspector.ts"
export type { StatelyRefusal } from "./server/stately.ts"
