import { rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { AnchorWriter, SqliteEventStore, sealedAs } from "@petrosa/event-store"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { cli, startCli } from "./run.ts"
import { START_MS, type Story, storeWith, story } from "./story.ts"

let file: string
let bought: Story
let hold: Story
let env: Record<string, string>
const files: string[] = []

const fresh = async (...stories: readonly Story[]): Promise<string> => {
  const made = await storeWith(...stories)
  files.push(made)
  return made
}

beforeAll(async () => {
  bought = story({ id: "sig-1" })
  hold = story({ id: "sig-2", action: "hold", strategy: "Iceberg Order Detector", startMs: START_MS + 1000 })
  file = await fresh(bought, hold)
  env = { SQLITE_FILE: file }
})
afterAll(() => {
  for (const made of files) rmSync(dirname(made), { recursive: true, force: true })
})

describe("petrosa orders", () => {
  it("given orders, when listed, then newest first, with what became of each, and nothing that a terminal would obey", async () => {
    const { code, out, err } = await cli(["orders"], env)
    expect([code, err]).toEqual([0, ""])
    const lines = out.trimEnd().split("\n")
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^created +order +signal/)
    expect(lines[1]).toContain(hold.order)
    expect(lines[1]).toContain("HOLD")
    expect(lines[2]).toMatch(new RegExp(`${bought.order}.*BTCUSDT.*buy.*filled.*0.001.*50000.*-1.1`))
    expect(out).not.toContain("\u001b")
    expect(out).toContain("Iceberg Order Detector")
  })

  it("given filters and --json, when listed, then one JSON value with only what matches, page by page", async () => {
    const one = JSON.parse((await cli(["orders", "--json", "--limit", "1"], env)).out)
    expect(one.orders.map((o: { order: string }) => o.order)).toEqual([hold.order])
    const two = JSON.parse((await cli(["orders", "--json", "--limit", "1", "--cursor", one.next], env)).out)
    expect(two.orders.map((o: { order: string }) => o.order)).toEqual([bought.order])
    expect(two.next).toBeNull()
    const failed = JSON.parse((await cli(["orders", "--json", "--state", "failed", "--reason", "hold"], env)).out)
    expect(failed.orders).toMatchObject([{ order: hold.order, reason: "HOLD" }])
    const ofSymbol = async (symbol: string) => (await cli(["orders", "--json", "--symbol", symbol], env)).out
    expect(await ofSymbol("btc/usdt")).toBe(await ofSymbol("BTCUSDT"))
    expect(await ofSymbol("BTC-USDT")).toContain('"symbol":"BTCUSDT"')
    expect(JSON.parse((await cli(["orders", "--json", "--since", "2030-01-01"], env)).out)).toEqual({ orders: [], next: null })
  })

  it("given wrong arguments, when called, then exit 2 and which one", async () => {
    for (const [args, what] of [
      [["orders", "--limit", "0"], "--limit"],
      [["orders", "--state", "done"], "--state"],
      [["orders", "--since", "yesterday"], "--since"],
      [["orders", "--cursor", "x"], "--cursor"],
      [["nothing"], "nothing"],
      [["trail"], "id"],
    ] as const) {
      const { code, out, err } = await cli(args, env)
      expect([what, code, out]).toEqual([what, 2, ""])
      expect(err).toContain(what)
    }
  })

  it("given no store yet, when called, then exit 2, where it would be and how to start, and no file is made", async () => {
    const missing = join(tmpdir(), "petrosa-none", "none.sqlite")
    const { code, out, err } = await cli(["orders"], { SQLITE_FILE: missing })
    expect([code, out]).toEqual([2, ""])
    expect(err).toContain(missing)
    expect(err).toContain("npm start")
    expect((await cli(["orders"], { SQLITE_FILE: missing })).err).toContain("There is no event store")
  })

  it("given a file that is no store, or a misspelt setting, when called, then exit 2 and no stack", async () => {
    const alien = join(dirname(file), "alien.sqlite")
    const db = new DatabaseSync(alien)
    db.exec("CREATE TABLE t (x)")
    db.close()
    const wrong = await cli(["orders"], { SQLITE_FILE: alien })
    expect(wrong.code).toBe(2)
    expect(wrong.err).not.toContain("    at ")
    const misspelt = await cli(["orders"], { ...env, SQLITE_FIEL: "x" })
    expect(misspelt.code).toBe(2)
    expect(misspelt.err).toContain("did you mean SQLITE_FILE")
  })

  it("given an engine that holds the store, when read, then it answers all the same", async () => {
    const own = await fresh(story({ id: "held" }))
    const store = SqliteEventStore.open({ file: own })
    try {
      expect((await cli(["orders"], { SQLITE_FILE: own })).out).toContain("held")
    } finally {
      await store.close()
    }
  })
})

