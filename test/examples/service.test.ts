/**
 * How a service over the cache is tested: with the cache of production in memory, whose time is the test's, and a
 * database of the test's own.
 */
import { it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { QueryCache } from "effect-prisma-cache"
import { TestCache } from "effect-prisma-cache/testing"
import { execFileSync } from "node:child_process"
import { afterAll, beforeAll, describe, expect } from "vitest"
import { Catalogue, Database, NoRate, Rates, UnknownProduct } from "../../examples/service.js"
import type { openShop } from "../../examples/shop.js"

let shop: Awaited<ReturnType<typeof openShop>>

beforeAll(async () => {
  execFileSync(process.execPath, ["test/support/generate.mjs", "examples"], { stdio: ["ignore", "ignore", 2] })
  shop = await (await import("../../examples/shop.js")).openShop()
})

afterAll(() => shop.close())

/** A bank that counts who asks, and is closed when the test says so. */
const makeBank = () => {
  const bank = { asked: 0, open: true, rate: 160 }
  const of = (currency: string) =>
    Effect.suspend(() => {
      bank.asked++
      return bank.open ? Effect.succeed(bank.rate) : new NoRate({ currency })
    })
  return { bank, layer: Layer.succeed(Rates, { of }) }
}

/** The service as it is, over an empty cache. The client has no time of its own and may be used again afterwards. */
const service = (rates: Layer.Layer<Rates> = makeBank().layer) =>
  Catalogue.Default.pipe(
    Layer.provide([Database.layer(Effect.sync(() => shop.client)), rates]),
    Layer.provideMerge(TestCache.layer())
  )

describe("the catalogue", () => {
  it.effect("finds a product in the cache for ten minutes", () =>
    Effect.gen(function*() {
      const catalogue = yield* Catalogue
      const status = Effect.map(catalogue.find("SKU-0001"), ({ info }) => info.status)
      expect(yield* status).toBe("miss")
      yield* TestCache.settled // an answer is there before it is stored
      yield* TestClock.adjust("9 minutes")
      expect(yield* status).toBe("hit")
      yield* TestClock.adjust("1 minute")
      expect(yield* status).toBe("miss")
    }).pipe(Effect.provide(service())))

  it.effect("tells the new name as soon as a product has been changed", () =>
    Effect.gen(function*() {
      const catalogue = yield* Catalogue
      yield* catalogue.find("SKU-0002")
      yield* catalogue.find("SKU-0003")
      yield* TestCache.settled
      yield* catalogue.change("SKU-0002", { name: "The second product" })
      expect(yield* catalogue.find("SKU-0002")).toMatchObject({
        data: { name: "The second product" },
        info: { status: "miss" }
      })
      expect((yield* catalogue.find("SKU-0003")).info.status).toBe("hit")
    }).pipe(Effect.provide(service())))

  it.effect("says which product there is not, and remembers no error", () =>
    Effect.gen(function*() {
      const catalogue = yield* Catalogue
      const unknown = new UnknownProduct({ sku: "SKU-9999" })
      expect(yield* Effect.flip(catalogue.find("SKU-9999"))).toEqual(unknown)
      expect(yield* Effect.flip(catalogue.find("SKU-9999"))).toEqual(unknown)
      expect(yield* Effect.flip(catalogue.change("SKU-9999", { stock: 1 }))).toEqual(unknown)
      const cache = yield* QueryCache.QueryCache
      expect(yield* cache.stats).toMatchObject({ hits: 0, fills: 0 })
    }).pipe(Effect.provide(service())))

  it.effect("asks for a rate once an hour, and makes do with an old one for a day", () => {
    const { bank, layer } = makeBank()
    return Effect.gen(function*() {
      const catalogue = yield* Catalogue
      const price = catalogue.priceIn("SKU-0004", "JPY") // 37.99 euros
      expect(yield* price).toBe(6078.4)
      yield* TestCache.settled
      yield* TestClock.adjust("59 minutes")
      expect(yield* price).toBe(6078.4)
      expect(bank.asked).toBe(1)

      bank.open = false
      yield* TestClock.adjust("12 hours")
      expect(yield* price).toBe(6078.4)
      expect(bank.asked).toBe(2)

      bank.open = true
      bank.rate = 200
      yield* TestClock.adjust("1 minute")
      expect(yield* price).toBe(7598)

      bank.open = false
      yield* TestCache.settled
      yield* TestClock.adjust("26 hours")
      expect(yield* Effect.flip(price)).toEqual(new NoRate({ currency: "JPY" }))
    }).pipe(Effect.provide(service(layer)))
  })
})
