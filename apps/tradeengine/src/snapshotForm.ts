/**
 * Names the program that folds events: a digest of its own source files. A snapshot that another program made might not be what
 * this one makes of the same events (a defect that was mended, a field that is new), and nobody has to remember to say so.
 */
import { createHash } from "node:crypto"
import { readdir, readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The words, the machine, and who writes and reads the text of a snapshot. */
const FOLDERS = ["@petrosa/contracts", "@petrosa/lifecycle", "@petrosa/engine"].map((name) =>
  dirname(fileURLToPath(import.meta.resolve(name))),
)

/** Rejects when the sources cannot be read. */
export const snapshotForm = async (folders: readonly string[] = FOLDERS): Promise<string> => {
  const files = await Promise.all(
    folders.map(async (folder) => {
      const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".ts")).sort()
      return Promise.all(names.map(async (name) => `${name}\n${await readFile(join(folder, name), "utf8")}`))
    }),
  )
  const digest = createHash("sha256")
  for (const text of files.flat()) digest.update(`${text}\n`)
  return digest.digest("hex").slice(0, 16)
}
