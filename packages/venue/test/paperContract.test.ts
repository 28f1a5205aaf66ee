import { venueContract } from "../src/testing/index.ts"
import { paperFixture } from "./paperFixture.ts"

venueContract("paper, futures", () => paperFixture("futures"))
venueContract("paper, spot", () => paperFixture("spot"))
venueContract("paper in memory, futures", () => paperFixture("futures", { file: ":memory:" }), { processes: false })
venueContract("paper, futures, 10 ms away", () => paperFixture("futures", { latencyMs: 10 }))
venueContract("paper, spot with lists", () => paperFixture("spot", { spotLists: true }))
venueContract("paper in memory, spot with lists", () => paperFixture("spot", { file: ":memory:", spotLists: true }), { processes: false })
