/**
 * Where an answer came from, as `.withCacheInfo()` reports it.
 *
 * @module
 * @since 0.1.0
 */

/**
 * How a query was answered:
 *
 * - `"hit"`: from the cache
 * - `"stale"`: from the cache, expired: within `swr`, while it is queried anew in the background, or within
 *   `staleIfError`, after the query had failed
 * - `"miss"`: queried by this call
 * - `"joined"`: queried by another caller of the same flight, and shared with this one
 * - `"refreshed"`: queried by this call because it forced a refresh
 * - `"bypass"`: queried without the cache: the call asked for that, ran inside a transaction, or the cache could not
 *   be used
 * - `"off"`: queried without the cache, because neither the call nor the defaults gave a strategy
 *
 * @since 0.1.0
 * @category models
 */
export type CacheStatus = "hit" | "stale" | "miss" | "joined" | "refreshed" | "bypass" | "off"

/**
 * What is known of the way one query was answered. It holds names and durations only, never arguments or rows of the
 * query.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheInfo {
  /** How the query was answered. */
  readonly status: CacheStatus
  /**
   * Where a `hit` was found: in the `memory` tier of this process, or in the `store` that it shares with others.
   * `undefined` for all else.
   */
  readonly source: "memory" | "store" | undefined
  /** The name of the entry: the caller's custom key, else the digest. `undefined` when no entry was looked for. */
  readonly key: string | undefined
  /** The cache tags of the entry, the caller's and the derived ones. Empty when no entry was looked for. */
  readonly tags: ReadonlyArray<string>
  /**
   * When the database gave the answer, in milliseconds since 1970, by the clock of the process that asked it. `undefined`
   * when the cache was left alone.
   */
  readonly createdAt: number | undefined
  /** How long ago the answer was queried, in milliseconds. `undefined` when the answer is in no cache. */
  readonly age: number | undefined
  /** How long the answer stays fresh, in milliseconds; 0 when it is expired. `undefined` when the answer is in no cache. */
  readonly ttl: number | undefined
}
