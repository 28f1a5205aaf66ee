// Loaded before the engine in tests (`--import`): when the test process is gone, in whatever way, so is the engine.
process.stdin.on("end", () => process.kill(process.pid, "SIGKILL"))
process.stdin.on("error", () => process.kill(process.pid, "SIGKILL"))
process.stdin.resume()
// process.stdin.unref()
