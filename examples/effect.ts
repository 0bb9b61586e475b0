/**
 * The cache in an Effect program: `npx tsx examples/effect.ts`, after `npm run generate`.
 *
 * Any effect can be cached, a Prisma query or something else. It keeps its own errors and requirements.
 */
import { MemoryCacheLive, QueryCache, ValkeyCacheLive } from "effect-prisma-cache"
import { Config, Console, Data, Effect, Layer, Option } from "effect"
import { openShop } from "./shop.js"

class DatabaseError extends Data.TaggedError("DatabaseError")<{ readonly cause: unknown }> {}
class UnknownProduct extends Data.TaggedError("UnknownProduct")<{ readonly sku: string }> {}

type Shop = Awaited<ReturnType<typeof openShop>>

class Products extends Effect.Service<Products>()("examples/Products", {
  scoped: Effect.gen(function*() {
    const { client } = yield* Effect.acquireRelease(
      Effect.promise(openShop),
      (shop: Shop) => Effect.promise(shop.close)
    )
    const cache = yield* QueryCache.QueryCache
    const attempt = <A>(run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: (cause) => new DatabaseError({ cause }) })

    const findBySku = (sku: string) =>
      attempt(() => client.product.findUnique({ where: { sku } })).pipe(
        Effect.flatMap(Effect.fromNullable),
        Effect.mapBoth({
          onFailure: (error) => error._tag === "NoSuchElementException" ? new UnknownProduct({ sku }) : error,
          onSuccess: ({ name }) => name
        })
      )

    return {
      /** Its name, from the cache if that knows it. */
      nameOf: (sku: string) =>
        cache.answer(
          { key: ["product name", sku], strategy: { ttl: "5 minutes", tags: ["products"] } },
          findBySku(sku)
        ),
      /** Once this has succeeded nobody is told the old name. */
      rename: (sku: string, name: string) =>
        cache.write(
          { label: "rename a product", touches: { tags: ["products"] } },
          attempt(() => client.product.update({ where: { sku }, data: { name } }))
        )
    }
  })
}) {}

const program = Effect.gen(function*() {
  const products = yield* Products
  const cache = yield* QueryCache.QueryCache
  const tell = (sku: string) =>
    Effect.flatMap(products.nameOf(sku), ({ info, value }) => Console.log(`${sku}: ${value} (${info.status})`))

  yield* tell("SKU-0001")
  yield* tell("SKU-0001")
  yield* products.rename("SKU-0001", "The first product")
  yield* tell("SKU-0001")

  // Callers at the same time share one query, and each gets a copy of its own.
  const crowd = yield* Effect.replicateEffect(products.nameOf("SKU-0002"), 100, { concurrency: "unbounded" })
  yield* Console.log(`100 callers: ${crowd.filter(({ info }) => info.status === "miss").length} query`)

  // The effect's own errors arrive typed; they are not cached.
  yield* products.nameOf("SKU-9999").pipe(
    Effect.catchTag("UnknownProduct", ({ sku }) => Console.log(`${sku}: no such product`))
  )

  // An invalidation by hand says when it could not be delivered: that is the one place where the cache can fail.
  yield* cache.invalidate({ tags: ["products"] }).pipe(
    Effect.catchTag("CacheError", (error) => Console.error(error.message))
  )
  yield* tell("SKU-0002")
  yield* Console.log(yield* cache.stats)
})

const CacheLive = Layer.unwrapEffect(
  Effect.map(Config.option(Config.string("VALKEY_URL")), Option.match({
    onNone: () => MemoryCacheLive,
    onSome: () => ValkeyCacheLive
  }))
)

await Effect.runPromise(Effect.provide(program, Layer.provideMerge(Products.Default, CacheLive)))
