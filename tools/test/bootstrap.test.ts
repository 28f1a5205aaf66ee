import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { tmpdir } from "node:os"
import { describe, expect, it } from "vitest"
import { isNewEnough, withoutNpm } from "../bootstrap.mjs"

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
