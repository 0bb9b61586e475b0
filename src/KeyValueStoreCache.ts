/**
 * The cache over the `KeyValueStore` of `@effect/platform`, ready to be provided: files, memory, the storage of a
 * browser. It is *best effort*: within one process all is as it is on Valkey under `consistency: "after-commit"`;
 * between processes nothing is atomic, and queries are not shared out.
 *
 * @module
 * @since 0.1.0
 */
import * as KeyValueStore from "@effect/platform/KeyValueStore"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CacheOptionsError } from "./CacheError.js"
import * as Store from "./CacheStore/KeyValueStore.js"
import type { CacheStore } from "./CacheStore.js"
import { DistributedLock } from "./DistributedLock.js"
import { lockOf } from "./internal/bestEffort.js"
import { beyondLevel } from "./internal/level.js"
import * as QueryCache from "./QueryCache.js"
import { layerExact } from "./Serializer.js"
import type { Serializer } from "./Serializer.js"

/**
 * Options of the policy over a best effort store, where a write can be known to the store only after commit.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends Omit<QueryCache.Options, "consistency"> {
  /** There is nothing else. */
  readonly consistency?: "after-commit" | undefined
}

/**
 * What the layers of this module provide: the cache, and the services that it is made of.
 *
 * @since 0.1.0
 * @category models
 */
export type Services = QueryCache.QueryCache | CacheStore | DistributedLock | Serializer

/**
 * The store and the lock without the policy: what the Prisma extension takes as its `cache`. The lock is one among all
 * who use this `KeyValueStore` in this process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices: Layer.Layer<CacheStore | DistributedLock, never, KeyValueStore.KeyValueStore> = Layer.merge(
  Store.layer,
  Layer.effect(DistributedLock, Effect.map(KeyValueStore.KeyValueStore, lockOf))
)

/**
 * The cache over the `KeyValueStore` below. Fails if the options cannot be used.
 *
 * @example
 * ```ts
 * import * as KeyValueStore from "@effect/platform/KeyValueStore"
 * import * as Layer from "effect/Layer"
 * import * as KeyValueStoreCache from "effect-prisma-cache/KeyValueStoreCache"
 *
 * const CacheLive = KeyValueStoreCache.layer({ namespace: "shop" }).pipe(Layer.provide(KeyValueStore.layerMemory))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<Services, CacheOptionsError, KeyValueStore.KeyValueStore> => {
  const problem = beyondLevel("KeyValueStoreCache.layer", options, { level: "bestEffort" })
  return problem === undefined
    ? QueryCache.layer(options).pipe(Layer.provideMerge(Layer.merge(layerServices, layerExact)))
    : Layer.fail(problem)
}

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Services, ConfigError.ConfigError | CacheOptionsError, KeyValueStore.KeyValueStore> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))
