/**
 * A store on Valkey, or Redis 7 and newer, on one server or on a cluster. Entries and tags are plain keys with a
 * lifetime, so the server may evict any of them: an entry lost is a miss, a stamp lost is an invalidation.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { CacheError } from "../CacheError.js"
import { CacheStore, make as makeStore } from "../CacheStore.js"
import type { Ending, Invalidation, Lookup, Ordered, TagState, UnsafeLookup } from "../CacheStore.js"
import { random128 } from "../internal/hash.js"
import { namespaceTagOf } from "../internal/names.js"
import { isOfLife, makeStamp } from "../internal/stamp.js"
import { ValkeyConnection } from "../valkey/connection.js"
import type { Argument } from "../valkey/connection.js"
import { milliseconds, text, toBytes } from "../valkey/convert.js"
import * as scripts from "../valkey/scripts.js"

interface Call {
  readonly key: string
  readonly args: ReadonlyArray<Argument>
}

/** What a script says of whether something is in place. Who answers something else has not carried it out. */
const yesOrNo = (operation: string, reply: unknown): Either.Either<boolean, CacheError> =>
  reply === 0 || reply === 1 || reply === "0" || reply === "1"
    ? Either.right(Number(reply) === 1)
    : Either.left(new CacheError({ reason: "Rejected", operation, code: "EPROTO" }))

