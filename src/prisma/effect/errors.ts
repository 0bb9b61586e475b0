/**
 * Prisma's errors by what they mean, each with a service to `Effect.catchTag`, and which of them an operation can fail
 * with.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { CacheError } from "../../CacheError.js"

/**
 * What every error tells.
 *
 * @since 0.1.0
 * @category models
 */
export interface Details {
  /** Which query, e.g. `User.findMany`. */
  readonly query: string
  /** Prisma's code, e.g. `P2002`; `undefined` where Prisma has none for it. */
  readonly code: string | undefined
  /** What Prisma tells beside it. Its form is Prisma's and depends on the driver. */
  readonly meta: { readonly [name: string]: unknown } | undefined
  /** The error itself, as it was thrown. Its message may hold arguments of the query. */
  readonly cause: unknown
}

const say = (what: string, { code, query }: Details): string =>
  `${query}: ${what}${code === undefined ? "" : ` (${code})`}`

/**
 * A row that the query needs is not there: the one it names, or one that it connects.
 *
 * @since 0.1.0
 * @category errors
 */
export class RecordNotFound extends Data.TaggedError("RecordNotFound")<Details> {
  override get message(): string {
    return say("a row that it needs was not found", this)
  }
}

/**
 * Another row has the same unique values.
 *
 * @since 0.1.0
 * @category errors
 */
export class UniqueConstraint extends Data.TaggedError("UniqueConstraint")<
  Details & {
    /** What is unique, as the driver tells it: the fields, or the name of the index. Empty where it does not. */
    readonly target: ReadonlyArray<string>
  }
> {
  override get message(): string {
    const where = this.target.length === 0 ? "" : ` in ${this.target.join(", ")}`
    return say(`another row has the same unique values${where}`, this)
  }
}

/**
 * A row refers to one that is not there, or would be left referring to one that is gone.
 *
 * @since 0.1.0
 * @category errors
 */
export class ForeignKeyConstraint extends Data.TaggedError("ForeignKeyConstraint")<Details> {
  override get message(): string {
    return say("a relation would point to no row", this)
  }
}

/**
 * A column that has to have a value would have none.
 *
 * @since 0.1.0
 * @category errors
 */
export class NullConstraint extends Data.TaggedError("NullConstraint")<Details> {
  override get message(): string {
    return say("a value is missing", this)
  }
}

/**
 * A condition that the database holds rows to, a `CHECK` or an exclusion, would not be met.
 *
 * @since 0.1.0
 * @category errors
 */
export class CheckConstraint extends Data.TaggedError("CheckConstraint")<Details> {
  override get message(): string {
    return say("a condition of the table is not met", this)
  }
}

/**
 * The database gave this transaction up for another one, by a write conflict or a deadlock: it can be tried again.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransactionConflict extends Data.TaggedError("TransactionConflict")<Details> {
  override get message(): string {
    return say("another transaction came first", this)
  }
}

/**
 * Prisma gave the transaction up: it took longer than its `timeout`, could not begin within `maxWait`, or is over.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransactionExpired extends Data.TaggedError("TransactionExpired")<Details> {
  override get message(): string {
    return say("the transaction has expired", this)
  }
}

/**
 * The database could not be reached, refused the connection, or lost it. What a write was to change may have been
 * changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionFailed extends Data.TaggedError("ConnectionFailed")<Details> {
  override get message(): string {
    return say("no connection to the database", this)
  }
}

/**
 * The database, a connection to it, or the query itself took longer than it may. What a write was to change may have
 * been changed.
 *
 * @since 0.1.0
 * @category errors
 */
export class Timeout extends Data.TaggedError("Timeout")<Details> {
  override get message(): string {
    return say("it took too long", this)
  }
}

/**
 * The query is wrong in itself: arguments that there are not, or values that a column does not hold.
 *
 * @since 0.1.0
 * @category errors
 */
export class ValidationError extends Data.TaggedError("ValidationError")<Details> {
  override get message(): string {
    return say("the query was refused", this)
  }
}

