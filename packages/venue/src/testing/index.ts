/** What tests of venues need: the contract suite and its fixture. Never imported by production code. */
export * from "./fixture.ts"
export * from "./venueContract.ts"
