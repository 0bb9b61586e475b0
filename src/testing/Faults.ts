/**
 * Faults on command: a store and a lock that refuse, hang, lie, lose their answers or do things twice, to see what an
 * application makes of it. Time is Effect's `Clock`, so that `TestClock` rules what takes long.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Faults, TestCache } from "effect-prisma-cache/testing"
 *
 * const program = Effect.gen(function*() {
 *   const faults = yield* Faults.Faults
 *   yield* faults.every("lookup", Faults.fail("Unavailable"))
 *   yield* faults.next("replace", Faults.loseAnswer("Timeout"))
 *   // … what must go well all the same
 *   yield* faults.heal()
 * }).pipe(Effect.provide(TestCache.layer()))
 * ```
 *
 * @module
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { CacheError } from "../CacheError.js"
import type { Reason } from "../CacheError.js"
import { CacheStore } from "../CacheStore.js"
import type { Lookup, TagState } from "../CacheStore.js"
import { DistributedLock } from "../DistributedLock.js"
import type { News } from "../DistributedLock.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/testing/Faults")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What a fault can be in, and what that answers: the operations of the store, and those of the lock. `news` is one
 * message of a holder to those who wait for the lock.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answers {
  readonly lookup: Lookup
  readonly obtain: ReadonlyArray<TagState>
  readonly replace: boolean
  readonly remove: void
  readonly invalidate: ReadonlyArray<boolean>
  readonly begin: void
  readonly end: ReadonlyArray<boolean>
  readonly acquire: boolean
  readonly extend: boolean
  readonly release: boolean
  readonly news: News
}

/**
 * @since 0.1.0
 * @category models
 */
export type Operation = keyof Answers

/**
 * Every operation of a store.
 *
 * @since 0.1.0
 * @category constants
 */
export const storeOperations = ["lookup", "obtain", "replace", "remove", "invalidate", "begin", "end"] as const

/**
 * Every operation of a lock.
 *
 * @since 0.1.0
 * @category constants
 */
export const lockOperations = ["acquire", "extend", "release", "news"] as const

/**
 * All of them: what is out of order when the server is.
 *
 * @since 0.1.0
 * @category constants
 */
export const operations: ReadonlyArray<Operation> = [...storeOperations, ...lockOperations]

// ---------------------------------------------------------------------------------------------------------------------
// faults
// ---------------------------------------------------------------------------------------------------------------------

/**
 * A fault that any operation can have.
 *
 * @since 0.1.0
 * @category models
 */
export type AnyFault =
  | { readonly _tag: "Fail"; readonly reason: Reason; readonly code: string | undefined }
  | { readonly _tag: "Stall"; readonly duration: Duration.DurationInput | undefined }
  | { readonly _tag: "LoseAnswer"; readonly reason: Reason | undefined; readonly code: string | undefined }
  | { readonly _tag: "Duplicate" }

/**
 * Another answer than the true one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lie<A> {
  readonly _tag: "Lie"
  /** What is said in place of the truth. */
  readonly answer: (truth: A) => A
}

/**
 * An answer without a deed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pretence<A> {
  readonly _tag: "Pretend"
  readonly answer: A
}

/**
 * A fault of an operation that answers with this.
 *
 * @since 0.1.0
 * @category models
 */
export type Fault<A> = AnyFault | Lie<A> | Pretence<A>

/**
 * Nothing is carried out, and the answer is an error. News are lost.
 *
 * @since 0.1.0
 * @category faults
 */
export const fail = (reason: Reason = "Unavailable", code?: string): AnyFault => ({ _tag: "Fail", reason, code })

/**
 * It is carried out later: after this time, or when it is healed, whichever comes first, and even if nobody waits for
 * it any more, as what a server has received is. Without a time: not before it is healed.
 *
 * @since 0.1.0
 * @category faults
 */
export const stall = (duration?: Duration.DurationInput): AnyFault => ({ _tag: "Stall", duration })

/**
 * It is carried out, and answers with what this makes of the true answer.
 *
 * @since 0.1.0
 * @category faults
 */
export const lie = <A>(answer: (truth: A) => A): Lie<A> => ({ _tag: "Lie", answer })

/**
 * It answers with this, and nothing is carried out. For an operation without an answer: `undefined`.
 *
 * @since 0.1.0
 * @category faults
 */
export const pretend = <const A>(answer: A): Pretence<A> => ({ _tag: "Pretend", answer })

/**
 * It is carried out, and the answer is an error all the same. Without a reason no answer comes at all; who waits for it
 * until it is healed gets a `Timeout`. News are lost.
 *
 * @since 0.1.0
 * @category faults
 */
export const loseAnswer = (reason?: Reason, code?: string): AnyFault => ({ _tag: "LoseAnswer", reason, code })

/**
 * It is carried out twice in a row, as a command is that was sent again, and answers as the second time. News arrive
 * twice.
 *
 * @since 0.1.0
 * @category faults
 */
export const duplicate: AnyFault = { _tag: "Duplicate" }

