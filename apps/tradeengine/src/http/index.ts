/**
 * The HTTP API of the engine: the specification's routes, the history of every order, the probes, and its own docs.
 * It asks the engine through `EngineFace` only.
 */
export { type HttpLog, type HttpOptions, HttpStartFailed, type RunningHttp, startHttp } from "./server.ts"
export { isLoopback } from "./guard.ts"
