/**
 * The packages that carry Node itself name their system as a text ("os": "linux"); pnpm 12 reads lists only, and would
 * install Node for every system, 100 MB each. Here they are made lists.
 */
const list = (value) => (typeof value === "string" ? [value] : value)

const readPackage = (manifest) => {
  if (!/^node-(linux|win|darwin)-/.test(manifest.name ?? "")) return manifest
  return { ...manifest, os: list(manifest.os), cpu: list(manifest.cpu) }
}

module.exports = { hooks: { readPackage } }
