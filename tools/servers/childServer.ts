/**
 * A server process that cannot outlive the process that started it.
 *
 * Promise: when the parent ends, in whatever way (`kill -9` too), the server ends; a temporary folder made for it goes
 * with it. How: the server runs under a small `sh` that holds the reading end of a pipe. The parent holds the writing
 * end; when the parent is gone the pipe closes, and the `sh` kills the server. The server has a session of its own, so
 * that Ctrl-C in a terminal reaches the parent only, which then stops the server in its own order.
 *
 * What can go wrong: the server does not get ready (the error holds the end of its log). On Windows there is no `sh`:
 * the server is a plain child there, and is killed when the parent exits in an orderly way only.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync, readFileSync, rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

/** How a server is ended when its parent has died: at once, or asked first (5 s) and then at once. */
export type OrphanFate = "kill" | "terminate"

export interface ChildServerSpec {
  /** For messages, e.g. "nats-server". */
  readonly name: string
  readonly binary: string
  readonly args: ReadonlyArray<string>
  /** stdout and stderr of the server are appended here. */
  readonly logFile: string
  /** Asked every 25 ms until it answers true. */
  readonly ready: () => Promise<boolean>
  readonly readyTimeoutMs?: number
  readonly orphanFate?: OrphanFate
  /** Removed after the server when the parent has died. */
  readonly removeWithParent?: string
}

export interface ChildServer {
  readonly pid: number
  readonly running: boolean
  /** SIGTERM, and SIGKILL after 10 s; resolves when the process is gone. */
  readonly stop: () => Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  readonly kill: () => Promise<void>
}

const READY_TIMEOUT_MS = 30_000
const READY_POLL_MS = 25
const STOP_TIMEOUT_MS = 10_000

// $1 fate, $2 folder to remove or empty, the rest: the command. fd 3 tells the parent the server's pid; fd 0 is the pipe
// that closes when the parent dies. The guard waits for that. It is ended with the server, and is itself a child that is
// not yet waited for, so neither pid can have been given to somebody else.
const WRAPPER = `
fate=$1; folder=$2; shift 2
exec 4<&0 </dev/null
"$@" 3>&- 4<&- & server=$!
echo "$server" >&3
exec 3>&-
(
  while read -r _ <&4; do :; done
  trap "" TERM
  if [ "$fate" = terminate ]; then
    kill -TERM "$server" 2>/dev/null
    tries=50
    while [ $tries -gt 0 ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; tries=$((tries - 1)); done
  fi
  kill -KILL "$server" 2>/dev/null
  [ -z "$folder" ] || { sleep 0.2; rm -rf "$folder"; }
) & guard=$!
exec 4<&-
wait "$server"; code=$?
kill -TERM "$guard" 2>/dev/null
wait "$guard"
exit "$code"
`

/** Starts the server and resolves when it is ready. Rejects with the end of its log when it ends first, or never is. */
export const startChildServer = async (spec: ChildServerSpec): Promise<ChildServer> => {
  const log = openSync(spec.logFile, "a")
  const child = process.platform === "win32" ? spawnPlain(spec, log) : spawnGuarded(spec, log)
  closeSync(log)
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve())
    child.once("error", () => resolve())
  })
  let ended = false
  void gone.then(() => {
    ended = true
  })
  const pid = await serverPid(child, gone)
  // A parent that waits for the end must stay alive for it (see the unref below).
  const untilGone = async () => {
    child.ref()
    await gone
  }
  const server: ChildServer = {
    pid,
    get running() {
      return !ended
    },
    stop: async () => {
      if (ended) return
      signal(pid, "SIGTERM")
      const timer = new AbortController()
      const late = sleep(STOP_TIMEOUT_MS, undefined, { signal: timer.signal }).then(
        () => signal(pid, "SIGKILL"),
        () => undefined,
      )
      await untilGone()
      timer.abort()
      await late
    },
    kill: async () => {
      if (ended) return
      signal(pid, "SIGKILL")
      await untilGone()
    },
  }
  await waitReady(spec, server)
  // The pipes must not keep the parent alive: a parent with nothing else to do ends, and its servers end with it.
  child.unref()
  for (const pipe of child.stdio) (pipe as unknown as { unref?: () => void } | null)?.unref?.()
  return server
}

const spawnGuarded = (spec: ChildServerSpec, log: number): ChildProcess =>
  spawn("sh", ["-c", WRAPPER, "sh", spec.orphanFate ?? "kill", spec.removeWithParent ?? "", spec.binary, ...spec.args], {
    stdio: ["pipe", log, log, "pipe"],
    detached: true,
  })

const spawnPlain = (spec: ChildServerSpec, log: number): ChildProcess => {
  const child = spawn(spec.binary, [...spec.args], { stdio: ["ignore", log, log], windowsHide: true })
  const end = () => void child.kill("SIGKILL")
  process.once("exit", end)
  child.once("exit", () => process.removeListener("exit", end))
  return child
}

const serverPid = async (child: ChildProcess, gone: Promise<void>): Promise<number> => {
  const pipe = child.stdio[3]
  if (pipe === undefined || pipe === null || !("setEncoding" in pipe)) return child.pid ?? -1
  let text = ""
  const line = new Promise<void>((resolve) => {
    pipe.setEncoding("utf8")
    pipe.on("data", (part: string) => {
      text += part
      if (text.includes("\n")) resolve()
    })
  })
  await Promise.race([line, gone])
  const pid = Number.parseInt(text, 10)
  return Number.isSafeInteger(pid) && pid > 1 ? pid : -1
}

const waitReady = async (spec: ChildServerSpec, server: ChildServer): Promise<void> => {
  const deadline = Date.now() + (spec.readyTimeoutMs ?? READY_TIMEOUT_MS)
  while (Date.now() < deadline) {
    if (!server.running || server.pid < 0) throw new Error(`${spec.name} ended before it was ready:\n${logTail(spec.logFile)}`)
    if (await spec.ready()) {
      // Somebody else's server may have answered on the port while ours was failing to bind: a moment shows it.
      if (server.running) return
      continue
    }
    await sleep(READY_POLL_MS)
  }
  await server.kill()
  throw new Error(`${spec.name} was not ready in time:\n${logTail(spec.logFile)}`)
}

const logTail = (file: string): string => {
  try {
    return readFileSync(file, "utf8").split("\n").slice(-15).join("\n")
  } catch {
    return "(no log)"
  }
}

const signal = (pid: number, name: "SIGTERM" | "SIGKILL"): void => {
  // pid -1 would mean "every process": never.
  if (pid <= 1) return
  try {
    process.kill(pid, name)
  } catch {
    // It has ended meanwhile, which is what was wanted.
  }
}

const temporaryFolders = new Set<string>()
let hooked = false

/** The folder is removed when this process exits in an orderly way (after `kill -9` the server's guard does it). */
export const removeAtExit = (folder: string): void => {
  temporaryFolders.add(folder)
  if (hooked) return
  hooked = true
  process.once("exit", () => {
    for (const each of temporaryFolders) rmSync(each, { recursive: true, force: true, maxRetries: 3 })
  })
}

/** Removes the folder now. */
export const removeNow = (folder: string): void => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  temporaryFolders.delete(folder)
}
