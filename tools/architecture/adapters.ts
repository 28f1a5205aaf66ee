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

export const ADAPTERS: ReadonlyArray<Adapter> = [
  {
    path: "packages/venue/src/binance/client.ts",
    uses: ["network"],
    reason: "Keep-alive agents for the connectors' HTTP client.",
  },
  {
    path: "packages/venue/src/binance/clock.ts",
    uses: ["clock", "timer", "randomness"],
    reason: "The real clock and jitter of the Binance adapters; tests give their own.",
  },
  {
    path: "packages/venue/src/binance/socket.ts",
    uses: ["network"],
    reason: "The real WebSocket of the user streams; tests give their own.",
  },
  {
    path: "packages/venue/src/market-data/clock.ts",
    uses: ["clock"],
    reason: "A clock of market data that nobody can set; tests give their own.",
  },
  {
    path: "packages/event-store/src/groupCommit.ts",
    uses: ["timer"],
    reason: "The real scheduler of the group commit; tests and simulations give their own.",
  },
  {
    path: "packages/event-store/src/mongodb/",
    uses: ["clock", "timer", "randomness"],
    reason: "Talks to MongoDB: waits for it, tries again, measures how far the projection is behind, makes the store's id.",
  },
  {
    path: "packages/event-store/src/sqlite/",
    uses: ["timer", "randomness"],
    reason: "Talks to SQLite: waits for a locked file, lets others run during long reads, makes the store's id.",
  },
  {
    path: "packages/intake/src/clock.ts",
    uses: ["clock", "timer"],
    reason: "The real clock of intake and engine; tests and simulations give their own.",
  },
  {
    path: "packages/intake/src/reclaim.ts",
    uses: ["clock"],
    reason: "Writes the time into an acknowledgement subject of JetStream; nothing is decided by it.",
  },
  {
    path: "packages/venue/src/paper/",
    uses: ["clock", "timer"],
    reason: "A venue has a clock of its own, as an exchange does; tests give another.",
  },
]
