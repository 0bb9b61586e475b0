/**
 * The cache in the memory of one process, ready to be provided. It reads Effect's `Clock`: in a test,
 * `TestClock.adjust` makes entries expire.
 *
 * @module
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as MemoryStore from "./CacheStore/Memory.js"
import type { CacheStore } from "./CacheStore.js"
import * as MemoryLock from "./DistributedLock/Memory.js"
import type { DistributedLock } from "./DistributedLock.js"
import * as QueryCache from "./QueryCache.js"
import { layerExact } from "./Serializer.js"
import type { Serializer } from "./Serializer.js"

/**
 * Bounds of the memory, and the options of the policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends QueryCache.Options, MemoryStore.Options {}

/**
 * What the layers of this module provide: the cache, and the services that it is made of.
 *
 * @since 0.1.0
 * @category models
 */
export type Services = QueryCache.QueryCache | CacheStore | DistributedLock | Serializer

/**
 * The store and the lock without the policy: what the Prisma extension takes as its `cache`. Empty; caches that share
 * what this layer builds share their entries.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices = (options?: MemoryStore.Options): Layer.Layer<CacheStore | DistributedLock> =>
  Layer.merge(MemoryStore.layer(options), MemoryLock.layer)

/**
 * A cache in memory, empty.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Services> => {
  const { maxBytes, maxEntries, maxTags, ...policy } = options
  return QueryCache.layer(policy).pipe(
    Layer.provideMerge(Layer.mergeAll(
      MemoryStore.layer({ maxBytes, maxEntries, maxTags }),
      // Nobody else shares this memory: the flights of the one cache over it are all the lock it needs.
      MemoryLock.layerNoop,
      layerExact
    ))
  )
}

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (options: Config.Config.Wrap<Options>): Layer.Layer<Services, ConfigError.ConfigError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * A cache in memory with every default.
 *
 * @since 0.1.0
 * @category layers
 */
export const live: Layer.Layer<Services> = layer()
