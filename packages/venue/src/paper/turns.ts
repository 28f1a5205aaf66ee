/**
 * Turns: the paper venue's requests wait in a queue, and one turn of the event loop carries all of them out, in order of
 * arrival, in one transaction.
 *
 * Promises: each request happens wholly or not at all (when one throws, the turn is rolled back and each is tried in a
 * transaction of its own); no caller is answered before the transaction is committed; the file's lock is waited for in
 * small steps, so that this process never stands still for long. A request that could not get the lock in time, or whose
 * transaction failed, was certainly not executed: its promise rejects with {@link NotExecuted}.
 */
import type { PaperBooks } from "./books.ts"
import { isBusy } from "./database.ts"

/** Nothing of the request was executed. */
export class NotExecuted extends Error {
  override readonly name = "NotExecuted"
}

type Transactions = Pick<PaperBooks, "begin" | "commit" | "rollback" | "undoable">

/** How an answer gets from the turn to whoever asked. Given with the request, because a promise on top of a promise costs as much again. */
export interface Way<Denial> {
  /** What comes of the value once the turn is committed. Must not throw. */
  readonly home: <A>(value: A) => A | Promise<A>
  /** The answer to a request that was not executed. */
  readonly instead: (error: NotExecuted) => Denial
}

interface Waiting {
  readonly run: () => unknown
  readonly way: Way<unknown> | undefined
  readonly resolve: (value: never) => void
  readonly reject: (error: NotExecuted) => void
  readonly giveUpAtMs: number
}

const answer = (item: Waiting, value: unknown): void => {
  item.resolve((item.way === undefined ? value : item.way.home(value)) as never)
}
const deny = (item: Waiting, message: string): void => {
  const error = new NotExecuted(message)
  if (item.way === undefined) item.reject(error)
  else item.resolve(item.way.instead(error) as never)
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** One turn takes at most so many requests; the others go into the next. */
const TURN_MAX = 512
const RETRY_MS = 5
/** How long a request waits for the lock at most. */
export const LOCK_WAIT_MS = 5_000
/** More than this waiting is refused at once: the bound of the queue. */
const QUEUE_MAX = 100_000

export interface TurnHooks {
  /** Before a turn: deliver what earlier turns brought about. */
  readonly before: () => void
  /** First thing inside the transaction: see what other processes changed. */
  readonly begin: () => void
  /** Whether executions are due: then a turn is taken without requests, too. */
  readonly workDue: () => boolean
  /** Inside the transaction, before the requests: carry out what is due. */
  readonly work: () => void
  /** The transaction was rolled back: forget what was remembered from it. */
  readonly rolledBack: () => void
  /** The executions that were due threw: they stay due, and must not be tried again at once. */
  readonly workFailed: (error: unknown) => void
  /** Something failed that no caller waits for. The turn is tried again later. */
  readonly trouble: (error: unknown) => void
  /** After the turn: arrange for what comes later. */
  readonly after: () => void
  /** Monotonic enough for giving up: milliseconds. */
  readonly now: () => number
}

export class Turns {
  readonly #books: Transactions
  readonly #hooks: TurnHooks
  #queue: Waiting[] = []
  #immediate: NodeJS.Immediate | undefined
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor(books: Transactions, hooks: TurnHooks) {
    this.#books = books
    this.#hooks = hooks
  }

  /** Runs in the next turn. */
  enqueue<A>(run: () => A, way?: Way<A>): Promise<A> {
    return new Promise<A>((resolve, reject) => {
      const item: Waiting = { run, way, resolve, reject, giveUpAtMs: this.#hooks.now() + LOCK_WAIT_MS }
      if (this.#closed) deny(item, "the venue is closed")
      else if (this.#queue.length >= QUEUE_MAX) deny(item, "too many requests are waiting")
      else {
        this.#queue.push(item)
        this.wake()
      }
    })
  }

  /** There is something to do: a turn will come. */
  wake(): void {
    if (this.#immediate !== undefined || this.#retry !== undefined || this.#closed) return
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined
      this.#turn()
    })
  }

  #later(): void {
    if (this.#retry !== undefined || this.#closed) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#turn()
    }, RETRY_MS)
  }

  #turn(): void {
    try {
      this.#hooks.before()
      if (this.#queue.length > 0 || this.#hooks.workDue()) this.#transact()
      if (this.#queue.length > 0) this.wake()
      this.#hooks.after()
    } catch (error) {
      // Reading found the file locked (another process was killed, a third one is recovering the log) or broken.
      if (!isBusy(error)) this.#hooks.trouble(error)
      this.#later()
    }
  }

  #transact(): void {
    const batch = this.#queue.length > TURN_MAX ? this.#queue.splice(0, TURN_MAX) : this.#queue
    if (batch === this.#queue) this.#queue = []
    if (!this.#books.undoable) {
      this.#oneByOne(batch)
      return
    }
    const values: unknown[] = []
    try {
      this.#books.begin()
    } catch (error) {
      this.#notNow(batch, error)
      return
    }
    let working = true
    try {
      this.#hooks.begin()
      this.#hooks.work()
      working = false
      for (const item of batch) values.push(item.run())
      this.#books.commit()
    } catch (error) {
      this.#rollback()
      if (working) this.#hooks.workFailed(error)
      for (const item of batch) this.#alone(item)
      return
    }
    batch.forEach((item, index) => answer(item, values[index]))
  }

  /** Without transactions: a request that throws is not tried again, because it may have happened in part. */
  #oneByOne(batch: readonly Waiting[]): void {
    try {
      this.#hooks.work()
    } catch (error) {
      this.#hooks.workFailed(error)
    }
    for (const item of batch) {
      let value: unknown
      try {
        value = item.run()
      } catch (error) {
        deny(item, messageOf(error))
        continue
      }
      answer(item, value)
    }
  }

  /** A request in a transaction of its own, after its turn failed. */
  #alone(item: Waiting): void {
    try {
      this.#books.begin()
      this.#hooks.begin()
      const value = item.run()
      this.#books.commit()
      answer(item, value)
    } catch (error) {
      this.#rollback()
      deny(item, messageOf(error))
    }
  }

  #rollback(): void {
    this.#books.rollback()
    this.#hooks.rolledBack()
  }

  /** The lock was not to be had: what has waited too long is told so, the rest is tried again. */
  #notNow(batch: readonly Waiting[], error: unknown): void {
    const nowMs = this.#hooks.now()
    const patient = isBusy(error) && !this.#closed ? batch.filter((item) => item.giveUpAtMs > nowMs) : []
    for (const item of batch) if (!patient.includes(item)) deny(item, messageOf(error))
    this.#queue = [...patient, ...this.#queue]
    this.#later()
  }

  /** Carries out what is waiting, once more, and takes nothing after that. */
  close(): void {
    if (this.#closed) return
    clearImmediate(this.#immediate)
    clearTimeout(this.#retry)
    this.#immediate = undefined
    while (this.#queue.length > 0) {
      const before = this.#queue.length
      this.#transact()
      if (this.#queue.length >= before) break
    }
    this.#closed = true
    clearTimeout(this.#retry)
    for (const item of this.#queue.splice(0)) deny(item, "the venue is closed")
  }
}
