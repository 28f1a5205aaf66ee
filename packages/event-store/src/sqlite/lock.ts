/**
 * One engine per file: a kernel lock that dies with its process (also with `kill -9`), held in a file beside the store,
 * so that readers still open the store itself.
 *
 * The lock is SQLite's own exclusive lock on an empty database: it exists on every system that SQLite runs on, and two
 * stores inside one process exclude each other as well (which bare `fcntl` locks would not do).
 */
import { DatabaseSync } from "node:sqlite"

/** Another process (or another store of this one) has the file. */
export class StoreInUse extends Error {
  override readonly name = "StoreInUse"
}

export interface FileLock {
  release(): void
}

/** @throws StoreInUse when it is held. */
export const lockFile = (file: string): FileLock => {
  const db = new DatabaseSync(`${file}.lock`)
  try {
    db.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY")
    db.exec("BEGIN EXCLUSIVE")
  } catch (error) {
    db.close()
    if (/locked|busy/i.test(String(error))) {
      throw new StoreInUse(
        `another engine is using ${file}: stop it, or give this one a file of its own (readers like \`petrosa trail\` need no stop)`,
        { cause: error },
      )
    }
    throw error
  }
  return { release: () => db.close() }
}
