/**
 * The commands of `petrosa`, their arguments and their help. Each command's code is loaded when it runs, so that `--help`
 * is quick and no command needs what another one does.
 */
import { ORDER_STATES, STATUSES } from "@petrosa/contracts"
import { Command, InvalidArgumentError, Option } from "commander"
import { CANNOT, type ExitCode, exitHelp, OK } from "./exits.ts"
import type { Io } from "./io.ts"

const positive = (text: string): number => {
  const value = Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("It must be a number greater than 0.")
  return value
}
const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
    return value
  }

const ID = "our order id, the signal's id or the venue's order id"
const STORE_NOTE =
  "\nReads the event store directly (AUDIT_STORE, SQLITE_FILE, MONGODB_URL …, as the engine does): the engine may run or not.\n"

/** `done` gets the exit code of the command that ran. */
export const makeProgram = (io: Io, done: (code: ExitCode) => void): Command => {
  const program = new Command("petrosa")
    .description("The Petrosa Trade Engine's command line: send signals, and see what became of them and why.")
    .addHelpText(
      "after",
      `${exitHelp('the answer is "no" (not found, declined, different, broken)')}Settings come from the environment, as the engine's do. NO_COLOR turns colours off.\n`,
    )
    .configureOutput({ writeErr: (text) => io.err(text.trimEnd()) })
    .showHelpAfterError("(--help shows how)")
    .exitOverride()

  const json = (what: string) => new Option("--json", `print ${what}`)

  program
    .command("publish")
    .description("send signals through NATS, as a bot does")
    .argument("<file>", "a JSON object, an array of objects, or NDJSON; - reads stdin")
    .option("--rate <per second>", "send at most so many a second (default: as fast as it goes)", positive)
    .option("--count <n>", "send the input n times, each time with ids of its own (<id>-1, <id>-2 …)", whole(1, 1_000_000), 1)
    .option(
      "--same",
      "with --count: leave the signals identical (the engine then makes one order of them, where they have an id or a timestamp)",
    )
    .option("--wait", "wait until each signal's order is settled, and print what became of it (signals without an id are given one)")
    .option("--timeout <seconds>", "with --wait: how long to wait after the last one was sent", positive, 30)
    .option("--nats <url>", "another server than NATS_URL")
    .option("--subject <subject>", "another subject than NATS_SIGNAL_SUBJECT")
    .addOption(json("one JSON line for each signal sent (with --wait: for each answer)"))
    .addHelpText(
      "after",
      exitHelp("with --wait, a signal was not answered in time", "it could not be done (no file, no JSON, no NATS server)"),
    )
    .action(async (file: string, options) => {
      const { publish } = await import("./commands/publish.ts")
      done(await publish(io, file, options))
    })

  program
    .command("check")
    .description("say what the engine would do with these signals now; nothing is recorded, nothing leaves")
    .argument("<file>", "a JSON object, an array of objects, or NDJSON; - reads stdin")
    .option("--url <url>", "the engine's HTTP address (default: HTTP_HOST and HTTP_PORT)")
    .addOption(json("one JSON line for each signal"))
    .addHelpText(
      "after",
      `\nWithout a running engine only the signals themselves are checked, and that is said.\n${exitHelp("a signal would be rejected or declined")}`,
    )
    .action(async (file: string, options) => {
      const { check } = await import("./commands/check.ts")
      done(await check(io, file, options))
    })

  program
    .command("orders")
    .description("list orders, newest first")
    .addOption(new Option("--state <state>", "only in this state").choices(ORDER_STATES))
    .addOption(new Option("--status <status>", "only with this status").choices(STATUSES))
    .option("--symbol <symbol>", "only of this symbol")
    .option("--strategy <id>", "only of this strategy")
    .option("--reason <code>", "only failed for this reason, such as MIN_NOTIONAL")
    .option("--since <time>", "only created at or after this time (ISO 8601)")
    .option("--until <time>", "only created before this time (ISO 8601)")
    .option("--search <text>", "only with this text in one of their ids")
    .option("--limit <n>", "at most so many", whole(1, 1000), 50)
    .option("--cursor <cursor>", "the next page, as the page before named it")
    .addOption(json("one JSON value {orders, next}"))
    .addHelpText("after", STORE_NOTE + exitHelp("(not used)"))
    .action(async (options) => {
      const { orders } = await import("./commands/orders.ts")
      done(await orders(io, options))
    })

  program
    .command("rejected")
    .description("list messages that were no signals, newest first, and what is wrong with each")
    .option("--limit <n>", "at most so many", whole(1, 1000), 50)
    .addOption(json("one JSON value {rejected, all}, with the messages as they came (raw) where they were kept"))
    .addHelpText("after", STORE_NOTE + exitHelp("(not used)"))
    .action(async (options) => {
      const { rejected } = await import("./commands/rejected.ts")
      done(await rejected(io, options))
    })

  program
    .command("trail")
    .description("tell what happened to an order, event by event")
    .argument("<id>", ID)
    .addOption(json("one JSON array of the events, each with a sentence (what)"))
    .addHelpText("after", STORE_NOTE + exitHelp("no such order", "it could not be read"))
    .action(async (id: string, options) => {
      const { trail } = await import("./commands/trail.ts")
      done(await trail(io, id, options))
    })

  program
    .command("why")
    .description("say why an order did what it did: each decision with its rule, what was observed and the limit")
    .argument("<id>", ID)
    .addOption(json("one JSON value {order, answer, chapters, timings, again}"))
    .addHelpText(
      "after",
      STORE_NOTE + exitHelp("no such order, or today's code would decide otherwise with the recorded inputs", "it could not be read"),
    )
    .action(async (id: string, options) => {
      const { why } = await import("./commands/why.ts")
      done(await why(io, id, options))
    })

  program
    .command("replay")
    .description("fold an order's events through the machine, and compare each step with what was recorded")
    .argument("<id>", ID)
    .option("--at <version>", "stop after this event, and show the whole context", whole(1, 99_999_999))
    .addOption(json("one JSON value {order, steps, difference, unreadable}"))
    .addHelpText("after", STORE_NOTE + exitHelp("a step differs from what was recorded, or there is no such order", "it could not be read"))
    .action(async (id: string, options) => {
      const { replay } = await import("./commands/replay.ts")
      done(await replay(io, id, options))
    })

  program
    .command("verify")
    .description("find a changed, missing or inserted event by the hashes that chain them")
    .argument("[id]", `${ID}; default: everything in the store`)
    .option("--all", "everything in the store")
    .option("--anchor <hash>", "an anchor's hash from the engine's log: what it vouched for must still be there")
    .addOption(json("one JSON value"))
    .addHelpText("after", STORE_NOTE + exitHelp("something is broken, and it says where", "it could not be read"))
    .action(async (id: string | undefined, options) => {
      const { verify } = await import("./commands/verify.ts")
      done(await verify(io, id, options))
    })

  program
    .command("unpark")
    .description("put a parked order back to work (a running engine takes it up)")
    .argument("<id>", ID)
    .option("--by <name>", "who asks, for the audit trail")
    .option("--nats <url>", "another server than NATS_URL")
    .addOption(json("one JSON value {order, result}"))
    .addHelpText("after", exitHelp("it is not parked, there is no such order, or no engine took it up in time"))
    .action(async (id: string, options) => {
      const { unpark } = await import("./commands/unpark.ts")
      done(await unpark(io, id, options))
    })

  program
    .command("watch")
    .description("show events as they are recorded")
    .option("--symbol <symbol>", "only of this symbol")
    .option("--strategy <id>", "only of this strategy")
    .option("--nats <url>", "another server than NATS_URL")
    .option("--poll", "ask the store every second, instead of listening on NATS")
    .addOption(json("one JSON line for each event"))
    .addHelpText("after", exitHelp("(not used)"))
    .action(async (options) => {
      const { watch } = await import("./commands/watch.ts")
      done(await watch(io, options))
    })

  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: (text) => io.err(text.trimEnd()) })
  return program
}

/** Runs one command line; the exit code, never an exception for what a person can mend. */
export const isHelp = (code: string): boolean =>
  code === "commander.help" || code === "commander.helpDisplayed" || code === "commander.version"
export const exitOfCommander = (code: string): ExitCode => (isHelp(code) ? OK : CANNOT)
