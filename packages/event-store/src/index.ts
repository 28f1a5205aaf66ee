/**
 * @petrosa/event-store: the memory of the engine. The EventStore port, the hash chain, upcasters, group commit, anchors
 * and verification; adapters for SQLite (embedded) and MongoDB.
 *
 * It imports @petrosa/contracts, Node and the mongodb driver; no other package of this house.
 */
export * from "./anchors.ts"
export { ByteArena } from "./byteArena.ts"
export { CanonicalText } from "./canonicalText.ts"
export * from "./eventStore.ts"
export * from "./groupCommit.ts"
export * from "./hashChain.ts"
export * from "./plainRecord.ts"
export * from "./sealing.ts"
export { BadCursor, rowOf } from "./orderRows.ts"
export { StoreInUse } from "./sqlite/lock.ts"
export { SqliteEventStore, type SqliteStoreOptions } from "./sqlite/sqliteStore.ts"
export * from "./upcasters.ts"
export * from "./verify.ts"
export { MongoEventStore, type MongoStoreOptions } from "./mongodb/mongoStore.ts"
