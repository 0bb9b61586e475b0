import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CacheKey from "../CacheKey.js"
import { QueryCache } from "../QueryCache.js"
import type { CachedOptions, Request } from "../QueryCache.js"

/** What a call asks the cache for; `undefined` where that cannot be said. */
const requestOf = <Args extends ReadonlyArray<unknown>, A>(
  { key, keys, lateKeys, name, schema, strategy, tags }: CachedOptions<Args, A>,
  args: Args
): Either.Either<Request<A>, string> => {
  try {
    const made = CacheKey.make([name, key === undefined ? args : key(...args)], { label: name })
    if (Either.isLeft(made)) return Either.left(made.left.message)
    return Either.right({
      key: made.right,
      strategy: tags === undefined ? strategy : { ...strategy, tags: [...(strategy.tags ?? []), ...tags(...args)] },
      keys: keys?.(...args),
      late: lateKeys && ((value) => ({ keys: lateKeys(value, ...args), entries: [] })),
      schema
    })
  } catch {
    return Either.left("a function that names what an answer depends on threw")
  }
}

/** @internal */
export const cached = <Args extends ReadonlyArray<unknown>, A, E, R>(
  f: (...args: Args) => Effect.Effect<A, E, R>,
  options: CachedOptions<Args, A>
): (...args: Args) => Effect.Effect<A, E, R | QueryCache> => {
  const load = (args: Args) => Effect.suspend(() => f(...args))
  return (...args) =>
    Effect.flatMap(QueryCache, (cache) => {
      const request = requestOf(options, args)
      return Either.isRight(request)
        ? cache.fetch(request.right, load(args))
        : Effect.zipRight(Effect.logWarning(`${options.name}: ${request.left}; it is not cached`), load(args))
    })
}
