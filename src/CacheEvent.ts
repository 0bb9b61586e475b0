/**
 * What the cache tells about itself. Events carry labels such as `User.findMany`, counts and durations; never
 * arguments, values, key names or credentials.
 *
 * @module
 * @since 0.1.0
 */
import type { CacheError } from "./CacheError.js"

/**
 * Why a result was not stored.
 *
 * - `Unserializable`: it holds something that cannot be copied exactly
 * - `TooLarge`: it is larger than `maxEntryBytes`, or depends on more names than `limits.tags`
 * - `Overtaken`: something it depends on was invalidated, or is being written, while it was queried
 * - `Unavailable`: the store did not take it
 *
 * @since 0.1.0
 * @category models
 */
export type NotStoredReason = "Unserializable" | "TooLarge" | "Overtaken" | "Unavailable"

/**
 * Why an answer was served expired: the strategy says so while it is queried anew (`swr`), the query failed (`error`), or
 * it takes longer than `softTimeout` (`slow`).
 *
 * @since 0.1.0
 * @category models
 */
export type StaleReason = "swr" | "error" | "slow"

/**
 * A bound of `Options.limits` that was met: the query is run without the cache.
 *
 * @since 0.1.0
 * @category models
 */
export type Limit = "tags" | "tagLength" | "flights" | "waiters"

/**
 * Everything an `onEvent` listener may be told. `label` says which query (`User.findMany`), durations are milliseconds.
 * `node` is the node of a cluster, and empty where there is one server only. `EpochRotated`: more could not be
 * invalidated than is remembered, so everything in the namespace is.
 *
 * @since 0.1.0
 * @category models
 */
export type CacheEvent =
  | { readonly _tag: "Hit"; readonly label: string; readonly ageMillis: number; readonly source: "memory" | "store" }
  | { readonly _tag: "Stale"; readonly label: string; readonly ageMillis: number; readonly why: StaleReason }
  | { readonly _tag: "RefreshFailed"; readonly label: string; readonly retryMillis: number }
  | { readonly _tag: "Miss"; readonly label: string }
  | { readonly _tag: "Joined"; readonly label: string }
  | { readonly _tag: "Filled"; readonly label: string; readonly bytes: number; readonly queryMillis: number }
  | { readonly _tag: "NotStored"; readonly label: string; readonly why: NotStoredReason }
  | { readonly _tag: "LockWait"; readonly label: string; readonly millis: number; readonly gaveUp: boolean }
  | { readonly _tag: "Corrupt"; readonly label: string }
  | { readonly _tag: "Invalidated"; readonly tags: number; readonly all: boolean }
  | { readonly _tag: "Undelivered"; readonly tags: number }
  | { readonly _tag: "Delivered"; readonly tags: number }
  | { readonly _tag: "EpochRotated" }
  | { readonly _tag: "BreakerOpened"; readonly node: string }
  | { readonly _tag: "BreakerClosed"; readonly node: string; readonly millis: number }
  | { readonly _tag: "Limited"; readonly what: Limit; readonly label: string }
  | { readonly _tag: "Failed"; readonly operation: string; readonly error: CacheError }
  | { readonly _tag: "Warning"; readonly message: string }
