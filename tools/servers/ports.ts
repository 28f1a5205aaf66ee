/**
 * Free ports on the loopback interface, for servers that a test or `npm start` begins.
 *
 * Ports are taken from 15000…29999, below the range that operating systems give to outgoing connections (32768 and up on
 * Linux): a server that is killed and started again on its own port must not find it taken by somebody's connection.
 * Between the look and the use another process may take the port: callers try again with another one.
 */
import { randomInt } from "node:crypto"
import { connect, createServer } from "node:net"

const FIRST = 15_000
const LAST = 30_000
const ATTEMPTS = 50

/** A port that nobody listened on a moment ago. */
export const freePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST)
    if (await canListen(port)) return port
  }
  throw new Error(`no free port found on 127.0.0.1 between ${FIRST} and ${LAST} in ${ATTEMPTS} attempts`)
}

const canListen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => probe.close(() => resolve(true)))
  })

/** True when somebody accepts a connection on the port within the time given. */
export const accepts = (port: number, timeoutMs = 500): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" })
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(timeoutMs, () => end(false))
    socket.once("connect", () => end(true))
    socket.once("error", () => end(false))
  })
