/**
 * The cache over HTTP, ready to be provided: for runtimes without TCP, over a server that speaks Upstash's REST
 * protocol. Names, entries and scripts are those of `ValkeyCache`, so that both may share a server and a namespace.
 *
 * Nobody can listen over HTTP. Who waits for another process's query looks again and again, with pauses drawn by chance.
 *
 * @module
 * @since 0.1.0
 */
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { CacheOptionsError } from "./CacheError.js"
import type { CacheStore } from "./CacheStore.js"
import * as MemoryLock from "./DistributedLock/Memory.js"
import type { DistributedLock } from "./DistributedLock.js"
import * as Http from "./http/connection.js"
import * as HttpOptions from "./http/options.js"
import * as QueryCache from "./QueryCache.js"
import { layerExact } from "./Serializer.js"
import type { Serializer } from "./Serializer.js"

/**
 * Where the server is that speaks Upstash's REST protocol, and how it is spoken to.
 *
 * @since 0.1.0
 * @category models
 */
export type ConnectionOptions = HttpOptions.ConnectionOptions

/**
 * Options of the policy over HTTP.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheOptions extends Omit<QueryCache.Options, "lock"> {
  /** How the processes of a fleet share out their queries, in milliseconds; `false`: not at all. */
  readonly lock?: QueryCache.LockOptions | false | undefined
}

/**
 * Options of the connection and of the policy.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends CacheOptions, ConnectionOptions {}

/**
 * What the layers of this module provide: the cache, and the services that it is made of.
 *
 * @since 0.1.0
 * @category models
 */
export type Services = QueryCache.QueryCache | CacheStore | DistributedLock | Serializer

/**
 * The store and the lock without the policy: what the Prisma extension takes as its `cache`. Building it sends nothing.
 * Fails if the options cannot be used.
 *
 * @example
 * ```ts
 * import { HttpCache } from "effect-prisma-cache/edge"
 *
 * const cache = HttpCache.layerServices({ url: "https://cache.example.com", token: "secret" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerServices = (
  options: ConnectionOptions = {}
): Layer.Layer<CacheStore | DistributedLock, CacheOptionsError> => Http.layer(options)

/**
 * The cache over HTTP. Building it sends nothing: without a server, every read asks the database.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options = {}): Layer.Layer<Services, CacheOptionsError> => over(options)

/**
 * The same with options that are read from Effect's `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Options>
): Layer.Layer<Services, ConfigError.ConfigError | CacheOptionsError> =>
  Layer.unwrapEffect(Effect.map(Config.unwrap(options), layer))

/**
 * The cache over an `HttpClient` of yours, which may log, trace, retry or sign what is sent.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromClient = (
  client: HttpClient.HttpClient,
  options: Omit<Options, "fetch"> = {}
): Layer.Layer<Services, CacheOptionsError> => over(options, client)

/**
 * The cache as the environment describes it: `UPSTASH_REDIS_REST_URL`, `UPSTASH_REDIS_REST_TOKEN`, and
 * `CACHE_NAMESPACE` if it is set.
 *
 * @since 0.1.0
 * @category layers
 */
export const live: Layer.Layer<Services, ConfigError.ConfigError | CacheOptionsError> = Layer.unwrapEffect(
  Effect.map(
    Config.all({
      url: Config.string("UPSTASH_REDIS_REST_URL"),
      token: Config.redacted("UPSTASH_REDIS_REST_TOKEN"),
      namespace: Config.option(Config.nonEmptyString("CACHE_NAMESPACE"))
    }),
    ({ namespace, token, url }) => layer({ url, token, namespace: Option.getOrUndefined(namespace) })
  )
)

const over = (options: Options, client?: HttpClient.HttpClient): Layer.Layer<Services, CacheOptionsError> => {
  const { connection, rest: { lock, ...policy } } = HttpOptions.takeConnection(options)
  const given = Http.layer(connection, client)
  const services = lock === false ? Layer.merge(given, MemoryLock.layerNoop) : given
  const budget = policy.budget ?? HttpOptions.budgetMillis
  return QueryCache.layer({ ...policy, budget, ...(lock ? { lock } : {}) }).pipe(
    Layer.provideMerge(Layer.merge(services, layerExact))
  )
}
