import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it } from "vitest"
import { COMMANDS, isNewEnough, nodeArguments, withoutNpm } from "../bootstrap.mjs"

const bootstrap = fileURLToPath(new URL("../bootstrap.mjs", import.meta.url))

describe("what a command needs", () => {
  it.each([
    ["v24.21.0", true],
    ["v22.19.0", true],
    ["v22.18.9", false],
    ["v20.20.2", false],
    ["v26.0.0", true],
  ])("given Node %s, then new enough is %s", (version, expected) => {
    expect(isNewEnough(version)).toBe(expected)
  })

  it("given the environment of an npm script, then only the places packages come from are left of npm's", () => {
    const env = {
      PATH: "/bin",
      HOME: "/root",
      npm_package_name: "x",
      npm_config_local_prefix: "/x",
      npm_lifecycle_event: "start",
      npm_config_registry: "https://registry.example/",
      NPM_CONFIG_CAFILE: "/ca.pem",
      npm_config_https_proxy: "http://proxy",
    }
    expect(Object.keys(withoutNpm(env)).toSorted()).toEqual([
      "HOME",
      "NPM_CONFIG_CAFILE",
      "PATH",
      "npm_config_https_proxy",
      "npm_config_registry",
    ])
  })
})

describe("the engine's heap", () => {
  it("given the container, then Node is started there as npm start starts it", () => {
    const dockerfile = readFileSync(new URL("../../deploy/Dockerfile", import.meta.url), "utf8")
    const [, line = ""] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? []
    const [node, ...args] = JSON.parse(line) as string[]
    const root = fileURLToPath(new URL("../../", import.meta.url))
    expect([node, ...args]).toEqual(["node", ...nodeArguments(COMMANDS.start).map((each) => each.replace(root, ""))])
    expect(args).toContain("--heap-growing-percent=70")
    for (const [name, value] of Object.entries(COMMANDS.start.env ?? {})) expect(dockerfile).toContain(` ${name}=${value}`)
    expect(COMMANDS.start.env).toHaveProperty("MALLOC_ARENA_MAX")
  })
})

describe("a command that does not exist", () => {
  it.each([[[]], [["nope"]], [["constructor"]]])(
    "given %j, from any folder, then the commands are listed on stderr and the code is 2",
    (args) => {
      const result = spawnSync(process.execPath, [bootstrap, ...args], { cwd: tmpdir(), encoding: "utf8" })
      expect(result.status).toBe(2)
      expect(result.stdout).toBe("")
      expect(result.stderr).toMatch(/test +all tests/)
      expect(result.stderr).toMatch(/check +format/)
    },
  )
})

describe("a command that is asked for help", () => {
  it.each(["check", "setup", "docs"])("given %s, then it says what it does, does nothing, and the code is 0", (name) => {
    const result = spawnSync(process.execPath, [bootstrap, name, "--help"], { cwd: tmpdir(), encoding: "utf8" })
    expect(result).toMatchObject({ status: 0, stderr: "" })
    expect(result.stdout).toMatch(new RegExp(`^npm run ${name} .+: .+`))
  })

  it.each([
    [["--help"], 0, /flood +plain publications/],
    [[], 2, /a campaign is needed/],
    [["nope"], 2, /there is no campaign "nope"/],
    [["kills", "--orders", "many"], 2, /--orders must be a whole number from 1; it is "many"/],
    [["kills", "--store", "oracle"], 2, /--store is sqlite or mongodb; it is "oracle"/],
    [["kills", "--nope"], 2, /Unknown option '--nope'/],
  ])("given campaign %j, then the code is %i, and it says so without a stack", (args, code, says) => {
    const result = spawnSync(process.execPath, [bootstrap, "campaign", ...args], { cwd: tmpdir(), encoding: "utf8" })
    expect(result.status).toBe(code)
    expect(code === 0 ? result.stdout : result.stderr).toMatch(says)
    expect(result.stdout + result.stderr).not.toMatch(/ at .*\.ts:\d+/)
  })
})

