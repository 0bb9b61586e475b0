import { CacheOptionsError } from "../CacheError.js"
import type { Level } from "../CacheStore.js"
import type { Options } from "../QueryCache.js"

/**
 * What options ask of a store that cannot promise it.
 *
 * @internal
 */
export const beyondLevel = (subject: string, options: Options, level: Level | undefined): CacheOptionsError | undefined =>
  level === "bestEffort" && options.consistency === "strict"
    ? new CacheOptionsError(subject, [{
      path: "consistency",
      message: `got "strict", allowed: "after-commit", since this store has no atomic steps; "strict" needs one that has, such as Valkey`
    }])
    : undefined
