/**
 * How long an answer may be kept, and what it is known by. Strategies are plain data.
 *
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
  /** For how long the answer is served. A number is milliseconds. */
  readonly ttl: Duration.DurationInput
  /** Cache tags that `invalidate({ tags })` can name. */
  readonly tags?: ReadonlyArray<string>
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
