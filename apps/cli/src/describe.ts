/** One sentence for each event, as a terminal may show it: text from outside is made safe. */
import type { EventRecord } from "@petrosa/contracts"
import { describeEvent } from "@petrosa/lifecycle"
import { safe } from "./text.ts"

export const describe = (record: Pick<EventRecord, "type" | "data">): string => safe(describeEvent(record))
