/**
 * Everything that is asked of the server in one tick goes out together: one pipeline with the commands in the order
 * they came, and after them one `MGET` for all that is read. A read may so be carried out later than it came, but
 * never before a command that came earlier.
 *
 * What was large the last time is read apart, after the rest: an answer of megabytes holds nobody else up.
 *
 * The answers of a tick are handed back together too, so that those who waited go on in one tick: queries that missed
 * together still meet in the database client's own batch.
 *
 * While there is no connection nothing is queued for later, with two exceptions, both bounded by the timeout: until
 * the first attempt to connect has come to an end everything waits for it; and when a connection breaks, what must not
 * get lost waits until it has been tried again once.
 */
import { LRUCache } from "lru-cache"
import { CacheError } from "../CacheError.js"
import { isOpen, streamsOf, toDriver } from "./client.js"
import type { Client } from "./client.js"
import type { Argument, Batcher, Command, Question, Read } from "./connection.js"
import { connectionCodeOf, isConnectionError, toCacheError } from "./errors.js"

/** More keys are split over several `MGET`s, which still go out together: the server does one after the other. */
const maxKeysPerRead = 512

/** What is larger, in bytes, is read apart the next time: small answers of its tick are not to wait until it is through. */
const large = 64 * 1024

/** Of how many keys it is remembered that they are large. */
const maxLarge = 1_000

/** How long a tick's answers from a cluster wait for each other: one node that is slow must not hold up the rest. */
const reunionMillis = 20

type Phase = "starting" | "ready" | "retrying" | "down" | "closed"

/** A client of the caller's may have a life behind it. */
const phaseOf = (status: string): Phase =>
  status === "ready" ? "ready" : ["wait", "connecting", "connect"].includes(status) ? "starting" : "down"

export interface ClientBatcher extends Batcher {
  /** What has not been answered fails as closed, and so does all that is asked from now on. */
  readonly close: () => void
}

export const makeBatcher = (client: Client, timeoutMillis: number): ClientBatcher => {
  let phase = phaseOf(client.status)
  let connectionCode: string | undefined
  let gathering: Batch | undefined
  /** What is read in this tick and known to be large. */
  let apart: Batch | undefined
  const largeKeys = new LRUCache<string, true>({ max: maxLarge })
  const held = new Set<Batch>()
  const sent = new Set<Batch>()

  const unavailable = (operation: string) =>
    phase === "closed"
      ? new CacheError({ reason: "Closed", operation })
      : new CacheError({ reason: "Unavailable", operation, code: connectionCode })

  const takeHeld = () => {
    const batches = Array.from(held)
    held.clear()
    return batches
  }
  const dropHeld = () => takeHeld().forEach((batch) => batch.abandon(unavailable))

  const noteCode = (error: unknown) => {
    connectionCode = connectionCodeOf(error) ?? connectionCode
  }
  const listeners = {
    ready: () => {
      clearTimeout(connecting)
      phase = "ready"
      takeHeld().forEach(dispatch)
    },
    close: () => {
      phase = phase === "ready" ? "retrying" : "down"
      if (phase === "down") dropHeld()
    },
    end: () => {
      phase = "down"
      dropHeld()
    },
    error: noteCode,
    "node error": noteCode
  }
  Object.entries(listeners).forEach(([event, listener]) => client.on(event, listener))

  /** Parts of a pipeline are refused from some command on, so what is sent once more keeps its order. */
  const refuse: Refuse = (batch, part, error) => {
    const lives = phase === "ready" || phase === "retrying"
    if (isCommand(part) && part.question.patient === true && !part.again && lives && isConnectionError(error)) {
      batch.dismiss(part)
      gather().addCommand(part.question, true)
    } else {
      const { operation } = part.question
      batch.fail(part, phase === "closed" ? unavailable(operation) : toCacheError(operation, error, connectionCode))
    }
  }

  const send = client.isCluster === true ? sendToCluster : sendToServer
  const dispatch = (batch: Batch) => {
    sent.add(batch)
    send(client, batch, refuse, noteSize)
  }
  let connecting: NodeJS.Timeout | undefined
  const hold = (batch: Batch) => {
    if (client.status === "wait") client.connect().catch(() => {})
    held.add(batch)
    // Reads may have given up before, one by one: what took too long to connect is not waited for by others.
    if (phase === "starting") {
      connecting ??= setTimeout(() => void (phase = phase === "starting" ? "down" : phase), timeoutMillis).unref()
    }
  }
  const onTimeout = (batch: Batch) => {
    // What took too long to connect is not waited for a second time.
    if (held.delete(batch) && phase === "starting") phase = "down"
    batch.abandon(tooLate)
  }

  const flush = () => {
    const batches = [gathering, apart]
    gathering = undefined
    apart = undefined
    for (const batch of batches) if (batch !== undefined) flushOne(batch)
  }

  const flushOne = (batch: Batch) => {
    batch.start(timeoutMillis, onTimeout, (one) => {
      sent.delete(one)
      held.delete(one)
      // That there is a connection is no sign that it is of use: a wrong password ends it a moment later.
      if (one.isAnswered) connectionCode = undefined
    })
    if (phase !== "closed" && isOpen(client)) return dispatch(batch)
    if (phase === "starting") return hold(batch)
    const waits = phase === "ready" || phase === "retrying"
    batch.abandon(unavailable, (part) => !(waits && isCommand(part) && part.question.patient === true))
    if (!batch.isOver()) hold(batch)
  }

  const begin = (): Batch => {
    // Microtasks first, however long the chain: what they ask for belongs to this tick too.
    if (gathering === undefined && apart === undefined) queueMicrotask(() => process.nextTick(flush))
    return new Batch()
  }
  const gather = (): Batch => (gathering ??= begin())
  const gatherApart = (): Batch => (apart ??= begin())

  const noteSize: NoteSize = (key, value) => {
    if (value !== null && value.length > large) largeKeys.set(key, true)
    else if (largeKeys.size > 0) largeKeys.delete(key)
  }

  return {
    keepsTime: true,
    command: (command) => gather().addCommand(command, false),
    read: (read) => {
      const isLarge = largeKeys.size > 0 && read.keys.some((key) => largeKeys.has(key))
      const batch = isLarge ? gatherApart() : gather()
      batch.addRead(read)
    },
    close: () => {
      flush()
      clearTimeout(connecting)
      phase = "closed"
      dropHeld()
      Array.from(sent).forEach((batch) => batch.abandon(unavailable))
      Object.entries(listeners).forEach(([event, listener]) => client.removeListener(event, listener))
    }
  }
}

