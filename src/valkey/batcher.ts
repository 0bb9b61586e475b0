/**
 * Everything that is asked of the server in one tick goes out together: one pipeline with the commands in the order
 * they came, and after them one `MGET` for all that is read. A read may so be carried out later than it came, but
 * never before a command that came earlier.
 *
 * The answers of a tick are handed back together too, so that those who waited go on in one tick: queries that missed
 * together still meet in the database client's own batch.
 *
 * While there is no connection nothing is queued for later, with two exceptions, both bounded by the timeout: until
 * the first attempt to connect has come to an end everything waits for it, and while a lost connection is tried again
 * for the first time, what must not get lost waits for that.
 */
import { CacheError } from "../CacheError.js"
import { streamsOf } from "./client.js"
import type { Argument, Client } from "./client.js"
import { errnoOf, toCacheError } from "./errors.js"

/** More keys are split over several `MGET`s, which still go out together: the server does one after the other. */
const maxKeysPerRead = 512

/** How long a tick's answers from a cluster wait for each other: one node that is slow must not hold up the rest. */
const reunionMillis = 20

/** One command or one read, and who is told of its outcome. */
interface Pending<A> {
  readonly operation: string
  readonly done: (answer: A) => void
  readonly failed: (error: CacheError, cause: unknown) => void
}

export interface Command extends Pending<unknown> {
  readonly name: string
  readonly args: ReadonlyArray<Argument>
  /** Whether it waits for a lost connection to be tried again once. */
  readonly patient?: boolean
}

export interface Read extends Pending<ReadonlyArray<Buffer | null>> {
  readonly keys: ReadonlyArray<string>
}

export interface Batcher {
  readonly command: (command: Command) => void
  readonly read: (read: Read) => void
  /** Everything that has no answer yet fails as closed, and all that is asked from now on. */
  readonly close: () => void
}

type Phase = "starting" | "ready" | "retrying" | "down" | "closed"

/** A client of the caller's may have a life behind it. */
const phaseOf = (status: string): Phase =>
  status === "ready" ? "ready" : ["wait", "connecting", "connect"].includes(status) ? "starting" : "down"

export const makeBatcher = (client: Client, timeoutMillis: number): Batcher => {
  const send = client.isCluster === true ? sendToCluster : sendToServer
  let phase: Phase = phaseOf(client.status)
  let connectionCode: string | undefined
  let open: Batch | undefined
  const held = new Set<Batch>()
  const sent = new Set<Batch>()

  const onReady = () => {
    phase = "ready"
    connectionCode = undefined
    const waiting = Array.from(held)
    held.clear()
    waiting.forEach(dispatch)
  }
  const onClose = () => {
    phase = phase === "ready" ? "retrying" : "down"
    if (phase === "down") dropHeld()
  }
  const onEnd = () => {
    phase = "down"
    dropHeld()
  }
  const onError = (error: unknown) => {
    connectionCode = errnoOf(error) ?? connectionCode
  }
  const listeners = { ready: onReady, close: onClose, end: onEnd, error: onError }
  Object.entries(listeners).forEach(([event, listener]) => client.on(event, listener))

  const unavailable = (operation: string) =>
    phase === "closed"
      ? new CacheError({ reason: "Closed", operation })
      : new CacheError({ reason: "Unavailable", operation, code: connectionCode })

  const explain = (operation: string, error: unknown) =>
    phase === "closed" ? unavailable(operation) : toCacheError(operation, error, connectionCode)

  const dropHeld = () => {
    const waiting = Array.from(held)
    held.clear()
    waiting.forEach((batch) => batch.abandon(unavailable))
  }

  const dispatch = (batch: Batch) => {
    sent.add(batch)
    send(client, batch, explain)
  }

  const hold = (batch: Batch) => {
    if (client.status === "wait") client.connect().catch(() => {})
    held.add(batch)
  }

  const flush = () => {
    const batch = open
    if (batch === undefined) return
    open = undefined
    batch.startTimer(timeoutMillis, () => {
      // What took too long to connect is not waited for a second time.
      if (held.delete(batch) && phase === "starting") phase = "down"
      batch.abandon((operation) => new CacheError({ reason: "Timeout", operation }))
    }, () => sent.delete(batch))
    if (client.status === "ready" && phase !== "closed") dispatch(batch)
    else if (phase === "starting") hold(batch)
    else if (phase === "ready" || phase === "retrying") {
      batch.abandonImpatient(unavailable)
      if (!batch.isSettled()) hold(batch)
    } else batch.abandon(unavailable)
  }

  const batch = (): Batch => {
    if (open === undefined) {
      open = new Batch()
      // Microtasks first, however long the chain: what they ask for belongs to this tick too.
      queueMicrotask(() => process.nextTick(flush))
    }
    return open
  }

  return {
    command: (command) => batch().addCommand(command),
    read: (read) => batch().addRead(read),
    close: () => {
      flush()
      phase = "closed"
      dropHeld()
      Array.from(sent).forEach((one) => one.abandon(unavailable))
      Object.entries(listeners).forEach(([event, listener]) => client.removeListener(event, listener))
    }
  }
}

type Explain = (operation: string, error: unknown) => CacheError

/** What came in one tick. Each part of it is answered once, by whoever is first. */
class Batch {
  readonly commands: Array<Command> = []
  readonly reads: Array<Read> = []
  /** The keys of all reads, each once. */
  readonly keys = new Map<string, number>()
  private left = 0
  private timer: NodeJS.Timeout | undefined
  private onSettled = () => {}
  private readonly answered = new Set<Command | Read>()

  addCommand(command: Command): void {
    this.commands.push(command)
    this.left++
  }

