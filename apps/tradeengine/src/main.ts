/**
 * The trade engine's process: settings from the environment, servers by themselves, a graceful stop on SIGTERM and SIGINT.
 *
 * Exit codes: 0 stopped gracefully; 1 something broke; 2 the settings or the surroundings do not allow a start.
 */
import { readFileSync } from "node:fs"
import { parseSettings, shownSettings } from "@petrosa/contracts"
import pino from "pino"
import { type EnsuredNats, ensureNats } from "../../../tools/servers/ensureNats.ts"
import { faultsOf } from "./faultHook.ts"
import { HttpStartFailed } from "./http/index.ts"
import { StartRefused } from "./refused.ts"
import { type Service, startService } from "./service.ts"

/** All that a stop waits for has a bound of its own; together they stay below the 30 s after which others kill. */
const STOP_WITHIN_MS = 25_000

const refuse = (message: string): never => {
  process.stderr.write(`petrosa: ${message}\n`)
  process.exit(2)
}

const parsed = parseSettings(process.env)
if (parsed._tag === "Invalid") {
  const lines = parsed.errors.map(({ field, expected, received }) => `  ${field}: expected ${expected}; received ${received}`)
  refuse(`the settings cannot be used:\n${lines.join("\n")}`)
} else {
  const { settings, version } = parsed
  const { version: engineVersion } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    readonly version: string
  }
  const log = pino({
    level: settings.logLevel,
    redact: { paths: ["*.secret", "*.password", "*.token", "*.apiKey", "*.apiSecret", "config", "request"], censor: "[redacted]" },
  })
  const stopping = new AbortController()
  let service: Service | undefined
  let nats: EnsuredNats | undefined
  let stopped = false

  const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))
  const shutDown = async (): Promise<never> => {
    try {
      await service?.stop()
      await nats?.stop()
    } catch (error) {
      log.error({ error: describe(error) }, "the stop was not graceful; what was held comes back by itself")
      process.exit(1)
    }
    process.exit(0)
  }
  /** What was waited for while the engine was at work can never work. */
  const giveUp = async (error: unknown): Promise<void> => {
    if (stopped) return
    stopped = true
    log.fatal({ error: describe(error) }, "what was waited for cannot work")
    try {
      await service?.stop()
    } finally {
      refuse(error instanceof Error ? error.message : String(error))
    }
  }
  // While the service is starting it is let finish, or gives up waiting, and is then stopped like any other.
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopped) process.exit(1)
    stopped = true
    log.info({ signal }, "stopping")
    stopping.abort()
    setTimeout(() => {
      log.error("the stop takes too long; what was held comes back by itself")
      process.exit(1)
    }, STOP_WITHIN_MS).unref()
    if (service !== undefined) void shutDown()
  }
  process.on("SIGTERM", onSignal)
  process.on("SIGINT", onSignal)
  process.on("unhandledRejection", (error) => log.error({ error: describe(error) }, "an unhandled rejection: a defect"))

  try {
    const given = shownSettings(settings).filter(({ name }) => (process.env[name] ?? "").trim() !== "")
    log.info(
      { mode: settings.mode, store: settings.auditStore, settings: Object.fromEntries(given.map((one) => [one.name, one.value])) },
      "starting",
    )
    nats = await ensureNats(settings.natsUrl === undefined ? {} : { natsUrl: settings.natsUrl })
    if (!stopped) {
      // For crash tests of the real process; means nothing where money is real.
      const faults = faultsOf(process.env["PETROSA_FAULT_POINT"], settings.mode)
      log.info({ url: nats.url.replace(/\/\/[^@]*@/, "//***@"), source: nats.source }, "NATS")
      service = await startService({
        settings,
        settingsVersion: version,
        engineVersion,
        natsUrl: nats.url,
        log,
        signal: stopping.signal,
        onFatal: (error) => void giveUp(error),
        ...(faults === undefined ? {} : { faults }),
      })
      log.info({ url: service.url, docs: `${service.url}/docs`, inspector: `${service.url}/inspector`, mode: settings.mode }, "ready")
    }
    if (stopped) await shutDown()
  } catch (error) {
    await nats?.stop().catch(() => undefined)
    if (stopped) process.exit(0)
    if (error instanceof StartRefused || error instanceof HttpStartFailed) refuse(error.message)
    log.fatal({ error: describe(error) }, "the engine could not start")
    process.exit(1)
  }
}
