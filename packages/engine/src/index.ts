/**
 * @petrosa/engine: order actors at run time. Store first, then act; recovery by replay; protection within its deadline.
 * It may import every package below it, and knows no adapter by name.
 */
export * from "./api.ts"
export { DefaultsChanged, Engine, type EngineState } from "./engine.ts"
export { engineFace, type FaceExtras } from "./face.ts"
export { FAULT_POINTS, type FaultPoint, type FaultPoints } from "./faultPoints.ts"
export { measureMarketData } from "./marketMetrics.ts"
export { EngineMetrics } from "./metrics.ts"
export type { EngineLog, EngineOptions, VenueSeat } from "./options.ts"
export { savedIn } from "./rebuilt.ts"
export { rebuildFromStore } from "./stored.ts"
