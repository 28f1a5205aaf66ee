/**
 * `petrosa unpark <id>`: puts a parked order back to work. It only asks, through the stream of signals: a running engine
 * takes the order up, records `OrderUnparked`, and goes on where it was, protection first.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { NatsPublisher, planSubjects } from "@petrosa/intake"
import { connectNats } from "../broker.ts"
import { CliError, type ExitCode, NO, OK } from "../exits.ts"
import type { Io } from "../io.ts"
import { findOrder, withStore } from "../openStore.ts"
import { readSettings } from "../settings.ts"

export interface UnparkOptions {
  readonly json?: boolean
  readonly nats?: string
  readonly by?: string
}

const POLL_MS = 200
const WAIT_MS = 10_000

export const unpark = (io: Io, id: string, options: UnparkOptions): Promise<ExitCode> => {
  const settings = readSettings()
  return withStore(settings, async (store) => {
    const row = await findOrder(store, id)
    const answer = (result: "unparked" | "not parked" | "asked"): void => {
      if (options.json === true) io.json({ order: row.order, result })
    }
    if (!row.parked) {
      answer("not parked")
      io.err(`Order ${row.order} is not parked: it is ${row.state}.`)
      return NO
    }
    const subjects = planSubjects(settings.signalSubject)
    if (subjects._tag === "Bad") throw new CliError(subjects.problem)
    const broker = await connectNats(settings, { url: options.nats })
    try {
      const publisher = new NatsPublisher({
        broker,
        plan: subjects.plan,
        signalStream: settings.signalStream,
        lotsStream: settings.lotsStream,
      })
      const published = await publisher.publishResume(row.order, row.version, "unpark", options.by ?? "petrosa unpark")
      if (published._tag === "BrokerAway" || published._tag === "Refused") throw new CliError(published.message)
      for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
        const now = await store.findOrder(row.order)
        if (now !== undefined && !now.parked && now.version > row.version) {
          answer("unparked")
          if (options.json !== true) io.out(`Order ${row.order} is back at work: ${now.state}.`)
          return OK
        }
        await sleep(POLL_MS)
      }
      answer("asked")
      io.err(`Order ${row.order} was asked to be taken up, and no engine has done so within ${WAIT_MS / 1000} s. One that starts will.`)
      return NO
    } finally {
      await broker.close()
    }
  })
}
