/**
 * A service over Prisma and the cache: examples/http.ts serves it, and test/examples/service.test.ts tests it, without
 * waiting for anything to expire.
 */
import { EffectPrisma, PrismaCache, QueryCache } from "effect-prisma-cache"
import { Context, Effect, Layer, Schema } from "effect"
import type { Scope } from "effect"
import type { PrismaClient } from "./prisma/generated/client/client.js"

export class UnknownProduct extends Schema.TaggedError<UnknownProduct>()("UnknownProduct", { sku: Schema.String }) {}

export class NoRate extends Schema.TaggedError<NoRate>()("NoRate", { currency: Schema.String }) {}

/** The client, with an extension over the cache of the program. */
const withCache = (client: PrismaClient) =>
  Effect.map(
    PrismaCache.extension({ models: { Product: { ttl: "10 minutes" } } }),
    (cache) => client.$extends(cache)
  )

export class Database extends Context.Tag("examples/service/Database")<
  Database,
  EffectPrisma.EffectPrisma<Effect.Effect.Success<ReturnType<typeof withCache>>>
>() {
  /** Over a client that is made with the layer and disconnected with it. */
  static readonly layer = <E, R>(
    client: Effect.Effect<PrismaClient, E, R>
  ): Layer.Layer<Database, E, Exclude<R, Scope.Scope> | QueryCache.QueryCache> =>
    EffectPrisma.layerScoped(Database, Effect.flatMap(client, withCache))
}

/** What one euro is worth. Somebody else's service: it takes its time, and is down now and then. */
export class Rates extends Context.Tag("examples/service/Rates")<
  Rates,
  { readonly of: (currency: string) => Effect.Effect<number, NoRate> }
>() {
  static readonly layer = Layer.succeed(Rates, {
    of: (currency) =>
      currency === "JPY" ? Effect.delay(Effect.succeed(162.5), "20 millis") : new NoRate({ currency })
  })
}

export class Catalogue extends Effect.Service<Catalogue>()("examples/service/Catalogue", {
  effect: Effect.gen(function*() {
    const db = yield* Database
    const rates = yield* Rates
    const cache = yield* QueryCache.QueryCache

    /** An hour old at the most; while nobody tells a new one, a day. */
    const rateOf = QueryCache.cached((currency: string) => rates.of(currency), {
      name: "exchange rate",
      strategy: { ttl: "1 hour", staleIfError: "1 day" }
    })

    /** A product, and where it came from. Whatever changes its row makes that a query again. */
    const find = (sku: string) =>
      db.product.findUniqueOrThrow({
        where: { sku },
        select: { sku: true, name: true, price: true, stock: true },
        cache: true
      }).withCacheInfo().pipe(
        Effect.catchTag("RecordNotFound", () => new UnknownProduct({ sku }))
      )

    /** Nothing is said of the cache: once this has succeeded nobody is told what was there before. */
    const change = (sku: string, data: { readonly name?: string; readonly stock?: number }) =>
      db.product.update({ where: { sku }, data }).pipe(
        Effect.catchTag("RecordNotFound", () => new UnknownProduct({ sku }))
      )

    const priceIn = (sku: string, currency: string) =>
      Effect.map(
        Effect.all([find(sku), rateOf(currency)], { concurrency: 2 }),
        ([{ data }, rate]) => data.price.times(rate).toNumber()
      ).pipe(Effect.provideService(QueryCache.QueryCache, cache))

    return { find, change, priceIn }
  })
}) {}