const tooLate = (operation: string) => new CacheError({ reason: "Timeout", operation })

/** What somebody does with an answer, and throws, must not cost the others of the tick theirs. */
const alone = (tell: () => void): void => {
  try {
    tell()
  } catch (error) {
    void Promise.reject(error)
  }
}

/** The longest time that a timer takes. */
const longestTimer = 2 ** 31 - 1

/** A question among others of its tick. */
interface Part<Q> {
  readonly question: Q
  /** Whether it was sent before. */
  readonly again: boolean
  over: boolean
}
type AnyPart = Part<Command> | Part<Read>

const isCommand = (part: AnyPart): part is Part<Command> => "name" in part.question

/** Deals with a part that got no answer. */
type Refuse = (batch: Batch, part: AnyPart, error: unknown) => void

/** Takes note of how large is what a key holds. */
type NoteSize = (key: string, value: Buffer | null) => void

/** What was asked in one tick. */
class Batch {
  readonly commands: Array<Part<Command>> = []
  readonly reads: Array<Part<Read>> = []
  /** The keys of all reads, each once, and their places. */
  readonly keys = new Map<string, number>()
  /** Whether the server gave an answer to anything. */
  isAnswered = false
  private left = 0
  private startedAt = 0
  private timer: NodeJS.Timeout | undefined
  /** Looks after the reads whose time is over before the batch's is. */
  private readTimer: NodeJS.Timeout | undefined
  private onOver: (batch: Batch) => void = () => {}

  addCommand(question: Command, again: boolean): void {
    this.commands.push({ question, again, over: false })
    this.left++
  }

  addRead(question: Read): void {
    this.reads.push({ question, again: false, over: false })
    this.left++
    for (const key of question.keys) if (!this.keys.has(key)) this.keys.set(key, this.keys.size)
  }

  start(millis: number, onTimeout: (batch: Batch) => void, onOver: (batch: Batch) => void): void {
    this.startedAt = performance.now()
    this.timer = setTimeout(() => onTimeout(this), millis)
    this.onOver = onOver
    this.watchReads(0)
  }

  /** Waits for the end of the time of those reads that have the least, more than `spent`. */
  private watchReads(spent: number): void {
    let next = Infinity
    for (const { over, question: { millis } } of this.reads) {
      if (!over && millis !== undefined && millis > spent && millis < next) next = millis
    }
    if (next > longestTimer) return
    this.readTimer = setTimeout(() => {
      // What has come already and was not read, because the process was busy, has come in time.
      setImmediate(() => {
        const late = this.reads.filter(({ over, question: { millis } }) => !over && millis !== undefined && millis <= next)
        for (const part of late) this.fail(part, tooLate(part.question.operation))
        if (!this.isOver()) this.watchReads(next)
      })
    }, Math.max(0, next - (performance.now() - this.startedAt)))
  }

  isOver(): boolean {
    return this.left === 0
  }

  answer<A>(part: Part<Question<A>>, answer: A): void {
    this.isAnswered = true
    if (this.dismiss(part)) alone(() => part.question.done(answer))
  }

  fail<A>(part: Part<Question<A>>, error: CacheError): void {
    if (this.dismiss(part)) alone(() => part.question.failed(error))
  }

  /** Ends the part here, without a word. Answers whether it was still open. */
  dismiss(part: { over: boolean }): boolean {
    if (part.over) return false
    part.over = true
    if (--this.left === 0) {
      clearTimeout(this.timer)
      clearTimeout(this.readTimer)
      this.onOver(this)
    }
    return true
  }

