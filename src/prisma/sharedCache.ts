/**
 * The cache behind a plain Prisma client: made when the first query needs it, shared by every client that was given
 * the same extension, closed when the last of them leaves, and made again by whoever comes back.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as QueryCache from "../QueryCache.js"

/** @internal */
export interface SharedCache {
  /**
   * Runs what `body` makes of the cache, for a client that is a member from now on. When the cache cannot be made it
   * gets none. Rejects with the effect's own error object.
   */
  readonly run: <A, E>(
    member: object,
    body: (cache: QueryCache.QueryCache | undefined) => Effect.Effect<A, E>
  ) => Promise<A>
  /** A read, for a client that is a member from now on; `direct` where the cache cannot be made. */
  readonly answer: <A, E>(
    member: object,
    request: QueryCache.Request<A>,
    load: () => Effect.Effect<A, E>,
    direct: () => Effect.Effect<QueryCache.Answer<A>, E>
  ) => Promise<QueryCache.Answer<A>>
  /** The cache and its runtime, if it is open, for a client that is a member from now on. */
  readonly enter: (member: object) => Entered | undefined
  /** The cache, if it is open. */
  readonly peek: () => QueryCache.QueryCache | undefined
  /** What was counted, in caches that are closed as well. */
  readonly stats: () => QueryCache.Stats
  /** One member leaves; the last one closes the cache. */
  readonly leave: (member: object) => Promise<void>
  /** Closes the cache for all members. */
  readonly close: () => Promise<void>
}

/**
 * A cache, and what runs effects beside it, whether it is still open or not.
 *
 * @internal
 */
export interface Entered {
  readonly cache: QueryCache.QueryCache
  /** Rejects with the effect's own error object. */
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
}

/** @internal */
export const entered = (cache: QueryCache.QueryCache, runtime: Runtime.Runtime<never>): Entered => ({
  cache,
  run: (effect) => runIn(runtime, effect)
})

const runIn = <A, E>(runtime: Runtime.Runtime<never>, effect: Effect.Effect<A, E>): Promise<A> =>
  new Promise((resolve, reject) => {
    Runtime.runCallback(runtime)(effect, {
      onExit: (exit) => Exit.isSuccess(exit) ? resolve(exit.value) : reject(Cause.squash(exit.cause))
    })
  })

interface Open extends Entered {
  readonly scope: Scope.CloseableScope
}

/** Where there is no cache. */
const runAlone: Entered["run"] = (effect) => runIn(Runtime.defaultRuntime, effect)

/**
 * The answer to a read: a hit takes no fiber.
 *
 * @internal
 */
export const answerNow = <A, E>(
  { cache, run }: Entered,
  request: QueryCache.Request<A>,
  load: () => Effect.Effect<A, E>
): Promise<QueryCache.Answer<A>> =>
  new Promise((resolve) =>
    cache.unsafeAnswer(request, {
      hit: resolve,
      otherwise: (rest) => resolve(run(Effect.suspend(() => rest(load()))))
    })
  )

/** A layer that could not be built is tried again after this time at the earliest. */
const retryAfterMillis = 1_000

/** @internal */
export const makeSharedCache = (
  layer: Layer.Layer<QueryCache.QueryCache, unknown>,
  onFailure: (error: unknown) => void
): SharedCache => {
  const members = new Set<object>()
  const counting = new Set<QueryCache.QueryCache>()
  let counted: QueryCache.Stats = { hits: 0, stale: 0, misses: 0, joined: 0, fills: 0, invalidations: 0, errors: 0 }
  let open: Open | undefined
  let opening: Promise<Open | undefined> | undefined
  let closing: Promise<void> = Promise.resolve()

  const make = Effect.gen(function*() {
    const scope = yield* Scope.make()
    const runtime = yield* Layer.toRuntime(layer).pipe(
      Scope.extend(scope),
      Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
    )
    return { ...entered(Context.get(runtime.context, QueryCache.QueryCache), runtime), scope }
  })

  const start = async (): Promise<Open | undefined> => {
    await closing
    const exit = await Effect.runPromiseExit(make)
    if (Exit.isSuccess(exit)) {
      open = exit.value
      counting.add(open.cache)
      opening = undefined
      return open
    }
    onFailure(Cause.squash(exit.cause))
    Effect.runFork(Effect.delay(Effect.sync(() => (opening = undefined)), retryAfterMillis))
    return undefined
  }

  const run: SharedCache["run"] = async (member, body) => {
    members.add(member)
    const ready = open ?? await (opening ??= start())
    return (ready?.run ?? runAlone)(Effect.suspend(() => body(ready?.cache)))
  }

  const answer: SharedCache["answer"] = (member, request, load, direct) => {
    if (open === undefined) {
      return run(member, (cache) => cache === undefined ? direct() : cache.answer(request, load()))
    }
    members.add(member)
    return answerNow(open, request, load)
  }

  const close = () => {
    members.clear()
    const ready = open
    const starting = opening
    open = undefined
    opening = undefined
    closing = Promise.all([closing, ready ?? starting]).then(([, made]) => {
      if (open === made) open = undefined
      return made === undefined ? undefined : Effect.runPromise(Scope.close(made.scope, Exit.void)).finally(() => {
        counting.delete(made.cache)
        counted = sum(counted, Effect.runSync(made.cache.stats))
      })
    })
    return closing
  }

  return {
    run,
    answer,
    enter: (member) => {
      if (open === undefined) return undefined
      members.add(member)
      return open
    },
    peek: () => open?.cache,
    stats: () => Array.from(counting).reduce((total, cache) => sum(total, Effect.runSync(cache.stats)), counted),
    leave: (member) => members.delete(member) && members.size === 0 ? close() : Promise.resolve(),
    close
  }
}

const sum = (one: QueryCache.Stats, other: QueryCache.Stats): QueryCache.Stats => ({
  hits: one.hits + other.hits,
  stale: one.stale + other.stale,
  misses: one.misses + other.misses,
  joined: one.joined + other.joined,
  fills: one.fills + other.fills,
  invalidations: one.invalidations + other.invalidations,
  errors: one.errors + other.errors
})
