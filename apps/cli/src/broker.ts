/** A connection to NATS for one command: a person is waiting, so it is given up after a few attempts, with the reason. */
import { type Broker, connectBroker } from "@petrosa/intake"
import { CliError } from "./exits.ts"
import type { CliSettings } from "./settings.ts"
import { withoutCredentials } from "./text.ts"

export interface ConnectChoice {
  /** `--nats`: another server than the settings say. */
  readonly url?: string | undefined
  readonly attempts?: number
}

const ATTEMPTS = 3

const shown = (servers: string | readonly string[]): string => withoutCredentials([servers].flat().join(","))

export const connectNats = async (settings: CliSettings, choice: ConnectChoice = {}): Promise<Broker> => {
  const servers = choice.url ?? settings.nats.servers
  const stop = new AbortController()
  let problem = "no answer"
  const result = await connectBroker({
    ...settings.nats,
    servers,
    name: "petrosa-cli",
    signal: stop.signal,
    firstWaitMs: 300,
    connectTimeoutMs: 3000,
    onWaiting: (attempt, why) => {
      problem = why
      if (attempt >= (choice.attempts ?? ATTEMPTS)) stop.abort()
    },
  })
  switch (result._tag) {
    case "Connected":
      return result.broker
    case "Refused":
      throw new CliError(result.message)
    case "Aborted":
      throw new CliError(
        `NATS at ${shown(servers)} cannot be reached: ${problem}. Is the engine (npm start) or a nats-server running? NATS_URL or --nats names another one.`,
      )
  }
}
