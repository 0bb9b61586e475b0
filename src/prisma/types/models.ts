/**
 * The operations of a model on a client that has the extension: Prisma's own, with the cache's options.
 *
 * Each kind of operation is an interface with one call signature. That a name stands for it keeps hovers and errors
 * short, and the declarations small that TypeScript writes for a program which exports its client.
 *
 * `Declared` is the client's global omit, where it cannot be found in the client's type: see `GlobalOmitOf`.
 *
 * @since 0.1.0
 */
import type { ArgsOf, GlobalOmitOf, Operation, PayloadOf, ResultOf } from "./delegate.js"
import type { Exact } from "./exact.js"
import type { Relations, SelectOf } from "./fluent.js"
import type { ReadOptions, WriteOptions } from "./options.js"
import type { CachePromise, PrismaPromise } from "./promise.js"

/**
 * The arguments of a read: Prisma's, and the cache's options.
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
 * The arguments of a write: Prisma's, and the cache's options.
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
export type FluentRead<Delegate, Args, Op extends Operation, Null, Declared> =
  & CachePromise<ResultOf<Delegate, Args, Op, Declared>>
  & Relations<"read", PayloadOf<Delegate>, SelectOf<ArgsOf<Delegate, Op>>, Null, GlobalOmitOf<Delegate, Declared>>

/**
 * The promise of a write of one row, whose relations are methods.
 *
 * @since 0.1.0
 * @category type-level
 */
export type FluentWrite<Delegate, Args, Op extends Operation, Declared> =
  & PrismaPromise<ResultOf<Delegate, Args, Op, Declared>>
  & Relations<"write", PayloadOf<Delegate>, SelectOf<ArgsOf<Delegate, Op>>, never, GlobalOmitOf<Delegate, Declared>>

/**
 * Reads the row of a unique key. `Null` is `null` when a missing row is an answer, else `never`.
 *
 * @since 0.1.0
 * @category models
 */
export interface FindUnique<Op extends "findUnique" | "findUniqueOrThrow", Null, Declared = {}> {
  <Delegate, Args>(
    this: Delegate,
    args: ReadArgs<Delegate, Args, Op, Declared>
  ): FluentRead<Delegate, Args, Op, Null, Declared>
}

/**
 * Reads the first row that matches. `Null` is `null` when a missing row is an answer, else `never`.
 *
 * @since 0.1.0
 * @category models
 */
export interface FindFirst<Op extends "findFirst" | "findFirstOrThrow", Null, Declared = {}> {
  <Delegate, Args>(
    this: Delegate,
    args?: ReadArgs<Delegate, Args, Op, Declared>
  ): FluentRead<Delegate, Args, Op, Null, Declared>
}

/**
 * Reads the rows that match, or how many there are.
 *
 * @since 0.1.0
 * @category models
 */
export interface FindMany<Op extends "findMany" | "count", Declared = {}> {
  <Delegate, Args>(
    this: Delegate,
    args?: ReadArgs<Delegate, Args, Op, Declared>
  ): CachePromise<ResultOf<Delegate, Args, Op, Declared>>
}

/**
 * Reads figures about the rows that match, as a whole or by group.
 *
 * @since 0.1.0
 * @category models
 */
export interface Aggregate<Op extends "aggregate" | "groupBy", Declared = {}> {
  <Delegate, Args>(
    this: Delegate,
    args: ReadArgs<Delegate, Args, Op, Declared>
  ): CachePromise<ResultOf<Delegate, Args, Op, Declared>>
}

/**
 * Writes one row and returns it.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOne<Op extends "create" | "update" | "upsert" | "delete", Declared = {}> {
  <Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, Op, Declared>
  ): FluentWrite<Delegate, Args, Op, Declared>
}

/**
 * Writes many rows and returns them or their number.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteMany<
  Op extends "createMany" | "createManyAndReturn" | "updateMany" | "updateManyAndReturn",
  Declared = {}
> {
  <Delegate, Args>(
    this: Delegate,
    args: WriteArgs<Delegate, Args, Op, Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, Op, Declared>>
}

/**
 * Deletes the rows that match, which are all when nothing is said, and returns their number.
 *
 * @since 0.1.0
 * @category models
 */
export interface DeleteMany<Declared = {}> {
  <Delegate, Args>(
    this: Delegate,
    args?: WriteArgs<Delegate, Args, "deleteMany", Declared>
  ): PrismaPromise<ResultOf<Delegate, Args, "deleteMany", Declared>>
}

/**
 * The operations of every model. It is a type and no interface, as Prisma looks it up by an index.
 *
 * `Args` are unconstrained in all of them: under a constraint TypeScript widens their literals, and `count({ select })`
 * would be a number, `groupBy` an array of `{}`.
 *
 * @since 0.1.0
 * @category models
 */
export type Models<Declared = {}> = {
  /** Finds the row of a unique key, through the cache when asked; `null` when there is none. */
  findUnique: FindUnique<"findUnique", null, Declared>
  /** Finds the row of a unique key, through the cache when asked; rejects with `P2025` when there is none. */
  findUniqueOrThrow: FindUnique<"findUniqueOrThrow", never, Declared>
  /** Finds the first row that matches, through the cache when asked; `null` when there is none. */
  findFirst: FindFirst<"findFirst", null, Declared>
  /** Finds the first row that matches, through the cache when asked; rejects with `P2025` when there is none. */
  findFirstOrThrow: FindFirst<"findFirstOrThrow", never, Declared>
  /** Finds every row that matches, through the cache when asked. */
  findMany: FindMany<"findMany", Declared>
  /** Counts rows, or the values of the selected fields, through the cache when asked. */
  count: FindMany<"count", Declared>
  /** Aggregates the rows that match, through the cache when asked. */
  aggregate: Aggregate<"aggregate", Declared>
  /** Groups the rows that match and aggregates each group, through the cache when asked. */
  groupBy: Aggregate<"groupBy", Declared>
  /** Creates a row; can cache it and can make custom keys invalid. */
  create: WriteOne<"create", Declared>
  /** Creates rows and counts them; can make custom keys invalid. */
  createMany: WriteMany<"createMany", Declared>
  /** Creates rows and returns them; can cache them and can make custom keys invalid. Not on every database. */
  createManyAndReturn: WriteMany<"createManyAndReturn", Declared>
  /** Updates the row of a unique key; can cache it and can make custom keys invalid. */
  update: WriteOne<"update", Declared>
  /** Updates the rows that match and counts them; can make custom keys invalid. */
  updateMany: WriteMany<"updateMany", Declared>
  /**
   * Updates the rows that match and returns them; can cache them and can make custom keys invalid. Not on every
   * database.
   */
  updateManyAndReturn: WriteMany<"updateManyAndReturn", Declared>
  /** Updates the row of a unique key or creates it; can cache it and can make custom keys invalid. */
  upsert: WriteOne<"upsert", Declared>
  /** Deletes the row of a unique key and returns it; can make custom keys invalid. */
  delete: WriteOne<"delete", Declared>
  /** Deletes the rows that match and counts them; can make custom keys invalid. */
  deleteMany: DeleteMany<Declared>
}
