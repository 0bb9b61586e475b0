/**
 * What an entry is found by: the hash of everything that decides the result.
 *
 * @module
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Either from "effect/Either"
import { canonical } from "./internal/canonical.js"
import { asEncodeFailure } from "./internal/failure.js"
import { sha256 } from "./internal/hash.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/CacheKey")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What an entry is found by. Two keys are the same if their digests are.
 *
 * @since 0.1.0
 * @category models
 */
export interface CacheKey {
  readonly [TypeId]: TypeId
  /** The full SHA-256 of the parts and the namespace, as 43 characters of base64url. */
  readonly digest: string
  /** The namespace to look in. `undefined`: the cache's own. */
  readonly namespace: string | undefined
  /** What to call the entry in logs, events and spans, e.g. `User.findMany`. Holds no arguments and decides nothing. */
  readonly label: string
}

/**
 * Why there is no key.
 *
 * - `Unsupported`: a part has no value to tell it by: a function, a symbol, an instance of a class without `toJSON`
 * - `TooDeep`: nested deeper than 512 levels, or cyclic
 * - `TooLarge`: its text would have more than 16,777,216 characters
 *
 * @since 0.1.0
 * @category errors
 */
export type Reason = "Unsupported" | "TooDeep" | "TooLarge"

/**
 * There is no key for the parts given. The message holds nothing of them.
 *
 * @since 0.1.0
 * @category errors
 */
export class CacheKeyError extends Data.TaggedError("CacheKeyError")<{
  readonly reason: Reason
  readonly message: string
}> {}

/** Part of every digest: another way of writing the parts gets another version. */
const version = "1"

/**
 * A key from everything that decides the result, in any shape: different parts never share a key, and equal parts have
 * the same key in every process.
 *
 * Types count (`1` is not `"1"`, `-0` is not `0`), and so does the order of an array. The order of an object's keys
 * does not, and members that are `undefined` are no members. An object with `toJSON` is told by what that answers, a
 * `Date` by its time, and an `ArrayBuffer` view by its bytes.
 *
 * @example
 * ```ts
 * import { CacheKey } from "effect-prisma-cache"
 *
 * const key = CacheKey.make(["exchange rate", { from: "EUR", to: "JPY" }], { label: "exchange rate" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  parts: unknown,
  options?: {
    readonly namespace?: string | undefined
    /** Default `entry`. */
    readonly label?: string | undefined
  }
): Either.Either<CacheKey, CacheKeyError> => {
  const namespace = options?.namespace
  let text: string
  try {
    text = version + canonical(namespace) + canonical(parts) // each says itself where it ends
  } catch (error) {
    const { message, reason } = asEncodeFailure(error)
    return Either.left(new CacheKeyError({ reason, message: `no cache key can be made: ${message}` }))
  }
  return Either.right({ [TypeId]: TypeId, digest: sha256(text), namespace, label: options?.label ?? "entry" })
}

/**
 * Whether a value is a `CacheKey`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isCacheKey = (value: unknown): value is CacheKey =>
  typeof value === "object" && value !== null && TypeId in value
