/**
 * `npm run sandbox`: a local Binance as a process. Prints where it listens; stops at SIGINT and SIGTERM.
 * Exit codes: 0 stopped, 1 could not start, 2 wrong arguments.
 */
import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { EXAMPLE_KEY, EXAMPLE_SECRET } from "./core/accounts.ts"
import { readFaults } from "./faults/rules.ts"
import type { FeedOptions } from "./market/feed.ts"
import { readRecording } from "./market/feed.ts"
import { startSandbox } from "./sandbox.ts"
import type { SandboxOptions } from "./sandbox.ts"
import { isObject, parseJson } from "./wire/json.ts"

const HELP = `A local Binance: spot and USD-M futures, REST and WebSocket, on loopback. No money, no internet.

npm run sandbox -- [options]

  --port N              spot on N, futures on N + 1 (default 9700; 0: any two)
  --host ADDRESS        default 127.0.0.1 (the admin endpoint has no password)
  --feed manual|walk    default walk: a random walk every --every ms
  --every MS            default 1000
  --seed N              of the walk and of chance in faults (default 1)
  --volatility BPS      largest step of the walk, hundredths of a percent (default 5)
  --recording FILE      play prices from a file, one JSON object per line:
                        {"afterMs":0,"symbol":"BTCUSDT","price":"50000"}
  --speed N             of the recording (default 1)
  --faults FILE         a script of faults (README), JSON
  --exchange-info-spot FILE, --exchange-info-futures FILE
                        answers of exchangeInfo to use instead of the recorded ones
  --commission quote|received|bnb   what fees are paid in (default received, as on Binance)
  --execution-delay MS  between acceptance and first execution (default 0)
  --huge-ids            futures order ids beyond 2^53, as ETHUSDT has them in life: most
                        JavaScript clients lose their last digits
  --strict-streams      futures user streams only in the form that works in production
  --help

Key and secret are the examples of Binance's own documentation (they are printed at the start).
`
const fail = (text: string): never => {
  process.stderr.write(`sandbox: ${text}\n\n${HELP}`)
  process.exit(2)
}
const number = (value: string | undefined, name: string, otherwise: number): number => {
  if (value === undefined) return otherwise
  const found = Number(value)
  return Number.isFinite(found) && found >= 0 ? found : fail(`--${name} is no number: ${value}`)
}
const object = (path: string | undefined) => {
  if (path === undefined) return undefined
  const value = parseJson(readFileSync(path, "utf8"))
  return isObject(value) ? value : fail(`${path} is no JSON object`)
}

/** Of the size that most symbols have. */
const ORDINARY_FUTURES_ID = 215_456_450_616n

const readOptions = (): SandboxOptions => {
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      host: { type: "string" },
      feed: { type: "string" },
      every: { type: "string" },
      seed: { type: "string" },
      volatility: { type: "string" },
      recording: { type: "string" },
      speed: { type: "string" },
      faults: { type: "string" },
      "exchange-info-spot": { type: "string" },
      "exchange-info-futures": { type: "string" },
      commission: { type: "string" },
      "execution-delay": { type: "string" },
      "strict-streams": { type: "boolean" },
      "huge-ids": { type: "boolean" },
      help: { type: "boolean" },
    },
  })
  if (values.help === true) {
    process.stdout.write(HELP)
    process.exit(0)
  }
  const port = number(values.port, "port", 9700)
  const seed = number(values.seed, "seed", 1)
  if (values.feed !== undefined && values.feed !== "manual" && values.feed !== "walk") fail("--feed is manual or walk")
  const feed: FeedOptions =
    values.recording !== undefined
      ? {
          kind: "recorded",
          ticks: readRecording(readFileSync(values.recording, "utf8")),
          speed: number(values.speed, "speed", 1) || 1,
          repeat: true,
        }
      : values.feed === "manual"
        ? { kind: "manual" }
        : {
            kind: "walk",
            seed,
            everyMs: number(values.every, "every", 1000) || 1000,
            volatilityBps: number(values.volatility, "volatility", 5),
          }
  const commission = values.commission ?? "received"
  if (commission !== "quote" && commission !== "received" && commission !== "bnb") return fail("--commission is quote, received or bnb")
  const spotInfo = object(values["exchange-info-spot"])
  const futuresInfo = object(values["exchange-info-futures"])
  return {
    spotPort: port,
    futuresPort: port === 0 ? 0 : port + 1,
    ...(values.host === undefined ? {} : { host: values.host }),
    feed,
    seed,
    fees: { commission },
    faults: values.faults === undefined ? [] : readFaults(parseJson(readFileSync(values.faults, "utf8"))),
    executionDelayMs: number(values["execution-delay"], "execution-delay", 0),
    firstIds: values["huge-ids"] === true ? {} : { futures: ORDINARY_FUTURES_ID },
    strictStreams: values["strict-streams"] ?? false,
    exchangeInfo: { ...(spotInfo === undefined ? {} : { spot: spotInfo }), ...(futuresInfo === undefined ? {} : { futures: futuresInfo }) },
  }
}

const main = async (): Promise<void> => {
  let options: SandboxOptions
  try {
    options = readOptions()
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
  const sandbox = await startSandbox(options)
  process.stdout.write(
    `${[
      "Binance sandbox is up.",
      `  BINANCE_SPOT_URL=${sandbox.spotUrl}`,
      `  BINANCE_SPOT_WS_URL=${sandbox.spotApiSocketUrl}   (streams: ${sandbox.spotStreamUrl}/ws)`,
      `  BINANCE_FUTURES_URL=${sandbox.futuresUrl}`,
      `  BINANCE_FUTURES_WS_URL=${sandbox.futuresStreamUrl}`,
      `  admin: ${sandbox.adminUrl}`,
      `  key:    ${EXAMPLE_KEY}`,
      `  secret: ${EXAMPLE_SECRET}`,
    ].join("\n")}\n`,
  )
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve())
  })
  await sandbox.close()
}

try {
  await main()
} catch (error) {
  process.stderr.write(`sandbox: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
