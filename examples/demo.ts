/**
 * What the cache does for a shop, told by the SQL that reaches the database: `npm run demo`.
 *
 * PostgreSQL is started for the run and stopped with it. Entries are kept in memory, or on the Valkey that VALKEY_URL
 * names.
 */
import type { CacheInfo, PrismaCache } from "effect-prisma-cache"
import { MemoryCacheLive, prismaCache } from "effect-prisma-cache"
import { isDeepStrictEqual } from "node:util"
import { until } from "../test/support/process.js"
import { openShop } from "./shop.js"

const url = process.env["VALKEY_URL"]
const shop = await openShop()
const prisma = shop.client.$extends(prismaCache({
  cache: url ?? MemoryCacheLive,
  namespace: "demo",
  // What runs for show is to wait longer for Valkey than a shop should, which is 50 ms unless it says otherwise.
  budget: 10_000
}))

const [users, products, orders, items, reviews] = await Promise.all([
  prisma.user.count(),
  prisma.product.count(),
  prisma.order.count(),
  prisma.orderItem.count(),
  prisma.review.count()
])

// ---------------------------------------------------------------------------------------------------------------------
// Two pages of the shop
// ---------------------------------------------------------------------------------------------------------------------

type Cache = PrismaCache.ReadCache

const productPage = (id: number, cache: Cache, on: Pick<typeof prisma, "product"> = prisma) =>
  on.product.findUniqueOrThrow({
    where: { id },
    include: { reviews: { include: { user: true }, orderBy: { id: "asc" } } },
    cache
  }).withCacheInfo()

const bestSellers = (cache: Cache) =>
  prisma.orderItem.groupBy({
    by: ["productId"],
    _sum: { quantity: true },
    orderBy: { _sum: { quantity: "desc" } },
    take: 10,
    cache
  }).withCacheInfo()

const page7 = { key: "product-7", ttl: "5 minutes" } as const

// ---------------------------------------------------------------------------------------------------------------------
// The table
// ---------------------------------------------------------------------------------------------------------------------

const number = new Intl.NumberFormat("en-US")
const words: Record<CacheInfo.CacheStatus, string> = {
  hit: "the cache",
  stale: "the cache, expired",
  miss: "the database",
  joined: "another caller's query",
  refreshed: "the database, on request",
  bypass: "the database, past the cache",
  off: "the database, not cached"
}

const from = (infos: ReadonlyArray<CacheInfo.CacheInfo>): string => {
  const counts = new Map<string, number>()
  for (const { status } of infos) counts.set(words[status], (counts.get(words[status]) ?? 0) + 1)
  const [only] = counts.keys()
  if (counts.size === 1) return String(only)
  return Array.from(counts, ([word, count]) => `${number.format(count)} from ${word}`).join(", ")
}

const line = (step: string, time: string, sql: string, answer: string) =>
  console.log(`  ${step.padEnd(44)}${time.padStart(10)}${sql.padStart(8)}   ${answer}`)

/** A cache that cannot be reached costs queries and nothing else: the story goes on. */
const isAway = () => prisma.$cache.health().status !== "ok"

/** Runs one step and prints its line: the time, how many statements reached the database, and what there is to say. */
const show = async <A>(step: string, run: () => Promise<A>, say: (result: A) => string): Promise<A> => {
  shop.sql.reset()
  const start = performance.now()
  const result = await run()
  const millis = performance.now() - start
  line(step, `${millis.toFixed(1)} ms`, number.format(shop.sql.count()), say(result))
  // A caller has its answer before the cache has it. The next step is about what the cache has.
  await until("everything is stored", () => isAway() || prisma.$cache.stats().fills >= prisma.$cache.stats().misses)
  return result
}

const crowd = (visit: () => PromiseLike<{ readonly info: CacheInfo.CacheInfo }>) => async () =>
  Promise.all(Array.from({ length: 1_000 }, async () => (await visit()).info))

type ProductPage = Awaited<ReturnType<typeof productPage>>

const priced = ({ data, info }: ProductPage) => `${from([info])}: price ${data.price.toFixed(2)}`

// ---------------------------------------------------------------------------------------------------------------------
// The story
// ---------------------------------------------------------------------------------------------------------------------

const counts = { users, products, orders, "order items": items, reviews }
const rows = Object.entries(counts).map(([name, count]) => `${number.format(count)} ${name}`)
const place = url === undefined
  ? "the memory of this process (VALKEY_URL=valkey://host:port puts it on Valkey)"
  : "the Valkey that VALKEY_URL names"
console.log(`\nA shop on PostgreSQL, started for this run: ${rows.join(", ")}.\nIts cache: ${place}.\n`)

// Connections, Prisma's plans for both queries, code that has never run: what they cost is nothing that a cache saves.
await Promise.all(Array.from({ length: 10 }, (_, i) => productPage(i + 20, { bypass: true })))
await bestSellers({ bypass: true })
await crowd(() => bestSellers({ key: "warm-up" }))()
await productPage(30, { ttl: "1 minute" })
if (isAway()) console.log("It does not answer: everything comes from the database.\n")

line("", "time", "SQL", "answered by")
const first = await show("a product page, first read", () => productPage(7, page7), priced)
const second = await show("the same page, second read", () => productPage(7, page7), priced)

await show("1,000 ask for the best sellers, no cache", crowd(() => bestSellers({ bypass: true })), from)
await show("1,000 ask at once, nothing stored yet", crowd(() => bestSellers({ ttl: "1 minute" })), from)
await show("1,000 ask at once, again", crowd(() => bestSellers({ ttl: "1 minute" })), from)

await show("a new price, with uncache: \"product-7\"", () =>
  prisma.product.update({ where: { id: 7 }, data: { price: "12.50" }, uncache: "product-7" }), () => "-")
await show("the page after the write", () => productPage(7, page7), priced)
await show("the page once more", () => productPage(7, page7), priced)

await show("a transaction that sets another price...", async () => {
  let inside: ProductPage | undefined
  await prisma.$transaction(async (tx) => {
    await tx.product.update({ where: { id: 7 }, data: { price: "0.01" }, uncache: "product-7" })
    inside = await productPage(7, page7, tx)
    throw new Error("the payment was refused")
  }).catch(() => {})
  return inside
}, (inside) => inside === undefined ? "-" : priced(inside))
await show("...and rolls back: the page again", () => productPage(7, page7), priced)

const verdict = isDeepStrictEqual(first.data, second.data) ? "is deep-equal to" : "DIFFERS FROM"
console.log(`\nThe second read ${verdict} the first, Decimal, Date and JSON included, and is an object of its own.\n`)
await prisma.$disconnect()
await shop.close()
