// Loaded before the engine in tests (`--import`): when the test process is gone, in whatever way, so is the engine.
import { isMainThread } from "node:worker_threads"

// A thread of the engine is started with the same imports, and has no input of its own: for it this would be the end.
if (isMainThread) {
  process.stdin.on("end", () => process.kill(process.pid, "SIGKILL"))
  process.stdin.on("error", () => process.kill(process.pid, "SIGKILL"))
  process.stdin.resume()
}
