/**
 * The operations of a Prisma model, and what shape they answer in.
 */

/**
 * What an operation returns: a row (or none), rows, or a form of its own.
 *
 * @internal
 */
export type Arity = "row" | "rows" | "count" | "aggregate" | "groupBy" | "batch"

const reads: Readonly<Record<string, Arity>> = {
  findUnique: "row",
  findUniqueOrThrow: "row",
  findFirst: "row",
  findFirstOrThrow: "row",
  findMany: "rows",
  count: "count",
  aggregate: "aggregate",
  groupBy: "groupBy"
}

const writes: Readonly<Record<string, Arity>> = {
  create: "row",
  createMany: "batch",
  createManyAndReturn: "rows",
  update: "row",
  updateMany: "batch",
  updateManyAndReturn: "rows",
  upsert: "row",
  delete: "row",
  deleteMany: "batch"
}

/** @internal */
export const isRead = (operation: string): boolean => Object.hasOwn(reads, operation)

/** @internal */
export const isWrite = (operation: string): boolean => Object.hasOwn(writes, operation)

/** @internal */
export const arityOf = (operation: string): Arity | undefined =>
  isRead(operation) ? reads[operation] : isWrite(operation) ? writes[operation] : undefined

/**
 * The arguments that decide what is in a result, apart from which rows it is of.
 *
 * @internal
 */
export const selectionArguments = ["select", "include", "omit", "by", "_count", "_avg", "_sum", "_min", "_max"]