/**
 * Anything else that a query was rejected with, by Prisma or by another extension.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownPrismaError extends Data.TaggedError("UnknownPrismaError")<Details> {
  override get message(): string {
    return say(this.cause instanceof Error ? this.cause.name : "it failed", this)
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// what can happen where
// ---------------------------------------------------------------------------------------------------------------------

/**
 * What every query can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type QueryError = ConnectionFailed | Timeout | ValidationError | UnknownPrismaError

/**
 * What a query that needs a row can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type FindOrThrowError = QueryError | RecordNotFound

/**
 * What a query that writes values can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type WriteError =
  | QueryError
  | UniqueConstraint
  | ForeignKeyConstraint
  | NullConstraint
  | CheckConstraint
  | TransactionConflict

/**
 * What a query that writes values and needs a row, its own or one that it connects, can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type WriteOneError = WriteError | RecordNotFound

/**
 * What a query that deletes rows can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeleteManyError = QueryError | ForeignKeyConstraint | TransactionConflict

/**
 * What a query that deletes the row it names can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type DeleteError = DeleteManyError | RecordNotFound

/**
 * What a transaction can fail with, beside what happens inside.
 *
 * @since 0.1.0
 * @category errors
 */
export type TransactionError =
  | TransactionConflict
  | TransactionExpired
  | ConnectionFailed
  | Timeout
  | UnknownPrismaError

/**
 * Everything that any query can fail with.
 *
 * @since 0.1.0
 * @category errors
 */
export type PrismaError = WriteOneError | TransactionExpired

/**
 * What each operation can fail with, outside of a transaction.
 *
 * @since 0.1.0
 * @category errors
 */
export interface OperationErrors {
  readonly findUnique: QueryError
  readonly findUniqueOrThrow: FindOrThrowError
  readonly findFirst: QueryError
  readonly findFirstOrThrow: FindOrThrowError
  readonly findMany: QueryError
  readonly count: QueryError
  readonly aggregate: QueryError
  readonly groupBy: QueryError
  readonly create: WriteOneError
  readonly createMany: WriteError
  readonly createManyAndReturn: WriteError
  readonly update: WriteOneError
  readonly updateMany: WriteError
  readonly updateManyAndReturn: WriteError
  readonly upsert: WriteOneError
  readonly delete: DeleteError
  readonly deleteMany: DeleteManyError
  /** `$queryRaw`, `$executeRaw` and those like them: what SQL does nobody knows. */
  readonly raw: WriteError
  readonly transaction: TransactionError
  /** What stands in no list: methods of other extensions. */
  readonly other: PrismaError
}

/**
 * What `Op` can fail with: inside of a transaction, also by the end of that.
 *
 * @since 0.1.0
 * @category errors
 */
export type ErrorOf<Op extends keyof OperationErrors, Within extends "client" | "transaction"> =
  | OperationErrors[Op]
  | (Within extends "transaction" ? TransactionConflict | TransactionExpired : never)

/**
 * What else a write of a client with a cache can fail with, under `onUnreachable: "refuse"`.
 *
 * @since 0.1.0
 * @category errors
 */
export type Refusal<Cached extends boolean> = Cached extends true ? CacheError : never

/**
 * The tags of errors, as a set.
 *
 * @internal
 */
export type Tags<E extends PrismaError = PrismaError> = { readonly [Tag in E["_tag"]]: true }

const query: Tags<QueryError> = {
  ConnectionFailed: true,
  Timeout: true,
  ValidationError: true,
  UnknownPrismaError: true
}
const findOrThrow: Tags<FindOrThrowError> = { ...query, RecordNotFound: true }
const deleteMany: Tags<DeleteManyError> = { ...query, ForeignKeyConstraint: true, TransactionConflict: true }
const write: Tags<WriteError> = { ...deleteMany, UniqueConstraint: true, NullConstraint: true, CheckConstraint: true }
const writeOne: Tags<WriteOneError> = { ...write, RecordNotFound: true }
const inTransaction: Tags<TransactionConflict | TransactionExpired> = {
  TransactionConflict: true,
  TransactionExpired: true
}

const declared: { readonly [Op in keyof OperationErrors]: Tags<OperationErrors[Op]> } = {
  findUnique: query,
  findUniqueOrThrow: findOrThrow,
  findFirst: query,
  findFirstOrThrow: findOrThrow,
  findMany: query,
  count: query,
  aggregate: query,
  groupBy: query,
  create: writeOne,
  createMany: write,
  createManyAndReturn: write,
  update: writeOne,
  updateMany: write,
  updateManyAndReturn: write,
  upsert: writeOne,
  delete: { ...deleteMany, RecordNotFound: true },
  deleteMany,
  raw: write,
  transaction: { ...inTransaction, ConnectionFailed: true, Timeout: true, UnknownPrismaError: true },
  other: { ...writeOne, ...inTransaction }
}

/** @internal */
export const tagsOf = (operation: string, within: "client" | "transaction"): Partial<Tags> => {
  const name = Object.hasOwn(declared, operation) ? operation as keyof OperationErrors : "other"
  const tags: Partial<Tags> = declared[name]
  return within === "client" ? tags : { ...tags, ...inTransaction }
}
