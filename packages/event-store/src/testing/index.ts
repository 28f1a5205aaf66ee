/** @petrosa/event-store/testing: what tests of this and other packages need. Never imported by code that runs. */
export * from "./contract.ts"
export * from "./faultyStore.ts"
export * from "./nasty.ts"
export * from "./records.ts"
export * from "./tcpProxy.ts"
