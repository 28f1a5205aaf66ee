/** Where the bench keeps what is dear to make: `$XDG_CACHE_HOME/petrosa/bench`, else `~/.cache/petrosa/bench`. */
import { homedir } from "node:os"
import { join } from "node:path"

export const cacheFolder = (): string => {
  const base = process.env.XDG_CACHE_HOME
  return join(base === undefined || base === "" ? join(homedir(), ".cache") : base, "petrosa", "bench")
}
