/**
 * How long an answer may be kept, and what it is known by. Strategies are plain data.
 *
 * @module
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

/**
 * A caching strategy.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheStrategy {
  /** For how long the answer is fresh. A number is milliseconds. */
  readonly ttl: Duration.DurationInput
  /**
   * For how long after that it is served expired while one process of the fleet queries anew in the background:
   * *stale-while-revalidate* of RFC 5861. A number is milliseconds. Default 0.
   */
  readonly swr?: Duration.DurationInput | undefined
  /**
   * For how long after `ttl` it is served when the query fails: *stale-if-error* of RFC 5861. A number is
   * milliseconds. Default 0.
   */
  readonly staleIfError?: Duration.DurationInput | undefined
  /**
   * How long the query may take before an answer within `staleIfError` is served in its place; it then goes on in the
   * background. A number is milliseconds. Default: as long as it likes.
   */
  readonly softTimeout?: Duration.DurationInput | undefined
  /**
   * By how much chance shortens the ttl of an entry at the most, as a share of it between 0 and 1, so that what was
   * stored together does not expire together. Default 0.
   */
  readonly jitter?: number | undefined
  /** Cache tags that `invalidate({ tags })` can name. */
  readonly tags?: ReadonlyArray<string> | undefined
}

/**
 * A strategy in whole milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lifetime {
  readonly ttl: number
  readonly swr: number
  readonly staleIfError: number
  readonly softTimeout: number | undefined
  /** How long an entry is kept at all: as long as it may be served in any way. */
  readonly kept: number
}

/**
 * The longest ttl, a leap year in milliseconds: nothing is kept for ever.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxTtlMillis = 366 * 24 * 60 * 60 * 1000

/**
 * A ttl in whole milliseconds: at least 1, at most `maxTtlMillis`; 0 means "do not keep".
 *
 * @since 0.1.0
 * @category conversions
 */
export const ttlMillis = (ttl: Duration.DurationInput): number => {
  const millis = Duration.toMillis(ttl)
  return millis <= 0 ? 0 : Math.min(Math.max(1, Math.round(millis)), maxTtlMillis)
}

/**
 * How long answers under a strategy are served, and how.
 *
 * @since 0.1.0
 * @category conversions
 */
export const lifetime = (strategy: CacheStrategy): Lifetime => {
  const ttl = ttlMillis(strategy.ttl)
  const swr = ttlMillis(strategy.swr ?? 0)
  const staleIfError = ttlMillis(strategy.staleIfError ?? 0)
  const softTimeout = strategy.softTimeout === undefined ? undefined : Duration.toMillis(strategy.softTimeout)
  return { ttl, swr, staleIfError, softTimeout, kept: Math.min(ttl + Math.max(swr, staleIfError), maxTtlMillis) }
}