/**
 * A store over a connection.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (connection: ValkeyConnection): CacheStore => {
  const { watch } = connection
  const channelOf = (namespaceTag: string) => connection.channel(`changes:${namespaceTag}`)
  /** What a script says of a tag whose place it has changed, and where. */
  const noteOf = (tag: string): ReadonlyArray<Argument> => [channelOf(namespaceTagOf(tag)), tag]

  const argumentsOf = (step: Invalidation, ttl: string): ReadonlyArray<Argument> => {
    switch (step._tag) {
      case "kill":
        return ["kill"]
      case "expire":
        return ["expire", random128()]
      case "swap":
        return ["swap", step.expected, step.next, ttl]
    }
  }
  const patiently = (script: scripts.Script, operation: string, calls: ReadonlyArray<Call>) =>
    connection.scripts(operation, script, calls, { patient: true })

  /**
   * One server does what came first first. The nodes of a cluster know nothing of each other: there the steps that
   * are not first wait for those that are. When one of those failed the order is spoilt for good, and the rest need
   * not wait any longer.
   */
  const inOrder = <A extends Ordered>(
    operation: string,
    script: scripts.Script,
    steps: ReadonlyArray<A>,
    argsOf: (step: A) => ReadonlyArray<Argument>
  ): Effect.Effect<ReadonlyArray<boolean>, CacheError> => {
    const callsOf = (some: ReadonlyArray<A>) => some.map((step) => ({ key: step.tag, args: argsOf(step) }))
    const first = steps.filter((step) => step.first === true)
    const rest = steps.filter((step) => step.first !== true)
    const results = connection.isCluster && first.length > 0 && rest.length > 0
      ? Effect.zipWith(
        patiently(script, operation, callsOf(first)),
        Effect.suspend(() => patiently(script, operation, callsOf(rest))),
        (one, two) => [...one, ...two]
      )
      : patiently(script, operation, callsOf([...first, ...rest]))
    const positions = new Map([...first, ...rest].map((step, i) => [step, i]))
    return Effect.flatMap(results, (answers) =>
      Effect.map(Either.all(answers.map((answer) => Either.flatMap(answer, (reply) => yesOrNo(operation, reply)))), (all) =>
        steps.map((step) => all[positions.get(step) ?? -1] === true)))
  }

  /** Where the server refuses some tags, the others are worth knowing; where it refuses all, its reason is. */
  const stampsIn = (
    results: ReadonlyArray<Either.Either<unknown, CacheError>>
  ): Effect.Effect<ReadonlyArray<TagState>, CacheError> =>
    results.some(Either.isRight) && results.every((one) => Either.isRight(one) || one.left.reason === "Rejected")
      ? Effect.succeed(results.map((one) => Either.isRight(one) ? text(one.right) : null))
      : Effect.map(Either.all(results), (replies) => replies.map(text))

  const lookup = (
    entry: string,
    tags: ReadonlyArray<string>,
    millis: number | undefined,
    tell: (answer: Either.Either<Lookup, CacheError>) => void
  ) => {
    const startedAt = millis === undefined ? 0 : performance.now()
    connection.unsafeRead({
      operation: "read",
      keys: [entry, ...tags],
      millis,
      failed: (error) => tell(Either.left(error)),
      done: (values) => {
        const found = values[0] ?? null
        const states = tags.map((_, i) => text(values[i + 1]))
        const answer = { entry: found === null ? null : toBytes(found), states }
        // What an earlier life has left may be older than an invalidation.
        const isAlive = (state: TagState, i: number) => isOfLife(state, connection.lifeOf(tags[i] ?? ""))
        if (states.every(isAlive)) return tell(Either.right(answer))
        const again = tags.every((tag) => connection.lifeOf(tag) !== undefined)
        const learnt = Effect.ignore(connection.learnLives(tags, again))
        const left = millis === undefined ? Infinity : millis - (performance.now() - startedAt)
        const inTime = left === Infinity ? learnt : Effect.timeoutOption(learnt, Math.max(0, left))
        Effect.runCallback(inTime, {
          onExit: () =>
            tell(Either.right({ ...answer, states: states.map((state, i) => isAlive(state, i) ? state : null) }))
        })
      }
    })
  }

  const unsafeLookup: UnsafeLookup = (entry, tags, { millis }, tell) => lookup(entry, tags, millis, tell)

  return makeStore({
    nodeOf: connection.nodeOf,
    newStamp: (tag) => {
      const life = connection.lifeOf(tag)
      return life === undefined ? undefined : makeStamp({ life })
    },
    changes: watch && ((namespaceTag, { changed, ...listener }) =>
      watch(channelOf(namespaceTag), { ...listener, message: changed })),
    lookup: Object.assign(
      (entry: string, tags: ReadonlyArray<string>) =>
        Effect.async<Lookup, CacheError>((resume) => lookup(entry, tags, undefined, resume)),
      { unsafe: connection.keepsTime ? unsafeLookup : undefined }
    ),
    obtain: (tags, ttlMillis, probationMillis = 0) =>
      Effect.suspend(() => {
        const ttl = milliseconds(ttlMillis)
        const probation = probationMillis === 0 ? "0" : milliseconds(probationMillis)
        const isKnown = () => tags.every((tag) => connection.lifeOf(tag) !== undefined)
        const make = Effect.suspend(() => {
          if (!isKnown()) return Effect.fail(new CacheError({ reason: "Unavailable", operation: "make stamps" }))
          const calls = tags.map((key) => {
            const life = connection.lifeOf(key) ?? ""
            return { key, args: [makeStamp({ life }), ttl, probation, life] }
          })
          return Effect.flatMap(connection.scripts("make stamps", scripts.obtain, calls), stampsIn)
        })
        return isKnown() ? make : Effect.zipRight(connection.learnLives(tags), make)
      }),
    replace: (entry, bytes, ttlMillis, seen, until) =>
      Effect.map(
        connection.script("store", scripts.replace, entry, [
          bytes,
          milliseconds(ttlMillis),
          seen ?? "",
          until === undefined ? "0" : `${until}`
        ]),
        (answer) => Number(answer) === 1
      ),
    remove: (entry, seen) => Effect.asVoid(connection.script("remove", scripts.remove, entry, [seen])),
    invalidate: (steps, ttlMillis) =>
      inOrder("invalidate", scripts.invalidate, steps, (step) => [
        ...noteOf(step.tag),
        ...argumentsOf(step, milliseconds(ttlMillis))
      ]),
    begin: (tags, token, ttlMillis) =>
      Effect.asVoid(inOrder("begin a write", scripts.begin, tags, ({ tag }) => [
        token,
        milliseconds(ttlMillis),
        ...noteOf(tag)
      ])),
    end: (tags, token, committed, ttlMillis) =>
      inOrder("end a write", scripts.end, tags, ({ next = "", tag }: Ending) => [
        token,
        committed ? "1" : "0",
        next,
        milliseconds(ttlMillis),
        ...noteOf(tag)
      ])
  })
}

/**
 * A store over the connection of the context.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<CacheStore, never, ValkeyConnection> = Layer.effect(
  CacheStore,
  Effect.map(ValkeyConnection, make)
)
