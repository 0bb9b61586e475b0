/**
 * The operations of a model on a client that has the extension: Prisma's own, with the cache's options.
 *
 * @since 0.1.0
 */
import type { ArgsOf, GlobalOmitOf, Operation, PayloadOf, ResultOf } from "./delegate.js"
import type { Exact } from "./exact.js"
import type { Relations, SelectOf } from "./fluent.js"
import type { ReadOptions, WriteOptions } from "./options.js"
import type { CachePromise, PrismaPromise } from "./promise.js"

/**
 * The arguments of a read.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ReadArgs<Delegate, Args, Op extends Operation, Declared> = Exact<
  Args,
  ArgsOf<Delegate, Op>,
  ReadOptions<ResultOf<Delegate, Args, Op, Declared>>
>

/**
 * The arguments of a write.
 *
 * @since 0.1.0
 * @category type-level
 */
export type WriteArgs<Delegate, Args, Op extends Operation, Declared> = Exact<
  Args,
  ArgsOf<Delegate, Op>,
  WriteOptions<ResultOf<Delegate, Args, Op, Declared>>
>

/**
 * The promise of a read of one row, whose relations are methods. `Null` is `null` when the row may be missing.
 *
 * @since 0.1.0
 * @category type-level
 */
export type ReadOne<Delegate, Args, Op extends Operation, Null, Declared> =
  & CachePromise<ResultOf<Delegate, Args, Op, Declared>>
  & Relations<"read", PayloadOf<Delegate>, SelectOf<ArgsOf<Delegate, Op>>, Null, GlobalOmitOf<Delegate, Declared>>

/**
 * The promise of a write of one row, whose relations are methods.
 *
 * @since 0.1.0
 * @category type-level
 */
export type WriteOne<Delegate, Args, Op extends Operation, Declared> =
  & PrismaPromise<ResultOf<Delegate, Args, Op, Declared>>
  & Relations<"write", PayloadOf<Delegate>, SelectOf<ArgsOf<Delegate, Op>>, never, GlobalOmitOf<Delegate, Declared>>

/**
 * The operations of every model. `Declared` is the client's global omit where it cannot be found (see `GlobalOmitOf`).
 *
 * `Args` are unconstrained everywhere: under a constraint TypeScript widens their literals, and `count({ select })` would
 * be a number, `groupBy` an array of `{}`. It is a type and no interface, as Prisma looks it up by an index.
 *
 * @since 0.1.0
 * @category models
 */
export type Models<Declared = {}> = {
  /** Finds the row of a unique key, through the cache when asked; `null` when there is none. */
  findUnique<Delegate, Args>(
    this: Delegate,
    args: ReadArgs<Delegate, Args, "findUnique", Declared>
  ): ReadOne<Delegate, Args, "findUnique", null, Declared>

  /** Finds the row of a unique key, through the cache when asked; rejects with `P2025` when there is none. */
  findUniqueOrThrow<Delegate, Args>(
    this: Delegate,
    args: ReadArgs<Delegate, Args, "findUniqueOrThrow", Declared>
  ): ReadOne<Delegate, Args, "findUniqueOrThrow", never, Declared>

  /** Finds the first row that matches, through the cache when asked; `null` when there is none. */
  findFirst<Delegate, Args>(
    this: Delegate,
    args?: ReadArgs<Delegate, Args, "findFirst", Declared>
  ): ReadOne<Delegate, Args, "findFirst", null, Declared>

  /** Finds the first row that matches, through the cache when asked; rejects with `P2025` when there is none. */
  findFirstOrThrow<Delegate, Args>(
    this: Delegate,
    args?: ReadArgs<Delegate, Args, "findFirstOrThrow", Declared>
  ): ReadOne<Delegate, Args, "findFirstOrThrow", never, Declared>

  /** Finds every row that matches, through the cache when asked. */
  findMany<Delegate, Args>(
    this: Delegate,
    args?: ReadArgs<Delegate, Args, "findMany", Declared>
  ): CachePromise<ResultOf<Delegate, Args, "findMany", Declared>>

  /** Counts rows, or the values of the selected fields, through the cache when asked. */
  count<Delegate, Args>(
    this: Delegate,
    args?: ReadArgs<Delegate, Args, "count", Declared>
  ): CachePromise<ResultOf<Delegate, Args, "count", Declared>>

  /** Aggregates the rows that match, through the cache when asked. */
  aggregate<Delegate, Args>(
    this: Delegate,
    args: ReadArgs<Delegate, Args, "aggregate", Declared>
  ): CachePromise<ResultOf<Delegate, Args, "aggregate", Declared>>

  /** Groups the rows that match and aggregates each group, through the cache when asked. */
  groupBy<Delegate, Args>(
    this: Delegate,
    args: ReadArgs<Delegate, Args, "groupBy", Declared>
  ): CachePromise<ResultOf<Delegate, Args, "groupBy", Declared>>

  /** Creates a row; can cache it and can make custom keys invalid. */
  create<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "create", Declared>
  ): WriteOne<Delegate, Args, "create", Declared>

  /** Creates rows and counts them; can make custom keys invalid. */
  createMany<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "createMany", Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, "createMany", Declared>>

  /** Creates rows and returns them; can cache them and can make custom keys invalid. Not on every database. */
  createManyAndReturn<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "createManyAndReturn", Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, "createManyAndReturn", Declared>>

  /** Updates the row of a unique key; can cache it and can make custom keys invalid. */
  update<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "update", Declared>
  ): WriteOne<Delegate, Args, "update", Declared>

  /** Updates the rows that match and counts them; can make custom keys invalid. */
  updateMany<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "updateMany", Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, "updateMany", Declared>>

  /** Updates the rows that match and returns them; can cache them and can make custom keys invalid. Not on every database. */
  updateManyAndReturn<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "updateManyAndReturn", Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, "updateManyAndReturn", Declared>>

  /** Updates the row of a unique key or creates it; can cache it and can make custom keys invalid. */
  upsert<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "upsert", Declared>
  ): WriteOne<Delegate, Args, "upsert", Declared>

  /** Deletes the row of a unique key and returns it; can make custom keys invalid. */
  delete<Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, "delete", Declared>
  ): WriteOne<Delegate, Args, "delete", Declared>

  /** Deletes the rows that match and counts them; can make custom keys invalid. */
  deleteMany<Delegate, Args>(
    this: Delegate,
    args?: WriteArgs<Delegate, Args, "deleteMany", Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, "deleteMany", Declared>>
}