  addRead(read: Read): void {
    this.reads.push(read)
    this.left++
    for (const key of read.keys) if (!this.keys.has(key)) this.keys.set(key, this.keys.size)
  }

  startTimer(millis: number, onTimeout: () => void, onSettled: () => void): void {
    this.timer = setTimeout(onTimeout, millis)
    this.onSettled = onSettled
  }

  isSettled(): boolean {
    return this.left === 0
  }

  done<A>(pending: Pending<A> & (Command | Read), answer: A): void {
    if (this.settle(pending)) pending.done(answer)
  }

  fail(pending: Command | Read, error: CacheError, cause: unknown): void {
    if (this.settle(pending)) pending.failed(error, cause)
  }

  abandon(reason: (operation: string) => CacheError): void {
    for (const one of [...this.commands, ...this.reads]) this.fail(one, reason(one.operation), undefined)
  }

  abandonImpatient(reason: (operation: string) => CacheError): void {
    for (const one of this.reads) this.fail(one, reason(one.operation), undefined)
    for (const one of this.commands) if (one.patient !== true) this.fail(one, reason(one.operation), undefined)
  }

  isAnswered(pending: Command | Read): boolean {
    return this.answered.has(pending)
  }

  private settle(pending: Command | Read): boolean {
    if (this.answered.has(pending)) return false
    this.answered.add(pending)
    if (--this.left === 0) {
      clearTimeout(this.timer)
      this.onSettled()
    }
    return true
  }
}

type Outcome = readonly [error: unknown, reply?: unknown]

const absent: Outcome = [new Error("no reply")]

const asBuffer = (reply: unknown): Buffer | null => Buffer.isBuffer(reply) ? reply : null

/** One server: one pipeline, one write. */
const sendToServer = (client: Client, batch: Batch, explain: Explain): void => {
  const commands = batch.commands.filter((command) => !batch.isAnswered(command))
  const keys = batch.reads.some((read) => !batch.isAnswered(read)) ? Array.from(batch.keys.keys()) : []
  const pipeline = client.pipeline()
  for (const { args, name } of commands) pipeline.callBuffer(name, ...args)
  const chunks: Array<ReadonlyArray<string>> = []
  for (let at = 0; at < keys.length; at += maxKeysPerRead) chunks.push(keys.slice(at, at + maxKeysPerRead))
  for (const chunk of chunks) pipeline.callBuffer("mget", ...chunk)

  const settle = (replies: ReadonlyArray<Outcome>) => {
    commands.forEach((command, i) => conclude(batch, command, replies[i] ?? absent, explain))
    const values: Array<Buffer | null> = []
    let failure: Outcome | undefined
    chunks.forEach((chunk, i) => {
      const outcome = replies[commands.length + i] ?? absent
      const [error, reply] = outcome
      if (error !== null || !Array.isArray(reply)) failure ??= error === null ? absent : outcome
      else for (let j = 0; j < chunk.length; j++) values.push(asBuffer(reply[j]))
    })
    for (const read of batch.reads) {
      if (failure !== undefined) conclude(batch, read, failure, explain)
      else batch.done(read, read.keys.map((key) => values[batch.keys.get(key) ?? -1] ?? null))
    }
  }
  pipeline.exec().then(
    (replies) => settle(replies ?? []),
    (error: unknown) => settle(Array.from({ length: commands.length + chunks.length }, (): Outcome => [error]))
  )
}

const conclude = (batch: Batch, pending: Command | Read, [error, reply]: Outcome, explain: Explain): void => {
  if (error !== null || "keys" in pending) batch.fail(pending, explain(pending.operation, error), error)
  else batch.done(pending, reply)
}

/**
 * A cluster: each command by itself, so that each finds its node, and follows it when it moves. The commands for one
 * node still go out in one write.
 */
const sendToCluster = (client: Client, batch: Batch, explain: Explain): void => {
  const outcomes = new Map<Command | string, Outcome>()
  let commands = batch.commands.filter((command) => !batch.isAnswered(command))
  let reads = batch.reads.filter((read) => !batch.isAnswered(read))
  let missing = 0
  let reunited = false
  let releasing = false

  const release = () => {
    releasing = false
    commands = commands.filter((command) => {
      const outcome = outcomes.get(command)
      if (outcome !== undefined) conclude(batch, command, outcome, explain)
      return outcome === undefined
    })
    reads = reads.filter((read) => {
      const found = read.keys.map((key) => outcomes.get(key))
      const failure = found.find((outcome) => outcome !== undefined && outcome[0] !== null)
      if (failure !== undefined) conclude(batch, read, failure, explain)
      else if (!found.every((outcome) => outcome !== undefined)) return true
      else batch.done(read, found.map((outcome) => asBuffer(outcome?.[1])))
      return false
    })
  }
  /** Who is late goes on with those who came in the same moment. */
  const releaseSoon = () => {
    if (releasing) return
    releasing = true
    setImmediate(release)
  }
  const timer = setTimeout(() => {
    reunited = true
    release()
  }, reunionMillis)
  const note = (of: Command | string, outcome: Outcome) => {
    outcomes.set(of, outcome)
    if (--missing > 0) return reunited ? releaseSoon() : undefined
    clearTimeout(timer)
    release()
  }
  const ask = (of: Command | string, name: string, args: ReadonlyArray<Argument>) => {
    missing++
    client.callBuffer(name, ...args).then((reply) => note(of, [null, reply]), (error: unknown) => note(of, [error]))
  }
  const streams = streamsOf(client)
  streams.forEach((stream) => stream.cork())
  for (const command of commands) ask(command, command.name, command.args)
  if (reads.length > 0) for (const key of batch.keys.keys()) ask(key, "get", [key])
  streams.forEach((stream) => stream.uncork())
}
