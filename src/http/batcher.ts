/**
 * Everything that is asked in one tick goes out in one request: the commands in the order they came, and after them one
 * `MGET` for all that is read. What is too long for one request goes in several, one after the other. Requests of
 * different ticks may overtake each other.
 *
 * The answers of a request are handed back together, so that those who waited go on in one tick: queries that missed
 * together still meet in the database client's own batch.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import { CacheError } from "../CacheError.js"
import type { Argument, Batcher, Command, Read } from "../valkey/connection.js"
import type { Exchange, Failure, Outcome, Words } from "./exchange.js"
import { escapeBytes, toPlainText } from "./text.js"

/** More keys are split over several `MGET`s. */
const maxKeysPerRead = 512

/** How long a request may be, in characters, unless a single command is longer: proxies refuse what exceeds a megabyte. */
const maxRequestLength = 900_000

/** How long what must not get lost waits before it is sent again, in milliseconds, lengthened by chance. */
const pauseMillis = 25

/** A command on its way. */
interface Call {
  readonly words: Words
  readonly patient: boolean
  readonly settle: (outcome: Outcome) => void
}

/** What is there of the surroundings. */
export interface Surroundings {
  /** How long answers are waited for, in milliseconds. */
  readonly timeoutMillis: number
  readonly run: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  /** Told when something begins to be under way, of the moment at which nothing is any more. */
  readonly waitUntil: ((idle: Promise<void>) => void) | undefined
}

/** After everything that is going on now, microtasks included, however long their chain. */
const defer: (run: () => void) => void = typeof setImmediate === "function"
  ? (run) => void setImmediate(run)
  : (run) => void setTimeout(run, 0)

const word = (argument: Argument): string =>
  typeof argument === "object" ? escapeBytes(argument) : toPlainText(String(argument))

const lengthOf = (words: Words) => words.reduce((sum, { length }) => sum + length + 3, 2)

/** As few requests as there may be, in order. */
const split = (calls: ReadonlyArray<Call>): ReadonlyArray<ReadonlyArray<Call>> => {
  const requests: Array<Array<Call>> = []
  let room = 0
  for (const call of calls) {
    const length = lengthOf(call.words)
    const last = requests.at(-1)
    if (last === undefined || length > room) {
      requests.push([call])
      room = maxRequestLength - length
    } else {
      last.push(call)
      room -= length
    }
  }
  return requests
}

const toError = (operation: string, { code, reason }: Failure): CacheError => new CacheError({ reason, operation, code })

const commandCall = ({ args, done, failed, name, operation, patient }: Command): Call => ({
  words: [name, ...args.map(word)],
  patient: patient === true,
  settle: Either.match({ onLeft: (failure) => failed(toError(operation, failure)), onRight: done })
})

/** All that is read, each key once. The reads are answered when the last of the calls is. */
const readCalls = (reads: ReadonlyArray<Read>): ReadonlyArray<Call> => {
  const keys = Array.from(new Set(reads.flatMap((read) => read.keys)))
  const values = new Map<string, Uint8Array | null>()
  let failure: Failure | undefined
  const chunks: Array<ReadonlyArray<string>> = []
  for (let at = 0; at < keys.length; at += maxKeysPerRead) chunks.push(keys.slice(at, at + maxKeysPerRead))
  let left = chunks.length
  const settle = (chunk: ReadonlyArray<string>, outcome: Outcome) => {
    if (Either.isLeft(outcome)) failure ??= outcome.left
    else if (!Array.isArray(outcome.right)) failure ??= { reason: "Unavailable", code: "EPROTO" }
    else {
      const found: ReadonlyArray<unknown> = outcome.right
      chunk.forEach((key, i) => values.set(key, found[i] instanceof Uint8Array ? found[i] : null))
    }
    if (--left > 0) return
    for (const { done, failed, keys: asked, operation } of reads) {
      if (failure !== undefined) failed(toError(operation, failure))
      else done(asked.map((key) => values.get(key) ?? null))
    }
  }
  return chunks.map((chunk) => ({
    words: ["mget", ...chunk.map(word)],
    patient: false,
    settle: (outcome) => settle(chunk, outcome)
  }))
}

