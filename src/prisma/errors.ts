/**
 * What Prisma's errors say about a query. They are told by name: every client has classes of its own.
 */

const isPrismaError = (error: unknown, name: string): error is { readonly code?: unknown; readonly meta?: unknown } =>
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
  isOver(error) && (error as { readonly code?: unknown }).code !== "P2028"

/**
 * Errors after which the database has nothing more to do for a write, whatever it has done: anything but a connection
 * that was lost on the way.
 *
 * @internal
 */
export const isOver = (error: unknown): boolean =>
  isPrismaError(error, "PrismaClientValidationError") ||
  (isPrismaError(error, "PrismaClientKnownRequestError") && typeof error.code === "string" && error.code.startsWith("P2") &&
    (error.code !== "P2010" || isAnswer(error)))

/** What driver adapters call a connection that could not be had or was lost. */
const lost = new Set<unknown>(["ConnectionClosed", "DatabaseNotReachable", "SocketTimeout", "TlsConnectionError"])

/** `P2010` is whatever went wrong with raw SQL, a lost connection too. The database's own errors have a code of its own. */
const isAnswer = (error: { readonly meta?: unknown }): boolean => {
  const { code, driverAdapterError } = (error.meta ?? {}) as {
    readonly code?: unknown
    readonly driverAdapterError?: { readonly cause?: { readonly kind?: unknown; readonly originalCode?: unknown } }
  }
  const cause = driverAdapterError?.cause
  if (cause !== undefined) return typeof cause.kind === "string" && !lost.has(cause.kind)
  return typeof code === "string" && code !== "N/A"
}
