/** Reads twice through a cache at the URL that is given, and prints how that was answered. */
import * as Effect from "effect/Effect"
import { QueryCache, ValkeyCache } from "effect-prisma-cache"

const [, , connection = ""] = process.argv

const program = Effect.gen(function*() {
  const cache = yield* QueryCache.QueryCache
  const request = { key: "a", strategy: { ttl: "1 minute" } } as const
  const ask = Effect.map(cache.answer(request, Effect.succeed(1)), ({ info }) => info.status)
  const first = yield* ask
  // An answer is there before it is stored.
  yield* Effect.sleep("5 millis").pipe(
    Effect.repeat({ until: () => Effect.map(cache.activity, ({ flights }) => flights === 0) })
  )
  return [first, yield* ask]
}).pipe(Effect.provide(
  ValkeyCache.layer({ connection, namespace: `${process.pid}`, budget: 5_000, commandTimeout: 5_000 })
))

Effect.runPromise(program).then((statuses) => console.log(JSON.stringify(statuses)), (error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
