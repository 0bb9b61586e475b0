/**
 * What a read returns: Prisma's promise, and a way to ask where the answer came from.
 *
 * @since 0.1.0
 */
import type * as Runtime from "@prisma/client/runtime/client"
import type { CacheInfo } from "../../CacheInfo.js"

/**
 * Prisma's lazy promise: nothing is sent before it is awaited, and `$transaction([...])` accepts it.
 *
 * @since 0.1.0
 * @category models
 */
export type PrismaPromise<Result> = Runtime.Types.Public.PrismaPromise<Result>

/**
 * An answer together with where it came from.
 *
 * @since 0.1.0
 * @category models
 */
export interface WithCacheInfo<Result> {
  /** What the query resolves to. */
  readonly data: Result
  /** Where it came from. */
  readonly info: CacheInfo
}

/**
 * Where an answer came from, as Prisma Accelerate says it.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccelerateInfo {
  /**
   * - `"ttl"`: from the cache, fresh
   * - `"swr"`: from the cache, expired, and queried anew in the background or after the query had failed
   * - `"miss"`: from the database, by this call or one that it shared the query of
   * - `"none"`: from the database, with no caching asked for, or inside a transaction
   */
  readonly cacheStatus: "ttl" | "swr" | "miss" | "none"
  /** When the database gave the answer, by the clock of the process that asked it. */
  readonly lastModified: Date
  /** What the option `region` says: `"local"` where nobody said anything. */
  readonly region: string
  /** A name that no other call has: a random UUID. */
  readonly requestId: string
  /** What tells the query from every other: the SHA-256 that its entry is found by, in base64url. Empty where there is none. */
  readonly signature: string
}

/**
 * An answer together with where it came from, as Prisma Accelerate says it.
 *
 * @since 0.1.0
 * @category models
 */
export interface WithAccelerateInfo<Result> {
  /** What the query resolves to. */
  readonly data: Result
  /** Where it came from. */
  readonly info: AccelerateInfo
}

/**
 * The promise of a read through the cache.
 *
 * @since 0.1.0
 * @category models
 */
export interface CachePromise<Result> extends PrismaPromise<Result> {
  /**
   * Runs the query and resolves to its answer together with where that came from. Rejects as the query itself would.
   */
  withCacheInfo(): PrismaPromise<WithCacheInfo<Result>>
  /** The same in Prisma Accelerate's words. */
  withAccelerateInfo(): PrismaPromise<WithAccelerateInfo<Result>>
}
