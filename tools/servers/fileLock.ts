/**
 * A lock between processes: an exclusive transaction on a small SQLite file. The kernel lets it go when its holder dies,
 * in whatever way, so there is never a stale lock to clean up. Not for network file systems.
 */
import { DatabaseSync } from "node:sqlite"

export interface FileLock {
  readonly release: () => void
}

/** The lock, or undefined when another process (or another holder in this one) has it. Never waits. */
export const tryLock = (file: string): FileLock | undefined => {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec("BEGIN EXCLUSIVE")
  } catch (error) {
    database.close()
    if (/locked|busy/i.test(String(error))) return undefined
    throw error
  }
  return { release: () => database.close() }
}
