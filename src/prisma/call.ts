/**
 * What the facade knows of one query and the hook needs: on which client it was called, and who wants to be told how
 * it was answered. Prisma hands the hook a deep clone of the arguments in which functions stay what they are, so the
 * call travels as a function in the place of the `cache` argument.
 */
import type * as Effect from "effect/Effect"
import type { CacheInfo } from "../CacheInfo.js"
import type { AnswerRest } from "../QueryCache.js"
import type { PrismaInternals } from "./client.js"
import type { Send } from "./entryKeys.js"

/** @internal */
export interface Call {
  readonly client: PrismaInternals
  /** What the caller gave as `cache`, or as `cacheStrategy`. */
  readonly cache: unknown
  /** Filled in by the hook when the answer is there. */
  info: CacheInfo | undefined
  /** The digest of the entry that was looked for. */
  signature: string | undefined
  /** Where it was called, if Prisma is told of it later. */
  readonly site: Error | undefined
  /** What remains to be done where the entry has been looked for before Prisma was asked. */
  looked: Looked | undefined
}

/** @internal */
export interface Looked {
  /** Where the rest is run: beside the cache that was looked into. */
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
  readonly rest: AnswerRest<unknown>
  readonly load: (send: Send) => Effect.Effect<unknown, unknown>
}

const calls = new WeakMap<object, Call>()

/** @internal */
export const enclose = (call: Call): unknown => {
  const envelope = () => {}
  calls.set(envelope, call)
  return envelope
}

/** @internal */
export const unwrap = (cache: unknown): Call | undefined =>
  typeof cache === "function" ? calls.get(cache) : undefined
