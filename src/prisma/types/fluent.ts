/**
 * Relations as methods of a query's promise: `prisma.post.findUnique({ where }).author().profile()`.
 *
 * Prisma's own type for them is made from a client's type map, which an extension cannot see. This one walks the
 * model's payload (which relations there are, and to what) beside the arguments of its `select` (what each of them
 * accepts).
 *
 * @since 0.1.0
 */
import type * as Runtime from "@prisma/client/runtime/client"
import type { Payload } from "./delegate.js"
import type { Exact } from "./exact.js"
import type { ReadOptions } from "./options.js"
import type { CachePromise, PrismaPromise } from "./promise.js"

/**
 * The relations that the arguments of an operation can select.
 *
 * @since 0.1.0
 * @category type-level
 */
export type SelectOf<Args> = Args extends { select?: infer Select } ? NonNullable<Select> : never

/**
 * The arguments of a relation inside a `select`, which also accepts a plain `true`.
 *
 * @since 0.1.0
 * @category type-level
 */
export type RelationArgs<Select, Relation> = Relation extends keyof Select ? Extract<Select[Relation], object> : never

/**
 * The payload at the other end of a relation. `Related` is an array for a list, and includes `null` where a row may be
 * missing.
 *
 * @since 0.1.0
 * @category type-level
 */
export type RelatedPayload<Related> = NonNullable<Related> extends ReadonlyArray<infer Row extends Payload> ? Row
  : NonNullable<Related> extends infer Row extends Payload ? Row
  : never

/**
 * What a relation resolves to when it is called with `Args`.
 *
 * @since 0.1.0
 * @category type-level
 */
export type RelationResult<Related, Args, Omitted> = Runtime.Types.Result.GetResult<
  RelatedPayload<Related>,
  Args,
  [Related] extends [ReadonlyArray<unknown>] ? "findMany" : "findUniqueOrThrow",
  Omitted
> | Extract<Related, null>

/**
 * A relation of a read is read through the cache as well; a relation of a write is not.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Access = "read" | "write"

/**
 * The relations of a model as methods, under `Access`, with the global omit `Omitted`. `Null` is `null` when something
 * earlier in the chain may be missing, else `never`.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Relations<A extends Access, P extends Payload, Select, Null, Omitted> = {
  [R in keyof P["objects"]]: <Args>(
    args?: Exact<
      Args,
      RelationArgs<Select, R>,
      A extends "read" ? ReadOptions<RelationResult<P["objects"][R], Args, Omitted> | Null> : {}
    >
  ) =>
    & (A extends "read" ? CachePromise<RelationResult<P["objects"][R], Args, Omitted> | Null>
      : PrismaPromise<RelationResult<P["objects"][R], Args, Omitted> | Null>)
    & ([P["objects"][R]] extends [ReadonlyArray<unknown>] ? unknown
      : Relations<
        A,
        RelatedPayload<P["objects"][R]>,
        SelectOf<RelationArgs<Select, R>>,
        Null | Extract<P["objects"][R], null>,
        Omitted
      >)
}
