/**
 * What Prisma's errors say about a query. They are told by name: every client has classes of its own.
 */

const isPrismaError = (error: unknown, name: string): error is { readonly code?: unknown } =>
  typeof error === "object" && error !== null && (error as { readonly name?: unknown }).name === name

/**
 * Errors that every caller of the same query gets: the row is not there, or the query is wrong in itself.
 *
 * @internal
 */
export const isDefinite = (error: unknown): boolean =>
  isPrismaError(error, "PrismaClientValidationError") ||
  (isPrismaError(error, "PrismaClientKnownRequestError") && error.code === "P2025")

/**
 * Errors after which nothing of a write remains: Prisma refused it, or the database did. `P2028` is about a
 * transaction that Prisma lost sight of; `P1xxx`, unknown errors and panics say nothing about what was committed.
 *
 * @internal
 */
export const isRolledBack = (error: unknown): boolean =>
  isPrismaError(error, "PrismaClientValidationError") ||
  (isPrismaError(error, "PrismaClientKnownRequestError") && typeof error.code === "string" &&
    error.code.startsWith("P2") && error.code !== "P2028")

/**
 * Errors after which the database has nothing more to do for a write, whatever it has done: anything but a connection
 * that was lost on the way.
 *
 * @internal
 */
export const isOver = (error: unknown): boolean =>
  isPrismaError(error, "PrismaClientValidationError") ||
  (isPrismaError(error, "PrismaClientKnownRequestError") && typeof error.code === "string" && error.code.startsWith("P2"))
