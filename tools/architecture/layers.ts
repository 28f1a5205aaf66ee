/**
 * The house: which package stands on which. Imports go only downwards (a package may use every one before it in the list).
 * The layer tests and nothing else read this table.
 */

/** From the ground up. A folder under packages/ that is not here fails the check. */
export const PACKAGES = ["contracts", "lifecycle", "matching", "event-store", "venue", "intake", "engine", "simulation"] as const

/** No `node:` module, no driver, no clock, no randomness: time, ids and market data come in as values. */
export const PURE: ReadonlySet<string> = new Set(["contracts", "lifecycle", "matching"])

/** The only libraries that pure packages may use: computation, no input or output. */
export const PURE_LIBRARIES: ReadonlyArray<string> = ["effect", "xstate", "lossless-json", "@noble/hashes"]

/** What test helpers that are shipped in `src/testing` (contract suites) may use besides. */
export const TEST_LIBRARIES: ReadonlyArray<string> = ["vitest", "fast-check"]

/** Programs stand on all packages and not on each other, but for these. */
export const APPS_USED_BY: Readonly<Record<string, ReadonlyArray<string>>> = {
  tradeengine: ["inspector"],
}

/** Files of the product that may use tools/ (tests may use all of it): file → what it may import. */
export const TOOLS_USED_BY: Readonly<Record<string, ReadonlyArray<string>>> = {
  "apps/tradeengine/src/main.ts": ["tools/servers/ensureNats.ts"],
}

/** Length of a file in lines. */
export const MAX_LINES = 600
