/**
 * Names the program that folds events: a digest of its own source files. A snapshot that another program made might not be what
 * this one makes of the same events (a defect that was mended, a field that is new), and nobody has to remember to say so.
 */
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The words, how old events are read, the machine, and who writes and reads the text of a snapshot. */
const FOLDERS = ["@petrosa/contracts", "@petrosa/event-store", "@petrosa/lifecycle", "@petrosa/engine"].map((name) =>
  dirname(fileURLToPath(import.meta.resolve(name))),
)
/** Which version of everything that is not ours. */
const LOCK_FILE = fileURLToPath(new URL("../../../pnpm-lock.yaml", import.meta.url))

const sourcesIn = async (folder: string): Promise<readonly string[]> => {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts")).sort()
  return Promise.all(names.map(async (name) => `${name}\n${await readFile(join(folder, name), "utf8")}`))
}

/** Rejects when the sources cannot be read. */
export const snapshotForm = async (folders = FOLDERS, lockFile = LOCK_FILE): Promise<string> => {
  const [lock, ...sources] = await Promise.all([readFile(lockFile, "utf8"), ...folders.map(sourcesIn)])
  const digest = createHash("sha256").update(lock)
  for (const text of sources.flat()) digest.update(`\n${text}`)
  return digest.digest("hex").slice(0, 16)
}
