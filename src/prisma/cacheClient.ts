/**
 * `$cache`: the cache of a client, for what is no query.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { CacheError, CacheOptionsError } from "../CacheError.js"
import type * as QueryCache from "../QueryCache.js"
import type { PrismaInternals } from "./client.js"
import { queryKey } from "./entryKeys.js"
import type { Arguments, Query } from "./entryKeys.js"
import type { HookContext } from "./hook.js"
import { isRead } from "./operations.js"
import { readKeys } from "./queryOptions.js"
import type { SharedCache } from "./sharedCache.js"
import type { CacheClient, InvalidationTargets } from "./types/client.js"

const targetNames = ["tags", "keys", "models", "mode"]

/** What the entry of a read without a custom key is found by. */
const keyOf = (context: HookContext, model: string, operation: string, args: Arguments): string | undefined => {
  if (!isRead(operation)) return undefined
  const label = `${model}.${operation}`
  const around = context.surroundings(context.base, label)
  if (around === undefined) return undefined
  const query: Query = { model, operation, label, args, dataPath: [] }
  return Either.getOrUndefined(Either.map(queryKey(query, around, undefined), ({ digest }) => digest))
}

/** @internal */
export const makeCacheClient = (client: PrismaInternals, shared: SharedCache, context: HookContext): CacheClient => {
  const use = (body: (cache: QueryCache.QueryCache) => Effect.Effect<void, unknown>) =>
    shared.run(client, (cache) =>
      cache === undefined ? Effect.fail(new CacheError({ reason: "Unavailable", operation: "invalidate" })) : body(cache))
  return {
    invalidate: async (targets: InvalidationTargets) => {
      const wrong = Object.keys(targets).filter((name) => !targetNames.includes(name))
      if (wrong.length > 0) {
        throw new CacheOptionsError(
          "$cache.invalidate",
          wrong.map((path) => ({ path, message: `no such option; there are ${targetNames.join(", ")}` }))
        )
      }
      const models = readKeys("$cache.invalidate", "models", targets.models).map(({ key }) => key)
      const { first = [], rest = [] } = models.length === 0 ? {} : context.declaredTouches(models)
      const request = {
        keys: readKeys("$cache.invalidate", "keys", targets.keys),
        tags: readKeys("$cache.invalidate", "tags", targets.tags).map(({ key }) => key),
        dependencies: [...first, ...rest],
        mode: targets.mode
      }
      return use((cache) => cache.invalidate(request))
    },
    invalidateAll: (options) => use((cache) => cache.invalidateAll(options)),
    stats: shared.stats,
    explain: (model, operation, given) => {
      // What stands there for the cache is no argument of the query.
      const { cache: _, cacheStrategy: __, uncache: ___, ...args } = (given ?? {}) as Arguments
      return { ...context.explain(model, operation, args), key: keyOf(context, model, operation, args) }
    },
    health: () => {
      const cache = shared.peek()
      return cache === undefined ? { status: "closed", suspended: [], undelivered: 0 } : Effect.runSync(cache.health)
    },
    close: () => shared.close()
  }
}
