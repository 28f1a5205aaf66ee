/** The venue contract on the Binance adapters, over real HTTP and WebSocket to the local Binance. */
import { venueContract } from "@petrosa/venue/testing"
import { sandboxFixture } from "./sandboxFixture.ts"

venueContract("binance-futures on the sandbox", () => sandboxFixture("futures"), { removesDuplicates: true })
venueContract("binance-spot on the sandbox", () => sandboxFixture("spot"), { removesDuplicates: true })
