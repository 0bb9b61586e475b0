/**
 * The cache over any Keyv store, ready to be provided. It is *best effort*: within one process all is as it is on Valkey
 * under `consistency: "after-commit"`; between processes nothing is atomic, queries are not shared out, and what the
 * store does not deliver is not known.
 *
 * @module
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { CacheOptionsError } from "./CacheError.js"
import * as KeyvStore from "./CacheStore/Keyv.js"
import type { CacheStore } from "./CacheStore.js"
import { DistributedLock } from "./DistributedLock.js"
import { lockOf } from "./internal/bestEffort.js"
import { beyondLevel } from "./internal/level.js"
import * as QueryCache from "./QueryCache.js"
import { layerExact } from "./Serializer.js"
import type { Serializer } from "./Serializer.js"

/**
 * A Keyv, or a store made for Keyv, by its shape.
 *
 * @since 0.1.0
 * @category models
 */
export type KeyvLike = KeyvStore.KeyvLike

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
 * who use this Keyv in this process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices = (keyv: KeyvLike): Layer.Layer<CacheStore | DistributedLock> =>
  Layer.merge(KeyvStore.layer(keyv), Layer.sync(DistributedLock, () => lockOf(keyv)))

/**
 * The cache over a Keyv of yours, which is used and never closed. Fails if the options cannot be used.
 *
 * @example
 * ```ts
 * import Keyv from "keyv"
 * import { KeyvCache } from "effect-prisma-cache"
 *
 * const CacheLive = KeyvCache.layer(new Keyv(), { namespace: "shop" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (keyv: KeyvLike, options: Options = {}): Layer.Layer<Services, CacheOptionsError> => {
  const problem = beyondLevel("KeyvCache.layer", options, { level: "bestEffort" })
  return problem === undefined
    ? QueryCache.layer(options).pipe(Layer.provideMerge(Layer.merge(layerServices(keyv), layerExact)))
    : Layer.fail(problem)
}

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import Keyv from "keyv"
 * import { KeyvCache } from "effect-prisma-cache"
 *
 * const CacheLive = KeyvCache.layerConfig(new Keyv(), { namespace: Config.string("CACHE_NAMESPACE") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  keyv: KeyvLike,
  options: Config.Config.Wrap<Options>
): Layer.Layer<Services, ConfigError.ConfigError | CacheOptionsError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), (read) => layer(keyv, read)))