// ---------------------------------------------------------------------------------------------------------------------
// injecting them
// ---------------------------------------------------------------------------------------------------------------------

/**
 * The faults of a store and a lock: none, until a test asks for them.
 *
 * @since 0.1.0
 * @category models
 */
export interface Faults {
  readonly [TypeId]: TypeId
  /** From now until it is healed the operation has this fault, and no other that it had for good before. */
  readonly every: {
    <O extends Operation>(operation: O, fault: Fault<Answers[O]>): Effect.Effect<void>
    (operations: ReadonlyArray<Operation>, fault: AnyFault): Effect.Effect<void>
  }
  /** The next one, or the next `times`, have this fault: after those that were asked for before, if there are any. */
  readonly next: {
    <O extends Operation>(operation: O, fault: Fault<Answers[O]>, times?: number): Effect.Effect<void>
    (operations: ReadonlyArray<Operation>, fault: AnyFault, times?: number): Effect.Effect<void>
  }
  /** The operation, or everything, is in order from now on; what is stalled goes on at once. */
  readonly heal: (operation?: Operation | ReadonlyArray<Operation>) => Effect.Effect<void>
  /** How often the operation has had a fault. */
  readonly struck: (operation: Operation) => Effect.Effect<number>
  /**
   * The services, with these faults: the Prisma extension takes the layer as its `cache`. What is stalled until it is
   * healed holds up the end of what uses them too: heal it before that.
   */
  readonly around: <E, R>(
    services: Layer.Layer<CacheStore | DistributedLock, E, R>
  ) => Layer.Layer<CacheStore | DistributedLock, E, R>
}

/**
 * The service tag of the faults.
 *
 * @since 0.1.0
 * @category service tags
 */
export const Faults: Context.Tag<Faults, Faults> = Context.GenericTag("effect-prisma-cache/testing/Faults")

interface Rule<A> {
  readonly fault: Fault<A>
  readonly healed: Deferred.Deferred<void>
  left: number
}

/** What one operation is to suffer. */
interface Rules<A> {
  readonly every: (fault: Fault<A>) => void
  readonly next: (fault: Fault<A>, times: number) => void
  /** The rule that the next one falls under, which is used up by that. */
  readonly strike: () => Rule<A> | undefined
  readonly heal: Effect.Effect<void>
  readonly struck: () => number
}

const makeRules = <A>(): Rules<A> => {
  let next: Array<Rule<A>> = []
  let every: Rule<A> | undefined
  let struck = 0
  /** Those that something may still wait for. */
  const met = new Set<Rule<A>>()
  const ruleOf = (fault: Fault<A>, left: number): Rule<A> => ({
    fault,
    left,
    healed: Deferred.unsafeMake(FiberId.none)
  })
  return {
    every: (fault) => {
      every = ruleOf(fault, Infinity)
    },
    next: (fault, times) => {
      if (times > 0) next.push(ruleOf(fault, times))
    },
    strike: () => {
      const rule = next[0] ?? every
      if (rule === undefined) return undefined
      struck++
      met.add(rule)
      if (--rule.left === 0) next.shift()
      return rule
    },
    heal: Effect.suspend(() => {
      const healing = Array.from(met)
      met.clear()
      next = []
      every = undefined
      return Effect.forEach(healing, ({ healed }) => Deferred.succeed(healed, undefined), { discard: true })
    }),
    struck: () => struck
  }
}

/** Nothing is wrong yet, until a test says so. */
const makeAllRules = (): { readonly [O in Operation]: Rules<Answers[O]> } => ({
  lookup: makeRules(),
  obtain: makeRules(),
  replace: makeRules(),
  remove: makeRules(),
  invalidate: makeRules(),
  begin: makeRules(),
  end: makeRules(),
  acquire: makeRules(),
  extend: makeRules(),
  release: makeRules(),
  news: makeRules()
})

const untilHealed = <A>(rule: Rule<A>): Effect.Effect<void> => Deferred.await(rule.healed)

const stallOf = <A>(rule: Rule<A>, duration: Duration.DurationInput | undefined): Effect.Effect<void> =>
  duration === undefined ? untilHealed(rule) : Effect.raceFirst(Effect.sleep(duration), untilHealed(rule))

const suffer = <A>(
  operation: Operation,
  rule: Rule<A>,
  run: Effect.Effect<A, CacheError>,
  scope: Scope.Scope
): Effect.Effect<A, CacheError> => {
  const { fault } = rule
  const error = (reason: Reason, code?: string) => Effect.fail(new CacheError({ reason, operation, code }))
  switch (fault._tag) {
    case "Fail":
      return error(fault.reason, fault.code)
    case "Stall":
      return Effect.zipRight(stallOf(rule, fault.duration), run).pipe(
        // Whoever asked may leave, and may not be interruptible: neither holds for what the server has received.
        Effect.interruptible,
        Effect.forkIn(scope),
        Effect.flatMap(Fiber.join)
      )
    case "Lie":
      return Effect.map(run, fault.answer)
    case "Pretend":
      return Effect.succeed(fault.answer)
    case "LoseAnswer":
      return Effect.zipRight(
        Effect.exit(run),
        fault.reason === undefined
          ? Effect.zipRight(untilHealed(rule), error("Timeout"))
          : error(fault.reason, fault.code)
      )
    case "Duplicate":
      return Effect.zipRight(run, run)
  }
}