export interface HttpBatcher extends Batcher {
  /**
   * From now on everything fails as closed, and so do the readings under way. Commands are carried out still: what a
   * program's last query has to store, nobody else stores.
   */
  readonly close: Effect.Effect<void>
}

export const makeBatcher = (exchange: Exchange, { run, timeoutMillis, waitUntil }: Surroundings): HttpBatcher => {
  const running = new Map<Fiber.RuntimeFiber<void>, ReadonlyArray<Command>>()
  let state: "open" | "closing" | "closed" = "open"
  let gathering: { readonly commands: Array<Command>; readonly reads: Array<Read> } | undefined
  let underWay = 0
  let idle = () => {}

  const begin = () => {
    if (underWay++ > 0 || waitUntil === undefined) return
    const promise = new Promise<void>((resolve) => (idle = resolve))
    try {
      waitUntil(promise)
    } catch {
      // It is the application's, which may have called it outside of any request.
    }
  }
  /** Who got the answer may go on asking. */
  const end = () =>
    defer(() => {
      if (--underWay === 0) idle()
    })

  const carry = (calls: ReadonlyArray<Call>): Effect.Effect<void> => {
    const open = new Set(calls)
    const settle = (call: Call, outcome: Outcome) => {
      if (open.delete(call)) call.settle(outcome)
    }
    const fail = (failure: Failure) => open.forEach((call) => settle(call, Either.left(failure)))
    const attempt = Effect.suspend(() =>
      Effect.forEach(split(Array.from(open)), (some) =>
        Effect.map(exchange(some.map(({ words }) => words)), (outcomes) =>
          some.forEach((call, i) => settle(call, outcomes[i] ?? Either.left({ reason: "Unavailable", code: "EPROTO" })))), {
        discard: true
      })
    )
    let first: Failure | undefined
    const again = (failure: Failure) => {
      if (failure.reason !== "Unavailable") return Effect.fail(failure)
      first = failure
      open.forEach((call) => call.patient || settle(call, Either.left(failure)))
      if (open.size === 0) return Effect.void
      const pause = Effect.flatMap(Random.nextRange(1, 3), (share) => Effect.sleep(Duration.millis(share * pauseMillis)))
      return Effect.zipRight(pause, attempt)
    }
    return attempt.pipe(
      Effect.catchAll(again),
      Effect.timeoutFail({
        duration: Duration.millis(timeoutMillis),
        onTimeout: (): Failure => first ?? { reason: "Timeout", code: undefined }
      }),
      Effect.catchAll((failure) => Effect.sync(() => fail(failure))),
      // Interrupted: the connection is closed.
      Effect.ensuring(Effect.sync(() => {
        fail({ reason: "Closed", code: undefined })
        end()
      }))
    )
  }

  const flush = () => {
    const batch = gathering
    if (batch === undefined) return
    gathering = undefined
    const { commands, reads } = batch
    const fiber = run(carry([...commands.map(commandCall), ...readCalls(reads)]))
    running.set(fiber, commands)
    fiber.addObserver(() => running.delete(fiber))
  }
  const gather = () => {
    if (gathering === undefined) {
      gathering = { commands: [], reads: [] }
      begin()
      defer(flush)
    }
    return gathering
  }
  const refuse = ({ failed, operation }: Pick<Command, "failed" | "operation">) =>
    failed(new CacheError({ reason: "Closed", operation }))

  const waitForRunning = Effect.suspend(() =>
    Effect.forEach(running, ([fiber, commands]) => commands.length > 0 ? Fiber.await(fiber) : Fiber.interrupt(fiber), {
      concurrency: "unbounded",
      discard: true
    })
  )
  /** A script that the server has not met is sent a second time. */
  const drain: Effect.Effect<void> = Effect.suspend(() => {
    flush()
    state = running.size > 0 ? "closing" : "closed"
    return state === "closed" ? Effect.void : Effect.zipRight(waitForRunning, drain)
  })

  return {
    keepsTime: false,
    command: (command) => void (state === "closed" ? refuse(command) : gather().commands.push(command)),
    read: (read) => void (state === "open" ? gather().reads.push(read) : refuse(read)),
    close: Effect.suspend(() => {
      gathering?.reads.splice(0).forEach(refuse)
      return drain
    })
  }
}
