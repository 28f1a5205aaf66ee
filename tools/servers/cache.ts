/**
 * Programs that the repository builds for itself, in a per-user folder: `$XDG_CACHE_HOME/petrosa`, else `~/.cache/petrosa`.
 *
 * Promise: a file in the cache is whole (built in a temporary folder beside it, then renamed), and two processes never
 * build at the same time (fileLock.ts). What can go wrong: the folder is not writable, or the build fails (its error passes).
 */
import { accessSync, chmodSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { delimiter, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { tryLock } from "./fileLock.ts"
import { say } from "./say.ts"

const LOCK_POLL_MS = 200
const LOCK_TIMEOUT_MS = 15 * 60_000

/** The folder; it is made when something is put in it. */
export const cacheFolder = (): string => {
  const xdg = process.env.XDG_CACHE_HOME
  return join(xdg !== undefined && xdg !== "" ? xdg : join(homedir(), ".cache"), "petrosa")
}

export const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The first executable of that name on PATH. */
export const onPath = (name: string): string | undefined => {
  const file = process.platform === "win32" ? `${name}.exe` : name
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    if (folder === "") continue
    const path = join(folder, file)
    if (isExecutable(path)) return path
  }
  return undefined
}

/** Where a program of that name is in the cache, if it is there. */
export const cachedProgram = (name: string): string | undefined => {
  const file = programFile(name)
  return isExecutable(file) ? file : undefined
}

const programFile = (name: string): string => join(cacheFolder(), "bin", process.platform === "win32" ? `${name}.exe` : name)

/**
 * The program from the cache; built first if it is not there.
 * `build` gets an empty folder and returns the path of the program in it.
 */
export const buildOnce = async (name: string, build: (folder: string) => Promise<string>): Promise<string> => {
  const ready = cachedProgram(name)
  if (ready !== undefined) return ready
  const target = programFile(name)
  mkdirSync(join(cacheFolder(), "bin"), { recursive: true })
  return withLock(`${name}.lock`, async () => {
    const meanwhile = cachedProgram(name)
    if (meanwhile !== undefined) return meanwhile
    const folder = mkdtempSync(join(cacheFolder(), "build-"))
    try {
      const built = await build(folder)
      chmodSync(built, 0o755)
      renameSync(built, target)
      return target
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
}

const withLock = async <A>(name: string, work: () => Promise<A>): Promise<A> => {
  const deadline = Date.now() + LOCK_TIMEOUT_MS
  let told = false
  for (;;) {
    const lock = tryLock(join(cacheFolder(), name))
    if (lock !== undefined) {
      try {
        return await work()
      } finally {
        lock.release()
      }
    }
    if (Date.now() > deadline) throw new Error(`another process holds ${join(cacheFolder(), name)} for too long`)
    if (!told) say(`waiting for another process that builds ${name.replace(/\.lock$/, "")}`)
    told = true
    await sleep(LOCK_POLL_MS)
  }
}
