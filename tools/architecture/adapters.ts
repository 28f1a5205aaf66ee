/**
 * The files of packages/ that may touch what is outside: clocks, timers, randomness, the environment, the network.
 * Each with the reason. A path that ends in `/` is a folder. What an entry allows and its files do not use fails the check.
 */

export type Use = "clock" | "timer" | "randomness" | "environment" | "network"

export interface Adapter {
  readonly path: string
  readonly uses: ReadonlyArray<Use>
  readonly reason: string
}

export const ADAPTERS: ReadonlyArray<Adapter> = []
