/**
 * Prisma and the cache in an Effect program: `npx tsx examples/effect.ts`, after `npm run generate`.
 *
 * Queries are effects, typed as the client's own, with errors to catch by tag. The client and the program share one
 * cache, and any other effect can be cached beside them.
 */
import { EffectPrisma, MemoryCacheLive, PrismaCache, QueryCache, ValkeyCacheLive } from "effect-prisma-cache"
import { Config, Console, Context, Data, Effect, Layer, Option } from "effect"
import { openShop } from "./shop.js"

class UnknownProduct extends Data.TaggedError("UnknownProduct")<{ readonly sku: string }> {}
class OutOfStock extends Data.TaggedError("OutOfStock")<{ readonly sku: string; readonly left: number }> {}

/** The shop's client, with an extension over the cache of this program. */
const client = Effect.gen(function*() {
  const shop = yield* Effect.acquireRelease(Effect.promise(openShop), ({ close }) => Effect.promise(close))
  return shop.client.$extends(yield* PrismaCache.extension())
})

class Database extends Context.Tag("examples/Database")<
  Database,
  EffectPrisma.EffectPrisma<Effect.Effect.Success<typeof client>>
>() {}

const DatabaseLive = EffectPrisma.layerScoped(Database, client)

class Products extends Effect.Service<Products>()("examples/Products", {
  effect: Effect.gen(function*() {
    const db = yield* Database
    const cache = yield* QueryCache.QueryCache
    return {
      /** Its name, and whether the cache knew it. */
      nameOf: (sku: string) =>
        db.product.findUniqueOrThrow({
          where: { sku },
          select: { name: true },
          cache: { ttl: "5 minutes", tags: ["products"] }
        }).withCacheInfo().pipe(
          // After `findUnique` this would not compile: a row that is not there is no error of that.
          Effect.catchTag("RecordNotFound", () => new UnknownProduct({ sku }))
        ),
      /** Once this has succeeded nobody is told the old name. */
      rename: (sku: string, name: string) => db.product.update({ where: { sku }, data: { name } }),
      /** Takes some of a product out of the stock, or nothing. */
      take: (sku: string, quantity: number) =>
        db.$transaction((tx) =>
          Effect.gen(function*() {
            const { stock } = yield* tx.product.update({ where: { sku }, data: { stock: { decrement: quantity } } })
            return stock < 0 ? yield* new OutOfStock({ sku, left: stock + quantity }) : stock
          })
        ),
      /** What is worth caching need not be a query. */
      summary: cache.fetch(
        { key: "summary", strategy: { ttl: "1 minute", tags: ["products"] } },
        Effect.map(
          Effect.all([db.product.count(), db.product.aggregate({ _sum: { stock: true } })], { concurrency: 2 }),
          ([products, { _sum }]) => `${products} products, ${_sum.stock} pieces`
        )
      )
    }
  })
}) {}

const program = Effect.gen(function*() {
  const products = yield* Products
  const cache = yield* QueryCache.QueryCache
  const tell = (sku: string) =>
    Effect.flatMap(products.nameOf(sku), ({ data, info }) => Console.log(`${sku}: ${data.name} (${info.status})`))

  yield* tell("SKU-0001")
  yield* tell("SKU-0001")
  yield* products.rename("SKU-0001", "The first product")
  yield* tell("SKU-0001")

  // Callers at the same time share one query, and each gets a copy of its own.
  const crowd = yield* Effect.replicateEffect(products.nameOf("SKU-0002"), 100, { concurrency: "unbounded" })
  yield* Console.log(`100 callers: ${crowd.filter(({ info }) => info.status === "miss").length} query`)

  // Errors arrive typed; they are not cached.
  yield* products.nameOf("SKU-9999").pipe(
    Effect.asVoid,
    Effect.catchTag("UnknownProduct", ({ sku }) => Console.log(`${sku}: no such product`))
  )

  // What fails inside a transaction rolls it back, and comes out as it went in.
  yield* products.take("SKU-0003", 1_000_000).pipe(
    Effect.asVoid,
    Effect.catchTag("OutOfStock", ({ left, sku }) => Console.log(`${sku}: only ${left} left`))
  )

  // An invalidation by hand says when it could not be delivered.
  yield* Console.log(yield* products.summary)
  yield* cache.invalidate({ tags: ["products"] }).pipe(
    Effect.catchTag("CacheError", (error) => Console.error(error.message))
  )
  yield* tell("SKU-0002")
  const { errors, hits, misses } = yield* cache.stats
  yield* Console.log(`hits: ${hits}, misses: ${misses}, errors: ${errors}`)
})

const CacheLive = Layer.unwrapEffect(
  Effect.map(Config.option(Config.string("VALKEY_URL")), Option.match({
    onNone: () => MemoryCacheLive,
    onSome: () => ValkeyCacheLive
  }))
)

const AppLive = Products.Default.pipe(Layer.provide(DatabaseLive), Layer.provideMerge(CacheLive))

await Effect.runPromise(Effect.provide(program, AppLive))
