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
}
