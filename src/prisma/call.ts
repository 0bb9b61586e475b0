/**
 * What the facade knows of one query and the hook needs: on which client it was called, and who wants to be told how
 * it was answered. Prisma hands the hook a deep clone of the arguments in which functions stay what they are, so the
 * call travels as a function in the place of the `cache` argument.
 */
import type { CacheInfo } from "../CacheInfo.js"
import type { PrismaInternals } from "./client.js"

/** @internal */
export interface Call {
  readonly client: PrismaInternals
  /** What the caller gave as `cache`, or as `cacheStrategy`. */
  readonly cache: unknown
  /** Filled in by the hook when the answer is there. */
  info: CacheInfo | undefined
  /** The digest of the entry that was looked for. */
  signature: string | undefined
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
