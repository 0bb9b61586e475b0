/**
 * The cache in an application that knows Prisma and nothing of Effect: `npx tsx examples/plain-prisma.ts`, after
 * `npm run generate`.
 */
import type { CacheInfo, PrismaCache } from "effect-prisma-cache"
import { MemoryCacheLive, prismaCache } from "effect-prisma-cache"
import { AsyncLocalStorage } from "node:async_hooks"
import { openShop } from "./shop.js"

const shop = await openShop()

/** Who asks. An application sets it in a middleware, once per request. */
const visitor = new AsyncLocalStorage<{ readonly role: "customer" | "staff" }>()

const prisma = shop.client.$extends(prismaCache({
  cache: process.env["VALKEY_URL"] ?? MemoryCacheLive,
  namespace: "plain-prisma",
  // What runs for show is to wait longer for Valkey than a shop should, which is 50 ms unless it says otherwise.
  budget: 10_000,
  // Every read is cached for a minute, unless its model or the read itself says otherwise.
  defaults: { ttl: "1 minute" },
  models: {
    Product: { ttl: "10 minutes", tags: ["catalogue"] },
    Order: false
  },
  // Answers for one role are never given to another.
  varyBy: () => visitor.getStore()?.role,
  onEvent: (event) => {
    if (event._tag === "Failed" || event._tag === "Warning") console.error(event)
  }
}))

const tell = (what: string, { key = "", status, ttl }: CacheInfo.CacheInfo) => {
  const life = ttl === undefined ? "" : `for ${Math.ceil(ttl / 1000)} s`
  console.log(`${what.padEnd(44)}${status.padEnd(11)}${life.padEnd(12)}${key}`)
}

// Defaults: nothing stands in the query.
tell("a user, by the defaults", (await prisma.user.findUnique({ where: { id: 1 } }).withCacheInfo()).info)
tell("the same user", (await prisma.user.findUnique({ where: { id: 1 } }).withCacheInfo()).info)
tell("a product, by its model's strategy", (await prisma.product.findUnique({ where: { id: 1 } }).withCacheInfo()).info)
tell("an order: this model is not cached", (await prisma.order.findFirst().withCacheInfo()).info)
tell("an order, cached by the query", (await prisma.order.findFirst({ cache: 5_000 }).withCacheInfo()).info)

// A custom key names rows. What is cached under it can be dropped by that name, whatever was selected.
const product7 = () =>
  prisma.product.findUniqueOrThrow({ where: { id: 7 }, cache: { key: "product-7", ttl: "5 minutes" } }).withCacheInfo()
tell("product 7, under a key", (await product7()).info)
tell("product 7 again", (await product7()).info)
await prisma.product.update({ where: { id: 7 }, data: { stock: { increment: 5 } }, uncache: "product-7" })
tell("product 7 after a write with uncache", (await product7()).info)

// A write can leave its result where the next read looks for it.
await prisma.product.update({
  where: { id: 7 },
  data: { stock: { decrement: 1 } },
  cache: { key: (product) => `product-${product.id}`, ttl: "5 minutes" }
})
tell("product 7 after a write with cache", (await product7()).info)

// A cache tag names any number of entries.
const reviewsOf = (productId: number) =>
  prisma.review.findMany({ where: { productId }, cache: { ttl: "1 hour", tags: ["reviews"] } }).withCacheInfo()
await Promise.all([reviewsOf(1), reviewsOf(2)])
tell("reviews of a product", (await reviewsOf(2)).info)
await prisma.$cache.invalidate({ tags: ["reviews"] })
tell("reviews after their tag was invalidated", (await reviewsOf(2)).info)

// varyBy: the same query, for two roles. Prisma sends a query when it is awaited, so the `await` stands inside.
const product42 = { where: { sku: "SKU-0042" }, select: { price: true } }
const price = async () => await prisma.product.findFirst(product42).withCacheInfo()
await visitor.run({ role: "staff" }, price)
tell("a price, asked by staff a second time", (await visitor.run({ role: "staff" }, price)).info)
tell("the same price, asked by a customer", (await visitor.run({ role: "customer" }, price)).info)

// One query can be read past the cache, or make the cache read again.
const count = (cache: PrismaCache.ReadCache) => prisma.product.count({ cache }).withCacheInfo()
tell("a count, past the cache", (await count({ bypass: true })).info)
tell("a count, read again for everybody", (await count({ refresh: true })).info)

console.log(prisma.$cache.stats())
await prisma.$disconnect()
await shop.close()
