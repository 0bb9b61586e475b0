/**
 * The cache on Valkey, ready to be provided.
 *
 * @module
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { CacheOptionsError } from "./CacheError.js"
import type { CacheStore } from "./CacheStore.js"
import * as MemoryLock from "./DistributedLock/Memory.js"
import type { DistributedLock } from "./DistributedLock.js"
import * as QueryCache from "./QueryCache.js"
import { layerExact } from "./Serializer.js"
import type { Serializer } from "./Serializer.js"
import type * as Connecting from "./valkey/connection.js"
import type * as Driver from "./valkey/driver.js"
import type * as Targets from "./valkey/options.js"

/**
 * Options of a connection.
 *
 * @since 0.1.0
 * @category models
 */
export type ConnectionOptions = Driver.ConnectionOptions

/**
 * A connection, as a service.
 *
 * @since 0.1.0
 * @category models
 */
export type ValkeyConnection = Connecting.ValkeyConnection

/**
 * A client of iovalkey or ioredis, by its shape.
 *
 * @since 0.1.0
 * @category models
 */
export type ClientLike = Targets.ClientLike

/**
 * A cluster, by some of its nodes.
 *
 * @since 0.1.0
 * @category models
 */
export type ClusterConnection = Targets.ClusterConnection

/**
 * Where Valkey is.
 *
 * @since 0.1.0
 * @category models
 */
export type Connection = Targets.Connection

/**
 * Options of the policy over Valkey.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheOptions extends Omit<QueryCache.Options, "lock"> {
  /** How the processes of a fleet share out their queries, in milliseconds; `false`: not at all. */
  readonly lock?: QueryCache.LockOptions | false | undefined
}

/**
 * Where Valkey is, and the options of the connection and of the policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends CacheOptions, ConnectionOptions {
  readonly connection: Connection
}

/**
 * What the layers of this module provide: the cache, and the services that it is made of.
 *
 * @since 0.1.0
 * @category models
 */
export type Services = QueryCache.QueryCache | CacheStore | DistributedLock | Serializer

/**
 * The connection alone, for `CacheStore/Valkey` and `DistributedLock/Valkey` by themselves. Building it does not wait
 * for the connection. Fails if the options cannot be used.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConnection = (
  connection: Connection,
  options?: ConnectionOptions
): Layer.Layer<ValkeyConnection, CacheOptionsError> =>
  Layer.unwrapEffect(
    Effect.map(Effect.promise(() => import("./valkey/driver.js")), ({ layer }) => layer(connection, options))
  )

/**
 * The store and the lock without the policy: what the Prisma extension takes as its `cache`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices = (
  connection: Connection,
  options?: ConnectionOptions
): Layer.Layer<CacheStore | DistributedLock, CacheOptionsError> =>
  Layer.unwrapEffect(
    Effect.map(Effect.promise(() => import("./valkey/services.js")), ({ layer }) => layer(connection, options))
  )

/**
 * The cache over a connection that is opened and closed with the layer. Building it does not wait for the connection:
 * without a server, every read asks the database.
 *
 * @example
 * ```ts
 * import { ValkeyCache } from "effect-prisma-cache"
 *
 * const CacheLive = ValkeyCache.layer({ connection: "valkey://localhost:6379", namespace: "shop" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<Services, CacheOptionsError> => {
  const { commandTimeout, connection, lock, ...policy } = options
  const given = layerServices(connection, { commandTimeout })
  const services = lock === false ? Layer.merge(given, MemoryLock.layerNoop) : given
  return QueryCache.layer({ ...policy, ...(lock ? { lock } : {}) }).pipe(
    Layer.provideMerge(Layer.merge(services, layerExact))
  )
}

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import { ValkeyCache } from "effect-prisma-cache"
 *
 * const CacheLive = ValkeyCache.layerConfig({
 *   connection: Config.redacted("CACHE_URL"),
 *   namespace: Config.succeed("shop")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Services, ConfigError.ConfigError | CacheOptionsError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * The cache over a client of yours, iovalkey or ioredis, `Redis` or `Cluster`. It is used and never closed; for the
 * messages that locks send, a second connection is opened beside it, and closed with the layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromClient = (
  client: ClientLike,
  options: CacheOptions & ConnectionOptions = {}
): Layer.Layer<Services, CacheOptionsError> => layer({ ...options, connection: client })

/**
 * The cache as the environment describes it: `VALKEY_URL`, and `CACHE_NAMESPACE` if it is set.
 *
 * @since 0.1.0
 * @category layers
 */
export const live: Layer.Layer<Services, ConfigError.ConfigError | CacheOptionsError> = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      connection: Config.redacted("VALKEY_URL"),
      namespace: Config.option(Config.nonEmptyString("CACHE_NAMESPACE"))
    }),
    ({ connection, namespace }) => layer({ connection, namespace: Option.getOrUndefined(namespace) })
  )
)