describe("petrosa trail", () => {
  it("given any of its ids, when asked, then the whole story in sentences", async () => {
    const byVenue = await cli(["trail", "12345678"], env)
    expect([byVenue.code, byVenue.err]).toEqual([0, ""])
    const types = [...byVenue.out.matchAll(/^ *(\d+) +(\d\d:\d\d:\d\d\.\d{3}) +(\+\S+) +(\w+) +(\w+) +(.*)$/gm)].map(
      (m) => `${m[1]} ${m[3]} ${m[4]} ${m[5]}`,
    )
    expect(types).toEqual([
      "1 +0.000s SignalReceived received",
      "2 +0.002s SignalValidated validated",
      "3 +0.004s OrderSized sized",
      "4 +0.006s EntryIntended placed",
      "5 +0.008s EntryAccepted placed",
      "6 +0.010s EntryFilled placed",
      "7 +0.012s StopAccepted placed",
      "8 +0.014s TargetAccepted bracketed",
      "9 +0.016s OrderCompleted filled",
      "10 +1m09s ExitFilled filled",
      "11 +1m10s SiblingCancelled filled",
      "12 +1m11s LotClosed filled",
    ])
    for (const said of [
      "volume_surge_breakout says buy 0.001 BTCUSDT at 50000",
      "buy 0.001 (worth 50, by quantity) as limit at 50000; stop 49000, target 52500",
      "the venue took it as 12345678 after 4 ms",
      "filled: 0.001 at 50000 (fee 0.05 USDT), told by the venue's stream",
      "stop for 0.001 at 49000 is live",
      "0.001 closed by stop: in at 50000, out at 49000, profit -1.1 after fees of 0.1",
    ]) {
      expect(byVenue.out).toContain(said)
    }
    expect((await cli(["trail", bought.order], env)).out).toBe(byVenue.out)
    expect((await cli(["trail", "sig-1"], env)).out).toBe(byVenue.out)
  })

  it("given a narrow terminal, when shown, then no line is wider, and every word is still there", async () => {
    for (const columns of [100, 72, 40]) {
      const { out } = await cli(["trail", "sig-1"], { ...env, COLUMNS: String(columns) })
      const table = out.slice(out.indexOf("\n\n"))
      for (const line of table.split("\n")) expect(line.length).toBeLessThanOrEqual(columns)
      expect(table.replaceAll(/\s+/g, " ")).toContain("LotClosed")
    }
  })

  it("given --json, when asked, then the documents with a sentence each", async () => {
    const events = JSON.parse((await cli(["trail", "sig-1", "--json"], env)).out)
    expect(events).toHaveLength(12)
    expect(events[11]).toMatchObject({ version: 12, type: "LotClosed", profit: "-1.1", what: expect.stringContaining("profit -1.1") })
    expect(events[0].hash).toBe(events[1].prev)
  })

  it("given colours are forced, then there are some; given NO_COLOR too, then none", async () => {
    expect((await cli(["trail", "sig-1"], { ...env, FORCE_COLOR: "1" })).out).toContain("\u001b[")
    expect((await cli(["trail", "sig-1"], { ...env, FORCE_COLOR: "1", NO_COLOR: "1" })).out).not.toContain("\u001b")
  })

  it("given an unknown id, when asked, then exit 1", async () => {
    const { code, out, err } = await cli(["trail", "nope\u001b[2J"], env)
    expect([code, out]).toEqual([1, ""])
    expect(err).toContain("No order nope\\u001b[2J is known")
  })
})