describe("a command in a fresh clone", () => {
  const clones: Array<string> = []
  afterEach(() => {
    for (const each of clones.splice(0)) rmSync(each, { recursive: true, force: true })
  })

  /** A repository with a program of one line and an `npx` that only writes down that it was called. */
  const clone = (
    program: string,
    npx = "mkdir -p node_modules; touch node_modules/.modules.yaml",
  ): { root: string; env: NodeJS.ProcessEnv } => {
    const root = mkdtempSync(join(tmpdir(), "petrosa-clone-"))
    clones.push(root)
    for (const folder of ["tools", "bin", "apps/tradeengine/src"]) mkdirSync(join(root, folder), { recursive: true })
    copyFileSync(bootstrap, join(root, "tools", "bootstrap.mjs"))
    for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ".pnpmfile.cjs"]) writeFileSync(join(root, file), "")
    writeFileSync(join(root, "apps/tradeengine/src/main.ts"), program)
    writeFileSync(join(root, "bin/npx"), `#!/bin/sh\necho "$@" >> "${root}/npx.log"\n${npx}\n`, { mode: 0o755 })
    symlinkSync(process.execPath, join(root, "bin/node"))
    const { NODE_COMPILE_CACHE: _, npm_lifecycle_event: __, ...env } = process.env
    return { root, env: { ...env, PATH: `${join(root, "bin")}:${process.env.PATH ?? ""}` } }
  }
  const start = ({ root, env }: ReturnType<typeof clone>, ...args: ReadonlyArray<string>) =>
    spawnSync(process.execPath, [join(root, "tools/bootstrap.mjs"), "start", ...args], { cwd: tmpdir(), env, encoding: "utf8" })
  const calls = (root: string): number => readFileSync(join(root, "npx.log"), "utf8").trim().split("\n").length

  it("given nothing is installed, then it installs once, says so on stderr only, and is quiet from then on", () => {
    const made = clone("console.log(JSON.stringify([process.argv.slice(2), process.env.INIT_CWD, process.cwd()])); process.exitCode = 7")
    const first = start(made, "--one", "two words")
    expect(first.status).toBe(7)
    expect(JSON.parse(first.stdout)).toEqual([["--one", "two words"], realpathSync(tmpdir()), realpathSync(made.root)])
    expect(first.stderr).toMatch(/installing the packages/)
    const second = start(made)
    expect([second.status, second.stderr, calls(made.root)]).toEqual([7, "", 1])
    writeFileSync(join(made.root, "pnpm-lock.yaml"), "changed")
    expect(start(made).stderr).toMatch(/installing the packages/)
    expect(calls(made.root)).toBe(2)
  })

  it("given the packages cannot be had, then its code comes back with a word on what to do, and the next run tries again", () => {
    const made = clone("console.log('never')", "exit 3")
    const result = start(made)
    expect([result.status, result.stdout]).toEqual([3, ""])
    expect(result.stderr).toMatch(/could not be installed/)
    start(made)
    expect(calls(made.root)).toBe(2)
  })

  it("given an installer that died, then its lock does not stand in the way", () => {
    const made = clone("console.log('runs')")
    const dead = spawnSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }).stdout.trim()
    mkdirSync(join(made.root, "node_modules"))
    writeFileSync(join(made.root, "node_modules/.petrosa-installing"), dead)
    expect(start(made).stdout).toBe("runs\n")
  })

  it("given two commands at once, then one of them installs", async () => {
    const made = clone("console.log('runs')", "sleep 0.5; mkdir -p node_modules; touch node_modules/.modules.yaml")
    const run = async (): Promise<number | null> => {
      const child = spawn(process.execPath, [join(made.root, "tools/bootstrap.mjs"), "start"], { env: made.env, stdio: "ignore" })
      return (await once(child, "exit"))[0] as number | null
    }
    expect(await Promise.all([run(), run()])).toEqual([0, 0])
    expect(calls(made.root)).toBe(1)
  })

  it("given SIGTERM, then the program gets it and its exit code comes back", async () => {
    const made = clone("process.on('SIGTERM', () => process.exit(5)); setInterval(() => {}, 1000); console.log('ready')")
    const child = spawn(process.execPath, [join(made.root, "tools/bootstrap.mjs"), "start"], {
      env: made.env,
      stdio: ["ignore", "pipe", "ignore"],
    })
    await once(child.stdout, "data")
    const ended = once(child, "exit")
    child.kill("SIGTERM")
    expect((await ended)[0]).toBe(5)
  })

  it("given npm gets SIGTERM, then the program gets it too, and nothing is left running", async () => {
    const made = clone(`
      import { writeFileSync } from "node:fs"
      process.on("SIGTERM", () => { writeFileSync("stopped", "gracefully"); process.exit(0) })
      setInterval(() => {}, 1000)
      console.log("pid", process.pid)`)
    writeFileSync(join(made.root, "package.json"), '{"type":"module","scripts":{"start":"node tools/bootstrap.mjs start"}}')
    const npm = spawn("npm", ["start", "--silent"], { cwd: made.root, env: made.env, stdio: ["ignore", "pipe", "ignore"] })
    const [line] = (await once(npm.stdout, "data")) as [Buffer]
    const pid = Number(/pid (\d+)/.exec(line.toString())?.[1])
    npm.kill("SIGTERM")
    await expect.poll(() => existsSync(join(made.root, "stopped")), { timeout: 15_000 }).toBe(true)
    await expect.poll(() => isAlive(pid), { timeout: 15_000 }).toBe(false)
  })
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
