/**
 * Which entry a query names.
 */
import type * as Either from "effect/Either"
import * as CacheKey from "../CacheKey.js"
import type { KeyRef } from "../QueryCache.js"
import { canonicalArgs } from "./canonicalArgs.js"
import { arityOf, selectionArguments } from "./operations.js"

/**
 * A query as the hook sees it, the cache's own arguments taken away.
 *
 * @internal
 */
export interface Query {
  readonly model: string
  readonly operation: string
  readonly label: string
  readonly args: Arguments
  readonly dataPath: ReadonlyArray<string>
}

/**
 * Sends a query, with these arguments.
 *
 * @internal
 */
export type Send = (args: Arguments) => Promise<unknown>

/** @internal */
export interface SentQuery extends Query {
  readonly send: Send
}

/** @internal */
export interface Arguments {
  [name: string]: unknown
}

type Made = Either.Either<CacheKey.CacheKey, CacheKey.CacheKeyError>

/**
 * The entry that a query's own arguments name. `around` is what decides the result beside them.
 *
 * @internal
 */
export const queryKey = (query: Query, around: ReadonlyArray<unknown>, namespace: string | undefined): Made =>
  CacheKey.make(["query", ...around, query.model, query.operation, query.dataPath, canonicalArgs(query.args)], {
    namespace,
    label: query.label
  })

/**
 * The entries that custom keys name: one for each model, selection and arity.
 *
 * @internal
 */
export const customKeys = (query: Query, around: ReadonlyArray<unknown>): (ref: KeyRef) => Made => {
  const selection = Object.fromEntries(
    selectionArguments.filter((name) => name in query.args).map((name) => [name, query.args[name]])
  )
  const shape = ["key", ...around, query.model, arityOf(query.operation), query.dataPath, canonicalArgs(selection)]
  return (ref) => CacheKey.make([...shape, ref.key], { namespace: ref.namespace, label: query.label })
}