describe("petrosa replay", () => {
  it("given an untouched order, when replayed, then every step, and no difference", async () => {
    const { code, out } = await cli(["replay", "sig-1"], env)
    expect(code).toBe(0)
    expect(out).toContain("12 events replayed, no difference from what was recorded.")
    expect(out).toMatch(/4 {2}EntryIntended → placed/)
    expect(out).toContain("asks: placeEntry")
    expect((await cli(["replay", hold.order], env)).code).toBe(0)
  })

  it("given --at, when replayed, then only so far, with the whole context", async () => {
    const { code, out } = await cli(["replay", "sig-1", "--at", "6"], env)
    expect(code).toBe(0)
    expect(out).toContain("context at version 6:")
    expect(out).toContain('"filled": "0.001"')
    expect(out).not.toContain("StopAccepted")
    const json = JSON.parse((await cli(["replay", "sig-1", "--at", "6", "--json"], env)).out)
    expect(json).toMatchObject({ order: bought.order, difference: null, unreadable: null })
    expect(json.steps).toHaveLength(6)
    expect((await cli(["replay", "sig-1", "--at", "13"], env)).code).toBe(2)
  })

  it("given a record that says another state, when replayed, then exit 1 at the first difference", async () => {
    const changed = story({ id: "changed" })
    const records = changed.append.records.map((sealed) => {
      if (sealed.record.version !== 5) return sealed
      return sealedAs({ ...sealed.record, state: "filled" }, sealed.text.replace('"state":"placed"', '"state":"filled"'))
    })
    const own = await fresh({ ...changed, append: { ...changed.append, records } })
    const { code, out } = await cli(["replay", "changed"], { SQLITE_FILE: own })
    expect(code).toBe(1)
    expect(out).toContain("First difference at version 5, of 12 events: recorded is the state filled, the machine comes to placed")
    expect(JSON.parse((await cli(["replay", "changed", "--json"], { SQLITE_FILE: own })).out).difference).toMatchObject({
      version: 5,
      what: "state",
    })
  })
})

/** Changes the stored text of one event behind the store's back. */
const tamper = (made: string, sql: string): void => {
  const db = new DatabaseSync(made)
  db.exec(sql)
  db.close()
}

