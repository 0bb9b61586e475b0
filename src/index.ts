/**
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
export * as CacheMetrics from "./CacheMetrics.js"

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
export * as EffectPrisma from "./EffectPrisma.js"

/**
 * @since 0.1.0
 */
export * as KeyvCache from "./KeyvCache.js"

/**
 * @since 0.1.0
 */
export * as MemoryCache from "./MemoryCache.js"

/**
 * @since 0.1.0
 */
export * as PrismaCache from "./PrismaCache.js"

/**
 * @since 0.1.0
 */
export * as QueryCache from "./QueryCache.js"

/**
 * @since 0.1.0
 */
export * as Serializer from "./Serializer.js"

/**
 * @since 0.1.0
 */
export * as ValkeyCache from "./ValkeyCache.js"

export {
  /**
   * The cache in this process's memory, with every default.
   *
   * @since 0.1.0
   */
  live as MemoryCacheLive
} from "./MemoryCache.js"

export {
  /**
   * The Prisma extension for applications without Effect.
   *
   * @since 0.1.0
   */
  prismaCache,
  /**
   * The Prisma extension, by its other name.
   *
   * @since 0.1.0
   */
  prismaCache as default,
  /**
   * The Prisma extension for those who come from Prisma Accelerate.
   *
   * @since 0.1.0
   */
  withAccelerate
} from "./PrismaCache.js"

export {
  /**
   * The cache on Valkey, read from the environment: `VALKEY_URL`.
   *
   * @since 0.1.0
   */
  live as ValkeyCacheLive
} from "./ValkeyCache.js"

// Flat, so that the compiler finds names for them in the declarations of programs that export an extended client.
export type * from "./prisma/types/index.js"
