/**
 * What the arguments of a query are made of, for those who walk through them.
 */

/** @internal */
export interface Members {
  readonly [name: string]: unknown
}

/**
 * Thrown on arguments that are not understood.
 *
 * @internal
 */
export class Odd {}

/**
 * Whether this has members of its own, as opposed to values of columns and lists.
 *
 * @internal
 */
export const isMembers = (value: unknown): value is Members => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** @internal */
export const members = (value: unknown): Members => {
  if (!isMembers(value)) throw new Odd()
  return value
}

/**
 * Prisma takes one where it takes a list.
 *
 * @internal
 */
export const each = (value: unknown): ReadonlyArray<unknown> => Array.isArray(value) ? value : [value]

/**
 * Whether this is `Prisma.skip`, which stands for nothing.
 *
 * @internal
 */
export const isSkip = (value: unknown): boolean => typeof value === "object" && value !== null && "ifUndefined" in value
