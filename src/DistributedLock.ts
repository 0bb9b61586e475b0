/**
 * A lock that only one process of a fleet holds at a time. It saves queries; it is never what keeps an answer
 * correct, so losing it costs one query more.
 *
 * @module
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type { CacheError } from "./CacheError.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId: unique symbol = Symbol.for("effect-prisma-cache/DistributedLock")

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What a holder says when it lets go. It never carries a value: who waited looks again.
 *
 * - `stored`: the answer is in the store
 * - `failed`: the query failed in a way that another may not: the next in line tries, one at a time
 * - `free`: there is nothing to wait for (the answer cannot be stored, or is an error that every caller would get)
 *
 * @since 0.1.0
 * @category models
 */
export type News = "stored" | "failed" | "free"

/**
 * The lock's primitives. `token` identifies one holder and is never used again.
 *
 * @since 0.1.0
 * @category models
 */
export interface DistributedLock {
  readonly [TypeId]: TypeId
  /** Takes the lock for `ttlMillis` if nobody has it. Holding it already under this token counts as taken. */
  readonly acquire: (name: string, token: string, ttlMillis: number) => Effect.Effect<boolean, CacheError>
  /** Makes the lock last `ttlMillis` from now, if this token still holds it; answers whether it does. */
  readonly extend: (name: string, token: string, ttlMillis: number) => Effect.Effect<boolean, CacheError>
  /** Lets go, if this token still holds it, and tells those who wait. Answers whether it held it. */
  readonly release: (name: string, token: string, news: News) => Effect.Effect<boolean, CacheError>
  /** What holders of this lock say from now on, until the scope closes. A lock that cannot tell never says anything. */
  readonly news: (name: string) => Effect.Effect<Queue.Dequeue<News>, never, Scope.Scope>
}

/**
 * The service tag of the lock.
 *
 * @since 0.1.0
 * @category service tags
 */
export const DistributedLock: Context.Tag<DistributedLock, DistributedLock> = Context.GenericTag(
  "effect-prisma-cache/DistributedLock"
)

/**
 * Builds a lock from its primitives.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (primitives: Omit<DistributedLock, TypeId>): DistributedLock => ({ [TypeId]: TypeId, ...primitives })
