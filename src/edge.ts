/**
 * The front door where there is no TCP and no module of Node's: edge runtimes, workers, browsers.
 *
 * @module
 * @since 0.1.0
 */

/**
 * @since 0.1.0
 */
export * as CacheEntry from "./CacheEntry.js"

/**
 * @since 0.1.0
 */
export * as CacheError from "./CacheError.js"

/**
 * @since 0.1.0
 */
export * as CacheEvent from "./CacheEvent.js"

/**
 * @since 0.1.0
 */
export * as CacheInfo from "./CacheInfo.js"

/**
 * @since 0.1.0
 */
export * as CacheKey from "./CacheKey.js"

/**
 * @since 0.1.0
 */
export * as CacheStore from "./CacheStore.js"

/**
 * @since 0.1.0
 */
export * as CacheStrategy from "./CacheStrategy.js"

/**
 * @since 0.1.0
 */
export * as DistributedLock from "./DistributedLock.js"

/**
 * @since 0.1.0
 */
export * as HttpCache from "./HttpCache.js"

/**
 * @since 0.1.0
 */
export * as MemoryCache from "./MemoryCache.js"

/**
 * @since 0.1.0
 */
export * as QueryCache from "./QueryCache.js"

/**
 * @since 0.1.0
 */
export * as Serializer from "./Serializer.js"

export {
  /**
   * The cache over HTTP, read from the environment: `UPSTASH_REDIS_REST_URL` and `UPSTASH_REDIS_REST_TOKEN`.
   *
   * @since 0.1.0
   */
  live as HttpCacheLive
} from "./HttpCache.js"

export {
  /**
   * The Prisma extension over HTTP.
   *
   * @since 0.1.0
   */
  prismaCache,
  /**
   * The Prisma extension over HTTP, by its other name.
   *
   * @since 0.1.0
   */
  prismaCache as default,
  /**
   * The Prisma extension over HTTP for those who come from Prisma Accelerate.
   *
   * @since 0.1.0
   */
  withAccelerate
} from "./prisma/edge.js"

export type {
  /**
   * The options of `prismaCache`.
   *
   * @since 0.1.0
   */
  EdgeCacheOptions
} from "./prisma/edge.js"

/**
 * The types of what the extension takes and gives.
 *
 * @since 0.1.0
 */
// In declarations that are bundled, a namespace of types is sound only beside the types themselves: without this line
// the bundler would put those of both front doors into a file of their own.
export type * as PrismaCache from "./PrismaCache.js"

// Flat, so that the compiler finds names for them in the declarations of programs that export an extended client.
export type * from "./prisma/types/index.js"
