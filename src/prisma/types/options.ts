/**
 * What a query can say about the cache, beside its own arguments.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * A custom key: a name of the caller's for the rows of a query, with the namespace to find it in.
 *
 * @since 0.1.0
 * @category models
 */
export interface CustomKey {
  /** The name that the rows were cached under. */
  readonly key: string
  /** Default: the namespace of the extension. */
  readonly namespace?: string | undefined
}

/**
 * How one read uses the cache. Everything left out falls back to the extension's `models` and `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadCacheOptions<Result = unknown> {
  /** How long the answer stays fresh. A number is in milliseconds. */
  readonly ttl?: Duration.DurationInput | undefined
  /**
   * How long after that it may be served expired while it is queried anew in the background. A number is in
   * milliseconds. Default: 0, or that of `models` or `defaults` where `ttl` is left out too.
   */
  readonly swr?: Duration.DurationInput | undefined
  /** How long after `ttl` it may be served when the query fails. A number is in milliseconds. Default: as for `swr`. */
  readonly staleIfError?: Duration.DurationInput | undefined
  /**
   * How long the query may take before an answer within `staleIfError` is served in its place; it goes on in the
   * background. A number is in milliseconds. Default: as long as it likes.
   */
  readonly softTimeout?: Duration.DurationInput | undefined
  /**
   * How long the query may take at all before it fails with a `QueryTimeoutError`, or an answer within `staleIfError` is
   * served in its place. The database is not told. A number is in milliseconds. Default: as long as it likes.
   */
  readonly hardTimeout?: Duration.DurationInput | undefined
  /**
   * A name for the rows, or a function that names them by the result. Default: none, the arguments tell entries
   * apart.
   */
  readonly key?: string | ((result: Result) => string) | undefined
  /** Keeps the entry apart from those of other namespaces. Default: the namespace of the extension. */
  readonly namespace?: string | undefined
  /** Names to invalidate the answer by, beside those derived from the query. */
  readonly tags?: ReadonlyArray<string> | undefined
  /** Queries the database although the cache may know the answer, and caches what it says. Default: `false`. */
  readonly refresh?: boolean | undefined
  /** Queries the database and leaves the cache alone. Default: `false`. */
  readonly bypass?: boolean | undefined
}

/**
 * The `cache` option of a read: `true` for the defaults, `false` for none, a number for a ttl in milliseconds, a string
 * for a custom key, or the details. `null` counts as `false`, `undefined` as left out.
 *
 * @since 0.1.0
 * @category models
 */
export type ReadCache<Result = unknown> = boolean | number | string | null | undefined | ReadCacheOptions<Result>

/**
 * How one write stores its result, for later reads of the same custom key.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteCacheOptions<Result = unknown> {
  /** How long the result stays fresh. A number is in milliseconds. */
  readonly ttl?: Duration.DurationInput | undefined
  /** The name to store the result under, or a function that names it by the result. */
  readonly key?: string | ((result: Result) => string) | undefined
  /** The namespace to store the result in. Default: the namespace of the extension. */
  readonly namespace?: string | undefined
}

/**
 * The `cache` option of a write: `true` for the defaults, `false` for none, a number for a ttl in milliseconds, a
 * string for a custom key, or the details. `null` counts as `false`, `undefined` as left out.
 *
 * @since 0.1.0
 * @category models
 */
export type WriteCache<Result = unknown> = boolean | number | string | null | undefined | WriteCacheOptions<Result>

/**
 * The custom keys that a write makes invalid.
 *
 * @since 0.1.0
 * @category models
 */
export type UncacheKeys = string | CustomKey | ReadonlyArray<string | CustomKey> | null | undefined

/**
 * The `uncache` option of a write: the custom keys that it makes invalid, or a function that tells them from its
 * result.
 *
 * @since 0.1.0
 * @category models
 */
export type Uncache<Result = unknown> = UncacheKeys | ((result: Result) => UncacheKeys)

/**
 * How one read uses the cache, as Prisma Accelerate says it. Everything is in seconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheStrategyOptions {
  /** How long the answer stays fresh, in seconds. Default 0. */
  readonly ttl?: number | undefined
  /** How long after that it may be served expired while it is queried anew in the background, in seconds. Default 0. */
  readonly swr?: number | undefined
  /** Names to invalidate the answer by: `$accelerate.invalidate({ tags })`. Default: none. */
  readonly tags?: ReadonlyArray<string> | undefined
}

/**
 * What every read accepts beside its own arguments.
 *
 * @since 0.1.0
 * @category models
 */
export interface ReadOptions<Result = unknown> {
  /** Whether and how this read uses the cache. */
  readonly cache?: ReadCache<Result>
  /** The same in Prisma Accelerate's words, in place of `cache`. */
  readonly cacheStrategy?: CacheStrategyOptions | undefined
}

/**
 * What every write accepts beside its own arguments.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOptions<Result = unknown> {
  /** Whether and how the result of this write is cached. */
  readonly cache?: WriteCache<Result>
  /** The custom keys that this write makes invalid, beside what is derived from the query. */
  readonly uncache?: Uncache<Result>
}
