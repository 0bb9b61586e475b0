/**
 * Caches for tests.
 *
 * @module
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CacheStore, make as makeStore } from "../CacheStore.js"
import type { DistributedLock } from "../DistributedLock.js"
import * as MemoryLock from "../DistributedLock/Memory.js"
import * as MemoryCache from "../MemoryCache.js"
import * as QueryCache from "../QueryCache.js"
import { layerExact } from "../Serializer.js"
import * as EventLog from "./EventLog.js"
import * as Faults from "./Faults.js"

/**
 * What `layer` provides: a cache with the services that it is made of, what it told, and its faults.
 *
 * @since 0.1.0
 * @category models
 */
export type Services = MemoryCache.Services | EventLog.EventLog | Faults.Faults

/**
 * A cache in memory, empty, as it works in production: it reads Effect's `Clock`, so that `TestClock.adjust` makes its
 * entries expire. What happens in it is in the `EventLog`, and nothing is wrong with it until the test asks `Faults`
 * for that. When the layer is closed all faults are healed first.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: MemoryCache.Options = {}): Layer.Layer<Services> => {
  const { maxBytes, maxEntries, maxTags, onEvent, ...policy } = options
  const services = Layer.mergeAll(
    Faults.layer(MemoryCache.layerServices({ maxBytes, maxEntries, maxTags })),
    EventLog.layer,
    layerExact
  )
  const cache = Layer.unwrapEffect(Effect.map(EventLog.EventLog, (log) =>
    QueryCache.layer({
      ...policy,
      onEvent: (event) => {
        log.onEvent(event)
        onEvent?.(event)
      }
    })))
  // Built last and so closed first: a cache that is being closed waits for what is under way.
  const healing = Layer.scopedDiscard(
    Effect.flatMap(Faults.Faults, (faults) => Effect.addFinalizer(() => faults.heal()))
  )
  return healing.pipe(Layer.provideMerge(cache), Layer.provideMerge(services))
}

/**
 * Waits until the cache has nothing under way. An answer is there before it is stored: a test that is going to look for
 * it in the cache waits for that.
 *
 * @since 0.1.0
 * @category accessors
 */
export const settled: Effect.Effect<void, never, QueryCache.QueryCache> = Effect.flatMap(
  QueryCache.QueryCache,
  ({ activity }) =>
    Effect.asVoid(Effect.repeat(Effect.yieldNow(), { until: () => Effect.map(activity, ({ flights }) => flights === 0) }))
)

/**
 * A cache that never caches: every read runs its effect, every write runs, every invalidation succeeds.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNever = (options?: QueryCache.Options): Layer.Layer<QueryCache.QueryCache> =>
  Layer.effect(
    QueryCache.QueryCache,
    Effect.map(QueryCache.QueryCache, (cache): QueryCache.QueryCache => {
      // What is kept for no time is neither looked for nor shared.
      const unkept = <A>(request: QueryCache.Request<A>) => ({ ...request, strategy: { ttl: 0 } })
      return {
        ...cache,
        fetch: (request, load) => cache.fetch(unkept(request), load),
        answer: (request, load) => cache.answer(unkept(request), load)
      }
    })
  ).pipe(
    Layer.provide(QueryCache.layer(options)),
    Layer.provide(Layer.merge(layerServicesNever, layerExact))
  )

/**
 * A store that keeps nothing, and a lock that everybody gets: what the Prisma extension takes as its `cache`. Every
 * read runs its query; those of the same query at the same time may share one.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServicesNever: Layer.Layer<CacheStore | DistributedLock> = Layer.merge(
  Layer.sync(CacheStore, () =>
    makeStore({
      lookup: (_, tags) => Effect.succeed({ entry: null, states: tags.map(() => null) }),
      obtain: (tags) => Effect.succeed(tags.map(() => null)),
      replace: () => Effect.succeed(false),
      remove: () => Effect.void,
      invalidate: (steps) => Effect.succeed(steps.map(() => false)),
      begin: () => Effect.void,
      end: (tags) => Effect.succeed(tags.map(() => false))
    })),
  MemoryLock.layerNoop
)
