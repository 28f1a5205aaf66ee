import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { add, dec, eq, mul, neg, str, sub, sum } from "@petrosa/contracts"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openPaperVenue, readPaperLedger } from "../src/index.ts"
import { answer, eventually } from "../src/testing/index.ts"

const CHILD = fileURLToPath(new URL("./crash/child.ts", import.meta.url))
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "petrosa-paper-crash-"))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/**
 * Starts trading processes and lets them go together; each is killed after so many acknowledgements, with whatever it is in
 * the middle of. Returns what each said.
 */
const tradeUntilKilled = (
  file: string,
  children: readonly { readonly name: string; readonly killAfter: number }[],
): Promise<readonly string[]> => {
  const processes = children.map(({ name }) => spawn(process.execPath, [CHILD, file, name], { stdio: ["pipe", "pipe", "inherit"] }))
  let ready = 0
  return Promise.all(
    processes.map(
      (child, index) =>
        new Promise<string>((resolve, reject) => {
          let said = ""
          let waiting = true
          child.stdout.setEncoding("utf8").on("data", (text: string) => {
            said += text
            if (waiting && said.includes("ready\n")) {
              waiting = false
              ready += 1
              if (ready === processes.length) for (const other of processes) other.stdin.write("go")
            }
            if (said.split("\nacked ").length > (children[index]?.killAfter ?? 0)) child.kill("SIGKILL")
          })
          child.on("error", reject)
          child.on("close", (_code, signal) => (signal === "SIGKILL" ? resolve(said) : reject(new Error(`it ended by itself:\n${said}`))))
        }),
    ),
  )
}

test("given processes on one file that are killed in the middle of requests, again and again, then nothing is doubled and nothing forgotten", async () => {
  const file = join(folder, "paper.sqlite")
  const first = openPaperVenue({ file, sync: "off" })
  await first.setPrice("BTCUSDT", "futures", "50000")
  await first.close()

  const said: string[] = []
  for (let round = 0; round < 3; round += 1)
    said.push(
      ...(await tradeUntilKilled(
        file,
        ["a", "b"].map((name, index) => ({ name: `${name}${round}`, killAfter: 60 + 23 * round + 31 * index })),
      )),
    )

  const venue = openPaperVenue({ file, sync: "off" })
  // What was accepted and not yet executed when its process died is carried out by this one.
  await eventually("no market order is left", async () => answer(await venue.openOrders()).length === 0)
  const { orders, fills } = venue.ledger()
  const ids = orders.map((order) => order.clientOrderId)
  expect(new Set(ids).size).toBe(ids.length)

  const lines = said.flatMap((text) => text.split("\n"))
  const acked = lines.flatMap((line) => (line.startsWith("acked ") ? [line.slice(6)] : []))
  const sent = new Set(lines.flatMap((line) => (line.startsWith("sent ") ? [line.slice(5)] : [])))
  expect(acked.length).toBeGreaterThan(150)
  expect(acked.filter((id) => !ids.includes(id))).toEqual([])
  expect(ids.filter((id) => !sent.has(id))).toEqual([])

  for (const order of orders) {
    const own = fills.filter((fill) => fill.venueOrderId === order.venueOrderId)
    expect(eq(sum(own.map((fill) => dec(fill.quantity))), dec(order.filledQuantity))).toBe(true)
    if (order.leg === "entry") expect(order).toMatchObject({ status: "filled", filledQuantity: "0.001" })
    else expect(["filled", "expired"]).toContain(order.status)
  }
  // The account is what the trades made of it.
  const side = new Map(orders.map((order) => [order.venueOrderId as string, order.side]))
  const held = sum(fills.map((fill) => (side.get(fill.venueOrderId) === "buy" ? dec(fill.quantity) : neg(dec(fill.quantity)))))
  const position = answer(await venue.positions())[0]?.quantity ?? "0"
  expect(position).toBe(str(held))
  const [balance] = answer(await venue.balances())
  const fees = sum(fills.map((fill) => dec(fill.fee)))
  expect(str(add(dec(balance?.free ?? "0"), dec(balance?.locked ?? "0")))).toBe(str(sub(dec("10000"), fees)))
  expect(balance?.locked).toBe(str(mul(held, dec("50000"))))
  await venue.close()
  expect(readPaperLedger(file)).toEqual({ orders, fills })
}, 60_000)
