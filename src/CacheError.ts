/**
 * What can go wrong with the cache itself. A failed *query* keeps its own error; these errors only ever say that
 * the cache could not be asked, and a read meets them by asking the database.
 *
 * @module
 * @since 0.1.0
 */
import * as Data from "effect/Data"

/**
 * Why the cache did not answer.
 *
 * - `Unavailable`: no connection, or the connection broke before the answer came
 * - `Timeout`: no answer within the bound set for it
 * - `Rejected`: the server answered with an error (out of memory, read-only, no permission, ...)
 * - `Suspended`: not asked, because it failed too often; it is asked again as soon as a probe succeeds
 * - `Closed`: the cache was closed while the operation was under way
 *
 * @since 0.1.0
 * @category models
 */
export type Reason = "Unavailable" | "Timeout" | "Rejected" | "Suspended" | "Closed"

/**
 * The cache could not do what it was asked to. Carries no arguments, values or key names.
 *
 * @since 0.1.0
 * @category errors
 */
export class CacheError extends Data.TaggedError("CacheError")<{
  readonly reason: Reason
  /** What was being done, e.g. `read` or `invalidate`. */
  readonly operation: string
  /** The error's code as the server or the driver names it, e.g. `OOM`, `READONLY`, `ECONNREFUSED`. Drivers put commands and keys into their errors, so no more of it is kept. */
  readonly code?: string | undefined
}> {
  override get message(): string {
    return `the cache could not ${this.operation}: ${this.reason}${this.code === undefined ? "" : ` (${this.code})`}`
  }
}

/**
 * A query took longer than its `hardTimeout`. The database may still be at it.
 *
 * @since 0.1.0
 * @category errors
 */
export class QueryTimeoutError extends Data.TaggedError("QueryTimeoutError")<{
  /** Which query, e.g. `User.findMany`. */
  readonly label: string
  readonly millis: number
}> {
  override get message(): string {
    return `${this.label} took longer than ${this.millis} ms`
  }
}

/**
 * One thing that is wrong with the options somebody gave.
 *
 * @since 0.1.0
 * @category models
 */
export interface OptionProblem {
  /** Where it is, e.g. `models.User.ttl`. */
  readonly path: string
  /** What was given and what is allowed. */
  readonly message: string
}

/**
 * Options that cannot be used. Names every problem at once, each with its path, what was given and what is allowed.
 *
 * @since 0.1.0
 * @category errors
 */
export class CacheOptionsError extends Error {
  override readonly name = "CacheOptionsError"
  constructor(subject: string, readonly problems: ReadonlyArray<OptionProblem>) {
    super(
      `${subject}: ${problems.length === 1 ? "1 problem" : `${problems.length} problems`}\n` +
        problems.map(({ message, path }) => `  ${path}: ${message}`).join("\n")
    )
  }
}