describe("petrosa verify", () => {
  it("given an untouched store, when verified, then whole; one order by its id, too", async () => {
    const all = await cli(["verify"], env)
    expect([all.code, all.out]).toEqual([0, expect.stringMatching(/^Whole: 2 streams, 15 events/)])
    expect((await cli(["verify", "--all"], env)).code).toBe(0)
    const one = await cli(["verify", "sig-1"], env)
    expect([one.code, one.out]).toEqual([0, expect.stringMatching(/^Whole: 1 stream, 12 events/)])
    expect(JSON.parse((await cli(["verify", "--json"], env)).out)).toEqual({ streams: 2, events: 15, anchored: 0, findings: [] })
  })

  it("given a changed event, when verified, then exit 1 and which one", async () => {
    const own = await fresh(story({ id: "t1" }), story({ id: "t2" }))
    tamper(own, `UPDATE events SET text = replace(text, '"quantity":"0.001"', '"quantity":"0.002"') WHERE version = 6`)
    const { code, out } = await cli(["verify"], { SQLITE_FILE: own })
    expect(code).toBe(1)
    expect(out).toContain(`${story({ id: "t1" }).stream} version 6: changed`)
    expect(out).toContain(`${story({ id: "t2" }).stream} version 6: changed`)
    expect((await cli(["verify", "t1"], { SQLITE_FILE: own })).code).toBe(1)
  })

  it("given a missing event, when verified, then exit 1 and where", async () => {
    const own = await fresh(story({ id: "m1" }))
    tamper(own, "DELETE FROM events WHERE version = 4")
    const { code, out } = await cli(["verify", "--all"], { SQLITE_FILE: own })
    expect(code).toBe(1)
    expect(out).toContain("version 4: missing")
  })

  it("given anchors, when an order is gone or an anchor that was logged is not there, then exit 1", async () => {
    const kept = story({ id: "kept" })
    const gone = story({ id: "gone" })
    const own = await fresh(kept, gone)
    const store = SqliteEventStore.open({ file: own })
    let logged = ""
    const anchors = new AnchorWriter({
      store,
      append: async (append) => (await store.append([append]))[0] ?? { _tag: "Unavailable", reason: "no answer" },
      replica: "test-1",
      startedAtMs: START_MS,
      nowMs: () => START_MS,
      engineVersion: "0.1.0",
      settingsVersion: "s1",
      simulationMode: true,
      onAnchored: (head) => {
        logged = head.hash
      },
    })
    await anchors.tick()
    await store.close()
    const whole = await cli(["verify", "--anchor", logged], { SQLITE_FILE: own })
    expect([whole.code, whole.out]).toEqual([0, "Whole: 3 streams, 25 events; 2 of the streams vouched for by anchors.\n"])
    const other = await cli(["verify", "--anchor", "ab".repeat(32)], { SQLITE_FILE: own })
    expect([other.code, other.out]).toEqual([1, expect.stringContaining("the anchor is missing")])
    tamper(own, `DELETE FROM events WHERE text LIKE '%"stream":"${gone.stream}"%' AND text NOT LIKE '%HeadsAnchored%'`)
    const { code, out } = await cli(["verify", "--json"], { SQLITE_FILE: own })
    expect(code).toBe(1)
    expect(JSON.parse(out).findings).toMatchObject([{ stream: gone.stream, what: "streamMissing" }])
    expect((await cli(["verify", gone.order], { SQLITE_FILE: own })).code).toBe(1)
    expect((await cli(["verify", "kept"], { SQLITE_FILE: own })).code).toBe(0)
  })

  it("given an unknown id, or an id and --all, when verified, then it is refused", async () => {
    expect((await cli(["verify", "nope"], env)).code).toBe(1)
    expect((await cli(["verify", "sig-1", "--all"], env)).code).toBe(2)
  })
})

describe("petrosa watch --poll", () => {
  it("given events that are appended while it watches, then they are shown, and those of before are not", async () => {
    const first = story({ id: "before" })
    const own = await fresh(first)
    const watching = startCli(["watch", "--poll", "--json"], { SQLITE_FILE: own })
    await expect.poll(() => watching.output().err, { timeout: 10_000 }).toContain("Watching the store")
    // The look at what is there already is the first thing it does; what is appended after it has begun is new.
    await expect
      .poll(
        async () => {
          const store = SqliteEventStore.open({ file: own })
          const made = story({ id: `during-${Date.now()}`, events: 3 })
          await store.append([made.append])
          await store.close()
          return watching.output().out
        },
        { timeout: 15_000, interval: 700 },
      )
      .toContain("during-")
    watching.stop()
    const { code, out } = await watching.ended
    expect(code).toBe(0)
    const shown: { signal_id: string; version: number; type: string }[] = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(shown.every((record) => record.signal_id.startsWith("during-"))).toBe(true)
    const one = shown.filter((record) => record.signal_id === shown[0]?.signal_id)
    expect(one.map((record) => record.type)).toEqual(["SignalReceived", "SignalValidated", "OrderSized"])
  })
})

describe("petrosa --help", () => {
  it("given each command, when asked for help, then exit codes are in it", async () => {
    for (const command of ["publish", "check", "orders", "trail", "replay", "verify", "watch"]) {
      const { code, out } = await cli([command, "--help"])
      expect(code).toBe(0)
      expect(out).toContain("Exit code: 0 done")
      expect(out).toContain("--json")
    }
  })
})
