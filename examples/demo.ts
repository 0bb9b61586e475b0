/**
 * What the cache does for a shop, told by the SQL that reaches the database: `npm run demo`.
 *
 * PostgreSQL is started for the run and stopped with it. Entries are kept in memory, or on the Valkey that VALKEY_URL names.
 */
import type { CacheInfo, PrismaCache } from "effect-prisma-cache"
import { MemoryCacheLive, prismaCache } from "effect-prisma-cache"
import { isDeepStrictEqual } from "node:util"
import { until } from "../test/support/process.js"
import { openShop } from "./shop.js"

const url = process.env["VALKEY_URL"]
const shop = await openShop()
const prisma = shop.client.$extends(prismaCache({ cache: url ?? MemoryCacheLive, namespace: "demo" }))

const [users, products, orders, items, reviews] = await Promise.all([
  prisma.user.count(),
  prisma.product.count(),
  prisma.order.count(),
  prisma.orderItem.count(),
  prisma.review.count()
])

// ---------------------------------------------------------------------------------------------------------------------
// The two pages of the shop
// ---------------------------------------------------------------------------------------------------------------------

type Cache = PrismaCache.ReadCache

const productPage = (id: number, cache: Cache, on: Pick<typeof prisma, "product"> = prisma) =>
  on.product.findUniqueOrThrow({
    where: { id },
    include: { reviews: { include: { user: true }, orderBy: { id: "asc" } } },
    cache
  }).withCacheInfo()

const frontPage = (cache: Cache) =>
  prisma.product.findMany({
    where: { stock: { gt: 0 } },
    include: { reviews: true },
    orderBy: [{ stock: "desc" }, { id: "asc" }],
    take: 12,
    cache
  }).withCacheInfo()

const page7 = { key: "product-7", ttl: "5 minutes" } as const

// ---------------------------------------------------------------------------------------------------------------------
// The table
// ---------------------------------------------------------------------------------------------------------------------

const number = new Intl.NumberFormat("en-US")
const words: Record<CacheInfo.CacheStatus, string> = {
  hit: "the cache",
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

/** Runs one step and prints its line: what it took, how many statements reached the database, and what there is to say. */
const show = async <A>(step: string, run: () => Promise<A>, say: (result: A) => string): Promise<A> => {
  shop.sql.reset()
  const start = performance.now()
  const result = await run()
  const millis = performance.now() - start
  line(step, `${millis.toFixed(1)} ms`, number.format(shop.sql.count()), say(result))
  // A caller has its answer before the cache has it. The next step is about what the cache has.
  await until("everything is stored", () => prisma.$cache.stats().fills >= prisma.$cache.stats().misses)
  return result
}

const crowd = (visit: () => PromiseLike<{ readonly info: CacheInfo.CacheInfo }>) => async () =>
  Promise.all(Array.from({ length: 1_000 }, async () => (await visit()).info))

const priced = ({ data, info }: Awaited<ReturnType<typeof productPage>>) => `${from([info])}: price ${data.price.toFixed(2)}`

// ---------------------------------------------------------------------------------------------------------------------
// The story
// ---------------------------------------------------------------------------------------------------------------------

console.log(`
A shop on PostgreSQL, started for this run: ${number.format(users)} users, ${number.format(products)} products, \
${number.format(orders)} orders, ${number.format(items)} order items, ${number.format(reviews)} reviews.
Its cache: ${url === undefined ? "the memory of this process (VALKEY_URL=valkey://host:port puts it on Valkey)." : "the Valkey that VALKEY_URL names."}
`)

// Connections, Prisma's plans for both queries and code that has never run: what they cost is nothing that a cache saves.
await Promise.all(Array.from({ length: 10 }, (_, i) => productPage(i + 20, { bypass: true })))
await frontPage({ bypass: true })
for (let i = 0; i < 10; i++) await productPage(30, { ttl: "1 minute" })

line("", "time", "SQL", "answered by")
const first = await show("a product page, first read", () => productPage(7, page7), priced)
const second = await show("the same page, second read", () => productPage(7, page7), priced)

await show("1,000 visitors of the front page, no cache", crowd(() => frontPage({ bypass: true })), from)
await show("1,000 visitors at once, nothing cached yet", crowd(() => frontPage({ ttl: "1 minute" })), from)
await show("1,000 visitors at once, again", crowd(() => frontPage({ ttl: "1 minute" })), from)

await show("a new price, with uncache: \"product-7\"", () =>
  prisma.product.update({ where: { id: 7 }, data: { price: "12.50" }, uncache: "product-7" }), () => "-")
await show("the page after the write", () => productPage(7, page7), priced)
await show("the page once more", () => productPage(7, page7), priced)

await show("a transaction that sets another price...", async () => {
  let inside: Awaited<ReturnType<typeof productPage>> | undefined
  await prisma.$transaction(async (tx) => {
    await tx.product.update({ where: { id: 7 }, data: { price: "0.01" }, uncache: "product-7" })
    inside = await productPage(7, page7, tx)
    throw new Error("the payment was refused")
  }).catch(() => {})
  return inside
}, (inside) => inside === undefined ? "-" : priced(inside))
await show("...and rolls back: the page again", () => productPage(7, page7), priced)

console.log(`
The second read ${isDeepStrictEqual(first.data, second.data) ? "is deep-equal to" : "DIFFERS FROM"} the first, Decimal, Date \
and JSON included, and is an object of its own.
`)
await prisma.$disconnect()
await shop.close()
