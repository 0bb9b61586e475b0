/**
 * Prisma's argument checks, kept for arguments that carry options of ours.
 *
 * @since 0.1.0
 */
import type * as Runtime from "@prisma/client/runtime/client"

/**
 * Refuses what exactness alone lets through: arguments that are no object, and, in Prisma's own words, a selection that
 * says two things at once. Prisma's extended clients accept the latter and fail at run time.
 *
 * @since 0.1.0
 * @category type-level
 */
export type WellFormed<Args> = Args extends Runtime.Types.Utils.Narrowable ? "Please give the arguments as an object."
  : Args extends { select: {}; include: {} } ? "Please either choose `select` or `include`."
  : Args extends { select: {}; omit: {} } ? "Please either choose `select` or `omit`."
  : unknown

/**
 * Accepts `Args` that are among `Allowed`, with no property to spare at any depth, while TypeScript infers their
 * literal types, on which the result depends.
 *
 * `Options` are the cache's and are checked apart, as plain types. That gives a function among them a parameter typed
 * by the result, although the result depends on the very arguments that hold the function.
 *
 * `Allowed` stands there once more for editors: as long as nothing has been typed, exactness knows of no property to
 * offer. It hides behind a condition that always holds, because a plain `Allowed` would widen the literals that are
 * being inferred.
 *
 * @since 0.1.0
 * @category type-level
 */
export type Exact<Args, Allowed, Options> =
  & Runtime.Types.Public.Exact<Args, Allowed & { readonly [K in keyof Options]?: unknown }>
  & ([Args] extends [never] ? unknown : Allowed)
  & WellFormed<Args>
  & Options