  abandon(reason: (operation: string) => CacheError, which: (part: AnyPart) => boolean = () => true): void {
    for (const part of this.commands) if (which(part)) this.fail(part, reason(part.question.operation))
    for (const part of this.reads) if (which(part)) this.fail(part, reason(part.question.operation))
  }
}

const isWaiting = (part: AnyPart) => !part.over

const asBuffer = (reply: unknown): Buffer | null => Buffer.isBuffer(reply) ? reply : null

type Outcome = readonly [error: unknown, reply?: unknown]

const absent: Outcome = [new Error("no reply")]

/** One server: one pipeline, one write. */
const sendToServer = (client: Client, batch: Batch, refuse: Refuse, noteSize: NoteSize): void => {
  const commands = batch.commands.filter(isWaiting)
  const reads = batch.reads.filter(isWaiting)
  const keys = reads.length > 0 ? Array.from(batch.keys.keys()) : []
  const chunks: Array<ReadonlyArray<string>> = []
  for (let at = 0; at < keys.length; at += maxKeysPerRead) chunks.push(keys.slice(at, at + maxKeysPerRead))

  const settle = (outcomes: ReadonlyArray<Outcome>) => {
    commands.forEach((part, i) => {
      const [error, reply] = outcomes[i] ?? absent
      if (error === null) batch.answer(part, reply)
      else refuse(batch, part, error)
    })
    const values: Array<Buffer | null> = []
    let failure: unknown = null
    for (let i = 0; i < chunks.length; i++) {
      const [error, reply] = outcomes[commands.length + i] ?? absent
      if (Array.isArray(reply)) {
        for (const each of reply) {
          const value = asBuffer(each)
          noteSize(keys[values.length] ?? "", value)
          values.push(value)
        }
      } else failure ??= error ?? absent[0]
    }
    for (const part of reads) {
      if (failure !== null) refuse(batch, part, failure)
      else batch.answer(part, part.question.keys.map((key) => values[batch.keys.get(key) ?? -1] ?? null))
    }
  }
  // A pipeline costs as much as a command: one that goes alone needs none. A client that makes pipelines itself would
  // make one of it, and gets such commands wrong there.
  const [chunk] = chunks
  if (commands.length === 0 && chunks.length === 1 && chunk !== undefined && client.options.enableAutoPipelining !== true) {
    return void client.callBuffer("mget", ...chunk).then(
      (reply) => settle([[null, reply]]),
      (error: unknown) => settle([[error]])
    )
  }
  const pipeline = client.pipeline()
  for (const { question } of commands) pipeline.callBuffer(question.name, ...question.args.map(toDriver))
  for (const chunk of chunks) pipeline.callBuffer("mget", ...chunk)

  pipeline.exec().then(
    (replies) => settle(replies ?? []),
    (error: unknown) => settle(Array.from({ length: commands.length + chunks.length }, (): Outcome => [error]))
  )
}

/**
 * A cluster: each command by itself, so that each finds its node, and follows it when it moves. The commands for one
 * node still go out in one write.
 */
const sendToCluster = (client: Client, batch: Batch, refuse: Refuse, noteSize: NoteSize): void => {
  const outcomes = new Map<Part<Command> | string, Outcome>()
  const commands = batch.commands.filter(isWaiting)
  let reads = batch.reads.filter(isWaiting)
  let missing = 0
  let reunited = false
  let releasing = false

  const release = () => {
    releasing = false
    for (const part of commands) {
      const outcome = part.over ? undefined : outcomes.get(part)
      if (outcome === undefined) continue
      if (outcome[0] === null) batch.answer(part, outcome[1])
      else refuse(batch, part, outcome[0])
    }
    reads = reads.filter((part) => {
      const found = part.question.keys.map((key) => outcomes.get(key))
      const failure = found.find((outcome) => outcome !== undefined && outcome[0] !== null)
      if (failure !== undefined) refuse(batch, part, failure[0])
      else if (!found.every((outcome) => outcome !== undefined)) return true
      else batch.answer(part, found.map((outcome) => asBuffer(outcome?.[1])))
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
  const note = (of: Part<Command> | string, outcome: Outcome) => {
    outcomes.set(of, outcome)
    if (typeof of === "string" && outcome[0] === null) noteSize(of, asBuffer(outcome[1]))
    if (--missing > 0) return reunited ? releaseSoon() : undefined
    clearTimeout(timer)
    release()
  }
  const ask = (of: Part<Command> | string, name: string, args: ReadonlyArray<Argument>) => {
    missing++
    client.callBuffer(name, ...args.map(toDriver)).then(
      (reply) => note(of, [null, reply]),
      (error: unknown) => note(of, [error])
    )
  }

  const streams = streamsOf(client)
  streams.forEach((stream) => stream.cork())
  for (const part of commands) ask(part, part.question.name, part.question.args)
  if (reads.length > 0) for (const key of batch.keys.keys()) ask(key, "get", [key])
  streams.forEach((stream) => stream.uncork())
}
