/**
 * @petrosa/intake: JetStream. The streams and their consumers, the connection, what comes in and what is told.
 *
 * JetStream is the lease and the courier; the event store is the memory (docs/design.md section 8). This package promises
 * that every delivered message is known, held with a heartbeat, and answered once the engine says so; it takes no decision
 * about orders. It may import `@petrosa/contracts`, `nats` and Node; nothing else of this house.
 */
export * from "./clock.ts"
export * from "./connection.ts"
export * from "./inquiry.ts"
export * from "./intake.ts"
export * from "./lateIntake.ts"
export * from "./lookup.ts"
export * from "./streamIntake.ts"
export type { IntakeMessage, MessageHandle } from "./message.ts"
export * from "./publisher.ts"
export * from "./reclaim.ts"
export * from "./streamSettings.ts"
export * from "./streams.ts"
export * from "./subjects.ts"
export * from "./tokens.ts"