/** Hands on a message as the rule has it. */
const pass = (
  rule: Rule<News> | undefined,
  news: News,
  to: Queue.Enqueue<News>
): Effect.Effect<void, never, Scope.Scope> => {
  switch (rule?.fault._tag) {
    case undefined:
      return Queue.offer(to, news)
    case "Fail":
    case "LoseAnswer":
      return Effect.void
    case "Stall":
      return stallOf(rule, rule.fault.duration).pipe(
        Effect.zipRight(Queue.offer(to, news)),
        Effect.forkScoped,
        Effect.asVoid
      )
    case "Lie":
      return Queue.offer(to, rule.fault.answer(news))
    case "Pretend":
      return Queue.offer(to, rule.fault.answer)
    case "Duplicate":
      return Queue.offerAll(to, [news, news])
  }
}

/**
 * No faults yet, to be put around services with `around`. For those who do not use layers: each of its effects can be
 * run with `Effect.runSync`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Faults => {
  const rules = makeAllRules()
  const isList = <A extends string>(given: A | ReadonlyArray<A>): given is ReadonlyArray<A> => typeof given !== "string"
  const listOf = <A extends string>(given: A | ReadonlyArray<A>): ReadonlyArray<A> => isList(given) ? given : [given]

  return {
    [TypeId]: TypeId,
    every: <O extends Operation>(given: O | ReadonlyArray<O>, fault: Fault<Answers[O]>) =>
      Effect.sync(() => listOf(given).forEach((operation) => rules[operation].every(fault))),
    next: <O extends Operation>(given: O | ReadonlyArray<O>, fault: Fault<Answers[O]>, times = 1) =>
      Effect.sync(() => listOf(given).forEach((operation) => rules[operation].next(fault, times))),
    heal: (given = operations) =>
      Effect.forEach(listOf(given), (operation) => rules[operation].heal, { discard: true }),
    struck: (operation) => Effect.sync(() => rules[operation].struck()),
    around: (services) =>
      Layer.scopedContext(Effect.gen(function*() {
        const scope = yield* Effect.scope
        const store = yield* CacheStore
        const lock = yield* DistributedLock

        const act = <O extends Operation>(
          operation: O,
          run: Effect.Effect<Answers[O], CacheError>
        ): Effect.Effect<Answers[O], CacheError> =>
          Effect.suspend(() => {
            const rule = rules[operation].strike()
            return rule === undefined ? run : suffer(operation, rule, run, scope)
          })

        const faultyStore: CacheStore = {
          ...store,
          lookup: (entry, tags) => act("lookup", store.lookup(entry, tags)),
          obtain: (tags, ttlMillis, probationMillis) => act("obtain", store.obtain(tags, ttlMillis, probationMillis)),
          replace: (entry, bytes, ttlMillis, seen, until) =>
            act("replace", store.replace(entry, bytes, ttlMillis, seen, until)),
          remove: (entry, seen) => act("remove", store.remove(entry, seen)),
          invalidate: (steps, ttlMillis) => act("invalidate", store.invalidate(steps, ttlMillis)),
          begin: (tags, token, ttlMillis) => act("begin", store.begin(tags, token, ttlMillis)),
          end: (tags, token, committed, ttlMillis) => act("end", store.end(tags, token, committed, ttlMillis))
        }
        const faultyLock: DistributedLock = {
          ...lock,
          acquire: (name, token, ttlMillis) => act("acquire", lock.acquire(name, token, ttlMillis)),
          extend: (name, token, ttlMillis) => act("extend", lock.extend(name, token, ttlMillis)),
          release: (name, token, news) => act("release", lock.release(name, token, news)),
          news: (name) =>
            Effect.gen(function*() {
              const spoken = yield* lock.news(name)
              const heard = yield* Effect.acquireRelease(Queue.unbounded<News>(), Queue.shutdown)
              yield* Queue.take(spoken).pipe(
                Effect.flatMap((news) => pass(rules.news.strike(), news, heard)),
                Effect.forever,
                Effect.interruptible,
                Effect.forkScoped
              )
              return heard
            })
        }
        return Context.make(CacheStore, faultyStore).pipe(Context.add(DistributedLock, faultyLock))
      })).pipe(Layer.provide(services))
  }
}

/**
 * The services, and the faults that they have.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E, R>(
  services: Layer.Layer<CacheStore | DistributedLock, E, R>
): Layer.Layer<CacheStore | DistributedLock | Faults, E, R> =>
  Layer.unwrapEffect(Effect.sync(() => {
    const faults = make()
    return Layer.merge(faults.around(services), Layer.succeed(Faults, faults))
  }))
